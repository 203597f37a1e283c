/* SPDX-License-Identifier: MIT
 * test_erk_models.c - ERK on the real networks against the golden tables: configuration, model,
 * plugin, densities and exact counts, layer by layer by name; and the FLOPs that follow.
 */
#include "cli/prepare.h"
#include "model/flops.h"
#include "plugin_load.h"
#include "sparse/budget.h"
#include "sparse/topology.h"
#include "train/trainer.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LAYER_MAX = 200 };

static const char wrn[] = "{ use = \"wrn\"; depth = 28; width = 10; }";
static const char resnet50[] = "{ use = \"resnet\"; depth = 50; }";

struct erk_case {
    struct ftk__prepared p;
    double density[LAYER_MAX];
    uint64_t count[LAYER_MAX];
};

static void ask_densities(struct erk_case *c, double density)
{
    struct ftk__rules rules = { 0 };
    struct ftk__arena arena = { 0 };
    struct ftk__topology *t = NULL;
    struct ftk_error err;
    uint64_t n[LAYER_MAX];
    assert_in_range(c->p.model->n_layers, 1, LAYER_MAX);
    for (uint32_t l = 0; l < c->p.model->n_layers; l++)
        n[l] = c->p.model->layers[l].n;
    assert_int_equal(ftk__rules_init(c->p.x, &rules, &err), FTK_OK);
    assert_int_equal(ftk__rules_topology(c->p.x, c->p.model, &rules, &arena, &t, &err), FTK_OK);
    assert_int_equal(ftk__topology_densities(t, density, c->density, &err), FTK_OK);
    assert_int_equal(ftk__budget_counts(c->density, n, c->p.model->n_layers, c->count, &err),
                     FTK_OK);
    ftk__topology_free(t);
    ftk__arena_done(&arena);
    ftk__rules_done(&rules);
}

static void start(struct erk_case *c, const char *model, uint32_t side, long classes,
                  double density)
{
    char text[512];
    const struct ftk__options none = { 0 };
    struct ftk__issues issues = { 0 };
    struct ftk_error err;
    snprintf(text, sizeof text,
             "schema = 1; epochs = 1.0;"
             "data = { use = \"synthetic\"; shape = [3, %u, %u]; classes = %ld; };"
             "model = %s; sparsity = { density = %.17g; }; ensemble = { use = \"static\"; };",
             side, side, classes, model, density);
    if (ftk__prepare_text("erk.cfg", text, &none, &issues, &c->p, &err) < 0)
        fail_msg("%s %s", err.message, issues.n ? issues.v[0].message : "");
    ftk__issues_done(&issues);
    ask_densities(c, density);
}

static void done(struct erk_case *c)
{
    ftk__prepared_done(&c->p);
}

/* One row: classes,sparsity,layer,shape,numel,density. */
static void compare_row(const struct erk_case *c, uint32_t l, char *const field[6])
{
    const ftk_layer *layer = &c->p.model->layers[l];
    char shape[48];
    if (layer->type == FTK_LAYER_LINEAR)
        snprintf(shape, sizeof shape, "%ux%u", layer->shape[0], layer->shape[1]);
    else
        snprintf(shape, sizeof shape, "%ux%ux%ux%u", layer->shape[0], layer->shape[1],
                 layer->shape[2], layer->shape[3]);
    double golden = strtod(field[5], NULL);
    assert_string_equal(layer->name, field[2]);
    assert_string_equal(shape, field[3]);
    assert_int_equal(layer->n, strtoull(field[4], NULL, 10));
    if (fabs(c->density[l] - golden) > 1e-6)
        fail_msg("%s at sparsity %s: %.9f, golden %s", field[2], field[1], c->density[l], field[5]);
    assert_true(golden < 1 || c->density[l] == 1);
    assert_true(fabs((double)c->count[l] - c->density[l] * (double)layer->n) <= 1.0);
}

static void assert_total(const struct erk_case *c, double density)
{
    uint64_t sum = 0;
    for (uint32_t l = 0; l < c->p.model->n_layers; l++)
        sum += c->count[l];
    assert_true(fabs((double)sum - density * (double)c->p.model->n_maskable) <= 1.0);
}

/* All tables of a file; one ends where classes or sparsity change. */
static uint32_t compare_tables(const char *file, const char *model, uint32_t side)
{
    struct erk_case c = { 0 };
    char *text = golden_read(file);
    char *rest = text;
    char *line = strsep(&rest, "\n");
    char table[32] = "";
    double density = 0;
    uint32_t l = 0;
    uint32_t tables = 0;
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        char *field[6];
        char key[32];
        for (int f = 0; f < 6; f++)
            field[f] = strsep(&line, ",");
        assert_non_null(field[5]);
        snprintf(key, sizeof key, "%s %s", field[0], field[1]);
        if (strcmp(key, table) != 0) {
            assert_int_equal(l, tables > 0 ? c.p.model->n_layers : 0);
            done(&c);
            density = 1 - strtod(field[1], NULL);
            start(&c, model, side, strtol(field[0], NULL, 10), density);
            assert_total(&c, density);
            memcpy(table, key, sizeof table);
            l = 0;
            tables++;
        }
        assert_true(l < c.p.model->n_layers);
        compare_row(&c, l++, field);
    }
    assert_true(tables > 0 && l == c.p.model->n_layers);
    done(&c);
    free(text);
    return tables;
}

static void wrn_28_10_is_golden(void **state)
{
    (void)state;
    assert_int_equal(compare_tables("erk_wrn28_10.csv", wrn, 32), 14);
}

static void resnet_50_is_golden(void **state)
{
    (void)state;
    assert_int_equal(compare_tables("erk_resnet50.csv", resnet50, 224), 3);
}

static double fraction(const struct erk_case *c)
{
    return ftk__flops_forward(c->p.model, c->density) / ftk__flops_forward(c->p.model, NULL);
}

static void flops_of_wrn_28_10(void **state)
{
    (void)state;
    static const struct {
        long classes;
        double density, fraction;
    } known[] = {
        { 10, 0.2, 0.3397 }, { 10, 0.1, 0.1688 }, { 100, 0.2, 0.3376 }, { 100, 0.1, 0.1665 }
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct erk_case c = { 0 };
        start(&c, wrn, 32, known[i].classes, known[i].density);
        double f = fraction(&c);
        if (fabs(f - known[i].fraction) > 1e-4)
            fail_msg("%ld classes at density %g: %.6f, not %.4f", known[i].classes,
                     known[i].density, f, known[i].fraction);
        done(&c);
    }
}

/* With the true 112x112 outputs of conv1, and with the 115x115 that RigL's counter takes. */
static void flops_of_resnet_50(void **state)
{
    (void)state;
    struct erk_case c = { 0 };
    start(&c, resnet50, 224, 1000, 0.2);
    double dense = ftk__flops_forward(c.p.model, NULL);
    double sparse = ftk__flops_forward(c.p.model, c.density);
    assert_true(fabs(sparse / dense - 0.41459) < 1e-5);
    double more = 115.0 * 115.0 / (112.0 * 112.0) - 1;
    uint32_t conv1 = c.p.model->layer_node[0];
    dense += more * ftk__flops_node(c.p.model, conv1, 1);
    sparse += more * ftk__flops_node(c.p.model, conv1, c.density[0]);
    assert_true(fabs(sparse / dense - 0.41529) < 1e-5);
    assert_true(fabs(dense / 8.202e9 - 1) < 1e-4);
    done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrn_28_10_is_golden),
        cmocka_unit_test(resnet_50_is_golden),
        cmocka_unit_test(flops_of_wrn_28_10),
        cmocka_unit_test(flops_of_resnet_50),
    };
    const char *plugins = getenv("FTK_TEST_PLUGINS");
    setenv("FREETICKETS_PLUGIN_PATH", plugins ? plugins : "", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
