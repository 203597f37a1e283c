/* SPDX-License-Identifier: MIT
 * dispatch/cpu_choose.c - the one place where kernels are chosen, without measuring.
 *
 * The answer is a pure function of active weights, shape, batch and instruction set, so that a run
 * repeats it whenever it comes back to the same state.
 */
#include "dispatch/cpu_choose.h"
#include "dense/cpu_dense.h"
#include <string.h>
#include <unistd.h>

const struct cpu_kernels *cpu_choose_isa(const char *isa, const char **ret_why)
{
    const int automatic = !isa || strcmp(isa, "auto") == 0;
    *ret_why = "this build has no kernels for it";
    if (!automatic && strcmp(isa, "portable") != 0 && strcmp(isa, "avx2") != 0 &&
        strcmp(isa, "avx512") != 0)
        *ret_why = "known are auto, portable, avx2, avx512";
#if defined(__x86_64__)
    __builtin_cpu_init();
    const int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const int avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                       __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                       __builtin_cpu_supports("avx512dq");
    if (avx512 && (automatic || strcmp(isa, "avx512") == 0))
        return &cpu_kernels_avx512;
    if (avx2 && (automatic || strcmp(isa, "avx2") == 0))
        return &cpu_kernels_avx2;
    if (!automatic && (strcmp(isa, "avx2") == 0 || strcmp(isa, "avx512") == 0))
        *ret_why = "this machine does not have it";
#endif
    if (automatic || strcmp(isa, "portable") == 0)
        return &cpu_kernels_portable;
    return NULL;
}

/* Below this density lists beat the library's dense product by more than noise. */
static const double dense_from = 0.65;
/* Multiply-adds a value that crosses the border to the library's layout and back must serve: below,
 * the copies cost more than the library's faster product saves. */
static const double dense_reuse = 300;

uint32_t cpu_choose_format(const struct cpu_geom *g, uint64_t nnz, uint32_t wish)
{
    if (!cpu_dense_available() || wish == CPU_WISH_LISTS)
        return CPU_FORMAT_LISTS;
    if (wish == CPU_WISH_DENSE)
        return CPU_FORMAT_DENSE;
    const double in = (double)g->in_c * g->in[CPU_Y] * g->in[CPU_X];
    const double out = (double)g->out_c * g->out[CPU_Y] * g->out[CPU_X];
    const double area = (double)g->out[CPU_Y] * g->out[CPU_X];
    const double density = g->n ? (double)nnz / (double)g->n : 0;
    if (density <= dense_from)
        return CPU_FORMAT_LISTS;
    const double reuse = (double)g->n * area / (in + out);
    return reuse < dense_reuse ? CPU_FORMAT_LISTS : CPU_FORMAT_DENSE;
}

uint32_t cpu_choose_tile_bytes(void)
{
    long l1 = -1;
#ifdef _SC_LEVEL1_DCACHE_SIZE
    l1 = sysconf(_SC_LEVEL1_DCACHE_SIZE);
#endif
    if (l1 < 16 * 1024 || l1 > 1024 * 1024)
        l1 = 32 * 1024;
    return (uint32_t)(l1 / 4 * 3);
}
