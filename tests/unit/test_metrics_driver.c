/* SPDX-License-Identifier: MIT
 * test_metrics_driver.c - eval/metrics.c: batches, names, ranges and the report, with metrics of
 * its own.
 */
#include "base/json.h"
#include "eval/metrics.h"
#include "oom.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#undef fail /* hides ftk_host's */

/* CMocka's own compares as float. */
#define assert_near(a, b, within) assert_true(fabs((a) - (b)) <= (within))

enum { MEMBERS = 2, CLASSES = 3, SAMPLES = 2500 };

/* "top": how often the label has the largest probability, and how many samples arrived. */
struct top_state {
    double right, n;
};

static ftk_status top_bytes(const ftk_host *h, void *self, uint32_t members, uint32_t classes,
                            uint64_t samples, uint64_t *ret_bytes)
{
    (void)h;
    (void)self;
    (void)members;
    (void)classes;
    (void)samples;
    *ret_bytes = sizeof(struct top_state);
    return FTK_OK;
}

static ftk_status top_add(const ftk_host *h, void *self, void *state, const ftk_pred *p)
{
    struct top_state *s = state;
    (void)self;
    if (p->member || p->log_member)
        return h->fail(h, FTK_EINTERNAL, "it did not ask for members");
    if (p->count > 1024)
        return h->fail(h, FTK_EINTERNAL, "a batch of more than 1024");
    for (uint64_t i = 0; i < p->count; i++) {
        const double *prob = p->ensemble + i * p->classes;
        uint32_t top = 0;
        for (uint32_t c = 1; c < p->classes; c++)
            top = prob[c] > prob[top] ? c : top;
        s->right += (int32_t)top == p->label[i];
        s->n++;
    }
    return FTK_OK;
}

static ftk_status no_merge(const ftk_host *h, void *self, void *into, const void *from)
{
    (void)self;
    (void)into;
    (void)from;
    return h->fail(h, FTK_ENOTSUP, "not needed here");
}

static ftk_status top_finish(const ftk_host *h, void *self, const void *state, double *ret)
{
    const struct top_state *s = state;
    (void)h;
    (void)self;
    ret[0] = s->right / s->n;
    ret[1] = s->n;
    return FTK_OK;
}

static const ftk_metric_value top_values[] = {
    { .name = "top", .unit = "", .min = 0, .max = 1, .better = 1 },
    { .name = "seen", .unit = "", .min = 0, .max = INFINITY },
};
static const ftk_metric_value tight_values[] = {
    { .name = "top", .unit = "", .min = 0, .max = 0.25, .better = 1 },
    { .name = "seen", .unit = "", .min = 0, .max = INFINITY },
};
static const ftk_metric_ops top_ops = {
    .size = sizeof(top_ops),
    .n_values = 2,
    .values = top_values,
    .state_bytes = top_bytes,
    .add = top_add,
    .merge = no_merge,
    .finish = top_finish,
};
static const ftk_metric_ops tight_ops = {
    .size = sizeof(tight_ops),
    .n_values = 2,
    .values = tight_values,
    .state_bytes = top_bytes,
    .add = top_add,
    .merge = no_merge,
    .finish = top_finish,
};

/* "gap": the mean distance between the first two members; it cannot do with one. */
static ftk_status gap_add(const ftk_host *h, void *self, void *state, const ftk_pred *p)
{
    struct top_state *s = state;
    (void)self;
    if (!p->member)
        return h->fail(h, FTK_EINTERNAL, "it asked for members");
    for (uint64_t i = 0; p->members > 1 && i < p->count * p->classes; i++)
        s->right += fabs(p->member[0][i] - p->member[1][i]);
    s->n += p->members > 1 ? (double)p->count : 0;
    return FTK_OK;
}

static ftk_status gap_finish(const ftk_host *h, void *self, const void *state, double *ret)
{
    const struct top_state *s = state;
    (void)self;
    if (s->n == 0)
        return h->fail(h, FTK_ERANGE, "one member has no gap");
    ret[0] = s->right / s->n;
    return FTK_OK;
}

static const ftk_metric_value gap_values[] = {
    { .name = "gap", .unit = "", .min = 0, .max = 2 },
};
static const ftk_metric_ops gap_ops = {
    .size = sizeof(gap_ops),
    .flags = FTK_METRIC_MEMBERS,
    .n_values = 1,
    .values = gap_values,
    .state_bytes = top_bytes,
    .add = gap_add,
    .merge = no_merge,
    .finish = gap_finish,
};

/* "refuse": always gives a reason instead of a value. */
static ftk_status refuse_finish(const ftk_host *h, void *self, const void *state, double *ret)
{
    (void)self;
    (void)state;
    (void)ret;
    return h->fail(h, FTK_ERANGE, "no sample has what it looks for");
}

static const ftk_metric_ops refuse_ops = {
    .size = sizeof(refuse_ops),
    .n_values = 2,
    .values = top_values,
    .state_bytes = top_bytes,
    .add = top_add,
    .merge = no_merge,
    .finish = refuse_finish,
};

#define ALGO(name_, ops_)                                                                          \
    {                                                                                              \
        .size = sizeof(ftk_algo), .kind = FTK_KIND_METRIC, .name = name_, .summary = "of a test",  \
        .reference = "", .ops = ops_                                                               \
    }
static const ftk_algo algos[] = { ALGO("top", &top_ops), ALGO("gap", &gap_ops),
                                  ALGO("tight", &tight_ops), ALGO("refuse", &refuse_ops) };
enum { ALGOS = sizeof(algos) / sizeof(algos[0]) };

struct fixture {
    struct ftk__entry entry[ALGOS];
    struct ftk__instance instance[ALGOS];
    struct ftk__metric_use use[ALGOS];
    float logits[MEMBERS][SAMPLES * CLASSES];
    const float *member[MEMBERS];
    int32_t label[SAMPLES];
    uint64_t right[MEMBERS + 1]; /* of each member, then of their mean            */
    double gap;
};
static struct fixture fixture;

static uint32_t top_of(const double *v)
{
    uint32_t top = 0;
    for (uint32_t c = 1; c < CLASSES; c++)
        top = v[c] > v[top] ? c : top;
    return top;
}

/* Random logits, and by the definition what the metrics have to find in them. */
static void fill(struct fixture *f)
{
    uint32_t x = 99;
    for (uint64_t i = 0; i < SAMPLES; i++) {
        double prob[MEMBERS + 1][CLASSES] = { { 0 } };
        f->label[i] = (int32_t)(i % CLASSES);
        for (int m = 0; m < MEMBERS; m++) {
            double sum = 0;
            for (int c = 0; c < CLASSES; c++) {
                x = x * 1664525u + 1013904223u;
                float z = (float)(x >> 8) / (1 << 22) + (c == f->label[i] ? 1.0f : 0.0f);
                f->logits[m][i * CLASSES + (uint64_t)c] = z;
                prob[m][c] = exp((double)z);
                sum += prob[m][c];
            }
            for (int c = 0; c < CLASSES; c++) {
                prob[m][c] /= sum;
                prob[MEMBERS][c] += prob[m][c];
            }
        }
        for (int m = 0; m <= MEMBERS; m++)
            f->right[m] += (int32_t)top_of(prob[m]) == f->label[i];
        for (int c = 0; c < CLASSES; c++)
            f->gap += fabs(prob[0][c] - prob[1][c]) / SAMPLES;
    }
}

static int setup(void **state)
{
    struct fixture *f = &fixture;
    static const char *const protocol[] = { "standard", "paper", "standard", "standard" };
    ftk__json_setup();
    for (int i = 0; i < ALGOS; i++) {
        f->entry[i].algo = &algos[i];
        if (ftk__instance_new(&f->entry[i], NULL, &f->instance[i], NULL) != FTK_OK)
            return -1;
        f->use[i] = (struct ftk__metric_use){ &f->instance[i], protocol[i] };
    }
    for (int m = 0; m < MEMBERS; m++)
        f->member[m] = f->logits[m];
    fill(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < ALGOS; i++)
        ftk__instance_done(&f->instance[i]);
    return 0;
}

static void all_batches_and_names(void **state)
{
    struct fixture *f = *state;
    struct ftk__metric_result *r;
    uint64_t n;
    assert_int_equal(
        ftk__metrics_run(f->use, 2, MEMBERS, CLASSES, SAMPLES, f->member, f->label, &r, &n, NULL),
        FTK_OK);
    assert_int_equal(n, 3);
    assert_string_equal(r[0].name, "top");
    assert_near(r[0].value, (double)f->right[MEMBERS] / SAMPLES, 1e-15);
    assert_string_equal(r[1].name, "seen");
    assert_near(r[1].value, SAMPLES, 0);
    assert_string_equal(r[2].name, "gap@paper");
    assert_near(r[2].value, f->gap, 1e-12);
    ftk__free(r);
}

static void out_of_range_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct ftk__metric_result *r;
    struct ftk_error err;
    uint64_t n;
    assert_int_equal(ftk__metrics_run(&f->use[2], 1, MEMBERS, CLASSES, SAMPLES, f->member, f->label,
                                      &r, &n, &err),
                     FTK_ENUMERIC);
    assert_non_null(strstr(err.message, "metric top of plugin tight is 0."));
    assert_non_null(strstr(err.message, "outside 0 to 0.25"));
}

static double number(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    assert_true(json_is_number(v));
    return json_number_value(v);
}

static void report_of_members(void **state)
{
    struct fixture *f = *state;
    json_t *doc;
    assert_int_equal(
        ftk__metrics_report(f->use, 2, MEMBERS, CLASSES, SAMPLES, f->member, f->label, &doc, NULL),
        FTK_OK);
    const json_t *members = json_object_get(doc, "members");
    double mean = 0;
    assert_int_equal(json_array_size(members), MEMBERS);
    for (size_t m = 0; m < MEMBERS; m++) {
        double expect = (double)f->right[m] / SAMPLES;
        assert_near(number(json_array_get(members, m), "top"), expect, 1e-15);
        assert_null(json_object_get(json_array_get(members, m), "gap@paper"));
        mean += expect / MEMBERS;
    }
    assert_near(number(json_object_get(doc, "mean"), "top"), mean, 1e-15);
    assert_near(number(json_object_get(doc, "ensemble"), "top"),
                (double)f->right[MEMBERS] / SAMPLES, 1e-15);
    assert_near(number(json_object_get(doc, "diversity"), "gap@paper"), f->gap, 1e-12);
    json_decref(doc);
}

/* A metric that compares members has nothing to say about one. */
static void one_member(void **state)
{
    struct fixture *f = *state;
    json_t *doc;
    assert_int_equal(
        ftk__metrics_report(f->use, 2, 1, CLASSES, SAMPLES, f->member, f->label, &doc, NULL),
        FTK_OK);
    assert_true(json_is_null(json_object_get(json_object_get(doc, "diversity"), "gap@paper")));
    assert_near(number(json_object_get(doc, "ensemble"), "top"), (double)f->right[0] / SAMPLES,
                1e-15);
    json_decref(doc);
}

/* A reason is no value, of one member either: only what compares members may be without one. */
static void a_reason_is_an_error(void **state)
{
    struct fixture *f = *state;
    for (uint32_t members = 1; members <= MEMBERS; members++) {
        struct ftk_error err;
        json_t *doc;
        assert_int_equal(ftk__metrics_report(&f->use[3], 1, members, CLASSES, SAMPLES, f->member,
                                             f->label, &doc, &err),
                         FTK_ERANGE);
        assert_non_null(strstr(err.message, "no sample has what it looks for"));
    }
}

static ftk_status make_report(void *arg)
{
    struct fixture *f = arg;
    json_t *doc;
    ftk_status st =
        ftk__metrics_report(f->use, 2, MEMBERS, CLASSES, 8, f->member, f->label, &doc, NULL);
    if (st == FTK_OK)
        json_decref(doc);
    return st;
}

static void memory_failures_are_reported(void **state)
{
    assert_true(ftk_oom_sweep(make_report, *state, 1) > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_batches_and_names), cmocka_unit_test(out_of_range_is_an_error),
        cmocka_unit_test(report_of_members),     cmocka_unit_test(one_member),
        cmocka_unit_test(a_reason_is_an_error),  cmocka_unit_test(memory_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
