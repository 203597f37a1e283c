/* SPDX-License-Identifier: MIT
 * tests/conform/good - a rule with memory: magnitudes against the layer's mean of the update before.
 *
 * A layer comes in chunks, so the sum of this update is kept apart from that of the last one, and
 * goes on in the order of the entries, which no cut changes.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <math.h>

struct state {        /* all 0: nothing yet                           */
    uint64_t update;  /* 1 + the number of the one that is being summed */
    double sum, mean; /* of this update so far; of the last one       */
    uint64_t n;
};

static void begin_update(struct state *s, uint64_t nth)
{
    if (s->update == nth + 1)
        return;
    s->mean = s->n > 0 ? s->sum / (double)s->n : 0;
    s->update = nth + 1;
    s->sum = 0;
    s->n = 0;
}

static ftk_status score(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                        ftk_update *u, float *score)
{
    struct state *s = u->state;
    begin_update(s, u->nth);
    for (uint64_t i = 0; i < c->count; i++) {
        float x = fabsf(c->weight[i]);
        score[i] = fabsf(x - (float)s->mean);
        if (isfinite(x))
            s->sum += (double)x;
        s->n++;
    }
    return FTK_OK;
}

static const ftk_prune_ops ops = {
    .size = sizeof(ops), .channels = FTK_CH_WEIGHT, .props = FTK_PROP_SIGN_FREE, .score = score
};
static const ftk_algo remembers = { .size = sizeof(remembers),
                                    .kind = FTK_KIND_PRUNE,
                                    .name = "remembers",
                                    .summary = "distance from the layer's former mean magnitude",
                                    .reference = "none",
                                    .flags = FTK_ALGO_REENTRANT,
                                    .state_bytes = sizeof(struct state),
                                    .ops = &ops };

FTK_PLUGIN("freetickets.zoo.remembers", "0.1.0", "MIT", &remembers);
