/* SPDX-License-Identifier: MIT
 * data/set_fashion_mnist.c - Fashion-MNIST (Xiao, Rasul, Vollgraf 2017): four IDX files, 60,000 and
 * 10,000 images of 28x28, as Debian packages them.
 */
#include "base/mem.h"
#include "data/catalogue.h"
#include "data/idx.h"

enum { SIDE = 28, CLASSES = 10, N_TRAIN = 60000, N_TEST = 10000 };

static const char train_images[] = "train-images-idx3-ubyte";

static ftk_status size(const struct ftk__data_request *q, struct ftk__set_size *ret,
                       struct ftk_error *reterr)
{
    (void)q;
    (void)reterr;
    *ret = (struct ftk__set_size){
        .shape = { 1, SIDE, SIDE },
        .classes = CLASSES,
        .n_train = N_TRAIN,
        .n_test = N_TEST,
    };
    return FTK_OK;
}

static ftk_status load(const struct ftk__data_request *q, enum ftk__split split,
                       struct ftk__store *ret, struct ftk_error *reterr)
{
    bool train = split == FTK__SPLIT_TRAIN;
    const struct ftk__idx_shape want = { 3, { train ? N_TRAIN : N_TEST, SIDE, SIDE } };
    const struct ftk__place *place = &ftk__catalogue_fashion_mnist.place;
    char *folder;
    ftk_status st = ftk__place_folder(place, q->dir, train_images, &folder, reterr);
    if (st != FTK_OK)
        return st;
    char *images = NULL;
    char *labels = NULL;
    st = ftk__place_file(place, folder, train ? train_images : "t10k-images-idx3-ubyte", &images,
                         reterr);
    if (st == FTK_OK)
        st = ftk__place_file(place, folder,
                             train ? "train-labels-idx1-ubyte" : "t10k-labels-idx1-ubyte", &labels,
                             reterr);
    if (st == FTK_OK)
        st = ftk__idx_load(images, labels, &want, CLASSES, ret, reterr);
    ftk__free(images);
    ftk__free(labels);
    ftk__free(folder);
    return st;
}

const struct ftk__set ftk__set_fashion_mnist = {
    .builtin = {
        .group = "data",
        .name = "fashion_mnist",
        .summary = "Fashion-MNIST: 60,000 + 10,000 grey images of 28x28, 10 classes",
        .reference = "Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747",
    },
    .normalise = "fashion_mnist",
    .size = size,
    .load = load,
};
