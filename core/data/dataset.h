/* SPDX-License-Identifier: MIT
 * data/dataset.h - training and validation images, and the batches made of them.
 *
 * Training code sees this header alone of data/: no handle to test data can reach it.  Order, crop
 * and flip are functions of (seed, member, pass, sample), whatever thread prepares them and when.
 */
#ifndef FTK__DATASET_H
#define FTK__DATASET_H
#include "base/builtin.h"
#include "base/hash.h"
#include <freetickets/graph.h>
#include <stdbool.h>

/* NULL-terminated: the sets of data/sets.c. */
extern const struct ftk__builtin *const ftk__data_builtins[];

struct ftk__images {            /* a set, or a stretch of one                   */
    uint32_t shape[3];          /* channels, height, width                      */
    uint32_t classes;
    uint64_t n;
    const uint8_t *pixels;      // [n][c][h][w]
    const int32_t *label;       // [n]
    float mean[4], std[4];      // [channels]: x = (v / 255 - mean) / std
};
/* Normalised, no augmentation: x[count][c][h][w], y[count] of images from..from+count. */
void ftk__images_fill(const struct ftk__images *im, uint64_t from, uint64_t count, float *ret_x,
                      int32_t *ret_y);
/* SHA-256 over shape, classes, number, pixels and labels as decoded: the same for a plain and a
 * compressed file, and whatever mean and std are.                                           */
ftk_status ftk__images_hash(const struct ftk__images *im, struct ftk__sha256 *ret,
                            struct ftk_error *reterr);

struct ftk__data_request {
    const struct ftk__builtin *set;
    const void *params;
    const char *dir;            /* "": FREETICKETS_DATA, the standing places    */
    uint64_t validation, limit;
    uint32_t augment, pad;      /* 0 none, 1 flip, 2 standard; 0 reflect, 1 zero (as in config) */
    bool validation_augmented;
    const double *mean, *std;   // [n_norm]
    uint32_t n_norm;            /* 0: as `normalise` names                      */
    const char *normalise;      /* "" : the set's own; "none"; another set's name */
    uint64_t seed;
};
struct ftk__data_info {         /* without opening the files where the set is a named one */
    uint32_t shape[3], classes;
    uint64_t n_train_file, n_test; /* in the files                               */
    uint64_t n_train, n_validation; /* after the split and the limit              */
};
/* Errors: a split or limit beyond the data (78), a file missing (66, with the command that gets
 * it), wrong (65).                                                                          */
ftk_status ftk__data_info(const struct ftk__data_request *q, struct ftk__data_info *ret,
                          struct ftk_error *reterr);

struct ftk__dataset;
ftk_status ftk__dataset_open(const struct ftk__data_request *q, struct ftk__dataset **ret,
                             struct ftk_error *reterr);
void ftk__dataset_close(struct ftk__dataset *d);
const struct ftk__images *ftk__dataset_train(const struct ftk__dataset *d);
const struct ftk__images *ftk__dataset_validation(const struct ftk__dataset *d); /* n may be 0  */
/* Validation images as augmented for (member, pass) if validation_augmented, else as by
 * ftk__images_fill.                                                                         */
void ftk__dataset_fill_validation(const struct ftk__dataset *d, uint32_t member, uint64_t pass,
                                  uint64_t from, uint64_t count, float *ret_x, int32_t *ret_y);
/* ftk__images_hash of all training images in the file, validation included, for run.json.     */
ftk_status ftk__dataset_hash(const struct ftk__dataset *d, struct ftk__sha256 *ret,
                             struct ftk_error *reterr);

/* Batches in the order of a pass, prepared ahead by a background thread that blocks all signals. */
struct ftk__feed_key {
    uint32_t member;
    uint64_t pass;              /* from 0, RESEED's addition included by the caller as `reseed` */
    uint64_t reseed;
    uint64_t batch;             /* within the pass, from 0                      */
};
struct ftk__feed;
ftk_status ftk__feed_open(const struct ftk__dataset *d, uint32_t batch_size,
                          struct ftk__feed **ret, struct ftk_error *reterr);
void ftk__feed_close(struct ftk__feed *f);
uint64_t ftk__feed_batches(const struct ftk__feed *f); /* a pass: ceil(n / batch size)         */
/* The batch at `key`; the same key gives the same batch.  Prepares the following ones ahead.  The
 * result is valid until the next call.  batch.rng is left zero.                             */
ftk_status ftk__feed_get(struct ftk__feed *f, const struct ftk__feed_key *key,
                         const ftk_batch **ret, struct ftk_error *reterr);
#endif
