/* SPDX-License-Identifier: MIT
 * program/cpu_update.c - add the slices' gradients in slice order, keep them if asked, and SGD.
 */
#include "layout/cpu_lists.h"
#include "program/cpu_prog.h"
#include <math.h>
#include <string.h>

enum { UPDATE_CHUNK = 16384 };

struct update {
    struct cpu_run *run;
    struct cpu_node *node;
    struct cpu_weights *x;
    struct cpu_sgd sgd;
    uint32_t n_slices, ranges;
    size_t n; /* entries of a slice's buffer */
    atomic_int bad;
};

static struct cpu_sgd sgd_of(const struct cpu_run *r, uint32_t decays)
{
    struct cpu_sgd s = { .lr = (float)r->hyper->lr, .momentum = (float)r->hyper->momentum };
    s.decay = decays ? (float)r->hyper->weight_decay : 0.0f;
    s.nesterov = (r->hyper->flags & FTK_STEP_NESTEROV) != 0;
    return s;
}

static uint64_t chunk_of(uint32_t item, uint64_t n, uint64_t *ret_first)
{
    const uint64_t left = n - (uint64_t)item * UPDATE_CHUNK;
    *ret_first = (uint64_t)item * UPDATE_CHUNK;
    return left < UPDATE_CHUNK ? left : UPDATE_CHUNK;
}

/* The sum of the slices replaces the first of them. */
static void sum_chunk(struct update *u, uint64_t first, uint64_t n)
{
    float *g = u->run->p->slices + first;
    if (u->run->p->kern->sum_slices(g, u->n, u->n_slices, n))
        atomic_store(&u->bad, 1);
}

/* `n` weights from `at` on by their gradients. */
static void move_weights(struct update *u, const float *g, uint64_t at, uint64_t n)
{
    struct cpu_weights *x = u->x;
    if (x->m2)
        cpu_adam(u->run, !(u->node->flags & FTK_NODE_NO_DECAY), g, x->w + at, x->m + at, x->m2 + at,
                 n);
    else
        u->run->p->kern->sgd(&u->sgd, g, x->w + at, x->m + at, n);
}

/* Entry k of the buffers is entry k of the weights: lists, active entries only. */
static void list_chunk(void *arg, uint32_t item, uint32_t thread)
{
    struct update *u = arg;
    uint64_t first;
    const uint64_t n = chunk_of(item, u->n, &first);
    (void)thread;
    sum_chunk(u, first, n);
    if (u->run->update)
        move_weights(u, u->run->p->slices + first, first, n);
}

/* Momentum of every entry, weights of the active ones (their decay included). */
static void all_momentum(struct update *u, uint64_t first, uint64_t n)
{
    const struct cpu_sgd *h = &u->sgd;
    const float *g = u->run->p->slices;
    for (uint64_t k = first; k < first + n; k++)
        u->x->m_all[k] = h->momentum * u->x->m_all[k] + g[k];
}

static void step_one(const struct cpu_sgd *h, float g, float *w, float *m)
{
    const float d = g + h->decay * *w;
    *m += h->decay * *w;
    *w -= h->lr * (h->nesterov ? d + h->momentum * *m : *m);
}

/* All entries in canonical order: the gradient is kept, inactive ones then count as 0. */
static void full_chunk(void *arg, uint32_t item, uint32_t thread)
{
    struct update *u = arg;
    struct cpu_weights *x = u->x;
    float *g = u->run->p->slices;
    uint64_t first;
    const uint64_t n = chunk_of(item, u->n, &first);
    (void)thread;
    sum_chunk(u, first, n);
    if (x->grad && u->run->keep_grad)
        memcpy(x->grad + first, g + first, n * sizeof(*g));
    if (!u->run->update)
        return;
    if (x->m_all)
        all_momentum(u, first, n);
    if (x->format != CPU_FORMAT_DENSE)
        return;
    if (x->m_all) {
        for (uint64_t k = first; k < first + n; k++) {
            if (cpu_weights_active(x, k))
                step_one(&u->sgd, g[k], &x->w[k], &x->m_all[k]);
        }
        return;
    }
    for (uint64_t k = first; x->nnz != x->n && k < first + n; k++) {
        if (!cpu_weights_active(x, k))
            g[k] = 0;
    }
    move_weights(u, g + first, first, n);
}

/* Lists whose gradient was formed for all entries: pick the active ones, a range of channels. */
static void scatter_range(void *arg, uint32_t item, uint32_t thread)
{
    struct update *u = arg;
    struct cpu_weights *x = u->x;
    const struct cpu_geom *g = x->geom;
    const float *all = u->run->p->slices;
    const uint32_t c0 = (uint32_t)((uint64_t)g->out_c * item / u->ranges);
    const uint32_t c1 = (uint32_t)((uint64_t)g->out_c * (item + 1) / u->ranges);
    (void)thread;
    for (uint32_t kb = 0; kb < g->forward.sub->n_blocks; kb++) {
        for (uint32_t c = c0; c < c1; c++) {
            const uint32_t *ptr = x->ptr + (size_t)kb * g->out_c + c;
            const uint64_t base = cpu_lists_base(g, c, kb);
            for (uint32_t k = ptr[0]; k < ptr[1]; k++) {
                const uint64_t flat = base + g->decode[x->off[k]];
                if (x->m_all)
                    step_one(&u->sgd, all[flat], &x->w[k], &x->m_all[flat]);
                else
                    move_weights(u, &all[flat], k, 1);
            }
        }
    }
}

ftk_status cpu_weights_update(struct cpu_run *r, struct cpu_node *n, uint32_t n_slices, int full)
{
    struct cpu_threads *pool = r->p->dev->pool;
    struct update u = { .run = r, .node = n, .x = &n->weights, .n_slices = n_slices };
    u.sgd = sgd_of(r, !(n->flags & FTK_NODE_NO_DECAY));
    u.n = full ? n->weights.n : n->weights.nnz;
    const uint32_t chunks = (uint32_t)((u.n + UPDATE_CHUNK - 1) / UPDATE_CHUNK);
    cpu_parallel(pool, chunks, full ? full_chunk : list_chunk, &u);
    if (full && r->update && n->weights.format == CPU_FORMAT_LISTS) {
        u.ranges = n->geom.out_c < 16 ? 1 : 16;
        cpu_parallel(pool, u.ranges, scatter_range, &u);
    }
    if (atomic_load(&u.bad))
        cpu_run_bad(r, n->index);
    return FTK_OK;
}

void cpu_vector_update(struct cpu_run *r, struct cpu_node *n, struct cpu_vector *v,
                       const double *grad)
{
    const struct cpu_sgd s = sgd_of(r, v->decays);
    for (uint32_t i = 0; i < v->n; i++) {
        const float g = (float)grad[i];
        if (!isfinite(g))
            cpu_run_bad(r, n->index);
        if (r->update && v->m2)
            cpu_adam(r, v->decays, &g, &v->w[i], &v->m[i], &v->m2[i], 1);
        else if (r->update)
            r->p->kern->sgd(&s, &g, &v->w[i], &v->m[i], 1);
    }
}

struct bias_job {
    struct cpu_run *run;
    struct cpu_node *node;
};

static void bias_channel(void *arg, uint32_t c, uint32_t thread)
{
    const struct bias_job *j = arg;
    const struct cpu_kernels *kern = j->run->p->kern;
    const struct cpu_node *n = j->node;
    const struct cpu_slices *s = &j->run->slices;
    const size_t hw = (size_t)n->shape[1] * n->shape[2];
    double total = 0;
    (void)thread;
    for (uint32_t i = 0; i < s->n; i++) {
        double sum = 0;
        for (uint32_t b = s->first[i]; b < s->first[i + 1]; b++) {
            const float *dy = n->dy + ((size_t)b * n->shape[0] + c) * hw * kern->lanes;
            sum += kern->plane_sum(dy, hw, kern->lanes);
        }
        total += sum;
    }
    n->sum[c] = total;
}

void cpu_bias_sums(struct cpu_run *r, struct cpu_node *n)
{
    struct bias_job j = { .run = r, .node = n };
    cpu_parallel(r->p->dev->pool, n->shape[0], bias_channel, &j);
}
