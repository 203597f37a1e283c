/* SPDX-License-Identifier: MIT
 * data/sets.h - what a data set has to provide (set_*.c), and how it is found by its built-in.
 */
#ifndef FTK__SETS_H
#define FTK__SETS_H
#include "data/dataset.h"

enum ftk__split { FTK__SPLIT_TRAIN, FTK__SPLIT_TEST };

/* The images of one split in memory, owned. */
struct ftk__store {
    uint32_t shape[3];          /* channels (at most 4), height, width          */
    uint32_t classes;
    uint64_t n;
    uint8_t *pixels;            // [n][c][h][w]
    int32_t *label;             // [n] 0..classes-1
};
void ftk__store_done(struct ftk__store *s);

struct ftk__set_size {
    uint32_t shape[3], classes;
    uint64_t n_train, n_test;
};

/* A new set: a file set_x.c with one of these, one line in sets.c and one below. */
struct ftk__set {
    struct ftk__builtin builtin; /* stays the first member                      */
    const char *normalise;      /* its own, a name of normalise.c               */
    /* Without its files where the size is known. */
    ftk_status (*size)(const struct ftk__data_request *q, struct ftk__set_size *ret,
                       struct ftk_error *reterr);
    /* A file missing: FTK_ENOENT (66); wrong: FTK_EINVAL (65). */
    ftk_status (*load)(const struct ftk__data_request *q, enum ftk__split split,
                       struct ftk__store *ret, struct ftk_error *reterr);
};
extern const struct ftk__set ftk__set_fashion_mnist, ftk__set_cifar10, ftk__set_cifar100,
    ftk__set_svhn, ftk__set_idx, ftk__set_npy, ftk__set_synthetic;

/* FTK_EINTERNAL for a built-in that is no data set. */
ftk_status ftk__set_find(const struct ftk__builtin *builtin, const struct ftk__set **ret,
                         struct ftk_error *reterr);
/* Room for n images of the store's shape. */
ftk_status ftk__store_alloc(struct ftk__store *s, struct ftk_error *reterr);
#endif
