/* SPDX-License-Identifier: MIT
 * test_json.c - base/json.c.
 */
#include "base/io.h"
#include "base/json.h"
#include "base/mem.h"
#include "oom.h"
#include "scratch_dir.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct scratch_dir dir;
static char path[512];

static int set_up(void **state)
{
    (void)state;
    ftk__json_setup();
    scratch_dir_init(&dir);
    scratch_dir_file(&dir, "x.json", path, sizeof path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_dir_done(&dir);
    return 0;
}

static const char text[] = "{\n"
                           "  \"z\": 0.10000000000000001,\n"
                           "  \"a\": [\n"
                           "    1,\n"
                           "    -9223372036854775808,\n"
                           "    \"\xc3\xa4\\n\"\n"
                           "  ],\n"
                           "  \"m\": null\n"
                           "}\n";

static json_t *parsed(void)
{
    json_t *doc = NULL;
    assert_int_equal(ftk__json_parse(text, strlen(text), "text", &doc, NULL), FTK_OK);
    return doc;
}

static void round_trip_keeps_every_byte(void **state)
{
    (void)state;
    json_t *doc = parsed();
    assert_int_equal(ftk__json_write_file(path, doc, NULL), FTK_OK);
    json_decref(doc);
    char *data;
    uint64_t n;
    assert_int_equal(ftk__file_read(path, 1000, &data, &n, NULL), FTK_OK);
    assert_string_equal(data, text);
    ftk__free(data);
    assert_int_equal(ftk__json_read_file(path, 1000, &doc, NULL), FTK_OK);
    assert_true(json_real_value(json_object_get(doc, "z")) == 0.1);
    json_decref(doc);
}

static void prints(void **state)
{
    (void)state;
    json_t *doc = parsed();
    char out[500] = { 0 };
    FILE *to = fmemopen(out, sizeof out, "w");
    assert_non_null(to);
    assert_int_equal(ftk__json_print(to, doc, NULL), FTK_OK);
    fclose(to);
    assert_string_equal(out, text);
    struct ftk_error err = { 0 };
    to = fopen("/dev/full", "w");
    assert_non_null(to);
    assert_int_equal(ftk__json_print(to, doc, &err), FTK_EIO);
    assert_string_equal(err.message, "cannot write the output: No space left on device");
    fclose(to);
    json_decref(doc);
}

static void mistakes_are_placed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *where;
    } cases[] = {
        { "{\n\"a\": 1,\n\"a\": 2}", "run.json:3:3: duplicate object key" },
        { "{\"a\": }", "run.json:1:7: " },
        { "", "run.json:1:0: " },
        { "{} {}", "run.json:1:4: " },
        { "{\"a\": 1e999}", "run.json:1:11: real number overflow" },
        { "{\"a\": 99999999999999999999}", "run.json:1:26: too big integer" },
        { "[\"\xff\"]", "run.json:1:2: unable to decode byte 0xff" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *doc = NULL;
        struct ftk_error err = { 0 };
        ftk_status st =
            ftk__json_parse(cases[i].text, strlen(cases[i].text), "run.json", &doc, &err);
        assert_int_equal(st, FTK_EINVAL);
        assert_null(doc);
        if (strncmp(err.message, cases[i].where, strlen(cases[i].where)) != 0)
            fail_msg("expected '%s', got '%s'", cases[i].where, err.message);
        assert_int_equal(ftk__error_exit_code(&err), 65);
    }
}

static void files_are_limited_and_named(void **state)
{
    (void)state;
    json_t *doc = NULL;
    struct ftk_error err = { 0 };
    assert_int_equal(ftk__json_read_file(path, 10, &doc, &err), FTK_ENOENT);
    scratch_dir_put(&dir, "x.json", "[1, 2, 3]", 9);
    assert_int_equal(ftk__json_read_file(path, 8, &doc, &err), FTK_ERANGE);
    assert_null(doc);
    doc = parsed();
    char missing[512];
    scratch_dir_file(&dir, "no/x.json", missing, sizeof missing);
    assert_int_equal(ftk__json_write_file(missing, doc, &err), FTK_EIO);
    json_decref(doc);
}

static ftk_status write_and_read(void *arg)
{
    (void)arg;
    struct ftk_error err;
    json_t *doc = NULL;
    ftk_status st = ftk__json_parse(text, strlen(text), "text", &doc, &err);
    if (st != FTK_OK)
        return st;
    st = ftk__json_write_file(path, doc, &err);
    json_decref(doc);
    if (st == FTK_OK)
        st = ftk__json_read_file(path, 1000, &doc, &err);
    if (st == FTK_OK)
        json_decref(doc);
    return st;
}

static void memory_failures_are_reported(void **state)
{
    (void)state;
    assert_true(ftk_oom_sweep(write_and_read, NULL, 1) > 40);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(round_trip_keeps_every_byte),  TEST(prints),
        TEST(mistakes_are_placed),          TEST(files_are_limited_and_named),
        TEST(memory_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
