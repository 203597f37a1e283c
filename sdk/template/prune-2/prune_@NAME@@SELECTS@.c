/* SPDX-License-Identifier: MIT
 * prune @NAME@ - drop the weights that are small beside the others of the same output unit.
 *
 * A level-2 rule: a mean over a whole unit cannot be had from one chunk of candidates, so it selects
 * itself.  It reads through `net`, as many entries at a time as it likes, and takes through `edit` exactly
 * as many of each layer as that layer's budget says.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <math.h>

enum { CHUNK = 4096 };

struct params {
    double relative;
};
static const ftk_param params[] = {
    FTK_PARAM_F64(struct params, relative, 1.0, 0, 1, "fraction",
                  "1: sizes over the mean of their unit; 0: over the mean of the layer"),
    FTK_PARAM_END,
};

struct active {      /* the active weights of a layer                */
    uint64_t *index; // [n] ascending
    float *size;     // [n] |weight|, then the score
    uint64_t n;
};
struct mean { /* of sizes                                     */
    double sum;
    uint64_t n;
};

/* What is asked of scratch() is gone after the call; it may be NULL. */
static ftk_status no_memory(const ftk_host *h, const ftk_layer *l)
{
    return h->fail(h, FTK_ENOMEM, "layer '%s': no memory for %llu weights", l->name,
                   (unsigned long long)l->nnz);
}

static ftk_status read_active(const ftk_host *h, const ftk_net *net, uint32_t layer,
                              struct active *ret)
{
    const ftk_layer *l = net->layers[layer];
    uint64_t cursor = 0;
    ret->n = 0;
    ret->index = h->scratch(h, l->nnz * sizeof(*ret->index));
    ret->size = h->scratch(h, l->nnz * sizeof(*ret->size));
    if (!ret->index || !ret->size)
        return no_memory(h, l);
    for (;;) {
        ftk_cand c = { .size = sizeof(c) };
        ftk_status st = net->read(net, layer, FTK_ACTIVE, FTK_CH_WEIGHT, CHUNK, &cursor, &c);
        if (st != FTK_OK || c.count == 0)
            return st;
        for (uint64_t i = 0; i < c.count; i++, ret->n++) {
            ret->index[ret->n] = c.index[i];
            ret->size[ret->n] = fabsf(c.weight[i]);
        }
    }
}

static void add(struct mean *m, float size)
{
    m->sum += (double)size;
    m->n++;
}

/* A size in means; 0 where all are 0. */
static double over(float size, const struct mean *m)
{
    return m->sum > 0 ? (double)size * (double)m->n / m->sum : 0;
}

/* Sizes become scores: entry i of a layer [out][in][kh][kw] belongs to unit i / (in kh kw). */
static ftk_status rank(const ftk_host *h, const struct params *p, const ftk_layer *l,
                       struct active *a)
{
    const uint64_t entries = (uint64_t)l->shape[1] * l->shape[2] * l->shape[3];
    struct mean layer = { 0, 0 };
    struct mean *unit = h->scratch(h, l->shape[0] * sizeof(*unit));
    if (!unit)
        return no_memory(h, l);
    for (uint32_t o = 0; o < l->shape[0]; o++)
        unit[o] = layer;
    for (uint64_t i = 0; i < a->n; i++) {
        add(&unit[a->index[i] / entries], a->size[i]);
        add(&layer, a->size[i]);
    }
    for (uint64_t i = 0; i < a->n; i++) {
        double in_unit = over(a->size[i], &unit[a->index[i] / entries]);
        double in_layer = over(a->size[i], &layer);
        a->size[i] = (float)(p->relative * in_unit + (1 - p->relative) * in_layer);
    }
    return FTK_OK;
}

static ftk_status take_lowest(const ftk_host *h, const ftk_edit *edit, uint32_t layer,
                              const struct active *a, uint64_t k)
{
    uint64_t *chosen = h->scratch(h, k * sizeof(*chosen));
    if (!chosen)
        return h->fail(h, FTK_ENOMEM, "no memory for %llu weights", (unsigned long long)k);
    ftk_status st = h->select_low(h, a->size, a->n, k, chosen); /* positions, ascending */
    if (st != FTK_OK)
        return st;
    for (uint64_t i = 0; i < k; i++)
        chosen[i] = a->index[chosen[i]];
    return edit->take(edit, layer, chosen, k);
}

static ftk_status select_entries(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                                 const ftk_edit *edit)
{
    (void)u;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        struct active a;
        uint64_t k = edit->budget[l];
        if (k == 0)
            continue; /* it may be dense and exempt: leave it alone */
        ftk_status st = read_active(h, net, l, &a);
        if (st == FTK_OK && k > a.n)
            st = h->fail(h, FTK_ERANGE, "layer '%s' has %llu active weights, not %llu",
                         net->layers[l]->name, (unsigned long long)a.n, (unsigned long long)k);
        if (st == FTK_OK)
            st = rank(h, self, net->layers[l], &a);
        if (st == FTK_OK)
            st = take_lowest(h, edit, l, &a, k);
        if (st != FTK_OK)
            return st;
    }
    return FTK_OK;
}

static const ftk_prune_ops ops = {
    .size = sizeof(ops),
    .channels = FTK_CH_WEIGHT,
    .count = FTK_COUNT_EXACT,
    .props = FTK_PROP_SCALE_FREE | FTK_PROP_SIGN_FREE,
    .select = select_entries,
};
static const ftk_algo rule = {
    .size = sizeof(rule),
    .kind = FTK_KIND_PRUNE,
    .name = "@NAME@",
    .summary = "drop the weights that are small beside others of the same output unit",
    .reference = "",
    .flags = FTK_ALGO_REENTRANT,
    FTK_PARAMS(struct params, params),
    .ops = &ops,
};
FTK_PLUGIN("org.example.prune.@NAME@", "0.1.0", "MIT", &rule);
