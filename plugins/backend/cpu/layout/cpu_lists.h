/* SPDX-License-Identifier: MIT
 * layout/cpu_lists.h - index lists of the active entries, for the three passes.
 */
#ifndef CPU_LISTS_H
#define CPU_LISTS_H
#include "layout/cpu_weights.h"

/* ptr, rank, off, back_* of x->bits.  FTK_ENOMEM: the caller frees what was made. */
ftk_status cpu_lists_build(struct cpu_weights *x);

/* The run, ordered c * n_blocks + kb, that holds the active entry of this rank. */
uint32_t cpu_lists_find(const struct cpu_weights *x, uint64_t rank);

/* Flat index of entry number 0 of run (c, kb); cpu_geom.decode gives the numbers of the others. */
static inline uint64_t cpu_lists_base(const struct cpu_geom *g, uint32_t c, uint32_t kb)
{
    return ((uint64_t)c * g->in_c + (uint64_t)kb * g->forward.sub->chan_block) * g->taps;
}
#endif
