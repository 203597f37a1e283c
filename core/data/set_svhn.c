/* SPDX-License-Identifier: MIT
 * data/set_svhn.c - SVHN, cropped digits (Netzer et al. 2011): two MATLAB files, each X
 * [32][32][3][n] (row, column, channel, image; the row fastest) and y [n] (1 to 9, and 10 for the
 * digit 0).
 *
 * It has no customary normalisation; its own here is mean and standard deviation, by channel, of
 * its 73,257 training images.  As a foreign set for networks trained on CIFAR it is normalised as
 * those are.
 */
#include "data/svhn.h"
#include "base/mem.h"
#include "data/catalogue.h"
#include "data/mat5.h"

enum { SIDE = 32, CHANNELS = 3, CLASSES = 10, N_TRAIN = 73257, N_TEST = 26032 };

/* MATLAB's columns to rows. */
static void turn_plane(uint8_t *plane)
{
    for (uint32_t y = 0; y < SIDE; y++) {
        for (uint32_t x = y + 1; x < SIDE; x++) {
            uint8_t v = plane[y * SIDE + x];
            plane[y * SIDE + x] = plane[x * SIDE + y];
            plane[x * SIDE + y] = v;
        }
    }
}

static ftk_status read_images(const char *path, uint32_t n, struct ftk__store *s,
                              struct ftk_error *reterr)
{
    const struct ftk__mat5_array want = { .n_dims = 4, .dims = { SIDE, SIDE, CHANNELS, n } };
    struct ftk__mat5_array x;
    ftk_status st = ftk__mat5_read(path, "X", &want, &x, reterr);
    if (st != FTK_OK)
        return st;
    s->n = x.dims[3];
    s->pixels = x.bytes;
    for (uint64_t i = 0; i < s->n * CHANNELS; i++)
        turn_plane(s->pixels + i * SIDE * SIDE);
    return FTK_OK;
}

static ftk_status read_labels(const char *path, struct ftk__store *s, struct ftk_error *reterr)
{
    const struct ftk__mat5_array want = { .n_dims = 2, .dims = { (uint32_t)s->n, 1 } };
    struct ftk__mat5_array y;
    ftk_status st = ftk__mat5_read(path, "y", &want, &y, reterr);
    if (st != FTK_OK)
        return st;
    s->label = ftk__alloc_array(s->n, sizeof *s->label);
    if (!s->label)
        st = ftk__fail(reterr, FTK_ENOMEM, "out of memory for the labels of %s", path);
    for (uint64_t i = 0; i < s->n && st == FTK_OK; i++) {
        if (y.bytes[i] < 1 || y.bytes[i] > CLASSES)
            st = ftk__mat5_bad(path, &y, i, "a label is not 1 to 10", reterr);
        else
            s->label[i] = y.bytes[i] % CLASSES;
    }
    ftk__free(y.bytes);
    return st;
}

ftk_status ftk__svhn_read(const char *path, uint32_t n, struct ftk__store *ret,
                          struct ftk_error *reterr)
{
    struct ftk__store s = { .shape = { CHANNELS, SIDE, SIDE }, .classes = CLASSES };
    ftk_status st = read_images(path, n, &s, reterr);
    if (st == FTK_OK)
        st = read_labels(path, &s, reterr);
    if (st == FTK_OK)
        *ret = s;
    else
        ftk__store_done(&s);
    return st;
}

static ftk_status size(const struct ftk__data_request *q, struct ftk__set_size *ret,
                       struct ftk_error *reterr)
{
    (void)q;
    (void)reterr;
    *ret = (struct ftk__set_size){
        .shape = { CHANNELS, SIDE, SIDE },
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
    const struct ftk__catalogue *set = &ftk__catalogue_svhn;
    char *path;
    ftk_status st =
        ftk__place_find(&set->place, q->dir, set->files[train ? 0 : 1].name, &path, reterr);
    if (st != FTK_OK)
        return st;
    st = ftk__svhn_read(path, train ? N_TRAIN : N_TEST, ret, reterr);
    ftk__free(path);
    return st;
}

const struct ftk__set ftk__set_svhn = {
    .builtin = {
        .group = "data",
        .name = "svhn",
        .summary = "SVHN, cropped: 73,257 + 26,032 colour images of 32x32, 10 digits",
        .reference = "Netzer et al. 2011, Reading Digits in Natural Images",
    },
    .normalise = "svhn",
    .size = size,
    .load = load,
};
