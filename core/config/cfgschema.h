/* SPDX-License-Identifier: MIT
 * config/cfgschema.h - the core's own keys, declared with the same tables as those of plugins.
 *
 * A section is one or two tables over one struct: those that decide results and those that do not
 * (a folder, a number of threads), which the identity leaves out.
 */
#ifndef FTK__CFGSCHEMA_H
#define FTK__CFGSCHEMA_H
#include "config/experiment.h"
#include "plugin/params.h"

struct ftk__top_section {
    int64_t schema, seed;
    double epochs;
    const char *name, *output;
};
struct ftk__normalise_section {
    ftk_f64s mean, std;
};
struct ftk__density_section {
    double density;
};
struct ftk__ensemble_section {
    int64_t members;
    int32_t keep;
};
struct ftk__weights_section {
    const char *weights;
};

enum ftk__table_id {
    FTK__TABLE_TOP,
    FTK__TABLE_DATA,
    FTK__TABLE_DATA_PLACE, /* dir */
    FTK__TABLE_NORMALISE,
    FTK__TABLE_MODEL,    /* weights */
    FTK__TABLE_SPARSITY, /* density */
    FTK__TABLE_LAYER,    /* an entry of sparsity.layers */
    FTK__TABLE_TOPOLOGY,
    FTK__TABLE_ENSEMBLE,
    FTK__TABLE_OPTIM,
    FTK__TABLE_EVAL,          /* without its lists of names */
    FTK__TABLE_BACKEND,       /* precision */
    FTK__TABLE_BACKEND_PLACE, /* threads, isa, tune */
    FTK__TABLES
};
struct ftk__param_table ftk__schema_table(enum ftk__table_id id);

/* The same with what a preset and a data set change in the defaults; the array is the caller's and
 * has to outlive the table. */
enum { FTK__TABLE_ROOM = 24 };
struct ftk__schema_defaults {
    enum ftk__preset preset;
    bool pad_zero; /* data: as published for cifar100 */
};
struct ftk__param_table ftk__schema_preset(enum ftk__table_id id,
                                           const struct ftk__schema_defaults *d,
                                           ftk_param room[FTK__TABLE_ROOM]);
extern const char *const ftk__preset_names[]; /* NULL-terminated, by enum ftk__preset */

/* Keys of a group that no table declares, for they are groups, lists or names; NULL-terminated. */
const char *const *ftk__schema_extra(enum ftk__table_id id);
/* Whether the core owns `key` of the group at `path` ("ensemble", "topology.prune"). */
bool ftk__schema_owns(const char *path, const char *key);
/* What `use` of that group is by default; NULL where it is required or there is none. */
const char *ftk__schema_default_use(const char *path);

/* NULL-terminated names. */
extern const char *const ftk__eval_sets[];
extern const char *const ftk__eval_protocols[];
extern const char *const ftk__normalise_names[];
#endif
