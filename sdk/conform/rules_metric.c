/* SPDX-License-Identifier: MIT
 * conform/rules_metric.c - a metric is a fold: in range, whatever the batches, and right.
 */
#include "conform/golden_metrics.h"
#include "conform/pred_case.h"
#include <math.h>
#include <string.h>

enum { MOST_VALUES = 64 };
static const struct ftk__how plain;
static const struct ftk__how may_refuse = { .may_fail = true };

static const ftk_metric_ops *ops_of(struct ftk__case *c)
{
    const ftk_metric_ops *ops = c->algo->ops;
    if (ops->n_values > MOST_VALUES)
        ftk__kit_skip(c, "it declares %u values", ops->n_values);
    return ops;
}

static void in_range(struct ftk__case *c, const double *v, const char *what)
{
    const ftk_metric_ops *ops = c->algo->ops;
    for (uint32_t i = 0; i < ops->n_values; i++) {
        const ftk_metric_value *d = &ops->values[i];
        if (!isfinite(v[i]) || v[i] < d->min || v[i] > d->max)
            ftk__kit_fail(c, "%s: %s is %.17g, declared %g to %g", what, d->name, v[i], d->min,
                          d->max);
    }
}

/* Values of all samples in batches of `size` (0: one). */
static ftk_status measure(struct ftk__case *c, struct ftk__subject *s, const struct ftk__how *how,
                          const struct ftk__preds *p, uint64_t size, const uint8_t *group,
                          double *ret)
{
    struct ftk__meter m;
    ftk_status st = ftk__meter_open(c, s, how, p->members, p->classes, p->n, &m);
    uint64_t step = size > 0 ? size : p->n + 1;
    for (uint64_t at = 0; at < p->n && st >= 0; at += step)
        st = ftk__meter_add(&m, p, at, p->n - at < step ? p->n - at : step, group);
    if (st >= 0)
        st = ftk__meter_finish(&m, ret);
    return st;
}

/* Values in range, or a refusal with a reason. */
static void right_or_refused(struct ftk__case *c, struct ftk__subject *s,
                             const struct ftk__preds *p, const uint8_t *group, const char *what)
{
    double v[MOST_VALUES];
    ftk_status st = measure(c, s, &may_refuse, p, 0, group, v);
    if (st < 0)
        ftk__kit_must_refuse(c, s->host, what, st);
    else
        in_range(c, v, what);
}

static bool close_to(double a, double b, double limit)
{
    return fabs(a - b) <= limit || fabs(a - b) <= limit * fmax(fabs(a), fabs(b));
}

static void must_agree(struct ftk__case *c, const double *a, const double *b, const char *what)
{
    const ftk_metric_ops *ops = c->algo->ops;
    for (uint32_t i = 0; i < ops->n_values; i++)
        if (!close_to(a[i], b[i], 1e-12))
            ftk__kit_fail(c, "%s: %s is %.17g, not %.17g", what, ops->values[i].name, b[i], a[i]);
}

static void values_in_range(struct ftk__case *c)
{
    static const struct {
        enum ftk__pred_values values;
        const char *what;
    } cases[] = { { FTK__PRED_RANDOM, "random predictions" },
                  { FTK__PRED_CONSTANT, "constant predictions" },
                  { FTK__PRED_UNIFORM, "uniform predictions" } };
    struct ftk__subject s;
    ops_of(c);
    ftk__subject_new(c, NULL, &s);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ftk__preds p;
        double v[MOST_VALUES];
        ftk__preds_new(c, 3, 5, 200, cases[i].values, c->seed, &p);
        ftk__kit_must(c, s.host, "finish", measure(c, &s, &plain, &p, 0, NULL, v));
        in_range(c, v, cases[i].what);
    }
}

/* MET-07: probabilities of exactly 0 and 1 with finite logs. */
static void exact_probabilities(struct ftk__case *c)
{
    static const enum ftk__pred_values values[] = { FTK__PRED_PERFECT, FTK__PRED_WRONG };
    struct ftk__subject s;
    ops_of(c);
    ftk__subject_new(c, NULL, &s);
    for (int i = 0; i < 2; i++) {
        struct ftk__preds p;
        double v[MOST_VALUES];
        ftk__preds_new(c, 3, 5, 50, values[i], c->seed, &p);
        ftk__kit_must(c, s.host, "finish", measure(c, &s, &plain, &p, 0, NULL, v));
        in_range(c, v, i ? "probabilities of exactly 0 for the label" : "of exactly 1");
    }
}

static void swap_samples(struct ftk__preds *p, uint64_t a, uint64_t b)
{
    int32_t label = p->label[a];
    p->label[a] = p->label[b];
    p->label[b] = label;
    double *arrays[2 + 2 * 8];
    uint32_t n = 0;
    arrays[n++] = p->ensemble;
    arrays[n++] = p->log_ensemble;
    for (uint32_t m = 0; m < p->members && m < 8; m++) {
        arrays[n++] = p->member[m];
        arrays[n++] = p->log_member[m];
    }
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < p->classes; k++) {
            double x = arrays[i][a * p->classes + k];
            arrays[i][a * p->classes + k] = arrays[i][b * p->classes + k];
            arrays[i][b * p->classes + k] = x;
        }
}

static void any_batches(struct ftk__case *c)
{
    static const uint64_t sizes[] = { 1, 7, 64 };
    struct ftk__subject s;
    struct ftk__preds p;
    double whole[MOST_VALUES], cut[MOST_VALUES];
    ops_of(c);
    ftk__subject_new(c, NULL, &s);
    ftk__preds_new(c, 3, 5, 200, FTK__PRED_RANDOM, c->seed, &p);
    measure(c, &s, &plain, &p, 0, NULL, whole);
    for (int i = 0; i < 3; i++) {
        measure(c, &s, &plain, &p, sizes[i], NULL, cut);
        must_agree(c, whole, cut, "in smaller batches");
    }
    for (uint64_t i = 0; i < p.n / 2; i++)
        swap_samples(&p, i, p.n - 1 - i);
    measure(c, &s, &plain, &p, 64, NULL, cut);
    must_agree(c, whole, cut, "with the samples in reverse order");
}

/* Accumulators over parts (one of them empty), merged in the order given. */
static void merge_parts(struct ftk__case *c, struct ftk__subject *s, const struct ftk__preds *p,
                        const int order[4], double *ret)
{
    static const uint64_t cut[5] = { 0, 70, 70, 71, 200 };
    struct ftk__meter part[4], all;
    ftk__meter_open(c, s, &plain, p->members, p->classes, p->n, &all);
    for (int i = 0; i < 4; i++) {
        ftk__meter_open(c, s, &plain, p->members, p->classes, p->n, &part[i]);
        if (cut[i + 1] > cut[i])
            ftk__meter_add(&part[i], p, cut[i], cut[i + 1] - cut[i], NULL);
    }
    for (int i = 0; i < 4; i++)
        ftk__meter_merge(&all, &part[order[i]]);
    ftk__meter_finish(&all, ret);
}

static void merges(struct ftk__case *c)
{
    static const int orders[3][4] = { { 0, 1, 2, 3 }, { 3, 2, 1, 0 }, { 1, 3, 0, 2 } };
    struct ftk__subject s;
    struct ftk__preds p;
    double whole[MOST_VALUES], merged[MOST_VALUES];
    ops_of(c);
    ftk__subject_new(c, NULL, &s);
    ftk__preds_new(c, 3, 5, 200, FTK__PRED_RANDOM, c->seed, &p);
    measure(c, &s, &plain, &p, 0, NULL, whole);
    for (int i = 0; i < 3; i++) {
        merge_parts(c, &s, &p, orders[i], merged);
        must_agree(c, whole, merged, "merged from parts");
    }
}

/* ---- MET-04 ----------------------------------------------------------------------------------- */

static void unknown_labels(struct ftk__case *c)
{
    struct ftk__subject s;
    struct ftk__preds p, left_out, others;
    double with[MOST_VALUES], without[MOST_VALUES], plain_v[MOST_VALUES], other_v[MOST_VALUES];
    uint32_t n_values = ops_of(c)->n_values;
    ftk__subject_new(c, NULL, &s);
    ftk__preds_new(c, 3, 5, 100, FTK__PRED_RANDOM, c->seed, &p);
    measure(c, &s, &plain, &p, 0, NULL, plain_v);
    others = p;
    others.label = ftk__kit_alloc(c, p.n, sizeof(int32_t));
    for (uint64_t i = 0; i < p.n; i++)
        others.label[i] = (p.label[i] + 1) % 5;
    measure(c, &s, &plain, &others, 0, NULL, other_v);
    left_out = p;
    left_out.n = 60;
    measure(c, &s, &plain, &left_out, 0, NULL, without);
    for (uint64_t i = 60; i < p.n; i++)
        p.label[i] = -1;
    ftk_status st = measure(c, &s, &may_refuse, &p, 0, NULL, with);
    ftk__kit_must(c, s.host, "with labels of -1, finish", st);
    for (uint32_t i = 0; i < n_values; i++) {
        bool labels_never_matter =
            close_to(plain_v[i], other_v[i], 0) && close_to(plain_v[i], with[i], 1e-12);
        if (!labels_never_matter && !close_to(without[i], with[i], 1e-12))
            ftk__kit_fail(c, "samples with label -1 change value %u: %.17g, without them %.17g", i,
                          with[i], without[i]);
    }
}

static void no_sample(struct ftk__case *c)
{
    struct ftk__subject s;
    struct ftk__preds p;
    ops_of(c);
    ftk__subject_new(c, NULL, &s);
    ftk__preds_new(c, 3, 5, 0, FTK__PRED_RANDOM, c->seed, &p);
    right_or_refused(c, &s, &p, NULL, "without a sample, finish");
    unknown_labels(c);
}

static void all_shapes(struct ftk__case *c)
{
    static const uint32_t shapes[][2] = { { 1, 1 }, { 1, 5 }, { 3, 1 }, { 2, 1000 }, { 25, 10 } };
    struct ftk__subject s;
    ops_of(c);
    ftk__subject_new(c, NULL, &s);
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        struct ftk__preds p;
        ftk__kit_note(c, "%u members, %u classes", shapes[i][0], shapes[i][1]);
        ftk__preds_new(c, shapes[i][0], shapes[i][1], 30, FTK__PRED_RANDOM, c->seed, &p);
        right_or_refused(c, &s, &p, NULL, "state_bytes, add or finish");
    }
}

static void known_answers(struct ftk__case *c)
{
    struct ftk__subject s;
    struct ftk__preds p;
    double v[MOST_VALUES];
    const struct ftk__golden_metric *g = ftk__golden_metrics;
    ops_of(c);
    while (g->name && strcmp(g->name, c->algo->name) != 0)
        g++;
    if (!g->name)
        ftk__kit_skip(c, "the kit knows no answer for a metric of this name");
    ftk__subject_new(c, NULL, &s);
    ftk__preds_of(c, ftk__golden_logits, ftk__golden_labels, FTK__GOLDEN_MEMBERS,
                  FTK__GOLDEN_CLASSES, FTK__GOLDEN_SAMPLES, &p);
    measure(c, &s, &plain, &p, 0, NULL, v);
    if (!close_to(v[0], g->value, 1e-9))
        ftk__kit_fail(c, "%s is %.12g, numpy has %.12g", g->name, v[0], g->value);
}

/* MET-08: the accumulator may lie anywhere, at every call, and any pattern around it stays. */
static void moved_accumulator(struct ftk__case *c)
{
    static const struct ftk__how moved = { .move = true, .side = FTK__AT_START };
    struct ftk__subject s;
    struct ftk__preds p;
    double a[MOST_VALUES], b[MOST_VALUES];
    uint32_t n = ops_of(c)->n_values;
    ftk__subject_new(c, NULL, &s);
    ftk__preds_new(c, 3, 5, 100, FTK__PRED_RANDOM, c->seed, &p);
    measure(c, &s, &plain, &p, 9, NULL, a);
    measure(c, &s, &moved, &p, 9, NULL, b);
    for (uint32_t i = 0; i < n; i++)
        if (memcmp(&a[i], &b[i], sizeof(double)) != 0)
            ftk__kit_fail(c,
                          "with the accumulator moved between calls value %u is %.17g, not %.17g",
                          i, b[i], a[i]);
}

/* ---- MET-09 ----------------------------------------------------------------------------------- */

static void groups(struct ftk__case *c)
{
    struct ftk__subject s;
    struct ftk__preds p;
    double a[MOST_VALUES], b[MOST_VALUES];
    const ftk_metric_ops *ops = ops_of(c);
    ftk__subject_new(c, NULL, &s);
    ftk__preds_new(c, 3, 5, 90, FTK__PRED_RANDOM, c->seed, &p);
    uint8_t *group = ftk__kit_alloc(c, p.n, 1);
    ftk_status x = measure(c, &s, &may_refuse, &p, 0, NULL, a);
    ftk_status y = measure(c, &s, &may_refuse, &p, 0, group, b);
    if (x != y)
        ftk__kit_fail(c, "group NULL gives %s, all TEST %s", ftk__status_name(x),
                      ftk__status_name(y));
    for (uint32_t i = 0; i < ops->n_values && x >= 0; i++)
        if (memcmp(&a[i], &b[i], sizeof(double)) != 0)
            ftk__kit_fail(c, "group NULL gives %.17g, all TEST %.17g", a[i], b[i]);
    if (!(ops->flags & FTK_METRIC_GROUPS))
        return;
    for (uint32_t missing = 0; missing < 4; missing++) { /* 3: none is */
        for (uint64_t i = 0; i < p.n; i++) {
            group[i] = (uint8_t)(i % 3);
            if (group[i] == missing)
                group[i] = (uint8_t)((i + 1) % 3);
            if (group[i] == FTK_GROUP_OOD)
                p.label[i] = -1;
        }
        right_or_refused(c, &s, &p, group, "with groups, finish");
    }
}

#define METRIC_RULE(id_, needs_, title_, why_, fix_, run_)                                         \
    {                                                                                              \
        .id = id_, .level = 2, .kinds = FTK__ON_METRIC, .needs = needs_, .title = title_,          \
        .why = why_, .fix = fix_, .run = run_                                                      \
    }

static const struct ftk__rule rules[] = {
    METRIC_RULE("MET-01", "MEM-03 DET-01", "values are finite and within their declared range",
                "a table must not hold what cannot be", "declare min and max as they are",
                values_in_range),
    METRIC_RULE("MET-02", "MET-01", "batches may be cut and ordered in any way",
                "test sets come in batches whose size is the core's",
                "sum with a compensated sum; keep nothing by place in a batch", any_batches),
    METRIC_RULE("MET-03", "MET-01 MET-02 STA-01", "merging accumulators is the same as adding",
                "parts of a set may be evaluated on several threads", "merge every field", merges),
    METRIC_RULE(
        "MET-04", "MET-01 ERR-01",
        "no sample: a value in range or a reason; label -1: as if the sample were not there",
        "some sets have no labels", "skip label[i] < 0; refuse a mean over nothing", no_sample),
    METRIC_RULE("MET-05", "MET-01", "1 and 1000 classes, 1 and 25 members",
                "ensembles and data sets come in all sizes",
                "compute what state_bytes() asks for from members and classes", all_shapes),
    METRIC_RULE("MET-06", "MET-01", "known answers, as numpy gives them, to 1e-9",
                "a metric of a published name must be that metric",
                "compare with the formula in `reference`", known_answers),
    METRIC_RULE("MET-07", "MET-01", "probabilities of exactly 0 and 1 give finite values",
                "a network may be certain", "use log_ensemble and log_member, which are finite",
                exact_probabilities),
    METRIC_RULE("MET-08", "MEM-03 DET-01 MET-01", "the accumulator may be moved between calls",
                "it is the core's memory, and may lie in a checkpoint or another process",
                "keep no pointers into it or to it", moved_accumulator),
    METRIC_RULE("MET-09", "MET-01 MET-04", "no groups and all TEST agree; mixed groups are borne",
                "shifted and unknown data are evaluated in one pass", "treat group NULL as all 0",
                groups),
};
const struct ftk__rule_family ftk__family_metric = { rules, sizeof(rules) / sizeof(rules[0]) };
