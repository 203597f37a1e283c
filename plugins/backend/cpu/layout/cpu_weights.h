/* SPDX-License-Identifier: MIT
 * layout/cpu_weights.h - the weight of one layer: its active set, values and momentum.
 *
 * A layer is held as lists (the active entries in kernel order: block of source channels,
 * destination channel, then flat index) or dense (all n entries in canonical order).  Which one
 * dispatch/cpu_choose.c says, after every change of the active set.  Outside, an entry is known by
 * its flat index in [out][in][kh][kw], or by its rank among the active ones.
 */
#ifndef CPU_WEIGHTS_H
#define CPU_WEIGHTS_H
#include "layout/cpu_geom.h"
#include <freetickets/backend.h>

enum cpu_format { CPU_FORMAT_LISTS = 0, CPU_FORMAT_DENSE = 1 };

struct cpu_weights {
    const ftk_host *host;
    const struct cpu_geom *geom;
    uint64_t n, nnz;
    uint32_t format; /* enum cpu_format                                            */
    uint64_t *bits;  /* [ceil(n / 64)]: 1 active; none beyond n                    */
    float *w, *m;    /* lists: [nnz] in kernel order; dense: [n]                   */
    float *m2;       /* the same: Adam's mean square; NULL where there is none     */
    int second;      /* there is                                                   */
    float *m_all;    /* [n] momentum of every entry, or NULL; then m is NULL        */
    float *grad;     /* [n] the gradient that a step kept, or NULL                  */
    /* lists only */
    uint32_t *ptr;  /* [forward.n_runs + 1] entry at which run kb * out_c + c starts */
    uint32_t *rank; /* [forward.n_runs + 1] rank of it, runs ordered c * n_blocks + kb */
    uint16_t *off;  /* [nnz]                                                      */
    uint32_t *back_ptr, *back_perm; /* runs (sub, block, in channel); entry of w      */
    uint16_t *back_off;
};

/* All n entries active and 0.  `all_momentum`: momentum of inactive entries too; `second`: a second
 * moment. */
ftk_status cpu_weights_init(struct cpu_weights *x, const ftk_host *host, const struct cpu_geom *g,
                            uint32_t format, int all_momentum, int second);
void cpu_weights_done(struct cpu_weights *x);

/* The active set becomes `bits` (copied), in `format`, with values w and moments m, m2 by rank (NULL:
 * zeros; m is not looked at with all_momentum, whose array stays).  On failure nothing changes. */
ftk_status cpu_weights_assign(struct cpu_weights *x, const uint64_t *bits, uint64_t nnz,
                              uint32_t format, const float *w, const float *m, const float *m2);

enum cpu_array { CPU_ARRAY_W, CPU_ARRAY_M, CPU_ARRAY_M2 };
/* `n` values from rank `from` on. */
void cpu_weights_get(const struct cpu_weights *x, enum cpu_array a, uint64_t from, uint64_t n,
                     float *ret);
void cpu_weights_put(struct cpu_weights *x, enum cpu_array a, uint64_t from, uint64_t n,
                     const float *v);

int cpu_weights_active(const struct cpu_weights *x, uint64_t flat);
/* Number of active entries below `flat`. */
uint64_t cpu_weights_rank(const struct cpu_weights *x, uint64_t flat);
/* Up to cap active (or inactive) flat indices from `flat` on, ascending; their number. */
uint64_t cpu_weights_scan(const struct cpu_weights *x, int active, uint64_t flat, uint64_t cap,
                          uint64_t *ret_index);
#endif
