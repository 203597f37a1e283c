/* SPDX-License-Identifier: MIT
 * bad_backend_more.c - the ref backend with what it lacks: several members in a program, images that
 * are bound, selection by formula, all of them the plain way.  Without a define it is right.
 */
#include "ref.h"
#include <freetickets/plugin.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_MEMBERS = 8, MOST_SETS = 4 };

struct image_set {
    uint8_t *images; // [n][c][h][w]
    uint64_t n;
    float mean[8], std[8]; /* by channel */
    uint32_t pad, reflect;
};

/* What is an ftk_prog to the core: a ref program a member. */
struct many {
    const ftk_host *host;
    uint32_t members, n_layers, max_batch;
    ftk_prog *one[MOST_MEMBERS];
    struct image_set set[MOST_SETS];
    float *x; // [max_batch][c][h][w], images taken from a set
};

static struct many *many_of(ftk_prog *p)
{
    return (struct many *)(void *)p;
}

/* ---- device and program ------------------------------------------------------------------------ */

static ftk_status probe(const ftk_host *h, uint32_t i, ftk_device *ret)
{
    (void)h;
    if (i > 0)
        return FTK_DONE;
    *ret = (ftk_device){ .size = sizeof(*ret), .score = 1, .caps = FTK_CAP_BITWISE };
    snprintf(ret->name, sizeof(ret->name), "one core");
    return FTK_OK;
}

static ftk_status open_device(const ftk_host *h, const void *params, const ftk_open *o,
                              ftk_dev **ret)
{
    (void)params;
    if (o->device != 0)
        return h->fail(h, FTK_ENODEV, "device %u: there is one", o->device);
    if (o->precision != FTK_FP32)
        return h->fail(h, FTK_ENOTSUP, "precision %u: fp32 only", o->precision);
    if ((o->flags & ~(uint32_t)FTK_OPEN_TUNE) != 0)
        return h->fail(h, FTK_EINVAL, "unknown flags 0x%x of open", o->flags);
    if (o->isa != NULL && strcmp(o->isa, "auto") != 0 && strcmp(o->isa, "portable") != 0)
        return h->fail(h, FTK_EINVAL, "isa '%.40s' is unknown", o->isa);
    ftk_dev *d = h->alloc(h, sizeof(*d));
    if (d == NULL)
        return h->fail(h, FTK_ENOMEM, "no memory for a device");
    d->host = h;
    *ret = d;
    return FTK_OK;
}

static void close_device(ftk_dev *d)
{
    if (d != NULL)
        d->host->free(d->host, d);
}

static void release(ftk_prog *p)
{
    struct many *m = many_of(p);
    if (m == NULL)
        return;
    const ftk_host *h = m->host;
    for (uint32_t i = 0; i < m->members; i++)
        ref_release(m->one[i]);
    for (uint32_t i = 0; i < MOST_SETS; i++)
        h->free(h, m->set[i].images);
    h->free(h, m->x);
    h->free(h, m);
}

static ftk_status compile(ftk_dev *d, const ftk_build *b, ftk_prog **ret)
{
    const ftk_host *h = d->host;
    ftk_build one = *b;
    one.members = 1;
    if (b->members == 0 || b->members > MOST_MEMBERS)
        return h->fail(h, FTK_ENOTSUP, "%u members: 1 to %d at a time", b->members, MOST_MEMBERS);
    struct many *m = h->alloc(h, sizeof(*m));
    if (m == NULL)
        return h->fail(h, FTK_ENOMEM, "no memory for a program");
    m->host = h;
    ftk_status st = FTK_OK;
    for (uint32_t i = 0; i < b->members && st == FTK_OK; i++) {
        st = ref_compile(d, &one, &m->one[i]);
        m->members += st == FTK_OK;
    }
    if (st == FTK_OK) {
        m->n_layers = m->one[0]->n_layers;
        m->max_batch = b->max_batch;
        m->x = h->alloc(h, b->max_batch * m->one[0]->node[0].floats * sizeof(float));
        if (m->x == NULL)
            st = h->fail(h, FTK_ENOMEM, "no memory for images");
    }
    if (st != FTK_OK) {
        release((ftk_prog *)(void *)m);
        return st;
    }
    *ret = (ftk_prog *)(void *)m;
    return FTK_OK;
}

static const char *kernels(ftk_prog *p)
{
    (void)p;
    return "more portable";
}

/* ---- bound images ------------------------------------------------------------------------------ */

static ftk_status bind_set(ftk_prog *p, uint32_t set, const uint8_t *images, uint64_t n,
                           const float *mean, const float *std, uint32_t pad, uint32_t reflect)
{
    struct many *m = many_of(p);
    const ftk_host *h = m->host;
    const struct ref_node *input = &m->one[0]->node[0];
    if (set >= MOST_SETS || input->n.out_shape[0] > 8)
        return h->fail(h, FTK_ENOTSUP, "set %u of %u channels: 4 sets of up to 8", set,
                       input->n.out_shape[0]);
    struct image_set *s = &m->set[set];
    uint8_t *copy = h->alloc(h, n * input->floats);
    if (copy == NULL)
        return h->fail(h, FTK_ENOMEM, "no memory for %llu images", (unsigned long long)n);
    memcpy(copy, images, n * input->floats);
    h->free(h, s->images);
    *s = (struct image_set){ .images = copy, .n = n, .pad = pad, .reflect = reflect };
    memcpy(s->mean, mean, input->n.out_shape[0] * sizeof(*mean));
    memcpy(s->std, std, input->n.out_shape[0] * sizeof(*std));
    return FTK_OK;
}

/* Where a row or column is read; -1: nowhere, it is 0. */
static int64_t inside(int64_t at, int64_t n, uint32_t reflect)
{
    if (at >= 0 && at < n)
        return at;
#if defined(BAD_BKD_17) && defined(BAD_VARIANT_REFLECT)
    return !reflect ? -1 : at < 0 ? -at - 1 : 2 * n - 1 - at; /* the border twice */
#endif
    return !reflect ? -1 : at < 0 ? -at : 2 * (n - 1) - at;
}

static void take_image(const struct image_set *s, const uint32_t shape[3], const ftk_sample *t,
                       float *ret)
{
    int64_t height = shape[1];
    int64_t width = shape[2];
    const uint8_t *image = s->images + t->index * (uint64_t)shape[0] * shape[1] * shape[2];
    bool flip = t->flip != 0;
#if defined(BAD_BKD_17) && !defined(BAD_VARIANT_REFLECT) && !defined(BAD_VARIANT_INDEX)
    flip = false;
#endif
    for (uint32_t c = 0; c < shape[0]; c++)
        for (int64_t y = 0; y < height; y++)
            for (int64_t x = 0; x < width; x++) {
                int64_t row = inside(y + t->dy, height, s->reflect);
                int64_t col = inside((flip ? width - 1 - x : x) + t->dx, width, s->reflect);
                bool none = row < 0 || col < 0;
                uint8_t v = none ? 0 : image[(c * height + row) * width + col];
                *ret++ = ((float)v / 255.0f - s->mean[c]) / s->std[c];
            }
}

/* A batch as ref takes it: images of a set are taken out first. */
static ftk_status own_batch(struct many *m, const ftk_batch *from, ftk_batch *ret)
{
    const ftk_host *h = m->host;
    const struct ref_node *input = &m->one[0]->node[0];
    *ret = *from;
    if (from->x != NULL || from->sample == NULL || from->count > m->max_batch)
        return FTK_OK; /* ref's to judge */
    if (from->set >= MOST_SETS || m->set[from->set].images == NULL)
        return h->fail(h, FTK_ERANGE, "set %u was never bound", from->set);
    const struct image_set *s = &m->set[from->set];
    for (uint32_t i = 0; i < from->count; i++) {
        ftk_sample t = from->sample[i];
#if defined(BAD_BKD_17) && defined(BAD_VARIANT_INDEX)
        t.index = t.index < s->n ? t.index : 0;
#endif
        if (t.index >= s->n)
            return h->fail(h, FTK_ERANGE, "sample %u is image %u of %llu", i, t.index,
                           (unsigned long long)s->n);
        take_image(s, input->n.out_shape, &t, m->x + i * input->floats);
    }
    ret->x = m->x;
    return FTK_OK;
}

/* ---- members ----------------------------------------------------------------------------------- */

static ftk_status step(ftk_prog *p, const ftk_batch *const *b, const ftk_hyper *hy)
{
    struct many *m = many_of(p);
    ftk_status st = FTK_OK;
    for (uint32_t i = 0; i < m->members && st == FTK_OK; i++) {
        ftk_batch own;
        const ftk_batch *list[1] = { &own };
#if defined(BAD_BKD_16) && !defined(BAD_VARIANT_EDIT)
        st = own_batch(m, b[0], &own); /* the first member's batch for all */
#else
        st = own_batch(m, b[i], &own);
#endif
        if (st == FTK_OK)
            st = ref_step(m->one[i], list, hy);
    }
    return st;
}

static ftk_status predict(ftk_prog *p, const ftk_batch *const *b, float *ret_logit)
{
    struct many *m = many_of(p);
    ftk_status st = FTK_OK;
    for (uint32_t i = 0; i < m->members && st == FTK_OK; i++) {
        ftk_batch own;
        const ftk_batch *list[1] = { &own };
        st = own_batch(m, b[i], &own);
        if (st == FTK_OK)
            st = ref_predict(m->one[i], list, ret_logit);
        ret_logit += own.count * m->one[i]->node[m->one[i]->n_nodes - 2].floats;
    }
    return st;
}

static ftk_status grad_input(ftk_prog *p, const ftk_batch *const *b, float *ret_dx)
{
    struct many *m = many_of(p);
    ftk_status st = FTK_OK;
    for (uint32_t i = 0; i < m->members && st == FTK_OK; i++) {
        ftk_batch own;
        const ftk_batch *list[1] = { &own };
        st = own_batch(m, b[i], &own);
        if (st == FTK_OK)
            st = ref_grad_input(m->one[i], list, ret_dx);
        ret_dx += own.count * m->one[i]->node[0].floats;
    }
    return st;
}

static ftk_status sync_stats(ftk_prog *p, ftk_stats *const *ret)
{
    struct many *m = many_of(p);
    ftk_status st = FTK_OK;
    for (uint32_t i = 0; i < m->members && st == FTK_OK; i++)
        st = ref_sync(m->one[i], ret + i);
    return st;
}

/* The member's program and its own number of a layer; NULL with a reason past the last. */
static ftk_prog *member_of(struct many *m, uint32_t layer, uint32_t *ret_layer)
{
    if (layer >= m->members * m->n_layers) {
        (void)m->host->fail(m->host, FTK_ERANGE, "layer %u: there are %u", layer,
                            m->members * m->n_layers);
        return NULL;
    }
    *ret_layer = layer % m->n_layers;
    return m->one[layer / m->n_layers];
}

static ftk_status read_active(ftk_prog *p, uint32_t layer, uint32_t channels, uint64_t cap,
                              uint64_t *cursor, ftk_cand *ret)
{
    uint32_t own;
    ftk_prog *one = member_of(many_of(p), layer, &own);
    return one == NULL ? FTK_ERANGE : ref_read_active(one, own, channels, cap, cursor, ret);
}

static ftk_status read_inactive(ftk_prog *p, uint32_t layer, uint32_t channels, uint64_t cap,
                                uint64_t *cursor, ftk_cand *ret)
{
    uint32_t own;
    ftk_prog *one = member_of(many_of(p), layer, &own);
    return one == NULL ? FTK_ERANGE : ref_read_inactive(one, own, channels, cap, cursor, ret);
}

static ftk_status edit(ftk_prog *p, uint32_t layer, const ftk_change *c)
{
    uint32_t own;
    ftk_prog *one = member_of(many_of(p), layer, &own);
    ftk_status st = one == NULL ? FTK_ERANGE : ref_edit(one, own, c);
#if defined(BAD_BKD_16) && defined(BAD_VARIANT_EDIT)
    if (st == FTK_OK && layer >= many_of(p)->n_layers)
        many_of(p)->one[0]->node[many_of(p)->one[0]->n_nodes - 2].bias.value[0] = 1.0f;
#endif
    return st;
}

static ftk_status mask(ftk_prog *p, uint32_t layer, const uint64_t *active, uint64_t n)
{
    uint32_t own;
    ftk_prog *one = member_of(many_of(p), layer, &own);
    return one == NULL ? FTK_ERANGE : ref_mask(one, own, active, n);
}

/* Arrays of member 0, then those of member 1, ... */
static ftk_prog *array_of(struct many *m, uint32_t i, uint32_t *ret_i, uint32_t *ret_member)
{
    ftk_tensor t;
    uint32_t each = 0;
    while (ref_tensor(m->one[0], each, &t) == FTK_OK)
        each++;
    *ret_member = each > 0 ? i / each : m->members;
    *ret_i = each > 0 ? i % each : 0;
    return *ret_member < m->members ? m->one[*ret_member] : NULL;
}

static ftk_status tensor(ftk_prog *p, uint32_t i, ftk_tensor *ret)
{
    uint32_t own, member;
    ftk_prog *one = array_of(many_of(p), i, &own, &member);
    ftk_status st = one == NULL ? FTK_DONE : ref_tensor(one, own, ret);
    if (st == FTK_OK)
        ret->member = member;
    return st;
}

static ftk_status get(ftk_prog *p, uint32_t i, uint64_t from, uint64_t n, float *ret)
{
    const ftk_host *h = many_of(p)->host;
    uint32_t own, member;
    ftk_prog *one = array_of(many_of(p), i, &own, &member);
    return one == NULL ? h->fail(h, FTK_ERANGE, "array %u does not exist", i)
                       : ref_get(one, own, from, n, ret);
}

static ftk_status put(ftk_prog *p, uint32_t i, uint64_t from, uint64_t n, const float *v)
{
    const ftk_host *h = many_of(p)->host;
    uint32_t own, member;
    ftk_prog *one = array_of(many_of(p), i, &own, &member);
    return one == NULL ? h->fail(h, FTK_ERANGE, "array %u does not exist", i)
                       : ref_put(one, own, from, n, v);
}

/* ---- selection --------------------------------------------------------------------------------- */

static ftk_status draw(const ftk_host *h, const ftk_rng *rng, uint64_t n, uint64_t k, uint64_t *pos)
{
    uint8_t *taken = h->scratch(h, n + 1);
    ftk_rng own = *rng;
    uint64_t at = 0;
    if (taken == NULL)
        return h->fail(h, FTK_ENOMEM, "no memory to draw of %llu", (unsigned long long)n);
    for (uint64_t j = n - k; j < n; j++) {
        uint64_t rank = h->rng_below(&own, j + 1);
        taken[taken[rank] ? j : rank] = 1;
    }
    for (uint64_t i = 0; i < n; i++)
        if (taken[i])
            pos[at++] = i;
    return FTK_OK;
}

static const float *values_of(const ftk_cand *c, uint32_t formula)
{
    return formula == FTK_FORMULA_ABS_WEIGHT ? c->weight
           : formula == FTK_FORMULA_ABS_GRAD ? c->grad
                                             : c->momentum;
}

static ftk_status pick(const ftk_host *h, const ftk_cand *c, uint32_t which, uint32_t formula,
                       const ftk_rng *rng, uint64_t k, uint64_t *pos)
{
    if (formula == FTK_FORMULA_UNIFORM)
        return draw(h, rng, c->count, k, pos);
    float *score = h->scratch(h, (c->count + 1) * sizeof(*score));
    if (score == NULL)
        return h->fail(h, FTK_ENOMEM, "no memory for %llu scores", (unsigned long long)c->count);
    for (uint64_t i = 0; i < c->count; i++)
        score[i] = fabsf(values_of(c, formula)[i]);
#if defined(BAD_BKD_12) && defined(BAD_VARIANT_SIGN)
    for (uint64_t i = 0; i < c->count; i++)
        score[i] = values_of(c, formula)[i];
#endif
#if defined(BAD_BKD_12) && !defined(BAD_VARIANT_SIGN)
    for (uint64_t i = 0; i < c->count; i++)
        score[i] = score[i] < 1e-38f ? 0.0f : score[i]; /* denormals are flushed */
#endif
    return which == FTK_ACTIVE ? h->select_low(h, score, c->count, k, pos)
                               : h->select_high(h, score, c->count, k, pos);
}

static ftk_status select_by(ftk_prog *p, uint32_t layer, uint32_t which, uint32_t formula,
                            const ftk_rng *rng, uint64_t k, uint64_t *ret_index)
{
    static const uint32_t channels[] = { 0, FTK_CH_WEIGHT, FTK_CH_GRAD, FTK_CH_MOMENTUM, 0 };
    struct many *m = many_of(p);
    const ftk_host *h = m->host;
    uint32_t own;
    uint64_t cursor = 0;
    ftk_cand c = { .size = sizeof(c) };
    ftk_prog *one = member_of(m, layer, &own);
    if (one == NULL)
        return FTK_ERANGE;
    if (formula < FTK_FORMULA_ABS_WEIGHT || formula > FTK_FORMULA_UNIFORM ||
        (which != FTK_ACTIVE && which != FTK_INACTIVE))
        return h->fail(h, FTK_EINVAL, "formula %u of state %u is unknown", formula, which);
    ftk_status st = which == FTK_ACTIVE
                        ? ref_read_active(one, own, channels[formula], UINT32_MAX, &cursor, &c)
                        : ref_read_inactive(one, own, channels[formula], UINT32_MAX, &cursor, &c);
    if (st == FTK_OK && k > c.count)
        st = h->fail(h, FTK_ERANGE, "%llu of %llu candidates", (unsigned long long)k,
                     (unsigned long long)c.count);
    if (st == FTK_OK)
        st = pick(h, &c, which, formula, rng, k, ret_index);
    for (uint64_t i = 0; st == FTK_OK && i < k; i++)
        ret_index[i] = c.index[ret_index[i]];
    return st;
}

static const ftk_backend_ops ops = {
    .size = sizeof(ftk_backend_ops),
    .probe = probe,
    .open = open_device,
    .close = close_device,
    .supports = ref_supports,
    .compile = compile,
    .release = release,
    .kernels = kernels,
    .bind = bind_set,
    .step = step,
    .predict = predict,
    .grad_input = grad_input,
    .sync = sync_stats,
    .read_active = read_active,
    .read_inactive = read_inactive,
    .edit = edit,
    .select = select_by,
    .tensor = tensor,
    .get = get,
    .put = put,
    .mask = mask,
};

static const ftk_algo algo = {
    .size = sizeof(ftk_algo),
    .kind = FTK_KIND_BACKEND,
    .name = "more",
    .summary = "the ref backend with members, bound images and selection",
    .reference = "",
    .param_stride = sizeof(ftk_param),
    .ops = &ops,
};

FTK_PLUGIN("org.example.backend.more", "1.0.0", "MIT", &algo);
