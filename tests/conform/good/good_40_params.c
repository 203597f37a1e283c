/* SPDX-License-Identifier: MIT
 * tests/conform/good - a rule with forty parameters, of every type, some required to be read together.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>

struct params {
    double power, floor_at, slope, bias;
    int64_t rounds, offset;
    int32_t flip, twice;
    int32_t shape;
    const char *label;
    ftk_duration warm;
    ftk_f64s knots;
    ftk_durations marks;
    double scale_00, scale_01, scale_02, scale_03, scale_04, scale_05, scale_06, scale_07, scale_08;
    double scale_09, scale_10, scale_11, scale_12, scale_13, scale_14, scale_15, scale_16, scale_17;
    double scale_18, scale_19, scale_20, scale_21, scale_22, scale_23, scale_24, scale_25, scale_26;
};
static const char *const shapes[] = { "flat", "square", "round", NULL };

#define SCALE(name) FTK_PARAM_F64(struct params, name, 1, 0, 4, "", "one of many factors")
static const ftk_param table[] = {
    FTK_PARAM_F64(struct params, power, 1, 0.5, 2, "", "exponent of the magnitude"),
    FTK_PARAM_F64(struct params, floor_at, 0, 0, 1, "", "least score"),
    FTK_PARAM_F64(struct params, slope, 1e-3, 1e-9, 1e9, "", "of the ramp"),
    FTK_PARAM_F64(struct params, bias, -0.5, -1, 0, "", "added last"),
    FTK_PARAM_I64(struct params, rounds, 1, 1, 3, "", "times it is done"),
    FTK_PARAM_I64(struct params, offset, 0, -9007199254740992, 9007199254740992, "", "of nothing"),
    FTK_PARAM_BOOL(struct params, flip, 0, "turn the order round"),
    FTK_PARAM_BOOL(struct params, twice, 1, "score twice"),
    FTK_PARAM_ENUM(struct params, shape, 1, shapes, "of the curve"),
    FTK_PARAM_STR(struct params, label, "plain; \"quoted\"", 0, "a word for logs"),
    FTK_PARAM_DURATION(struct params, warm, "1ep", 0, 1e6, "before it is in force"),
    FTK_PARAM_F64S(struct params, knots, "0 0.25 1", 0, 1, "fraction", "of the curve"),
    FTK_PARAM_DURATIONS(struct params, marks, "0ep 12.5ep", 0, 1e6, "when it changes"),
    SCALE(scale_00),
    SCALE(scale_01),
    SCALE(scale_02),
    SCALE(scale_03),
    SCALE(scale_04),
    SCALE(scale_05),
    SCALE(scale_06),
    SCALE(scale_07),
    SCALE(scale_08),
    SCALE(scale_09),
    SCALE(scale_10),
    SCALE(scale_11),
    SCALE(scale_12),
    SCALE(scale_13),
    SCALE(scale_14),
    SCALE(scale_15),
    SCALE(scale_16),
    SCALE(scale_17),
    SCALE(scale_18),
    SCALE(scale_19),
    SCALE(scale_20),
    SCALE(scale_21),
    SCALE(scale_22),
    SCALE(scale_23),
    SCALE(scale_24),
    SCALE(scale_25),
    SCALE(scale_26),
    FTK_PARAM_END
};

static ftk_status check(const ftk_host *h, const void *params)
{
    const struct params *p = params;
    if (p->knots.n == 0)
        return h->fail(h, FTK_EINVAL, "knots: at least one is needed");
    return FTK_OK;
}

static ftk_status score(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                        ftk_update *u, float *score)
{
    const struct params *p = self;
    float factor = (float)(p->scale_00 * p->scale_26 * p->knots.v[0]);
    (void)h, (void)l, (void)u;
    for (uint64_t i = 0; i < c->count; i++) {
        float w = c->weight[i] < 0 ? -c->weight[i] : c->weight[i];
        score[i] = p->flip ? -w : w;
        if (factor > 1)
            score[i] *= 0.5f;
    }
    return FTK_OK;
}

static const ftk_prune_ops ops = { .size = sizeof(ops), .channels = FTK_CH_WEIGHT, .score = score };
static const ftk_algo forty = { .size = sizeof(forty),
                                .kind = FTK_KIND_PRUNE,
                                .name = "forty",
                                .summary = "magnitude with forty parameters",
                                .reference = "",
                                FTK_PARAMS(struct params, table),
                                .ops = &ops,
                                .check = check };
FTK_PLUGIN("org.freetickets.zoo.forty", "1.0.0-rc.1+build7", "MIT", &forty);
