/* SPDX-License-Identifier: MIT
 * conform/backend_cases.c - the networks on which backends are compared, and a backend beside the
 * oracle on one of them.
 */
#include "conform/rules_bkd.h"

static const double densities[] = { 0.4, 0.1, 1.0 };

/* ---- networks ---------------------------------------------------------------------------------- */

static uint32_t small_conv(struct ftk__bk_graph *g, uint32_t at, uint32_t out, uint32_t side,
                           uint32_t flags)
{
    const uint32_t kernel[2] = { side, side };
    const uint32_t one[2] = { 1, 1 };
    const uint32_t pad[2] = { side / 2, side / 2 };
    return ftk__bk_conv(g, at, out, kernel, one, pad, flags, 1);
}

/* A convolution of odd sizes, then a pool of either kind. */
static void net_windows(struct ftk__bk_graph *g, uint32_t pool)
{
    const uint32_t kernel[2] = { 3, 2 };
    const uint32_t stride[2] = { 2, 1 };
    const uint32_t pad[2] = { 1, 1 };
    const uint32_t wide[2] = { 5, 4 };
    const uint32_t far[2] = { 4, 2 };
    uint32_t at = ftk__bk_input(g, 3, 9, 7);
    at = ftk__bk_conv(g, at, 5, wide, pad, far, FTK_NODE_BIAS, 1);
    at = ftk__bk_relu(g, at);
    at = ftk__bk_pool(g, pool, at, kernel, stride, pad);
    at = ftk__bk_conv(g, at, 7, kernel, stride, pad, 0, 1);
    ftk__bk_xent(g, ftk__bk_linear(g, at, 6, FTK_NODE_BIAS, 0), 0.0f);
}

/* A residual block, its shortcut by zeros; concatenation; batch norm. */
static void net_joins(struct ftk__bk_graph *g)
{
    const uint32_t one[2] = { 1, 1 };
    const uint32_t none[2] = { 0, 0 };
    uint32_t at = small_conv(g, ftk__bk_input(g, 2, 6, 5), 4, 3, 0);
    at = ftk__bk_relu(g, ftk__bk_batchnorm(g, at, 0.1f, 1e-5f, 0));
    uint32_t path = small_conv(g, at, 7, 3, 0);
    path = ftk__bk_batchnorm(g, path, 0.3f, 1e-3f, FTK_NODE_NO_DECAY);
    uint32_t sum = ftk__bk_add(g, ftk__bk_pad_channels(g, at, 7, 1), path);
    uint32_t side = ftk__bk_conv(g, sum, 3, one, one, none, FTK_NODE_BIAS, 1);
    at = ftk__bk_concat(g, ftk__bk_relu(g, side), sum);
    at = ftk__bk_pad_channels(g, at, 11, 2);
    ftk__bk_xent(g, ftk__bk_linear(g, ftk__bk_flatten(g, at), 5, 0, 1), 0.1f);
}

static void net_linear(struct ftk__bk_graph *g, float smoothing)
{
    uint32_t at = ftk__bk_input(g, 17, 1, 1);
    at = ftk__bk_relu(g, ftk__bk_linear(g, at, 33, FTK_NODE_BIAS, 1));
    at = ftk__bk_relu(g, ftk__bk_batchnorm(g, ftk__bk_linear(g, at, 9, 0, 1), 0.2f, 1e-4f, 0));
    ftk__bk_xent(g, ftk__bk_linear(g, at, 3, FTK_NODE_BIAS, 1), smoothing);
}

/* One convolution of whole images, dropout twice. */
static void net_whole(struct ftk__bk_graph *g)
{
    const uint32_t whole[2] = { 4, 5 };
    const uint32_t one[2] = { 1, 1 };
    const uint32_t none[2] = { 0, 0 };
    uint32_t at = ftk__bk_dropout(g, ftk__bk_input(g, 3, 4, 5), 0.2f);
    at = ftk__bk_conv(g, at, 19, whole, one, none, FTK_NODE_BIAS, 1);
    at = ftk__bk_dropout(g, ftk__bk_relu(g, at), 0.5f);
    ftk__bk_xent(g, ftk__bk_linear(g, at, 4, FTK_NODE_BIAS, 1), 0.0f);
}

static void net_shared(struct ftk__bk_graph *g)
{
    const uint32_t three[2] = { 3, 3 };
    const uint32_t one[2] = { 1, 1 };
    uint32_t at = small_conv(g, ftk__bk_input(g, 2, 5, 6), 3, 3, FTK_NODE_BIAS);
    uint32_t sum = ftk__bk_add(g, ftk__bk_relu(g, at), at);
    sum = ftk__bk_add(g, sum, ftk__bk_pool(g, FTK_NODE_MAXPOOL, at, three, one, one));
    sum = ftk__bk_add(g, ftk__bk_pool(g, FTK_NODE_AVGPOOL, at, three, one, one), sum);
    sum = ftk__bk_add(g, small_conv(g, at, 3, 1, 0), sum);
    ftk__bk_xent(g, ftk__bk_linear(g, ftk__bk_concat(g, sum, at), 4, 0, 1), 0.1f);
}

const char *ftk__bkd_case(struct ftk__bk_graph *g, uint32_t i)
{
    switch (i % FTK__BKD_CASES) {
    case 0:
        net_windows(g, FTK_NODE_MAXPOOL);
        return "windows and max pool";
    case 1:
        net_windows(g, FTK_NODE_AVGPOOL);
        return "windows and average pool";
    case 2:
        net_joins(g);
        return "residual, concat and batch norm";
    case 3:
        net_linear(g, 0.0f);
        return "linear layers";
    case 4:
        net_linear(g, 0.15f);
        return "label smoothing";
    case 5:
        net_whole(g);
        return "whole convolution and dropout";
    case 6:
        net_shared(g);
        return "a node with many users";
    case 7:
        ftk__bk_net(g, true);
        return "the kit's network";
    default:
        ftk__bk_net(g, false);
        return "the kit's network without batch norm";
    }
}

/* ---- pairs ------------------------------------------------------------------------------------- */

bool ftk__bkd_pair_open(struct ftk__bkd_pair *p, uint32_t i)
{
    const char *name = ftk__bkd_case(&p->g, i);
    double density = densities[i / FTK__BKD_CASES % 3];
    if (!ftk__bk_supports(&p->bk[0], &p->g))
        return false;
    for (int k = 0; k < 2; k++) {
        p->prog[k] = ftk__bk_compile(&p->bk[k], &p->g, FTK__BKD_BATCH, 0);
        ftk__bk_fill(&p->bk[k], p->prog[k], &p->g, density, i + 1);
    }
    ftk__bk_where(&p->t, "%s, density %g", name, density);
    return true;
}

void ftk__bkd_pair_release(struct ftk__bkd_pair *p)
{
    for (int k = 0; k < 2; k++)
        p->bk[k].ops->release(p->prog[k]);
}

struct ftk__bkd_pair *ftk__bkd_pair_new(struct ftk__case *c)
{
    struct ftk__bkd_pair *p = ftk__kit_alloc(c, 1, sizeof(*p));
    ftk__bk_open(c, FTK__BK_AS_SET, &p->bk[0]);
    ftk__bk_open_oracle(c, &p->bk[1]);
    ftk__bk_tally(&p->t, &p->bk[0]);
    return p;
}

void ftk__bkd_pair_step(struct ftk__bkd_pair *p, uint32_t count, const ftk_hyper *hy, uint64_t seed)
{
    for (int k = 0; k < 2; k++)
        ftk__bk_step(&p->bk[k], p->prog[k], &p->g, count, hy, seed);
}

void ftk__bkd_pair_predict(struct ftk__bkd_pair *p, uint32_t count, uint64_t seed)
{
    const struct ftk__bk_batch *b = ftk__bk_batch(p->bk[0].c, &p->g, count, seed);
    const float *z[2];
    for (int k = 0; k < 2; k++)
        z[k] = ftk__bk_predict(&p->bk[k], p->prog[k], &p->g, b);
    ftk__bk_near(&p->t, "logits", z[0], z[1], (uint64_t)count * ftk__bk_classes(&p->g));
}

void ftk__bkd_pair_state(struct ftk__bkd_pair *p, bool (*wanted)(uint32_t role))
{
    struct ftk__bk_snap s[2];
    for (int k = 0; k < 2; k++)
        ftk__bk_snap(&p->bk[k], p->prog[k], &p->g, 1, &s[k]);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s[1].n; i++)
        if (!wanted || wanted(s[1].array[i].role))
            s[1].array[kept++] = s[1].array[i];
    s[1].n = kept;
    ftk__bk_near_snaps(&p->t, &p->g, &s[0], &s[1]);
}

void ftk__bkd_expect_same(struct ftk__bk *bk, const struct ftk__bk_graph *g,
                          const struct ftk__bk_snap *a, const struct ftk__bk_snap *b,
                          const char *when)
{
    struct ftk__bk_tally t;
    if (bk->caps & FTK_CAP_BITWISE) {
        ftk__bk_same(bk, g, a, b, when);
        return;
    }
    ftk__bk_tally(&t, bk);
    ftk__bk_where(&t, "%s", when);
    ftk__bk_near_snaps(&t, g, a, b);
}
