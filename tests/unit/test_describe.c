/* SPDX-License-Identifier: MIT
 * test_describe.c - lists and descriptions of plugins: text, stanzas, JSON.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "oom.h"
#include "plugin/describe.h"
#include "scratch_dir.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A folder with a good plugin, a name taken twice, a refused file and a backend not opened. */
struct fixture {
    struct scratch_dir dir;
    struct ftk__registry *registry;
};

static void add_link(const struct fixture *f, const char *name)
{
    const char *dir = getenv("FTK_TEST_BAD_PLUGINS");
    char from[512], to[512], real[4096];
    assert_non_null(dir);
    snprintf(from, sizeof(from), "%s/%s", dir, name);
    assert_non_null(realpath(from, real));
    assert_int_equal(symlink(real, scratch_dir_file(&f->dir, name, to, sizeof(to))), 0);
}

static int scan(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    unsetenv("FREETICKETS_PLUGIN_PATH");
    scratch_dir_init(&f->dir);
    add_link(f, "prune_plain.so");
    add_link(f, "prune_twin_a.so");
    add_link(f, "prune_twin_b.so");
    add_link(f, "backend_hollow.so");
    scratch_dir_put(&f->dir, "grow_text.so", "text\n", 5);
    f->registry = ftk__registry_new();
    assert_non_null(f->registry);
    const char *dirs[] = { f->dir.path };
    assert_int_equal(ftk__registry_scan(f->registry, dirs, 1, NULL), FTK_OK);
    *state = f;
    return 0;
}

static int drop(void **state)
{
    struct fixture *f = *state;
    ftk__registry_free(f->registry);
    scratch_dir_done(&f->dir);
    free(f);
    return 0;
}

static const struct ftk__entry *plain_of(const struct fixture *f)
{
    const struct ftk__entry *e = NULL;
    assert_int_equal(ftk__registry_find(f->registry, FTK_KIND_PRUNE, "plain", &e, NULL), FTK_OK);
    return e;
}

static void expect_line(const char *text, const char *fmt, const struct fixture *f)
{
    char line[1024];
    snprintf(line, sizeof(line), "%s%s", f ? f->dir.path : "", fmt);
    if (!strstr(text, line))
        print_error("'%s' is not in:\n%s\n", line, text ? text : "(nothing)");
    assert_non_null(strstr(text, line));
}

static void test_list(void **state)
{
    const struct fixture *f = *state;
    struct ftk__str out = { 0 };
    struct ftk_error err;
    assert_int_equal(ftk__list_print(f->registry, 0, false, &out, &err), FTK_OK);
    expect_line(out.text, "prune     plain   1.2.3  ", NULL);
    expect_line(out.text, "/prune_plain.so\n", f);
    expect_line(out.text, "/prune_twin_b.so (name taken twice", f);
    expect_line(out.text, "backend   hollow  -      ", NULL);
    expect_line(out.text, "/backend_hollow.so (not opened)\n", f);
    assert_null(strstr(out.text, "grow_text"));
    ftk__str_done(&out);

    assert_int_equal(ftk__list_print(f->registry, FTK_KIND_BACKEND, true, &out, &err), FTK_OK);
    char *files = strstr(out.text, "files looked at:");
    assert_non_null(files);
    expect_line(files, "/grow_text.so: not a shared object", f);
    expect_line(files, "/prune_plain.so: org.example.plain 1.2.3, MIT, built with ", f);
    expect_line(files, "deferred  ", NULL);
    *files = '\0';
    assert_null(strstr(out.text, "plain"));
    ftk__str_done(&out);
}

static const char *string_of(const json_t *row, const char *key)
{
    return json_string_value(json_object_get(row, key));
}

static const json_t *row_by_path(const json_t *list, const struct fixture *f, const char *name)
{
    char path[512];
    scratch_dir_file(&f->dir, name, path, sizeof(path));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        if (strcmp(string_of(row, "path"), path) == 0)
            return row;
    }
    fail_msg("no row for %s", path);
    return NULL;
}

static void test_list_json(void **state)
{
    const struct fixture *f = *state;
    json_t *list = ftk__list_json(f->registry, 0);
    assert_non_null(list);
    const json_t *row = row_by_path(list, f, "prune_plain.so");
    assert_string_equal(string_of(row, "kind"), "prune");
    assert_string_equal(string_of(row, "name"), "plain");
    assert_string_equal(string_of(row, "plugin"), "org.example.plain");
    assert_string_equal(string_of(row, "version"), "1.2.3");
    assert_int_equal(strlen(string_of(row, "sha256")), 64);
    assert_string_equal(string_of(row, "status"), "loaded");
    assert_true(json_is_null(json_object_get(row, "reason")));
    row = row_by_path(list, f, "prune_twin_a.so");
    assert_non_null(strstr(string_of(row, "reason"), "prune_twin_b.so offers the name too"));
    row = row_by_path(list, f, "grow_text.so");
    assert_true(json_is_null(json_object_get(row, "name")));
    assert_string_equal(string_of(row, "status"), "refused");
    assert_string_equal(string_of(row, "sha256"),
                        "b9e68e1bea3e5b19ca6b2f98b73a54b73daafaa250484902e09982e07a12e733");
    assert_non_null(strstr(string_of(row, "reason"), "no ELF header"));
    row = row_by_path(list, f, "backend_hollow.so");
    assert_string_equal(string_of(row, "name"), "hollow");
    assert_string_equal(string_of(row, "status"), "deferred");
    json_decref(list);

    list = ftk__list_json(f->registry, FTK_KIND_GROW);
    for (size_t i = 0; i < json_array_size(list); i++)
        assert_string_equal(string_of(json_array_get(list, i), "status"), "refused");
    json_decref(list);
}

static void test_print(void **state)
{
    const struct fixture *f = *state;
    struct ftk__str out = { 0 };
    ftk__describe_print(plain_of(f), &out);
    assert_false(out.failed);
    expect_line(out.text, "prune plain - drops the weights closest to zero\n", NULL);
    expect_line(out.text, "plugin     org.example.plain 1.2.3, MIT\n", NULL);
    expect_line(out.text, "  keep     float      0.1 ", NULL);
    expect_line(out.text, "  0 to 1         share of weights that always stays (fraction)\n", NULL);
    expect_line(out.text, "\"fast\"", NULL);
    expect_line(out.text, "slow or fast", NULL);
    assert_null(strstr(out.text, "reference"));
    ftk__str_done(&out);
}

static void test_cfg(void **state)
{
    const struct fixture *f = *state;
    struct ftk__str out = { 0 };
    ftk__describe_cfg(plain_of(f), &out);
    assert_string_equal(out.text, "# inside topology = { ... };\n"
                                  "prune = {\n"
                                  "    use = \"plain\";\n"
                                  "    keep = 0.10000000000000001;\n"
                                  "    bins = 15;\n"
                                  "    signs = true;\n"
                                  "    mode = \"fast\";\n"
                                  "    note = \"a \\\"word\\\"\";\n"
                                  "    wait = \"12.5ep\";\n"
                                  "    weights = [0.5, 1.0];\n"
                                  "    marks = ( 0.25, \"3ep\" );\n"
                                  "};\n");
    ftk__str_done(&out);
}

struct must {
    const char *text;
};
static const ftk_param must_params[] = {
    FTK_PARAM_STR(struct must, text, NULL, FTK_PF_REQUIRED, "needed"),
    FTK_PARAM_END,
};
static const ftk_algo must_algo = {
    .size = sizeof(must_algo),
    .kind = FTK_KIND_METRIC,
    .name = "must",
    .summary = "a built-in with a required parameter",
    .reference = "a paper",
    FTK_PARAMS(struct must, must_params),
};

static void test_required(void **state)
{
    (void)state;
    const struct ftk__entry e = { &must_algo, NULL };
    struct ftk__str out = { 0 };
    ftk__describe_cfg(&e, &out);
    assert_string_equal(out.text, "metrics = ( {\n"
                                  "    use = \"must\";\n"
                                  "    # text is required: a string\n"
                                  "} );\n");
    ftk__str_done(&out);
    ftk__describe_print(&e, &out);
    expect_line(out.text, "reference  a paper\nplugin     built in\n", NULL);
    expect_line(out.text, "  text  string  required  any  needed\n", NULL);
    ftk__str_done(&out);
    json_t *doc = ftk__describe_json(&e);
    const json_t *row = json_array_get(json_object_get(doc, "params"), 0);
    assert_true(json_is_true(json_object_get(row, "required")));
    assert_true(json_is_null(json_object_get(row, "default")));
    assert_true(json_is_null(json_object_get(doc, "plugin")));
    json_decref(doc);
}

static void test_json(void **state)
{
    const struct fixture *f = *state;
    json_t *doc = ftk__describe_json(plain_of(f));
    assert_non_null(doc);
    assert_string_equal(string_of(doc, "kind"), "prune");
    assert_string_equal(string_of(doc, "summary"), "drops the weights closest to zero");
    const json_t *params = json_object_get(doc, "params");
    assert_int_equal(json_array_size(params), 8);
    char *text = json_dumps(json_array_get(params, 0), JSON_REAL_PRECISION(6));
    assert_string_equal(text, "{\"name\": \"keep\", \"type\": \"float\", \"default\": 0.1, "
                              "\"min\": 0.0, \"max\": 1.0, \"open_min\": false, "
                              "\"open_max\": false, \"required\": false, \"unit\": \"fraction\", "
                              "\"choices\": null, "
                              "\"help\": \"share of weights that always stays\"}");
    ftk__free(text);
    const char *wanted[] = {
        "0.1",        "15",         "true",           "\"fast\"", "\"a \\\"word\\\"\"",
        "\"12.5ep\"", "[0.5, 1.0]", "[0.25, \"3ep\"]"
    };
    for (size_t i = 0; i < 8; i++) {
        text = json_dumps(json_object_get(json_array_get(params, i), "default"),
                          JSON_REAL_PRECISION(6) | JSON_ENCODE_ANY);
        assert_string_equal(text, wanted[i]);
        ftk__free(text);
    }
    text = json_dumps(json_object_get(json_array_get(params, 3), "choices"), 0);
    assert_string_equal(text, "[\"slow\", \"fast\"]");
    ftk__free(text);
    json_decref(doc);
}

static ftk_status describe_all(void *arg)
{
    const struct ftk__entry *e = arg;
    struct ftk__str out = { 0 };
    ftk__describe_print(e, &out);
    ftk__describe_cfg(e, &out);
    bool failed = out.failed;
    ftk__str_done(&out);
    return failed ? FTK_ENOMEM : FTK_OK;
}

static ftk_status describe_as_json(void *arg)
{
    const struct ftk__entry *e = arg;
    json_t *doc = ftk__describe_json(e);
    json_decref(doc);
    return doc ? FTK_OK : FTK_ENOMEM;
}

static ftk_status list_as_json(void *arg)
{
    const struct fixture *f = arg;
    json_t *doc = ftk__list_json(f->registry, 0);
    json_decref(doc);
    return doc ? FTK_OK : FTK_ENOMEM;
}

static ftk_status list_all(void *arg)
{
    const struct fixture *f = arg;
    struct ftk__str out = { 0 };
    ftk_status st = ftk__list_print(f->registry, 0, true, &out, NULL);
    ftk__str_done(&out);
    return st;
}

static void test_out_of_memory(void **state)
{
    struct fixture *f = *state;
    struct ftk__entry e = *plain_of(f);
    assert_true(ftk_oom_sweep(describe_all, &e, 1) > 5);
    assert_true(ftk_oom_sweep(list_all, f, 1) > 1);
    assert_true(ftk_oom_sweep(describe_as_json, &e, 1) > 50);
    assert_true(ftk_oom_sweep(list_as_json, f, 1) > 50);
}

/* Not every plugin's author writes UTF-8. */
static void test_odd_text(void **state)
{
    (void)state;
    ftk_algo odd = must_algo;
    odd.summary = "caf\xe9 and caf\xc3\xa9";
    const struct ftk__entry e = { &odd, NULL };
    json_t *doc = ftk__describe_json(&e);
    assert_non_null(doc);
    assert_string_equal(string_of(doc, "summary"), "caf? and caf\xc3\xa9");
    json_decref(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),     cmocka_unit_test(test_list_json),
        cmocka_unit_test(test_print),    cmocka_unit_test(test_cfg),
        cmocka_unit_test(test_required), cmocka_unit_test(test_json),
        cmocka_unit_test(test_odd_text), cmocka_unit_test(test_out_of_memory),
    };
    ftk__json_setup();
    return cmocka_run_group_tests(tests, scan, drop);
}
