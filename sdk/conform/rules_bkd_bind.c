/* SPDX-License-Identifier: MIT
 * conform/rules_bkd_bind.c - images bound once and indexed by batches are the kit's own images.
 */
#include "base/rng.h"
#include "conform/guard.h"
#include "conform/rules_bkd.h"
#include <math.h>
#include <string.h>

enum { COUNT = 6, CHANNELS = 2, HEIGHT = 7, WIDTH = 8, PLANE = HEIGHT * WIDTH };
enum { IMAGE = CHANNELS * PLANE, SETS = 2, MOST = 9 };

struct set {
    uint64_t n;
    uint32_t pad, reflect;
    float mean[CHANNELS], std[CHANNELS];
    uint8_t pixels[MOST * IMAGE]; // [n][c][h][w]
};
static const struct set templates[SETS] = {
    { .n = 9, .pad = 2, .reflect = 0, .mean = { 0.25f, 0.5f }, .std = { 0.5f, 0.2f } },
    { .n = 5, .pad = 3, .reflect = 1, .mean = { 0.1f, 0.9f }, .std = { 0.3f, 1.5f } },
};

struct stage {
    struct ftk__bk bk;
    struct ftk__bk_graph g;
    ftk_prog *p;
    struct set set[SETS];
};

/* The pixel at a row or column outside of the image; -1: it is 0. */
static int inside(int at, int n, uint32_t reflect)
{
    if (at >= 0 && at < n)
        return at;
    if (!reflect)
        return -1;
    return at < 0 ? -at : 2 * (n - 1) - at;
}

/* Cropped, then flipped, then normalised. */
static void own_image(const struct set *t, const ftk_sample *s, float *ret)
{
    for (int i = 0; i < IMAGE; i++) {
        int c = i / PLANE;
        int y = inside(i % PLANE / WIDTH + s->dy, HEIGHT, t->reflect);
        int column = i % WIDTH;
        int x = inside((s->flip ? WIDTH - 1 - column : column) + s->dx, WIDTH, t->reflect);
        uint8_t v = x < 0 || y < 0
                        ? 0
                        : t->pixels[s->index * IMAGE + (uint32_t)(c * PLANE + y * WIDTH + x)];
        ret[i] = ((float)v / 255.0f - t->mean[c]) / t->std[c];
    }
}

static void draw_samples(const struct set *t, ftk_rng *rng, bool plain, ftk_sample *ret)
{
    for (uint32_t i = 0; i < COUNT; i++) {
        int reach = plain ? 0 : (int)t->pad;
        ret[i] = (ftk_sample){
            .index = (uint32_t)ftk__rng_below(rng, t->n),
            .dx = (int8_t)((int)ftk__rng_below(rng, (uint64_t)(2 * reach + 1)) - reach),
            .dy = (int8_t)((int)ftk__rng_below(rng, (uint64_t)(2 * reach + 1)) - reach),
            .flip = plain ? 0 : (uint8_t)ftk__rng_below(rng, 2),
        };
    }
}

/* The buffers go as soon as bind() is back. */
static ftk_status bind_set(struct stage *s, uint32_t i)
{
    struct set *t = &s->set[i];
    ftk_rng rng = { .key = { s->bk.c->seed, 60 + i } };
    *t = templates[i];
    for (uint64_t k = 0; k < t->n * IMAGE; k++)
        t->pixels[k] = (uint8_t)ftk__rng_below(&rng, 256);
    uint8_t *pixels = ftk__guard_new("images", t->n * IMAGE, 1, FTK__AT_END, 0);
    float *mean = ftk__guard_new("mean", sizeof(t->mean), 4, FTK__AT_END, 0);
    float *std = ftk__guard_new("std", sizeof(t->std), 4, FTK__AT_END, 0);
    memcpy(pixels, t->pixels, t->n * IMAGE);
    memcpy(mean, t->mean, sizeof(t->mean));
    memcpy(std, t->std, sizeof(t->std));
    ftk__guard_read_only(pixels);
    ftk_status st = FTK__TRY(&s->bk, bind, s->p, i, pixels, t->n, mean, std, t->pad, t->reflect);
    ftk__guard_drop(pixels);
    ftk__guard_drop(mean);
    ftk__guard_drop(std);
    return st;
}

static double step_loss(struct stage *s, const struct ftk__bk_batch *b)
{
    const ftk_hyper hy = ftk__bk_hyper(0.0, 0.0, 0.0, 0);
    (void)ftk__bk_sync(&s->bk, s->p);
    FTK__MUST(&s->bk, step, s->p, b->list, &hy);
    return ftk__bk_sync(&s->bk, s->p).loss_sum;
}

static void compare(struct stage *s, uint32_t set, bool plain, uint64_t seed)
{
    ftk_sample sample[COUNT];
    ftk_rng rng = { .key = { seed, 61 } };
    struct ftk__bk_tally t;
    struct ftk__bk_batch *b = ftk__bk_batch(s->bk.c, &s->g, COUNT, seed);
    draw_samples(&s->set[set], &rng, plain, sample);
    for (uint32_t i = 0; i < COUNT; i++)
        own_image(&s->set[set], &sample[i], b->x + (size_t)i * IMAGE);
    struct ftk__bk_batch *bound = ftk__kit_alloc(s->bk.c, 1, sizeof(*bound));
    *bound = *b;
    bound->b.x = NULL;
    bound->b.sample = sample;
    bound->b.set = set;
    bound->list[0] = &bound->b;
    /* Both predictions before the steps: these move running statistics. */
    const float *want = ftk__bk_predict(&s->bk, s->p, &s->g, b);
    const float *got = ftk__bk_predict(&s->bk, s->p, &s->g, bound);
    double want_loss = step_loss(s, b);
    double loss = step_loss(s, bound);
    ftk__bk_tally(&t, &s->bk);
    ftk__bk_where(&t, "set %u, %s, pad %u %s", set,
                  plain ? "images as they are" : "crops and flips", s->set[set].pad,
                  s->set[set].reflect ? "reflected" : "of zeros");
    ftk__bk_near(&t, "logits against those of the kit's images", got, want,
                 (uint64_t)COUNT * ftk__bk_classes(&s->g));
    ftk__kit_expect(s->bk.c, fabs(loss - want_loss) <= 1e-3 * want_loss,
                    "%s: loss of a step %.9g, that of the kit's images is %.9g", t.where, loss,
                    want_loss);
}

static void refuse(struct stage *s, uint32_t set, uint32_t index, const char *what)
{
    ftk_sample sample[COUNT];
    float z[COUNT * 16];
    struct ftk__bk_batch *b = ftk__bk_batch(s->bk.c, &s->g, COUNT, 1);
    const ftk_hyper hy = ftk__bk_hyper(0.0, 0.0, 0.0, 0);
    memset(sample, 0, sizeof(sample));
    sample[COUNT - 1].index = index;
    b->b.x = NULL;
    b->b.sample = sample;
    b->b.set = set;
    ftk__kit_note(s->bk.c, "a batch with %s", what);
    FTK__REFUSED(&s->bk, step, s->p, b->list, &hy);
    FTK__REFUSED(&s->bk, predict, s->p, b->list, z);
}

static void bound_images(struct ftk__case *c)
{
    struct stage *s = ftk__kit_alloc(c, 1, sizeof(*s));
    ftk__bk_open(c, FTK__BK_AS_SET, &s->bk);
    if (!s->bk.ops->bind)
        ftk__kit_skip(c, "bind is NULL");
    ftk__bk_net(&s->g, true);
    s->p = ftk__bk_compile(&s->bk, &s->g, COUNT, 0);
    ftk__bk_fill(&s->bk, s->p, &s->g, 0.4, 5);
    for (uint32_t i = 0; i < SETS; i++) {
        ftk_status st = bind_set(s, i);
        if (ftk__bk_not_supported(&s->bk, "bind", st, true))
            ftk__kit_skip(c, "bind(): %s", s->bk.host->reason);
    }
    for (uint64_t seed = 0; seed < 4; seed++) {
        compare(s, seed % SETS, true, seed);
        compare(s, seed % SETS, false, seed);
    }
    refuse(s, SETS + 5, 0, "a set that was never bound");
    refuse(s, 1, (uint32_t)s->set[1].n, "an index past the set's images");
    s->bk.ops->release(s->p);
    ftk__bk_close(&s->bk);
    ftk__kit_expect(c, c->host->live == 0, "%llu blocks of the host are alive after close()",
                    (unsigned long long)c->host->live);
}

static const struct ftk__rule rules[] = {
    { .id = "BKD-17",
      .level = 2,
      .kinds = FTK__ON_BACKEND,
      .needs = "BKD-02 BKD-03",
      .title = "bound images, cropped, flipped and normalised, are the kit's own",
      .why = "augmentation is drawn by the core and must look alike on every backend",
      .fix = "pixel (y + dy, x + dx), padded by 0 or reflected, then flipped, then normalised",
      .timeout_ms = 30000,
      .run = bound_images },
};
const struct ftk__rule_family ftk__family_bkd_bind = { rules, sizeof(rules) / sizeof(rules[0]) };
