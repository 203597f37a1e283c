/* SPDX-License-Identifier: MIT
 * kernels/cpu_kernels.h - what one instruction set offers: the table that dispatch picks once.
 *
 * Every activation lies as [N/L][C][H][W][L]: L images innermost, so that one vector is one pixel
 * of L images and nothing is ever shuffled.  A "block" is L images, a "plane" is [H][W][L].
 * All counts of vectors below are in units of L floats.
 */
#ifndef CPU_KERNELS_H
#define CPU_KERNELS_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { CPU_Y = 0, CPU_X = 1 };

/* Where the vectors of an activation lie.  A linear layer is seen as one image of one row whose
 * columns are the blocks, so that its tiles run over the batch. */
struct cpu_view {
    float *base;
    size_t image, chan, row, col; /* strides in vectors */
    uint32_t h, w;
};

/* One stride-1 problem over packed tiles.  A forward pass is one of them whatever its stride (the
 * phases of the source are packed apart); backward-data is one a phase of the destination. */
struct cpu_sub {
    int32_t src_origin[2];  /* source position of tap 0 of destination pixel 0      */
    uint32_t dst_origin[2]; /* first destination pixel, then every dst_step          */
    uint32_t dst_count[2];  /* destination pixels along y, x                         */
    uint32_t phases[2];     /* packed phases of the source                           */
    uint32_t packed[2];     /* rows, columns of a packed phase                       */
    uint32_t chan_vecs;     /* vectors of a packed channel                           */
    uint32_t chan_block;    /* source channels of a packed tile: it fits into L1     */
    uint32_t n_blocks;
};

/* One pass of a layer: destination channel c of block kb is the list ptr[kb * dst_c + c]. */
struct cpu_job {
    const struct cpu_sub *sub;
    struct cpu_view src, dst;
    uint32_t src_c, dst_c;
    uint32_t src_step[2], dst_step[2];
    uint32_t dst_count[2];
    const uint32_t *ptr; /* NULL: every list is full, `off` the one list of a block  */
    const uint16_t *off; /* vectors into the packed tile                             */
    const float *w;
    const float *bias; /* [dst_c] or NULL                                            */
    const float *mask; /* laid out as dst: 0 is stored where it is not > 0; or NULL  */
    uint32_t relu;     /* 1: negative results are stored as 0                        */
    uint32_t taps;     /* kh * kw, for full lists                                    */
};

/* Memory of one thread. */
struct cpu_scratch {
    float *pack;  /* packed tile                                              */
    float *carry; /* [dst_c][tile]: accumulators between channel blocks       */
};

struct cpu_tile {
    uint32_t th, tw;
    /* Destination channels [c0, c1) of the tile at (y0, x0) of image n; returns 1 where a value
     * stored is not finite. */
    int (*forward)(const struct cpu_job *j, const uint32_t at[3], uint32_t c0, uint32_t c1,
                   const struct cpu_scratch *s);
    /* dw[k] += <dst tile, shifted src tile> over all tiles of images [n0, n1), for the entries of
     * channels [c0, c1); k as in `ptr`, or the canonical index where lists are full. */
    void (*dweight)(const struct cpu_job *j, const uint32_t images[2], uint32_t c0, uint32_t c1,
                    const struct cpu_scratch *s, float *dw);
};

struct cpu_pool {
    uint32_t in[2], out[2], kernel[2], stride[2], pad[2];
};

struct cpu_sgd {
    float lr, momentum, decay;
    int nesterov;
};

/* 1 for an infinity or NaN; an integer test, which vectorises. */
static inline uint32_t cpu_not_finite(float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof(bits));
    return (bits & 0x7f800000u) == 0x7f800000u;
}

struct cpu_kernels {
    const char *name;
    uint32_t lanes;
    uint32_t n_tiles;
    const struct cpu_tile *tiles;

    /* Streams of n floats, n a multiple of L.  A returned 1: some result is not finite. */
    void (*relu)(const float *x, float *y, size_t n);
    void (*relu_grad)(const float *y, const float *dy, float *dx, size_t n);
    int (*add)(const float *a, const float *b, float *y, size_t n);
    int (*keep_scale)(const float *x, const uint8_t *keep, float scale, float *y, size_t n);

    /* Planes of hw vectors; `valid` lanes of them belong to images. */
    double (*plane_sum)(const float *x, size_t hw, uint32_t valid);
    double (*plane_square)(const float *x, float centre, size_t hw, uint32_t valid);
    double (*plane_dot)(const float *dy, const float *x, float centre, size_t hw);
    /* y = (x - centre) scale + shift, at least `least`; 0 in lanes not valid; cssl: the four */
    int (*plane_affine)(const float *x, const float cssl[4], float *y, size_t hw, uint32_t valid);
    /* dx = a dy + b (x - centre) + c in valid lanes, else 0; abcc holds a, b, c, centre */
    void (*plane_combine)(const float *dy, const float *x, const float abcc[4], float *dx,
                          size_t hw, uint32_t valid);

    void (*max_pool)(const struct cpu_pool *p, const float *x, float *y);
    /* positive: x is a ReLU's output, and dx is to be 0 where x is, as its backward would do. */
    void (*max_pool_grad)(const struct cpu_pool *p, const float *x, const float *y, const float *dy,
                          float *dx, int positive);
    int (*avg_pool)(const struct cpu_pool *p, const float *x, float *y);
    void (*avg_pool_grad)(const struct cpu_pool *p, const float *dy, float *dx);

    /* One block between [c][hw][L] and [L][hw][c]; the way back adds a bias (or NULL) a channel,
     * applies a ReLU if asked and returns 1 where a value is not finite. */
    void (*to_images)(const float *x, size_t c, size_t hw, float *y);
    int (*from_images)(const float *x, size_t c, size_t hw, const float *bias, int relu, float *y);

    /* g += the n_slices - 1 buffers that follow it `stride` apart, in order; 1 where not finite. */
    int (*sum_slices)(float *g, size_t stride, uint32_t n_slices, size_t n);
    void (*sgd)(const struct cpu_sgd *h, const float *g, float *w, float *v, size_t n);
};

extern const struct cpu_kernels cpu_kernels_portable;
#if defined(__x86_64__)
extern const struct cpu_kernels cpu_kernels_avx2;
extern const struct cpu_kernels cpu_kernels_avx512;
#endif
#endif
