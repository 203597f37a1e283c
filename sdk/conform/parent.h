/* SPDX-License-Identifier: MIT
 * conform/parent.h - runs rules on plugin files, each in a process of its own, and gathers verdicts.
 *
 * The parent loads no plugin and opens no device: whatever a plugin does, it goes on.
 */
#ifndef FTK__PARENT_H
#define FTK__PARENT_H
#include "conform/kit.h"

struct ftk__outcome { /* of one rule on one algorithm, or on the file */
    const struct ftk__rule *rule;
    uint32_t file; /* index                                        */
    uint32_t algo; /* of that file; UINT32_MAX: the file itself    */
    enum ftk__verdict verdict;
    char *message, *note; /* "" where there is none; owned                */
    const char *fix;      /* advice: the rule's, or about what happened   */
    char *output;         /* what the process printed, cut; ""            */
    double ms;
};
struct ftk__conform_file {
    const char *path;  /* borrowed                                     */
    char *real;        /* absolute, as the children are told it        */
    char *reason;      /* why the census found nothing; NULL           */
    bool refused;      /* by the loader                                */
    uint32_t first, n; /* its outcomes                                */
    char *stamp;       /* "org.example.topk 1.0.0"; NULL: it does not load */
    char **algo;       // [n_algos] "prune.magnitude"
    uint32_t *bit;     // [n_algos] FTK__ON_*
    uint32_t n_algos;
};
struct ftk__conform_run {
    const struct ftk__kit_options *o; /* borrowed                               */
    uint32_t jobs;                    /* processes at once; 0: as many as processors  */
    double timeout_s;                 /* 0: each rule's own                           */
    const char *algo;                 /* only this one, "prune.shy"; NULL: all        */
    struct ftk__conform_file *file;   // [n_files]
    uint32_t n_files;
    struct ftk__outcome *outcome; // [n] by file, then algorithm, then rule
    uint32_t n;
    uint32_t count[FTK__VERDICTS];
    uint32_t broken; /* processes in which the kit itself failed              */
};
/* `path`[n] are borrowed.  FTK_EINTERNAL where the kit itself failed (70), FTK_EINVAL (2) where no
 * rule is left to run. */
ftk_status ftk__conform(struct ftk__conform_run *r, const char *const *path, uint32_t n,
                        struct ftk_error *reterr);
void ftk__conform_done(struct ftk__conform_run *r);
/* "prune.magnitude"; "" for a rule of the file. */
const char *ftk__outcome_algo(const struct ftk__conform_run *r, const struct ftk__outcome *o);
#endif
