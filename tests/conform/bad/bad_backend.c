/* SPDX-License-Identifier: MIT
 * bad_backend.c - the ref backend with one of its functions wrapped: without a define as right as it
 * is, with one a line away.
 */
#include "ref.h"
#include <freetickets/plugin.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#ifdef BAD_VARIANT_REF
#define NAME "ref" /* judged by PyTorch's arrays */
#else
#define NAME "wrapped"
#endif

struct wrapped_dev {
    ftk_dev d; /* first, so that ref's functions take it */
    uint32_t threads;
};

static ftk_status probe(const ftk_host *h, uint32_t i, ftk_device *ret)
{
    (void)h;
    if (i > 0)
        return FTK_DONE;
    *ret = (ftk_device){ .size = sizeof(*ret), .score = 1, .caps = FTK_CAP_BITWISE };
    snprintf(ret->name, sizeof(ret->name), "one core");
#if defined(BAD_BKD_01) && !defined(BAD_VARIANT_ISA)
    ret->score = 0; /* and no reason */
#endif
#if defined(BAD_BKD_10) && defined(BAD_VARIANT_SPARSE)
    ret->caps |= FTK_CAP_SPARSE_COMPUTE;
#endif
    return FTK_OK;
}

static bool isa_known(const char *isa)
{
#if defined(BAD_BKD_01) && defined(BAD_VARIANT_ISA)
    return true;
#endif
    return isa == NULL || strcmp(isa, "auto") == 0 || strcmp(isa, "portable") == 0;
}

static ftk_status open_device(const ftk_host *h, const void *params, const ftk_open *o,
                              ftk_dev **ret)
{
    (void)params;
#ifdef BAD_BKD_09
    static struct wrapped_dev *only; /* one for all who open */
#else
    struct wrapped_dev *only = NULL;
#endif
    if (o->device != 0)
        return h->fail(h, FTK_ENODEV, "device %u: there is one", o->device);
    if (o->precision != FTK_FP32)
        return h->fail(h, FTK_ENOTSUP, "precision %u: fp32 only", o->precision);
    if ((o->flags & ~(uint32_t)FTK_OPEN_TUNE) != 0)
        return h->fail(h, FTK_EINVAL, "unknown flags 0x%x of open", o->flags);
    if (!isa_known(o->isa))
        return h->fail(h, FTK_EINVAL, "isa '%.40s' is unknown", o->isa);
    if (only == NULL || only->d.host != h)
        only = h->alloc(h, sizeof(*only));
    if (only == NULL)
        return h->fail(h, FTK_ENOMEM, "no memory for a device");
    only->d.host = h;
    only->threads = o->threads;
    *ret = &only->d;
    return FTK_OK;
}

static void close_device(ftk_dev *d)
{
    if (d == NULL)
        return;
    const ftk_host *h = d->host;
    d->host = NULL;
    if (h != NULL)
        h->free(h, d);
}

static ftk_status compile(ftk_dev *d, const ftk_build *b, ftk_prog **ret)
{
    volatile uint32_t last = 0;
#if defined(BAD_BKD_21) && !defined(BAD_VARIANT_LABEL)
    for (uint32_t i = 1; i < b->n_nodes; i++)
        last = b->nodes[b->nodes[i]->in[0]]->op; /* before anything is checked */
#endif
#ifdef BAD_BKD_11
    if (b->max_batch > 1u << 30)
        return d->host->fail(d->host, FTK_EINVAL, "max_batch %u is large", b->max_batch);
#endif
    (void)last;
    ftk_status st = ref_compile(d, b, ret);
    if (st != FTK_OK)
        return st;
    ftk_prog *p = *ret;
#if defined(BAD_BKD_20) && defined(BAD_VARIANT_COUPLED)
    if (p->optimiser == FTK_OPT_ADAMW)
        p->optimiser = FTK_OPT_ADAM; /* decay is part of the gradient */
#endif
    p->node[0].n.scalar[0] = (float)((struct wrapped_dev *)d)->threads; /* for step() */
#if defined(BAD_BKD_20) && defined(BAD_VARIANT_BIAS)
    for (uint32_t i = 0; i < p->n_nodes; i++)
        p->node[i].bias.decay = p->node[i].weight.decay;
#endif
    return FTK_OK;
}

static bool has_op(const ftk_prog *p, uint32_t op)
{
    for (uint32_t i = 0; i < p->n_nodes; i++)
        if (p->node[i].n.op == op)
            return true;
    return false;
}

/* Inactive entries of all layers, times `by`. */
static void scale_inactive(ftk_prog *p, bool grad, float by)
{
    for (uint32_t i = 0; i < p->n_nodes; i++) {
        struct ref_param *w = &p->node[i].weight;
        for (uint64_t k = 0; w->mask != NULL && k < w->n; k++)
            if (w->mask[k] == 0)
                (grad ? w->grad : w->moment)[k] *= by;
    }
}

/* What a step does beside what it should. */
static void after_step(ftk_prog *p, const ftk_batch *b, const ftk_hyper *hy)
{
    (void)b;
#ifdef BAD_BKD_04
    scale_inactive(p, true, 1.01f);
#endif
#ifdef BAD_BKD_05
    struct ref_param *w = p->n_layers > 0 ? &ref_layer(p, 0)->weight : NULL;
    for (uint64_t k = 0; hy->step == 60 && w != NULL && k < w->n; k++)
        w->value[k] += w->mask[k] == 0 ? 0.001f : 0.0f;
#endif
#if defined(BAD_BKD_10) && !defined(BAD_VARIANT_SPARSE)
    if (p->node[0].n.scalar[0] == 3.0f)
        p->node[p->n_nodes - 2].bias.value[0] += p->node[p->n_nodes - 2].bias.n > 0 ? 1e-4f : 0.0f;
#endif
#if defined(BAD_BKD_13) && !defined(BAD_VARIANT_PREDICT) && !defined(BAD_VARIANT_DECAY)
    p->has_grad = true;
#endif
#if defined(BAD_BKD_13) && defined(BAD_VARIANT_DECAY)
    struct ref_param *v = p->n_layers > 0 ? &ref_layer(p, 0)->weight : NULL;
    for (uint64_t k = 0; v != NULL && k < v->n; k++)
        v->grad[k] += (float)hy->weight_decay * v->value[k];
#endif
#if defined(BAD_BKD_14) && !defined(BAD_VARIANT_ALL)
    if (hy->flags & FTK_STEP_STATS_ONLY)
        p->stats.samples += b->count;
#endif
#ifdef BAD_BKD_15
    if (p->dense_momentum)
        scale_inactive(p, false, 0.5f);
#endif
#if defined(BAD_BKD_20) && defined(BAD_VARIANT_NORM)
    for (uint32_t i = 0; p->optimiser == FTK_OPT_ADAMW && i < p->n_nodes; i++) {
        struct ref_param *bias = &p->node[i].bias; /* decays though it is marked */
        for (uint64_t k = 0; p->node[i].n.op == FTK_NODE_BATCHNORM && k < bias->n; k++)
            bias->value[k] *= bias->decay ? 1.0f : (float)(1.0 - hy->lr * hy->weight_decay);
    }
#endif
}

static ftk_status step(ftk_prog *p, const ftk_batch *const *b, const ftk_hyper *hy)
{
    ftk_batch batch = *b[0];
    ftk_hyper hyper = *hy;
    const ftk_batch *list[1] = { &batch };
#if defined(BAD_BKD_03) && defined(BAD_VARIANT_NODE)
    p->stats.bad_node = -1; /* the last that went bad, not the first */
#endif
#if defined(BAD_BKD_14) && defined(BAD_VARIANT_ALL)
    hyper.flags &= ~(uint32_t)FTK_STEP_STATS_ONLY;
#endif
#if defined(BAD_BKD_18) && defined(BAD_VARIANT_STEP)
    batch.rng.counter = 0;
#endif
#if defined(BAD_BKD_20) && !defined(BAD_VARIANT_BIAS) && !defined(BAD_VARIANT_ADAM) &&             \
    !defined(BAD_VARIANT_COUPLED) && !defined(BAD_VARIANT_NORM)
    hyper.flags &= ~(uint32_t)FTK_STEP_NESTEROV;
#endif
#if defined(BAD_BKD_20) && defined(BAD_VARIANT_ADAM)
    if (p->optimiser != FTK_OPT_SGD)
        hyper.step = 1;
#endif
#if defined(BAD_BKD_21) && defined(BAD_VARIANT_LABEL)
    int32_t y[1024];
    for (uint32_t i = 0; i < batch.count && i < 1024 && batch.y != NULL; i++)
        y[i] = batch.y[i] < 0 ? 0 : batch.y[i]; /* a negative label is class 0 */
    batch.y = y;
#endif
    ftk_status st = ref_step(p, list, &hyper);
    if (st == FTK_OK)
        after_step(p, &batch, hy);
    return st;
}

static ftk_status predict(ftk_prog *p, const ftk_batch *const *b, float *ret_logit)
{
    ftk_batch batch = *b[0];
    const ftk_batch *list[1] = { &batch };
#if defined(BAD_BKD_18) && !defined(BAD_VARIANT_STEP)
    batch.rng.key[1] += 1;
#endif
    ftk_status st = ref_predict(p, list, ret_logit);
#ifdef BAD_BKD_02
    const uint64_t floats = p->node[p->n_nodes - 2].floats * batch.count;
    for (uint64_t i = 0; st == FTK_OK && has_op(p, FTK_NODE_AVGPOOL) && i < floats; i++)
        ret_logit[i] *= 1.001f;
#endif
#if defined(BAD_BKD_13) && defined(BAD_VARIANT_PREDICT)
    scale_inactive(p, true, 0.5f); /* predict() uses the same buffers */
#endif
    return st;
}

static ftk_status grad_input(ftk_prog *p, const ftk_batch *const *b, float *ret_dx)
{
    ftk_status st = ref_grad_input(p, b, ret_dx);
#if defined(BAD_BKD_19) && defined(BAD_VARIANT_VALUE)
    for (uint64_t i = 0; st == FTK_OK && i < b[0]->count * p->node[0].floats; i++)
        ret_dx[i] *= (float)b[0]->count; /* of the sum, not of the mean */
#elif defined(BAD_BKD_19)
    p->stats.samples++;
#endif
    return st;
}

static ftk_status sync_stats(ftk_prog *p, ftk_stats *const *ret)
{
    ftk_status st = ref_sync(p, ret);
#if defined(BAD_BKD_03) && !defined(BAD_VARIANT_NODE)
    p->stats.correct = ret[0]->correct; /* counts on */
#endif
    return st;
}

static ftk_status read_active(ftk_prog *p, uint32_t layer, uint32_t channels, uint64_t cap,
                              uint64_t *cursor, ftk_cand *ret)
{
#if defined(BAD_BKD_06) && defined(BAD_VARIANT_VALUE)
    ftk_status st = ref_read_active(p, layer, channels, cap, cursor, ret);
    if (st == FTK_OK && cap == 1 && ret->count > 0 && ret->weight != NULL)
        p->cand_weight[0] = 0.5f;
    return st;
#else
    return ref_read_active(p, layer, channels, cap, cursor, ret);
#endif
}

static ftk_status read_inactive(ftk_prog *p, uint32_t layer, uint32_t channels, uint64_t cap,
                                uint64_t *cursor, ftk_cand *ret)
{
    ftk_status st = ref_read_inactive(p, layer, channels, cap, cursor, ret);
#if defined(BAD_BKD_06) && !defined(BAD_VARIANT_VALUE)
    if (st == FTK_OK && cap == 7 && ret->count == cap && *cursor < ref_layer(p, layer)->weight.n)
        (*cursor)++;
#endif
    return st;
}

static ftk_status edit(ftk_prog *p, uint32_t layer, const ftk_change *c)
{
#if defined(BAD_BKD_07) && defined(BAD_VARIANT_MOMENTUM)
    struct ref_node *n = ref_layer(p, layer);
    float kept = n != NULL && c->n_drop > 1 && c->drop[1] < n->weight.n
                     ? n->weight.moment[c->drop[1]]
                     : 0.0f;
    ftk_status st = ref_edit(p, layer, c);
    if (st == FTK_OK && c->n_drop > 1 && n->weight.mask[c->drop[1]] != 0)
        n->weight.moment[c->drop[1]] = kept; /* dropped and added */
    return st;
#else
    ftk_status st = ref_edit(p, layer, c);
#ifdef BAD_BKD_07
    if (st != FTK_OK && layer < p->n_layers && c->n_drop > 0)
        ref_layer(p, layer)->weight.value[c->drop[0]] = 0.0f; /* half of it */
    if (st != FTK_OK && layer < p->n_layers && c->n_add > 0)
        ref_layer(p, layer)->weight.value[c->add[0]] = 0.0f;
#endif
#if defined(BAD_BKD_22) && defined(BAD_VARIANT_HISTORY)
    p->node[0].n.scalar[1] = 1.0f;
#endif
    return st;
#endif
}

static const char *kernels(ftk_prog *p)
{
    (void)p;
#if defined(BAD_BKD_22) && defined(BAD_VARIANT_HISTORY)
    return p->node[0].n.scalar[1] > 0.0f ? NAME " portable\nedited" : NAME " portable\n";
#elif defined(BAD_BKD_22)
    return "portable " NAME;
#else
    return NAME " portable";
#endif
}

static ftk_status get(ftk_prog *p, uint32_t i, uint64_t from, uint64_t n, float *ret)
{
#if defined(BAD_BKD_08) && !defined(BAD_VARIANT_MASK)
    ftk_status st = ref_get(p, i, from, n, ret);
    return st == FTK_OK && from > 0 && n > 0 ? ref_get(p, i, from - 1, n, ret) : st;
#else
    return ref_get(p, i, from, n, ret);
#endif
}

static ftk_status mask(ftk_prog *p, uint32_t layer, const uint64_t *active, uint64_t n)
{
    ftk_status st = ref_mask(p, layer, active, n);
#if defined(BAD_BKD_08) && defined(BAD_VARIANT_MASK)
    if (st == FTK_OK && n > 0)
        ref_layer(p, layer)->weight.moment[active[0]] = 1.0f;
#endif
    return st;
}

static const ftk_backend_ops ops = {
    .size = sizeof(ftk_backend_ops),
    .probe = probe,
    .open = open_device,
    .close = close_device,
    .supports = ref_supports,
    .compile = compile,
    .release = ref_release,
    .kernels = kernels,
    .step = step,
    .predict = predict,
    .grad_input = grad_input,
    .sync = sync_stats,
    .read_active = read_active,
    .read_inactive = read_inactive,
    .edit = edit,
    .tensor = ref_tensor,
    .get = get,
    .put = ref_put,
    .mask = mask,
};

static const ftk_algo algo = {
    .size = sizeof(ftk_algo),
    .kind = FTK_KIND_BACKEND,
    .name = NAME,
    .summary = "the ref backend in other clothes",
    .reference = "",
    .param_stride = sizeof(ftk_param),
    .ops = &ops,
};

FTK_PLUGIN("org.example.backend.wrapped", "1.0.0", "MIT", &algo);
