/* SPDX-License-Identifier: MIT
 * dense/cpu_dense_product.c - the weight gradient of a dense linear layer, as matrix products.
 *
 * A range of output features sums over the whole batch in one product, by one thread: slices of the
 * batch would each write a gradient as large as the weights only to be added up.
 */
#include "dense/cpu_dense.h"
#include <dnnl.h>
#include <omp.h>

ftk_status cpu_dense_product(const struct cpu_geom *g, uint32_t images, uint32_t c0, uint32_t c1,
                             const float *x, const float *dy, float *dw)
{
    const int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    const dnnl_status_t st = dnnl_sgemm('T', 'N', c1 - c0, g->in_c, images, 1.0f, dy + c0, g->out_c,
                                        x, g->in_c, 0.0f, dw + (size_t)c0 * g->in_c, g->in_c);
    omp_set_num_threads(threads);
    if (st == dnnl_success)
        return FTK_OK;
    return st == dnnl_out_of_memory ? FTK_ENOMEM : FTK_EINTERNAL;
}
