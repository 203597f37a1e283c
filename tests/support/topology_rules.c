/* SPDX-License-Identifier: MIT
 * topology_rules.c - the rules of topology_case.h: plugins of a few lines, right and wrong ones.
 */
#include "topology_case.h"
#include <math.h>

#define SCORE_ARGS                                                                                 \
    const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c, ftk_update *u,           \
        float *score
#define SELECT_ARGS                                                                                \
    const ftk_host *h, void *self, const ftk_net *net, ftk_update *u, const ftk_edit *edit

static ftk_status score_weight(SCORE_ARGS)
{
    (void)h;
    (void)self;
    (void)l;
    (void)u;
    for (uint64_t i = 0; i < c->count; i++)
        score[i] = fabsf(c->weight[i]);
    return FTK_OK;
}

static ftk_status score_grad(SCORE_ARGS)
{
    (void)h;
    (void)self;
    (void)l;
    (void)u;
    for (uint64_t i = 0; i < c->count; i++)
        score[i] = fabsf(c->grad[i]);
    return FTK_OK;
}

static ftk_status score_momentum(SCORE_ARGS)
{
    (void)h;
    (void)self;
    (void)l;
    (void)u;
    for (uint64_t i = 0; i < c->count; i++)
        score[i] = fabsf(c->momentum[i]);
    return FTK_OK;
}

/* The oldest go; of equal age the smaller ones. */
static ftk_status score_age(SCORE_ARGS)
{
    (void)h;
    (void)self;
    (void)l;
    (void)u;
    for (uint64_t i = 0; i < c->count; i++)
        score[i] = (c->fired[i] ? 0.0f : 1e6f) - (float)c->age[i];
    return FTK_OK;
}

static ftk_status score_never(SCORE_ARGS)
{
    (void)self;
    (void)l;
    (void)c;
    (void)u;
    (void)score;
    return h->fail(h, FTK_EINTERNAL, "a uniform rule was scored");
}

static ftk_status score_drawn(SCORE_ARGS)
{
    (void)self;
    (void)l;
    for (uint64_t i = 0; i < c->count; i++)
        score[i] = (float)h->rng_uniform(&u->rng);
    return FTK_OK;
}

static ftk_status score_nan(SCORE_ARGS)
{
    (void)h;
    (void)self;
    (void)l;
    (void)u;
    for (uint64_t i = 0; i < c->count; i++)
        score[i] = c->weight[i] == 13.0f ? NAN : fabsf(c->weight[i]);
    return FTK_OK;
}

static ftk_status score_counting(SCORE_ARGS)
{
    uint64_t *seen = u->state;
    *seen += c->count;
    return score_weight(h, self, l, c, u, score);
}

#define PRUNE_1(id, label, channels_, formula_, fn, state_)                                        \
    static const ftk_prune_ops id##_ops = {                                                        \
        .size = sizeof(ftk_prune_ops), .channels = (channels_), .formula = (formula_), .score = fn \
    };                                                                                             \
    const ftk_algo id = { .size = sizeof(ftk_algo),                                                \
                          .kind = FTK_KIND_PRUNE,                                                  \
                          .name = label,                                                           \
                          .summary = "",                                                           \
                          .reference = "",                                                         \
                          .state_bytes = (state_),                                                 \
                          .ops = &id##_ops }
#define GROW_1(id, label, channels_, formula_, fn)                                                 \
    static const ftk_grow_ops id##_ops = {                                                         \
        .size = sizeof(ftk_grow_ops), .channels = (channels_), .formula = (formula_), .score = fn  \
    };                                                                                             \
    const ftk_algo id = { .size = sizeof(ftk_algo),                                                \
                          .kind = FTK_KIND_GROW,                                                   \
                          .name = label,                                                           \
                          .summary = "",                                                           \
                          .reference = "",                                                         \
                          .ops = &id##_ops }

PRUNE_1(case_magnitude, "magnitude", FTK_CH_WEIGHT, FTK_FORMULA_ABS_WEIGHT, score_weight, 0);
PRUNE_1(case_age, "age", FTK_CH_AGE | FTK_CH_FIRED, 0, score_age, 0);
PRUNE_1(case_uniform_prune, "uniform", 0, FTK_FORMULA_UNIFORM, score_never, 0);
PRUNE_1(case_nan_prune, "nan", FTK_CH_WEIGHT, 0, score_nan, 0);
PRUNE_1(case_counting_prune, "counting", FTK_CH_WEIGHT, 0, score_counting, 8);
GROW_1(case_gradient, "gradient", FTK_CH_GRAD, FTK_FORMULA_ABS_GRAD, score_grad);
GROW_1(case_momentum, "momentum", FTK_CH_MOMENTUM, FTK_FORMULA_ABS_MOMENTUM, score_momentum);
GROW_1(case_uniform_grow, "uniform", 0, FTK_FORMULA_UNIFORM, score_never);
GROW_1(case_random_grow, "random", 0, 0, score_drawn);

/* Gathers a layer's |w| and lets the host choose the lowest: by chunks of 100. */
static ftk_status take_lowest(const ftk_host *h, const ftk_net *net, uint32_t l, uint64_t k,
                              const ftk_edit *edit)
{
    uint64_t nnz = net->layers[l]->nnz, n = 0, cursor = 0;
    uint64_t *index = h->scratch(h, (nnz + 1) * sizeof(*index));
    uint64_t *pos = h->scratch(h, (k + 1) * sizeof(*pos));
    float *score = h->scratch(h, (nnz + 1) * sizeof(*score));
    if (!index || !pos || !score)
        return h->fail(h, FTK_ENOMEM, "no memory");
    for (;;) {
        ftk_cand c;
        ftk_status st = net->read(net, l, FTK_ACTIVE, FTK_CH_WEIGHT, 100, &cursor, &c);
        if (st < 0)
            return st;
        if (c.count == 0)
            break;
        for (uint64_t i = 0; i < c.count; i++, n++) {
            index[n] = c.index[i];
            score[n] = fabsf(c.weight[i]);
        }
    }
    ftk_status st = h->select_low(h, score, n, k, pos);
    for (uint64_t i = 0; i < k && st == FTK_OK; i++)
        st = edit->take(edit, l, &index[pos[k - 1 - i]], 1);
    return st;
}

static ftk_status select_lowest(SELECT_ARGS)
{
    (void)self;
    (void)u;
    ftk_status st = FTK_OK;
    for (uint32_t l = 0; l < net->n_layers && st == FTK_OK; l++)
        st = take_lowest(h, net, l, edit->budget[l], edit);
    return st;
}

/* A weight less than asked for in the last layer that has a budget. */
static ftk_status select_short(SELECT_ARGS)
{
    (void)self;
    (void)u;
    ftk_status st = FTK_OK;
    bool spared = false;
    for (uint32_t l = net->n_layers; l-- > 0 && st == FTK_OK;) {
        uint64_t k = edit->budget[l];
        st = take_lowest(h, net, l, k && !spared ? k - 1 : k, edit);
        spared = spared || k > 0;
    }
    return st;
}

/* The array that read() lends goes straight into take(). */
static ftk_status take_first(const ftk_net *net, uint32_t l, uint64_t left, const ftk_edit *edit)
{
    uint64_t cursor = 0;
    while (left) {
        ftk_cand c;
        ftk_status st = net->read(net, l, FTK_INACTIVE, 0, left, &cursor, &c);
        if (st == FTK_OK)
            st = edit->take(edit, l, c.index, c.count);
        if (st < 0 || c.count == 0)
            return st;
        left -= c.count;
    }
    return FTK_OK;
}

static ftk_status select_first(SELECT_ARGS)
{
    (void)h;
    (void)self;
    (void)u;
    ftk_status st = FTK_OK;
    for (uint32_t l = 0; l < net->n_layers && st == FTK_OK; l++)
        st = take_first(net, l, edit->budget[l], edit);
    return st;
}

/* A layer's budget with one weight moved from the first that has one to the last layer, or from that to
 * the first. */
static uint64_t moved_budget(const ftk_net *net, const ftk_edit *edit, uint32_t l)
{
    uint32_t first = 0;
    while (first + 1 < net->n_layers && edit->budget[first] == 0)
        first++;
    uint32_t to = first + 1 < net->n_layers ? net->n_layers - 1 : 0;
    return edit->budget[l] + (l == to) - (l == first);
}

static ftk_status select_moved(SELECT_ARGS)
{
    (void)self;
    (void)u;
    ftk_status st = FTK_OK;
    for (uint32_t l = 0; l < net->n_layers && st == FTK_OK; l++)
        st = take_lowest(h, net, l, moved_budget(net, edit, l), edit);
    return st;
}

static ftk_status grow_moved(SELECT_ARGS)
{
    (void)h;
    (void)self;
    (void)u;
    ftk_status st = FTK_OK;
    for (uint32_t l = 0; l < net->n_layers && st == FTK_OK; l++)
        st = take_first(net, l, moved_budget(net, edit, l), edit);
    return st;
}

#define SELECT_RULE(id, ops_type, kind_, label, channels_, count_, fn)                             \
    static const ops_type id##_ops = {                                                             \
        .size = sizeof(ops_type), .channels = (channels_), .count = (count_), .select = fn         \
    };                                                                                             \
    const ftk_algo id = { .size = sizeof(ftk_algo),                                                \
                          .kind = (kind_),                                                         \
                          .name = label,                                                           \
                          .summary = "",                                                           \
                          .reference = "",                                                         \
                          .ops = &id##_ops }

SELECT_RULE(case_select_prune, ftk_prune_ops, FTK_KIND_PRUNE, "select", FTK_CH_WEIGHT,
            FTK_COUNT_EXACT, select_lowest);
SELECT_RULE(case_select_short, ftk_prune_ops, FTK_KIND_PRUNE, "short", FTK_CH_WEIGHT,
            FTK_COUNT_EXACT, select_short);
SELECT_RULE(case_select_free, ftk_prune_ops, FTK_KIND_PRUNE, "free", FTK_CH_WEIGHT, FTK_COUNT_FREE,
            select_short);
SELECT_RULE(case_select_grow, ftk_grow_ops, FTK_KIND_GROW, "first", 0, FTK_COUNT_EXACT,
            select_first);
SELECT_RULE(case_select_moved, ftk_prune_ops, FTK_KIND_PRUNE, "moved", FTK_CH_WEIGHT,
            FTK_COUNT_EXACT, select_moved);
SELECT_RULE(case_grow_moved, ftk_grow_ops, FTK_KIND_GROW, "moved", 0, FTK_COUNT_EXACT, grow_moved);

static ftk_status density_same(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                               double target, double *ret_density)
{
    (void)h;
    (void)self;
    (void)u;
    for (uint32_t l = 0; l < net->n_layers; l++)
        ret_density[l] = target;
    return FTK_OK;
}

static ftk_status density_wrong(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                                double target, double *ret_density)
{
    (void)h;
    (void)self;
    (void)u;
    for (uint32_t l = 0; l < net->n_layers; l++)
        ret_density[l] = target / 2;
    return FTK_OK;
}

/* The largest |gradient| of each layer: chooses the lowest of -|g| by way of the host. */
static ftk_status select_largest(SELECT_ARGS)
{
    (void)self;
    (void)u;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        uint64_t n = net->layers[l]->n, k = edit->budget[l], cursor = 0;
        float *score = h->scratch(h, n * sizeof(*score));
        uint64_t *pos = h->scratch(h, (k + 1) * sizeof(*pos));
        if (!score || !pos)
            return h->fail(h, FTK_ENOMEM, "no memory");
        for (ftk_cand c = { .count = 1 }; c.count;) {
            ftk_status st = net->read(net, l, FTK_ACTIVE, FTK_CH_GRAD, n, &cursor, &c);
            if (st < 0)
                return st;
            for (uint64_t i = 0; i < c.count; i++)
                score[c.index[i]] = fabsf(c.grad[i]);
        }
        ftk_status st = h->select_high(h, score, n, k, pos);
        if (st == FTK_OK)
            st = edit->take(edit, l, pos, k);
        if (st < 0)
            return st;
    }
    return FTK_OK;
}

static const ftk_init_ops same_ops = { .size = sizeof(same_ops), .density = density_same };
const ftk_algo case_init_uniform = { .size = sizeof(ftk_algo),
                                     .kind = FTK_KIND_INIT,
                                     .name = "uniform",
                                     .summary = "",
                                     .reference = "",
                                     .ops = &same_ops };
static const ftk_init_ops wrong_ops = { .size = sizeof(wrong_ops), .density = density_wrong };
const ftk_algo case_init_wrong = { .size = sizeof(ftk_algo),
                                   .kind = FTK_KIND_INIT,
                                   .name = "wrong",
                                   .summary = "",
                                   .reference = "",
                                   .ops = &wrong_ops };
static const ftk_init_ops largest_ops = { .size = sizeof(largest_ops),
                                          .channels = FTK_CH_GRAD,
                                          .select = select_largest };
const ftk_algo case_init_largest = { .size = sizeof(ftk_algo),
                                     .kind = FTK_KIND_INIT,
                                     .name = "largest",
                                     .summary = "",
                                     .reference = "",
                                     .ops = &largest_ops };

#define ALLOT_ARGS                                                                                 \
    const ftk_host *h, void *self, const ftk_net *net, ftk_update *u, const uint64_t *lost,        \
        const uint64_t *room, uint64_t total, uint64_t *ret_count

static ftk_status allot_last(ALLOT_ARGS)
{
    (void)h;
    (void)self;
    (void)u;
    (void)lost;
    for (uint32_t l = net->n_layers; l-- > 0;) {
        ret_count[l] = total < room[l] ? total : room[l];
        total -= ret_count[l];
    }
    return FTK_OK;
}

static ftk_status allot_wrong(ALLOT_ARGS)
{
    ftk_status st = allot_last(h, self, net, u, lost, room, total, ret_count);
    ret_count[0]++;
    return st;
}

static const ftk_allot_ops last_ops = { .size = sizeof(last_ops), .allot = allot_last };
const ftk_algo case_allot_last = { .size = sizeof(ftk_algo),
                                   .kind = FTK_KIND_ALLOT,
                                   .name = "last",
                                   .summary = "",
                                   .reference = "",
                                   .ops = &last_ops };
static const ftk_allot_ops more_ops = { .size = sizeof(more_ops), .allot = allot_wrong };
const ftk_algo case_allot_wrong = { .size = sizeof(ftk_algo),
                                    .kind = FTK_KIND_ALLOT,
                                    .name = "wrong",
                                    .summary = "",
                                    .reference = "",
                                    .ops = &more_ops };
