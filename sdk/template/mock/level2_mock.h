/* SPDX-License-Identifier: MIT
 * level2_mock.h - a host, a network of one layer and an edit, for known answers of a rule that selects.
 *
 *     struct mock m;
 *     mock_open(&m, 2, 4, active); // a linear layer, 2 x 4, and its mask
 *     m.weight = weight;           // [8] by position, as all channels that the rule reads
 *     m.budget = 2; m.which = FTK_ACTIVE;
 *     select_entries(&m.host, &params, &m.net, &m.update, &m.edit);
 *     ... m.taken[m.n_taken], in the order of take() ...
 *     mock_close(&m);
 *
 * Random numbers are not random: rng_below(n) is n - 1, rng_uniform() is 0.5.
 */
#ifndef LEVEL2_MOCK_H
#define LEVEL2_MOCK_H
#include <freetickets/sparse.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOCK_MOST = 64 }; /* entries, and blocks of scratch() */

struct mock {
    ftk_layer layer;
    const ftk_layer *layers[1];
    ftk_host host;
    ftk_net net;
    ftk_edit edit;
    ftk_update update;
    uint32_t which; // what may be taken
    uint64_t budget;
    const uint8_t *active, *fired; // [n]
    const float *weight, *grad, *momentum;
    const uint32_t *age;
    uint64_t taken[MOCK_MOST]; // [n_taken]
    uint64_t n_taken;
    void *block[MOCK_MOST]; // [n_blocks] of scratch()
    uint32_t n_blocks;
    uint64_t index[MOCK_MOST]; /* what a read lends */
    float lent[3][MOCK_MOST];
    uint32_t lent_age[MOCK_MOST];
    uint8_t lent_fired[MOCK_MOST];
};

static inline ftk_status mock_fail(const ftk_host *h, ftk_status st, const char *fmt, ...)
{
    va_list args;
    (void)h;
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    return st;
}

static inline void *mock_scratch(const ftk_host *h, size_t bytes)
{
    struct mock *m = h->self;
    if (m->n_blocks == MOCK_MOST)
        return NULL;
    m->block[m->n_blocks] = calloc(1, bytes ? bytes : 1);
    return m->block[m->n_blocks++];
}

static inline uint64_t mock_rng_below(ftk_rng *r, uint64_t n)
{
    (void)r;
    return n - 1;
}

static inline double mock_rng_uniform(ftk_rng *r)
{
    (void)r;
    return 0.5;
}

/* As the core: by score, then by position; positions ascend. */
static inline ftk_status mock_select(const float *score, float sign, uint64_t n, uint64_t k,
                                     uint64_t *ret_pos)
{
    uint64_t found = 0;
    for (uint64_t i = 0; i < n && found < k; i++) {
        uint64_t before = 0;
        for (uint64_t j = 0; j < n; j++)
            before +=
                sign * score[j] < sign * score[i] || (j < i && sign * score[j] <= sign * score[i]);
        if (before < k)
            ret_pos[found++] = i;
    }
    return FTK_OK;
}

static inline ftk_status mock_select_low(const ftk_host *h, const float *score, uint64_t n,
                                         uint64_t k, uint64_t *ret_pos)
{
    (void)h;
    return mock_select(score, 1, n, k, ret_pos);
}

static inline ftk_status mock_select_high(const ftk_host *h, const float *score, uint64_t n,
                                          uint64_t k, uint64_t *ret_pos)
{
    (void)h;
    return mock_select(score, -1, n, k, ret_pos);
}

static inline void mock_lend(struct mock *m, uint64_t at, uint64_t to, uint32_t channels)
{
    m->index[to] = at;
    if (channels & FTK_CH_WEIGHT)
        m->lent[0][to] = m->weight[at];
    if (channels & FTK_CH_GRAD)
        m->lent[1][to] = m->grad[at];
    if (channels & FTK_CH_MOMENTUM)
        m->lent[2][to] = m->momentum[at];
    if (channels & FTK_CH_AGE)
        m->lent_age[to] = m->age[at];
    if (channels & FTK_CH_FIRED)
        m->lent_fired[to] = m->fired[at];
}

static inline ftk_status mock_read(const ftk_net *net, uint32_t layer, uint32_t which,
                                   uint32_t channels, uint64_t cap, uint64_t *cursor, ftk_cand *ret)
{
    struct mock *m = net->impl;
    uint64_t passed = 0;
    uint64_t n = 0;
    (void)layer;
    for (uint64_t i = 0; i < m->layer.n && n < cap; i++) {
        if ((m->active[i] != 0) != (which == FTK_ACTIVE) || passed++ < *cursor)
            continue;
        mock_lend(m, i, n++, channels);
    }
    *cursor += n;
    *ret = (ftk_cand){ .size = sizeof(*ret), .channels = channels, .count = n, .index = m->index };
    ret->weight = channels & FTK_CH_WEIGHT ? m->lent[0] : NULL;
    ret->grad = channels & FTK_CH_GRAD ? m->lent[1] : NULL;
    ret->momentum = channels & FTK_CH_MOMENTUM ? m->lent[2] : NULL;
    ret->age = channels & FTK_CH_AGE ? m->lent_age : NULL;
    ret->fired = channels & FTK_CH_FIRED ? m->lent_fired : NULL;
    return FTK_OK;
}

static inline ftk_status mock_take(const ftk_edit *e, uint32_t layer, const uint64_t *index,
                                   uint64_t n)
{
    struct mock *m = e->impl;
    (void)layer;
    for (uint64_t i = 0; i < n; i++) {
        for (uint64_t k = 0; k < m->n_taken; k++)
            if (m->taken[k] == index[i])
                return mock_fail(&m->host, FTK_EINVAL, "%llu taken twice",
                                 (unsigned long long)index[i]);
        if (index[i] >= m->layer.n || (m->active[index[i]] != 0) != (m->which == FTK_ACTIVE))
            return mock_fail(&m->host, FTK_EINVAL, "%llu cannot be taken",
                             (unsigned long long)index[i]);
        m->taken[m->n_taken++] = index[i];
    }
    return FTK_OK;
}

/* A linear layer "fc" of out x in <= MOCK_MOST entries, with its mask. */
static inline void mock_open(struct mock *m, uint32_t out, uint32_t in, const uint8_t *active)
{
    memset(m, 0, sizeof(*m));
    m->active = active;
    m->layer = (ftk_layer){ .size = sizeof(m->layer),
                            .type = FTK_LAYER_LINEAR,
                            .shape = { out, in, 1, 1 },
                            .n = (uint64_t)out * in,
                            .name = "fc" };
    for (uint64_t i = 0; i < m->layer.n; i++)
        m->layer.nnz += active[i] != 0;
    m->layers[0] = &m->layer;
    m->host = (ftk_host){ .size = sizeof(m->host),
                          .self = m,
                          .fail = mock_fail,
                          .scratch = mock_scratch,
                          .rng_uniform = mock_rng_uniform,
                          .rng_below = mock_rng_below,
                          .select_low = mock_select_low,
                          .select_high = mock_select_high };
    m->net = (ftk_net){
        .size = sizeof(m->net), .n_layers = 1, .layers = m->layers, .impl = m, .read = mock_read
    };
    m->edit = (ftk_edit){
        .size = sizeof(m->edit), .n_layers = 1, .budget = &m->budget, .impl = m, .take = mock_take
    };
    m->update = (ftk_update){ .size = sizeof(m->update) };
}

static inline void mock_close(struct mock *m)
{
    for (uint32_t i = 0; i < m->n_blocks; i++)
        free(m->block[i]);
    m->n_blocks = 0;
}
#endif
