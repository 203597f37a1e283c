/* SPDX-License-Identifier: MIT
 * train/snapshot_impl.h - what a copy of a network is made of, for the files that make, restore and
 * store it.
 */
#ifndef FTK__SNAPSHOT_IMPL_H
#define FTK__SNAPSHOT_IMPL_H
#include "train/network.h"

enum { FTK__TOPOLOGY_ARRAYS = 64 };

struct ftk__kept_tensor {
    ftk_tensor tensor;
    float *v; // [tensor.n]
};
struct ftk__kept_mask {
    uint64_t *active; // [n]
    uint64_t n;
};
struct ftk__snapshot {
    uint64_t t, optim_from;
    uint32_t reseed;
    struct ftk__kept_mask *mask; // [n_layers]
    uint32_t n_layers;
    struct ftk__kept_tensor *tensor; // [n_tensors]
    uint32_t n_tensors;
    void **array; // [n_arrays] of the topology
    uint32_t n_arrays;
};
#endif
