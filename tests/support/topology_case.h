/* SPDX-License-Identifier: MIT
 * topology_case.h - for tests of sparse/: rules of a few lines, and a topology over a fake backend.
 */
#ifndef TESTS_TOPOLOGY_CASE_H
#define TESTS_TOPOLOGY_CASE_H
#include "conform/fake_backend.h"
#include "sparse/topology.h"

/* Level 1. */
extern const ftk_algo case_magnitude, case_gradient, case_momentum, case_age;
extern const ftk_algo case_uniform_prune, case_uniform_grow; /* claim UNIFORM; scoring them fails */
extern const ftk_algo case_random_grow; /* scores that are drawn                */
extern const ftk_algo case_nan_prune;   /* NaN for a weight of exactly 13       */
extern const ftk_algo case_counting_prune; /* |w| and a call counter in its state */
/* Level 2: the lowest |w| by budget and layer; the first inactive; a weight too few. */
extern const ftk_algo case_select_prune, case_select_grow, case_select_short, case_select_free;
/* The same, but a weight less of the first layer with a budget and one more of the last. */
extern const ftk_algo case_select_moved, case_grow_moved;
/* Inits: the target for each layer; half of it; level 2: the largest |gradient|. */
extern const ftk_algo case_init_uniform, case_init_wrong, case_init_largest;
/* Allots: all to the last layers with room; one more than there is. */
extern const ftk_algo case_allot_last, case_allot_wrong;

enum { CASE_LAYERS = 8 };
struct topology_case {
    struct fake_backend *fake;
    struct ftk__topology *t;
    struct ftk__topology_options options;
    struct ftk__topology_setup setup;
    struct ftk__entry entry[4];
    struct ftk__instance inst[4]; /* init, prune, grow, allot                   */
    ftk_layer layer[CASE_LAYERS];
    char name[CASE_LAYERS][16]; /* "layer0", ...                                */
    struct ftk_error err;
    struct ftk__topology_report report;
};
/* As interface.md's table says. */
struct ftk__topology_options case_preset(enum ftk__preset preset);

/* Fake and instances, but no topology: a test may change options, setup, fake.  NULL: no rule. */
void case_open(struct topology_case *c, const uint64_t *n, uint32_t n_layers, const ftk_algo *init,
               const ftk_algo *prune, const ftk_algo *grow, const ftk_algo *allot);
void case_start(struct topology_case *c);  /* the topology; must succeed          */
void case_close(struct topology_case *c);
/* Weights, gradients, momentum of a few thousand values with ties, from a seed. */
void case_fill(struct topology_case *c, uint64_t seed);
/* INIT at a density (0: dense), then case_fill. */
void case_init(struct topology_case *c, double density, uint64_t seed);
ftk_status case_update(struct topology_case *c, double rate, uint64_t step);
/* A hash of masks, weights and momentum. */
uint64_t case_hash(const struct topology_case *c);
#endif
