/* SPDX-License-Identifier: MIT
 * backend_pair.h - for tests of backends: one network in two backends, the second being the oracle.
 *
 * Whatever differs by more than it may fails the running CMocka test.
 */
#ifndef TESTS_BACKEND_PAIR_H
#define TESTS_BACKEND_PAIR_H
#include "graph_case.h"

/* NMSE that fp32 arrays of two backends keep. */
#define PAIR_NEAR 1e-10

/* The same network in both backends, with the same state. */
struct backend_pair {
    const struct bt_backend *backend[2]; /* the one under test, the oracle              */
    ftk_prog *prog[2];
    struct graph_case *g;                /* the caller's                                */
    double most;                         /* NMSE that no array may exceed: PAIR_NEAR    */
    uint32_t arrays, far;                /* compared; of them above PAIR_NEAR           */
    char what[96];                       /* for messages                                */
};

/* Compiles `g` for both with FTK_BUILD_* `flags`, fills by `seed` at `density`. */
void pair_open(struct backend_pair *p, const struct bt_backend *const backend[2],
               ftk_dev *const dev[2], struct graph_case *g, uint32_t max_batch, double density,
               uint64_t seed, uint32_t flags, const char *what);
void pair_close(struct backend_pair *p);
/* An oracle's floats `b` against `a`. */
void pair_expect(struct backend_pair *p, const char *array, const float *a, const float *b,
                 uint64_t n);
void pair_arrays(struct backend_pair *p);
void pair_predict(struct backend_pair *p, const struct graph_batch *b);
void pair_grad_input(struct backend_pair *p, const struct graph_batch *b);
/* Kept gradients of all sparse layers. */
void pair_kept(struct backend_pair *p);
void pair_stats(struct backend_pair *p);
/* A step of both; FTK_STEP_* `flags`. */
void pair_step(struct backend_pair *p, const struct graph_batch *b, uint32_t flags);
/* The same edit: every `period`th active weight goes, the first inactive ones come at 0.25. */
void pair_edit(struct backend_pair *p, uint32_t layer, uint64_t period, uint32_t flags);
/* Forward, input gradient, two steps of different size, everything compared. */
void pair_all(struct backend_pair *p, uint32_t count, uint32_t part, uint64_t seed);
#endif
