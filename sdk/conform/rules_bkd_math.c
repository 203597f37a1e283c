/* SPDX-License-Identifier: MIT
 * conform/rules_bkd_math.c - what a backend computes: values, gradients, the gradient of the input.
 *
 * The backend named ref is judged by PyTorch's arrays and by differences, all others by ref.
 */
#include "conform/backend_golden.h"
#include "conform/rules_bkd.h"
#include <math.h>
#include <string.h>

enum { COUNT = FTK__BKD_BATCH, PART = COUNT - 1, CASES = 3 * FTK__BKD_CASES };
/* ---- BKD-02 ------------------------------------------------------------------------------------ */

static void golden(struct ftk__bk *bk, void (*check)(struct ftk__bk_golden *))
{
    for (int i = 0; ftk__bk_golden_names[i]; i++) {
        struct ftk__bk_golden *gold = ftk__kit_alloc(bk->c, 1, sizeof(*gold));
        ftk__bk_golden_open(bk, ftk__bk_golden_names[i], gold);
        check(gold);
        ftk__bk_golden_close(gold);
    }
}

static bool is_statistic(uint32_t role)
{
    return role == FTK_TENSOR_BN_MEAN || role == FTK_TENSOR_BN_VAR;
}

static void near_stats(struct ftk__bkd_pair *p)
{
    ftk_stats s[2];
    for (int k = 0; k < 2; k++)
        s[k] = ftk__bk_sync(&p->bk[k], p->prog[k]);
    const float loss[2] = { (float)s[0].loss_sum, (float)s[1].loss_sum };
    ftk__bk_near(&p->t, "loss of a step", &loss[0], &loss[1], 1);
}

/* Evaluation of a whole batch and a part, training mode by its loss and its statistics. */
static void near_forward(struct ftk__bkd_pair *p)
{
    const ftk_hyper hy = ftk__bk_hyper(0.0, 0.0, 0.0, 0);
    ftk__bkd_pair_predict(p, COUNT, 1);
    ftk__bkd_pair_predict(p, 1, 2);
    ftk__bkd_pair_step(p, COUNT, &hy, 3);
    near_stats(p);
    ftk__bkd_pair_step(p, PART, &hy, 4);
    near_stats(p);
    ftk__bkd_pair_state(p, is_statistic);
    ftk__bkd_pair_predict(p, PART, 5);
}

static void values(struct ftk__case *c)
{
    struct ftk__bk bk;
    ftk__bk_loaded(c, &bk);
    if (bk.oracle) {
        ftk__bk_open(c, FTK__BK_AS_SET, &bk);
        golden(&bk, ftk__bk_golden_forward);
        return;
    }
    struct ftk__bkd_pair *p = ftk__bkd_pair_new(c);
    for (uint32_t i = 0; i < CASES; i++) {
        if (!ftk__bkd_pair_open(p, i))
            continue;
        near_forward(p);
        ftk__bkd_pair_release(p);
    }
    ftk__bk_tally_end(&p->t);
}

/* ---- BKD-04 ------------------------------------------------------------------------------------ */

static bool is_momentum(uint32_t role)
{
    return (role & FTK_TENSOR_MOMENT1) != 0;
}

static void near_kept(struct ftk__bkd_pair *p)
{
    for (uint32_t l = 0; l < p->g.n_sparse; l++) {
        const float *v[2];
        char what[48];
        for (int k = 0; k < 2; k++)
            v[k] = ftk__bk_gradient(&p->bk[k], p->prog[k], &p->g, l);
        ftk__format(what, sizeof(what), "kept gradient of layer %u", l);
        ftk__bk_near(&p->t, what, v[0], v[1], ftk__bk_weights(&p->g, ftk__bk_layer_node(&p->g, l)));
    }
}

static void gradients(struct ftk__case *c)
{
    struct ftk__bk bk;
    ftk__bk_loaded(c, &bk);
    if (bk.oracle) {
        ftk__bk_open(c, FTK__BK_AS_SET, &bk);
        golden(&bk, ftk__bk_golden_gradients);
        ftk__bkd_differences(&bk);
        return;
    }
    struct ftk__bkd_pair *p = ftk__bkd_pair_new(c);
    const ftk_hyper hy = ftk__bk_hyper(0.0, 0.0, 0.0, FTK_STEP_KEEP_GRAD);
    for (uint32_t i = 0; i < CASES; i++) {
        if (!ftk__bkd_pair_open(p, i))
            continue;
        ftk__bkd_pair_step(p, COUNT, &hy, 3);
        near_kept(p);
        ftk__bkd_pair_state(p, is_momentum);
        ftk__bkd_pair_step(p, PART, &hy, 4);
        near_kept(p);
        ftk__bkd_pair_state(p, is_momentum);
        ftk__bkd_pair_release(p);
    }
    ftk__bk_tally_end(&p->t);
}

/* ---- BKD-19 ------------------------------------------------------------------------------------ */

static float *input_gradient(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g,
                             const struct ftk__bk_batch *b)
{
    float *dx = ftk__kit_alloc(bk->c, b->b.count * ftk__bk_floats(&g->node[0]), sizeof(*dx));
    ftk_status st = FTK__TRY(bk, grad_input, p, b->list, dx);
    if (ftk__bk_not_supported(bk, "grad_input", st, !ftk__bk_is_cpu(bk)))
        ftk__kit_skip(bk->c, "grad_input(): %s", bk->host->reason);
    return dx;
}

/* Arrays, counts and the kept gradient stay; MC dropout is predict()'s alone. */
static void changes_nothing(struct ftk__bk *bk)
{
    struct ftk__bk_graph *g = ftk__kit_alloc(bk->c, 1, sizeof(*g));
    struct ftk__bk_snap s[2];
    const float *grad[2];
    ftk__bk_net(g, true);
    ftk_prog *p = ftk__bk_compile(bk, g, COUNT, 0);
    ftk__bk_fill(bk, p, g, 0.4, 9);
    const ftk_hyper hy = ftk__bk_hyper(0.1, 0.9, 0.01, FTK_STEP_KEEP_GRAD);
    ftk__bk_step(bk, p, g, COUNT, &hy, 1);
    (void)ftk__bk_sync(bk, p);
    grad[0] = ftk__bk_gradient(bk, p, g, 1);
    ftk__bk_snap(bk, p, g, 1, &s[0]);
    struct ftk__bk_batch *b = ftk__bk_batch(bk->c, g, PART, 2);
    const float *dx = input_gradient(bk, p, g, b);
    b->b.flags = FTK_BATCH_DROPOUT;
    const float *with = input_gradient(bk, p, g, b);
    uint64_t n = PART * ftk__bk_floats(&g->node[0]);
    ftk__kit_expect(bk->c, memcmp(dx, with, n * sizeof(*dx)) == 0,
                    "grad_input() is another where the batch has DROPOUT");
    ftk__bk_snap(bk, p, g, 1, &s[1]);
    ftk__bk_same(bk, g, &s[0], &s[1], "before and after grad_input()");
    grad[1] = ftk__bk_gradient(bk, p, g, 1);
    n = ftk__bk_weights(g, ftk__bk_layer_node(g, 1));
    ftk__kit_expect(bk->c, memcmp(grad[0], grad[1], n * sizeof(float)) == 0,
                    "grad_input() changes the kept gradient of layer 1");
    uint64_t samples = ftk__bk_sync(bk, p).samples;
    ftk__kit_expect(bk->c, samples == 0, "grad_input() counts %llu samples",
                    (unsigned long long)samples);
    bk->ops->release(p);
}

static void gradient_of_input(struct ftk__case *c)
{
    struct ftk__bk bk;
    ftk__bk_loaded(c, &bk);
    if (bk.oracle) {
        ftk__bk_open(c, FTK__BK_AS_SET, &bk);
        golden(&bk, ftk__bk_golden_grad_input);
        changes_nothing(&bk);
        return;
    }
    struct ftk__bkd_pair *p = ftk__bkd_pair_new(c);
    for (uint32_t i = 0; i < CASES; i++) {
        if (!ftk__bkd_pair_open(p, i))
            continue;
        const struct ftk__bk_batch *b = ftk__bk_batch(c, &p->g, PART, 3);
        const float *dx[2];
        for (int k = 0; k < 2; k++)
            dx[k] = input_gradient(&p->bk[k], p->prog[k], &p->g, b);
        ftk__bk_near(&p->t, "input gradient", dx[0], dx[1], PART * ftk__bk_floats(&p->g.node[0]));
        ftk__bkd_pair_release(p);
    }
    changes_nothing(&p->bk[0]);
    ftk__bk_tally_end(&p->t);
}

static const struct ftk__rule rules[] = {
    { .id = "BKD-02",
      .level = 2,
      .kinds = FTK__ON_BACKEND,
      .needs = "BKD-01 BKD-18",
      .title = "every node op it supports computes the oracle's values",
      .why = "results of different backends are put into one table",
      .fix = "compare with plugins/backend/ref op by op; sums want more bits than their terms",
      .timeout_ms = 60000,
      .run = values },
    { .id = "BKD-04",
      .level = 2,
      .kinds = FTK__ON_BACKEND,
      .needs = "BKD-02",
      .title = "gradients are the oracle's, those of inactive weights too",
      .why = "growing by gradient reads what no weight's update shows",
      .fix = "compare with plugins/backend/ref op by op; look at part batches and padding",
      .timeout_ms = 60000,
      .run = gradients },
    { .id = "BKD-19",
      .level = 2,
      .kinds = FTK__ON_BACKEND,
      .needs = "BKD-04",
      .title = "grad_input is the gradient in evaluation mode and changes nothing",
      .why = "adversarial examples and saliency are asked for between steps",
      .fix = "use running statistics, no dropout, and buffers of its own",
      .timeout_ms = 60000,
      .run = gradient_of_input },
};
const struct ftk__rule_family ftk__family_bkd_math = { rules, sizeof(rules) / sizeof(rules[0]) };
