/* SPDX-License-Identifier: MIT
 * config_case.c - experiments from text.
 */
#include "config_case.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct toy_params {
    int64_t classes;
    double scale;
    const char *from;
};
static const ftk_param toy_params[] = {
    FTK_PARAM_I64(struct toy_params, classes, 10, 2, 1000, "", "how many kinds"),
    FTK_PARAM_F64(struct toy_params, scale, 1.0, 0, 10, "", "of the noise"),
    FTK_PARAM_STR(struct toy_params, from, "", FTK_PF_PATH, "a file"),
    FTK_PARAM_END,
};
static const struct ftk__builtin toy = {
    .group = "data",
    .name = "toy",
    .summary = "made for tests",
    .reference = "",
    .params = toy_params,
    .params_size = sizeof(struct toy_params),
};
static const struct ftk__builtin cifar100 = {
    .group = "data", .name = "cifar100", .summary = "made for tests", .reference = ""
};

struct stack_params {
    ftk_f64s widths;
    int64_t depth;
};
static const ftk_param stack_params[] = {
    FTK_PARAM_F64S(struct stack_params, widths, "300 100", 1, 1e6, "", "of the layers"),
    FTK_PARAM_I64(struct stack_params, depth, 2, 1, 64, "", "layers"),
    FTK_PARAM_END,
};
static ftk_status check_stack(const void *params, struct ftk_error *reterr)
{
    const struct stack_params *p = params;
    if ((uint64_t)p->depth > p->widths.n)
        return ftk__fail(reterr, FTK_EINVAL, "depth %lld is above the %llu widths",
                         (long long)p->depth, (unsigned long long)p->widths.n);
    return FTK_OK;
}
static const struct ftk__builtin stack = {
    .group = "model",
    .name = "stack",
    .summary = "made for tests",
    .reference = "",
    .params = stack_params,
    .params_size = sizeof(struct stack_params),
    .check = check_stack,
};
static const struct ftk__builtin sgd = {
    .group = "optim", .name = "sgd", .summary = "made for tests", .reference = ""
};
static const struct ftk__builtin adam = {
    .group = "optim", .name = "adam", .summary = "made for tests", .reference = ""
};

struct kept_params {
    const char *from;
};
static const ftk_param kept_params[] = {
    FTK_PARAM_STR(struct kept_params, from, "", FTK_PF_REQUIRED | FTK_PF_PATH, "a file"),
    FTK_PARAM_END,
};
static const struct ftk__builtin kept = {
    .group = "init",
    .name = "kept",
    .summary = "made for tests",
    .reference = "",
    .params = kept_params,
    .params_size = sizeof(struct kept_params),
};

const struct ftk__builtin *const config_case_builtins[] = { &toy, &cifar100, &stack,
                                                            &sgd, &adam,     &kept };
const uint64_t config_case_n_builtins =
    sizeof config_case_builtins / sizeof config_case_builtins[0];

const char config_case_base[] =
    "schema = 1; epochs = 10.0;\n"
    "data = { use = \"toy\"; };\n"
    "model = { use = \"stack\"; };\n"
    "sparsity = { density = 0.2; };\n"
    "ensemble = { use = \"edst\"; members = 2; explore = \"4ep\"; refine = \"3ep\"; };\n";

static void unload(struct config_case *c)
{
    ftk__experiment_free(c->x);
    ftk__issues_done(&c->issues);
    ftk__registry_free(c->registry);
    c->x = NULL;
    c->registry = NULL;
}

void config_case_init(struct config_case *c)
{
    *c = (struct config_case){ .st = FTK_OK };
    assert_non_null(getenv("FTK_TEST_PLUGINS"));
    setenv("FREETICKETS_PLUGIN_PATH", getenv("FTK_TEST_PLUGINS"), 1);
    scratch_dir_init(&c->dir);
}

void config_case_done(struct config_case *c)
{
    unload(c);
    scratch_dir_done(&c->dir);
}

void config_case_put(struct config_case *c, const char *name, const char *text)
{
    scratch_dir_put(&c->dir, name, text, strlen(text));
}

ftk_status config_case_load(struct config_case *c, const char *name, const char *const *overrides)
{
    unload(c);
    scratch_dir_file(&c->dir, name, c->path, sizeof c->path);
    c->registry = ftk__registry_new();
    assert_non_null(c->registry);
    struct ftk__config_request q = {
        .file = c->path,
        .overrides = overrides,
        .registry = c->registry,
        .builtins = config_case_builtins,
        .n_builtins = config_case_n_builtins,
    };
    while (overrides && overrides[q.n_overrides])
        q.n_overrides++;
    c->err = (struct ftk_error){ 0 };
    c->st = ftk__config_load(&q, &c->issues, &c->x, &c->err);
    return c->st;
}

struct ftk__experiment *config_case_text(struct config_case *c, const char *text,
                                         const char *const *overrides)
{
    config_case_put(c, "case.cfg", text);
    if (config_case_load(c, "case.cfg", overrides) != FTK_OK) {
        ftk__issues_print(&c->issues, stderr);
        fail_msg("%s", c->err.message);
    }
    assert_int_equal(c->issues.n, 0);
    return c->x;
}

const struct ftk__issue *config_case_issue(const struct config_case *c, const char *path)
{
    const struct ftk__issue *found = NULL;
    for (uint64_t i = 0; i < c->issues.n; i++) {
        if (strcmp(c->issues.v[i].path, path) != 0)
            continue;
        assert_null(found);
        found = &c->issues.v[i];
    }
    return found;
}
