/* SPDX-License-Identifier: MIT
 * cli/prepare.c - configuration, sizes of the data, model, operations, with all mistakes gathered.
 */
#include "cli/prepare.h"

#include "cli/commands.h"
#include "cli/foresee.h"
#include "train/mask_file.h"
#include "train/optim_builtins.h"
#include <string.h>

enum { MAX_BUILTINS = 64, PATH_CHARS = 64 };

const struct ftk__builtin *ftk__builtin_at(uint32_t i)
{
    const struct ftk__builtin *const *const tables[] = { ftk__data_builtins, ftk__model_builtins,
                                                         ftk__optim_builtins, ftk__init_builtins };
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
        for (uint32_t k = 0; tables[t][k]; k++) {
            if (i-- == 0)
                return tables[t][k];
        }
    }
    return NULL;
}

struct ftk__data_request ftk__data_request_of(const struct ftk__experiment *x)
{
    const struct ftk__data_section *d = &x->data;
    return (struct ftk__data_request){
        .set = x->data_set.builtin,
        .params = x->data_set.params,
        .dir = d->dir,
        .validation = (uint64_t)d->validation,
        .limit = (uint64_t)d->limit,
        .augment = (uint32_t)d->augment,
        .pad = (uint32_t)d->pad,
        .validation_augmented = d->validation_augmented,
        .mean = d->mean.v,
        .std = d->std.v,
        .n_norm = (uint32_t)d->mean.n,
        .normalise = d->normalise,
        .seed = (uint64_t)x->seed,
    };
}

/* The key that a message starts with ("data.validation 224 leaves none ..."), where the experiment
 * gives it; else `section`. */
static void path_in(const struct ftk__experiment *x, const char *message, const char *section,
                    char ret[PATH_CHARS])
{
    size_t n = strcspn(message, " :");
    if (n < PATH_CHARS && memchr(message, '.', n)) {
        ftk__format(ret, PATH_CHARS, "%.*s", (int)n, message);
        if (ftk__setting_find(x->tree, ret))
            return;
    }
    ftk__format(ret, PATH_CHARS, "%s", section);
}

/* Turns a mistake of the experiment, found further in, into one more issue of `section`; any other
 * error stays one. */
static ftk_status to_issue(const struct ftk__experiment *x, struct ftk__issues *issues,
                           const char *section, ftk_status st, const struct ftk_error *err)
{
    char path[PATH_CHARS];
    if (st >= 0)
        return FTK_OK;
    if (st != FTK_ERANGE && ftk__error_exit_code(err) != FTK__EXIT_CONFIG)
        return st;
    path_in(x, err->message, section, path);
    const struct ftk__setting *at = ftk__setting_find(x->tree, path);
    ftk__issues_add(issues, at ? at : x->tree, path, NULL, NULL, "%s", err->message);
    return FTK_OK;
}

static void check_sets(const struct ftk__experiment *x, struct ftk__issues *issues)
{
    const struct ftk__setting *at = ftk__setting_find(x->tree, "eval.on");
    for (uint64_t i = 0; i < x->eval.n_on; i++) {
        if (strcmp(x->eval.on[i], "validation") == 0 && x->data.validation == 0)
            ftk__issues_add(issues, at, "eval.on", "data.validation above 0", NULL,
                            "\"validation\" is asked for, but nothing is held back for it");
    }
}

static ftk_status build_model(struct ftk__prepared *p, struct ftk_error *reterr)
{
    const struct ftk__experiment *x = p->x;
    const struct ftk__model_request q = {
        .model = x->model.builtin,
        .params = x->model.params,
        .shape = { p->info.shape[0], p->info.shape[1], p->info.shape[2] },
        .classes = p->info.classes,
        .label_smoothing = x->optim.label_smoothing,
        .decay_bn = x->optim.decay_bn,
        .decay_bias = x->optim.decay_bias,
        .dense = x->sparsity.dense,
        .n_dense = x->sparsity.n_dense,
    };
    return ftk__model_build(&q, &p->model, reterr);
}

static ftk_status plan_ops(struct ftk__prepared *p, struct ftk_error *reterr)
{
    struct ftk__instance strategy = { 0 };
    ftk_status st =
        ftk__instance_new(p->x->strategy.entry, p->x->strategy.params, &strategy, reterr);
    if (st < 0)
        return st;
    st = ftk__oplist_plan(&strategy, &p->run, &p->ops, reterr);
    ftk__instance_done(&strategy);
    return st;
}

static bool starts_sparse(const struct ftk__prepared *p)
{
    for (uint32_t i = 0; i < p->ops.n; i++) {
        const ftk_op *op = &p->ops.v[i].op;
        if (op->code == FTK_OP_INIT && !(op->flags & FTK_INIT_DENSE))
            return true;
    }
    return false;
}

/* Where the masks come from a file, and no density is given, it is the file's: known only now that
 * there is a model, it makes the operations anew. */
static ftk_status take_density(struct ftk__prepared *p, struct ftk_error *reterr)
{
    struct ftk__mask_file masks;
    if (!ftk__init_is_file(p->x) || p->x->sparsity.density > 0 || !p->model || !starts_sparse(p))
        return FTK_OK;
    ftk_status st = ftk__init_file_read(p->x, p->model, 0, &masks, reterr);
    if (st < 0)
        return st;
    p->x->sparsity.density = masks.density;
    ftk__mask_file_done(&masks);
    p->run = ftk__experiment_run(p->x, p->info.n_train);
    ftk__oplist_done(&p->ops);
    return plan_ops(p, reterr);
}

/* `text`: as in struct ftk__config_request. */
static ftk_status load(const char *file, const char *text, const struct ftk__options *o,
                       struct ftk__issues *issues, struct ftk__prepared *p,
                       struct ftk_error *reterr)
{
    const struct ftk__builtin *builtins[MAX_BUILTINS];
    uint32_t n = 0;
    while (n < MAX_BUILTINS && ftk__builtin_at(n)) {
        builtins[n] = ftk__builtin_at(n);
        n++;
    }
    p->registry = ftk__registry_new();
    if (!p->registry)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for the plugins");
    const struct ftk__config_request q = {
        .file = file,
        .text = text,
        .overrides = o->set,
        .n_overrides = o->n_set,
        .registry = p->registry,
        .builtins = builtins,
        .n_builtins = n,
    };
    return ftk__config_load(&q, issues, &p->x, reterr);
}

/* A plugin that refuses its parameters is told at its own group. */
static ftk_status check_rules(const struct ftk__experiment *x, struct ftk__issues *issues,
                              struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    for (uint32_t i = 0; i < FTK__FORESEE_RULES && st >= 0; i++) {
        const char *path = NULL;
        st = ftk__foresee_rule(x, i, &path, reterr);
        st = to_issue(x, issues, path, st, reterr);
    }
    return st;
}

/* What the sections allow singly and together do not. */
static ftk_status look_further(struct ftk__prepared *p, struct ftk__issues *issues,
                               struct ftk_error *reterr)
{
    const struct ftk__experiment *x = p->x;
    check_sets(x, issues);
    p->request = ftk__data_request_of(x);
    uint64_t before = issues->n;
    ftk_status st = ftk__data_info(&p->request, &p->info, reterr);
    st = to_issue(x, issues, "data", st, reterr);
    if (st < 0 || issues->n > before)
        return st;
    ftk__experiment_check_size(x, p->info.n_train, issues);
    before = issues->n;
    st = to_issue(x, issues, "model", build_model(p, reterr), reterr);
    bool built = issues->n == before;
    if (st < 0)
        return st;
    p->run = ftk__experiment_run(x, p->info.n_train);
    before = issues->n;
    st = plan_ops(p, reterr);
    if (st >= 0)
        st = take_density(p, reterr);
    st = to_issue(x, issues, "ensemble", st, reterr);
    if (st < 0 || issues->n > before)
        return st;
    before = issues->n;
    st = ftk__experiment_check(x, &p->run, &p->ops, &p->notes, issues);
    if (st < 0 && issues->n == before)
        return ftk__fail(reterr, st, "%s could not be checked: %s", x->file, ftk__status_text(st));
    if (!built || issues->n > before)
        return FTK_OK;
    st = check_rules(x, issues, reterr);
    if (st < 0 || issues->n > before)
        return st;
    const char *densities = x->sparsity.n_layers > 0 ? "sparsity.layers" : "sparsity.density";
    return to_issue(x, issues, densities, ftk__foresee_densities(p, reterr), reterr);
}

static ftk_status prepare(const char *file, const char *text, const struct ftk__options *o,
                          struct ftk__issues *issues, struct ftk__prepared *ret,
                          struct ftk_error *reterr)
{
    struct ftk_error err = { 0 };
    uint64_t before = issues->n;
    *ret = (struct ftk__prepared){ 0 };
    ftk_status st = load(file, text, o, issues, ret, &err);
    if (st >= 0)
        st = look_further(ret, issues, &err);
    if (st >= 0 && issues->failed)
        st = ftk__fail(&err, FTK_ENOMEM, "no memory for the mistakes in %s", file);
    if (st >= 0 && issues->n > before)
        st = ftk__fail_exit(&err, FTK_EINVAL, FTK__EXIT_CONFIG, "%s: %llu mistakes", file,
                            (unsigned long long)(issues->n - before));
    if (st < 0 && reterr)
        *reterr = err;
    return st;
}

ftk_status ftk__prepare(const char *file, const struct ftk__options *o, struct ftk__issues *issues,
                        struct ftk__prepared *ret, struct ftk_error *reterr)
{
    return prepare(file, NULL, o, issues, ret, reterr);
}

ftk_status ftk__prepare_text(const char *name, const char *text, const struct ftk__options *o,
                             struct ftk__issues *issues, struct ftk__prepared *ret,
                             struct ftk_error *reterr)
{
    return prepare(name, text, o, issues, ret, reterr);
}

void ftk__prepared_done(struct ftk__prepared *p)
{
    ftk__str_done(&p->notes);
    ftk__oplist_done(&p->ops);
    ftk__model_free(p->model);
    ftk__experiment_free(p->x);
    ftk__registry_free(p->registry);
    *p = (struct ftk__prepared){ 0 };
}

int ftk__prepare_or_print(const char *file, const struct ftk__options *o, struct ftk__prepared *ret)
{
    struct ftk__issues issues = { 0 };
    struct ftk_error err;
    int code = FTK__EXIT_OK;
    ftk_status st = ftk__prepare(file, o, &issues, ret, &err);
    if (st < 0) {
        ftk__issues_print(&issues, stderr);
        /* Without memory the mistakes may be none: a plugin that could not be looked at is unknown. */
        bool told = issues.n > 0 && st != FTK_ENOMEM;
        code = told ? ftk__error_exit_code(&err) : ftk__cli_fail(&err);
        ftk__prepared_done(ret);
    }
    ftk__issues_done(&issues);
    return code;
}
