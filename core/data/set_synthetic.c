/* SPDX-License-Identifier: MIT
 * data/set_synthetic.c - images that can be learnt without any file: smooth random prototypes, one
 * a class; a sample mixes its class with a little of another and adds noise.
 *
 * Sample i of a split is a function of (split, i) alone, so all seeds of an experiment see the same
 * data, as they would with files.  About one sample in eleven has more of the other class in it
 * than of its own: nobody can be right about all, so calibration has something to measure.
 */
#include "base/mem.h"
#include "base/rng.h"
#include "data/sets.h"

enum { GRID = 4, MAX_CHANNELS = 4, MAX_SIDE = 512, STREAM_PROTOTYPE = 2, NO_SEED = 0 };

struct synthetic_params {
    ftk_f64s shape; /* channels, height, width                      */
    int64_t classes, train, test;
};

static const ftk_param params[] = {
    FTK_PARAM_F64S(struct synthetic_params, shape, "3 32 32", 1, MAX_SIDE, "",
                   "channels, height and width of an image"),
    FTK_PARAM_I64(struct synthetic_params, classes, 10, 2, 1000, "", "number of classes"),
    FTK_PARAM_I64(struct synthetic_params, train, 10000, 1, 100000000, "image", "training images"),
    FTK_PARAM_I64(struct synthetic_params, test, 2000, 1, 100000000, "image", "test images"),
    FTK_PARAM_END,
};

static ftk_status check(const void *values, struct ftk_error *reterr)
{
    const struct synthetic_params *p = values;
    if (p->shape.n != 3)
        return ftk__fail(reterr, FTK_EINVAL,
                         "shape has %llu entries, 3 are needed: channels, height, width",
                         (unsigned long long)p->shape.n);
    for (uint32_t d = 0; d < 3; d++)
        if (p->shape.v[d] != (double)(uint32_t)p->shape.v[d])
            return ftk__fail(reterr, FTK_EINVAL, "shape[%u] is %g, not a whole number", d,
                             p->shape.v[d]);
    if (p->shape.v[0] > MAX_CHANNELS)
        return ftk__fail(reterr, FTK_EINVAL, "shape[0] is %g, at most %d channels are allowed",
                         p->shape.v[0], MAX_CHANNELS);
    return FTK_OK;
}

static ftk_status size(const struct ftk__data_request *q, struct ftk__set_size *ret,
                       struct ftk_error *reterr)
{
    const struct synthetic_params *p = q->params;
    (void)reterr;
    for (uint32_t d = 0; d < 3; d++)
        ret->shape[d] = (uint32_t)p->shape.v[d];
    ret->classes = (uint32_t)p->classes;
    ret->n_train = (uint64_t)p->train;
    ret->n_test = (uint64_t)p->test;
    return FTK_OK;
}

/* Where pixel i of n falls in a row of GRID points: *ret_part of the way from *ret_at on. */
static void grid_position(uint32_t i, uint32_t n, uint32_t *ret_at, float *ret_part)
{
    float x = ((float)i + 0.5f) * (float)(GRID - 1) / (float)n;
    *ret_at = (uint32_t)x; /* below GRID - 1 */
    *ret_part = x - (float)*ret_at;
}

/* One channel: a GRID x GRID table of values in [-1, 1), interpolated linearly. */
static void draw_plane(ftk_rng *rng, uint32_t height, uint32_t width, float *ret)
{
    float grid[GRID][GRID];
    for (uint32_t y = 0; y < GRID; y++)
        for (uint32_t x = 0; x < GRID; x++)
            grid[y][x] = (float)(2.0 * ftk__rng_uniform(rng) - 1.0);
    for (uint32_t y = 0; y < height; y++) {
        uint32_t gy;
        float py;
        grid_position(y, height, &gy, &py);
        for (uint32_t x = 0; x < width; x++) {
            uint32_t gx;
            float px;
            grid_position(x, width, &gx, &px);
            float top = grid[gy][gx] + px * (grid[gy][gx + 1] - grid[gy][gx]);
            float low = grid[gy + 1][gx] + px * (grid[gy + 1][gx + 1] - grid[gy + 1][gx]);
            ret[(uint64_t)y * width + x] = top + py * (low - top);
        }
    }
}

/* [classes][c][h][w], values in [-1, 1]; NULL without memory. */
static float *draw_prototypes(const struct ftk__store *s)
{
    uint64_t plane = (uint64_t)s->shape[1] * s->shape[2];
    float *all = ftk__alloc_array(plane * s->shape[0] * s->classes, sizeof *all);
    for (uint32_t k = 0; k < s->classes && all; k++) {
        ftk_rng rng = ftk__rng_stream(NO_SEED, FTK__FOR_SYNTHETIC, STREAM_PROTOTYPE, k, 0);
        for (uint32_t c = 0; c < s->shape[0]; c++)
            draw_plane(&rng, s->shape[1], s->shape[2],
                       all + ((uint64_t)k * s->shape[0] + c) * plane);
    }
    return all;
}

static uint8_t to_byte(float v)
{
    float rounded = v + 0.5f;
    if (rounded < 0.0f)
        return 0;
    return rounded >= 255.0f ? 255 : (uint8_t)rounded;
}

/* own[n] and other[n] mixed, contrast 64, plus uniform noise of +-64 from a byte a pixel. */
static void draw_sample(ftk_rng *rng, const float *own, const float *other, float share, uint64_t n,
                        uint8_t *ret)
{
    uint64_t noise = 0;
    for (uint64_t i = 0; i < n; i++) {
        if (i % 8 == 0)
            noise = ftk__rng_u64(rng);
        float mixed = other[i] + share * (own[i] - other[i]);
        ret[i] = to_byte(128.0f + 64.0f * mixed + 0.5f * ((float)(noise & 255) - 127.5f));
        noise >>= 8;
    }
}

static ftk_status load(const struct ftk__data_request *q, enum ftk__split split,
                       struct ftk__store *ret, struct ftk_error *reterr)
{
    struct ftk__set_size of;
    size(q, &of, reterr);
    struct ftk__store s = {
        .shape = { of.shape[0], of.shape[1], of.shape[2] },
        .classes = of.classes,
        .n = split == FTK__SPLIT_TRAIN ? of.n_train : of.n_test,
    };
    ftk_status st = ftk__store_alloc(&s, reterr);
    if (st != FTK_OK)
        return st;
    float *prototype = draw_prototypes(&s);
    if (!prototype) {
        ftk__store_done(&s);
        return ftk__fail(reterr, FTK_ENOMEM, "out of memory for %u prototypes", s.classes);
    }
    uint64_t image = (uint64_t)s.shape[0] * s.shape[1] * s.shape[2];
    for (uint64_t i = 0; i < s.n; i++) {
        ftk_rng rng = ftk__rng_stream(NO_SEED, FTK__FOR_SYNTHETIC, (uint64_t)split, i, 0);
        uint64_t own = i % s.classes;
        uint64_t other = (own + 1 + ftk__rng_below(&rng, s.classes - 1)) % s.classes;
        float share = (float)(0.45 + 0.55 * ftk__rng_uniform(&rng));
        draw_sample(&rng, prototype + own * image, prototype + other * image, share, image,
                    s.pixels + i * image);
        s.label[i] = (int32_t)own;
    }
    ftk__free(prototype);
    *ret = s;
    return FTK_OK;
}

const struct ftk__set ftk__set_synthetic = {
    .builtin = {
        .group = "data",
        .name = "synthetic",
        .summary = "noisy smooth prototypes, one a class; needs no files",
        .reference = "",
        .params = params,
        .params_size = sizeof(struct synthetic_params),
        .check = check,
    },
    .normalise = "synthetic",
    .size = size,
    .load = load,
};
