/* SPDX-License-Identifier: MIT
 * data/set_fashion_mnist.c - Fashion-MNIST (Xiao, Rasul, Vollgraf 2017): four IDX files, 60,000 and
 * 10,000 images of 28x28, as Debian packages them.
 */
#include "base/io.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "data/idx.h"
#include <stdlib.h>
#include <string.h>

enum { SIDE = 28, CLASSES = 10, N_TRAIN = 60000, N_TEST = 10000, MAX_PLACES = 3 };

static const char package_folder[] = "/usr/share/datasets/fashion-mnist";
static const char train_images[] = "train-images-idx3-ubyte";

static ftk_status no_memory(struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "out of memory for a file name");
}

static ftk_status size(const struct ftk__data_request *q, struct ftk__set_size *ret,
                       struct ftk_error *reterr)
{
    (void)q;
    (void)reterr;
    *ret = (struct ftk__set_size){
        .shape = {1, SIDE, SIDE},
        .classes = CLASSES,
        .n_train = N_TRAIN,
        .n_test = N_TEST,
    };
    return FTK_OK;
}

/* <folder>/<name>, or with ".gz" where only that exists; *ret is NULL where neither does. */
static ftk_status find_file(const char *folder, const char *name, char **ret,
                            struct ftk_error *reterr)
{
    char gz[64];
    ftk__format(gz, sizeof gz, "%s.gz", name);
    const char *names[] = {name, gz};
    for (size_t i = 0; i < 2; i++) {
        char *path = ftk__path_join(folder, names[i]);
        if (!path)
            return no_memory(reterr);
        if (ftk__file_exists(path)) {
            *ret = path;
            return FTK_OK;
        }
        ftk__free(path);
    }
    *ret = NULL;
    return FTK_OK;
}

/* Where to look, in order; false without memory.  Entries are the caller's. */
static bool list_places(const char *dir, char *ret[MAX_PLACES], uint32_t *ret_n)
{
    uint32_t n = 0;
    if (*dir) {
        ret[n++] = ftk__strdup(dir);
    } else {
        char *data = ftk__path_data();
        const char *env = getenv("FREETICKETS_DATA");
        ret[n++] = data ? ftk__path_join(data, "fashion-mnist") : NULL;
        ftk__free(data);
        if (env && *env)
            ret[n++] = ftk__strdup(env);
        ret[n++] = ftk__strdup(package_folder);
    }
    *ret_n = n;
    bool ok = true;
    for (uint32_t i = 0; i < n; i++)
        ok = ok && ret[i];
    return ok;
}

static ftk_status not_found(const char *where, const char *name, struct ftk_error *reterr)
{
    return ftk__fail_exit(reterr, FTK_ENOENT, FTK__EXIT_NO_DATA,
                          "no %s or %s.gz of Fashion-MNIST in %s; get the files by "
                          "`apt-get install dataset-fashion-mnist`, or name their folder in "
                          "data.dir",
                          name, name, where);
}

/* The first place that has the training images, in any case. */
static ftk_status find_folder(const char *dir, char **ret, struct ftk_error *reterr)
{
    char *place[MAX_PLACES] = {NULL};
    uint32_t n;
    ftk_status st = FTK_OK;
    struct ftk__str tried = {0};
    char *folder = NULL;
    if (!list_places(dir, place, &n))
        st = no_memory(reterr);
    for (uint32_t i = 0; i < n && st == FTK_OK && !folder; i++) {
        char *file = NULL;
        st = find_file(place[i], train_images, &file, reterr);
        ftk__str_addf(&tried, "%s%s", i > 0 ? ", " : "", place[i]);
        if (file) {
            folder = place[i];
            place[i] = NULL;
        }
        ftk__free(file);
    }
    if (st == FTK_OK && tried.failed)
        st = no_memory(reterr);
    if (st == FTK_OK && !folder)
        st = not_found(tried.text, train_images, reterr);
    for (uint32_t i = 0; i < n; i++)
        ftk__free(place[i]);
    ftk__str_done(&tried);
    if (st == FTK_OK)
        *ret = folder;
    else
        ftk__free(folder);
    return st;
}

static ftk_status find_in(const char *folder, const char *name, char **ret,
                          struct ftk_error *reterr)
{
    ftk_status st = find_file(folder, name, ret, reterr);
    return st == FTK_OK && !*ret ? not_found(folder, name, reterr) : st;
}

static ftk_status load(const struct ftk__data_request *q, enum ftk__split split,
                       struct ftk__store *ret, struct ftk_error *reterr)
{
    bool train = split == FTK__SPLIT_TRAIN;
    const struct ftk__idx_shape want = {3, {train ? N_TRAIN : N_TEST, SIDE, SIDE}};
    char *folder;
    ftk_status st = find_folder(q->dir, &folder, reterr);
    if (st != FTK_OK)
        return st;
    char *images = NULL;
    char *labels = NULL;
    st = find_in(folder, train ? train_images : "t10k-images-idx3-ubyte", &images, reterr);
    if (st == FTK_OK)
        st = find_in(folder, train ? "train-labels-idx1-ubyte" : "t10k-labels-idx1-ubyte", &labels,
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
