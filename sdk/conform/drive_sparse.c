/* SPDX-License-Identifier: MIT
 * conform/drive_sparse.c - one call each into the sparse kinds.
 */
#include "conform/scene.h"
#include <string.h>

struct ftk__scorer ftk__scorer_of(const ftk_algo *a)
{
    if (a->kind == FTK_KIND_PRUNE) {
        const ftk_prune_ops *o = a->ops;
        return (struct ftk__scorer){ o->channels, o->count, o->props, o->formula,
                                     FTK_ACTIVE,  o->score, o->select };
    }
    if (a->kind == FTK_KIND_GROW) {
        const ftk_grow_ops *o = a->ops;
        return (struct ftk__scorer){ o->channels,  o->count, o->props, o->formula,
                                     FTK_INACTIVE, o->score, o->select };
    }
    const ftk_init_ops *o = a->ops;
    return (struct ftk__scorer){ o->channels, FTK_COUNT_EXACT, 0, 0, FTK_ACTIVE, NULL, o->select };
}

/* One chunk; what the plugin wrote goes to ret[n]. */
static ftk_status score_chunk(struct ftk__case *c, struct ftk__subject *s,
                              const struct ftk__scorer *op, const ftk_layer *layer,
                              const ftk_cand *cand, ftk_update *u, const struct ftk__how *how,
                              float *ret)
{
    uint64_t n = cand->count;
    float *score =
        ftk__guard_new("score", n * sizeof(*score), sizeof(*score), how->side, how->fill);
    if (how->between)
        how->between(c, how->between_arg);
    ftk__kit_begin(s->host);
    ftk_status st = op->score(s->host->table, s->self, layer, cand, u, score);
    st = ftk__kit_end(c, s->host, "score", false, st);
    if (n > 0)
        memcpy(ret, score, n * sizeof(*score));
    return st;
}

ftk_status ftk__score_list(struct ftk__case *c, struct ftk__subject *s, struct ftk__scene_layer *l,
                           const uint64_t *list, uint64_t n, uint64_t round,
                           const struct ftk__how *how, void *state, float *ret)
{
    const struct ftk__scorer op = ftk__scorer_of(s->algo);
    uint64_t chunk = how->chunk > 0 ? how->chunk : n;
    uint64_t at = 0;
    ftk_status st = FTK_OK;
    ftk_rng rng = { { 0, 0 }, 0 };
    do {
        /* Everything is made anew for each chunk, but for the stream, which goes on. */
        uint64_t count = n - at < chunk ? n - at : chunk;
        uint32_t of_chunk = ftk__guard_mark();
        ftk_update *u = ftk__scene_update(round, l->layer.index, how, state);
        if (at > 0)
            u->rng = rng;
        st = score_chunk(c, s, &op, ftk__scene_layer(l, how),
                         ftk__scene_cand(l, list, at, count, op.channels, how), u, how, ret + at);
        rng = u->rng;
        at += count;
        if (!how->keep)
            ftk__guard_release(of_chunk);
    } while (at < n && st == FTK_OK);
    return st;
}

ftk_status ftk__select_once(struct ftk__case *c, struct ftk__subject *s, struct ftk__scene *scene,
                            const uint64_t *budget, uint64_t round, const struct ftk__how *how,
                            void *state, struct ftk__view *v)
{
    const struct ftk__scorer op = ftk__scorer_of(s->algo);
    uint32_t which = s->algo->kind == FTK_KIND_INIT ? FTK_ACTIVE : op.which;
    uint32_t mark = ftk__guard_mark();
    ftk__view_open(c, scene, s->host, how, op.channels, which, budget, v);
    ftk_update *u = ftk__scene_update(round, 0, how, state);
    if (how->between)
        how->between(c, how->between_arg);
    ftk__kit_begin(s->host);
    ftk_status st = op.select(s->host->table, s->self, v->net, u, v->edit);
    st = ftk__kit_end(c, s->host, "select", false, st);
    ftk__view_close(v, "select", st);
    if (!how->keep)
        ftk__guard_release(mark);
    return st;
}
