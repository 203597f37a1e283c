/* SPDX-License-Identifier: MIT
 * kernels/avx512/kernels_avx512.c - 16 lanes for AVX-512; 32 registers hold a tile of 4 x 4.
 *
 * Built with -ffp-contract=fast: a sum of products is rounded once an entry where the machine can
 * fuse, which is faster and no less exact; the bits of an instruction set stay its own.
 */
#define CPU_LANES  16
#define CPU_TILE_H 4
#define CPU_TILE_W 4
#define CPU_NAME   "avx512"
#define CPU_TABLE  cpu_kernels_avx512
#include "kernels/cpu_table.inc"
