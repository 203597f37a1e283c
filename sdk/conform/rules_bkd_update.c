/* SPDX-License-Identifier: MIT
 * conform/rules_bkd_update.c - optimisers, against formulas in double.
 *
 * The network is two linear layers whose sum is the logits, one sparse, one dense: its gradient is
 * (p - y) x, which the kit computes itself.
 *     SGD    g += wd w;  v = mu v + g;  w -= lr v, with Nesterov lr (g + mu v)
 *     Adam   g += wd w;  m = mu m + (1 - mu) g;  s = beta2 s + (1 - beta2) g^2;
 *            w -= lr (m / (1 - mu^t)) / (sqrt(s / (1 - beta2^t)) + eps)
 *     AdamW  w -= lr wd w first, and no wd in g
 * https://arxiv.org/abs/1412.6980, https://arxiv.org/abs/1711.05101
 * A kit may be wrong too, so the formulas of Adam are PyTorch's to judge, whatever the backend: its
 * arrays hold convolutions and batch norms beside.
 */
#include "conform/backend_golden.h"
#include "conform/rules_bkd.h"
#include <math.h>

enum { COUNT = 6, IN = 8, OUT = 5, STEPS = 20, LAYERS = 2, WEIGHTS = IN * OUT };
static const double tolerance[] = { 1e-5, 3e-3, 3e-2 }; /* by precision */

/* A parameter array, dense, as the formulas move it. */
struct param {
    double w[WEIGHTS], v[WEIGHTS], s[WEIGHTS], g[WEIGHTS];
    bool active[WEIGHTS];
    uint32_t n;
    bool decay;
};
struct run {
    struct ftk__bk *bk;
    struct ftk__bk_graph g;
    ftk_prog *p;
    uint32_t optimiser, step_flags;
    uint32_t node[LAYERS];
    struct param weight[LAYERS], bias[LAYERS];
    const char *name;
};

static void set_up(struct run *r, uint32_t flags)
{
    uint32_t at = ftk__bk_input(&r->g, IN, 1, 1);
    r->node[0] = ftk__bk_linear(&r->g, at, OUT, FTK_NODE_BIAS | flags, 1);
    r->node[1] = ftk__bk_linear(&r->g, at, OUT, FTK_NODE_BIAS, 0);
    ftk__bk_xent(&r->g, ftk__bk_add(&r->g, r->node[0], r->node[1]), 0.0f);
    for (int l = 0; l < LAYERS; l++) {
        r->weight[l].n = WEIGHTS;
        r->bias[l].n = OUT;
        r->weight[l].decay = l > 0 || !(flags & FTK_NODE_NO_DECAY);
        r->bias[l].decay = l > 0 || !(flags & (FTK_NODE_NO_DECAY | FTK_NODE_NO_DECAY_BIAS));
    }
}

/* Values, and moments of 0, of one array out of the program's state. */
static void take(struct run *r, const struct ftk__bk_snap *s, struct param *q, uint32_t node,
                 uint32_t role, bool sparse)
{
    const struct ftk__bk_array *a = ftk__bk_array(s, node, role, 0);
    ftk__kit_expect(r->bk->c, a != NULL, "tensor() lists no %s",
                    ftk__bk_array_name(r->bk->c, &r->g, node, role));
    for (uint64_t i = 0; i < a->n && i < q->n; i++) {
        uint64_t at = sparse ? s->active[0][i] : i;
        q->active[at] = true;
        q->w[at] = a->v[i];
    }
}

static void start(struct run *r)
{
    struct ftk__bk_snap s;
    ftk__bk_fill(r->bk, r->p, &r->g, 0.5, 21);
    ftk__bk_snap(r->bk, r->p, &r->g, 1, &s);
    for (uint32_t i = 0; i < s.n; i++) {
        if ((s.array[i].role & (FTK_TENSOR_MOMENT1 | FTK_TENSOR_MOMENT2)) == 0)
            continue;
        for (uint64_t k = 0; k < s.array[i].n; k++)
            s.array[i].v[k] = 0.0f;
    }
    ftk__bk_restore(r->bk, r->p, &r->g, &s);
    for (int l = 0; l < LAYERS; l++) {
        take(r, &s, &r->weight[l], r->node[l], FTK_TENSOR_WEIGHT, l == 0);
        take(r, &s, &r->bias[l], r->node[l], FTK_TENSOR_BIAS, false);
    }
}

/* ---- formulas ---------------------------------------------------------------------------------- */

/* p - y of one sample, over the batch. */
static void residual(const struct run *r, const float *x, int32_t y, double *ret)
{
    double z[OUT];
    double most = -INFINITY;
    double sum = 0.0;
    for (uint32_t k = 0; k < OUT; k++) {
        z[k] = r->bias[0].w[k] + r->bias[1].w[k];
        for (uint32_t i = 0; i < IN; i++)
            z[k] += (r->weight[0].w[k * IN + i] + r->weight[1].w[k * IN + i]) * x[i];
        most = fmax(most, z[k]);
    }
    for (uint32_t k = 0; k < OUT; k++)
        sum += exp(z[k] - most);
    for (uint32_t k = 0; k < OUT; k++)
        ret[k] = exp(z[k] - most) / sum - ((int32_t)k == y ? 1.0 : 0.0);
}

static void gradients(struct run *r, const struct ftk__bk_batch *b)
{
    for (int l = 0; l < LAYERS; l++)
        for (uint32_t i = 0; i < WEIGHTS; i++)
            r->weight[l].g[i] = r->bias[l].g[i] = 0.0;
    for (uint32_t s = 0; s < b->b.count; s++) {
        double d[OUT];
        const float *x = b->x + (size_t)s * IN;
        residual(r, x, b->y[s], d);
        for (int l = 0; l < LAYERS; l++)
            for (uint32_t k = 0; k < OUT; k++) {
                r->bias[l].g[k] += d[k] / b->b.count;
                for (uint32_t i = 0; i < IN; i++)
                    r->weight[l].g[k * IN + i] += d[k] * x[i] / b->b.count;
            }
    }
}

static void move_sgd(const ftk_hyper *hy, double g, double *w, double *v)
{
    *v = hy->momentum * *v + g;
    *w -= hy->lr * (hy->flags & FTK_STEP_NESTEROV ? g + hy->momentum * *v : *v);
}

static void move_adam(const ftk_hyper *hy, double g, double *w, double *m, double *s)
{
    double t = (double)hy->step;
    *m = hy->momentum * *m + (1.0 - hy->momentum) * g;
    *s = hy->beta2 * *s + (1.0 - hy->beta2) * g * g;
    double mean = *m / (1.0 - pow(hy->momentum, t));
    double square = *s / (1.0 - pow(hy->beta2, t));
    *w -= hy->lr * mean / (sqrt(square) + hy->eps);
}

static void move(const struct run *r, struct param *q, const ftk_hyper *hy)
{
    double decay = q->decay ? hy->weight_decay : 0.0;
    for (uint32_t i = 0; i < q->n; i++) {
        double g = q->g[i];
        if (!q->active[i])
            continue;
        if (r->optimiser == FTK_OPT_ADAMW)
            q->w[i] -= hy->lr * decay * q->w[i];
        else
            g += decay * q->w[i];
        if (r->optimiser == FTK_OPT_SGD)
            move_sgd(hy, g, &q->w[i], &q->v[i]);
        else
            move_adam(hy, g, &q->w[i], &q->v[i], &q->s[i]);
    }
}

/* ---- comparison -------------------------------------------------------------------------------- */

static void compare(struct run *r, const struct ftk__bk_snap *s, const struct param *q,
                    const double *want, uint32_t node, uint32_t role)
{
    const struct ftk__bk_array *a = ftk__bk_array(s, node, role, 0);
    float few[WEIGHTS];
    char what[160];
    uint64_t n = 0;
    for (uint32_t i = 0; i < q->n; i++)
        if (q->active[i])
            few[n++] = (float)want[i];
    ftk__format(what, sizeof(what), "%s after %d steps: %s", r->name, STEPS,
                ftk__bk_array_name(r->bk->c, &r->g, node, role));
    ftk__kit_expect(r->bk->c, a && a->n == n, "%s has %llu floats, %llu were due", what,
                    (unsigned long long)(a ? a->n : 0), (unsigned long long)n);
    ftk__bk_close_to(r->bk, what, a->v, few, n, tolerance[r->bk->precision]);
}

static void compare_all(struct run *r)
{
    struct ftk__bk_snap s;
    ftk__bk_snap(r->bk, r->p, &r->g, 1, &s);
    for (int l = 0; l < LAYERS; l++) {
        const uint32_t roles[2] = { FTK_TENSOR_WEIGHT, FTK_TENSOR_BIAS };
        const struct param *q[2] = { &r->weight[l], &r->bias[l] };
        for (int k = 0; k < 2; k++) {
            compare(r, &s, q[k], q[k]->w, r->node[l], roles[k]);
            compare(r, &s, q[k], q[k]->v, r->node[l], roles[k] | FTK_TENSOR_MOMENT1);
            if (r->optimiser != FTK_OPT_SGD)
                compare(r, &s, q[k], q[k]->s, r->node[l], roles[k] | FTK_TENSOR_MOMENT2);
        }
    }
}

static void optimise(struct ftk__bk *bk, uint32_t optimiser, uint32_t step_flags,
                     uint32_t node_flags, const char *name)
{
    struct run *r = ftk__kit_alloc(bk->c, 1, sizeof(*r));
    r->bk = bk;
    r->optimiser = optimiser;
    r->name = name;
    set_up(r, node_flags);
    ftk_build b = ftk__bk_build(&r->g, COUNT, 0);
    b.optimiser = optimiser;
    ftk_status st = FTK__TRY(bk, compile, bk->dev, &b, &r->p);
    if (ftk__bk_not_supported(bk, "compile", st, optimiser != FTK_OPT_SGD))
        return;
    start(r);
    ftk_hyper hy = ftk__bk_hyper(optimiser == FTK_OPT_SGD ? 0.2 : 0.02, 0.9, 0.1, step_flags);
    hy.beta2 = 0.99;
    for (uint32_t i = 0; i < STEPS; i++) {
        const struct ftk__bk_batch *batch = ftk__bk_batch(bk->c, &r->g, COUNT - i % 2, 30 + i);
        hy.step = i + 1;
        hy.lr *= 0.97; /* schedules change it every step */
        FTK__MUST(bk, step, r->p, batch->list, &hy);
        gradients(r, batch);
        for (int l = 0; l < LAYERS; l++) {
            move(r, &r->weight[l], &hy);
            move(r, &r->bias[l], &hy);
        }
    }
    compare_all(r);
    bk->ops->release(r->p);
}

/* Two steps of each of the kit's networks beside the oracle. */
static void beside_oracle(struct ftk__case *c)
{
    struct ftk__bkd_pair *p = ftk__bkd_pair_new(c);
    for (uint32_t i = 0; i < FTK__BKD_CASES; i++) {
        ftk_hyper hy = ftk__bk_hyper(0.02, 0.9, 1e-3, 0);
        if (!ftk__bkd_pair_open(p, i))
            continue;
        ftk__bkd_pair_step(p, FTK__BKD_BATCH, &hy, 3);
        hy.step = 2;
        hy.flags = FTK_STEP_NESTEROV;
        ftk__bkd_pair_step(p, FTK__BKD_BATCH - 1, &hy, 4);
        ftk__bkd_pair_state(p, NULL);
        ftk__bkd_pair_predict(p, FTK__BKD_BATCH, 5);
        ftk__bkd_pair_release(p);
    }
    ftk__bk_tally_end(&p->t);
}

/* The oracle by all of PyTorch's arrays, others by those of Adam, in which beside_oracle() does not
 * train. */
static void golden(struct ftk__bk *bk)
{
    for (int i = 0; ftk__bk_golden_names[i]; i++) {
        struct ftk__bk_golden *gold = ftk__kit_alloc(bk->c, 1, sizeof(*gold));
        ftk__bk_golden_open(bk, ftk__bk_golden_names[i], gold);
        if (bk->oracle || (gold->adam && ftk__bk_supports(bk, &gold->g)))
            ftk__bk_golden_train(gold);
        ftk__bk_golden_close(gold);
    }
}

static void optimisers(struct ftk__case *c)
{
    static const uint32_t flags[] = { 0, FTK_NODE_NO_DECAY, FTK_NODE_NO_DECAY_BIAS };
    static const char *const names[][4] = {
        { "SGD", "SGD with Nesterov", "Adam", "AdamW" },
        { "SGD, NO_DECAY", "SGD with Nesterov, NO_DECAY", "Adam, NO_DECAY", "AdamW, NO_DECAY" },
        { "SGD, NO_DECAY_BIAS", "SGD with Nesterov, NO_DECAY_BIAS", "Adam, NO_DECAY_BIAS",
          "AdamW, NO_DECAY_BIAS" },
    };
    struct ftk__bk bk;
    ftk__bk_open(c, FTK__BK_AS_SET, &bk);
    for (int i = 0; i < 3; i++) {
        optimise(&bk, FTK_OPT_SGD, 0, flags[i], names[i][0]);
        optimise(&bk, FTK_OPT_SGD, FTK_STEP_NESTEROV, flags[i], names[i][1]);
        optimise(&bk, FTK_OPT_ADAM, 0, flags[i], names[i][2]);
        optimise(&bk, FTK_OPT_ADAMW, 0, flags[i], names[i][3]);
    }
    if (!bk.oracle)
        beside_oracle(c);
    if (bk.oracle || bk.precision == FTK_FP32) /* the arrays are exact */
        golden(&bk);
}

static const struct ftk__rule rules[] = {
    { .id = "BKD-20",
      .level = 2,
      .kinds = FTK__ON_BACKEND,
      .needs = "BKD-04",
      .title = "20 steps of each optimiser follow its formula, Adam is PyTorch's; or not supported",
      .why = "a decay or a bias correction in the wrong place is never seen in a loss curve",
      .fix = "see the formulas at the top of conform/rules_bkd_update.c",
      .timeout_ms = 30000,
      .run = optimisers },
};
const struct ftk__rule_family ftk__family_bkd_update = { rules, sizeof(rules) / sizeof(rules[0]) };
