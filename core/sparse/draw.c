/* SPDX-License-Identifier: MIT
 * sparse/draw.c - uniform sampling of candidates.
 */
#include "sparse/draw.h"
#include "sparse/bits.h"
#include <inttypes.h>

void ftk__draw_floyd(ftk_rng *rng, uint64_t n, uint64_t k, uint64_t *bits)
{
    for (uint64_t j = n - k; j < n; j++) {
        uint64_t i = ftk__rng_below(rng, j + 1);
        ftk__bits_set(bits, ftk__bits_get(bits, i) ? j : i);
    }
}

void ftk__draw_bernoulli(ftk_rng *rng, uint64_t n, double p, uint64_t *bits)
{
    for (uint64_t i = 0; i < n; i++) {
        if (ftk__rng_uniform(rng) < p)
            ftk__bits_set(bits, i);
    }
}

static ftk_status new_bits(uint64_t n, uint64_t **ret, struct ftk_error *reterr)
{
    *ret = ftk__alloc_array(ftk__bits_words(n), sizeof(**ret));
    if (*ret)
        return FTK_OK;
    return ftk__fail(reterr, FTK_ENOMEM, "no memory to draw from %" PRIu64 " weights", n);
}

ftk_status ftk__draw_list(const uint64_t *bits, uint64_t n, struct ftk__picked *ret,
                          struct ftk_error *reterr)
{
    uint64_t count = ftk__bits_count(bits, n);
    uint64_t *v = ftk__alloc_array(count, sizeof(*v));
    if (!v)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for %" PRIu64 " weights", count);
    uint64_t at = 0;
    for (uint64_t i = ftk__bits_next(bits, 0, n); i < n; i = ftk__bits_next(bits, i + 1, n))
        v[at++] = i;
    ret->index = v;
    ret->n = count;
    return FTK_OK;
}

/* How many there are to draw from. */
static uint64_t candidates(const struct ftk__work *w, uint32_t which, uint32_t layer)
{
    if (ftk__topology_exempt(w->t, layer))
        return 0;
    return which == FTK_ACTIVE ? w->layers[layer].nnz : ftk__work_room(w, layer);
}

/* The set bits of [from, to) one after the other, numbered from 0. */
struct ranks {
    const uint64_t *bits;
    uint64_t from, at, to;
};

static struct ranks ranks_of(const uint64_t *bits, uint64_t from, uint64_t n)
{
    return (struct ranks){ bits, from, ftk__bits_next(bits, from, from + n), from + n };
}

static bool ranks_left(const struct ranks *r)
{
    return r->at < r->to;
}

static uint64_t rank_now(const struct ranks *r)
{
    return r->at - r->from;
}

static void rank_next(struct ranks *r)
{
    r->at = ftk__bits_next(r->bits, r->at + 1, r->to);
}

static uint64_t ranks_count(struct ranks r)
{
    uint64_t n = 0;
    for (; ranks_left(&r); rank_next(&r))
        n++;
    return n;
}

/* Active weights: the rank is the place in the list. */
static ftk_status place_active(struct ftk__work *w, uint32_t layer, struct ranks r, uint64_t *to,
                               struct ftk_error *reterr)
{
    uint64_t before = 0;
    ftk_status st = ftk__reader_start(&w->reader, layer, FTK_ACTIVE, 0, reterr);
    while (st == FTK_OK && ranks_left(&r)) {
        ftk_cand c;
        st = ftk__reader_next(&w->reader, FTK__CHUNK, &c, reterr);
        if (st < 0 || c.count == 0)
            break;
        for (; ranks_left(&r) && rank_now(&r) < before + c.count; rank_next(&r))
            *to++ = c.index[rank_now(&r) - before];
        before += c.count;
    }
    return st;
}

/* Inactive weights: rank r lies at position r + (occupied positions before it). */
static ftk_status place_inactive(struct ftk__work *w, uint32_t layer, struct ranks r, uint64_t *to,
                                 struct ftk_error *reterr)
{
    uint64_t before = 0;
    ftk_status st = ftk__reader_start(&w->reader, layer, FTK__OCCUPIED, 0, reterr);
    while (st == FTK_OK && ranks_left(&r)) {
        ftk_cand c;
        st = ftk__reader_next(&w->reader, FTK__CHUNK, &c, reterr);
        if (st < 0 || c.count == 0)
            break;
        for (uint64_t i = 0; i < c.count; i++) {
            for (; ranks_left(&r) && rank_now(&r) < c.index[i] - before; rank_next(&r))
                *to++ = rank_now(&r) + before;
            before++;
        }
    }
    for (; st == FTK_OK && ranks_left(&r); rank_next(&r))
        *to++ = rank_now(&r) + before;
    return st;
}

/* Turns the ranks drawn for a layer into positions. */
static ftk_status place(struct ftk__work *w, uint32_t which, uint32_t layer, struct ranks r,
                        struct ftk__picked *ret, struct ftk_error *reterr)
{
    uint64_t n = ranks_count(r);
    if (n == 0)
        return FTK_OK;
    uint64_t *v = ftk__alloc_array(n, sizeof(*v));
    if (!v)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory to choose %" PRIu64 " weights", n);
    ftk_status st = which == FTK_ACTIVE ? place_active(w, layer, r, v, reterr)
                                        : place_inactive(w, layer, r, v, reterr);
    if (st < 0) {
        ftk__free(v);
        return st;
    }
    ret->index = v;
    ret->n = n;
    return FTK_OK;
}

static void draw(const struct ftk__choice *c, ftk_rng rng, uint64_t n, uint64_t k, uint64_t *bits)
{
    if (c->bernoulli)
        ftk__draw_bernoulli(&rng, n, (double)k / (double)n, bits);
    else
        ftk__draw_floyd(&rng, n, k, bits);
}

ftk_status ftk__draw_layer(struct ftk__work *w, const struct ftk__choice *c, uint32_t layer,
                           uint64_t k, struct ftk__picked *ret, struct ftk_error *reterr)
{
    uint64_t n = candidates(w, c->which, layer);
    uint64_t *bits;
    if (k > n)
        return ftk__fail(reterr, FTK_ERANGE,
                         "%" PRIu64 " weights to choose, layer '%s' has %" PRIu64 " candidates", k,
                         w->layers[layer].name, n);
    ftk_status st = new_bits(n, &bits, reterr);
    if (st < 0)
        return st;
    draw(c, ftk__rule_update(w, c->rule, layer).rng, n, k, bits);
    st = place(w, c->which, layer, ranks_of(bits, 0, n), ret, reterr);
    ftk__free(bits);
    return st;
}

ftk_status ftk__draw_network(struct ftk__work *w, const struct ftk__choice *c, uint64_t k,
                             struct ftk__picked *ret, struct ftk_error *reterr)
{
    uint64_t total = 0;
    uint64_t *bits;
    for (uint32_t l = 0; l < w->t->n_layers; l++)
        total += candidates(w, c->which, l);
    if (k > total)
        return ftk__fail(reterr, FTK_ERANGE,
                         "%" PRIu64 " weights to choose, the network has %" PRIu64 " candidates", k,
                         total);
    ftk_status st = new_bits(total, &bits, reterr);
    if (st < 0)
        return st;
    draw(c, ftk__rule_update(w, c->rule, FTK__WHOLE_NETWORK).rng, total, k, bits);
    uint64_t from = 0;
    for (uint32_t l = 0; l < w->t->n_layers && st == FTK_OK; l++) {
        uint64_t n = candidates(w, c->which, l);
        st = place(w, c->which, l, ranks_of(bits, from, n), &ret[l], reterr);
        from += n;
    }
    ftk__free(bits);
    return st;
}
