/* SPDX-License-Identifier: MIT
 * data/set_cifar.c - CIFAR-10 and CIFAR-100 (Krizhevsky 2009): 50,000 and 10,000 colour images of
 * 32x32 in the binary version of the authors' archives.  CIFAR-100 is used with its fine labels.
 */
#include "base/mem.h"
#include "data/catalogue.h"
#include "data/records.h"

enum { SIDE = 32, N_TRAIN = 50000, N_TEST = 10000 };

/* The files of one set: the training images in equal parts, then the test images. */
struct layout {
    const struct ftk__catalogue *set;
    struct ftk__record_format format;
    uint32_t n_train_files;
    uint32_t classes;
};
static const struct layout cifar10 = { &ftk__catalogue_cifar10, { 1, { 10, 0 } }, 5, 10 };
static const struct layout cifar100 = { &ftk__catalogue_cifar100, { 2, { 20, 100 } }, 1, 100 };

static ftk_status fill_size(const struct layout *l, struct ftk__set_size *ret)
{
    *ret = (struct ftk__set_size){
        .shape = { 3, SIDE, SIDE },
        .classes = l->classes,
        .n_train = N_TRAIN,
        .n_test = N_TEST,
    };
    return FTK_OK;
}

/* Files first..first+n of the catalogue, `images` in each, from `folder`. */
static ftk_status read_files(const struct layout *l, const char *folder, uint32_t first, uint32_t n,
                             uint64_t images, const struct ftk__store *to, struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    for (uint32_t i = 0; i < n && st == FTK_OK; i++) {
        char *path;
        st = ftk__place_file(&l->set->place, folder, l->set->files[first + i].name, &path, reterr);
        if (st != FTK_OK)
            break;
        st = ftk__records_read(path, &l->format, images, i * images, to, reterr);
        ftk__free(path);
    }
    return st;
}

static ftk_status load(const struct layout *l, const struct ftk__data_request *q,
                       enum ftk__split split, struct ftk__store *ret, struct ftk_error *reterr)
{
    bool train = split == FTK__SPLIT_TRAIN;
    uint32_t first = train ? 0 : l->n_train_files;
    uint32_t n_files = train ? l->n_train_files : 1;
    struct ftk__store s = {
        .shape = { 3, SIDE, SIDE },
        .classes = l->classes,
        .n = train ? N_TRAIN : N_TEST,
    };
    char *folder;
    ftk_status st =
        ftk__place_folder(&l->set->place, q->dir, l->set->files[first].name, &folder, reterr);
    if (st != FTK_OK)
        return st;
    st = ftk__store_alloc(&s, reterr);
    if (st == FTK_OK)
        st = read_files(l, folder, first, n_files, s.n / n_files, &s, reterr);
    if (st == FTK_OK)
        *ret = s;
    else
        ftk__store_done(&s);
    ftk__free(folder);
    return st;
}

static ftk_status size10(const struct ftk__data_request *q, struct ftk__set_size *ret,
                         struct ftk_error *reterr)
{
    (void)q;
    (void)reterr;
    return fill_size(&cifar10, ret);
}

static ftk_status load10(const struct ftk__data_request *q, enum ftk__split split,
                         struct ftk__store *ret, struct ftk_error *reterr)
{
    return load(&cifar10, q, split, ret, reterr);
}

static ftk_status size100(const struct ftk__data_request *q, struct ftk__set_size *ret,
                          struct ftk_error *reterr)
{
    (void)q;
    (void)reterr;
    return fill_size(&cifar100, ret);
}

static ftk_status load100(const struct ftk__data_request *q, enum ftk__split split,
                          struct ftk__store *ret, struct ftk_error *reterr)
{
    return load(&cifar100, q, split, ret, reterr);
}

const struct ftk__set ftk__set_cifar10 = {
    .builtin = {
        .group = "data",
        .name = "cifar10",
        .summary = "CIFAR-10: 50,000 + 10,000 colour images of 32x32, 10 classes",
        .reference = "Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images",
    },
    .normalise = "cifar10",
    .size = size10,
    .load = load10,
};

const struct ftk__set ftk__set_cifar100 = {
    .builtin = {
        .group = "data",
        .name = "cifar100",
        .summary = "CIFAR-100: 50,000 + 10,000 colour images of 32x32, 100 (fine) classes",
        .reference = "Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images",
    },
    .normalise = "cifar100",
    .size = size100,
    .load = load100,
};
