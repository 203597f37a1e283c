/* SPDX-License-Identifier: MIT
 * dispatch/cpu_choose.h - which instruction set, and which form and kernel a layer gets.
 */
#ifndef CPU_CHOOSE_H
#define CPU_CHOOSE_H
#include "layout/cpu_weights.h"

/* The table of `isa` ("auto": the best this machine has); NULL where it is unknown or absent, with
 * the reason in *ret_why. */
const struct cpu_kernels *cpu_choose_isa(const char *isa, const char **ret_why);

/* What the experiment asks of all layers, `backend.format`; the order of its choices. */
enum cpu_wish { CPU_WISH_AUTO, CPU_WISH_LISTS, CPU_WISH_DENSE };

/* enum cpu_format of a layer with nnz active weights: of nothing else than the arguments. */
uint32_t cpu_choose_format(const struct cpu_geom *g, uint64_t nnz, uint32_t wish);

/* Bytes of a packed tile that leave room in the L1 data cache for lists and accumulators.  No bit of a
 * result depends on it: a sum goes on from one block of channels to the next in the same order. */
uint32_t cpu_choose_tile_bytes(void);
#endif
