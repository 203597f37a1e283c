/* SPDX-License-Identifier: MIT
 * test_run_report.c - small parts of a run's end: merged reports, comparable dense runs, the
 * progress line, protocols of metrics.
 */
#include "base/json.h"
#include "cli/dense_run.h"
#include "cli/progress_bar.h"
#include "cli/report_merge.h"
#include "eval/protocol.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static json_t *parse(const char *text)
{
    json_t *doc = json_loads(text, 0, NULL);
    assert_non_null(doc);
    return doc;
}

static void reports_are_merged(void **state)
{
    (void)state;
    json_t *old = parse("{\"a\": {\"x\": 1, \"m\": [{\"p\": 1, \"q\": 2}, {\"p\": 3}]}, \"b\": 7}");
    json_t *fresh = parse("{\"a\": {\"y\": 2, \"m\": [{\"p\": 5}, {\"r\": 6}]}, \"b\": [1]}");
    json_t *expect =
        parse("{\"a\": {\"x\": 1, \"m\": [{\"p\": 5, \"q\": 2}, {\"p\": 3, \"r\": 6}], "
              "\"y\": 2}, \"b\": [1]}");
    assert_true(ftk__report_merge(old, fresh));
    assert_true(json_equal(old, expect));
    json_decref(old);
    json_decref(fresh);
    json_decref(expect);
}

/* A list of another length belongs to other members: it is replaced. */
static void lists_of_other_length(void **state)
{
    (void)state;
    json_t *old = parse("{\"m\": [{\"p\": 1}, {\"p\": 2}]}");
    json_t *fresh = parse("{\"m\": [{\"q\": 1}]}");
    assert_true(ftk__report_merge(old, fresh));
    assert_true(json_equal(old, fresh));
    json_decref(old);
    json_decref(fresh);
}

static const char dense_text[] =
    "{\"status\": \"finished\", \"strategy\": \"dense\", \"members\": 1, \"host\": \"h\","
    " \"seed\": 1, \"backend\": {\"name\": \"cpu\", \"device\": \"d\", \"threads\": 2,"
    " \"precision\": \"fp32\", \"isa\": \"avx2\"},"
    " \"train\": {\"flops_theory\": 10.0, \"flops_executed\": 10.0, \"flops_dense_run\": 10.0,"
    " \"wall_s\": 3.5, \"sparsity\": 0.0, \"sparse\": false, \"params_stored\": 1.0},"
    " \"identity\": [\"data.batch=8\", \"epochs=2\", \"model.use=\\\"mlp\\\"\", \"optim.lr=1\"]}";

struct change {
    const char *object; /* within the document; NULL: the document      */
    const char *key, *value;
    const char *message;
};

static void comparable_dense_runs(void **state)
{
    (void)state;
    static const struct change changes[] = {
        { NULL, "status", "\"unfinished\"", "it is not finished" },
        { NULL, "strategy", "\"dst\"", "its strategy is dst" },
        { NULL, "members", "2", "it has 2 members" },
        { NULL, "host", "\"g\"", "it ran on g" },
        { "backend", "threads", "1", "its backend.threads differs" },
        { "backend", "isa", "\"sse\"", "its backend.isa differs" },
        { "train", "flops_theory", "20.0", "it trained for 2.00 of its `epochs`" },
        { NULL, "identity", "[\"data.batch=8\", \"epochs=2\", \"model.use=\\\"wrn\\\"\"]",
          "it differs in model.use" },
        { NULL, "identity",
          "[\"data.batch=8\", \"data.x=1\", \"epochs=2\", \"model.use=\\\"mlp\\\"\"]",
          "it differs in data.x" },
        { NULL, "train", "{}", "run.json of a finished run lacks its numbers under \"train\"" },
    };
    json_t *ours = parse(dense_text);
    json_object_set_new(ours, "strategy", json_string("edst"));
    json_t *theirs = parse(dense_text);
    json_object_set_new(theirs, "identity",
                        parse("[\"data.batch=8\", \"epochs=2\", \"model.use=\\\"mlp\\\"\", "
                              "\"optim.lr=2\"]"));
    assert_int_equal(ftk__dense_check(ours, theirs, NULL), FTK_OK);
    json_decref(theirs);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct ftk_error err;
        theirs = parse(dense_text);
        json_t *at = changes[i].object ? json_object_get(theirs, changes[i].object) : theirs;
        json_object_set_new(at, changes[i].key,
                            json_loads(changes[i].value, JSON_DECODE_ANY, NULL));
        assert_true(ftk__dense_check(ours, theirs, &err) < 0);
        assert_string_equal(err.message, changes[i].message);
        json_decref(theirs);
    }
    json_decref(ours);
}

static void progress_fits_the_terminal(void **state)
{
    (void)state;
    const struct ftk__progress_state s = { .label = "refine 2/3",
                                           .done = 50,
                                           .total = 200,
                                           .loss = 0.41234,
                                           .density = 0.2,
                                           .images_per_s = 12345,
                                           .eta_s = 3725 };
    char text[256];
    ftk__progress_text(&s, 120, false, text, sizeof(text));
    assert_string_equal(text, "[#####...............]  25%  eta 1h02m  loss 0.412  d 0.200  "
                              "12345 img/s  refine 2/3");
    ftk__progress_text(&s, 40, false, text, sizeof(text));
    assert_int_equal(strlen(text), 39);
    ftk__progress_text(&s, 40, true, text, sizeof(text));
    assert_true(strncmp(text, "\033[36m[", 6) == 0);
    const struct ftk__progress_state none = { .label = "", .loss = NAN, .eta_s = 59 };
    ftk__progress_text(&none, 120, false, text, sizeof(text));
    assert_string_equal(text, "[####################] 100%  eta 0m59s  d 0.000  0 img/s  ");
}

struct ece_like {
    int64_t bins;
    int32_t closed;
};
static const char *const sides[] = { "left", "right", NULL };
static const ftk_param ece_params[] = {
    FTK_PARAM_I64(struct ece_like, bins, 15, 1, 1000, "", "bins"),
    FTK_PARAM_ENUM(struct ece_like, closed, 1, sides, "side"),
    FTK_PARAM_END,
};

static void protocols_fix_parameters(void **state)
{
    (void)state;
    ftk_algo algo = { .size = sizeof(algo),
                      .kind = FTK_KIND_METRIC,
                      .name = "ece",
                      FTK_PARAMS(struct ece_like, ece_params) };
    const struct ftk__entry entry = { .algo = &algo };
    struct ftk__arena arena = { 0 };
    struct ftk_error err;
    void *params;
    assert_true(ftk__protocol_defines("paper", "ece"));
    assert_false(ftk__protocol_defines("standard", "ece"));
    assert_false(ftk__protocol_defines("paper", "accuracy"));
    assert_int_equal(ftk__protocol_params("paper", &entry, &arena, &params, NULL), FTK_OK);
    assert_int_equal(((struct ece_like *)params)->bins, 14);
    assert_int_equal(((struct ece_like *)params)->closed, 1);
    assert_int_equal(ftk__protocol_params("ub", &entry, &arena, &params, NULL), FTK_OK);
    assert_int_equal(((struct ece_like *)params)->bins, 15);
    assert_int_equal(((struct ece_like *)params)->closed, 0);
    algo.params = NULL;
    assert_int_equal(ftk__protocol_params("ub", &entry, &arena, &params, &err), FTK_EINVAL);
    assert_non_null(strstr(err.message, "metric ece does not take what protocol ub fixes"));
    ftk__arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_are_merged),       cmocka_unit_test(lists_of_other_length),
        cmocka_unit_test(comparable_dense_runs),    cmocka_unit_test(progress_fits_the_terminal),
        cmocka_unit_test(protocols_fix_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
