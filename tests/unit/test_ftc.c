/* SPDX-License-Identifier: MIT
 * test_ftc.c - base/ftc.c and base/ftc_read.c: round trips, every cut, every flipped byte, tables that
 * lie, full disks, every allocation failed.
 */
#include "base/ftc_format.h"
#include "base/json.h"
#include "base/mem.h"
#include "oom.h"
#include "scratch_dir.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct scratch_dir dir;
static char path[512], former[512];

static int set_up(void **state)
{
    (void)state;
    ftk__json_setup();
    scratch_dir_init(&dir);
    scratch_dir_file(&dir, "last.ftc", path, sizeof path);
    scratch_dir_file(&dir, "prev.ftc", former, sizeof former);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_dir_done(&dir);
    return 0;
}

static const float floats[5] = { 1.5f, -0.0f, 3e-45f, 1e38f, -2.0f };
static const uint64_t longs[3] = { 0, UINT64_MAX, 1 };

static json_t *header_of(int step)
{
    return json_pack("{s:i, s:s}", "step", step, "say", "a \"b\"\n");
}

/* Four arrays, one of them empty, one put in pieces. */
static ftk_status write_file(int step, bool keep, uint64_t *ret_bytes, struct ftk_error *reterr)
{
    struct ftk__ftc_writer *w;
    json_t *header = header_of(step);
    if (!header)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for a header");
    ftk_status st = ftk__ftc_create(path, header, &w, reterr);
    if (st == FTK_OK) {
        if (keep)
            ftk__ftc_keep(w, former);
        ftk__ftc_begin(w, "live/fc1.weight", FTK__FTC_F32, 5);
        ftk__ftc_put(w, floats, 8);
        ftk__ftc_put(w, floats + 2, 12);
        ftk__ftc_begin(w, "empty", FTK__FTC_F64, 0);
        ftk__ftc_begin(w, "\xc3\xa4", FTK__FTC_U64, 3);
        ftk__ftc_put(w, longs, sizeof longs);
        ftk__ftc_begin(w, "state", FTK__FTC_U8, 1);
        ftk__ftc_put(w, "x", 1);
        st = ftk__ftc_commit(w, ret_bytes, reterr);
    }
    json_decref(header);
    return st;
}

static ftk_status read_file(int *ret_step, struct ftk_error *reterr)
{
    struct ftk__ftc_file f;
    ftk_status st = ftk__ftc_open(path, &f, reterr);
    if (st != FTK_OK)
        return st;
    float v[5];
    const struct ftk__ftc_array *a = ftk__ftc_find(&f, "live/fc1.weight");
    assert_non_null(a);
    st = ftk__ftc_read(&f, a, 0, 5, v, reterr);
    assert_memory_equal(v, floats, sizeof v);
    *ret_step = (int)json_integer_value(json_object_get(f.header, "step"));
    ftk__ftc_close(&f);
    return st;
}

static unsigned char *bytes_of(uint64_t *ret_n)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    unsigned char *data = malloc(1 << 16);
    assert_non_null(data);
    *ret_n = fread(data, 1, 1 << 16, f);
    assert_in_range(*ret_n, 1, (1 << 16) - 1);
    fclose(f);
    return data;
}

static void round_trip(void **state)
{
    (void)state;
    uint64_t bytes, v[3];
    struct ftk__ftc_file f;
    float last;
    assert_int_equal(write_file(7, false, &bytes, NULL), FTK_OK);
    assert_int_equal(ftk__ftc_open(path, &f, NULL), FTK_OK);
    assert_int_equal(f.n_arrays, 4);
    json_t *header = header_of(7);
    assert_true(json_equal((json_t *)(uintptr_t)f.header, header));
    json_decref(header);
    assert_null(ftk__ftc_find(&f, "live"));
    const struct ftk__ftc_array *a = ftk__ftc_find(&f, "\xc3\xa4");
    assert_non_null(a);
    assert_int_equal(a->dtype, FTK__FTC_U64);
    assert_int_equal(a->n, 3);
    assert_int_equal(a->bytes, 24);
    assert_int_equal(a->offset % 64, 0);
    assert_int_equal(ftk__ftc_read(&f, a, 0, 3, v, NULL), FTK_OK);
    assert_memory_equal(v, longs, sizeof v);
    a = ftk__ftc_find(&f, "live/fc1.weight");
    assert_int_equal(ftk__ftc_read(&f, a, 4, 1, &last, NULL), FTK_OK);
    assert_memory_equal(&last, &floats[4], sizeof last);
    assert_int_equal(ftk__ftc_read(&f, a, 4, 2, v, NULL), FTK_EINTERNAL);
    assert_int_equal(ftk__ftc_read(&f, a, 6, 0, v, NULL), FTK_EINTERNAL);
    assert_int_equal(ftk__ftc_find(&f, "empty")->bytes, 0);
    uint64_t n;
    free(bytes_of(&n));
    assert_int_equal(bytes, n);
    ftk__ftc_close(&f);
    ftk__ftc_close(&f);
}

/* Another process may cut a file that is open here. */
static void a_file_that_shrinks(void **state)
{
    (void)state;
    uint64_t bytes;
    struct ftk__ftc_file f;
    struct ftk_error err;
    float v[5];
    assert_int_equal(write_file(7, false, &bytes, NULL), FTK_OK);
    assert_int_equal(ftk__ftc_open(path, &f, NULL), FTK_OK);
    assert_int_equal(truncate(path, 70), 0);
    assert_int_equal(ftk__ftc_read(&f, &f.arrays[0], 0, 5, v, &err), FTK_EIO);
    assert_non_null(strstr(err.message, "shorter"));
    ftk__ftc_close(&f);
}

/* ---- damage ---------------------------------------------------------------------------------- */

static void refused(const char *said)
{
    struct ftk__ftc_file f;
    struct ftk_error err = { 0 };
    uint64_t alive = ftk__mem_stats().alive;
    assert_int_equal(ftk__ftc_open(path, &f, &err), FTK_EINVAL);
    assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_DATA);
    assert_non_null(strstr(err.message, path));
    if (!strstr(err.message, said))
        fail_msg("'%s' does not say '%s'", err.message, said);
    assert_int_equal(ftk__mem_stats().alive, alive);
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    uint64_t n;
    assert_int_equal(write_file(7, false, &n, NULL), FTK_OK);
    unsigned char *data = bytes_of(&n);
    for (uint64_t cut = 0; cut < n; cut++) {
        scratch_dir_put(&dir, "last.ftc", data, cut);
        refused(cut < 8 ? "does not begin with FTKC" : "does not end as a checkpoint");
    }
    data[n] = 0;
    scratch_dir_put(&dir, "last.ftc", data, n + 1);
    refused("does not end as a checkpoint");
    free(data);
}

static void every_flip_is_refused(void **state)
{
    (void)state;
    static const unsigned char masks[] = { 1, 0x20, 0x80, 0xff };
    uint64_t n;
    assert_int_equal(write_file(7, false, &n, NULL), FTK_OK);
    unsigned char *data = bytes_of(&n);
    for (uint64_t i = 0; i < n; i++) {
        for (size_t k = 0; k < sizeof masks; k++) {
            data[i] ^= masks[k];
            scratch_dir_put(&dir, "last.ftc", data, n);
            refused(i < 4 ? "FTKC" : i < 8 ? "version" : "is damaged");
            data[i] ^= masks[k];
        }
    }
    free(data);
}

/* ---- tables that lie, with digests that are right -------------------------------------------- */

static const char digits_of_x[] =
    "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";

/* A file with 64 bytes of data, 'x' the first of them, and this table. */
static void craft(uint32_t version, const char *table, int64_t table_more)
{
    unsigned char data[4096] = { 'F', 'T', 'K', 'C' };
    size_t n = strlen(table);
    struct ftk__ftc_foot foot = { .table_at = 128,
                                  .table_bytes = n + (uint64_t)table_more,
                                  .file_bytes = 128 + n + sizeof foot };
    struct ftk__sha256 hash;
    assert_in_range(n, 0, 3000);
    memcpy(data + 4, &version, 4);
    data[64] = 'x';
    memcpy(data + 128, table, n);
    memcpy(foot.magic, ftk__ftc_end, 8);
    memcpy(data + 128 + n, &foot, sizeof foot);
    uint64_t body = foot.file_bytes - FTK__FTC_DIGEST;
    assert_int_equal(ftk__sha256_buffer(data, body, &hash, NULL), FTK_OK);
    ftk__ftc_digest(&hash, data + body);
    scratch_dir_put(&dir, "last.ftc", data, foot.file_bytes);
}

static void other_versions(void **state)
{
    (void)state;
    craft(7, "{\"header\": {}, \"arrays\": []}", 0);
    refused("version 7, this program reads version 1");
    craft(0x01000000, "{\"header\": {}, \"arrays\": []}", 0);
    refused("byte order");
}

static void absurd_lengths(void **state)
{
    (void)state;
    static const int64_t more[] = { 1, -1, 64, INT64_MAX, INT64_MIN, -30, 1 << 30 };
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        craft(1, "{\"header\": {}, \"arrays\": []}", more[i]);
        refused("its table cannot have");
    }
}

static void row_says(const char *row, const char *said)
{
    char table[2048];
    int n = snprintf(table, sizeof table, "{\"header\": {}, \"arrays\": [%s]}", row);
    assert_in_range(n, 1, sizeof table - 1);
    craft(1, table, 0);
    refused(said);
}

/* The row of the byte at 64, with parts put in. */
static const char *row(const char *name, const char *dtype, const char *shape, const char *offset,
                       const char *bytes)
{
    static char text[1024];
    int n = snprintf(text, sizeof text,
                     "{\"name\": %s, \"dtype\": %s, \"shape\": %s, \"offset\": %s, \"bytes\": %s, "
                     "\"sha256\": \"%s\"}",
                     name, dtype, shape, offset, bytes, digits_of_x);
    assert_in_range(n, 1, sizeof text - 1);
    return text;
}

static void rows_that_lie(void **state)
{
    (void)state;
    struct ftk__ftc_file f;
    char table[2048], longest[300], two[1500];
    snprintf(table, sizeof table, "{\"header\": {}, \"arrays\": [%s]}",
             row("\"a\"", "\"U8\"", "[1]", "64", "1"));
    craft(1, table, 0);
    assert_int_equal(ftk__ftc_open(path, &f, NULL),
                     FTK_OK); /* so the others fail for their fault */
    ftk__ftc_close(&f);

    row_says("7", "name is not");
    row_says(row("\"\"", "\"U8\"", "[1]", "64", "1"), "name is not");
    row_says(row("3", "\"U8\"", "[1]", "64", "1"), "name is not");
    memset(longest, 'n', sizeof longest);
    longest[0] = longest[298] = '"';
    longest[299] = 0;
    row_says(row(longest, "\"U8\"", "[1]", "64", "1"), "name is not");
    row_says(row("\"a\"", "\"F16\"", "[1]", "64", "1"), "dtype is none");
    row_says(row("\"a\"", "1", "[1]", "64", "1"), "dtype is none");
    row_says(row("\"a\"", "\"U8\"", "[1, 1]", "64", "1"), "shape is not");
    row_says(row("\"a\"", "\"U8\"", "[-1]", "64", "1"), "shape is not");
    row_says(row("\"a\"", "\"U8\"", "1", "64", "1"), "shape is not");
    row_says(row("\"a\"", "\"U8\"", "[1.0]", "64", "1"), "shape is not");
    row_says(row("\"a\"", "\"U8\"", "[1]", "\"64\"", "1"), "offset or bytes");
    row_says(row("\"a\"", "\"U8\"", "[1]", "64", "-1"), "offset or bytes");
    row_says(row("\"a\"", "\"U32\"", "[1]", "64", "1"), "bytes are not those");
    row_says(row("\"a\"", "\"F64\"", "[2305843009213693952]", "64", "0"), "bytes are not those");
    row_says(row("\"a\"", "\"U8\"", "[9223372036854775807]", "64", "9223372036854775807"),
             "bytes are not those");
    row_says(row("\"a\"", "\"U8\"", "[1]", "65", "1"), "multiple of 64");
    row_says(row("\"a\"", "\"U8\"", "[1]", "0", "1"), "lies in the array before");
    row_says(row("\"a\"", "\"U8\"", "[1]", "128", "1"), "beyond the table");
    row_says(row("\"a\"", "\"U8\"", "[65]", "64", "65"), "beyond the table");
    row_says(row("\"a\"", "\"U8\"", "[1]", "9223372036854775744", "1"), "beyond the table");
    row_says(row("\"a\"", "\"U8\"", "[2]", "64", "2"), "SHA-256 of array 'a' is another");
    row_says("{\"name\": \"a\", \"dtype\": \"U8\", \"shape\": [1], \"offset\": 64, \"bytes\": 1, "
             "\"sha256\": \"12\"}",
             "sha256 is not");

    snprintf(two, sizeof two, "%s, ", row("\"a\"", "\"U8\"", "[1]", "64", "1"));
    size_t n = strlen(two);
    snprintf(two + n, sizeof two - n, "%s", row("\"b\"", "\"U8\"", "[1]", "64", "1"));
    row_says(two, "array 1, 'b': lies in the array before");
    /* An empty array at the table's edge is fine, its name is not. */
    snprintf(two + n, sizeof two - n,
             "{\"name\": \"a\", \"dtype\": \"U8\", \"shape\": [0], \"offset\": 128, \"bytes\": 0, "
             "\"sha256\": \"%s\"}",
             digits_of_x);
    row_says(two, "array 'a' is there twice");
}

static void tables_that_are_none(void **state)
{
    (void)state;
    static const struct {
        const char *table, *said;
    } all[] = {
        { "", "last.ftc:" },
        { "{", "last.ftc:" },
        { "{\"header\": {}, \"header\": {}, \"arrays\": []}", "duplicate" },
        { "[]", "no header and arrays" },
        { "{\"header\": [], \"arrays\": []}", "no header and arrays" },
        { "{\"header\": {}}", "no header and arrays" },
        { "{\"header\": {}, \"arrays\": {}}", "no header and arrays" },
        { "{\"header\": {}, \"arrays\": []} 1", "last.ftc:" },
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        craft(1, all[i].table, 0);
        refused(all[i].said);
    }
}

static void no_file(void **state)
{
    (void)state;
    struct ftk__ftc_file f;
    struct ftk_error err = { 0 };
    assert_int_equal(ftk__ftc_open(former, &f, &err), FTK_ENOENT);
    assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_NO_DATA);
    assert_int_equal(ftk__ftc_open(dir.path, &f, &err), FTK_EIO);
    assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_IO);
    assert_int_equal(ftk__ftc_open("/dev/zero", &f, &err), FTK_EIO);
    assert_int_equal(mkfifo(path, 0600), 0);
    (void)alarm(5); /* nobody will ever write into it */
    assert_int_equal(ftk__ftc_open(path, &f, &err), FTK_EIO);
    (void)alarm(0);
}

/* ---- writing --------------------------------------------------------------------------------- */

static bool is_there(const char *name)
{
    char full[512];
    return access(scratch_dir_file(&dir, name, full, sizeof full), F_OK) == 0;
}

static void the_former_is_kept(void **state)
{
    (void)state;
    uint64_t bytes;
    int step = 0;
    assert_int_equal(write_file(1, true, &bytes, NULL), FTK_OK);
    assert_false(is_there("prev.ftc"));
    for (int i = 2; i < 5; i++) {
        assert_int_equal(write_file(i, true, &bytes, NULL), FTK_OK);
        assert_int_equal(read_file(&step, NULL), FTK_OK);
        assert_int_equal(step, i);
        assert_int_equal(rename(former, path), 0);
        assert_int_equal(read_file(&step, NULL), FTK_OK);
        assert_int_equal(step, i - 1);
        assert_int_equal(write_file(i, true, &bytes, NULL), FTK_OK);
    }
    assert_false(is_there("prev.ftc.tmp"));
    /* A process that died between the two renames: both names are one file, and a third is left. */
    scratch_dir_put(&dir, "prev.ftc.tmp", "?", 1);
    assert_int_equal(unlink(former), 0);
    assert_int_equal(link(path, former), 0);
    assert_int_equal(write_file(5, true, &bytes, NULL), FTK_OK);
    assert_false(is_there("prev.ftc.tmp"));
    assert_int_equal(rename(former, path), 0);
    assert_int_equal(read_file(&step, NULL), FTK_OK);
    assert_int_equal(step, 4);
    assert_int_equal(write_file(3, false, &bytes, NULL), FTK_OK);
    assert_int_equal(write_file(9, true, &bytes, NULL), FTK_OK);
    assert_int_equal(write_file(9, false, &bytes, NULL), FTK_OK);
    assert_int_equal(rename(former, path), 0);
    assert_int_equal(read_file(&step, NULL), FTK_OK);
    assert_int_equal(step, 3);
}

static void abort_leaves_nothing(void **state)
{
    (void)state;
    struct ftk__ftc_writer *w;
    json_t *header = header_of(1);
    assert_int_equal(ftk__ftc_create(path, header, &w, NULL), FTK_OK);
    ftk__ftc_begin(w, "a", FTK__FTC_U8, 3);
    ftk__ftc_put(w, "ab", 2);
    assert_true(is_there("last.ftc.tmp"));
    ftk__ftc_abort(w);
    ftk__ftc_abort(NULL);
    json_decref(header);
    assert_false(is_there("last.ftc"));
    assert_false(is_there("last.ftc.tmp"));
}

/* A mistake of the caller is an error and no file. */
static void misused(void (*fill)(struct ftk__ftc_writer *w), const char *said)
{
    struct ftk__ftc_writer *w;
    struct ftk_error err = { 0 };
    uint64_t bytes;
    json_t *header = header_of(1);
    assert_int_equal(ftk__ftc_create(path, header, &w, NULL), FTK_OK);
    fill(w);
    ftk__ftc_begin(w, "after", FTK__FTC_U8, 0);
    assert_int_equal(ftk__ftc_commit(w, &bytes, &err), FTK_EINTERNAL);
    assert_non_null(strstr(err.message, said));
    json_decref(header);
    assert_false(is_there("last.ftc"));
    assert_false(is_there("last.ftc.tmp"));
}

static void too_few(struct ftk__ftc_writer *w)
{
    ftk__ftc_begin(w, "a", FTK__FTC_U32, 2);
    ftk__ftc_put(w, "abcdefg", 7);
}

static void too_many(struct ftk__ftc_writer *w)
{
    ftk__ftc_begin(w, "a", FTK__FTC_U32, 2);
    ftk__ftc_put(w, "abcdefghi", 9);
}

static void before_begin(struct ftk__ftc_writer *w)
{
    ftk__ftc_put(w, "a", 1);
}

static void no_name(struct ftk__ftc_writer *w)
{
    ftk__ftc_begin(w, "", FTK__FTC_U32, 2);
}

static void no_utf8(struct ftk__ftc_writer *w)
{
    ftk__ftc_begin(w, "\xff", FTK__FTC_U32, 2);
}

static void too_long(struct ftk__ftc_writer *w)
{
    char name[257];
    memset(name, 'a', 256);
    name[256] = 0;
    ftk__ftc_begin(w, name, FTK__FTC_U8, 0);
}

static void too_large(struct ftk__ftc_writer *w)
{
    ftk__ftc_begin(w, "a", FTK__FTC_U32, UINT64_MAX / 2);
}

static void misuse_is_reported(void **state)
{
    (void)state;
    misused(too_few, "fewer bytes");
    misused(too_many, "more bytes");
    misused(before_begin, "more bytes");
    misused(no_name, "name");
    misused(no_utf8, "name");
    misused(too_long, "name");
    misused(too_large, "more elements");
}

static void full_disk(void **state)
{
    (void)state;
    char tmp[512];
    uint64_t bytes;
    int step;
    struct ftk_error err = { 0 };
    assert_int_equal(write_file(1, true, &bytes, NULL), FTK_OK);
    scratch_dir_file(&dir, "last.ftc.tmp", tmp, sizeof tmp);
    assert_int_equal(symlink("/dev/full", tmp), 0);
    assert_int_equal(write_file(2, true, &bytes, &err), FTK_EIO);
    assert_non_null(strstr(err.message, "No space left on device"));
    assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_IO);
    assert_int_equal(read_file(&step, NULL), FTK_OK);
    assert_int_equal(step, 1);
    assert_false(is_there("last.ftc.tmp"));
}

/* Every limit below the file's length: the old file stays, and the reason is given. */
static void no_file_may_grow_beyond(void **state)
{
    (void)state;
    struct rlimit all;
    uint64_t bytes, n;
    int step;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(write_file(1, true, &n, NULL), FTK_OK);
    for (uint64_t limit = 0; limit < n; limit += 7) {
        const struct rlimit small = { .rlim_cur = limit, .rlim_max = all.rlim_max };
        struct ftk_error err = { 0 };
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        ftk_status st = write_file(2, true, &bytes, &err);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
        assert_int_equal(st, FTK_EIO);
        assert_non_null(strstr(err.message, "File too large"));
        assert_int_equal(read_file(&step, NULL), FTK_OK);
        assert_int_equal(step, 1);
        assert_false(is_there("last.ftc.tmp"));
        assert_false(is_there("prev.ftc"));
    }
}

/* ---- memory ---------------------------------------------------------------------------------- */

static ftk_status just_write(void *arg)
{
    uint64_t bytes;
    struct ftk_error err = { 0 };
    (void)arg;
    ftk_status st = write_file(2, false, &bytes, &err);
    assert_true(st == FTK_OK || (st == FTK_ENOMEM && err.message[0]));
    return st;
}

static ftk_status just_read(void *arg)
{
    int step;
    struct ftk_error err = { 0 };
    (void)arg;
    ftk_status st = read_file(&step, &err);
    assert_true(st == FTK_OK || (st == FTK_ENOMEM && err.message[0]));
    return st;
}

static void every_allocation_fails(void **state)
{
    (void)state;
    uint64_t bytes;
    assert_int_equal(write_file(1, true, &bytes, NULL), FTK_OK);
    assert_true(ftk_oom_sweep(just_read, NULL, 1) > 20);
    uint64_t n = ftk_oom_sweep(just_write, NULL, 1);
    assert_true(n > 20);
    /* And whatever fails, last is whole. */
    for (uint64_t i = 1; i <= n; i++) {
        int step = 0;
        ftk__mem_fail_at(i);
        write_file(3, true, &bytes, NULL);
        ftk__mem_fail_at(0);
        assert_int_equal(read_file(&step, NULL), FTK_OK);
        assert_true(step == 2 || step == 3);
        assert_false(is_there("last.ftc.tmp"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(round_trip),
        TEST(a_file_that_shrinks),
        TEST(every_cut_is_refused),
        TEST(every_flip_is_refused),
        TEST(other_versions),
        TEST(absurd_lengths),
        TEST(rows_that_lie),
        TEST(tables_that_are_none),
        TEST(no_file),
        TEST(the_former_is_kept),
        TEST(abort_leaves_nothing),
        TEST(misuse_is_reported),
        TEST(full_disk),
        TEST(no_file_may_grow_beyond),
        TEST(every_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
