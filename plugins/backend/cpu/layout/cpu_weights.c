/* SPDX-License-Identifier: MIT
 * layout/cpu_weights.c - values by rank, the active set by flat index, and life of a weight.
 */
#include "layout/cpu_weights.h"
#include "layout/cpu_lists.h"
#include <string.h>

static uint64_t words_of(uint64_t n)
{
    return (n + 63) / 64;
}

ftk_status cpu_weights_init(struct cpu_weights *x, const ftk_host *host, const struct cpu_geom *g,
                            uint32_t format, int all_momentum, int second)
{
    const uint64_t words = words_of(g->n);
    x->host = host;
    x->geom = g;
    x->n = g->n;
    x->second = second;
    uint64_t *bits = host->alloc(host, words * sizeof(*bits));
    if (!bits)
        return FTK_ENOMEM;
    memset(bits, 0xff, words * sizeof(*bits));
    if (g->n % 64)
        bits[words - 1] = (UINT64_C(1) << g->n % 64) - 1;
    if (all_momentum) {
        x->m_all = host->alloc(host, g->n * sizeof(*x->m_all));
        if (!x->m_all) {
            host->free(host, bits);
            return FTK_ENOMEM;
        }
    }
    const ftk_status st = cpu_weights_assign(x, bits, g->n, format, NULL, NULL, NULL);
    host->free(host, bits);
    return st;
}

/* Everything that assign() makes anew. */
static void free_set(struct cpu_weights *x)
{
    const ftk_host *h = x->host;
    h->free(h, x->bits);
    h->free(h, x->w);
    h->free(h, x->m);
    h->free(h, x->m2);
    h->free(h, x->ptr);
    h->free(h, x->rank);
    h->free(h, x->off);
    h->free(h, x->back_ptr);
    h->free(h, x->back_perm);
    h->free(h, x->back_off);
}

void cpu_weights_done(struct cpu_weights *x)
{
    if (!x->host)
        return;
    free_set(x);
    x->host->free(x->host, x->m_all);
    x->host->free(x->host, x->grad);
}

ftk_status cpu_weights_assign(struct cpu_weights *x, const uint64_t *bits, uint64_t nnz,
                              uint32_t format, const float *w, const float *m, const float *m2)
{
    const ftk_host *h = x->host;
    const uint64_t words = words_of(x->n);
    const uint64_t stored = format == CPU_FORMAT_DENSE ? x->n : nnz;
    struct cpu_weights y = { .host = h, .geom = x->geom, .n = x->n, .nnz = nnz, .format = format };
    y.m_all = x->m_all;
    y.second = x->second;
    y.grad = x->grad;
    y.bits = h->alloc(h, words * sizeof(*y.bits));
    y.w = h->alloc(h, (stored + 1) * sizeof(*y.w));
    if (!x->m_all)
        y.m = h->alloc(h, (stored + 1) * sizeof(*y.m));
    if (x->second)
        y.m2 = h->alloc(h, (stored + 1) * sizeof(*y.m2));
    const int moments = (y.m || x->m_all) && (y.m2 || !x->second);
    ftk_status st = y.bits && y.w && moments ? FTK_OK : FTK_ENOMEM;
    if (st == FTK_OK) {
        memcpy(y.bits, bits, words * sizeof(*bits));
        if (format == CPU_FORMAT_LISTS)
            st = cpu_lists_build(&y);
    }
    if (st != FTK_OK) {
        free_set(&y);
        return st;
    }
    if (w)
        cpu_weights_put(&y, CPU_ARRAY_W, 0, nnz, w);
    if (m && y.m)
        cpu_weights_put(&y, CPU_ARRAY_M, 0, nnz, m);
    if (m2 && y.m2)
        cpu_weights_put(&y, CPU_ARRAY_M2, 0, nnz, m2);
    free_set(x);
    *x = y;
    return FTK_OK;
}

int cpu_weights_active(const struct cpu_weights *x, uint64_t flat)
{
    return (int)(x->bits[flat / 64] >> flat % 64 & 1);
}

uint64_t cpu_weights_rank(const struct cpu_weights *x, uint64_t flat)
{
    uint64_t rank = 0;
    for (uint64_t i = 0; i < flat / 64; i++)
        rank += (uint64_t)__builtin_popcountll(x->bits[i]);
    if (flat % 64) {
        const uint64_t below = (UINT64_C(1) << flat % 64) - 1;
        rank += (uint64_t)__builtin_popcountll(x->bits[flat / 64] & below);
    }
    return rank;
}

uint64_t cpu_weights_scan(const struct cpu_weights *x, int active, uint64_t flat, uint64_t cap,
                          uint64_t *ret_index)
{
    const uint64_t flip = active ? 0 : UINT64_MAX;
    uint64_t found = 0;
    while (flat < x->n && found < cap) {
        const uint64_t word = (x->bits[flat / 64] ^ flip) >> flat % 64;
        if (word == 0) {
            flat = (flat / 64 + 1) * 64;
            continue;
        }
        flat += (uint64_t)__builtin_ctzll(word);
        if (flat >= x->n)
            break;
        ret_index[found++] = flat++;
    }
    return found;
}

/* The flat index of the active entry of this rank; n past the last. */
static uint64_t flat_of_rank(const struct cpu_weights *x, uint64_t rank)
{
    if (x->nnz == x->n)
        return rank;
    for (uint64_t i = 0; i < words_of(x->n); i++) {
        uint64_t word = x->bits[i];
        const uint64_t here = (uint64_t)__builtin_popcountll(word);
        if (rank >= here) {
            rank -= here;
            continue;
        }
        for (; rank; rank--)
            word &= word - 1;
        return i * 64 + (uint64_t)__builtin_ctzll(word);
    }
    return x->n;
}

/* `n` floats of an array from `at` on: read into `get`, or written from `put`. */
static void move(float *at, uint64_t n, float *get, const float *put)
{
    if (put)
        memcpy(at, put, n * sizeof(*at));
    else
        memcpy(get, at, n * sizeof(*at));
}

/* The active entries of rank `from` on of an array in canonical order. */
static void move_dense(const struct cpu_weights *x, float *array, uint64_t from, uint64_t n,
                       float *get, const float *put)
{
    uint64_t flat = flat_of_rank(x, from);
    if (x->nnz == x->n) {
        move(array + from, n, get, put);
        return;
    }
    for (uint64_t i = 0; i < n; i++, flat++) {
        cpu_weights_scan(x, 1, flat, 1, &flat);
        move(array + flat, 1, get ? get + i : NULL, put ? put + i : NULL);
    }
}

/* The same of an array in kernel order: whole runs lie in one piece. */
static void move_lists(const struct cpu_weights *x, float *array, uint64_t from, uint64_t n,
                       float *get, const float *put)
{
    const struct cpu_pass *p = &x->geom->forward;
    uint32_t run = cpu_lists_find(x, from);
    uint64_t done = 0;
    while (done < n) {
        const uint32_t c = run / p->sub->n_blocks;
        const uint32_t kb = run % p->sub->n_blocks;
        const uint64_t skip = from + done - x->rank[run];
        uint64_t here = x->rank[run + 1] - x->rank[run] - skip;
        here = here < n - done ? here : n - done;
        move(array + x->ptr[(size_t)kb * p->dst_c + c] + skip, here, get ? get + done : NULL,
             put ? put + done : NULL);
        done += here;
        run++;
    }
}

static void move_array(const struct cpu_weights *x, enum cpu_array a, uint64_t from, uint64_t n,
                       float *get, const float *put)
{
    float *const arrays[] = { x->w, x->m, x->m2 };
    float *array = arrays[a];
    if (n == 0)
        return;
    if (x->format == CPU_FORMAT_DENSE)
        move_dense(x, array, from, n, get, put);
    else
        move_lists(x, array, from, n, get, put);
}

void cpu_weights_get(const struct cpu_weights *x, enum cpu_array a, uint64_t from, uint64_t n,
                     float *ret)
{
    move_array(x, a, from, n, ret, NULL);
}

void cpu_weights_put(struct cpu_weights *x, enum cpu_array a, uint64_t from, uint64_t n,
                     const float *v)
{
    move_array(x, a, from, n, NULL, v);
}
