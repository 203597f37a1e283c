/* SPDX-License-Identifier: MIT
 * kernels/avx2/kernels_avx2.c - eight lanes for AVX2 with FMA; 16 registers hold a tile of 3 x 4.
 *
 * Built with -ffp-contract=fast: a sum of products is rounded once an entry where the machine can
 * fuse, which is faster and no less exact; the bits of an instruction set stay its own.
 */
#define CPU_LANES  8
#define CPU_TILE_H 3
#define CPU_TILE_W 4
#define CPU_NAME   "avx2"
#define CPU_TABLE  cpu_kernels_avx2
#include "kernels/cpu_table.inc"
