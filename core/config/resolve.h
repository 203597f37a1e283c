/* SPDX-License-Identifier: MIT
 * config/resolve.h - from a tree of settings to an experiment; what its files share.
 */
#ifndef FTK__RESOLVE_H
#define FTK__RESOLVE_H
#include "config/cfgschema.h"
#include "config/load.h"

struct ftk__resolver {
    const struct ftk__config_request *q;
    const struct ftk__setting *root;
    struct ftk__experiment *x;
    struct ftk__issues *issues;
    struct ftk__host *host; /* for the checks of plugins */
    struct ftk__schema_defaults defaults;
};

/* Fills r->x from r->root; what is wrong goes to r->issues.  FTK_ENOMEM is the only error. */
ftk_status ftk__resolve(struct ftk__resolver *r, struct ftk_error *reterr);

/* A group at a path, or NULL; false where something else stands there (which is reported). */
bool ftk__resolve_group(struct ftk__resolver *r, const char *path, const struct ftk__setting **ret);

/* One owner of keys in a group. */
struct ftk__part {
    struct ftk__param_table table;
    void *out;
};
enum { FTK__PARTS = 3 }; /* two tables of the core and one of `use` */
/* Several owners of one group: each is filled, a key that none knows is reported once, with the
 * nearest name of all.  `extra`: further names; `lenient`: unknown keys may be anyone's. */
void ftk__parts_fill(struct ftk__resolver *r, const struct ftk__setting *group, const char *path,
                     const struct ftk__part *part, unsigned n, const char *const *extra,
                     bool lenient);

/* The core's share of a `{ use = "..."; }` group; n may be 0. */
struct ftk__use_group {
    const char *path;                 /* "topology.prune" */
    const struct ftk__setting *group; /* or NULL */
    struct ftk__part part[FTK__PARTS];
    unsigned n;
    const char *const *extra; /* names beside the tables, `use` among them */
    const char *default_use;  /* NULL: required */
};
void ftk__resolve_algo(struct ftk__resolver *r, const struct ftk__use_group *u, ftk_kind kind,
                       struct ftk__algo_use *ret);
void ftk__resolve_builtin(struct ftk__resolver *r, const struct ftk__use_group *u, const char *kind,
                          struct ftk__builtin_use *ret);
/* A built-in of the group that is named as the kind, or else a plugin; returns the built-in. */
const struct ftk__builtin *ftk__resolve_either(struct ftk__resolver *r,
                                               const struct ftk__use_group *u, ftk_kind kind,
                                               struct ftk__algo_use *ret);
/* A plugin by its name alone, all its parameters by default. */
void ftk__resolve_named(struct ftk__resolver *r, const char *path, const struct ftk__setting *name,
                        ftk_kind kind, struct ftk__algo_use *ret);

/* An array or list of strings, of `known` names if that is not NULL, each but once. */
void ftk__resolve_names(struct ftk__resolver *r, const struct ftk__setting *s, const char *path,
                        const char *const *known, const char *const **ret, uint64_t *ret_n);
/* "a, b, c" as the limit of an issue; nearest to `word` by itself. */
void ftk__resolve_unknown(struct ftk__resolver *r, const struct ftk__setting *at, const char *path,
                          const char *const *names, uint64_t n, const char *word, const char *what);
void ftk__resolve_plugins(struct ftk__resolver *r);
void ftk__resolve_normalise(struct ftk__resolver *r, const struct ftk__setting *data);
void ftk__resolve_layers(struct ftk__resolver *r, const struct ftk__setting *layers);
void ftk__resolve_metrics(struct ftk__resolver *r);
void ftk__resolve_milestones(struct ftk__resolver *r);

/* `best_validation` without a validation split. */
void ftk__experiment_check_keep(const struct ftk__experiment *x, struct ftk__issues *issues);
#endif
