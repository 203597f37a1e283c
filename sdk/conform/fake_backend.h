/* SPDX-License-Identifier: MIT
 * conform/fake_backend.h - for rules and tests of topology updates: a backend without arithmetic, flat arrays and a bitmap a
 * layer, wrapped in an engine.
 *
 * It refuses what a backend must refuse (an edit out of order or of a weight in the wrong state, a
 * gradient that was not kept) and lends its arrays only until the next read.
 */
#ifndef FTK__FAKE_BACKEND_H
#define FTK__FAKE_BACKEND_H
#include "plugin/engine.h"

struct fake_layer {
    uint64_t n, nnz;
    float *weight, *grad, *momentum; // [n]
    uint64_t *active;                /* bitmap                                       */
};
struct fake_backend {
    struct ftk__engine engine; /* for the core                                 */
    struct fake_layer *layer;  // [n_layers]
    uint32_t n_layers;
    uint32_t channels;        /* that reads may ask for; all at first         */
    bool no_grad;             /* GRAD is FTK_ESTATE                           */
    bool dense_momentum;      /* what is dropped keeps its momentum           */
    bool poison;              /* a read spoils what the one before lent       */
    uint64_t most;            /* a read gives at most this; 0: no limit       */
    uint32_t fail_edit;       /* the edit of this layer fails; UINT32_MAX: none */
    uint64_t lent;            /* entries of the last read                     */
    uint32_t grad_order[256]; /* layers in order of read_inactive(GRAD), each run once */
    uint32_t n_grad_order;
    uint64_t *index; /* what reads lend                              */
    float *weight, *grad, *momentum;
};
/* All weights active and 0; NULL without memory.  Its memory is not of base/mem.h. */
struct fake_backend *fake_backend_new(const uint64_t *n, uint32_t n_layers);
void fake_backend_free(struct fake_backend *f);
static inline bool fake_active(const struct fake_layer *l, uint64_t i)
{
    return (l->active[i / 64] >> (i % 64)) & 1;
}

/* Sets one weight active or not, as no edit can. */
static inline void fake_set_active(struct fake_layer *l, uint64_t i, bool active)
{
    uint64_t word = l->active[i / 64];
    uint64_t bit = UINT64_C(1) << (i % 64);
    l->nnz += (uint64_t)active - ((word >> (i % 64)) & 1);
    l->active[i / 64] = active ? word | bit : word & ~bit;
}
#endif
