/* SPDX-License-Identifier: MIT
 * conform/backend_calls.c - opening a backend, and its calls with everything checked that any of
 * them must keep.
 */
#include "conform/backend_calls.h"
#include "base/rng.h"
#include "plugin/channels.h"
#include <math.h>
#include <string.h>

void ftk__bk_must(struct ftk__bk *bk, const char *call, ftk_status st)
{
    if (st >= 0)
        return;
    if (!ftk__bk_under_test(bk))
        ftk__kit_broken("the oracle's %s() failed with %s: %s", call, ftk__status_name(st),
                        bk->host->reason);
    ftk__kit_must(bk->c, bk->host, call, st);
}

bool ftk__bk_not_supported(struct ftk__bk *bk, const char *call, ftk_status st, bool allowed)
{
    if (st != FTK_ENOTSUP || !allowed) {
        ftk__bk_must(bk, call, st);
        return false;
    }
    ftk__kit_must_refuse(bk->c, bk->host, call, st);
    return true;
}

bool ftk__bk_supports(struct ftk__bk *bk, const struct ftk__bk_graph *g)
{
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        ftk_status st = FTK__TRY(bk, supports, bk->dev, g->list[i]);
        if (ftk__bk_not_supported(bk, "supports", st, true))
            return false;
    }
    return true;
}

bool ftk__bk_is_cpu(const struct ftk__bk *bk)
{
    return (bk->caps & FTK_CAP_ASYNC) == 0;
}

ftk_build ftk__bk_build(const struct ftk__bk_graph *g, uint32_t max_batch, uint32_t flags)
{
    return (ftk_build){
        .size = sizeof(ftk_build),
        .n_nodes = g->n_nodes,
        .max_batch = max_batch,
        .optimiser = FTK_OPT_SGD,
        .channels = FTK_CH_WEIGHT | FTK_CH_GRAD | FTK_CH_MOMENTUM,
        .members = 1,
        .flags = flags,
        .nodes = g->list,
    };
}

ftk_prog *ftk__bk_compile(struct ftk__bk *bk, const struct ftk__bk_graph *g, uint32_t max_batch,
                          uint32_t flags)
{
    const ftk_build build = ftk__bk_build(g, max_batch, flags);
    ftk_prog *p = NULL;
    FTK__MUST(bk, compile, bk->dev, &build, &p);
    ftk__kit_expect(bk->c, p != NULL, "compile() succeeded without a program");
    return p;
}

ftk_hyper ftk__bk_hyper(double lr, double momentum, double weight_decay, uint32_t flags)
{
    return (ftk_hyper){
        .size = sizeof(ftk_hyper),
        .flags = flags,
        .step = 1,
        .lr = lr,
        .momentum = momentum,
        .beta2 = 0.999,
        .eps = 1e-8,
        .weight_decay = weight_decay,
    };
}

struct ftk__bk_batch *ftk__bk_batch(struct ftk__case *c, const struct ftk__bk_graph *g,
                                    uint32_t count, uint64_t seed)
{
    struct ftk__bk_batch *batch = ftk__kit_alloc(c, 1, sizeof(*batch));
    uint64_t floats = count * ftk__bk_floats(&g->node[0]);
    ftk_rng rng = { .key = { seed, 1 } };
    batch->x = ftk__kit_alloc(c, floats, sizeof(float));
    batch->y = ftk__kit_alloc(c, count, sizeof(int32_t));
    for (uint64_t i = 0; i < floats; i++)
        batch->x[i] = (float)ftk__rng_normal(&rng);
    for (uint32_t i = 0; i < count; i++)
        batch->y[i] = (int32_t)ftk__rng_below(&rng, ftk__bk_classes(g));
    batch->b = (ftk_batch){
        .size = sizeof(ftk_batch),
        .count = count,
        .heads = 1,
        .x = batch->x,
        .y = batch->y,
        .rng = { .key = { seed, 2 } },
    };
    batch->list[0] = &batch->b;
    return batch;
}

void ftk__bk_step(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g, uint32_t count,
                  const ftk_hyper *hy, uint64_t seed)
{
    const struct ftk__bk_batch *b = ftk__bk_batch(bk->c, g, count, seed);
    FTK__MUST(bk, step, p, b->list, hy);
}

void ftk__bk_steps(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g, uint32_t count,
                   uint32_t n, uint64_t seed)
{
    ftk_hyper hy = ftk__bk_hyper(0.05, 0.9, 0.01, 0);
    for (uint32_t i = 0; i < n; i++) {
        hy.step = i + 1;
        ftk__bk_step(bk, p, g, count - i % 2, &hy, seed + i);
    }
}

float *ftk__bk_predict(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g,
                       const struct ftk__bk_batch *b)
{
    float *z = ftk__kit_alloc(bk->c, (uint64_t)b->b.count * ftk__bk_classes(g), sizeof(float));
    FTK__MUST(bk, predict, p, b->list, z);
    return z;
}

ftk_stats ftk__bk_sync(struct ftk__bk *bk, ftk_prog *p)
{
    ftk_stats stats = { .size = sizeof(stats), .bad_node = -2, .samples = 99, .loss_sum = NAN };
    ftk_stats *const list[1] = { &stats };
    FTK__MUST(bk, sync, p, list);
    return stats;
}

double ftk__bk_loss(const struct ftk__bk_graph *g, const struct ftk__bk_batch *b,
                    const float *logit, uint64_t *ret_correct)
{
    uint32_t classes = ftk__bk_classes(g);
    double smoothing = g->node[g->n_nodes - 1].scalar[0];
    double loss = 0.0;
    *ret_correct = 0;
    for (uint32_t s = 0; s < b->b.count; s++) {
        const float *z = logit + (size_t)s * classes;
        uint32_t best = 0;
        for (uint32_t k = 1; k < classes; k++)
            best = z[k] > z[best] ? k : best;
        double sum = 0.0;
        double mean = 0.0;
        for (uint32_t k = 0; k < classes; k++) {
            sum += exp((double)z[k] - z[best]);
            mean += z[k] / (double)classes;
        }
        loss += z[best] + log(sum) - (1.0 - smoothing) * z[b->y[s]] - smoothing * mean;
        *ret_correct += (int32_t)best == b->y[s];
    }
    return loss / b->b.count;
}

/* ---- candidates -------------------------------------------------------------------------------- */

static const char *which_name(uint32_t which)
{
    return which == FTK_ACTIVE ? "read_active" : "read_inactive";
}

/* What was asked for is there, and nothing else. */
static void expect_channels(struct ftk__bk *bk, const char *call, uint32_t channels,
                            const ftk_cand *c)
{
    char given[FTK__CHANNEL_NAMES], asked[FTK__CHANNEL_NAMES];
    ftk__channel_names(c->channels, given);
    ftk__channel_names(channels, asked);
    ftk__kit_expect(bk->c, c->channels == channels, "%s() says channels %s, asked for: %s", call,
                    given, asked);
    ftk__kit_expect(bk->c, c->count == 0 || c->index, "%s() gave %llu candidates without index",
                    call, (unsigned long long)c->count);
    bool right = (c->weight != NULL) == ((channels & FTK_CH_WEIGHT) != 0) &&
                 (c->grad != NULL) == ((channels & FTK_CH_GRAD) != 0) &&
                 (c->momentum != NULL) == ((channels & FTK_CH_MOMENTUM) != 0) && !c->age &&
                 !c->fired;
    ftk__kit_expect(bk->c, c->count == 0 || right,
                    "%s() with channels %s: pointers of other channels, or too few", call, asked);
}

static void expect_chunk(struct ftk__bk *bk, const char *call, uint32_t layer, uint64_t n,
                         uint64_t cap, const struct ftk__bk_list *l, const ftk_cand *c)
{
    ftk__kit_expect(bk->c, c->count <= cap, "%s(layer %u) gave %llu candidates, cap is %llu", call,
                    layer, (unsigned long long)c->count, (unsigned long long)cap);
    for (uint64_t i = 0; i < c->count; i++) {
        uint64_t at = c->index[i];
        ftk__kit_expect(bk->c, at < n, "%s(layer %u): index %llu of a layer of %llu", call, layer,
                        (unsigned long long)at, (unsigned long long)n);
        bool first = i == 0 && l->n == 0;
        uint64_t before = first ? 0 : i > 0 ? c->index[i - 1] : l->index[l->n - 1];
        ftk__kit_expect(
            bk->c, first || at > before, "%s(layer %u, cap %llu): index %llu follows %llu", call,
            layer, (unsigned long long)cap, (unsigned long long)at, (unsigned long long)before);
    }
}

static void append(float *to, uint64_t at, const float *from, uint64_t n)
{
    if (to && n > 0)
        memcpy(to + at, from, n * sizeof(*to));
}

void ftk__bk_read(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g, uint32_t layer,
                  uint32_t which, uint32_t channels, uint64_t cap, struct ftk__bk_list *ret)
{
    uint64_t n = ftk__bk_weights(g, ftk__bk_layer_node(g, layer % g->n_sparse));
    struct ftk__bk_list l = { .index = ftk__kit_alloc(bk->c, n, sizeof(uint64_t)) };
    if (channels & FTK_CH_WEIGHT)
        l.weight = ftk__kit_alloc(bk->c, n, sizeof(float));
    if (channels & FTK_CH_GRAD)
        l.grad = ftk__kit_alloc(bk->c, n, sizeof(float));
    if (channels & FTK_CH_MOMENTUM)
        l.momentum = ftk__kit_alloc(bk->c, n, sizeof(float));
    uint64_t cursor = 0;
    for (;;) {
        ftk_cand c = { .size = sizeof(c) };
        if (which == FTK_ACTIVE)
            FTK__MUST(bk, read_active, p, layer, channels, cap, &cursor, &c);
        else
            FTK__MUST(bk, read_inactive, p, layer, channels, cap, &cursor, &c);
        expect_channels(bk, which_name(which), channels, &c);
        expect_chunk(bk, which_name(which), layer, n, cap, &l, &c);
        if (c.count == 0)
            break;
        memcpy(l.index + l.n, c.index, c.count * sizeof(*l.index));
        append(l.weight, l.n, c.weight, c.count);
        append(l.grad, l.n, c.grad, c.count);
        append(l.momentum, l.n, c.momentum, c.count);
        l.n += c.count;
    }
    *ret = l;
}

float *ftk__bk_gradient(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g,
                        uint32_t layer)
{
    uint64_t n = ftk__bk_weights(g, ftk__bk_layer_node(g, layer % g->n_sparse));
    float *dense = ftk__kit_alloc(bk->c, n, sizeof(float));
    uint64_t seen = 0;
    for (uint32_t which = FTK_ACTIVE; which <= FTK_INACTIVE; which++) {
        struct ftk__bk_list l;
        ftk__bk_read(bk, p, g, layer, which, FTK_CH_GRAD, n, &l);
        for (uint64_t i = 0; i < l.n; i++)
            dense[l.index[i]] = l.grad[i];
        seen += l.n;
    }
    ftk__kit_expect(bk->c, seen == n,
                    "layer %u of %llu weights lists %llu active and inactive ones", layer,
                    (unsigned long long)n, (unsigned long long)seen);
    return dense;
}
