/* SPDX-License-Identifier: MIT
 * test_plugins_metric.c - the metrics against values computed by numpy in double and by the
 * published code; splitting, order and merging of batches; labels that are unknown.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend_host.h"
#include "plugin_load.h"
#include <freetickets/metric.h>

enum { MEMBERS_MAX = 25, STATE_MAX = 1 << 16 };

/* One golden case: predictions as the core would hand them over. */
struct pred {
    uint32_t members, classes;
    uint64_t count;
    int32_t *label;          // [count]
    double *prob, *log_prob; // [members + 1][count][classes], the ensemble first
};

static void pred_alloc(struct pred *p)
{
    size_t rows = (p->members + 1) * p->count;
    p->label = calloc(p->count, sizeof(*p->label));
    p->prob = calloc(rows * p->classes, sizeof(double));
    p->log_prob = calloc(rows * p->classes, sizeof(double));
    assert_true(p->label != NULL && p->prob != NULL && p->log_prob != NULL);
}

static void pred_free(struct pred *p)
{
    free(p->label);
    free(p->prob);
    free(p->log_prob);
}

/* Probabilities and logs of one row from its logits, in place of `log_prob`. */
static void softmax_row(double *prob, double *log_prob, uint32_t classes)
{
    double top = -INFINITY;
    double sum = 0;
    for (uint32_t c = 0; c < classes; c++)
        top = fmax(top, log_prob[c]);
    for (uint32_t c = 0; c < classes; c++)
        sum += exp(log_prob[c] - top);
    for (uint32_t c = 0; c < classes; c++) {
        log_prob[c] -= top + log(sum);
        prob[c] = exp(log_prob[c]);
    }
}

/* The mean over members, and its log without leaving the logs. */
static void average(struct pred *p)
{
    size_t plane = p->count * p->classes;
    for (size_t e = 0; e < plane; e++) {
        double top = -INFINITY;
        double sum = 0;
        double mean = 0;
        for (uint32_t m = 1; m <= p->members; m++)
            top = fmax(top, p->log_prob[m * plane + e]);
        for (uint32_t m = 1; m <= p->members; m++) {
            sum += exp(p->log_prob[m * plane + e] - top);
            mean += p->prob[m * plane + e];
        }
        p->prob[e] = mean / p->members;
        p->log_prob[e] = top + log(sum / p->members);
    }
}

static char *token(char **rest)
{
    char *t = strsep(rest, " ");
    assert_non_null(t);
    return t;
}

/* "logit ..." or "prob ...": all members, row by row. */
static void read_values(struct pred *p, char *line)
{
    size_t plane = p->count * p->classes;
    const char *kind = token(&line);
    int logits = strcmp(kind, "logit") == 0;
    assert_true(logits || strcmp(kind, "prob") == 0);
    for (size_t e = plane; e < (p->members + 1) * plane; e++) {
        double x = strtod(token(&line), NULL);
        p->prob[e] = x;
        p->log_prob[e] = logits ? (double)(float)x : log(x);
    }
    for (size_t row = p->count; logits && row < (p->members + 1) * p->count; row++)
        softmax_row(p->prob + row * p->classes, p->log_prob + row * p->classes, p->classes);
    average(p);
}

/* A metric with its parameters, opened from "ece:14:right" or "nll". */
struct metric {
    struct bt_host host;
    const ftk_algo *algo;
    const ftk_metric_ops *ops;
    void *self;
    union {
        struct {
            int64_t bins;
            int32_t closed;
        } ece;
        struct {
            int32_t normalise;
        } disagreement;
    } params;
};

static void metric_open(struct metric *m, const char *key)
{
    char file[64] = "metric_";
    memset(m, 0, sizeof(*m));
    bt_host_init(&m->host);
    strncat(file, key, strcspn(key, ":"));
    m->algo = plugin_load(file, FTK_KIND_METRIC);
    m->ops = m->algo->ops;
    if (strncmp(key, "ece:", 4) == 0) {
        char *side = NULL;
        m->params.ece.bins = strtol(key + 4, &side, 10);
        m->params.ece.closed = strcmp(side, ":right") == 0;
        assert_true(m->algo->params_size == sizeof(m->params.ece));
    } else {
        m->params.disagreement.normalise = strchr(key, ':') != NULL;
    }
    assert_null(m->algo->create);
    m->self = &m->params;
}

/* A zeroed state of just the size asked for. */
static void *state_new(struct metric *m, const struct pred *p)
{
    uint64_t bytes = 0;
    assert_int_equal(
        m->ops->state_bytes(&m->host.table, m->self, p->members, p->classes, p->count, &bytes),
        FTK_OK);
    assert_in_range(bytes, 1, STATE_MAX);
    void *state = calloc(1, bytes);
    assert_non_null(state);
    return state;
}

/* Folds samples from..to of p into the state; metrics that do not ask see no members. */
static void fold(struct metric *m, const struct pred *p, uint64_t from, uint64_t to, void *state)
{
    const double *prob[MEMBERS_MAX];
    const double *log_prob[MEMBERS_MAX];
    size_t plane = p->count * p->classes;
    size_t at = from * p->classes;
    int members = (m->ops->flags & FTK_METRIC_MEMBERS) != 0;
    for (uint32_t i = 0; i < p->members; i++) {
        prob[i] = p->prob + (i + 1) * plane + at;
        log_prob[i] = p->log_prob + (i + 1) * plane + at;
    }
    const ftk_pred batch = { .size = sizeof(batch),
                             .members = p->members,
                             .classes = p->classes,
                             .count = to - from,
                             .ensemble = p->prob + at,
                             .member = members ? prob : NULL,
                             .log_ensemble = p->log_prob + at,
                             .log_member = members ? log_prob : NULL,
                             .label = p->label + from };
    ftk_status st = m->ops->add(&m->host.table, m->self, state, &batch);
    if (st != FTK_OK)
        fail_msg("%s", m->host.message);
    bt_host_call_done(&m->host);
}

/* The one value; also that it lies in the declared range. */
static double finish(struct metric *m, const void *state)
{
    double value = NAN;
    ftk_status st = m->ops->finish(&m->host.table, m->self, state, &value);
    if (st != FTK_OK)
        fail_msg("%s", m->host.message);
    assert_int_equal(m->ops->n_values, 1);
    assert_true(isfinite(value));
    assert_true(value >= m->ops->values[0].min && value <= m->ops->values[0].max);
    return value;
}

static void assert_close(const char *what, double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance * fmax(1, fabs(want))))
        fail_msg("%s: %.17g, golden %.17g", what, got, want);
}

/* Pieces of 1 and 7 in reverse order, and two halves folded apart, moved and merged. */
static void assert_pieces(struct metric *m, const struct pred *p, const char *what, double want)
{
    void *one = state_new(m, p);
    void *half = state_new(m, p);
    void *empty = state_new(m, p);
    uint64_t bytes = 0;
    for (uint64_t to = p->count; to > 0;) {
        uint64_t from = to % 2 || to < 7 ? to - 1 : to - 7;
        fold(m, p, from, to, one);
        to = from;
    }
    fold(m, p, 0, 0, one);
    assert_close(what, finish(m, one), want, 1e-12);
    assert_int_equal(
        m->ops->state_bytes(&m->host.table, m->self, p->members, p->classes, p->count, &bytes),
        FTK_OK);
    memset(one, 0, bytes);
    fold(m, p, 0, p->count / 3, half);
    memcpy(one, half, bytes); // a state may move between calls
    memset(half, 0, bytes);
    fold(m, p, p->count / 3, p->count, half);
    assert_int_equal(m->ops->merge(&m->host.table, m->self, half, one), FTK_OK);
    assert_int_equal(m->ops->merge(&m->host.table, m->self, half, empty), FTK_OK);
    assert_int_equal(m->ops->merge(&m->host.table, m->self, empty, half), FTK_OK);
    assert_close(what, finish(m, empty), want, 1e-12);
    free(one);
    free(half);
    free(empty);
}

static void assert_metric(const struct pred *p, const char *name, const char *key, double want)
{
    char what[128];
    struct metric m;
    (void)snprintf(what, sizeof(what), "%s of case %s", key, name);
    metric_open(&m, key);
    void *state = state_new(&m, p);
    fold(&m, p, 0, p->count, state);
    double whole = finish(&m, state);
    assert_close(what, whole, want, 1e-9);
    assert_pieces(&m, p, what, whole);
    free(state);
    bt_host_done(&m.host);
}

/* Reads one case from *rest; 0 at the end of the file. */
static int next_case(char **rest, uint32_t *values)
{
    char *line = strsep(rest, "\n");
    struct pred p = { 0 };
    if (line == NULL || *line == '\0')
        return 0;
    assert_string_equal(token(&line), "case");
    const char *name = token(&line);
    p.members = (uint32_t)strtoul(token(&line), NULL, 10);
    p.classes = (uint32_t)strtoul(token(&line), NULL, 10);
    p.count = strtoul(token(&line), NULL, 10);
    assert_in_range(p.members, 1, MEMBERS_MAX);
    pred_alloc(&p);
    line = strsep(rest, "\n");
    assert_string_equal(token(&line), "label");
    for (uint64_t i = 0; i < p.count; i++)
        p.label[i] = (int32_t)strtol(token(&line), NULL, 10);
    read_values(&p, strsep(rest, "\n"));
    while (strcmp(line = strsep(rest, "\n"), "end") != 0) {
        const char *key = token(&line);
        assert_metric(&p, name, key, strtod(token(&line), NULL));
        (*values)++;
    }
    pred_free(&p);
    return 1;
}

static uint32_t compare_file(const char *file, uint32_t *cases)
{
    char *text = golden_read(file);
    char *rest = text;
    uint32_t values = 0;
    for (*cases = 0; next_case(&rest, &values);)
        (*cases)++;
    free(text);
    return values;
}

static void test_numpy(void **state)
{
    (void)state;
    uint32_t cases = 0;
    assert_int_equal(compare_file("metrics.txt", &cases), 107);
    assert_int_equal(cases, 10);
}

static void test_published(void **state)
{
    (void)state;
    uint32_t cases = 0;
    assert_int_equal(compare_file("metrics_published.txt", &cases), 5);
    assert_int_equal(cases, 2);
}

/* A confidence of 0.5 with two bins: the upper one if closed on the left, else the lower. */
static void test_ece_edges(void **state)
{
    (void)state;
    int32_t label[] = { 0, 0, 0 };
    double prob[] = { 0.5, 0.5, 0, 1, 0.25, 0.75, 0.5, 0.5, 0, 1, 0.25, 0.75 };
    const struct pred p = { 1, 2, 3, label, prob, prob };
    // Confidences 0.5 (right), 1 and 0.75 (wrong); gaps of the bins: 0.5 | 1.75, or 1.25.
    assert_metric(&p, "edges", "ece:2:left", 1.25 / 3);
    assert_metric(&p, "edges", "ece:2:right", (0.5 + 1.75) / 3);
}

/* Brier 1950: the mean over samples of sum (p - y)^2 over classes.  0.7, 0.2, 0.1 with the first
 * right is 0.09 + 0.04 + 0.01 = 0.14, 0.1, 0.3, 0.6 with the second 0.01 + 0.49 + 0.36 = 0.86; a
 * sample without a label is none.  Sure and right is 0, sure and wrong 2, 1/4 each 9/16 + 3/16.
 * The ensemble's own probabilities count, not its members': theirs would give more here. */
static void test_brier_by_hand(void **state)
{
    (void)state;
    int32_t label[] = { 0, -1, 1 };
    double prob[] = { 0.7, 0.2, 0.1, 1, 0, 0, 0.1, 0.3, 0.6, 0, 1, 0, 0, 1, 0, 0, 0, 1 };
    const struct pred p = { 1, 3, 3, label, prob, prob };
    assert_metric(&p, "by_hand", "brier", 0.5);
    int32_t right[] = { 0, 1 };
    int32_t wrong[] = { 1, 0 };
    double sure[] = { 1, 0, 0, 1, 0.5, 0.5, 0.5, 0.5 };
    const struct pred best = { 1, 2, 2, right, sure, sure };
    const struct pred worst = { 1, 2, 2, wrong, sure, sure };
    assert_metric(&best, "best", "brier", 0);
    assert_metric(&worst, "worst", "brier", 2);
    int32_t last[] = { 3 };
    double even[] = { 0.25, 0.25, 0.25, 0.25, 0, 0, 0, 1 };
    const struct pred flat = { 1, 4, 1, last, even, even };
    assert_metric(&flat, "flat", "brier", 0.75);
}

/* Every edge of 2 to 60 bins, as doubles: the product with the number of bins may round to
 * the other side.  A right sample on the edge and a wrong one in the middle of the bin that
 * must take it cancel; in different bins they add up.                               */
static void test_ece_every_edge(void **state)
{
    (void)state;
    for (int bins = 2; bins <= 60; bins++) {
        for (int edge = 1; edge < bins; edge++) {
            for (int right = 0; right < 2; right++) {
                int32_t label[] = { 0, 1 };
                double on = (double)edge / bins;
                double inside = (edge + (right ? -0.5 : 0.5)) / bins;
                double prob[] = { on, inside, on, inside };
                const struct pred p = { 1, 1, 2, label, prob, prob };
                char key[32];
                (void)snprintf(key, sizeof(key), "ece:%d:%s", bins, right ? "right" : "left");
                assert_metric(&p, "every_edge", key, fabs(1 - on - inside) / 2);
            }
        }
    }
}

/* No sample at all is a reason, with a sentence; so are labels no class has. */
static void test_reasons(void **state)
{
    (void)state;
    static const char *const keys[] = { "accuracy",    "nll",          "brier",
                                        "ece:15:left", "disagreement", "kl" };
    int32_t label[] = { 7 };
    double prob[] = { 1, 0, 1, 0 };
    const struct pred p = { 1, 2, 1, label, prob, prob };
    struct metric m;
    for (int i = 0; i < 6; i++) {
        double value = -5;
        metric_open(&m, keys[i]);
        void *empty = state_new(&m, &p);
        assert_int_equal(m.ops->finish(&m.host.table, m.self, empty, &value), FTK_ERANGE);
        assert_string_not_equal(m.host.message, "");
        assert_true(value == -5);
        free(empty);
        bt_host_done(&m.host);
    }
    metric_open(&m, "nll");
    void *nll = state_new(&m, &p);
    const ftk_pred batch = { .size = sizeof(batch),
                             .members = 1,
                             .classes = 2,
                             .count = 1,
                             .ensemble = prob,
                             .log_ensemble = prob,
                             .label = label };
    assert_int_equal(m.ops->add(&m.host.table, m.self, nll, &batch), FTK_ERANGE);
    assert_string_equal(m.host.message, "label 7 is not below 2 classes");
    free(nll);
    bt_host_done(&m.host);
}

/* A long sum keeps 1e-12 in any order: a million losses over 12 orders of magnitude. */
static void test_long_sum(void **state)
{
    (void)state;
    enum { COUNT = 1 << 20 };
    struct pred p = { .members = 1, .classes = 1, .count = COUNT };
    double forward = 0;
    double exact = 0;
    struct metric m;
    pred_alloc(&p);
    for (int i = 0; i < COUNT; i++)
        p.log_prob[i] = -ldexp(1.0 + i % 97 / 97.0, -(i % 41));
    long double sum = 0;
    for (int i = 0; i < COUNT; i++)
        sum -= (long double)p.log_prob[i];
    exact = (double)(sum / COUNT);
    metric_open(&m, "nll");
    void *whole = state_new(&m, &p);
    fold(&m, &p, 0, COUNT, whole);
    forward = finish(&m, whole);
    assert_true(fabs(forward - exact) < 1e-15 * exact);
    free(whole);
    pred_free(&p);
    bt_host_done(&m.host);
}

/* The classes of the members need scratch memory: none is FTK_ENOMEM, and a sentence. */
static void test_no_memory(void **state)
{
    (void)state;
    int32_t label[] = { 0 };
    double prob[] = { 1, 0 };
    const double *const member[] = { prob, prob };
    const struct pred p = { 2, 2, 1, label, prob, prob };
    const ftk_pred batch = { .size = sizeof(batch),
                             .members = 2,
                             .classes = 2,
                             .count = 1,
                             .ensemble = prob,
                             .member = member,
                             .log_ensemble = prob,
                             .log_member = member,
                             .label = label };
    struct metric m;
    metric_open(&m, "disagreement");
    void *s = state_new(&m, &p);
    m.host.fail_at = m.host.requests + 1;
    assert_int_equal(m.ops->add(&m.host.table, m.self, s, &batch), FTK_ENOMEM);
    assert_string_not_equal(m.host.message, "");
    free(s);
    bt_host_done(&m.host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numpy),     cmocka_unit_test(test_published),
        cmocka_unit_test(test_ece_edges), cmocka_unit_test(test_ece_every_edge),
        cmocka_unit_test(test_reasons),   cmocka_unit_test(test_long_sum),
        cmocka_unit_test(test_no_memory), cmocka_unit_test(test_brier_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
