/* SPDX-License-Identifier: MIT
 * data/dataset.c - the split of the training images, and its two parts opened.
 */
#include "base/mem.h"
#include "data/dataset_parts.h"
#include "data/normalise.h"
#include <string.h>

/* The last q->validation images in file order, then the first q->limit of the rest. */
static ftk_status split(const struct ftk__data_request *q, uint64_t n, uint64_t *ret_train,
                        struct ftk_error *reterr)
{
    if (q->validation >= n)
        return ftk__fail(reterr, FTK_EINVAL,
                         "data.validation %llu leaves none of the %llu training images",
                         (unsigned long long)q->validation, (unsigned long long)n);
    uint64_t rest = n - q->validation;
    if (q->limit > rest)
        return ftk__fail(reterr, FTK_EINVAL,
                         "data.limit %llu is above %llu, the training images that validation "
                         "leaves",
                         (unsigned long long)q->limit, (unsigned long long)rest);
    *ret_train = q->limit > 0 ? q->limit : rest;
    return FTK_OK;
}

/* What can be said without images; `n` is the number of training images in the file. */
static ftk_status check_request(const struct ftk__data_request *q, const uint32_t shape[3],
                                uint64_t n, struct ftk_error *reterr)
{
    if (n > INT32_MAX)
        return ftk__fail(reterr, FTK_EINVAL, "%llu training images, at most %d are supported",
                         (unsigned long long)n, INT32_MAX);
    bool reflects = q->augment == FTK__MODE_STANDARD && q->pad == FTK__FILL_REFLECT;
    if (reflects && (shape[1] <= FTK__CROP || shape[2] <= FTK__CROP))
        return ftk__fail(reterr, FTK_EINVAL,
                         "data.augment \"standard\" reflects %d pixels, images of %ux%u are too "
                         "small for it",
                         FTK__CROP, shape[1], shape[2]);
    return FTK_OK;
}

ftk_status ftk__data_info(const struct ftk__data_request *q, struct ftk__data_info *ret,
                          struct ftk_error *reterr)
{
    const struct ftk__set *set;
    struct ftk__set_size size;
    struct ftk__images norm;
    uint64_t n_train = 0;
    ftk_status st = ftk__set_find(q->set, &set, reterr);
    if (st == FTK_OK)
        st = set->size(q, &size, reterr);
    if (st == FTK_OK)
        st = check_request(q, size.shape, size.n_train, reterr);
    if (st == FTK_OK)
        st = ftk__normalise(q, set->normalise, size.shape[0], &norm, reterr);
    if (st == FTK_OK)
        st = split(q, size.n_train, &n_train, reterr);
    if (st != FTK_OK)
        return st;
    *ret = (struct ftk__data_info){
        .shape = { size.shape[0], size.shape[1], size.shape[2] },
        .classes = size.classes,
        .n_train_file = size.n_train,
        .n_test = size.n_test,
        .n_train = n_train,
        .n_validation = q->validation,
    };
    return FTK_OK;
}

struct ftk__images ftk__store_view(const struct ftk__store *s, const struct ftk__images *norm,
                                   uint64_t from, uint64_t n)
{
    struct ftk__images im = *norm;
    uint64_t image = (uint64_t)s->shape[0] * s->shape[1] * s->shape[2];
    memcpy(im.shape, s->shape, sizeof im.shape);
    im.classes = s->classes;
    im.n = n;
    im.pixels = s->pixels + from * image;
    im.label = s->label + from;
    return im;
}

static ftk_status open_parts(struct ftk__dataset *d, const struct ftk__data_request *q,
                             struct ftk_error *reterr)
{
    const struct ftk__set *set;
    struct ftk__images norm = { 0 };
    uint64_t n_train = 0;
    ftk_status st = ftk__set_find(q->set, &set, reterr);
    if (st == FTK_OK)
        st = set->load(q, FTK__SPLIT_TRAIN, &d->store, reterr);
    if (st == FTK_OK)
        st = check_request(q, d->store.shape, d->store.n, reterr);
    if (st == FTK_OK)
        st = ftk__normalise(q, set->normalise, d->store.shape[0], &norm, reterr);
    if (st == FTK_OK)
        st = split(q, d->store.n, &n_train, reterr);
    if (st != FTK_OK)
        return st;
    d->train = ftk__store_view(&d->store, &norm, 0, n_train);
    d->validation = ftk__store_view(&d->store, &norm, d->store.n - q->validation, q->validation);
    d->augment = (struct ftk__augment){ q->augment, q->pad, q->seed };
    d->validation_augmented = q->validation_augmented;
    return FTK_OK;
}

ftk_status ftk__dataset_open(const struct ftk__data_request *q, struct ftk__dataset **ret,
                             struct ftk_error *reterr)
{
    struct ftk__dataset *d = ftk__alloc(sizeof *d);
    if (!d)
        return ftk__fail(reterr, FTK_ENOMEM, "out of memory for the data set");
    ftk_status st = open_parts(d, q, reterr);
    if (st == FTK_OK)
        *ret = d;
    else
        ftk__dataset_close(d);
    return st;
}

void ftk__dataset_close(struct ftk__dataset *d)
{
    if (!d)
        return;
    ftk__store_done(&d->store);
    ftk__free(d);
}

const struct ftk__images *ftk__dataset_train(const struct ftk__dataset *d)
{
    return &d->train;
}

const struct ftk__images *ftk__dataset_validation(const struct ftk__dataset *d)
{
    return &d->validation;
}

void ftk__dataset_fill_validation(const struct ftk__dataset *d, uint32_t member, uint64_t pass,
                                  uint64_t from, uint64_t count, float *ret_x, int32_t *ret_y)
{
    const struct ftk__images *im = &d->validation;
    if (!d->validation_augmented) {
        ftk__images_fill(im, from, count, ret_x, ret_y);
        return;
    }
    struct ftk__scale scale;
    ftk__scale_set(&scale, im);
    uint64_t floats = (uint64_t)im->shape[0] * im->shape[1] * im->shape[2];
    uint64_t first = d->store.n - im->n; /* streams go by the position in the file */
    for (uint64_t i = 0; i < count; i++) {
        ftk_sample s = { .index = (uint32_t)(from + i) };
        ftk__augment_draw(&d->augment, member, pass, first + from + i, &s);
        ftk__augment_apply(im, d->augment.fill, &s, &scale, ret_x + i * floats);
        ret_y[i] = im->label[from + i];
    }
}

ftk_status ftk__images_hash(const struct ftk__images *im, struct ftk__sha256 *ret,
                            struct ftk_error *reterr)
{
    struct ftk__hasher *h = ftk__hasher_new();
    if (!h)
        return ftk__fail(reterr, FTK_ENOMEM, "out of memory for the hash of the data");
    const uint64_t head[] = { im->shape[0], im->shape[1], im->shape[2], im->classes, im->n };
    ftk__hasher_add(h, head, sizeof head);
    ftk__hasher_add(h, im->pixels, head[0] * head[1] * head[2] * im->n);
    ftk__hasher_add(h, im->label, im->n * sizeof *im->label);
    return ftk__hasher_end(h, ret, reterr);
}

ftk_status ftk__dataset_hash(const struct ftk__dataset *d, struct ftk__sha256 *ret,
                             struct ftk_error *reterr)
{
    const struct ftk__images all = ftk__store_view(&d->store, &d->train, 0, d->store.n);
    return ftk__images_hash(&all, ret, reterr);
}
