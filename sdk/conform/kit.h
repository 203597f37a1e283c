/* SPDX-License-Identifier: MIT
 * conform/kit.h - what a rule of the conformance kit is, and what it may use while it runs.
 *
 * A rule runs in a process of its own, which has loaded one plugin file.  It returns where the
 * plugin kept the rule; all else ends the process: ftk__kit_fail and its like write the verdict to
 * the parent and exit.  So a rule needs no clean-up, and a plugin may do with the process what it
 * likes.
 */
#ifndef FTK__KIT_H
#define FTK__KIT_H
#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "plugin/host_table.h"
#include <freetickets/freetickets.h>

enum ftk__verdict {
    FTK__PASS,
    FTK__FAILED, /* the plugin broke the rule                    */
    FTK__CRASHED,
    FTK__TIMED_OUT,
    FTK__WARNED,  /* taste and speed                              */
    FTK__SKIPPED, /* does not apply here, with the reason         */
    FTK__BLOCKED, /* a rule that it needs did not pass            */
    FTK__WAIVED,  /* by --skip                                    */
    FTK__VERDICTS
};
const char *ftk__verdict_name(enum ftk__verdict v); /* "fail"                    */

/* What a rule is for: kinds by the level at which a plugin works (1 scores, 2 selects). */
enum {
    FTK__ON_PRUNE1 = 1u << 0,
    FTK__ON_PRUNE2 = 1u << 1,
    FTK__ON_GROW1 = 1u << 2,
    FTK__ON_GROW2 = 1u << 3,
    FTK__ON_INIT1 = 1u << 4, /* density                                      */
    FTK__ON_INIT2 = 1u << 5, /* select                                       */
    FTK__ON_ALLOT = 1u << 6,
    FTK__ON_ENSEMBLE = 1u << 7,
    FTK__ON_METRIC = 1u << 8,
    FTK__ON_BACKEND = 1u << 9,

    FTK__ON_SCORERS = FTK__ON_PRUNE1 | FTK__ON_GROW1,
    FTK__ON_PRUNE = FTK__ON_PRUNE1 | FTK__ON_PRUNE2,
    FTK__ON_GROW = FTK__ON_GROW1 | FTK__ON_GROW2,
    FTK__ON_INIT = FTK__ON_INIT1 | FTK__ON_INIT2,
    FTK__ON_SPARSE = FTK__ON_PRUNE | FTK__ON_GROW | FTK__ON_INIT | FTK__ON_ALLOT,
    FTK__ON_ALL_BUT_BACKEND = FTK__ON_SPARSE | FTK__ON_ENSEMBLE | FTK__ON_METRIC,
    FTK__ON_ALL = FTK__ON_ALL_BUT_BACKEND | FTK__ON_BACKEND
};
uint32_t ftk__kit_kind_bit(const ftk_algo *a); /* one FTK__ON_*; 0: unknown kind */

enum {
    FTK__RULE_FILE = 1u << 0, /* once a file, not once an algorithm           */
    FTK__RULE_RAW = 1u << 1,  /* loads the file itself: c->algo and c->stamp are NULL */
    FTK__RULE_WARN = 1u << 2  /* ftk__kit_fail is a warning                   */
};

struct ftk__case;
struct ftk__rule {
    const char *id;        /* "SCO-06"; never renumbered                   */
    int level;             /* 1 to 4                                       */
    uint32_t kinds;        /* FTK__ON_*                                    */
    uint32_t flags;        /* FTK__RULE_*                                  */
    const char *needs;     /* ids, space-separated; those of other kinds are passed over */
    const char *title;     /* "same scores for any size of chunk"          */
    const char *why, *fix; /* a sentence each; the likely fix              */
    uint32_t timeout_ms;   /* 0: 10 s                                      */
    void (*run)(struct ftk__case *c);
};
/* A family of rules: one file of the kit. */
struct ftk__rule_family {
    const struct ftk__rule *rules; // [n]
    uint32_t n;
};

struct ftk__kit_pair {
    const char *key, *value;
};
struct ftk__kit_options {
    int level;                        /* rules up to it; 2                            */
    const char *only;                 /* glob of ids; NULL: all                       */
    const struct ftk__kit_pair *skip; // [n_skip] rule and why
    uint32_t n_skip;
    const struct ftk__kit_pair *set; // [n_set] parameter and value
    uint32_t n_set;
    const char
        *ref; /* the oracle for backends; NULL: backend_ref.so beside the program's plugins */
    uint64_t seed;
};

struct ftk__case { /* of one rule on one algorithm, in its process */
    const struct ftk__rule *rule;
    const struct ftk__kit_options *o;
    const char *path; /* of the plugin file                           */
    uint64_t seed;    /* of this rule's own random choices            */
    const ftk_stamp *stamp;
    const ftk_algo *algo;       /* NULL for rules of a file                     */
    const ftk_algo *const *all; // [n_all] all algorithms of the file
    uint32_t n_all;
    struct ftk__kit_host *host; /* kit_host.h                                   */
    void *params;            /* defaults and --set, in read-only memory; NULL where it has none */
    struct ftk__arena arena; /* the rule's own memory                        */
    uint32_t role;           /* 0: the rule itself; else ftk__kit_again's    */
    int in, out;             /* descriptors of a role's input and of the verdict */
};

/* Verdicts; none of them returns.  The message states what was seen, in one line: call, layer, index,
 * both values. */
_Noreturn void ftk__kit_fail(struct ftk__case *c, const char *fmt, ...) FTK_PRINTF(2, 3);
_Noreturn void ftk__kit_warn(struct ftk__case *c, const char *fmt, ...) FTK_PRINTF(2, 3);
_Noreturn void ftk__kit_skip(struct ftk__case *c, const char *fmt, ...) FTK_PRINTF(2, 3);
/* The kit's own failure: no memory, no process.  Exit 70. */
_Noreturn void ftk__kit_broken(const char *fmt, ...) FTK_PRINTF(1, 2);
/* Fails where not `ok`. */
void ftk__kit_expect(struct ftk__case *c, bool ok, const char *fmt, ...) FTK_PRINTF(3, 4);

/* Zeroed memory of the rule's, not guarded, never NULL. */
void *ftk__kit_alloc(struct ftk__case *c, uint64_t n, size_t size);
/* What the parent shows when the rule fails: a line of context (the fuzz case, the seed) that the
 * next verdict, a crash included, carries.  Overwrites the former one. */
void ftk__kit_note(struct ftk__case *c, const char *fmt, ...) FTK_PRINTF(2, 3);

/* ---- an instance under test ------------------------------------------------------------------- */

struct ftk__subject {
    const ftk_algo *algo;
    struct ftk__kit_host *host; /* its own                                      */
    const void *params;
    void *self; /* as create() left it; without a create() the params */
};
/* check() and create() with `params` (NULL: the case's), under a new host.  A status below 0 is the
 * rule's failure.  For a backend nothing is called: it has no instance. */
void ftk__subject_new(struct ftk__case *c, const void *params, struct ftk__subject *ret);
/* The same, but the status is the caller's to judge; on failure there is nothing to end. */
ftk_status ftk__subject_try(struct ftk__case *c, const void *params, struct ftk__kit_host *host,
                            struct ftk__subject *ret);
void ftk__subject_done(struct ftk__case *c, struct ftk__subject *s);

/* ---- the same rule in another process ---------------------------------------------------------- */

struct ftk__blob;
/* Runs this rule in a fresh process, the file loaded anew, with c->role = `role` (from 1) and `in` as
 * its input; *ret is what it handed back.  Its failure is this one's. */
void ftk__kit_again(struct ftk__case *c, uint32_t role, const struct ftk__blob *in,
                    struct ftk__blob *ret);
/* There: the input, and the end. */
void ftk__kit_input(struct ftk__case *c, struct ftk__blob *ret);
_Noreturn void ftk__kit_hand_back(struct ftk__case *c, const struct ftk__blob *b);
#endif
