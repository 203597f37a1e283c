/* SPDX-License-Identifier: MIT
 * sparse/densities.c - asking the init rule, applying sparsity.layers.
 */
#include "sparse/densities.h"
#include "sparse/netview.h"
#include <math.h>

static double weights_of(const struct ftk__work *w, uint32_t l)
{
    return (double)w->layers[l].n;
}

/* In range, and within one weight of the target, or the rule's promise is broken. */
static ftk_status check_densities(const struct ftk__work *w, double density, const double *d,
                                  const ftk_host *h)
{
    double sum = 0, all = 0;
    for (uint32_t l = 0; l < w->t->n_layers; l++) {
        if (!(d[l] >= 0 && d[l] <= 1))
            return h->fail(h, FTK_ERANGE, "density %g of layer '%s' is outside 0 to 1", d[l],
                           w->layers[l].name);
        sum += d[l] * weights_of(w, l);
        all += weights_of(w, l);
    }
    if (fabs(sum - density * all) > 1)
        return h->fail(h, FTK_ERANGE, "the layers' densities keep %.1f weights, not %.1f", sum,
                       density * all);
    return FTK_OK;
}

static ftk_status ask_rule(struct ftk__work *w, double density, double *ret_density,
                           struct ftk_error *reterr)
{
    const struct ftk__rule *rule = &w->t->init;
    const ftk_init_ops *ops = rule->inst->entry->algo->ops;
    struct ftk__netview view;
    ftk_status st = ftk__netview_init(&view, w, rule, reterr);
    if (st < 0)
        return st;
    ftk_update u = ftk__rule_update(w, rule, FTK__WHOLE_NETWORK);
    const ftk_host *h = ftk__rule_begin(rule);
    st = ops->density(h, rule->inst->self, &view.net, &u, density, ret_density);
    if (st == FTK_OK && view.failed == FTK_OK)
        st = check_densities(w, density, ret_density, h);
    st = ftk__netview_end(&view, st, reterr);
    ftk__netview_done(&view);
    return st;
}

/* The free layers' weights, all and at the rule's densities, without those filled up. */
struct rest {
    double budget, active;
};

static struct rest sum_rest(const struct ftk__work *w, double density, const double *d,
                            const bool *full)
{
    struct rest r = { 0 };
    for (uint32_t l = 0; l < w->t->n_layers; l++) {
        double n = weights_of(w, l);
        bool free_here = w->t->fixed[l] < 0 && !full[l];
        r.budget += density * n - (free_here ? 0 : d[l] * n);
        r.active += free_here ? d[l] * n : 0;
    }
    return r;
}

/* Layers that `factor` would raise above 1 become full; whether there were any. */
static bool fill_up(const struct ftk__work *w, double factor, double *d, bool *full)
{
    bool any = false;
    for (uint32_t l = 0; l < w->t->n_layers; l++) {
        if (w->t->fixed[l] >= 0 || full[l] || !(d[l] * factor > 1))
            continue;
        d[l] = 1;
        full[l] = true;
        any = true;
    }
    return any;
}

static ftk_status scale_rest(const struct ftk__work *w, double density, double *d, bool *full,
                             struct ftk_error *reterr)
{
    const double half = 0.5; /* of a weight: less is rounding */
    double factor;
    do {
        struct rest r = sum_rest(w, density, d, full);
        if (r.budget < -half || (r.active <= 0 && r.budget > half))
            return ftk__fail(reterr, FTK_ERANGE,
                             "sparsity.layers leaves %.0f weights to the other "
                             "layers, which cannot meet density %g",
                             r.budget, density);
        factor = r.active > 0 && r.budget > 0 ? r.budget / r.active : 0;
    } while (fill_up(w, factor, d, full));
    for (uint32_t l = 0; l < w->t->n_layers; l++) {
        if (w->t->fixed[l] < 0 && !full[l])
            d[l] *= factor;
    }
    return FTK_OK;
}

static ftk_status apply_fixed(const struct ftk__work *w, double density, double *d,
                              struct ftk_error *reterr)
{
    bool any = false;
    for (uint32_t l = 0; l < w->t->n_layers; l++) {
        if (w->t->fixed[l] >= 0) {
            d[l] = w->t->fixed[l];
            any = true;
        }
    }
    if (!any)
        return FTK_OK;
    bool *full = ftk__alloc_array(w->t->n_layers, sizeof(*full));
    if (!full)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for the densities of layers");
    ftk_status st = scale_rest(w, density, d, full, reterr);
    ftk__free(full);
    return st;
}

ftk_status ftk__densities(struct ftk__work *w, double density, double *ret_density,
                          struct ftk_error *reterr)
{
    const struct ftk__rule *rule = &w->t->init;
    if (!rule->inst)
        return ftk__fail(reterr, FTK_EINVAL, "a sparse INIT needs an init plugin");
    if (!(density > 0 && density <= 1))
        return ftk__fail(reterr, FTK_EINVAL, "density %g is outside 0 (exclusive) to 1", density);
    for (uint32_t l = 0; l < w->t->n_layers; l++)
        ret_density[l] = density;
    ftk_status st = rule->select ? FTK_OK : ask_rule(w, density, ret_density, reterr);
    if (st < 0)
        return st;
    return apply_fixed(w, density, ret_density, reterr);
}
