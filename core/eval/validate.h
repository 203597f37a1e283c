/* SPDX-License-Identifier: MIT
 * eval/validate.h - a network on an open set of images: logits, accuracy, NLL.
 */
#ifndef FTK__VALIDATE_H
#define FTK__VALIDATE_H
#include "data/dataset.h"
#include "plugin/engine.h"

struct ftk__scores {
    double accuracy;            /* fraction, argmax with the lowest index on ties */
    double nll;                 /* nats, mean                                   */
};
/* Fills batches of at most e->max_batch images: fill(arg, from, count, x, y). */
typedef void (*ftk__fill_fn)(const void *arg, uint64_t from, uint64_t count, float *ret_x,
                             int32_t *ret_y);
/* ret_logits: [n][classes] or NULL; log-softmax in double. */
ftk_status ftk__validate(struct ftk__engine *e, const uint32_t shape[3], uint32_t classes,
                         uint64_t n, ftk__fill_fn fill, const void *arg, float *ret_logits,
                         struct ftk__scores *ret, struct ftk_error *reterr);
/* The same on plain images. */
ftk_status ftk__validate_images(struct ftk__engine *e, const struct ftk__images *im,
                                float *ret_logits, struct ftk__scores *ret,
                                struct ftk_error *reterr);
#endif
