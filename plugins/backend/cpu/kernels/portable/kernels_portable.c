/* SPDX-License-Identifier: MIT
 * kernels/portable/kernels_portable.c - four lanes, for every machine: SSE2 on x86-64, NEON on ARM.
 *
 * Built with -ffp-contract=fast: a sum of products is rounded once an entry where the machine can
 * fuse, which is faster and no less exact; the bits of an instruction set stay its own.
 */
#define CPU_LANES  4
#define CPU_TILE_H 3
#define CPU_TILE_W 4
#define CPU_NAME   "portable"
#define CPU_TABLE  cpu_kernels_portable
#include "kernels/cpu_table.inc"
