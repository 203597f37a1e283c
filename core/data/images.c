/* SPDX-License-Identifier: MIT
 * data/images.c - images as they are, normalised.
 */
#include "data/augment.h"

void ftk__images_fill(const struct ftk__images *im, uint64_t from, uint64_t count, float *ret_x,
                      int32_t *ret_y)
{
    struct ftk__scale scale;
    ftk__scale_set(&scale, im);
    uint64_t floats = (uint64_t)im->shape[0] * im->shape[1] * im->shape[2];
    for (uint64_t i = 0; i < count; i++) {
        ftk_sample s = { .index = (uint32_t)(from + i) };
        ftk__augment_apply(im, FTK__FILL_ZERO, &s, &scale, ret_x + i * floats);
        ret_y[i] = im->label[from + i];
    }
}
