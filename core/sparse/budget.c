/* SPDX-License-Identifier: MIT
 * sparse/budget.c - density to counts, rate to k: the one place that rounds.
 *
 * Everything is computed in double without an epsilon: 0.07 x 100 comes out above 7, so its ceil
 * is 8, and the same on every machine.
 */
#include "sparse/budget.h"
#include <inttypes.h>
#include <math.h>

uint64_t ftk__budget_k(double share, uint64_t nnz, enum ftk__rounding round_as)
{
    double k = share * (double)nnz;
    if (round_as == FTK__ROUND_CEIL)
        k = ceil(k);
    else if (round_as == FTK__ROUND_FLOOR)
        k = floor(k);
    else
        k = round(k);
    if (!(k > 0))
        return 0;
    return k < (double)nnz ? (uint64_t)k : nnz;
}

uint64_t ftk__budget_update(const struct ftk__topology_options *o, double rate, uint64_t nnz,
                            uint64_t room, bool *ret_limited)
{
    uint64_t k = ftk__budget_k(rate, nnz, (enum ftk__rounding)o->round);
    *ret_limited = o->regrow == FTK__REGROW_FORBIDDEN && k > room;
    return *ret_limited ? room : k;
}

uint64_t ftk__budget_keep(double density, uint64_t n)
{
    return ftk__budget_k(density, n, FTK__ROUND_NEAREST);
}

/* How far the exact share of a layer lies above its count. */
static double remainder_of(double density, uint64_t n, uint64_t count)
{
    return density * (double)n - (double)count;
}

/* The layer that gains one with the least harm: not full, not empty by wish; n_layers if none. */
static uint32_t most_wanting(const double *density, const uint64_t *n, uint32_t n_layers,
                             const uint64_t *count)
{
    uint32_t best = n_layers;
    double most = 0;
    for (uint32_t l = 0; l < n_layers; l++) {
        if (count[l] == n[l] || !(density[l] > 0))
            continue;
        double r = remainder_of(density[l], n[l], count[l]);
        if (best == n_layers || r > most) {
            best = l;
            most = r;
        }
    }
    return best;
}

/* The layer that loses one with the least harm: not empty, not full by wish; n_layers if none. */
static uint32_t least_wanting(const double *density, const uint64_t *n, uint32_t n_layers,
                              const uint64_t *count)
{
    uint32_t best = n_layers;
    double least = 0;
    for (uint32_t l = 0; l < n_layers; l++) {
        if (count[l] == 0 || density[l] >= 1)
            continue;
        double r = remainder_of(density[l], n[l], count[l]);
        if (best == n_layers || r < least) {
            best = l;
            least = r;
        }
    }
    return best;
}

ftk_status ftk__budget_counts(const double *density, const uint64_t *n, uint32_t n_layers,
                              uint64_t *ret_count, struct ftk_error *reterr)
{
    double wanted = 0;
    uint64_t sum = 0;
    for (uint32_t l = 0; l < n_layers; l++) {
        if (!(density[l] >= 0 && density[l] <= 1))
            return ftk__fail(reterr, FTK_EINVAL,
                             "density %g of layer %" PRIu32 " is outside 0 to 1", density[l], l);
        wanted += density[l] * (double)n[l];
    }
    for (uint32_t l = 0; l < n_layers; l++) {
        ret_count[l] = ftk__budget_keep(density[l], n[l]);
        sum += ret_count[l];
    }
    uint64_t total = (uint64_t)round(wanted);
    while (sum != total) {
        uint32_t l = sum < total ? most_wanting(density, n, n_layers, ret_count)
                                 : least_wanting(density, n, n_layers, ret_count);
        if (l == n_layers)
            return FTK_OK; /* only full and empty layers are left: nothing to move */
        if (sum < total) {
            ret_count[l]++;
            sum++;
        } else {
            ret_count[l]--;
            sum--;
        }
    }
    return FTK_OK;
}

double ftk__ramp_density(double d0, double d1, uint64_t t, uint64_t t0, uint64_t t1)
{
    if (t >= t1)
        return d1;
    if (t <= t0)
        return d0;
    double left = 1 - (double)(t - t0) / (double)(t1 - t0);
    return d1 + (d0 - d1) * left * left * left;
}
