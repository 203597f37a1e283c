/* SPDX-License-Identifier: MIT
 * sparse/select.c - scoring in chunks, choosing by streaming top-k.
 */
#include "sparse/select.h"
#include "base/topk.h"
#include "sparse/draw.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Where the scores of a layer go. */
struct sink {
    struct ftk__stream *stream;
    uint64_t first; /* added to an index: its flat position         */
    float *keep;    /* all scores in order too, or NULL             */
};

static ftk_status fail_memory(uint64_t k, struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "no memory to choose %" PRIu64 " weights", k);
}

/* Into the stream; what it refuses becomes a sentence of the rule's, for it gave the score. */
static ftk_status take_scores(struct ftk__work *w, const ftk_host *h, uint32_t layer,
                              const ftk_cand *cand, struct sink *sink)
{
    const uint64_t *index = cand->index;
    struct ftk_error err = { 0 };
    if (sink->first) {
        for (uint64_t i = 0; i < cand->count; i++)
            w->shifted[i] = sink->first + cand->index[i];
        index = w->shifted;
    }
    ftk_status st = ftk__stream_add(sink->stream, index, w->score, cand->count, &err);
    if (st == FTK_OK && sink->keep) {
        memcpy(sink->keep, w->score, cand->count * sizeof(*sink->keep));
        sink->keep += cand->count;
    }
    if (st != FTK_ENUMERIC)
        return st < 0 ? h->fail(h, st, "%s", err.message) : st;
    uint64_t bad = 0;
    while (bad + 1 < cand->count && !isnan(w->score[bad]))
        bad++;
    return h->fail(h, st, "score 'nan' in layer '%s' (candidate %" PRIu64 ")",
                   w->layers[layer].name, cand->index[bad]);
}

static ftk_status score_layer(struct ftk__work *w, const struct ftk__choice *c, uint32_t layer,
                              struct sink *sink, struct ftk_error *reterr)
{
    const struct ftk__rule *rule = c->rule;
    ftk_update u = ftk__rule_update(w, rule, layer);
    ftk_status st = ftk__reader_start(&w->reader, layer, c->which, rule->channels, reterr);
    while (st == FTK_OK) {
        ftk_cand cand;
        st = ftk__reader_next(&w->reader, FTK__CHUNK, &cand, reterr);
        if (st < 0 || cand.count == 0)
            break;
        const ftk_host *h = ftk__rule_begin(rule);
        st = rule->score(h, rule->inst->self, &w->layers[layer], &cand, &u, w->score);
        if (st == FTK_OK)
            st = take_scores(w, h, layer, &cand, sink);
        st = ftk__rule_end(rule, st, reterr);
    }
    return st;
}

static ftk_status check_seen(const struct ftk__work *w, uint32_t layer, uint64_t k, uint64_t seen,
                             struct ftk_error *reterr)
{
    if (seen >= k)
        return FTK_OK;
    if (layer == FTK__WHOLE_NETWORK)
        return ftk__fail(reterr, FTK_ERANGE,
                         "%" PRIu64 " weights to choose, the network has %" PRIu64 " candidates", k,
                         seen);
    return ftk__fail(reterr, FTK_ERANGE,
                     "%" PRIu64 " weights to choose, layer '%s' has %" PRIu64 " candidates", k,
                     w->layers[layer].name, seen);
}

static ftk_status copy_picked(const uint64_t *index, uint64_t n, uint64_t first,
                              struct ftk__picked *ret, struct ftk_error *reterr)
{
    uint64_t *v = ftk__alloc_array(n, sizeof(*v));
    if (!v)
        return fail_memory(n, reterr);
    for (uint64_t i = 0; i < n; i++)
        v[i] = index[i] - first;
    ret->index = v;
    ret->n = n;
    return FTK_OK;
}

static ftk_status rank_layer(struct ftk__work *w, const struct ftk__choice *c, uint32_t layer,
                             uint64_t k, struct ftk__picked *ret, struct ftk_error *reterr)
{
    struct sink sink = { .stream = ftk__stream_new(k, c->which == FTK_INACTIVE) };
    const uint64_t *index;
    uint64_t n;
    if (!sink.stream)
        return fail_memory(k, reterr);
    ftk_status st = score_layer(w, c, layer, &sink, reterr);
    if (st < 0)
        goto out;
    st = ftk__stream_end(sink.stream, &index, NULL, &n, reterr);
    if (st < 0)
        goto out;
    st = check_seen(w, layer, k, n, reterr);
    if (st < 0)
        goto out;
    st = copy_picked(index, n, 0, ret, reterr);
out:
    ftk__stream_free(sink.stream);
    return st;
}

/* Active weights for which score[i] <= limit, or, without scores, weights that are exactly 0. */
static ftk_status pick_up_to(struct ftk__work *w, uint32_t layer, const float *score, float limit,
                             struct ftk__picked *ret, struct ftk_error *reterr)
{
    uint64_t n = 0, at = 0;
    uint64_t *index = ftk__alloc_array(w->layers[layer].nnz, sizeof(*index));
    if (!index)
        return fail_memory(w->layers[layer].nnz, reterr);
    uint32_t channels = score ? 0 : FTK_CH_WEIGHT;
    ftk_status st = ftk__reader_start(&w->reader, layer, FTK_ACTIVE, channels, reterr);
    while (st == FTK_OK) {
        ftk_cand cand;
        st = ftk__reader_next(&w->reader, FTK__CHUNK, &cand, reterr);
        if (st < 0 || cand.count == 0)
            break;
        for (uint64_t i = 0; i < cand.count && at < w->layers[layer].nnz; i++, at++) {
            bool goes = score ? score[at] <= limit : cand.weight[i] == 0;
            index[n] = cand.index[i];
            n += goes;
        }
    }
    if (st < 0) {
        ftk__free(index);
        return st;
    }
    ret->index = index;
    ret->n = n;
    return FTK_OK;
}

/* Layers of a choice: one, or all that are not exempt. */
static bool takes_part(const struct ftk__work *w, uint32_t layer, uint32_t only)
{
    if (only != FTK__WHOLE_NETWORK)
        return layer == only;
    return !ftk__topology_exempt(w->t, layer);
}

/* The k-th lowest score of the layers, all scores in order in `keep`. */
static ftk_status find_limit(struct ftk__work *w, const struct ftk__choice *c, uint32_t only,
                             uint64_t k, float *keep, float *ret_limit, struct ftk_error *reterr)
{
    struct sink sink = { .stream = ftk__stream_new(k, false), .keep = keep };
    ftk_status st = sink.stream ? FTK_OK : fail_memory(k, reterr);
    for (uint32_t l = 0; l < w->t->n_layers && st == FTK_OK; l++) {
        sink.first = w->t->first[l];
        if (takes_part(w, l, only))
            st = score_layer(w, c, l, &sink, reterr);
    }
    const uint64_t *index;
    const float *score;
    uint64_t n = 0;
    if (st == FTK_OK)
        st = ftk__stream_end(sink.stream, &index, &score, &n, reterr);
    if (st == FTK_OK)
        st = check_seen(w, only, k, n, reterr);
    float limit = -INFINITY;
    for (uint64_t i = 0; i < n && st == FTK_OK; i++)
        limit = score[i] > limit ? score[i] : limit;
    ftk__stream_free(sink.stream);
    if (st == FTK_OK)
        *ret_limit = limit;
    return st;
}

/* The published rule: everything up to the k-th lowest score goes, and with k = 0 every active
 * weight that is exactly 0.  The scores are kept, 4 bytes for each active weight, because a
 * rule that draws or keeps state must not be asked twice. */
static ftk_status pick_by_threshold(struct ftk__work *w, const struct ftk__choice *c, uint32_t only,
                                    uint64_t k, struct ftk__picked *ret, struct ftk_error *reterr)
{
    uint64_t active = 0;
    float limit = 0;
    for (uint32_t l = 0; l < w->t->n_layers; l++)
        active += takes_part(w, l, only) ? w->layers[l].nnz : 0;
    float *keep = ftk__alloc_array(k ? active : 0, sizeof(*keep));
    if (!keep)
        return fail_memory(active, reterr);
    ftk_status st = FTK_OK;
    if (k)
        st = find_limit(w, c, only, k, keep, &limit, reterr);
    uint64_t at = 0;
    for (uint32_t l = 0; l < w->t->n_layers && st == FTK_OK; l++) {
        if (!takes_part(w, l, only))
            continue;
        struct ftk__picked *to = only == FTK__WHOLE_NETWORK ? &ret[l] : ret;
        st = pick_up_to(w, l, k ? keep + at : NULL, limit, to, reterr);
        at += w->layers[l].nnz;
    }
    ftk__free(keep);
    return st;
}

ftk_status ftk__select_layer(struct ftk__work *w, const struct ftk__choice *c, uint32_t layer,
                             uint64_t k, struct ftk__picked *ret, struct ftk_error *reterr)
{
    *ret = (struct ftk__picked){ 0 };
    if (c->rule->formula == FTK_FORMULA_UNIFORM)
        return k ? ftk__draw_layer(w, c, layer, k, ret, reterr) : FTK_OK;
    if (c->threshold)
        return pick_by_threshold(w, c, layer, k, ret, reterr);
    return k ? rank_layer(w, c, layer, k, ret, reterr) : FTK_OK;
}

/* Cuts flat positions, ascending, into layers. */
static ftk_status split(const struct ftk__work *w, const uint64_t *index, uint64_t n,
                        struct ftk__picked *ret, struct ftk_error *reterr)
{
    uint64_t at = 0;
    for (uint32_t l = 0; l < w->t->n_layers; l++) {
        uint64_t from = at;
        while (at < n && index[at] < w->t->first[l + 1])
            at++;
        if (at == from)
            continue;
        ftk_status st = copy_picked(index + from, at - from, w->t->first[l], &ret[l], reterr);
        if (st < 0)
            return st;
    }
    return FTK_OK;
}

/* The best k of layer `l` and of `*stream` (the layers behind it), in a stream of their own: layers
 * are read last one first, because backends let go of a gradient that was read, but a stream
 * wants its candidates in ascending order. */
static ftk_status rank_before(struct ftk__work *w, const struct ftk__choice *c, uint32_t l,
                              uint64_t k, struct ftk__stream **stream, uint64_t *seen,
                              struct ftk_error *reterr)
{
    struct sink sink = { .stream = ftk__stream_new(k, c->which == FTK_INACTIVE),
                         .first = w->t->first[l] };
    if (!sink.stream)
        return fail_memory(k, reterr);
    ftk_status st = score_layer(w, c, l, &sink, reterr);
    *seen += ftk__stream_seen(sink.stream);
    if (st == FTK_OK && *stream) {
        const uint64_t *index;
        const float *score;
        uint64_t n;
        st = ftk__stream_end(*stream, &index, &score, &n, reterr);
        if (st == FTK_OK)
            st = ftk__stream_add(sink.stream, index, score, n, reterr);
    }
    ftk__stream_free(*stream);
    *stream = sink.stream;
    return st;
}

static ftk_status rank_network(struct ftk__work *w, const struct ftk__choice *c, uint64_t k,
                               struct ftk__picked *ret, struct ftk_error *reterr)
{
    struct ftk__stream *stream = NULL;
    ftk_status st = FTK_OK;
    uint64_t seen = 0;
    for (uint32_t l = w->t->n_layers; l-- > 0 && st == FTK_OK;) {
        if (takes_part(w, l, FTK__WHOLE_NETWORK))
            st = rank_before(w, c, l, k, &stream, &seen, reterr);
    }
    if (st == FTK_OK)
        st = check_seen(w, FTK__WHOLE_NETWORK, k, seen, reterr);
    if (st == FTK_OK && stream) {
        const uint64_t *index;
        uint64_t n;
        st = ftk__stream_end(stream, &index, NULL, &n, reterr);
        if (st == FTK_OK)
            st = split(w, index, n, ret, reterr);
    }
    ftk__stream_free(stream);
    return st;
}

ftk_status ftk__select_network(struct ftk__work *w, const struct ftk__choice *c, uint64_t k,
                               struct ftk__picked *ret, struct ftk_error *reterr)
{
    for (uint32_t l = 0; l < w->t->n_layers; l++)
        ret[l] = (struct ftk__picked){ 0 };
    if (c->rule->formula == FTK_FORMULA_UNIFORM)
        return k ? ftk__draw_network(w, c, k, ret, reterr) : FTK_OK;
    if (c->threshold)
        return pick_by_threshold(w, c, FTK__WHOLE_NETWORK, k, ret, reterr);
    return k ? rank_network(w, c, k, ret, reterr) : FTK_OK;
}
