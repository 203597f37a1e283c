/* SPDX-License-Identifier: MIT
 * train/network.h - the live network: a program, its topology and its counters; copies of all
 * three.
 */
#ifndef FTK__NETWORK_H
#define FTK__NETWORK_H
#include "config/experiment.h"
#include "model/model.h"
#include "plugin/engine.h"
#include "sparse/topology.h"

struct ftk__network {           /* what it points to is borrowed                */
    const struct ftk__experiment *x;
    const struct ftk__model *model;
    struct ftk__engine *engine; /* compiled for the model                       */
    struct ftk__topology *topology;
    uint64_t t;                 /* steps since INIT; also the position in the data: pass and batch
                                 * are t divided by the batches of a pass       */
    uint64_t optim_from;        /* t when momentum was last forgotten           */
    uint32_t reseed;            /* added to the keys of order and augmentation  */
};

/* INIT: a topology of `density` (0: dense), weights drawn for `member`, or read from
 * `model.weights`. */
ftk_status ftk__network_init(struct ftk__network *n, uint32_t member, double density,
                             struct ftk_error *reterr);
/* Forgets momentum: a TRAIN without KEEP_OPTIM. */
ftk_status ftk__network_reset_optimiser(struct ftk__network *n, struct ftk_error *reterr);

/* One array of the program's state with all its entries, inactive ones 0: [n]; ftk__free it. */
ftk_status ftk__network_dense_tensor(struct ftk__network *n, uint32_t node, uint32_t role,
                                     float **ret, uint64_t *ret_n, struct ftk_error *reterr);
/* Sets it from such an array: of a sparse layer the active entries are taken. */
ftk_status ftk__network_put_dense(struct ftk__network *n, uint32_t node, uint32_t role,
                                  const float *v, struct ftk_error *reterr);
/* Calls `visit` for every array of the program, in its order; stops at the first error. */
typedef ftk_status (*ftk__tensor_fn)(struct ftk__network *n, uint32_t index, const ftk_tensor *t,
                                     void *arg, struct ftk_error *reterr);
ftk_status ftk__network_each_tensor(struct ftk__network *n, ftk__tensor_fn visit, void *arg,
                                    struct ftk_error *reterr);
/* mask() of the program. */
ftk_status ftk__network_mask(struct ftk__network *n, uint32_t layer, const uint64_t *active,
                             uint64_t n_active, struct ftk_error *reterr);
/* The sparse layer whose weight (or weight's momentum) this is; UINT32_MAX where it is none. */
uint32_t ftk__network_layer_of(const struct ftk__network *n, uint32_t node, uint32_t role);

/* Everything a network is, copied out: REMEMBER, the best state of a TRAIN. */
struct ftk__snapshot;
ftk_status ftk__snapshot_take(struct ftk__network *n, struct ftk__snapshot **ret,
                              struct ftk_error *reterr);
/* `keep_mask`: the network's own mask stays; weights and momentum of the snapshot are taken at its
 * positions, 0 where the snapshot has none. */
ftk_status ftk__snapshot_restore(const struct ftk__snapshot *s, struct ftk__network *n,
                                 bool keep_mask, struct ftk_error *reterr);
/* The same questions as of a live network.  Active positions of a layer: borrowed, [*ret_n]. */
const uint64_t *ftk__snapshot_active(const struct ftk__snapshot *s, uint32_t layer,
                                     uint64_t *ret_n);
ftk_status ftk__snapshot_dense_tensor(const struct ftk__snapshot *s, const struct ftk__network *n,
                                      uint32_t node, uint32_t role, float **ret, uint64_t *ret_n,
                                      struct ftk_error *reterr);
uint64_t ftk__snapshot_step(const struct ftk__snapshot *s); /* t                          */
void ftk__snapshot_free(struct ftk__snapshot *s);
#endif
