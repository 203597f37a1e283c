/* SPDX-License-Identifier: MIT
 * conform/driver_sparse.c - series of calls of prune, grow, init and allot: three updates of a small
 * network, its values new at each.
 */
#include "conform/scene.h"
#include <math.h>
#include <string.h>

enum { ROUNDS = 3, LAYERS = 3, STATE_ALIGN = 64 };

static uint32_t last_round(const struct ftk__how *how)
{
    return how->rounds > 0 ? how->from_round + how->rounds : ROUNDS;
}

static void make_flat(struct ftk__scene_layer *l)
{
    for (uint64_t i = 0; i < l->layer.n; i++) {
        l->weight[i] = 0.5f;
        l->grad[i] = 0.5f;
        l->momentum[i] = 0.5f;
        l->age[i] = 3;
        l->fired[i] = 1;
    }
}

/* Takes the values of some channels from another network. */
static void exchange(struct ftk__scene_layer *l, const struct ftk__scene_layer *from,
                     uint32_t channels)
{
    for (uint64_t i = 0; i < l->layer.n; i++) {
        if (channels & FTK_CH_WEIGHT)
            l->weight[i] = from->weight[i];
        if (channels & FTK_CH_GRAD)
            l->grad[i] = from->grad[i];
        if (channels & FTK_CH_MOMENTUM)
            l->momentum[i] = from->momentum[i];
        if ((channels & FTK_CH_AGE) && l->fired[i]) /* what never fired has no other age */
            l->age[i] = l->age[i] + 1 + from->age[i] % 7;
        if (channels & FTK_CH_FIRED)
            l->fired[i] = l->active[i] || !from->fired[i];
    }
}

/* For densities a network whose first and last layers are small: rules may keep them dense. */
static void make_scene(struct ftk__case *c, uint64_t seed, struct ftk__scene *ret)
{
    static const uint64_t n[LAYERS] = { 7, 1003, 64 };
    const struct ftk__scene_shape shape = { .n = n, .n_layers = LAYERS };
    if (ftk__kit_kind_bit(c->algo) != FTK__ON_INIT1) {
        ftk__scene_small(c, seed, ret);
        return;
    }
    ftk__scene_new(c, &shape, seed, ret);
    ret->l[1].layer.shape[0] = 17;
    ret->l[1].layer.shape[1] = 59;
}

/* The network of update `round`. */
static void scene_of(struct ftk__case *c, uint32_t round, const struct ftk__how *how,
                     struct ftk__scene *ret)
{
    struct ftk__scene other;
    make_scene(c, UINT64_C(4711) + round, ret);
    for (uint32_t k = 0; how->flat && k < LAYERS; k++)
        make_flat(&ret->l[k]);
    if (!how->other_values)
        return;
    make_scene(c, UINT64_C(815) + round, &other);
    for (uint32_t k = 0; k < LAYERS; k++)
        exchange(&ret->l[k], &other.l[k], how->other_values);
}

/* How many of a layer an update is asked for. */
static uint64_t budget_of(const struct ftk__scene_layer *l)
{
    uint64_t k = (uint64_t)ceil(0.3 * (double)l->layer.nnz);
    uint64_t room = l->layer.n - l->layer.nnz;
    return k < room ? k : room;
}

/* Zeroed state: block k of `n`; NULL where the algorithm has none. */
static void *state_of(struct ftk__case *c, const struct ftk__how *how, struct ftk__kit_state *own,
                      uint32_t n, uint32_t k)
{
    struct ftk__kit_state *s = how->state ? how->state : own;
    if (c->algo->state_bytes == 0)
        return NULL;
    if (!s->block) {
        s->block = ftk__kit_alloc(c, n, sizeof(*s->block));
        s->n = n;
        s->bytes = c->algo->state_bytes;
        for (uint32_t i = 0; i < n; i++)
            s->block[i] = ftk__guard_new("state", s->bytes, STATE_ALIGN, FTK__AT_END, 0);
    }
    return s->block[k];
}

/* After a call: every block to a new place, the old one unmapped. */
static void move_state(struct ftk__kit_state *s)
{
    for (uint32_t i = 0; s->block && i < s->n; i++) {
        void *moved = ftk__guard_new("state", s->bytes, STATE_ALIGN, FTK__AT_END, 0);
        memcpy(moved, s->block[i], s->bytes);
        ftk__guard_drop(s->block[i]);
        s->block[i] = moved;
    }
}

static ftk_status judge(struct ftk__case *c, struct ftk__subject *s, const struct ftk__how *how,
                        const char *call, ftk_status st)
{
    if (st < 0 && !how->may_fail)
        ftk__kit_must(c, s->host, call, st);
    return st;
}

/* ---- level 1 ---------------------------------------------------------------------------------- */

static ftk_status score_round(struct ftk__case *c, struct ftk__subject *s,
                              const struct ftk__how *how, uint32_t round,
                              struct ftk__kit_state *own, struct ftk__blob *ret)
{
    struct ftk__scene scene;
    const struct ftk__scorer op = ftk__scorer_of(c->algo);
    ftk_status st = FTK_OK;
    float *score[LAYERS];
    uint64_t n[LAYERS];
    scene_of(c, round, how, &scene);
    for (uint32_t i = 0; i < LAYERS && st >= 0; i++) {
        uint32_t k = (i + how->order) % LAYERS;
        if (how->only > 0 && how->only != k + 1)
            continue;
        struct ftk__scene_layer *l = &scene.l[k];
        const uint64_t *list = ftk__scene_list(l, op.which, &n[k]);
        score[k] = ftk__kit_alloc(c, n[k], sizeof(float));
        st = ftk__score_list(c, s, l, list, n[k], round, how, state_of(c, how, own, LAYERS, k),
                             score[k]);
        st = judge(c, s, how, "score", st);
    }
    for (uint32_t k = 0; k < LAYERS && st >= 0; k++)
        if (how->only == 0 || how->only == k + 1)
            ftk__blob_put(ret, FTK__BLOB_F32, score[k], n[k], "score of layer '%s' in update %u",
                          scene.l[k].name, round);
    return st;
}

static ftk_status act_score(struct ftk__case *c, struct ftk__subject *s, const struct ftk__how *how,
                            struct ftk__blob *ret)
{
    struct ftk__kit_state own = { 0 };
    ftk_status st = FTK_OK;
    for (uint32_t r = how->from_round; r < last_round(how) && st >= 0; r++) {
        st = score_round(c, s, how, r, &own, ret);
        if (how->move)
            move_state(how->state ? how->state : &own);
    }
    return st;
}

/* ---- level 2 ---------------------------------------------------------------------------------- */

static void put_taken(const struct ftk__view *v, uint32_t round, struct ftk__blob *ret)
{
    for (uint32_t k = 0; k < v->s->n_layers; k++)
        ftk__blob_put(ret, FTK__BLOB_U8, v->taken[k], v->s->l[k].layer.n,
                      "taken of layer '%s' in update %u", v->s->l[k].name, round);
}

static ftk_status act_select(struct ftk__case *c, struct ftk__subject *s,
                             const struct ftk__how *how, struct ftk__blob *ret)
{
    struct ftk__kit_state own = { 0 };
    ftk_status st = FTK_OK;
    for (uint32_t r = how->from_round; r < last_round(how) && st >= 0; r++) {
        struct ftk__scene scene;
        struct ftk__view *v = ftk__kit_alloc(c, 1, sizeof(*v));
        uint64_t budget[LAYERS];
        scene_of(c, r, how, &scene);
        for (uint32_t k = 0; k < LAYERS; k++) {
            if (c->algo->kind == FTK_KIND_INIT)
                ftk__scene_mask(&scene.l[k], scene.l[k].layer.n, 1); /* the dense network */
            budget[k] = c->algo->kind == FTK_KIND_INIT ? (scene.l[k].layer.n + 2) / 3
                                                       : budget_of(&scene.l[k]);
            if (how->provoke)
                budget[k] = scene.l[k].layer.n + 1;
        }
        st = ftk__select_once(c, s, &scene, budget, r, how, state_of(c, how, &own, 1, 0), v);
        st = judge(c, s, how, "select", st);
        if (st >= 0)
            put_taken(v, r, ret);
        if (how->move)
            move_state(how->state ? how->state : &own);
    }
    return st;
}

/* ---- init by densities ------------------------------------------------------------------------ */

static ftk_status act_density(struct ftk__case *c, struct ftk__subject *s,
                              const struct ftk__how *how, struct ftk__blob *ret)
{
    static const double targets[ROUNDS] = { 0.6, 0.8, 0.9 };
    const ftk_init_ops *op = c->algo->ops;
    struct ftk__kit_state own = { 0 };
    ftk_status st = FTK_OK;
    for (uint32_t r = how->from_round; r < last_round(how) && st >= 0; r++) {
        struct ftk__scene scene;
        struct ftk__view *v = ftk__kit_alloc(c, 1, sizeof(*v));
        void *state = state_of(c, how, &own, 1, 0);
        uint32_t mark = ftk__guard_mark();
        double target = how->provoke ? 2 : targets[r % ROUNDS];
        scene_of(c, 0, how, &scene); /* the network stays, the target moves */
        ftk__view_open(c, &scene, s->host, how, op->channels, 0, NULL, v);
        double *density =
            ftk__guard_new("density", LAYERS * sizeof(*density), 8, how->side, how->fill);
        if (how->between)
            how->between(c, how->between_arg);
        ftk__kit_begin(s->host);
        st = op->density(s->host->table, s->self, v->net, ftk__scene_update(r, 0, how, state),
                         target, density);
        st = judge(c, s, how, "density", ftk__kit_end(c, s->host, "density", false, st));
        ftk__view_close(v, "density", st);
        if (st >= 0)
            ftk__blob_put(ret, FTK__BLOB_F64, density, LAYERS, "densities at target %g", target);
        if (!how->keep)
            ftk__guard_release(mark);
    }
    return st;
}

/* ---- allot ------------------------------------------------------------------------------------ */

/* Layers of like size, so that shares are not a matter of room alone. */
static void allot_scene(struct ftk__case *c, uint32_t round, const struct ftk__how *how,
                        struct ftk__scene *ret)
{
    static const uint64_t n[LAYERS] = { 500, 400, 301 };
    const struct ftk__scene_shape shape = { .n = n, .n_layers = LAYERS };
    struct ftk__scene other;
    ftk__scene_new(c, &shape, UINT64_C(4711) + round, ret);
    ftk__scene_new(c, &shape, UINT64_C(815) + round, &other);
    for (uint32_t k = 0; k < LAYERS; k++)
        exchange(&ret->l[k], &other.l[k], how->other_values);
}

static ftk_status allot_round(struct ftk__case *c, struct ftk__subject *s,
                              const struct ftk__how *how, uint32_t round, void *state,
                              struct ftk__blob *ret)
{
    const ftk_allot_ops *op = c->algo->ops;
    struct ftk__scene scene;
    struct ftk__view *v = ftk__kit_alloc(c, 1, sizeof(*v));
    uint64_t *lost = ftk__guard_new("lost", LAYERS * sizeof(*lost), 8, how->side, 0);
    uint64_t *room = ftk__guard_new("room", LAYERS * sizeof(*room), 8, how->side, 0);
    uint64_t *count = ftk__guard_new("count", LAYERS * sizeof(*count), 8, how->side, how->fill);
    uint64_t total = 0;
    allot_scene(c, round, how, &scene);
    for (uint32_t k = 0; k < LAYERS; k++) {
        lost[k] = budget_of(&scene.l[k]);
        room[k] = scene.l[k].layer.n - scene.l[k].layer.nnz + lost[k];
        total += lost[k];
        ftk__scene_mask(&scene.l[k], scene.l[k].layer.nnz - lost[k],
                        round + 1); /* after the drop */
    }
    for (uint32_t k = 0; how->provoke && k < LAYERS; k++)
        room[k] = 0;
    ftk__guard_read_only(lost);
    ftk__guard_read_only(room);
    ftk__view_open(c, &scene, s->host, how, op->channels, 0, NULL, v);
    if (how->between)
        how->between(c, how->between_arg);
    ftk__kit_begin(s->host);
    ftk_status st = op->allot(s->host->table, s->self, v->net,
                              ftk__scene_update(round, 0, how, state), lost, room, total, count);
    st = judge(c, s, how, "allot", ftk__kit_end(c, s->host, "allot", false, st));
    ftk__view_close(v, "allot", st);
    if (st >= 0)
        ftk__blob_put(ret, FTK__BLOB_U64, count, LAYERS, "counts in update %u", round);
    return st;
}

static ftk_status act_allot(struct ftk__case *c, struct ftk__subject *s, const struct ftk__how *how,
                            struct ftk__blob *ret)
{
    struct ftk__kit_state own = { 0 };
    ftk_status st = FTK_OK;
    for (uint32_t r = how->from_round; r < last_round(how) && st >= 0; r++) {
        void *state = state_of(c, how, &own, 1, 0);
        uint32_t mark = ftk__guard_mark();
        st = allot_round(c, s, how, r, state, ret);
        if (!how->keep)
            ftk__guard_release(mark);
        if (how->move)
            move_state(how->state ? how->state : &own);
    }
    return st;
}

const struct ftk__driver ftk__driver_score = { FTK__ON_SCORERS, ROUNDS, LAYERS, act_score };
const struct ftk__driver ftk__driver_select = { FTK__ON_PRUNE2 | FTK__ON_GROW2 | FTK__ON_INIT2,
                                                ROUNDS, 1, act_select };
const struct ftk__driver ftk__driver_density = { FTK__ON_INIT1, ROUNDS, 1, act_density };
const struct ftk__driver ftk__driver_allot = { FTK__ON_ALLOT, ROUNDS, 1, act_allot };
