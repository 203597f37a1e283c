/* SPDX-License-Identifier: MIT
 * plugin_net.h - for tests of plugins of level 2: a network of arrays, and an edit that remembers.
 */
#ifndef TESTS_PLUGIN_NET_H
#define TESTS_PLUGIN_NET_H
#include <freetickets/sparse.h>

enum { PN_LAYERS = 4, PN_ENTRIES = 8192 };

/* The active entries of a layer; the arrays are the test's. */
struct pn_layer {
    uint64_t n, nnz;
    const uint64_t *index;          // [nnz] ascending
    const float *weight, *momentum; // [nnz], or NULL
};

struct plugin_net {
    ftk_net net;
    ftk_edit edit;
    struct pn_layer data[PN_LAYERS];
    ftk_layer layer[PN_LAYERS];
    const ftk_layer *list[PN_LAYERS];
    uint64_t most;              /* entries a read returns at most, whatever is asked for */
    uint32_t channels;          /* asked for by any read so far                 */
    uint64_t budget[PN_LAYERS]; /* of the edit                                  */
    uint64_t n_taken[PN_LAYERS];
    uint64_t taken[PN_LAYERS][PN_ENTRIES]; // [n_taken] ascending
};

/* Without layers; it must not move. */
void plugin_net_init(struct plugin_net *ret);
void plugin_net_add(struct plugin_net *n, const struct pn_layer *l);
/* Forgets what was taken, and asks for `budget` of each layer. */
void plugin_net_ask(struct plugin_net *n, const uint64_t *budget);
/* Fails the running test unless just these were taken of the layer. */
void plugin_net_assert(const struct plugin_net *n, uint32_t layer, const uint64_t *want,
                       uint64_t count);
#endif
