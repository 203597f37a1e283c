/* SPDX-License-Identifier: MIT
 * layout/cpu_lists.c - build the lists of a layer from its active set, in two passes over the bits.
 */
#include "layout/cpu_lists.h"

/* What a tap means, worked out once. */
struct tap {
    uint32_t off, back_off; /* in a packed channel                  */
    uint32_t sub;           /* of the backward pass                 */
    uint32_t back_run;      /* first run of that sub                */
};

struct build {
    struct cpu_weights *x;
    struct tap *tap;     /* [taps]                                   */
    uint32_t *next;      /* [forward runs] where its next entry goes */
    uint32_t *back_next; /* [backward runs]                         */
    int place;           /* 0: count                                 */
};

static void set_taps(struct build *b)
{
    const struct cpu_geom *g = b->x->geom;
    for (uint32_t t = 0; t < g->taps; t++) {
        struct tap *tap = &b->tap[t];
        tap->off = cpu_geom_offset(g, 0, t);
        tap->back_off = cpu_geom_offset_back(g, 0, t, &tap->sub);
        tap->back_run = 0;
        for (uint32_t s = 0; s < tap->sub; s++)
            tap->back_run += g->backward.sub[s].n_blocks * g->backward.dst_c;
    }
}

static void visit_entry(struct build *b, uint32_t oc, uint32_t ic, const struct tap *tap)
{
    const struct cpu_geom *g = b->x->geom;
    const struct cpu_sub *f = g->forward.sub;
    const struct cpu_sub *s = &g->backward.sub[tap->sub];
    const uint32_t kb = ic / f->chan_block;
    const uint32_t back_kb = oc / s->chan_block;
    const uint32_t run = kb * g->out_c + oc;
    const uint32_t back_run = tap->back_run + back_kb * g->in_c + ic;
    if (b->place) {
        const uint32_t k = b->next[run];
        const uint32_t back_k = b->back_next[back_run];
        b->x->off[k] = (uint16_t)((ic - kb * f->chan_block) * f->chan_vecs + tap->off);
        b->x->back_off[back_k] =
            (uint16_t)((oc - back_kb * s->chan_block) * s->chan_vecs + tap->back_off);
        b->x->back_perm[back_k] = k;
    }
    b->next[run]++;
    b->back_next[back_run]++;
}

static void visit_all(struct build *b)
{
    const struct cpu_weights *x = b->x;
    const struct cpu_geom *g = x->geom;
    const uint64_t row = (uint64_t)g->in_c * g->taps;
    for (uint32_t oc = 0; oc < g->out_c; oc++) {
        const uint64_t end = (oc + 1) * row;
        uint64_t flat = oc * row;
        while (flat < end) {
            const uint64_t word = x->bits[flat / 64] >> flat % 64;
            if (word == 0) {
                flat = (flat / 64 + 1) * 64;
                continue;
            }
            flat += (uint64_t)__builtin_ctzll(word);
            if (flat >= end)
                break;
            const uint32_t local = (uint32_t)(flat - oc * row);
            visit_entry(b, oc, local / g->taps, &b->tap[local % g->taps]);
            flat++;
        }
    }
}

/* next[r] = ptr[r] = number of entries before run r. */
static void sum_up(uint32_t *next, uint32_t *ptr, uint32_t n)
{
    uint32_t at = 0;
    for (uint32_t r = 0; r < n; r++) {
        const uint32_t here = next[r];
        ptr[r] = at;
        next[r] = at;
        at += here;
    }
    ptr[n] = at;
}

static void set_ranks(struct cpu_weights *x)
{
    const struct cpu_geom *g = x->geom;
    const uint32_t n_blocks = g->forward.sub->n_blocks;
    uint32_t at = 0;
    for (uint32_t c = 0; c < g->out_c; c++) {
        for (uint32_t kb = 0; kb < n_blocks; kb++) {
            const uint32_t *ptr = x->ptr + (size_t)kb * g->out_c + c;
            x->rank[c * n_blocks + kb] = at;
            at += ptr[1] - ptr[0];
        }
    }
    x->rank[g->forward.n_runs] = at;
}

static ftk_status alloc_lists(struct build *b)
{
    struct cpu_weights *x = b->x;
    const ftk_host *h = x->host;
    const size_t runs = x->geom->forward.n_runs;
    const size_t back_runs = x->geom->backward.n_runs;
    b->tap = h->alloc(h, x->geom->taps * sizeof(*b->tap));
    b->next = h->alloc(h, runs * sizeof(*b->next));
    b->back_next = h->alloc(h, back_runs * sizeof(*b->back_next));
    x->ptr = h->alloc(h, (runs + 1) * sizeof(*x->ptr));
    x->rank = h->alloc(h, (runs + 1) * sizeof(*x->rank));
    x->off = h->alloc(h, (x->nnz + 1) * sizeof(*x->off));
    x->back_ptr = h->alloc(h, (back_runs + 1) * sizeof(*x->back_ptr));
    x->back_perm = h->alloc(h, (x->nnz + 1) * sizeof(*x->back_perm));
    x->back_off = h->alloc(h, (x->nnz + 1) * sizeof(*x->back_off));
    if (!b->tap || !b->next || !b->back_next || !x->ptr || !x->rank || !x->off || !x->back_ptr ||
        !x->back_perm || !x->back_off)
        return FTK_ENOMEM;
    return FTK_OK;
}

ftk_status cpu_lists_build(struct cpu_weights *x)
{
    struct build b = { .x = x };
    const ftk_host *h = x->host;
    const ftk_status st = alloc_lists(&b);
    if (st == FTK_OK) {
        set_taps(&b);
        visit_all(&b);
        sum_up(b.next, x->ptr, x->geom->forward.n_runs);
        sum_up(b.back_next, x->back_ptr, x->geom->backward.n_runs);
        set_ranks(x);
        b.place = 1;
        visit_all(&b);
    }
    h->free(h, b.tap);
    h->free(h, b.next);
    h->free(h, b.back_next);
    return st;
}

uint32_t cpu_lists_find(const struct cpu_weights *x, uint64_t rank)
{
    uint32_t low = 0;
    uint32_t high = x->geom->forward.n_runs;
    /* the last run that starts at or before `rank`: empty ones start where the next does */
    while (high - low > 1) {
        const uint32_t mid = low + (high - low) / 2;
        if (x->rank[mid] <= rank)
            low = mid;
        else
            high = mid;
    }
    return low;
}
