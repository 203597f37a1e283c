/* SPDX-License-Identifier: MIT
 * plain.c - a plugin without fault that has a parameter of every type.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>

struct plain {
    double keep;
    int64_t bins;
    int32_t signs, mode;
    const char *note;
    ftk_duration wait;
    ftk_f64s weights;
    ftk_durations marks;
};

static const char *const modes[] = { "slow", "fast", NULL };
static const ftk_param params[] = {
    FTK_PARAM_F64(struct plain, keep, 0.1, 0, 1, "fraction", "share of weights that always stays"),
    FTK_PARAM_I64(struct plain, bins, 15, 1, 1000, "", "number of bins"),
    FTK_PARAM_BOOL(struct plain, signs, 1, "whether signs count"),
    FTK_PARAM_ENUM(struct plain, mode, 1, modes, "how it is done"),
    FTK_PARAM_STR(struct plain, note, "a \"word\"", 0, "something to remember"),
    FTK_PARAM_DURATION(struct plain, wait, "12.5ep", 0, 1e6, "how long to wait"),
    FTK_PARAM_F64S(struct plain, weights, "0.5 1", 0, 1, "", "a weight for each bin"),
    FTK_PARAM_DURATIONS(struct plain, marks, "0.25 3ep", 0, 1e6, "when it is done"),
    FTK_PARAM_END,
};

static ftk_status score(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                        ftk_update *u, float *ret_score)
{
    (void)h;
    (void)self;
    (void)l;
    (void)u;
    for (uint64_t i = 0; i < c->count; i++)
        ret_score[i] = c->weight[i] < 0 ? -c->weight[i] : c->weight[i];
    return FTK_OK;
}

static const ftk_prune_ops ops = {
    .size = sizeof(ops),
    .channels = FTK_CH_WEIGHT,
    .props = FTK_PROP_ELEMENTWISE,
    .formula = FTK_FORMULA_ABS_WEIGHT,
    .score = score,
};
static const ftk_algo plain = {
    .size = sizeof(plain),
    .kind = FTK_KIND_PRUNE,
    .name = "plain",
    .summary = "drops the weights closest to zero",
    .reference = "",
    FTK_PARAMS(struct plain, params),
    .ops = &ops,
};
FTK_PLUGIN("org.example.plain", "1.2.3", "MIT", &plain);
