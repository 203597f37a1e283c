/* SPDX-License-Identifier: MIT
 * sparse/topology_grow.h - the second half of an update: how many weights each layer may grow, and
 * which.
 */
#ifndef FTK__TOPOLOGY_GROW_H
#define FTK__TOPOLOGY_GROW_H
#include "sparse/topology_impl.h"

/* Fills w->add after w->drop was taken out.  Counts by layer come from the allot rule; without
 * one each layer gets back what it lost, or at network scope a scoring rule ranks the candidates
 * of all layers for the sum, and a selecting one is held to the sum alone.                 */
ftk_status ftk__work_grow(struct ftk__work *w, struct ftk_error *reterr);
#endif
