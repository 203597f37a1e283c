/* SPDX-License-Identifier: MIT
 * test_checkpoint.c - a run that is interrupted after any unit of work ends in the bytes of one that
 * was left alone: every strategy, presets, thread counts, and from one backend to another.
 */
#include "base/io.h"
#include "base/safetensors.h"
#include "session_case.h"
#include <setjmp.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_UNITS = 200, MAX_SET = 12 };

static struct scratch_dir dir;

static int set_up(void **state)
{
    (void)state;
    scratch_dir_init(&dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_dir_done(&dir);
    return 0;
}

static const char *in_dir(const char *name)
{
    return session_case_path(dir.path, name);
}

static const char *numbered(const char *name, unsigned i)
{
    char full[64];
    (void)snprintf(full, sizeof full, "%s-%u", name, i);
    return in_dir(full);
}

/* What a report holds that no interruption may change. */
static void same_report(const struct ftk__train_report *a, const struct ftk__train_report *b)
{
    assert_int_equal(a->steps, b->steps);
    assert_int_equal(a->images, b->images);
    assert_int_equal(a->sparse, b->sparse);
    assert_int_equal(a->ops.n, b->ops.n);
    assert_memory_equal(&a->params_stored, &b->params_stored, sizeof(double));
    assert_memory_equal(&a->sparsity, &b->sparsity, sizeof(double));
    assert_memory_equal(&a->dense_run, &b->dense_run, sizeof(double));
    const struct ftk__ledger *x = &a->ledger;
    const struct ftk__ledger *y = &b->ledger;
    assert_memory_equal(&x->sum, &y->sum, sizeof x->sum);
    assert_memory_equal(&x->settled, &y->settled, sizeof x->settled);
    assert_memory_equal(x->ops, y->ops, x->n_ops * sizeof *x->ops);
    for (uint32_t i = 0; i < x->n_layers; i++)
        assert_memory_equal(&x->layers[i].sum, &y->layers[i].sum, sizeof x->layers[i].sum);
}

static void finish(struct session_case *c, const char *where, bool resume,
                   struct ftk__train_report *ret)
{
    const struct ftk__checkpoints none = { 0 };
    ftk_status st = session_case_train(c, where, resume, &none, ret);
    if (st != FTK_OK)
        fail_msg("%s: %d %s", where, (int)st, c->err.message);
}

/* Interrupted after every unit, by another number of threads each time; then from each of these
 * places straight on. Returns the units of the run. */
static unsigned interrupt(const char *const *set, const char *backend, unsigned every)
{
    struct session_case c;
    struct ftk__train_report whole;
    struct ftk__train_report other;
    unsigned n = 0;
    session_case_open(&c, set);
    session_case_backend(&c, backend, 1);
    finish(&c, in_dir("whole"), false, &whole);
    while (session_case_unit(&c, in_dir("steps"), n > 0)) {
        assert_in_range(++n, 1, MAX_UNITS);
        if ((n - 1) % every == 0)
            session_case_copy(in_dir("steps"), numbered("at", n));
        session_case_backend(&c, backend, 1 + n % 3);
    }
    session_case_same(in_dir("whole"), in_dir("steps"));
    session_case_backend(&c, backend, 2);
    for (unsigned i = 1; i <= n; i += every) {
        finish(&c, numbered("at", i), true, &other);
        session_case_same(in_dir("whole"), numbered("at", i));
        same_report(&whole, &other);
        ftk__train_report_done(&other);
    }
    /* Every step is a unit; so is what follows it in the same breath, but nothing less. */
    assert_in_range(n, whole.steps * 3 / 4, whole.steps + whole.ops.n);
    printf("%s: %u units, %u steps, %u operations\n", set && set[0] ? set[0] : "edst", n,
           (unsigned)whole.steps, whole.ops.n);
    ftk__train_report_done(&whole);
    session_case_close(&c);
    return n;
}

#define SET(...)                                                                                   \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

static void edst(void **state)
{
    (void)state;
    interrupt(SET("eval.trajectory=3it"), "cpu", 1);
}

static void edst_on_ref(void **state)
{
    (void)state;
    interrupt(NULL, "ref", 4);
}

static void dense(void **state)
{
    (void)state;
    interrupt(SET("ensemble.use=dense"), "cpu", 3);
}

static void independent_static(void **state)
{
    (void)state;
    interrupt(SET("ensemble.use=static"), "cpu", 3);
}

static void independent_dst(void **state)
{
    (void)state;
    interrupt(SET("ensemble.use=dst"), "cpu", 3);
}

/* REMEMBER, REWIND, ramps, and a best state that a ramp puts off. */
static void ltr(void **state)
{
    (void)state;
    interrupt(SET("ensemble.use=ltr", "epochs=3", "ensemble.keep=best_validation"), "cpu", 5);
}

static void ltr_on_ref(void **state)
{
    (void)state;
    interrupt(SET("ensemble.use=ltr"), "ref", 7);
}

static void pf(void **state)
{
    (void)state;
    interrupt(SET("ensemble.use=pf"), "cpu", 3);
}

/* best_validation, gradients of the last batch, momentum of inactive weights: the last step of
 * `explore` and the ESCAPE are one unit. */
static void freetickets(void **state)
{
    (void)state;
    unsigned paper = interrupt(SET("topology.escape_gradient=fresh"), "cpu", 100);
    scratch_dir_done(&dir);
    scratch_dir_init(&dir);
    unsigned n = interrupt(SET("topology.preset=freetickets"), "cpu", 1);
    assert_in_range(n, 1, paper - 2);
}

static void freetickets_on_ref(void **state)
{
    (void)state;
    interrupt(SET("topology.preset=freetickets"), "ref", 3);
}

/* Two moments, and a bias correction that counts steps from where the optimiser began. */
static void adam(void **state)
{
    (void)state;
    interrupt(SET("optim.use=adam", "optim.lr=1e-3", "ensemble.explore_lr=1e-3",
                  "ensemble.refine_lr=1e-3"),
              "cpu", 2);
}

static void adamw_on_ref(void **state)
{
    (void)state;
    interrupt(SET("optim.use=adamw", "ensemble.use=pf", "optim.lr=1e-3"), "ref", 5);
}

/* An update in the place of a step; a cosine over both phases. */
static void rigl(void **state)
{
    (void)state;
    interrupt(SET("topology.preset=rigl", "topology.stop=1.0x"), "cpu", 2);
}

/* Growth by numbers, counts that are drawn, regrowth that is limited and said to be. */
static void set_itop(void **state)
{
    (void)state;
    interrupt(SET("topology.preset=itop", "topology.grow.use=random", "topology.regrow=forbidden",
                  "sparsity.density=0.8"),
              "cpu", 2);
}

/* A rule that reads ages and has a state of its own. */
static void moody(void **state)
{
    (void)state;
    char plugins[SESSION_PATH];
    (void)snprintf(plugins, sizeof plugins, "plugins=[\"%s/prune_moody.so\"]",
                   getenv("FTK_TEST_BAD_PLUGINS"));
    interrupt(SET(plugins, "topology.prune.use=moody", "topology.interval=1it"), "cpu", 2);
}

/* Batch norm, dropout, convolutions; a layer that is dense and one that is nearly so. */
static void wrn(void **state)
{
    (void)state;
    interrupt(SET("model={use=\"wrn\";depth=10;width=1;dropout=0.3;}", "data.shape=[3, 16, 16]",
                  "sparsity.dense=[\"conv1\"]", "ensemble.explore=0.5ep", "ensemble.refine=0.4ep"),
              "cpu", 4);
}

/* Long enough for sums of an epoch to have many terms, whose order matters. */
static void many_steps_an_epoch(void **state)
{
    (void)state;
    interrupt(SET("ensemble.use=static", "ensemble.train=1.5ep", "data.train=400"), "cpu", 17);
}

/* ---- from one backend to another ------------------------------------------------------------- */

static double worst_difference(const char *a, const char *b)
{
    struct ftk__st_file x, y;
    double worst = 0;
    assert_int_equal(ftk__st_open(session_case_path(a, "members/member-1.safetensors"), &x, NULL),
                     FTK_OK);
    assert_int_equal(ftk__st_open(session_case_path(b, "members/member-1.safetensors"), &y, NULL),
                     FTK_OK);
    assert_int_equal(x.n, y.n);
    for (uint64_t i = 0; i < x.n; i++) {
        const float *v = x.arrays[i].data;
        const float *w = y.arrays[i].data;
        assert_string_equal(x.arrays[i].name, y.arrays[i].name);
        for (uint64_t k = 0; k < ftk__st_count(&x.arrays[i]); k++)
            worst = fmax(worst, fabs((double)v[k] - (double)w[k]));
    }
    ftk__st_close(&x);
    ftk__st_close(&y);
    return worst;
}

static void from_backend_to_backend(const char *const *set, double tolerance)
{
    struct session_case c;
    unsigned n = 0;
    session_case_open(&c, set);
    session_case_backend(&c, "ref", 1);
    session_case_whole(&c, in_dir("whole"), false);
    while (session_case_unit(&c, in_dir("turns"), n > 0)) {
        n++;
        session_case_backend(&c, n % 2 ? "cpu" : "ref", 1);
    }
    double worst = worst_difference(in_dir("whole"), in_dir("turns"));
    printf("after %u turns weights differ by %g at most\n", n, worst);
    assert_true(worst < tolerance);
    session_case_close(&c);
}

static void turns_without_updates(void **state)
{
    (void)state;
    from_backend_to_backend(SET("ensemble.use=static", "ensemble.keep=best_validation"), 1e-4);
}

/* Slots of one backend are gone back to on the other. */
static void turns_with_slots(void **state)
{
    (void)state;
    from_backend_to_backend(SET("ensemble.use=ltr", "epochs=3"), 1);
}

static void turns_with_momentum_of_all(void **state)
{
    (void)state;
    from_backend_to_backend(SET("topology.preset=freetickets"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(edst),
        TEST(edst_on_ref),
        TEST(dense),
        TEST(independent_static),
        TEST(independent_dst),
        TEST(ltr),
        TEST(ltr_on_ref),
        TEST(pf),
        TEST(freetickets),
        TEST(freetickets_on_ref),
        TEST(adam),
        TEST(adamw_on_ref),
        TEST(rigl),
        TEST(set_itop),
        TEST(moody),
        TEST(wrn),
        TEST(many_steps_an_epoch),
        TEST(turns_without_updates),
        TEST(turns_with_slots),
        TEST(turns_with_momentum_of_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
