/* SPDX-License-Identifier: MIT
 * test_algo_check.c - what is refused of a descriptor, by changing one thing of one that passes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/error.h"
#include "plugin/loader.h"
#include <string.h>

static ftk_status density(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                          double target, double *ret)
{
    (void)h;
    (void)self;
    (void)net;
    (void)u;
    *ret = target;
    return FTK_OK;
}

static ftk_status score(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                        ftk_update *u, float *ret)
{
    (void)h;
    (void)self;
    (void)l;
    (void)c;
    (void)u;
    (void)ret;
    return FTK_OK;
}

static ftk_status choose(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                         const ftk_edit *edit)
{
    (void)h;
    (void)self;
    (void)net;
    (void)u;
    (void)edit;
    return FTK_OK;
}

static ftk_algo algo_of(uint32_t kind, const void *ops)
{
    return (ftk_algo){ .size = sizeof(ftk_algo),
                       .kind = kind,
                       .name = "x",
                       .summary = "a summary",
                       .reference = "",
                       .ops = ops };
}

static void expect_algo(const ftk_algo *a, const char *text)
{
    struct ftk_error err = { 0 };
    ftk_status st = ftk__algo_check(a, &err);
    if (!text) {
        if (st != FTK_OK)
            print_error("%s\n", err.message);
        assert_int_equal(st, FTK_OK);
        return;
    }
    if (st == FTK_OK || !strstr(err.message, text))
        print_error("status %d, message: %s\n", (int)st, err.message);
    assert_true(st < 0);
    assert_non_null(strstr(err.message, text));
}

static void test_algo_words(void **state)
{
    (void)state;
    const ftk_init_ops ops = { .size = sizeof(ops), .density = density };
    const ftk_algo good = algo_of(FTK_KIND_INIT, &ops);
    expect_algo(&good, NULL);
    ftk_algo a = good;
    a.size -= 8;
    expect_algo(&a, "an algorithm has size");
    a = good;
    a.kind = 8;
    expect_algo(&a, "unknown kind 8");
    a = good;
    a.name = "Erk";
    expect_algo(&a, "init name 'Erk'");
    a.name = "file";
    expect_algo(&a, "built in");
    a = good;
    a.summary = "two\nlines";
    expect_algo(&a, "not one line");
    a = good;
    a.reference = NULL;
    expect_algo(&a, "reference is NULL");
    a = good;
    a.flags = 1u << 7;
    expect_algo(&a, "unknown flags 0x80");
    a = good;
    a.params_size = 8;
    expect_algo(&a, "params_size is 8");
    a = good;
    a.ops = NULL;
    expect_algo(&a, "ops is NULL");
}

static void expect_grow(const ftk_grow_ops *ops, const char *text)
{
    const ftk_algo a = algo_of(FTK_KIND_GROW, ops);
    expect_algo(&a, text);
}

static void test_algo_selectors(void **state)
{
    (void)state;
    const ftk_grow_ops good = { .size = sizeof(good), .score = score };
    expect_grow(&good, NULL);
    ftk_grow_ops o = good;
    o.select = choose;
    expect_grow(&o, "both score and select");
    o = good;
    o.score = NULL;
    expect_grow(&o, "neither score nor select");
    o = good;
    o.size++;
    expect_grow(&o, "ops has size");
    o = good;
    o.channels = 1u << 9;
    expect_grow(&o, "unknown channels 0x200");
    o = good;
    o.props = 1u << 9;
    expect_grow(&o, "unknown props 0x200");
    o = good;
    o.count = FTK_COUNT_FREE;
    expect_grow(&o, "must be FTK_COUNT_EXACT");
    o = good;
    o.formula = FTK_FORMULA_ABS_GRAD;
    expect_grow(&o, "reads channel GRAD, declared: none");
    o.channels = FTK_CH_GRAD;
    expect_grow(&o, NULL);
    o = good;
    o.formula = FTK_FORMULA_UNIFORM;
    expect_grow(&o, "without FTK_PROP_RANDOM");
    o.props = FTK_PROP_RANDOM;
    expect_grow(&o, NULL);
    o = (ftk_grow_ops){ .size = sizeof(o), .select = choose, .formula = FTK_FORMULA_UNIFORM };
    expect_grow(&o, "a formula is a claim about score()");
    o = (ftk_grow_ops){ .size = sizeof(o), .select = choose, .props = FTK_PROP_ELEMENTWISE };
    expect_grow(&o, "FTK_PROP_ELEMENTWISE is a claim about score()");
}

static ftk_status next_op(const ftk_host *h, void *self, const ftk_run *run, uint32_t i,
                          const ftk_history *hist, ftk_op *ret)
{
    (void)h;
    (void)self;
    (void)run;
    (void)i;
    (void)hist;
    (void)ret;
    return FTK_DONE;
}

static ftk_status any_bytes(const ftk_host *h, void *self, uint32_t members, uint32_t classes,
                            uint64_t samples, uint64_t *ret)
{
    (void)h;
    (void)self;
    (void)members;
    (void)classes;
    (void)samples;
    *ret = 8;
    return FTK_OK;
}

static ftk_status add(const ftk_host *h, void *self, void *state, const ftk_pred *p)
{
    (void)h;
    (void)self;
    (void)state;
    (void)p;
    return FTK_OK;
}

static ftk_status merge(const ftk_host *h, void *self, void *into, const void *from)
{
    (void)h;
    (void)self;
    (void)into;
    (void)from;
    return FTK_OK;
}

static ftk_status finish(const ftk_host *h, void *self, const void *state, double *ret)
{
    (void)h;
    (void)self;
    (void)state;
    *ret = 0;
    return FTK_OK;
}

static void test_algo_other_kinds(void **state)
{
    (void)state;
    const ftk_init_ops both = { .size = sizeof(both), .density = density, .select = choose };
    ftk_algo a = algo_of(FTK_KIND_INIT, &both);
    expect_algo(&a, "both density and select");
    const ftk_allot_ops allot = { .size = sizeof(allot) };
    a = algo_of(FTK_KIND_ALLOT, &allot);
    expect_algo(&a, "allot is not set");
    ftk_ensemble_ops ens = { .size = sizeof(ens), .op = next_op };
    a = algo_of(FTK_KIND_ENSEMBLE, &ens);
    expect_algo(&a, NULL);
    a.state_bytes = 8;
    expect_algo(&a, "state_bytes is 8");
    a.state_bytes = 0;
    ens.op = NULL;
    expect_algo(&a, "op is not set");
    ftk_metric_value value = { "v", "", 0, 1, 1, 0 };
    ftk_metric_ops metric = { .size = sizeof(metric),
                              .n_values = 1,
                              .values = &value,
                              .state_bytes = any_bytes,
                              .add = add,
                              .merge = merge,
                              .finish = finish };
    a = algo_of(FTK_KIND_METRIC, &metric);
    expect_algo(&a, NULL);
    value.max = -1;
    expect_algo(&a, "range 0 to -1 is empty");
    metric.n_values = 0;
    expect_algo(&a, "no values");
    metric.merge = NULL;
    expect_algo(&a, "merge");
    const ftk_backend_ops backend = { .size = sizeof(backend) };
    a = algo_of(FTK_KIND_BACKEND, &backend);
    expect_algo(&a, "probe");
}

static void test_core_keys(void **state)
{
    (void)state;
    const ftk_ensemble_ops ops = { .size = sizeof(ops), .op = next_op };
    struct own {
        double v;
    };
    ftk_param params[] = { FTK_PARAM_F64(struct own, v, 0, 0, 1, "", "help"), FTK_PARAM_END };
    ftk_algo a = algo_of(FTK_KIND_ENSEMBLE, &ops);
    a.params = params;
    a.params_size = sizeof(struct own);
    a.param_stride = sizeof(ftk_param);
    expect_algo(&a, NULL);
    params[0].name = "members";
    expect_algo(&a, "'members' is a key of the core's");
    params[0].name = "use";
    expect_algo(&a, "'use' is a key of the core's");
    params[0].name = "threads"; /* only a backend's                              */
    expect_algo(&a, NULL);
    a.param_stride -= 8;
    expect_algo(&a, "param_stride");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_algo_words),
        cmocka_unit_test(test_algo_selectors),
        cmocka_unit_test(test_algo_other_kinds),
        cmocka_unit_test(test_core_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
