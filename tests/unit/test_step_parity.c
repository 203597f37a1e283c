/* SPDX-License-Identifier: MIT
 * test_step_parity.c - optimiser steps and topology updates of a masked WRN-10-1 against PyTorch's,
 * one by one from PyTorch's own states, and fifty on their own.
 *
 * Each test runs for both backends and two sets of images: synthetic ones that lie beside the test,
 * and CIFAR-10's where the machine has them.
 */
#include "conform/fake_backend.h"
#include "graph_case.h"
#include "parity_case.h"
#include "sparse/budget.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double NEAR = 1e-5;
enum { LAYERS = 10, STEPS = 50, UPDATE_STEP = 20, FREE_UPDATE_STEP = 5, MOST_OFF = 2 };

struct test_case {
    const char *backend, *set;
};

static void open_case(const struct test_case *c, struct parity_net *n, struct parity_set *s)
{
    parity_net_open(n, c->backend);
    assert_int_equal(n->net.model->n_layers, LAYERS);
    if (!parity_set_open(s, c->set, &n->p)) {
        parity_net_close(n);
        print_message("skipped: no data\n");
        skip();
    }
}

static void close_case(struct parity_net *n, struct parity_set *s)
{
    parity_set_close(s);
    parity_net_close(n);
}

static struct ftk__st_file open_step(const struct parity_set *s, uint32_t step)
{
    char what[16];
    (void)snprintf(what, sizeof(what), "step%u", step);
    return parity_open(s, what);
}

/* ---- steps ----------------------------------------------------------------------------------- */

static void a_step_is_pytorchs(void **state)
{
    static const uint32_t steps[] = { 1, 10, UPDATE_STEP, 25, STEPS };
    const struct test_case *c = *state;
    static struct parity_set s;
    struct parity_net n;
    open_case(c, &n, &s);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct ftk__st_file f = open_step(&s, steps[i]);
        char name[PARITY_TENSORS] = "";
        const ftk_batch b = parity_batch(&s, steps[i]);
        parity_load(&n, &f, "before");
        double loss = parity_step(&n, &b, 0.1, 0);
        double want = *(const double *)parity_array(&f, FTK__F64, 1, "loss", "", "");
        double worst = parity_worst(&n, &f, "after", name);
        print_message("# %s, %s, step %u: loss off by %.1e, %s by %.1e\n", c->backend, c->set,
                      steps[i], fabs(loss - want), name, worst);
        if (!(fabs(loss - want) <= NEAR))
            fail_msg("step %u: the loss is %.9g, not %.9g", steps[i], loss, want);
        if (!(worst <= NEAR))
            fail_msg("step %u: %s is off by %.3g of its norm", steps[i], name, worst);
        ftk__st_close(&f);
    }
    close_case(&n, &s);
}

/* ---- topology updates ------------------------------------------------------------------------ */

struct update { /* of one layer, by the stored arrays           */
    uint64_t n, n_active;
    uint64_t *active;       // [n_active] before
    const float *weight;    // [n_active]
    const float *gradient;  // [n]
    const float *threshold; // [2], NULL where the layer is exempt
    uint64_t *want;         // [n_want] active after
    uint64_t n_want;
};

static struct update read_update(const struct parity_net *n, uint32_t layer,
                                 const struct ftk__st_file *before,
                                 const struct ftk__st_file *after)
{
    const char *name = n->net.model->layers[layer].name;
    char key[PARITY_TENSORS + 20];
    struct update u = { .n = n->net.model->layers[layer].n };
    u.active = parity_active(n, before, layer, &u.n_active);
    u.weight = parity_array(before, FTK__F32, u.n_active, "after", name, ".weight");
    u.gradient = parity_array(after, FTK__F32, u.n, "gradient", name, ".weight");
    u.want = parity_active(n, after, layer, &u.n_want);
    (void)snprintf(key, sizeof(key), "threshold.%s.weight", name);
    const struct ftk__st_array *t = ftk__st_find(after, key);
    u.threshold = t ? t->data : NULL;
    return u;
}

/* Whether PyTorch's score of entry i lies within NEAR of the threshold it was measured by. */
static bool is_close(const struct update *u, uint64_t i)
{
    if (!u->threshold)
        return false;
    for (uint64_t k = 0; k < u->n_active; k++) {
        if (u->active[k] == i &&
            fabs(fabs(u->weight[k]) - u->threshold[0]) <= NEAR * u->threshold[0])
            return true;
    }
    return fabs(fabs(u->gradient[i]) - u->threshold[1]) <= NEAR * u->threshold[1];
}

/* Entries that are in one list only; all must be close to a threshold. */
static uint64_t count_off(const struct update *u, const uint64_t *have, uint64_t n_have,
                          const char *layer)
{
    uint64_t a = 0;
    uint64_t b = 0;
    uint64_t off = 0;
    while (a < n_have || b < u->n_want) {
        uint64_t x = a < n_have ? have[a] : UINT64_MAX;
        uint64_t y = b < u->n_want ? u->want[b] : UINT64_MAX;
        a += x <= y;
        b += y <= x;
        if (x == y)
            continue;
        off++;
        if (!is_close(u, x < y ? x : y))
            fail_msg("%s: weight %llu is %s", layer, (unsigned long long)(x < y ? x : y),
                     x < y ? "active" : "inactive");
    }
    return off;
}

static void check_masks(struct parity_net *n, const struct ftk__st_file *before,
                        const struct ftk__st_file *after)
{
    struct ftk_error err = { 0 };
    uint64_t changed = 0;
    for (uint32_t l = 0; l < LAYERS; l++) {
        const char *name = n->net.model->layers[l].name;
        struct update u = read_update(n, l, before, after);
        uint64_t *have;
        uint64_t n_have;
        assert_int_equal(ftk__engine_active(n->net.engine, l, &have, &n_have, &err), FTK_OK);
        assert_int_equal(n_have, u.n_want);
        uint64_t off = count_off(&u, have, n_have, name);
        if (off)
            print_message("# %s: %llu entries differ, all within %g of a threshold\n", name,
                          (unsigned long long)off, NEAR);
        assert_in_range(off, 0, MOST_OFF);
        changed +=
            u.n_want != u.n_active || memcmp(u.want, u.active, u.n_want * sizeof(*u.want)) != 0;
        ftk__free(have);
        free(u.active);
        free(u.want);
    }
    assert_in_range(changed, LAYERS / 2, LAYERS); /* ERK left the others dense */
}

static void update(struct parity_net *n, uint64_t step)
{
    const struct ftk__topology_event ev = { .step = step, .rate = 0.5 };
    struct ftk__topology_report report;
    struct ftk_error err = { 0 };
    if (ftk__topology_update(n->net.topology, n->net.engine, &ev, &report, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(report.dropped, report.grown);
}

/* The backend's own gradient of the batch before the step, at PyTorch's weights after it. */
static void an_update_is_pytorchs(void **state)
{
    const struct test_case *c = *state;
    static struct parity_set s;
    struct parity_net n;
    open_case(c, &n, &s);
    struct ftk__st_file before = open_step(&s, UPDATE_STEP);
    struct ftk__st_file after = parity_open(&s, "update");
    const ftk_batch b = parity_batch(&s, UPDATE_STEP);
    parity_load(&n, &before, "before");
    (void)parity_step(&n, &b, 0.1, FTK_STEP_KEEP_GRAD);
    parity_put(&n, &before, "after");
    update(&n, UPDATE_STEP);
    check_masks(&n, &before, &after);
    ftk__st_close(&before);
    ftk__st_close(&after);
    close_case(&n, &s);
}

/* PyTorch's weights and its dense gradient, number for number. */
static void an_update_of_given_scores_is_pytorchs(void **state)
{
    const struct test_case *c = *state;
    static struct parity_set s;
    struct parity_net n;
    uint64_t sizes[LAYERS];
    s.name = c->set;
    parity_net_open(&n, NULL);
    for (uint32_t l = 0; l < LAYERS; l++)
        sizes[l] = n.net.model->layers[l].n;
    struct fake_backend *fake = fake_backend_new(sizes, LAYERS);
    assert_non_null(fake);
    parity_net_init(&n, &fake->engine);
    struct ftk__st_file before = open_step(&s, UPDATE_STEP);
    struct ftk__st_file after = parity_open(&s, "update");
    for (uint32_t l = 0; l < LAYERS; l++) {
        struct update u = read_update(&n, l, &before, &after);
        struct fake_layer *to = &fake->layer[l];
        for (uint64_t i = 0; i < u.n; i++)
            fake_set_active(to, i, false);
        memset(to->weight, 0, u.n * sizeof(float));
        memcpy(to->grad, u.gradient, u.n * sizeof(float));
        for (uint64_t i = 0; i < u.n_active; i++) {
            fake_set_active(to, u.active[i], true);
            to->weight[u.active[i]] = u.weight[i];
        }
        free(u.active);
        free(u.want);
    }
    struct ftk_error err = { 0 };
    assert_int_equal(ftk__topology_sync(n.net.topology, n.net.engine, &err), FTK_OK);
    update(&n, UPDATE_STEP);
    check_masks(&n, &before, &after);
    ftk__st_close(&before);
    ftk__st_close(&after);
    parity_net_close(&n);
    fake_backend_free(fake);
}

/* A layer's active weights are as many as our own ERK gives, within one. */
static void erk_counts_are_pytorchs(void **state)
{
    const struct test_case *c = *state;
    static struct parity_set s;
    struct parity_net n;
    open_case(c, &n, &s);
    const int32_t *want = parity_array(&s.run, FTK__I32, LAYERS, "nnz", "", "");
    const ftk_layer *have = ftk__topology_layers(n.net.topology);
    for (uint32_t l = 0; l < LAYERS; l++)
        assert_in_range(have[l].nnz, (uint64_t)want[l] - 1, (uint64_t)want[l] + 1);
    close_case(&n, &s);
}

/* ---- on its own ------------------------------------------------------------------------------ */

static void fifty_steps_stay_near(void **state)
{
    const struct test_case *c = *state;
    static struct parity_set s;
    struct parity_net n;
    open_case(c, &n, &s);
    const double *want = parity_array(&s.run, FTK__F64, STEPS, "losses", "", "");
    struct ftk__st_file start = open_step(&s, 1);
    parity_load(&n, &start, "before");
    double loss = NAN;
    double worst = 0;
    for (uint32_t step = 1; step <= STEPS; step++) {
        const ftk_batch b = parity_batch(&s, step);
        bool updates = step == FREE_UPDATE_STEP;
        loss = parity_step(&n, &b, 0.001, updates ? FTK_STEP_KEEP_GRAD : 0);
        worst = fmax(worst, fabs(loss - want[step - 1]));
        if (updates)
            update(&n, step);
    }
    print_message("# %s, %s: after 50 steps the loss is off by %.1e, at most by %.1e\n", c->backend,
                  c->set, fabs(loss - want[STEPS - 1]), worst);
    if (!(fabs(loss - want[STEPS - 1]) <= 2e-3))
        fail_msg("the loss of step 50 is %.9g, not %.9g", loss, want[STEPS - 1]);
    ftk__st_close(&start);
    close_case(&n, &s);
}

static const struct test_case cases[] = {
    { "ref", "synthetic" },
    { "cpu", "synthetic" },
    { "ref", "cifar10" },
    { "cpu", "cifar10" },
};
enum { CASES = sizeof(cases) / sizeof(cases[0]), ONCE = 3 };

/* The name of a test of all cases, and where it is run. */
static const struct {
    const char *name[CASES];
    CMUnitTestFunction run;
} all[] = {
    { { "a step is PyTorch's: ref, synthetic", "a step is PyTorch's: cpu, synthetic",
        "a step is PyTorch's: ref, CIFAR-10", "a step is PyTorch's: cpu, CIFAR-10" },
      a_step_is_pytorchs },
    { { "an update is PyTorch's: ref, synthetic", "an update is PyTorch's: cpu, synthetic",
        "an update is PyTorch's: ref, CIFAR-10", "an update is PyTorch's: cpu, CIFAR-10" },
      an_update_is_pytorchs },
    { { "fifty steps stay near: ref, synthetic", "fifty steps stay near: cpu, synthetic",
        "fifty steps stay near: ref, CIFAR-10", "fifty steps stay near: cpu, CIFAR-10" },
      fifty_steps_stay_near },
};
enum { ALL = sizeof(all) / sizeof(all[0]) };

int main(void)
{
    struct CMUnitTest tests[ALL * CASES + ONCE] = {
        { "an update of given scores is PyTorch's: synthetic",
          an_update_of_given_scores_is_pytorchs, NULL, NULL, (void *)&cases[0] },
        { "an update of given scores is PyTorch's: CIFAR-10", an_update_of_given_scores_is_pytorchs,
          NULL, NULL, (void *)&cases[2] },
        { "ERK's counts are PyTorch's", erk_counts_are_pytorchs, NULL, NULL, (void *)&cases[0] },
    };
    for (size_t i = 0; i < ALL * CASES; i++) {
        tests[ONCE + i] = (struct CMUnitTest){ all[i / CASES].name[i % CASES], all[i / CASES].run,
                                               NULL, NULL, (void *)&cases[i % CASES] };
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
