/* SPDX-License-Identifier: MIT
 * tests/conform/bad - a table of parameters, and what is made of their values.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <math.h>
#include <string.h>

struct params {
    double power;
    int64_t rounds;
    int32_t flip, shape;
    ftk_duration warm;
    ftk_f64s knots;
    double scale;
};
static const char *const shapes[] = { "flat", "square", NULL };

#define NAME     "power"
#define HELP     "exponent of the magnitude"
#define DEFAULT  1
#define ROUNDS   1
#define FLIP     0
#define SHAPE    1
#define WARM     "1ep"
#define KNOTS    "0 0.25 1"
#define TYPE     FTK_P_F64
#define FLAGS    0
#define RESERVED 0
#define OFFSET   offsetof(struct params, scale)

#if defined(BAD_PAR_01)
#if defined(BAD_VARIANT_NAME)
#undef NAME
#define NAME "Power"
#elif defined(BAD_VARIANT_HELP)
#undef HELP
#define HELP ""
#elif defined(BAD_VARIANT_WHOLE)
#undef ROUNDS
#define ROUNDS 1.5
#elif defined(BAD_VARIANT_BOOL)
#undef FLIP
#define FLIP 0.5
#elif defined(BAD_VARIANT_ENUM)
#undef SHAPE
#define SHAPE 2
#elif defined(BAD_VARIANT_DURATION)
#undef WARM
#define WARM "1 epoch"
#elif defined(BAD_VARIANT_LIST)
#undef KNOTS
#define KNOTS "0 0.25 1.5"
#elif defined(BAD_VARIANT_TYPE)
#undef TYPE
#define TYPE 99
#elif defined(BAD_VARIANT_OPEN)
#undef FLAGS
#define FLAGS FTK_PF_OPEN_MIN
#elif defined(BAD_VARIANT_RESERVED)
#undef RESERVED
#define RESERVED 1
#elif !defined(BAD_VARIANT_END)
#undef DEFAULT
#define DEFAULT 3
#endif
#elif defined(BAD_PAR_02)
#undef OFFSET
#if defined(BAD_VARIANT_ALIGN)
#define OFFSET (offsetof(struct params, scale) - 4)
#elif defined(BAD_VARIANT_OVERLAP)
#define OFFSET offsetof(struct params, warm)
#else
#define OFFSET sizeof(struct params)
#endif
#elif defined(BAD_PAR_07)
#undef NAME
#define NAME "use"
#endif

#define TABLE                                                                                        \
    {                                                                                                \
        NAME, HELP, "", NULL, NULL, DEFAULT, 0.5, 2, FTK_P_F64, 0, offsetof(struct params, power), 0 \
    },                                                                                               \
        FTK_PARAM_I64(struct params, rounds, ROUNDS, 1, 3, "", "times it is done"),                  \
        FTK_PARAM_BOOL(struct params, flip, FLIP, "turn the order round"),                           \
        FTK_PARAM_ENUM(struct params, shape, SHAPE, shapes, "of the curve"),                         \
        FTK_PARAM_DURATION(struct params, warm, WARM, 0, 100, "before it is in force"),              \
        FTK_PARAM_F64S(struct params, knots, KNOTS, 0, 1, "fraction", "of the curve"),               \
    {                                                                                                \
        "scale", "a factor", "", NULL, NULL, 1, 1, 4, TYPE, FLAGS, OFFSET, RESERVED                  \
    }

#if defined(BAD_PAR_01) && defined(BAD_VARIANT_END)
/* What lies behind the table is no parameter. */
static const struct {
    ftk_param param[7];
    const char *behind[16];
} unended = { { TABLE }, { (const char *)8, (const char *)8, (const char *)8, (const char *)8 } };
#define PARAMS unended.param
#else
static const ftk_param table[] = { TABLE, FTK_PARAM_END };
#define PARAMS table
#endif

static ftk_status check(const ftk_host *h, const void *params)
{
    const struct params *p = params;
#if defined(BAD_PAR_03)
    if (p->power <= 1)
        return h->fail(h, FTK_EINVAL, "power: %g, must be above 1", p->power);
#endif
#if defined(BAD_PAR_04) && defined(BAD_VARIANT_LIST)
    if (p->knots.n > 8)
        return FTK_EINVAL; /* and no sentence */
#elif defined(BAD_PAR_04)
    if (p->rounds == 3 && p->flip)
        return FTK_EINVAL; /* and no sentence */
#endif
    if (p->knots.n == 0)
        return h->fail(h, FTK_EINVAL, "knots: at least one is needed");
    return FTK_OK;
}

static ftk_status score(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                        ftk_update *u, float *score)
{
    struct params *p = self;
    (void)h, (void)l, (void)u;
#if defined(BAD_PAR_05)
    if (p->power > 1.2 && p->scale > 2)
        return FTK_ENOTSUP; /* and no sentence */
#elif defined(BAD_PAR_06)
    p->warm.reserved = 1;
#endif
    for (uint64_t i = 0; i < c->count; i++) {
        float w = c->weight[i] < 0 ? -c->weight[i] : c->weight[i];
        score[i] = p->flip ? -w : w;
    }
    return FTK_OK;
}

static const ftk_prune_ops ops = { .size = sizeof(ops), .channels = FTK_CH_WEIGHT, .score = score };
static const ftk_algo power = { .size = sizeof(power),
                                .kind = FTK_KIND_PRUNE,
                                .name = "power",
                                .summary = "magnitude with parameters",
                                .reference = "",
                                FTK_PARAMS(struct params, PARAMS),
                                .ops = &ops,
                                .check = check };
FTK_PLUGIN("org.freetickets.zoo.params", "1.0.0", "MIT", &power);
