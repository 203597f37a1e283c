/* SPDX-License-Identifier: MIT
 * dense/cpu_dense_none.c - a build without oneDNN: dense layers run on full lists.
 */
#include "dense/cpu_dense.h"

int cpu_dense_available(void)
{
    return 0;
}

ftk_status cpu_dense_open(const ftk_host *host, const struct cpu_kernels *kern,
                          struct cpu_dense_lib **ret)
{
    (void)host;
    (void)kern;
    *ret = NULL;
    return FTK_OK;
}

void cpu_dense_close(struct cpu_dense_lib *lib)
{
    (void)lib;
}

ftk_status cpu_dense_new(struct cpu_dense_lib *lib, const struct cpu_geom *g,
                         struct cpu_dense **ret)
{
    (void)lib;
    (void)g;
    (void)ret;
    return FTK_ENOTSUP;
}

void cpu_dense_free(struct cpu_dense *d)
{
    (void)d;
}

ftk_status cpu_dense_prepare(struct cpu_dense *d, const struct cpu_slices *s)
{
    (void)d;
    (void)s;
    return FTK_ENOTSUP;
}

ftk_status cpu_dense_weights(struct cpu_dense *d, const struct cpu_slices *s, const float *w)
{
    (void)d;
    (void)s;
    (void)w;
    return FTK_ENOTSUP;
}

ftk_status cpu_dense_forward(struct cpu_dense *d, const struct cpu_slices *s, uint32_t i,
                             const float *x, const float *bias, int relu, float *y,
                             atomic_int *ret_bad)
{
    (void)d;
    (void)s;
    (void)i;
    (void)x;
    (void)bias;
    (void)relu;
    (void)y;
    (void)ret_bad;
    return FTK_ENOTSUP;
}

ftk_status cpu_dense_backward(struct cpu_dense *d, const struct cpu_slices *s, uint32_t i,
                              const float *dy, float *dx)
{
    (void)d;
    (void)s;
    (void)i;
    (void)dy;
    (void)dx;
    return FTK_ENOTSUP;
}

ftk_status cpu_dense_dweight(struct cpu_dense *d, const struct cpu_slices *s, uint32_t i,
                             const float *x, const float *dy, float *dw)
{
    (void)d;
    (void)s;
    (void)i;
    (void)x;
    (void)dy;
    (void)dw;
    return FTK_ENOTSUP;
}

ftk_status cpu_dense_product(const struct cpu_geom *g, uint32_t images, uint32_t c0, uint32_t c1,
                             const float *x, const float *dy, float *dw)
{
    (void)g;
    (void)images;
    (void)c0;
    (void)c1;
    (void)x;
    (void)dy;
    (void)dw;
    return FTK_ENOTSUP;
}
