/* SPDX-License-Identifier: MIT
 * cli/options.h - what was typed: a command's options and arguments.
 */
#ifndef FTK__OPTIONS_H
#define FTK__OPTIONS_H
#include "base/error.h"
#include "base/str.h"

/* Which options a command takes, beside --help. */
enum {
    FTK__OPT_SET = 1u << 0,
    FTK__OPT_OUT = 1u << 1,
    FTK__OPT_NEW = 1u << 2,
    FTK__OPT_DRY_RUN = 1u << 3,
    FTK__OPT_DENSE = 1u << 4,
    FTK__OPT_JSON = 1u << 5,
    FTK__OPT_QUIET = 1u << 6,
    FTK__OPT_VERBOSE = 1u << 7,
    FTK__OPT_CFG = 1u << 8,
    FTK__OPT_FROM = 1u << 9,
    FTK__OPT_TO = 1u << 10,
    FTK__OPT_COMPARE = 1u << 11,
    FTK__OPT_FORMAT = 1u << 12,
    FTK__OPT_LEVEL = 1u << 13,
    FTK__OPT_ONLY = 1u << 14,
    FTK__OPT_SKIP = 1u << 15,
    FTK__OPT_REF = 1u << 16,
    FTK__OPT_SEED = 1u << 17,
    FTK__OPT_JOBS = 1u << 18,
    FTK__OPT_TIMEOUT = 1u << 19,
    FTK__OPT_TAP = 1u << 20,
    FTK__OPT_IN_PROCESS = 1u << 21,
    FTK__OPT_LIST = 1u << 22,
    FTK__OPT_CHILD = 1u << 23, /* how `conform` executes itself; not shown     */
    FTK__OPT_ALGO = 1u << 24,
    FTK__OPT_RULES_MD = 1u << 25,
    FTK__OPT_MAX_TIME = 1u << 26,
    FTK__OPT_CHECKPOINT = 1u << 27,
    FTK__OPT_VERIFY = 1u << 28,
    FTK__OPT_RULE_LEVEL = 1u << 29 /* --level of `new`                          */
};

struct ftk__options {
    const char **set; // [n_set] of -s, in order; owned
    uint64_t n_set;
    const char *out, *dense; /* NULL where not given                         */
    const char *from, *to;   /* likewise                                     */
    const char *compare;     /* likewise                                     */
    const char *format;      /* likewise                                     */
    const char *max_time, *checkpoint_every, *verify_resume; /* likewise     */
    const char *level, *only, *ref, *seed, *jobs, *timeout, *child, *algo; /* likewise */
    const char **skip; // [n_skip] of --skip, in order; owned
    uint64_t n_skip;
    bool tap, in_process, list, rules_md;
    bool fresh; /* --new                                        */
    bool dry_run, json, quiet, verbose, cfg, help;
    char *const *args; // [n_args] what is no option
    int n_args;
};

struct ftk__command {
    const char *name, *args, *summary, *details;
    uint32_t takes; /* FTK__OPT_*                                   */
    int min_args, max_args;
    int (*run)(const struct ftk__options *o); /* an exit code                   */
    const char *words; /* that its arguments are made of, for completion, or NULL: files */
};

/* argv[0] is the command's name.  An error of usage (2) says what is wrong; `ret` is to be done in
 * any case. */
ftk_status ftk__options_parse(const struct ftk__command *c, int argc, char **argv,
                              struct ftk__options *ret, struct ftk_error *reterr);
void ftk__options_done(struct ftk__options *o);

/* "usage: freetickets run ...", the command's details and its options. */
void ftk__usage_print(const struct ftk__command *c, struct ftk__str *out);
/* The i-th long option that a command takes, "json"; NULL past the last.  *ret_value: it takes a
 * value. */
const char *ftk__option_name(const struct ftk__command *c, uint32_t i, bool *ret_value);
#endif
