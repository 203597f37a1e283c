/* SPDX-License-Identifier: MIT
 * moody.c - a pruning rule that depends on all that a checkpoint has to keep for rules: age, fired,
 * and a state of its own, which changes with every call.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>

static ftk_status score(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                        ftk_update *u, float *ret_score)
{
    uint64_t *calls = u->state;
    (void)h;
    (void)self;
    (void)l;
    ++*calls;
    for (uint64_t i = 0; i < c->count; i++) {
        float size = c->weight[i] < 0 ? -c->weight[i] : c->weight[i];
        float mood = (float)((*calls + c->index[i]) % 3);
        ret_score[i] = (size + mood) * (float)(1 + c->age[i]) * (c->fired[i] ? 1 : -1);
    }
    return FTK_OK;
}

static const ftk_prune_ops ops = {
    .size = sizeof(ops),
    .channels = FTK_CH_WEIGHT | FTK_CH_AGE | FTK_CH_FIRED,
    .score = score,
};
static const ftk_algo moody = {
    .size = sizeof(moody),
    .kind = FTK_KIND_PRUNE,
    .name = "moody",
    .summary = "drops what its mood, age and size say",
    .reference = "",
    .state_bytes = sizeof(uint64_t),
    .ops = &ops,
};
FTK_PLUGIN("org.example.moody", "1.0.0", "MIT", &moody);
