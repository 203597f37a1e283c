/* SPDX-License-Identifier: MIT
 * eval/validate.c - batches through predict(), scored in double.
 */
#include "eval/validate.h"

#include "base/mem.h"
#include <math.h>
#include <string.h>

struct buffers {
    float *x;      // [batch][c][h][w]
    int32_t *y;    // [batch]
    float *logits; // [batch][classes]
};

static void free_buffers(struct buffers *b)
{
    ftk__free(b->x);
    ftk__free(b->y);
    ftk__free(b->logits);
}

static ftk_status alloc_buffers(struct buffers *b, uint64_t batch, uint64_t image, uint32_t classes,
                                struct ftk_error *reterr)
{
    b->x = ftk__alloc_array(batch * image, sizeof(*b->x));
    b->y = ftk__alloc_array(batch, sizeof(*b->y));
    b->logits = ftk__alloc_array(batch * classes, sizeof(*b->logits));
    if (b->x && b->y && b->logits)
        return FTK_OK;
    return ftk__fail(reterr, FTK_ENOMEM, "no memory for a batch of %llu images",
                     (unsigned long long)batch);
}

/* -log softmax(z)[label] by log-sum-exp; *ret_top the first of the largest. */
static double sample_nll(const float *z, uint32_t classes, int32_t label, uint32_t *ret_top)
{
    uint32_t top = 0;
    double sum = 0;
    for (uint32_t c = 1; c < classes; c++)
        if (z[c] > z[top])
            top = c;
    for (uint32_t c = 0; c < classes; c++)
        sum += exp((double)z[c] - (double)z[top]);
    *ret_top = top;
    return log(sum) + (double)z[top] - (double)z[label];
}

static ftk_status predict(struct ftk__engine *e, const struct buffers *b, uint64_t count,
                          struct ftk_error *reterr)
{
    const ftk_batch batch = {
        .size = sizeof(batch),
        .count = (uint32_t)count,
        .heads = 1,
        .x = b->x,
        .y = b->y,
    };
    const ftk_batch *all[1] = { &batch };
    ftk__engine_begin(e);
    ftk_status st = e->ops->predict(e->prog, all, b->logits);
    return ftk__engine_end(e, st, reterr);
}

ftk_status ftk__validate(struct ftk__engine *e, const uint32_t shape[3], uint32_t classes,
                         uint64_t n, ftk__fill_fn fill, const void *arg, float *ret_logits,
                         struct ftk__scores *ret, struct ftk_error *reterr)
{
    struct buffers b = { 0 };
    uint64_t correct = 0;
    double nll = 0;
    uint64_t image = (uint64_t)shape[0] * shape[1] * shape[2];
    ftk_status st = alloc_buffers(&b, e->max_batch, image, classes, reterr);
    for (uint64_t from = 0; from < n && st >= 0; from += e->max_batch) {
        uint64_t count = n - from < e->max_batch ? n - from : e->max_batch;
        fill(arg, from, count, b.x, b.y);
        st = predict(e, &b, count, reterr);
        for (uint64_t i = 0; i < count && st >= 0; i++) {
            uint32_t top;
            nll += sample_nll(b.logits + i * classes, classes, b.y[i], &top);
            correct += (int32_t)top == b.y[i];
        }
        if (st >= 0 && ret_logits)
            memcpy(ret_logits + from * classes, b.logits, count * classes * sizeof(float));
    }
    free_buffers(&b);
    if (st < 0)
        return st;
    *ret = (struct ftk__scores){ .accuracy = n ? (double)correct / (double)n : (double)NAN,
                                 .nll = n ? nll / (double)n : (double)NAN };
    return FTK_OK;
}

static void fill_plain(const void *arg, uint64_t from, uint64_t count, float *ret_x, int32_t *ret_y)
{
    ftk__images_fill(arg, from, count, ret_x, ret_y);
}

ftk_status ftk__validate_images(struct ftk__engine *e, const struct ftk__images *im,
                                float *ret_logits, struct ftk__scores *ret,
                                struct ftk_error *reterr)
{
    return ftk__validate(e, im->shape, im->classes, im->n, fill_plain, im, ret_logits, ret, reterr);
}
