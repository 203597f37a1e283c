/* SPDX-License-Identifier: MIT
 * test_run_rows.c - cli/run_rows.c: which runs a folder stands for, what their rows hold, and what
 * is refused.
 */
#include "base/io.h"
#include "base/str.h"
#include "cli/run_rows.h"
#include "oom.h"
#include "scratch_dir.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char report_text[] = "{\"sets\": {\"test\": {\"ensemble\": {\"accuracy\": 0.5}}}}";

struct fixture {
    struct scratch_dir scratch;
    struct ftk_error err;
    json_t *rows;
};

/* Below the scratch folder. */
static void put(const struct fixture *f, const char *run, const char *file, const char *text)
{
    char name[128];
    char path[512];
    ftk__format(name, sizeof(name), "%s/eval", run);
    assert_int_equal(ftk__mkdirs(scratch_dir_file(&f->scratch, name, path, sizeof(path)), NULL),
                     FTK_OK);
    ftk__format(name, sizeof(name), "%s/%s", run, file);
    scratch_dir_put(&f->scratch, name, text, strlen(text));
}

/* A finished run; `strategy` dense or not. */
static void put_run(const struct fixture *f, const char *run, const char *strategy, int seed)
{
    char text[1024];
    bool sparse = strcmp(strategy, "dense") != 0;
    assert_true(ftk__format(
        text, sizeof(text),
        "{\"status\": \"finished\", \"name\": \"n\", \"strategy\": \"%s\", \"members\": %d,"
        " \"host\": \"h\", \"seed\": %d, \"train_runs\": 3, \"data\": {\"n_train\": 192},"
        " \"backend\": {\"name\": \"cpu\", \"device\": \"d\", \"threads\": 2,"
        " \"precision\": \"fp32\", \"isa\": \"avx2\"},"
        " \"train\": {\"flops_theory\": 10.0, \"flops_executed\": 20.0, \"flops_dense_run\": 10.0,"
        " \"wall_s\": %s, \"sparsity\": 0.5, \"sparse\": %s, \"params_stored\": 1.0},"
        " \"identity\": [\"data.batch=8\", \"ensemble.keep=\\\"best_validation\\\"\","
        " \"epochs=2\"]}",
        strategy, sparse ? 2 : 1, seed, sparse ? "2.0" : "4.0", sparse ? "true" : "false"));
    put(f, run, "run.json", text);
    put(f, run, "eval/report.json", report_text);
}

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    scratch_dir_init(&f.scratch);
    f.rows = json_array();
    *state = &f;
    /* Names are given as a person at work types them. */
    return chdir(f.scratch.path);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    json_decref(f->rows);
    if (chdir("/") != 0)
        return -1;
    scratch_dir_done(&f->scratch);
    return 0;
}

static ftk_status add(struct fixture *f, const char *run, const char *dense)
{
    json_array_clear(f->rows);
    return ftk__run_rows_add(f->rows, run, dense, &f->err);
}

static const char *text_at(const struct fixture *f, size_t row, const char *key)
{
    return json_string_value(json_object_get(json_array_get(f->rows, row), key));
}

static const json_t *cost_at(const struct fixture *f, size_t row, const char *key)
{
    return json_object_get(json_object_get(json_array_get(f->rows, row), "cost"), key);
}

static void what_a_row_holds(void **state)
{
    struct fixture *f = *state;
    put_run(f, "runs/e-1/seed-3", "edst", 3);
    assert_int_equal(add(f, "runs/e-1/seed-3//", NULL), FTK_OK);
    json_t *expect = json_loads(
        "{\"run_dir\": \"runs/e-1/seed-3\", \"status\": \"finished\", \"name\": \"n\","
        " \"seed\": 3, \"strategy\": \"edst\", \"members\": 2, \"sparsity\": 0.5,"
        " \"train_images\": 192, \"keep\": \"best_validation\","
        " \"sets\": {\"test\": {\"ensemble\": {\"accuracy\": 0.5}}}, \"diversity\": {},"
        " \"cost\": {\"theory\": 1.0, \"executed\": 2.0, \"wall_s\": 2.0, \"wall\": null,"
        " \"dense_run\": null, \"params\": 1.0}, \"train_runs\": 3, \"test_passes\": 2}",
        0, NULL);
    assert_non_null(expect);
    assert_true(json_equal(json_array_get(f->rows, 0), expect));
    json_decref(expect);
}

static void a_row_a_seed_by_number(void **state)
{
    struct fixture *f = *state;
    put_run(f, "runs/e-1/seed-10", "edst", 10);
    put_run(f, "runs/e-1/seed-9", "edst", 9);
    put_run(f, "runs/e-1/seed--1", "edst", -1);
    put_run(f, "runs/e-1/seed-9.old-1", "edst", 9);
    put_run(f, "runs/e-1/other", "edst", 9);
    assert_int_equal(add(f, "runs/e-1/", NULL), FTK_OK);
    assert_int_equal(json_array_size(f->rows), 3);
    assert_string_equal(text_at(f, 0, "run_dir"), "runs/e-1/seed--1");
    assert_string_equal(text_at(f, 1, "run_dir"), "runs/e-1/seed-9");
    assert_string_equal(text_at(f, 2, "run_dir"), "runs/e-1/seed-10");
}

/* The same place under every name that a run may be given. */
static void the_dense_run_beside(void **state)
{
    struct fixture *f = *state;
    put_run(f, "runs/e-1/seed-3", "edst", 3);
    put_run(f, "runs/d-1/seed-3", "dense", 3);
    assert_int_equal(add(f, "runs/e-1/seed-3", NULL), FTK_OK);
    assert_string_equal(json_string_value(cost_at(f, 0, "dense_run")), "runs/d-1/seed-3");
    assert_true(json_real_value(cost_at(f, 0, "wall")) == 0.5);
    assert_int_equal(add(f, "./runs/d-1/seed-3", NULL), FTK_OK);
    assert_true(json_is_null(cost_at(f, 0, "wall"))); /* it is no other than itself */
    assert_int_equal(chdir("runs/e-1"), 0);
    assert_int_equal(add(f, "seed-3", NULL), FTK_OK);
    assert_true(ftk__str_ends(json_string_value(cost_at(f, 0, "dense_run")), "/runs/d-1/seed-3"));
    assert_int_equal(chdir("seed-3"), 0);
    assert_int_equal(add(f, ".", NULL), FTK_OK);
    assert_true(ftk__str_ends(text_at(f, 0, "run_dir"), "/runs/e-1/seed-3"));
    assert_true(ftk__str_ends(json_string_value(cost_at(f, 0, "dense_run")), "/runs/d-1/seed-3"));
}

static void a_dense_run_that_is_named(void **state)
{
    struct fixture *f = *state;
    put_run(f, "mine", "edst", 3);
    put_run(f, "its", "dense", 3);
    put_run(f, "no", "static", 3);
    assert_int_equal(add(f, "mine", NULL), FTK_OK);
    assert_true(json_is_null(cost_at(f, 0, "wall")));
    assert_int_equal(add(f, "mine", "its"), FTK_OK);
    assert_string_equal(json_string_value(cost_at(f, 0, "dense_run")), "its");
    assert_true(add(f, "mine", "no") < 0);
    assert_string_equal(f->err.message, "its strategy is static");
    assert_string_equal(f->err.context[1], "in the run mine");
}

struct refusal {
    const char *run_json, *report_json; /* NULL: as a finished run has it */
    int code;
    const char *message;
};

static void refused_and_named(void **state)
{
    struct fixture *f = *state;
    static const struct refusal refusals[] = {
        { "{\"status\": \"unfinished\", \"started\": \"2026-01-01\"}", NULL, FTK__EXIT_NO_DATA,
          "r/seed-1 is unfinished: started 2026-01-01 and not ended" },
        { "{\"status\": \"unfinished\", \"error\": \"loss is nan\"}", NULL, FTK__EXIT_NO_DATA,
          "r/seed-1 is unfinished: loss is nan" },
        { "{}", NULL, FTK__EXIT_NO_DATA,
          "r/seed-1 is unfinished: started at an unknown time and not ended" },
        { "[]", NULL, FTK__EXIT_DATA, "r/seed-1/run.json is no object" },
        { "{\"status\": \"finished\"}", NULL, FTK__EXIT_DATA,
          "run.json of a finished run lacks its numbers under \"train\"" },
        { NULL, "{\"sets\": {\"validation\": {}}}", FTK__EXIT_NO_DATA,
          "r/seed-1/eval/report.json has no results on the set test" },
    };
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        put_run(f, "r/seed-1", "edst", 1);
        if (refusals[i].run_json)
            put(f, "r/seed-1", "run.json", refusals[i].run_json);
        if (refusals[i].report_json)
            put(f, "r/seed-1", "eval/report.json", refusals[i].report_json);
        assert_true(add(f, "r", NULL) < 0);
        assert_string_equal(f->err.message, refusals[i].message);
        assert_int_equal(ftk__error_exit_code(&f->err), refusals[i].code);
    }
}

static void nothing_there(void **state)
{
    struct fixture *f = *state;
    assert_true(add(f, "nowhere", NULL) < 0);
    assert_string_equal(f->err.message, "nowhere is no folder of a run");
    assert_int_equal(ftk__error_exit_code(&f->err), FTK__EXIT_NO_DATA);
    put_run(f, "r/seed-1", "edst", 1);
    assert_int_equal(unlink("r/seed-1/eval/report.json"), 0);
    assert_true(add(f, "r/seed-1", NULL) < 0);
    assert_non_null(strstr(f->err.message, "r/seed-1/eval/report.json"));
    assert_int_equal(ftk__error_exit_code(&f->err), FTK__EXIT_NO_DATA);
    assert_true(add(f, "r/seed-1/eval", NULL) < 0);
    assert_string_equal(f->err.message, "r/seed-1/eval holds no run: neither run.json nor a "
                                        "folder seed-<n> is there");
    assert_int_equal(ftk__error_exit_code(&f->err), FTK__EXIT_NO_DATA);
}

/* Ours alone: jansson keeps its own allocator here, it aborts where a number's allocation fails. */
static ftk_status add_all(void *arg)
{
    const char *run = arg;
    json_t *rows = json_array();
    ftk_status st = rows ? ftk__run_rows_add(rows, run, NULL, NULL) : FTK_ENOMEM;
    json_decref(rows);
    return st;
}

static void memory_failures_are_reported(void **state)
{
    struct fixture *f = *state;
    static char run[] = "runs/e-1";
    put_run(f, "runs/e-1/seed-3", "edst", 3);
    put_run(f, "runs/d-1/seed-3", "dense", 3);
    assert_true(ftk_oom_sweep(add_all, run, 1) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_a_row_holds, setup, teardown),
        cmocka_unit_test_setup_teardown(a_row_a_seed_by_number, setup, teardown),
        cmocka_unit_test_setup_teardown(the_dense_run_beside, setup, teardown),
        cmocka_unit_test_setup_teardown(a_dense_run_that_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(refused_and_named, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_there, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_failures_are_reported, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
