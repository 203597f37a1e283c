/* SPDX-License-Identifier: MIT
 * data/set_npy.c - images and labels from four .npy files: images of bytes [n][c][h][w],
 * [n][h][w][c] (as CIFAR-10.1 and CIFAR-10-C are published) or [n][h][w], labels [n] of bytes,
 * int32 or int64.
 */
#include "base/mem.h"
#include "base/npy.h"
#include "data/sets.h"
#include <string.h>

enum { MAX_CHANNELS = 4 };

struct npy_params {
    const char *train_images, *train_labels, *test_images, *test_labels;
    int64_t classes;
};

#define FILE_PARAM(field, help)                                                                    \
    FTK_PARAM_STR(struct npy_params, field, "", FTK_PF_REQUIRED | FTK_PF_PATH, help)

static const ftk_param params[] = {
    FILE_PARAM(train_images, ".npy of the training images, uint8 [n][c][h][w] or [n][h][w][c]"),
    FILE_PARAM(train_labels, ".npy of the training labels, [n] of uint8, int32 or int64"),
    FILE_PARAM(test_images, ".npy of the test images"),
    FILE_PARAM(test_labels, ".npy of the test labels"),
    FTK_PARAM_I64(struct npy_params, classes, 10, 2, 65536, "", "number of classes"),
    FTK_PARAM_END,
};

/* How images lie in their file. */
struct layout {
    uint64_t n;
    uint32_t shape[3]; /* channels, height, width                      */
    bool channels_last;
};

static ftk_status wrong(const char *path, struct ftk_error *reterr, const char *what)
{
    return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA, "%s: %s", path, what);
}

static ftk_status read_layout(const char *path, const struct ftk__st_array *a, struct layout *ret,
                              struct ftk_error *reterr)
{
    if (a->dtype != FTK__U8)
        return wrong(path, reterr, "images are not of uint8 ('descr' |u1)");
    if (a->n_dims != 3 && a->n_dims != 4)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                              "%s: images of %u dimensions, expected 3 or 4", path, a->n_dims);
    for (uint32_t d = 0; d < a->n_dims; d++) {
        if (a->dims[d] == 0 || a->dims[d] > INT32_MAX)
            return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                                  "%s: dimension %u is %llu, expected 1 to %d", path, d,
                                  (unsigned long long)a->dims[d], INT32_MAX);
    }
    const uint64_t *dims = a->dims;
    bool first = a->n_dims == 4 && dims[1] <= MAX_CHANNELS;
    bool last = a->n_dims == 4 && dims[3] <= MAX_CHANNELS;
    if (a->n_dims == 4 && first == last)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                              "%s: %s of dimensions 1 (%llu) and 3 (%llu) can be channels, at most "
                              "%d",
                              path, first ? "both" : "neither", (unsigned long long)dims[1],
                              (unsigned long long)dims[3], MAX_CHANNELS);
    uint32_t side = first ? 2 : 1;
    *ret = (struct layout){
        .n = dims[0],
        .shape = { first  ? (uint32_t)dims[1]
                   : last ? (uint32_t)dims[3]
                          : 1,
                   (uint32_t)dims[side], (uint32_t)dims[side + 1] },
        .channels_last = last,
    };
    return FTK_OK;
}

static ftk_status read_shape(const char *path, struct layout *ret, struct ftk_error *reterr)
{
    struct ftk__st_array a;
    ftk_status st = ftk__npy_read_shape(path, &a, reterr);
    return st == FTK_OK ? read_layout(path, &a, ret, reterr) : st;
}

/* Test images must be of the training images' size. */
static ftk_status same_size(const char *path, const struct layout *test, const struct layout *train,
                            struct ftk_error *reterr)
{
    const uint32_t *a = test->shape;
    const uint32_t *b = train->shape;
    if (memcmp(a, b, sizeof test->shape) == 0)
        return FTK_OK;
    return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                          "%s: images of %ux%ux%u, those of training are of %ux%ux%u", path, a[0],
                          a[1], a[2], b[0], b[1], b[2]);
}

static ftk_status size(const struct ftk__data_request *q, struct ftk__set_size *ret,
                       struct ftk_error *reterr)
{
    const struct npy_params *p = q->params;
    struct layout train;
    struct layout test;
    ftk_status st = read_shape(p->train_images, &train, reterr);
    if (st == FTK_OK)
        st = read_shape(p->test_images, &test, reterr);
    if (st == FTK_OK)
        st = same_size(p->test_images, &test, &train, reterr);
    if (st != FTK_OK)
        return st;
    *ret = (struct ftk__set_size){
        .shape = { train.shape[0], train.shape[1], train.shape[2] },
        .classes = (uint32_t)p->classes,
        .n_train = train.n,
        .n_test = test.n,
    };
    return FTK_OK;
}

/* [n][h][w][c] to [n][c][h][w]. */
static void channels_first(const uint8_t *from, uint64_t n, const uint32_t shape[3], uint8_t *ret)
{
    uint64_t plane = (uint64_t)shape[1] * shape[2];
    for (uint64_t i = 0; i < n; i++) {
        for (uint64_t at = 0; at < plane; at++) {
            for (uint32_t c = 0; c < shape[0]; c++)
                ret[(i * shape[0] + c) * plane + at] = *from++;
        }
    }
}

static ftk_status read_images(const char *path, struct ftk__store *s, struct ftk_error *reterr)
{
    struct ftk__st_array a;
    struct layout l = { 0 };
    ftk_status st = ftk__npy_read(path, &a, reterr);
    if (st != FTK_OK)
        return st;
    uint8_t *bytes = (uint8_t *)(uintptr_t)a.data;
    st = read_layout(path, &a, &l, reterr);
    if (st == FTK_OK) {
        s->n = l.n;
        memcpy(s->shape, l.shape, sizeof s->shape);
    }
    if (st == FTK_OK && l.channels_last) {
        s->pixels = ftk__alloc_array(ftk__st_count(&a), 1);
        if (s->pixels)
            channels_first(bytes, l.n, l.shape, s->pixels);
        else
            st = ftk__fail(reterr, FTK_ENOMEM, "out of memory for the images of %s", path);
    } else if (st == FTK_OK) {
        s->pixels = bytes;
        bytes = NULL;
    }
    ftk__free(bytes);
    return st;
}

static int64_t label_at(const struct ftk__st_array *a, uint64_t i)
{
    if (a->dtype == FTK__U8)
        return ((const uint8_t *)a->data)[i];
    if (a->dtype == FTK__I32)
        return ((const int32_t *)a->data)[i];
    return ((const int64_t *)a->data)[i];
}

static ftk_status check_labels(const char *path, const struct ftk__st_array *a, uint64_t n,
                               struct ftk_error *reterr)
{
    if (a->dtype != FTK__U8 && a->dtype != FTK__I32 && a->dtype != FTK__I64)
        return wrong(path, reterr, "labels are not of uint8, int32 or int64");
    if (a->n_dims != 1)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                              "%s: labels of %u dimensions, expected 1", path, a->n_dims);
    if (a->dims[0] != n)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                              "%s: %llu labels, but there are %llu images", path,
                              (unsigned long long)a->dims[0], (unsigned long long)n);
    return FTK_OK;
}

static ftk_status read_labels(const char *path, struct ftk__store *s, struct ftk_error *reterr)
{
    struct ftk__st_array a;
    ftk_status st = ftk__npy_read(path, &a, reterr);
    if (st != FTK_OK)
        return st;
    st = check_labels(path, &a, s->n, reterr);
    if (st == FTK_OK) {
        s->label = ftk__alloc_array(s->n, sizeof *s->label);
        if (!s->label)
            st = ftk__fail(reterr, FTK_ENOMEM, "out of memory for the labels of %s", path);
    }
    for (uint64_t i = 0; i < s->n && st == FTK_OK; i++) {
        int64_t label = label_at(&a, i);
        s->label[i] = (int32_t)label;
        if (label < 0 || label >= s->classes)
            st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                                "%s: element %llu: label %lld is not 0 to %u", path,
                                (unsigned long long)i, (long long)label, s->classes - 1);
    }
    ftk__free((void *)(uintptr_t)a.data);
    return st;
}

static ftk_status load(const struct ftk__data_request *q, enum ftk__split split,
                       struct ftk__store *ret, struct ftk_error *reterr)
{
    const struct npy_params *p = q->params;
    bool train = split == FTK__SPLIT_TRAIN;
    const char *images = train ? p->train_images : p->test_images;
    struct ftk__store s = { .classes = (uint32_t)p->classes };
    struct layout other;
    ftk_status st = read_images(images, &s, reterr);
    if (st == FTK_OK && !train) {
        struct layout test = { .shape = { s.shape[0], s.shape[1], s.shape[2] } };
        st = read_shape(p->train_images, &other, reterr);
        if (st == FTK_OK)
            st = same_size(images, &test, &other, reterr);
    }
    if (st == FTK_OK)
        st = read_labels(train ? p->train_labels : p->test_labels, &s, reterr);
    if (st == FTK_OK)
        *ret = s;
    else
        ftk__store_done(&s);
    return st;
}

const struct ftk__set ftk__set_npy = {
    .builtin = {
        .group = "data",
        .name = "npy",
        .summary = "images and labels from four .npy files",
        .reference = "https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html",
        .params = params,
        .params_size = sizeof(struct npy_params),
    },
    .normalise = "none",
    .size = size,
    .load = load,
};
