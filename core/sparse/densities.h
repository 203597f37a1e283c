/* SPDX-License-Identifier: MIT
 * sparse/densities.h - the density of each layer that a sparse INIT aims at.
 */
#ifndef FTK__DENSITIES_H
#define FTK__DENSITIES_H
#include "sparse/topology_impl.h"

/* By the init rule (a level-2 rule: all alike), then `sparsity.layers`, then the rest scaled by
 * one factor, none above 1, until the network meets `density`; FTK_ERANGE where it cannot.
 * ret_density[n_layers]                                                                     */
ftk_status ftk__densities(struct ftk__work *w, double density, double *ret_density,
                          struct ftk_error *reterr);
#endif
