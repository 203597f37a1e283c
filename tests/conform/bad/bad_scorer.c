/* SPDX-License-Identifier: MIT
 * tests/conform/bad - a rule that scores, right as it stands; each define moves it one line away.
 *
 * It prunes by magnitude and claims all that is true of that.  BAD_VARIANT_GROW grows by the same
 * scores of gradients, BAD_VARIANT_AGE over their age; BAD_VARIANT_RANDOM and BAD_VARIANT_PAIR grow at
 * random.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <math.h>
#include <string.h>

#if defined BAD_VARIANT_RANDOM || defined BAD_VARIANT_PAIR
#define GROWS  1
#define RANDOM 1
#elif defined BAD_VARIANT_GROW || defined BAD_VARIANT_AGE
#define GROWS  1
#define RANDOM 0
#else
#define GROWS  0
#define RANDOM 0
#endif

/* ---- at random -------------------------------------------------------------------------------- */

static ftk_status score_random(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                               ftk_update *u, float *score)
{
    ftk_rng *r = &u->rng;
#if defined BAD_SCO_06
    ftk_rng copy = u->rng; /* each chunk begins the stream anew */
    r = &copy;
#endif
    for (uint64_t i = 0; i < c->count; i++) {
        double x = h->rng_uniform(r);
#if defined BAD_SCO_09 && defined BAD_VARIANT_PAIR
        /* Each has its fair share, but neighbours come or stay together. */
        ftk_rng of_pair = { { u->rng.key[0], u->rng.key[1] }, c->index[i] / 2 };
        x = h->rng_uniform(&of_pair);
#elif defined BAD_SCO_09
        x = c->index[i] % 2 ? x : x * x; /* odd ones come more often */
#endif
        score[i] = (float)x;
    }
    return FTK_OK;
}

/* ---- by magnitude ----------------------------------------------------------------------------- */

static float value_of(const ftk_cand *c, uint64_t i)
{
    return GROWS ? c->grad[i] : c->weight[i];
}

static ftk_status refuse(const ftk_host *h, const ftk_layer *l, const ftk_cand *c,
                         const ftk_update *u)
{
#if defined BAD_SCO_05 && !defined BAD_VARIANT_FAR
    if (c->count == 0)
        return h->fail(h, FTK_EINVAL, "layer '%s' has no candidate", l->name);
#endif
#if defined BAD_UPD_01
    if (u->rate > 0.5)
        return h->fail(h, FTK_ERANGE, "rate %g is too high", u->rate);
#endif
#if defined BAD_SCO_03 && defined BAD_VARIANT_SILENT
    for (uint64_t i = 0; i < c->count; i++)
        if (!isfinite(value_of(c, i)))
            return FTK_ENUMERIC;
#endif
    return FTK_OK;
}

static float score_of(const ftk_layer *l, const ftk_cand *c, uint64_t i)
{
    float x = value_of(c, i);
#if defined BAD_VARIANT_AGE
    return fabsf(x) / (float)(1 + c->age[i]); /* 0 where the age is UINT32_MAX */
#elif defined BAD_SCO_02
    return x * x / fabsf(x);
#elif defined BAD_SCO_03 && defined BAD_VARIANT_OTHERS
    return i > 0 && isnan(value_of(c, i - 1)) ? 0 : fabsf(x);
#elif defined BAD_SCO_04 && defined BAD_VARIANT_READS
    return fabsf(x) + fabsf(c->momentum[i]);
#elif defined BAD_SCO_06
    return fabsf(x) * (float)c->count;
#elif defined BAD_SCO_07 && defined BAD_VARIANT_ELEMENTWISE
    return fabsf(x) + (i > 0 ? fabsf(value_of(c, i - 1)) : 0);
#elif defined BAD_SCO_07 && defined BAD_VARIANT_SCALE
    return fminf(fabsf(x), 1);
#elif defined BAD_SCO_07 && defined BAD_VARIANT_LAYERS
    return l->index == 0 ? x * x : fabsf(x); /* in each layer alone the order is kept */
#elif defined BAD_SCO_07 && defined BAD_VARIANT_SIGN
    return x;
#elif defined BAD_SCO_09
    return x * x; /* the order is that of the magnitudes */
#elif defined BAD_PRN_04
    return fabsf(x) * (1 + 1e-6f * (float)c->index[i]);
#else
    return fabsf(x);
#endif
}

static ftk_status score_magnitude(const ftk_host *h, void *self, const ftk_layer *l,
                                  const ftk_cand *c, ftk_update *u, float *score)
{
    uint64_t n = c->count;
    ftk_status st = refuse(h, l, c, u);
    if (st < 0)
        return st;
#if defined BAD_SCO_05 && defined BAD_VARIANT_FAR
    char *seen = h->scratch(h, l->n); /* a byte a position, where few of them are candidates */
    if (!seen)
        return h->fail(h, FTK_ENOMEM, "layer '%s': no memory for %llu marks", l->name,
                       (unsigned long long)l->n);
#endif
#if defined BAD_SCO_08
    if (n % 8 == 6)
        return FTK_EINTERNAL; /* the rest after blocks of eight: one case is missing */
#endif
#if defined BAD_SCO_01
    n -= n > 0; /* the last one is forgotten */
#endif
    for (uint64_t i = 0; i < n; i++)
        score[i] = score_of(l, c, i);
    return FTK_OK;
}

/* ---- what it says of itself ------------------------------------------------------------------- */

#if defined BAD_SCO_04 && defined BAD_VARIANT_UNUSED
#define MORE_CHANNELS FTK_CH_MOMENTUM
#elif defined BAD_VARIANT_AGE
#define MORE_CHANNELS FTK_CH_AGE
#else
#define MORE_CHANNELS 0
#endif

#if RANDOM
static const ftk_grow_ops ops = {
    .size = sizeof(ops),
    .props = FTK_PROP_RANDOM,
#if defined BAD_SCO_09
    .formula = FTK_FORMULA_UNIFORM,
#endif
    .score = score_random,
};
#elif GROWS
static const ftk_grow_ops ops = {
    .size = sizeof(ops),
    .channels = FTK_CH_GRAD | MORE_CHANNELS,
    .props = FTK_PROP_ELEMENTWISE | FTK_PROP_SCALE_FREE | FTK_PROP_SIGN_FREE,
#if defined BAD_SCO_09
    .formula = FTK_FORMULA_ABS_GRAD,
#endif
    .score = score_magnitude,
};
#else
static const ftk_prune_ops ops = {
    .size = sizeof(ops),
    .channels = FTK_CH_WEIGHT | MORE_CHANNELS,
    .props = FTK_PROP_ELEMENTWISE | FTK_PROP_SCALE_FREE | FTK_PROP_SIGN_FREE,
#if defined BAD_SCO_09
    .formula = FTK_FORMULA_ABS_WEIGHT,
#endif
    .score = score_magnitude,
};
#endif

static const ftk_algo scorer = {
    .size = sizeof(scorer),
    .kind = GROWS ? FTK_KIND_GROW : FTK_KIND_PRUNE,
    .name = "scorer",
    .summary = "scores for the zoo of the conformance kit",
    .reference = "none",
    .flags = FTK_ALGO_REENTRANT,
    .ops = &ops,
};

FTK_PLUGIN("freetickets.zoo.scorer", "0.1.0", "MIT", &scorer);
