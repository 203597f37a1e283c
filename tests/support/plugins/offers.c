/* SPDX-License-Identifier: MIT
 * offers.c - a good stamp, but something wrong with what is registered.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>

#ifndef OFFER_STATUS
#define OFFER_STATUS FTK_OK
#endif

static ftk_status score(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                        ftk_update *u, float *ret_score)
{
    (void)h;
    (void)self;
    (void)l;
    (void)u;
    for (uint64_t i = 0; i < c->count; i++)
        ret_score[i] = 0;
    return FTK_OK;
}

static const ftk_grow_ops good_ops = { .size = sizeof(good_ops), .score = score };
static const ftk_algo good = {
    .size = sizeof(good),
    .kind = FTK_KIND_GROW,
    .name = "good",
    .summary = "nothing wrong here",
    .reference = "",
    .ops = &good_ops,
};
/* A parameter beyond the end of its struct. */
static const ftk_param stray[] = {
    { .name = "far",
      .help = "lies outside",
      .unit = "",
      .max = 1,
      .type = FTK_P_F64,
      .offset = 64 },
    FTK_PARAM_END,
};
static const ftk_algo bad = {
    .size = sizeof(bad),
    .kind = FTK_KIND_GROW,
    .name = "bad",
    .summary = "a parameter that lies outside its struct",
    .reference = "",
    .params_size = sizeof(double),
    .param_stride = sizeof(ftk_param),
    .params = stray,
    .ops = &good_ops,
};

const ftk_stamp *ftk_plugin_stamp(void)
{
    static const ftk_stamp stamp = {
        FTK_MAGIC,
        sizeof(ftk_stamp),
        FTK_ABI_MAJOR,
        FTK_ABI_MINOR,
        0,
        "org.example.offers",
        "1.0.0",
        "MIT",
        FTK_BUILT_WITH,
    };
    return &stamp;
}

/* The good one comes first: a file is taken whole or not at all. */
ftk_status ftk_plugin_register(const ftk_registry *r)
{
#ifndef OFFER_NOTHING
    r->add(r, &good);
#endif
#ifdef OFFER_TWICE
    r->add(r, &good);
#endif
#ifdef OFFER_NULL
    r->add(r, NULL);
#endif
#ifdef OFFER_BAD
    r->add(r, &bad);
#else
    (void)bad;
#endif
    (void)r;
    (void)good;
    return OFFER_STATUS;
}
