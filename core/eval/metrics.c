/* SPDX-License-Identifier: MIT
 * eval/metrics.c - metric plugins folded over cached predictions, batch after batch in order.
 */
#include "eval/metrics.h"

#include "base/str.h"
#include <math.h>
#include <string.h>

enum { BATCH = 1024 };

static const ftk_metric_ops *ops_of(const struct ftk__metric_use *u)
{
    return u->instance->entry->algo->ops;
}

static bool compares(const struct ftk__metric_use *u)
{
    return ops_of(u)->flags & FTK_METRIC_MEMBERS;
}

struct fold { /* one metric at work                           */
    const struct ftk__metric_use *use;
    void *state;
};

static ftk_status start(struct fold *f, uint32_t members, uint32_t classes, uint64_t n,
                        struct ftk_error *reterr)
{
    struct ftk__instance *in = f->use->instance;
    uint64_t bytes = 0;
    ftk__host_begin(in->host);
    ftk_status st = ops_of(f->use)->state_bytes(ftk__host_table(in->host), in->self, members,
                                                classes, n, &bytes);
    st = ftk__host_end(in->host, st, in->entry, reterr);
    if (st < 0)
        return st;
    f->state = ftk__alloc(bytes);
    if (!f->state)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for metric %s", in->entry->algo->name);
    return FTK_OK;
}

static ftk_status add(struct fold *f, const ftk_pred *p, struct ftk_error *reterr)
{
    struct ftk__instance *in = f->use->instance;
    ftk_pred q = *p;
    if (!(ops_of(f->use)->flags & FTK_METRIC_MEMBERS)) {
        q.member = NULL;
        q.log_member = NULL;
    }
    ftk__host_begin(in->host);
    ftk_status st = ops_of(f->use)->add(ftk__host_table(in->host), in->self, f->state, &q);
    return ftk__host_end(in->host, st, in->entry, reterr);
}

static void name_result(const struct ftk__metric_use *u, struct ftk__metric_result *r)
{
    if (strcmp(u->protocol, "standard") == 0)
        ftk__format(r->name, sizeof(r->name), "%s", r->declared->name);
    else
        ftk__format(r->name, sizeof(r->name), "%s@%s", r->declared->name, u->protocol);
}

static ftk_status check_range(const struct fold *f, const struct ftk__metric_result *r,
                              struct ftk_error *reterr)
{
    if (r->value >= r->declared->min && r->value <= r->declared->max)
        return FTK_OK;
    return ftk__fail(reterr, FTK_ENUMERIC, "metric %s of plugin %s is %g, outside %g to %g",
                     r->name, f->use->instance->entry->algo->name, r->value, r->declared->min,
                     r->declared->max);
}

/* Appends the metric's values; NaN where it compares members, has one, and gives a reason. */
static ftk_status finish(struct fold *f, uint32_t members, struct ftk__metric_result *ret,
                         struct ftk_error *reterr)
{
    struct ftk__instance *in = f->use->instance;
    const ftk_metric_ops *ops = ops_of(f->use);
    double *value = ftk__alloc_array(ops->n_values, sizeof(*value));
    if (!value)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for metric %s", in->entry->algo->name);
    ftk__host_begin(in->host);
    ftk_status st = ops->finish(ftk__host_table(in->host), in->self, f->state, value);
    st = ftk__host_end(in->host, st, in->entry, reterr);
    bool none = st < 0 && st != FTK_ENOMEM && members < 2 && compares(f->use);
    if (none)
        st = FTK_OK;
    for (uint32_t v = 0; v < ops->n_values && st >= 0; v++) {
        ret[v].declared = &ops->values[v];
        ret[v].value = none ? (double)NAN : value[v];
        name_result(f->use, &ret[v]);
        if (!none)
            st = check_range(f, &ret[v], reterr);
    }
    ftk__free(value);
    return st;
}

static ftk_status fold_all(struct fold *folds, uint64_t n_use, struct ftk__prediction *p,
                           uint64_t n, const float *const *logits, const int32_t *label,
                           struct ftk_error *reterr)
{
    for (uint64_t from = 0; from < n; from += BATCH) {
        uint64_t count = n - from < BATCH ? n - from : BATCH;
        ftk_status st = ftk__prediction_fill(p, logits, label, from, count, reterr);
        for (uint64_t i = 0; i < n_use && st >= 0; i++)
            st = add(&folds[i], &p->pred, reterr);
        if (st < 0)
            return st;
    }
    return FTK_OK;
}

static uint64_t count_values(const struct ftk__metric_use *use, uint64_t n_use)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < n_use; i++)
        n += ops_of(&use[i])->n_values;
    return n;
}

ftk_status ftk__metrics_run(const struct ftk__metric_use *use, uint64_t n_use, uint32_t members,
                            uint32_t classes, uint64_t n, const float *const *logits,
                            const int32_t *label, struct ftk__metric_result **ret, uint64_t *ret_n,
                            struct ftk_error *reterr)
{
    struct ftk__prediction p = { 0 };
    uint64_t n_values = count_values(use, n_use);
    struct ftk__metric_result *results = ftk__alloc_array(n_values, sizeof(*results));
    struct fold *folds = ftk__alloc_array(n_use, sizeof(*folds));
    ftk_status st = FTK_OK;
    if (!results || !folds)
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory for %llu metrics", (unsigned long long)n_use);
    if (st >= 0)
        st = ftk__prediction_init(&p, members, classes, BATCH, reterr);
    for (uint64_t i = 0; i < n_use && st >= 0; i++) {
        folds[i].use = &use[i];
        st = start(&folds[i], members, classes, n, reterr);
    }
    if (st >= 0)
        st = fold_all(folds, n_use, &p, n, logits, label, reterr);
    uint64_t at = 0;
    for (uint64_t i = 0; i < n_use && st >= 0; i++) {
        st = finish(&folds[i], members, results + at, reterr);
        at += ops_of(&use[i])->n_values;
    }
    for (uint64_t i = 0; folds && i < n_use; i++)
        ftk__free(folds[i].state);
    ftk__free(folds);
    ftk__prediction_done(&p);
    if (st < 0) {
        ftk__free(results);
        return st;
    }
    *ret = results;
    *ret_n = n_values;
    return FTK_OK;
}

/* ---- the report ------------------------------------------------------------------------------ */

static ftk_status no_memory(struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "no memory for the report");
}

/* The uses that compare members, or those that do not. */
static ftk_status filter(const struct ftk__metric_use *use, uint64_t n_use, bool comparing,
                         struct ftk__metric_use **ret, uint64_t *ret_n, struct ftk_error *reterr)
{
    struct ftk__metric_use *some = ftk__alloc_array(n_use, sizeof(*some));
    uint64_t n = 0;
    if (!some)
        return no_memory(reterr);
    for (uint64_t i = 0; i < n_use; i++)
        if (compares(&use[i]) == comparing)
            some[n++] = use[i];
    *ret = some;
    *ret_n = n;
    return FTK_OK;
}

struct predictions {
    uint32_t members, classes;
    uint64_t n;
    const float *const *logits;
    const int32_t *label;
};

/* The metrics of `p` as an object, a value a name; NaN is null. */
static ftk_status score_object(const struct ftk__metric_use *use, uint64_t n_use,
                               const struct predictions *p, json_t **ret, struct ftk_error *reterr)
{
    struct ftk__metric_result *r;
    uint64_t n;
    ftk_status st = ftk__metrics_run(use, n_use, p->members, p->classes, p->n, p->logits, p->label,
                                     &r, &n, reterr);
    if (st < 0)
        return st;
    json_t *object = json_object();
    bool ok = object != NULL;
    for (uint64_t i = 0; i < n && ok; i++) {
        json_t *value = isnan(r[i].value) ? json_null() : json_real(r[i].value);
        ok = json_object_set_new(object, r[i].name, value) == 0;
    }
    ftk__free(r);
    if (!ok) {
        json_decref(object);
        return no_memory(reterr);
    }
    *ret = object;
    return FTK_OK;
}

/* Of a list of equal objects of numbers, the object of their means; NULL without memory. */
static json_t *mean_object(const json_t *list)
{
    json_t *mean = json_object();
    const char *key;
    json_t *first;
    bool ok = mean != NULL;
    json_object_foreach(json_array_get(list, 0), key, first)
    {
        double sum = 0;
        for (size_t i = 0; i < json_array_size(list); i++)
            sum += json_number_value(json_object_get(json_array_get(list, i), key));
        ok = ok &&
             json_object_set_new(mean, key, json_real(sum / (double)json_array_size(list))) == 0;
    }
    if (ok)
        return mean;
    json_decref(mean);
    return NULL;
}

static ftk_status score_members(const struct ftk__metric_use *use, uint64_t n_use,
                                const struct predictions *all, json_t *members,
                                struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    for (uint32_t m = 0; m < all->members && st >= 0; m++) {
        struct predictions one = *all;
        json_t *object = NULL;
        one.members = 1;
        one.logits = all->logits + m;
        st = score_object(use, n_use, &one, &object, reterr);
        if (st >= 0 && json_array_append_new(members, object) != 0)
            st = no_memory(reterr);
    }
    return st;
}

ftk_status ftk__metrics_report(const struct ftk__metric_use *use, uint64_t n_use, uint32_t members,
                               uint32_t classes, uint64_t n, const float *const *logits,
                               const int32_t *label, json_t **ret, struct ftk_error *reterr)
{
    const struct predictions all = { members, classes, n, logits, label };
    struct ftk__metric_use *single = NULL;
    struct ftk__metric_use *diverse = NULL;
    uint64_t n_single = 0;
    uint64_t n_diverse = 0;
    json_t *ensemble = NULL;
    json_t *diversity = NULL;
    json_t *list = json_array();
    ftk_status st = list ? FTK_OK : no_memory(reterr);
    if (st >= 0)
        st = filter(use, n_use, false, &single, &n_single, reterr);
    if (st >= 0)
        st = filter(use, n_use, true, &diverse, &n_diverse, reterr);
    if (st >= 0)
        st = score_object(single, n_single, &all, &ensemble, reterr);
    if (st >= 0)
        st = score_object(diverse, n_diverse, &all, &diversity, reterr);
    if (st >= 0)
        st = score_members(single, n_single, &all, list, reterr);
    if (st >= 0) {
        json_t *doc = json_pack("{s:o, s:o, s:o, s:o}", "ensemble", ensemble, "members", list,
                                "mean", mean_object(list), "diversity", diversity);
        ensemble = NULL;
        diversity = NULL;
        list = NULL;
        if (doc)
            *ret = doc;
        else
            st = no_memory(reterr);
    }
    json_decref(ensemble);
    json_decref(diversity);
    json_decref(list);
    ftk__free(single);
    ftk__free(diverse);
    return st;
}
