/* SPDX-License-Identifier: MIT
 * data/augment.c - random crop with padding 4 and horizontal flip, as for CIFAR (He et al. 2016).
 */
#include "data/augment.h"
#include "base/rng.h"

void ftk__augment_draw(const struct ftk__augment *a, uint32_t member, uint64_t pass,
                       uint64_t sample, ftk_sample *ret)
{
    ret->dx = 0;
    ret->dy = 0;
    ret->flip = 0;
    ret->reserved = 0;
    if (a->mode == FTK__MODE_NONE)
        return;
    ftk_rng rng = ftk__rng_stream(a->seed, FTK__FOR_AUGMENT, member, pass, sample);
    ret->flip = (uint8_t)ftk__rng_below(&rng, 2);
    if (a->mode == FTK__MODE_FLIP)
        return;
    ret->dx = (int8_t)((int)ftk__rng_below(&rng, 2 * FTK__CROP + 1) - FTK__CROP);
    ret->dy = (int8_t)((int)ftk__rng_below(&rng, 2 * FTK__CROP + 1) - FTK__CROP);
}

void ftk__scale_set(struct ftk__scale *s, const struct ftk__images *im)
{
    for (uint32_t c = 0; c < im->shape[0]; c++)
        for (uint32_t v = 0; v < 256; v++)
            s->v[c][v] = ((float)v / 255.0f - im->mean[c]) / im->std[c];
}

/* Where a row or column outside of 0..n-1 is read; -1: nowhere, it is black. */
static int64_t inside(int64_t at, int64_t n, uint32_t fill)
{
    if (at >= 0 && at < n)
        return at;
    if (fill == FTK__FILL_ZERO)
        return -1;
    return at < 0 ? -at : 2 * (n - 1) - at;
}

static void shift_row(const uint8_t *row, int64_t width, const ftk_sample *s, uint32_t fill,
                      const float *scale, float *ret)
{
    for (int64_t x = 0; x < width; x++) {
        int64_t from = inside(x + s->dx, width, fill);
        float v = scale[from < 0 ? 0 : row[from]];
        ret[s->flip ? width - 1 - x : x] = v;
    }
}

static void scale_row(const uint8_t *row, int64_t width, const float *scale, float *ret)
{
    for (int64_t x = 0; x < width; x++)
        ret[x] = scale[row[x]];
}

void ftk__augment_apply(const struct ftk__images *im, uint32_t fill, const ftk_sample *s,
                        const struct ftk__scale *scale, float *ret_x)
{
    int64_t height = im->shape[1];
    int64_t width = im->shape[2];
    uint64_t plane = (uint64_t)im->shape[1] * im->shape[2];
    const uint8_t *image = im->pixels + s->index * plane * im->shape[0];
    for (uint32_t c = 0; c < im->shape[0]; c++, image += plane) {
        const float *table = scale->v[c];
        for (int64_t y = 0; y < height; y++, ret_x += width) {
            int64_t from = inside(y + s->dy, height, fill);
            if (from < 0) {
                for (int64_t x = 0; x < width; x++)
                    ret_x[x] = table[0];
            } else if (s->dx == 0 && !s->flip) {
                scale_row(image + from * width, width, table, ret_x);
            } else {
                shift_row(image + from * width, width, s, fill, table, ret_x);
            }
        }
    }
}
