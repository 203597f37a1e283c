/* SPDX-License-Identifier: MIT
 * sparse/netview.c - the network as level-2 rules see it, each of their calls checked.
 */
#include "sparse/netview.h"
#include "plugin/channels.h"
#include "sparse/bits.h"
#include "sparse/draw.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static ftk_status refuse(struct ftk__netview *v, ftk_status st, const char *fmt, ...)
    FTK_PRINTF(3, 4);

/* Keeps the first sentence and puts this one on the rule's record. */
static ftk_status refuse(struct ftk__netview *v, ftk_status st, const char *fmt, ...)
{
    char text[sizeof(v->sentence)];
    const ftk_host *h = ftk__host_table(v->rule->inst->host);
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (v->failed == FTK_OK) {
        v->failed = st;
        (void)snprintf(v->sentence, sizeof(v->sentence), "%s", text);
    }
    return h->fail(h, st, "%s", text);
}

/* Brings the reader to the entry of a list that was given out `given` entries ago. */
static ftk_status seek(struct ftk__netview *v, uint32_t layer, uint32_t which, uint32_t channels,
                       uint64_t given, struct ftk_error *reterr)
{
    struct ftk__reader *r = &v->work->reader;
    uint32_t list = 2 * layer + (which == FTK_INACTIVE);
    struct ftk__place *at = &v->place[list];
    if (v->now == list && r->channels == channels && at->given == given)
        return FTK_OK;
    v->now = UINT32_MAX;
    ftk_status st;
    if (at->given == given) {
        st = ftk__reader_resume(r, layer, which, channels, at, reterr);
        v->now = st == FTK_OK ? list : UINT32_MAX;
        return st;
    }
    st = ftk__reader_start(r, layer, which, channels, reterr);
    for (at->given = 0; st == FTK_OK && at->given < given;) {
        ftk_cand c;
        st = ftk__reader_next(r, given - at->given, &c, reterr);
        if (st < 0 || c.count == 0)
            break;
        at->given += c.count;
    }
    v->now = st == FTK_OK ? list : UINT32_MAX;
    return st;
}

static ftk_status net_read(const ftk_net *net, uint32_t layer, uint32_t which, uint32_t channels,
                           uint64_t cap, uint64_t *cursor, ftk_cand *ret)
{
    struct ftk__netview *v = net->impl;
    struct ftk_error err = { 0 };
    char undeclared[FTK__CHANNEL_NAMES], declared[FTK__CHANNEL_NAMES];
    ftk_cand c;
    if (layer >= net->n_layers)
        return refuse(v, FTK_ERANGE, "read of layer %" PRIu32 ", the network has %" PRIu32, layer,
                      net->n_layers);
    if (which != FTK_ACTIVE && which != FTK_INACTIVE)
        return refuse(v, FTK_EINVAL,
                      "read of list %" PRIu32 ", which is neither FTK_ACTIVE nor FTK_INACTIVE",
                      which);
    if (channels & ~v->rule->channels)
        return refuse(v, FTK_EINVAL, "read of channel %s, declared: %s",
                      ftk__channel_names(channels & ~v->rule->channels, undeclared),
                      ftk__channel_names(v->rule->channels, declared));
    if (cap == 0)
        return refuse(v, FTK_EINVAL, "read of at most 0 entries");
    ftk_status st = seek(v, layer, which, channels, *cursor, &err);
    if (st == FTK_OK)
        st = ftk__reader_next(&v->work->reader, cap, &c, &err);
    if (st < 0) {
        v->now = UINT32_MAX;
        return refuse(v, st, "%s", err.message);
    }
    struct ftk__place *at = &v->place[2 * layer + (which == FTK_INACTIVE)];
    ftk__reader_leave(&v->work->reader, at);
    at->given = *cursor + c.count;
    *cursor = at->given;
    *ret = c;
    return FTK_OK;
}

static const char *why_not(const struct ftk__netview *v, uint32_t layer, uint64_t index)
{
    if (ftk__bits_get(v->taken[layer], index))
        return "was taken before";
    if (v->which == FTK_ACTIVE)
        return "is not active";
    return v->work->t->options->regrow == FTK__REGROW_FORBIDDEN ? "is active or was just dropped"
                                                                : "is active";
}

static ftk_status edit_take(const ftk_edit *e, uint32_t layer, const uint64_t *index, uint64_t n)
{
    struct ftk__netview *v = e->impl;
    if (layer >= e->n_layers)
        return refuse(v, FTK_ERANGE, "take in layer %" PRIu32 ", the network has %" PRIu32, layer,
                      e->n_layers);
    const ftk_layer *l = &v->work->layers[layer];
    if (!v->allowed[layer] && n > 0)
        return refuse(v, FTK_EINVAL, "take in layer '%s', which is dense and exempt", l->name);
    for (uint64_t i = 0; i < n; i++) {
        if (index[i] >= l->n)
            return refuse(v, FTK_ERANGE,
                          "weight %" PRIu64 " taken in layer '%s', which has %" PRIu64, index[i],
                          l->name, l->n);
        if (!ftk__bits_get(v->allowed[layer], index[i]))
            return refuse(v, FTK_EINVAL, "weight %" PRIu64 " of layer '%s' %s", index[i], l->name,
                          why_not(v, layer, index[i]));
        ftk__bits_clear(v->allowed[layer], index[i]);
        ftk__bits_set(v->taken[layer], index[i]);
    }
    return FTK_OK;
}

ftk_status ftk__netview_init(struct ftk__netview *v, struct ftk__work *w, const struct ftk__rule *r,
                             struct ftk_error *reterr)
{
    const uint32_t n = w->t->n_layers;
    *v = (struct ftk__netview){ .work = w, .rule = r, .now = UINT32_MAX };
    v->net = (ftk_net){
        .size = sizeof(v->net), .n_layers = n, .layers = w->layer, .impl = v, .read = net_read
    };
    v->edit = (ftk_edit){ .size = sizeof(v->edit), .n_layers = n, .impl = v, .take = edit_take };
    v->place = ftk__alloc_array(2 * (uint64_t)n, sizeof(*v->place));
    v->allowed = ftk__alloc_array(n, sizeof(*v->allowed));
    v->taken = ftk__alloc_array(n, sizeof(*v->taken));
    if (v->place && v->allowed && v->taken)
        return FTK_OK;
    ftk__netview_done(v);
    return ftk__fail(reterr, FTK_ENOMEM, "no memory for a view of %" PRIu32 " layers", n);
}

void ftk__netview_done(struct ftk__netview *v)
{
    for (uint32_t l = 0; l < v->net.n_layers; l++) {
        if (v->allowed)
            ftk__free(v->allowed[l]);
        if (v->taken)
            ftk__free(v->taken[l]);
    }
    ftk__free(v->place);
    ftk__free(v->allowed);
    ftk__free(v->taken);
    *v = (struct ftk__netview){ 0 };
}

ftk_status ftk__netview_end(const struct ftk__netview *v, ftk_status st, struct ftk_error *reterr)
{
    const ftk_host *h = ftk__host_table(v->rule->inst->host);
    if (st >= 0 && v->failed < 0)
        st = h->fail(h, v->failed, "%s", v->sentence);
    return ftk__rule_end(v->rule, st, reterr);
}

/* Bitmap of what may be taken in a layer.  It is made before the rule is called: the rule may hand
 * take() an array that a read lent, which a read of ours would overwrite. */
static ftk_status mark_allowed(struct ftk__netview *v, uint32_t layer, struct ftk_error *reterr)
{
    struct ftk__work *w = v->work;
    const uint64_t n = w->layers[layer].n;
    uint64_t *bits = ftk__alloc_array(ftk__bits_words(n), sizeof(*bits));
    v->allowed[layer] = bits;
    v->taken[layer] = ftk__alloc_array(ftk__bits_words(n), sizeof(*bits));
    if (!bits || !v->taken[layer])
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for a view of layer '%s'",
                         w->layers[layer].name);
    bool growing = v->which == FTK_INACTIVE;
    for (uint64_t i = 0; i < ftk__bits_words(n) && growing; i++)
        bits[i] = UINT64_MAX;
    uint32_t list = growing ? (uint32_t)FTK__OCCUPIED : (uint32_t)FTK_ACTIVE;
    ftk_status st = ftk__reader_start(&w->reader, layer, list, 0, reterr);
    while (st == FTK_OK) {
        ftk_cand c;
        st = ftk__reader_next(&w->reader, FTK__CHUNK, &c, reterr);
        if (st < 0 || c.count == 0)
            break;
        for (uint64_t i = 0; i < c.count; i++) {
            if (growing)
                ftk__bits_clear(bits, c.index[i]);
            else
                ftk__bits_set(bits, c.index[i]);
        }
    }
    return st;
}

/* EXACT rules take each layer's budget; or what the budgets sum to where layers may differ. */
static ftk_status check_counts(struct ftk__netview *v, const uint64_t *budget, bool by_layer)
{
    uint64_t asked = 0, took = 0;
    if (v->rule->count != FTK_COUNT_EXACT)
        return FTK_OK;
    for (uint32_t l = 0; l < v->net.n_layers; l++) {
        const ftk_layer *layer = &v->work->layers[l];
        uint64_t here = v->taken[l] ? ftk__bits_count(v->taken[l], layer->n) : 0;
        asked += budget[l];
        took += here;
        if (by_layer && here != budget[l])
            return refuse(v, FTK_ERANGE,
                          "took %" PRIu64 " weights of layer '%s', its budget is %" PRIu64, here,
                          layer->name, budget[l]);
    }
    if (took == asked)
        return FTK_OK;
    return refuse(v, FTK_ERANGE, "took %" PRIu64 " weights, the budgets sum to %" PRIu64, took,
                  asked);
}

ftk_status ftk__netview_select(struct ftk__work *w, const struct ftk__rule *r, uint32_t which,
                               const uint64_t *budget, bool by_layer, struct ftk__picked *ret,
                               struct ftk_error *reterr)
{
    struct ftk__netview v;
    ftk_status st = ftk__netview_init(&v, w, r, reterr);
    if (st < 0)
        return st;
    v.which = which;
    v.edit.budget = budget;
    for (uint32_t l = 0; l < w->t->n_layers && st == FTK_OK; l++) {
        if (!ftk__topology_exempt(w->t, l))
            st = mark_allowed(&v, l, reterr);
    }
    if (st < 0)
        goto out;
    ftk_update u = ftk__rule_update(w, r, FTK__WHOLE_NETWORK);
    const ftk_host *h = ftk__rule_begin(r);
    st = r->select(h, r->inst->self, &v.net, &u, &v.edit);
    if (st == FTK_OK && v.failed == FTK_OK)
        st = check_counts(&v, budget, by_layer);
    st = ftk__netview_end(&v, st, reterr);
    for (uint32_t l = 0; l < w->t->n_layers && st == FTK_OK; l++) {
        if (v.taken[l])
            st = ftk__draw_list(v.taken[l], w->layers[l].n, &ret[l], reterr);
    }
out:
    ftk__netview_done(&v);
    return st;
}
