/* SPDX-License-Identifier: MIT
 * dense/cpu_dense.h - dense layers through oneDNN; nothing else knows the library.
 *
 * A pass runs as one primitive a batch slice, made for one thread and run by one thread, so that
 * the bits do not depend on how many there are.
 */
#ifndef CPU_DENSE_H
#define CPU_DENSE_H
#include "layout/cpu_geom.h"
#include <stdatomic.h>

struct cpu_dense_lib; /* engine and workspace, one a program */
struct cpu_dense;     /* one layer                           */

int cpu_dense_available(void);
ftk_status cpu_dense_open(const ftk_host *host, const struct cpu_kernels *kern,
                          struct cpu_dense_lib **ret);
void cpu_dense_close(struct cpu_dense_lib *lib);

ftk_status cpu_dense_new(struct cpu_dense_lib *lib, const struct cpu_geom *g,
                         struct cpu_dense **ret);
void cpu_dense_free(struct cpu_dense *d);

/* Primitives and workspace for these slices; then the current weights w[n] (canonical). */
ftk_status cpu_dense_prepare(struct cpu_dense *d, const struct cpu_slices *s);
ftk_status cpu_dense_weights(struct cpu_dense *d, const struct cpu_slices *s, const float *w);

/* Passes of slice i; x, y, dx, dy are whole activations in lanes.  Different slices may run at the
 * same time.  A failure of the library is FTK_EINTERNAL. */
ftk_status cpu_dense_forward(struct cpu_dense *d, const struct cpu_slices *s, uint32_t i,
                             const float *x, const float *bias, int relu, float *y,
                             atomic_int *ret_bad);
ftk_status cpu_dense_backward(struct cpu_dense *d, const struct cpu_slices *s, uint32_t i,
                              const float *dy, float *dx);
/* Convolutions only. */
ftk_status cpu_dense_dweight(struct cpu_dense *d, const struct cpu_slices *s, uint32_t i,
                             const float *x, const float *dy, float *dw);

/* Linear layers: rows [c0, c1) of dw[out][in] from x[images][in] and dy[images][out]. */
ftk_status cpu_dense_product(const struct cpu_geom *g, uint32_t images, uint32_t c0, uint32_t c1,
                             const float *x, const float *dy, float *dw);
#endif
