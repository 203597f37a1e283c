/* SPDX-License-Identifier: MIT
 * program/cpu_norm.c - batch normalisation, a channel an item.
 *
 * One thread does all of a channel: its planes stay in cache from the sums to the result.  Sums are
 * taken slice by slice in double; mean first, then the squares around it.
 */
#include "program/cpu_prog.h"
#include <math.h>

struct norm {
    struct cpu_run *run;
    struct cpu_node *node;
    const float *x;
    float *dx;
    size_t hw;
    atomic_int bad;
};

static size_t plane_at(const struct norm *j, uint32_t block, uint32_t c)
{
    return ((size_t)block * j->node->shape[0] + c) * j->hw * j->run->p->kern->lanes;
}

static uint32_t valid_of(const struct norm *j, uint32_t block)
{
    const struct cpu_slices *s = &j->run->slices;
    return block + 1 == s->blocks ? s->last_valid : j->run->p->kern->lanes;
}

enum sum { SUM_X, SUM_SQUARE, SUM_DY, SUM_DOT };

static double channel_sum(const struct norm *j, enum sum what, uint32_t c, float centre)
{
    const struct cpu_kernels *k = j->run->p->kern;
    const struct cpu_slices *s = &j->run->slices;
    double total = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        double sum = 0;
        for (uint32_t b = s->first[i]; b < s->first[i + 1]; b++) {
            const size_t at = plane_at(j, b, c);
            if (what == SUM_X)
                sum += k->plane_sum(j->x + at, j->hw, valid_of(j, b));
            else if (what == SUM_SQUARE)
                sum += k->plane_square(j->x + at, centre, j->hw, valid_of(j, b));
            else if (what == SUM_DY)
                sum += k->plane_sum(j->node->dy + at, j->hw, valid_of(j, b));
            else
                sum += k->plane_dot(j->node->dy + at, j->x + at, centre, j->hw);
        }
        total += sum;
    }
    return total;
}

/* Mean and 1 / sqrt(variance + eps) of this batch; running values move. */
static void batch_statistics(const struct norm *j, uint32_t c)
{
    struct cpu_node *n = j->node;
    const double m = (double)j->run->b->count * (double)j->hw;
    const double mean = channel_sum(j, SUM_X, c, 0) / m;
    const double square = channel_sum(j, SUM_SQUARE, c, (float)mean);
    const double off = mean - (double)(float)mean;
    const double var = square / m - off * off;
    const double keep = n->scalar[0];
    n->bn_centre[c] = (float)mean;
    n->bn_scale[c] = (float)(1.0 / sqrt(var + (double)n->scalar[1]));
    if (!j->run->update)
        return;
    const double unbiased = m > 1 ? var * m / (m - 1) : var;
    n->bn_mean[c] = (float)((1 - keep) * (double)n->bn_mean[c] + keep * mean);
    n->bn_var[c] = (float)((1 - keep) * (double)n->bn_var[c] + keep * unbiased);
}

static void forward_channel(void *arg, uint32_t c, uint32_t thread)
{
    struct norm *j = arg;
    struct cpu_node *n = j->node;
    (void)thread;
    if (j->run->train) {
        batch_statistics(j, c);
    } else {
        n->bn_centre[c] = n->bn_mean[c];
        n->bn_scale[c] = (float)(1.0 / sqrt((double)n->bn_var[c] + (double)n->scalar[1]));
    }
    const float cssl[4] = { n->bn_centre[c], n->gamma.w[c] * n->bn_scale[c], n->bias.w[c],
                            n->relu ? 0.0f : -INFINITY };
    int bad = 0;
    for (uint32_t b = 0; b < j->run->slices.blocks; b++) {
        const size_t at = plane_at(j, b, c);
        bad |= j->run->p->kern->plane_affine(j->x + at, cssl, n->y + at, j->hw, valid_of(j, b));
    }
    if (bad)
        atomic_store(&j->bad, 1);
}

void cpu_norm_forward(struct cpu_run *r, struct cpu_node *n)
{
    struct norm j = { .run = r, .node = n, .x = r->p->nodes[n->in[0]].y };
    j.hw = (size_t)n->shape[1] * n->shape[2];
    cpu_parallel(r->p->dev->pool, n->shape[0], forward_channel, &j);
    if (atomic_load(&j.bad))
        cpu_run_bad(r, n->index);
}

/* dx = gamma s (dy - mean(dy) - (x - mean) s^2 mean(dy (x - mean))), s = 1 / sqrt(var + eps). */
static void backward_channel(void *arg, uint32_t c, uint32_t thread)
{
    struct norm *j = arg;
    struct cpu_node *n = j->node;
    const struct cpu_slices *s = &j->run->slices;
    const double m = (double)j->run->b->count * (double)j->hw;
    const double scale = n->bn_scale[c];
    const double lead = (double)n->gamma.w[c] * scale;
    float abcc[4] = { (float)lead, 0, 0, n->bn_centre[c] };
    (void)thread;
    if (!j->run->to_input) {
        const double dy = channel_sum(j, SUM_DY, c, 0);
        const double dot = channel_sum(j, SUM_DOT, c, n->bn_centre[c]);
        n->sum[c] = dot * scale;
        n->sum[n->shape[0] + c] = dy;
        abcc[1] = (float)(-lead * scale * scale * dot / m);
        abcc[2] = (float)(-lead * dy / m);
    }
    for (uint32_t b = 0; j->dx && b < s->blocks; b++) {
        const size_t at = plane_at(j, b, c);
        j->run->p->kern->plane_combine(n->dy + at, j->x + at, abcc, j->dx + at, j->hw,
                                       valid_of(j, b));
    }
}

void cpu_norm_backward(struct cpu_run *r, struct cpu_node *n, float *dx)
{
    struct norm j = { .run = r, .node = n, .x = r->p->nodes[n->in[0]].y, .dx = dx };
    j.hw = (size_t)n->shape[1] * n->shape[2];
    cpu_parallel(r->p->dev->pool, n->shape[0], backward_channel, &j);
}

void cpu_norm_update(struct cpu_run *r, struct cpu_node *n)
{
    cpu_vector_update(r, n, &n->gamma, n->sum);
    cpu_vector_update(r, n, &n->bias, n->sum + n->shape[0]);
}
