/* SPDX-License-Identifier: MIT
 * test_topology_init.c - the first masks: densities, counts, draws; and cuts.
 */
#include "topology_case.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { LAYERS = 3 };
static const uint64_t sizes[LAYERS] = { 1000, 333, 5000 };
static const uint64_t all = 6333;

static void open_case(struct topology_case *c, const ftk_algo *init)
{
    case_open(c, sizes, LAYERS, init, &case_magnitude, &case_gradient, NULL);
}

static void exact_masks_have_exact_counts(void **state)
{
    (void)state;
    struct topology_case c;
    open_case(&c, &case_init_uniform);
    case_start(&c);
    case_init(&c, 0.2, 1);
    assert_int_equal(ftk__topology_nnz(c.t), 1267); // round(0.2 x 6333)
    const ftk_layer *l = ftk__topology_layers(c.t);
    const uint64_t nnz[LAYERS] = { 200, 67, 1000 };
    for (uint32_t i = 0; i < LAYERS; i++) {
        assert_int_equal(l[i].nnz, nnz[i]);
        assert_int_equal(c.fake->layer[i].nnz, nnz[i]);
        assert_true(l[i].density_target == 0.2);
    }
    assert_true(ftk__topology_density(c.t) == 1267.0 / 6333.0);
    assert_true(ftk__topology_explored(c.t) == 1267.0 / 6333.0);
    case_close(&c);
}

static uint64_t mask_hash(struct topology_case *c, uint32_t member)
{
    assert_int_equal(ftk__topology_init(c->t, &c->fake->engine, member, 0.2, &c->err), FTK_OK);
    return case_hash(c);
}

static void masks_follow_seed_and_member(void **state)
{
    (void)state;
    struct topology_case c;
    open_case(&c, &case_init_uniform);
    case_start(&c);
    uint64_t first = mask_hash(&c, 0);
    assert_true(mask_hash(&c, 1) != first);
    assert_true(mask_hash(&c, 0) == first);
    ftk__topology_free(c.t);
    c.setup.seed = 18;
    case_start(&c);
    assert_true(mask_hash(&c, 0) != first);
    case_close(&c);
}

/* How often each weight is in 2000 masks of 30 of 100. */
static void masks_are_uniform(void **state)
{
    (void)state;
    enum { N = 100, MEMBERS = 2000 };
    const uint64_t n = N;
    for (int32_t count = FTK__COUNTING_EXACT; count <= FTK__COUNTING_BERNOULLI; count++) {
        struct topology_case c;
        unsigned seen[N] = { 0 };
        unsigned odd = 0;
        case_open(&c, &n, 1, &case_init_uniform, NULL, NULL, NULL);
        c.options.count = count;
        case_start(&c);
        for (uint32_t m = 0; m < MEMBERS; m++) {
            assert_int_equal(ftk__topology_init(c.t, &c.fake->engine, m, 0.3, &c.err), FTK_OK);
            odd += ftk__topology_nnz(c.t) != 30;
            for (uint64_t i = 0; i < N; i++)
                seen[i] += fake_active(&c.fake->layer[0], i);
        }
        for (uint64_t i = 0; i < N; i++)
            assert_true(fabs(seen[i] - 0.3 * MEMBERS) < 5 * sqrt(0.3 * 0.7 * MEMBERS));
        assert_true(count == FTK__COUNTING_EXACT ? odd == 0 : odd > MEMBERS / 2);
        case_close(&c);
    }
}

static void dense_init_is_full(void **state)
{
    (void)state;
    struct topology_case c;
    double density[LAYERS];
    open_case(&c, NULL);
    case_start(&c);
    case_init(&c, 0, 1);
    assert_int_equal(ftk__topology_nnz(c.t), all);
    assert_true(ftk__topology_layers(c.t)[0].density_target == 0);
    assert_int_equal(ftk__topology_densities(c.t, 0, density, &c.err), FTK_OK);
    assert_true(density[0] == 1 && density[2] == 1);
    // No targets: dense layers of a dense INIT are pruned and grown like any other.
    assert_int_equal(case_update(&c, 0.5, 1000), FTK_OK);
    assert_int_equal(c.report.dropped, 500 + 167 + 2500);
    assert_int_equal(c.report.nnz, all);
    assert_int_equal(ftk__topology_init(c.t, &c.fake->engine, 0, 0.2, &c.err), FTK_EINVAL);
    case_close(&c);
}

static void given_masks_are_applied(void **state)
{
    (void)state;
    struct topology_case c;
    uint64_t first[2] = { 5, 999 };
    uint64_t full[333];
    struct ftk__topology_mask mask[LAYERS] = { { first, 2 }, { full, 333 }, { NULL, 0 } };
    for (uint64_t i = 0; i < 333; i++)
        full[i] = i;
    open_case(&c, NULL);
    case_start(&c);
    case_init(&c, 0, 1); // what was active before is no more, and never was
    assert_int_equal(ftk__topology_init_masks(c.t, &c.fake->engine, mask, &c.err), FTK_OK);
    const ftk_layer *l = ftk__topology_layers(c.t);
    assert_int_equal(ftk__topology_nnz(c.t), 335);
    assert_int_equal(c.fake->layer[0].nnz, 2);
    assert_true(fake_active(&c.fake->layer[0], 999) && !fake_active(&c.fake->layer[0], 6));
    assert_true(ftk__topology_explored(c.t) == 335.0 / 6333.0);
    assert_true(l[0].density_target == 2.0 / 1000.0);
    assert_true(l[1].density_target == 1);
    assert_true(l[2].density_target == 0);
    // The full layer is exempt, as after any sparse INIT.
    case_fill(&c, 1);
    assert_int_equal(case_update(&c, 0.5, 1000), FTK_OK);
    assert_int_equal(c.report.dropped, 1);
    assert_int_equal(c.fake->layer[1].nnz, 333);
    case_close(&c);
}

static void overrides_move_the_rest(void **state)
{
    (void)state;
    const struct ftk__density_override o[3] = { { "layer*", 0.9 },
                                                { "layer0", 0.5 },
                                                { "layer1", 1 } };
    struct topology_case c;
    double d[LAYERS];
    open_case(&c, &case_init_uniform);
    c.setup.overrides = o + 1;
    c.setup.n_overrides = 2;
    case_start(&c);
    assert_int_equal(ftk__topology_densities(c.t, 0.3, d, &c.err), FTK_OK);
    assert_true(d[0] == 0.5 && d[1] == 1);
    assert_true(fabs(d[2] * 5000 - (0.3 * 6333 - 500 - 333)) < 1e-9);
    case_init(&c, 0.3, 1);
    assert_int_equal(c.fake->layer[0].nnz, 500);
    assert_int_equal(c.fake->layer[1].nnz, 333);
    assert_int_equal(ftk__topology_nnz(c.t), 1900);
    // 0.95 needs more than the third layer holds, 0.1 less than the first two keep.
    assert_int_equal(ftk__topology_densities(c.t, 0.95, d, &c.err), FTK_ERANGE);
    assert_int_equal(ftk__topology_densities(c.t, 0.1, d, &c.err), FTK_ERANGE);
    assert_non_null(strstr(c.err.message, "cannot meet density 0.1"));
    ftk__topology_free(c.t);
    c.t = NULL;
    // The last glob that matches counts.
    c.setup.overrides = o;
    c.setup.n_overrides = 2;
    case_start(&c);
    double same = (0.5 * 1000 + 0.9 * 5333) / 6333;
    assert_int_equal(ftk__topology_densities(c.t, same, d, &c.err), FTK_OK);
    assert_true(d[0] == 0.5 && d[1] == 0.9 && d[2] == 0.9);
    case_close(&c);
}

/* Layers that the factor lifts to 1 stay there, and the others take what is left. */
static void overrides_fill_layers_up(void **state)
{
    (void)state;
    const struct ftk__density_override o = { "layer2", 0.1 };
    struct topology_case c;
    double d[LAYERS];
    open_case(&c, &case_init_uniform);
    c.setup.overrides = &o;
    c.setup.n_overrides = 1;
    case_start(&c);
    assert_int_equal(ftk__topology_densities(c.t, 1833.0 / 6333.0, d, &c.err), FTK_OK);
    assert_true(d[0] == 1 && d[1] == 1 && d[2] == 0.1);
    case_close(&c);
}

static void bad_overrides_are_refused(void **state)
{
    (void)state;
    const struct ftk__density_override none = { "block*", 0.5 }, above = { "layer1", 1.5 };
    struct topology_case c;
    open_case(&c, &case_init_uniform);
    c.setup.n_overrides = 1;
    c.setup.overrides = &none;
    assert_int_equal(ftk__topology_new(&c.setup, &c.t, &c.err), FTK_EINVAL);
    assert_non_null(strstr(c.err.message, "'block*' in sparsity.layers matches no layer"));
    c.setup.overrides = &above;
    assert_int_equal(ftk__topology_new(&c.setup, &c.t, &c.err), FTK_EINVAL);
    case_close(&c);
}

static void wrong_densities_are_refused(void **state)
{
    (void)state;
    struct topology_case c;
    open_case(&c, &case_init_wrong);
    case_start(&c);
    assert_int_equal(ftk__topology_init(c.t, &c.fake->engine, 2, 0.2, &c.err), FTK_ERANGE);
    assert_non_null(strstr(c.err.context[0], "init 'wrong'"));
    assert_string_equal(c.err.context[1], "at the INIT of member 2");
    case_close(&c);
}

static void chosen_masks_are_applied(void **state)
{
    (void)state;
    struct topology_case c;
    open_case(&c, &case_init_largest);
    case_start(&c);
    assert_true(ftk__topology_init_channels(c.t) & FTK_CH_GRAD);
    case_init(&c, 0, 3);
    assert_int_equal(ftk__topology_init(c.t, &c.fake->engine, 0, 0.2, &c.err), FTK_OK);
    assert_int_equal(ftk__topology_nnz(c.t), 1267);
    for (uint32_t l = 0; l < LAYERS; l++) {
        const struct fake_layer *f = &c.fake->layer[l];
        float least = INFINITY, most = 0;
        for (uint64_t i = 0; i < f->n; i++) {
            if (fake_active(f, i))
                least = fminf(least, fabsf(f->grad[i]));
            else
                most = fmaxf(most, fabsf(f->grad[i]));
        }
        assert_true(least >= most);
    }
    // Now the network is sparse: there is no dense one to look at.
    assert_int_equal(ftk__topology_init(c.t, &c.fake->engine, 0, 0.2, &c.err), FTK_ESTATE);
    double d[LAYERS];
    assert_int_equal(ftk__topology_densities(c.t, 0.2, d, &c.err), FTK_OK);
    assert_true(d[0] == 0.2);
    case_close(&c);
}

static ftk_status cut(struct topology_case *c, double density, bool global)
{
    const struct ftk__topology_event ev = { .member = 0, .step = 500 };
    c->err = (struct ftk_error){ 0 };
    return ftk__topology_cut(c->t, &c->fake->engine, &ev, density, global, &c->report, &c->err);
}

static void cuts_are_exact(void **state)
{
    (void)state;
    struct topology_case c;
    open_case(&c, NULL);
    c.options.ties = FTK__TIES_THRESHOLD; // must not matter
    case_start(&c);
    case_init(&c, 0, 1);
    assert_int_equal(cut(&c, 0.5, false), FTK_OK);
    assert_int_equal(c.report.nnz, 3167); // 3166.5
    assert_int_equal(c.report.grown, 0);
    assert_int_equal(c.fake->layer[0].nnz, 500);
    assert_int_equal(c.fake->layer[2].nnz, 2500);
    assert_int_equal(cut(&c, 0.2, true), FTK_OK);
    assert_int_equal(c.report.nnz, 1267);
    float least = INFINITY;
    for (uint32_t l = 0; l < LAYERS; l++) {
        for (uint64_t i = 0; i < sizes[l]; i++) {
            if (fake_active(&c.fake->layer[l], i))
                least = fminf(least, fabsf(c.fake->layer[l].weight[i]));
        }
    }
    assert_true(least > 1.0f);
    assert_int_equal(cut(&c, 0.2, true), FTK_OK);
    assert_int_equal(c.report.dropped, 0);
    assert_int_equal(ftk__topology_updates(c.t), 0);
    assert_int_equal(cut(&c, 0.3, false), FTK_ERANGE);
    assert_non_null(strstr(c.err.message, "density 0.3 is above the present 0.2"));
    assert_non_null(strstr(c.err.context[0], "at the cut to density 0.3"));
    assert_int_equal(cut(&c, NAN, false), FTK_EINVAL);
    assert_int_equal(cut(&c, 0, false), FTK_OK);
    assert_int_equal(c.report.nnz, 0);
    case_close(&c);
}

static void cuts_spare_exempt_layers(void **state)
{
    (void)state;
    const struct ftk__density_override full = { "layer0", 1 };
    for (unsigned global = 0; global < 2; global++) {
        struct topology_case c;
        open_case(&c, &case_init_uniform);
        c.setup.overrides = &full;
        c.setup.n_overrides = 1;
        case_start(&c);
        case_init(&c, 0.5, 1);
        assert_int_equal(cut(&c, 0.25, global), FTK_OK);
        assert_int_equal(c.report.nnz, 1583);
        assert_int_equal(c.fake->layer[0].nnz, 1000);
        assert_int_equal(cut(&c, 0.1, global), FTK_ERANGE);
        assert_non_null(strstr(c.err.message, "dense layers hold"));
        case_close(&c);
    }
}

static void cuts_by_selection_are_exact(void **state)
{
    (void)state;
    struct topology_case c;
    case_open(&c, sizes, LAYERS, NULL, &case_select_prune, NULL, NULL);
    case_start(&c);
    case_init(&c, 0, 1);
    assert_int_equal(cut(&c, 0.5, false), FTK_OK);
    assert_int_equal(c.report.nnz, 3167);
    assert_int_equal(cut(&c, 0.25, true), FTK_OK);
    assert_int_equal(c.report.nnz, 1583);
    case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_masks_have_exact_counts),
        cmocka_unit_test(masks_follow_seed_and_member),
        cmocka_unit_test(masks_are_uniform),
        cmocka_unit_test(dense_init_is_full),
        cmocka_unit_test(given_masks_are_applied),
        cmocka_unit_test(overrides_move_the_rest),
        cmocka_unit_test(overrides_fill_layers_up),
        cmocka_unit_test(bad_overrides_are_refused),
        cmocka_unit_test(wrong_densities_are_refused),
        cmocka_unit_test(chosen_masks_are_applied),
        cmocka_unit_test(cuts_are_exact),
        cmocka_unit_test(cuts_spare_exempt_layers),
        cmocka_unit_test(cuts_by_selection_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
