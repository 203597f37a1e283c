/* SPDX-License-Identifier: MIT
 * layout/cpu_geom.h - a convolution or linear layer as passes of packed tiles, for any stride.
 */
#ifndef CPU_GEOM_H
#define CPU_GEOM_H
#include "kernels/cpu_kernels.h"
#include <freetickets/graph.h>

enum { CPU_MAX_SLICES = 4 };

/* Images are summed over slices of whole blocks, their number a function of the count alone. */
struct cpu_slices {
    uint32_t n;
    uint32_t first[CPU_MAX_SLICES + 1]; /* block at which slice s starts */
    uint32_t blocks;                    /* ceil(count / L)               */
    uint32_t last_valid;                /* images in the last block      */
};

void cpu_slices_set(struct cpu_slices *s, uint32_t count, uint32_t lanes);

struct cpu_pass {
    const struct cpu_tile *tile;
    struct cpu_sub *sub;
    uint32_t n_sub;
    uint32_t src_c, dst_c;
    uint32_t src_step[2], dst_step[2];
    uint32_t n_runs; /* lists over all subs */
};

struct cpu_geom {
    uint32_t out_c, in_c, kernel[2], stride[2], pad[2], in[2], out[2];
    uint32_t taps;   /* kernel area                                   */
    uint32_t linear; /* 1: pixels are blocks of images, in and out 1x1 */
    uint64_t n;      /* weights                                       */
    struct cpu_pass forward, backward;
    /* An entry (channel, tap) of a block is number channel * taps + tap of it. */
    uint16_t *full;   /* [chan_block * taps] its offset in the forward tile       */
    uint32_t *decode; /* [chan_block * chan_vecs] the number of an offset          */
};

struct cpu_target {
    const ftk_host *host;
    const struct cpu_kernels *kern;
    uint32_t tile_bytes; /* of a packed tile, to stay in L1 */
    uint32_t max_batch;
};

/* The layer of `node` on an input of in[3] = channels, height, width.  FTK_ENOTSUP with a reason
 * where a kernel is too large for 16-bit offsets, FTK_ENOMEM. */
ftk_status cpu_geom_init(struct cpu_geom *g, const struct cpu_target *t, const ftk_node *node,
                         const uint32_t in[3]);
void cpu_geom_done(struct cpu_geom *g, const ftk_host *host);

/* Offset of tap (ky, kx) of channel c of a block in the packed tile of the forward pass. */
uint32_t cpu_geom_offset(const struct cpu_geom *g, uint32_t c, uint32_t tap);
/* The same of the backward pass, and which of its subs the tap belongs to. */
uint32_t cpu_geom_offset_back(const struct cpu_geom *g, uint32_t c, uint32_t tap,
                              uint32_t *ret_sub);

/* Floats of scratch that a pass needs: packed tile, carry. */
size_t cpu_pass_pack_floats(const struct cpu_pass *p, uint32_t lanes);
size_t cpu_pass_carry_floats(const struct cpu_pass *p, uint32_t lanes);
#endif
