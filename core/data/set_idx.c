/* SPDX-License-Identifier: MIT
 * data/set_idx.c - grey images and labels from any four IDX files.
 */
#include "data/idx.h"

struct idx_params {
    const char *train_images, *train_labels, *test_images, *test_labels;
    int64_t classes;
};

#define FILE_PARAM(field, help)                                                                    \
    FTK_PARAM_STR(struct idx_params, field, "", FTK_PF_REQUIRED | FTK_PF_PATH, help)

static const ftk_param params[] = {
    FILE_PARAM(train_images, "IDX file of the training images, plain or gzip"),
    FILE_PARAM(train_labels, "IDX file of the training labels"),
    FILE_PARAM(test_images, "IDX file of the test images"),
    FILE_PARAM(test_labels, "IDX file of the test labels"),
    FTK_PARAM_I64(struct idx_params, classes, 10, 2, 256, "", "number of classes"),
    FTK_PARAM_END,
};

static ftk_status size(const struct ftk__data_request *q, struct ftk__set_size *ret,
                       struct ftk_error *reterr)
{
    const struct idx_params *p = q->params;
    struct ftk__idx_shape want = { .n_dims = 3 };
    struct ftk__idx_shape train;
    struct ftk__idx_shape test;
    ftk_status st = ftk__idx_read_shape(p->train_images, &want, &train, reterr);
    if (st != FTK_OK)
        return st;
    want.dims[1] = train.dims[1];
    want.dims[2] = train.dims[2];
    st = ftk__idx_read_shape(p->test_images, &want, &test, reterr);
    if (st != FTK_OK)
        return st;
    *ret = (struct ftk__set_size){
        .shape = { 1, train.dims[1], train.dims[2] },
        .classes = (uint32_t)p->classes,
        .n_train = train.dims[0],
        .n_test = test.dims[0],
    };
    return FTK_OK;
}

/* Test images must be of the training images' size, which the header of those tells. */
static ftk_status load(const struct ftk__data_request *q, enum ftk__split split,
                       struct ftk__store *ret, struct ftk_error *reterr)
{
    const struct idx_params *p = q->params;
    struct ftk__idx_shape want = { .n_dims = 3 };
    if (split == FTK__SPLIT_TRAIN)
        return ftk__idx_load(p->train_images, p->train_labels, &want, (uint32_t)p->classes, ret,
                             reterr);
    struct ftk__idx_shape train;
    ftk_status st = ftk__idx_read_shape(p->train_images, &want, &train, reterr);
    if (st != FTK_OK)
        return st;
    want.dims[1] = train.dims[1];
    want.dims[2] = train.dims[2];
    return ftk__idx_load(p->test_images, p->test_labels, &want, (uint32_t)p->classes, ret, reterr);
}

const struct ftk__set ftk__set_idx = {
    .builtin = {
        .group = "data",
        .name = "idx",
        .summary = "grey images and labels from four IDX files, plain or gzip",
        .reference = "http://yann.lecun.com/exdb/mnist/",
        .params = params,
        .params_size = sizeof(struct idx_params),
    },
    .normalise = "none",
    .size = size,
    .load = load,
};
