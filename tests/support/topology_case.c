/* SPDX-License-Identifier: MIT
 * topology_case.c - a topology over a fake backend, ready to be updated.
 */
#include "topology_case.h"
#include "base/rng.h"
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct ftk__topology_options case_preset(enum ftk__preset preset)
{
    struct ftk__topology_options o = {
        .enabled = 1, .preset = (int32_t)preset, .strict = 1, .quiet_end = 1, .rate = 0.5
    };
    if (preset == FTK__PRESET_FREETICKETS) {
        o.count = FTK__COUNTING_BERNOULLI;
        o.ties = FTK__TIES_THRESHOLD;
        o.grown_momentum = FTK__MOMENTUM_KEEP;
        o.inactive_momentum = FTK__INACTIVE_ACCUMULATE;
        o.dense_layers = FTK__DENSE_UPDATED;
        o.quiet_end = 0;
        o.escape_gradient = FTK__ESCAPE_LAST_BATCH;
    } else if (preset == FTK__PRESET_RIGL) {
        o.round = FTK__ROUND_FLOOR;
        o.grown_value = FTK__GROWN_KEEP_IF_REGROWN;
        o.update_step = FTK__UPDATE_REPLACES;
        o.schedule = FTK__RATE_COSINE;
    } else if (preset == FTK__PRESET_ITOP) {
        o.count = FTK__COUNTING_BERNOULLI;
        o.ties = FTK__TIES_THRESHOLD;
        o.grown_value = FTK__GROWN_KEEP_IF_REGROWN;
        o.dense_layers = FTK__DENSE_UPDATED;
        o.quiet_end = 0;
        o.schedule = FTK__RATE_COSINE;
    }
    return o;
}

void case_open(struct topology_case *c, const uint64_t *n, uint32_t n_layers, const ftk_algo *init,
               const ftk_algo *prune, const ftk_algo *grow, const ftk_algo *allot)
{
    const ftk_algo *algo[4] = { init, prune, grow, allot };
    memset(c, 0, sizeof(*c));
    assert_true(n_layers <= CASE_LAYERS);
    c->fake = fake_backend_new(n, n_layers);
    assert_non_null(c->fake);
    c->fake->poison = true;
    c->options = case_preset(FTK__PRESET_PAPER);
    for (uint32_t l = 0; l < n_layers; l++) {
        (void)snprintf(c->name[l], sizeof(c->name[l]), "layer%u", l);
        c->layer[l] = (ftk_layer){ .size = sizeof(ftk_layer),
                                   .type = FTK_LAYER_LINEAR,
                                   .index = l,
                                   .shape = { 1, (uint32_t)n[l], 1, 1 },
                                   .n = n[l],
                                   .name = c->name[l] };
    }
    c->setup = (struct ftk__topology_setup){
        .layers = c->layer, .n_layers = n_layers, .seed = 17, .options = &c->options
    };
    struct ftk__instance **to[4] = { &c->setup.init, &c->setup.prune, &c->setup.grow,
                                     &c->setup.allot };
    for (uint32_t i = 0; i < 4; i++) {
        if (!algo[i])
            continue;
        c->entry[i].algo = algo[i];
        assert_int_equal(ftk__instance_new(&c->entry[i], NULL, &c->inst[i], &c->err), FTK_OK);
        *to[i] = &c->inst[i];
    }
}

void case_start(struct topology_case *c)
{
    ftk_status st = ftk__topology_new(&c->setup, &c->t, &c->err);
    if (st < 0)
        fail_msg("%s", c->err.message);
}

void case_close(struct topology_case *c)
{
    ftk__topology_free(c->t);
    for (uint32_t i = 0; i < 4; i++)
        ftk__instance_done(&c->inst[i]);
    fake_backend_free(c->fake);
}

void case_fill(struct topology_case *c, uint64_t seed)
{
    for (uint32_t l = 0; l < c->fake->n_layers; l++) {
        struct fake_layer *f = &c->fake->layer[l];
        ftk_rng rng = ftk__rng_stream(seed, FTK__FOR_WEIGHTS, l, 0, 0);
        for (uint64_t i = 0; i < f->n; i++) {
            float w = (float)ftk__rng_below(&rng, 4001) / 1000.0f - 2.0f;
            bool on = fake_active(f, i);
            f->grad[i] = (float)ftk__rng_below(&rng, 4001) / 1000.0f - 2.0f;
            f->weight[i] = on ? w : 0;
            f->momentum[i] = on || c->fake->dense_momentum ? w + f->grad[i] : 0;
        }
    }
}

void case_init(struct topology_case *c, double density, uint64_t seed)
{
    ftk_status st = ftk__topology_init(c->t, &c->fake->engine, 0, density, &c->err);
    if (st < 0)
        fail_msg("%s", c->err.message);
    case_fill(c, seed);
}

ftk_status case_update(struct topology_case *c, double rate, uint64_t step)
{
    const struct ftk__topology_event ev = { .member = 0, .step = step, .rate = rate };
    c->err = (struct ftk_error){ 0 };
    return ftk__topology_update(c->t, &c->fake->engine, &ev, &c->report, &c->err);
}

uint64_t case_hash(const struct topology_case *c)
{
    uint64_t hash = 1469598103934665603u; /* FNV-1a */
    for (uint32_t l = 0; l < c->fake->n_layers; l++) {
        const struct fake_layer *f = &c->fake->layer[l];
        for (uint64_t i = 0; i < f->n; i++) {
            uint32_t bits[2];
            memcpy(&bits[0], &f->weight[i], 4);
            memcpy(&bits[1], &f->momentum[i], 4);
            hash = (hash ^ fake_active(f, i)) * 1099511628211u;
            hash = (hash ^ bits[0]) * 1099511628211u;
            hash = (hash ^ bits[1]) * 1099511628211u;
        }
    }
    return hash;
}
