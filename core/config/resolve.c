/* SPDX-License-Identifier: MIT
 * config/resolve.c - section by section: presets, defaults, names to plugins.
 */
#include "config/resolve.h"
#include "base/path.h"
#include <string.h>

enum { NAME_MAX_CHARS = 100 };

bool ftk__resolve_group(struct ftk__resolver *r, const char *path, const struct ftk__setting **ret)
{
    const struct ftk__setting *s = ftk__setting_find(r->root, path);
    *ret = NULL;
    if (s && s->type != FTK__SET_GROUP) {
        ftk__issues_add(r->issues, s, path, "a group { ... }", NULL, "%s is %s", path,
                        ftk__setting_type_name(s->type));
        return false;
    }
    *ret = s;
    return true;
}

/* The folder of a run bears the name, so it must be able to be one. */
static bool usable_name(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n > NAME_MAX_CHARS || name[0] == '.' || name[0] == '-')
        return false;
    for (size_t i = 0; i < n; i++) {
        if (name[i] == '/' || (unsigned char)name[i] < 0x20)
            return false;
    }
    return true;
}

/* The file's name without its ending. */
static const char *default_name(struct ftk__resolver *r)
{
    char *name = ftk__arena_strdup(&r->x->arena, ftk__path_base(r->q->file));
    if (!name) {
        r->issues->failed = true;
        return "";
    }
    char *dot = strrchr(name, '.');
    if (dot && dot > name)
        *dot = 0;
    return usable_name(name) ? name : "experiment";
}

static void resolve_top(struct ftk__resolver *r)
{
    struct ftk__experiment *x = r->x;
    struct ftk__top_section top = { 0 };
    struct ftk__part part = { ftk__schema_table(FTK__TABLE_TOP), &top };
    ftk__parts_fill(r, r->root, "", &part, 1, ftk__schema_extra(FTK__TABLE_TOP), false);
    const struct ftk__setting *name = ftk__setting_get(r->root, "name");
    if (!name) {
        top.name = default_name(r);
    } else if (name->type == FTK__SET_STRING && !usable_name(name->s)) {
        ftk__issues_add(r->issues, name, "name",
                        "1 to 100 characters, no '/', not starting with '.' or '-'", NULL,
                        "name = \"%.60s\" cannot be part of a folder's name", name->s);
    }
    const struct ftk__setting *output = ftk__setting_get(r->root, "output");
    if (output && output->type == FTK__SET_STRING && output->s[0] == 0)
        ftk__issues_add(r->issues, output, "output", "a folder; \".\" is the present one", NULL,
                        "output = \"\" names no folder");
    x->name = top.name;
    x->output = top.output;
    x->seed = top.seed;
    x->epochs = top.epochs;
}

/* Needed before any section is filled, for it changes their defaults. */
static void resolve_preset(struct ftk__resolver *r)
{
    const struct ftk__setting *preset = ftk__setting_find(r->root, "topology.preset");
    r->defaults.preset = FTK__PRESET_PAPER;
    if (!preset || preset->type != FTK__SET_STRING)
        return;
    for (unsigned i = 0; ftk__preset_names[i]; i++) {
        if (strcmp(preset->s, ftk__preset_names[i]) == 0)
            r->defaults.preset = (enum ftk__preset)i;
    }
}

static struct ftk__part core_part(struct ftk__resolver *r, enum ftk__table_id id,
                                  ftk_param room[FTK__TABLE_ROOM], void *out)
{
    return (struct ftk__part){ ftk__schema_preset(id, &r->defaults, room), out };
}

static void resolve_data(struct ftk__resolver *r)
{
    ftk_param room[2][FTK__TABLE_ROOM];
    struct ftk__use_group u = { .path = "data", .n = 2 };
    if (!ftk__resolve_group(r, u.path, &u.group))
        return;
    const struct ftk__setting *use = ftk__setting_get(u.group, "use");
    r->defaults.pad_zero = use && use->type == FTK__SET_STRING && strcmp(use->s, "cifar100") == 0;
    u.part[0] = core_part(r, FTK__TABLE_DATA, room[0], &r->x->data);
    u.part[1] = core_part(r, FTK__TABLE_DATA_PLACE, room[1], &r->x->data);
    u.extra = ftk__schema_extra(FTK__TABLE_DATA);
    ftk__resolve_builtin(r, &u, "data", &r->x->data_set);
    ftk__resolve_normalise(r, u.group);
}

static void resolve_model(struct ftk__resolver *r)
{
    ftk_param room[FTK__TABLE_ROOM];
    struct ftk__weights_section weights = { "" };
    struct ftk__use_group u = { .path = "model", .n = 1 };
    if (!ftk__resolve_group(r, u.path, &u.group))
        return;
    u.part[0] = core_part(r, FTK__TABLE_MODEL, room, &weights);
    u.extra = ftk__schema_extra(FTK__TABLE_MODEL);
    ftk__resolve_builtin(r, &u, "model", &r->x->model);
    r->x->weights = weights.weights;
}

/* A group of which `use` and the plugin, or built-in (returned), own all keys. */
static const struct ftk__builtin *resolve_plain(struct ftk__resolver *r, const char *path,
                                                ftk_kind kind, struct ftk__algo_use *ret)
{
    static const char *const extra[] = { "use", NULL };
    struct ftk__use_group u = { .path = path, .extra = extra };
    u.default_use = ftk__schema_default_use(path);
    if (!ftk__resolve_group(r, path, &u.group))
        return NULL;
    return ftk__resolve_either(r, &u, kind, ret);
}

static void resolve_sparsity(struct ftk__resolver *r)
{
    struct ftk__experiment *x = r->x;
    const struct ftk__setting *group;
    struct ftk__density_section density = { 0 };
    if (!ftk__resolve_group(r, "sparsity", &group))
        return;
    struct ftk__part part = { ftk__schema_table(FTK__TABLE_SPARSITY), &density };
    ftk__parts_fill(r, group, "sparsity", &part, 1, ftk__schema_extra(FTK__TABLE_SPARSITY), false);
    /* Whether it may be missing is for the strategy's operations to say. */
    if (ftk__setting_get(group, "density"))
        x->sparsity.density = density.density;
    ftk__resolve_names(r, ftk__setting_get(group, "dense"), "sparsity.dense", NULL,
                       &x->sparsity.dense, &x->sparsity.n_dense);
    ftk__resolve_layers(r, ftk__setting_get(group, "layers"));
    x->init_builtin = resolve_plain(r, "sparsity.init", FTK_KIND_INIT, &x->init);
}

static void resolve_topology(struct ftk__resolver *r)
{
    ftk_param room[FTK__TABLE_ROOM];
    const struct ftk__setting *group;
    if (!ftk__resolve_group(r, "topology", &group))
        return;
    struct ftk__part part = core_part(r, FTK__TABLE_TOPOLOGY, room, &r->x->topology);
    ftk__parts_fill(r, group, "topology", &part, 1, ftk__schema_extra(FTK__TABLE_TOPOLOGY), false);
    resolve_plain(r, "topology.prune", FTK_KIND_PRUNE, &r->x->prune);
    resolve_plain(r, "topology.grow", FTK_KIND_GROW, &r->x->grow);
    resolve_plain(r, "topology.allot", FTK_KIND_ALLOT, &r->x->allot);
}

static void resolve_ensemble(struct ftk__resolver *r)
{
    ftk_param room[FTK__TABLE_ROOM];
    struct ftk__ensemble_section core = { 0 };
    struct ftk__use_group u = { .path = "ensemble", .n = 1 };
    if (!ftk__resolve_group(r, u.path, &u.group))
        return;
    u.part[0] = core_part(r, FTK__TABLE_ENSEMBLE, room, &core);
    u.extra = ftk__schema_extra(FTK__TABLE_ENSEMBLE);
    ftk__resolve_algo(r, &u, FTK_KIND_ENSEMBLE, &r->x->strategy);
    r->x->members = core.members;
    r->x->keep = core.keep;
}

static void resolve_optim(struct ftk__resolver *r)
{
    ftk_param room[FTK__TABLE_ROOM];
    struct ftk__use_group u = { .path = "optim", .n = 1 };
    if (!ftk__resolve_group(r, u.path, &u.group))
        return;
    u.part[0] = core_part(r, FTK__TABLE_OPTIM, room, &r->x->optim);
    u.extra = ftk__schema_extra(FTK__TABLE_OPTIM);
    u.default_use = ftk__schema_default_use(u.path);
    ftk__resolve_builtin(r, &u, "optim", &r->x->optimiser);
    ftk__resolve_milestones(r);
}

static void check_trajectory(struct ftk__resolver *r, const struct ftk__setting *at)
{
    const char *end;
    ftk_duration d;
    if (!at || at->type != FTK__SET_STRING || at->s[0] == 0)
        return;
    if (!ftk__duration_parse(at->s, 0, &d, &end) || *end != 0 || !(d.value > 0))
        ftk__issues_add(r->issues, at, "eval.trajectory",
                        "a duration above 0 such as \"1ep\", or \"\"", NULL,
                        "trajectory = \"%.60s\"", at->s);
}

static void resolve_eval(struct ftk__resolver *r)
{
    static const char *const test[] = { "test" };
    static const char *const standard[] = { "standard" };
    struct ftk__eval_section *e = &r->x->eval;
    const struct ftk__setting *group;
    if (!ftk__resolve_group(r, "eval", &group))
        return;
    struct ftk__part part = { ftk__schema_table(FTK__TABLE_EVAL), e };
    ftk__parts_fill(r, group, "eval", &part, 1, ftk__schema_extra(FTK__TABLE_EVAL), false);
    e->on = test;
    e->n_on = 1;
    e->protocol = standard;
    e->n_protocol = 1;
    ftk__resolve_names(r, ftk__setting_get(group, "on"), "eval.on", ftk__eval_sets, &e->on,
                       &e->n_on);
    ftk__resolve_names(r, ftk__setting_get(group, "protocol"), "eval.protocol", ftk__eval_protocols,
                       &e->protocol, &e->n_protocol);
    check_trajectory(r, ftk__setting_get(group, "trajectory"));
}

/* "auto" is decided when a device is opened: then no backend file is opened here, and keys beside
 * the core's are unknown. */
static void resolve_backend(struct ftk__resolver *r)
{
    struct ftk__experiment *x = r->x;
    ftk_param room[2][FTK__TABLE_ROOM];
    struct ftk__use_group u = { .path = "backend", .n = 2 };
    if (!ftk__resolve_group(r, u.path, &u.group))
        return;
    u.part[0] = core_part(r, FTK__TABLE_BACKEND, room[0], &x->backend);
    u.part[1] = core_part(r, FTK__TABLE_BACKEND_PLACE, room[1], &x->backend);
    u.extra = ftk__schema_extra(FTK__TABLE_BACKEND);
    u.default_use = ftk__schema_default_use(u.path);
    x->backend.use = "auto";
    const struct ftk__setting *use = ftk__setting_get(u.group, "use");
    bool named = use && !(use->type == FTK__SET_STRING && strcmp(use->s, "auto") == 0);
    if (!named) {
        ftk__parts_fill(r, u.group, u.path, u.part, u.n, u.extra, false);
        return;
    }
    ftk__resolve_algo(r, &u, FTK_KIND_BACKEND, &x->engine);
    if (x->engine.entry)
        x->backend.use = x->engine.use;
}

static void check_split(struct ftk__resolver *r)
{
    const struct ftk__setting *given = ftk__setting_find(r->root, "data.validation");
    if (!given || (given->type == FTK__SET_INT && given->i == 0))
        ftk__experiment_check_keep(r->x, r->issues);
}

ftk_status ftk__resolve(struct ftk__resolver *r, struct ftk_error *reterr)
{
    r->host = ftk__host_new();
    if (!r->host)
        return ftk__fail(reterr, FTK_ENOMEM, "out of memory for an experiment");
    uint64_t before = r->issues->n;
    resolve_top(r);
    ftk__resolve_plugins(r);
    resolve_preset(r);
    resolve_data(r);
    resolve_model(r);
    resolve_sparsity(r);
    resolve_topology(r);
    resolve_ensemble(r);
    resolve_optim(r);
    resolve_eval(r);
    ftk__resolve_metrics(r);
    resolve_backend(r);
    /* Without mistakes the rest is checked against the operations too; with some, what sections
     * want of each other is still told beside them. */
    if (r->issues->n > before)
        check_split(r);
    ftk__host_free(r->host);
    if (r->issues->failed)
        return ftk__fail(reterr, FTK_ENOMEM, "out of memory for an experiment");
    return FTK_OK;
}
