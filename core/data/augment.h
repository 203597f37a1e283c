/* SPDX-License-Identifier: MIT
 * data/augment.h - crop and flip, drawn per (seed, member, pass, sample), and pixels to floats.
 */
#ifndef FTK__AUGMENT_H
#define FTK__AUGMENT_H
#include "data/dataset.h"

/* As numbered in struct ftk__data_request. */
enum { FTK__MODE_NONE, FTK__MODE_FLIP, FTK__MODE_STANDARD };
enum { FTK__FILL_REFLECT, FTK__FILL_ZERO };
enum { FTK__CROP = 4 };         /* pixels of padding on each side               */

struct ftk__augment {
    uint32_t mode, fill;
    uint64_t seed;
};
/* Crop offset and flip of the training image at position `sample` of the file; `pass` has RESEED's
 * addition in it.  `index` is left to the caller.                                 */
void ftk__augment_draw(const struct ftk__augment *a, uint32_t member, uint64_t pass,
                       uint64_t sample, ftk_sample *ret);

/* A pixel's normalised value by channel and byte: (v / 255 - mean) / std in float. */
struct ftk__scale {
    float v[4][256];
};
void ftk__scale_set(struct ftk__scale *s, const struct ftk__images *im);

/* Image s->index of `im`, cropped, then flipped, into ret_x[c][h][w].  Padding is in pixels, that
 * is before normalising: reflected (-1 is 1), or black.                                     */
void ftk__augment_apply(const struct ftk__images *im, uint32_t fill, const ftk_sample *s,
                        const struct ftk__scale *scale, float *ret_x);
#endif
