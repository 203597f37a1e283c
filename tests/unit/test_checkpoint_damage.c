/* SPDX-License-Identifier: MIT
 * test_checkpoint_damage.c - a small but complete checkpoint: cut at every byte, with every byte
 * flipped, and with contents that lie behind digests that are right.
 */
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/run_compare.h"
#include "session_case.h"
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { UNITS = 6 }; /* of LTR: one network is remembered, another in training */

static struct scratch_dir dir;
static struct session_case run;

static const char *in_dir(const char *name)
{
    return session_case_path(dir.path, name);
}

/* A run stopped in its middle, with two checkpoints. */
static void stopped_run(const char *const *set)
{
    ftk__log_setup(FTK_ERROR, true);
    if (access("/dev/shm", W_OK) == 0) /* where an fsync costs nothing */
        setenv("TMPDIR", "/dev/shm", 0);
    scratch_dir_init(&dir);
    session_case_open(&run, set);
    for (int i = 0; i < UNITS; i++)
        assert_true(session_case_unit(&run, in_dir("run"), i > 0));
}

static int set_up_small(void **state)
{
    (void)state;
    stopped_run(NULL);
    return 0;
}

static int set_up_with_copies(void **state)
{
    static const char *const set[] = { "ensemble.use=ltr", "ensemble.keep=best_validation", NULL };
    (void)state;
    stopped_run(set);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    session_case_close(&run);
    scratch_dir_done(&dir);
    return 0;
}

/* ---- damage ---------------------------------------------------------------------------------- */

static char *contents(const char *path, uint64_t *ret_n)
{
    char *data;
    assert_int_equal(ftk__file_read(path, 1 << 20, &data, ret_n, NULL), FTK_OK);
    return data;
}

/* last.ftc is refused, prev.ftc is what is found, and the note names both. */
static void prev_is_found(uint64_t at)
{
    struct ftk__ftc_file f;
    struct ftk_error err = { 0 };
    struct ftk__str note = { 0 };
    if (ftk__checkpoint_find(in_dir("run/checkpoint"), &f, &note, &err) != FTK_OK)
        fail_msg("byte %u: %s", (unsigned)at, err.message);
    if (!strstr(f.path, "/prev.ftc"))
        fail_msg("byte %u: %s was opened", (unsigned)at, f.path);
    assert_non_null(note.text);
    assert_non_null(strstr(note.text, "/last.ftc"));
    assert_non_null(strstr(note.text, "the one before is used"));
    assert_non_null(strstr(note.text, "/prev.ftc"));
    ftk__str_done(&note);
    ftk__ftc_close(&f);
}

static int open_last(void)
{
    int fd = open(in_dir("run/checkpoint/last.ftc"), O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void every_cut_leads_to_prev(void **state)
{
    (void)state;
    uint64_t n;
    char *data = contents(in_dir("run/checkpoint/last.ftc"), &n);
    int fd = open_last();
    for (uint64_t cut = n; cut-- > 0;) {
        assert_int_equal(ftruncate(fd, (off_t)cut), 0);
        prev_is_found(cut);
    }
    close(fd);
    printf("%u cuts\n", (unsigned)n);
    ftk__free(data);
}

static void every_flip_leads_to_prev(void **state)
{
    (void)state;
    uint64_t n;
    char *data = contents(in_dir("run/checkpoint/last.ftc"), &n);
    int fd = open_last();
    for (uint64_t i = 0; i < n; i++) {
        char flipped = (char)(data[i] ^ 1 << i % 8);
        assert_int_equal(pwrite(fd, &flipped, 1, (off_t)i), 1);
        prev_is_found(i);
        assert_int_equal(pwrite(fd, &data[i], 1, (off_t)i), 1);
    }
    close(fd);
    printf("%u flips\n", (unsigned)n);
    ftk__free(data);
}

/* ---- lies ------------------------------------------------------------------------------------ */

enum lie {
    LEFT_OUT,
    EMPTY,
    ONE_LESS,
    TWICE,
    REFUSABLE, /* all before are wrong whatever the array holds  */
    ALL_ONES = REFUSABLE,
    ALL_ZERO,
    HUGE_NUMBERS,
    NO_NUMBERS,
    LIES
};
static const char *const lie_names[LIES] = { "left out", "empty", "one less", "twice",
                                             "all ones", "zero",  "huge",     "not a number" };

/* An array as if it were all of one value; what is no whole number of them stays. */
static void fill_with(unsigned char *data, uint64_t bytes, const void *value, uint64_t size)
{
    for (uint64_t at = 0; at + size <= bytes; at += size)
        memcpy(data + at, value, size);
}

static void fill(unsigned char *data, const struct ftk__ftc_array *a, enum lie lie)
{
    const double wide = lie == HUGE_NUMBERS ? 1e300 : (double)NAN;
    const float narrow = lie == HUGE_NUMBERS ? 1e38f : NAN;
    if (lie == ALL_ONES || lie == ALL_ZERO)
        memset(data, lie == ALL_ONES ? 0xff : 0, a->bytes);
    else if (a->dtype == FTK__FTC_F32)
        fill_with(data, a->bytes, &narrow, sizeof(narrow));
    else
        fill_with(data, a->bytes, &wide, sizeof(wide));
}

static void put_array(struct ftk__ftc_writer *w, const struct ftk__ftc_file *f,
                      const struct ftk__ftc_array *a, enum lie lie)
{
    uint64_t size = a->n > 0 ? a->bytes / a->n : 0;
    uint64_t n = lie == EMPTY ? 0 : lie == ONE_LESS ? a->n - 1 : lie == TWICE ? 2 * a->n : a->n;
    unsigned char *data = ftk__alloc(2 * a->bytes + 1);
    assert_non_null(data);
    assert_int_equal(ftk__ftc_read(f, a, 0, a->n, data, NULL), FTK_OK);
    memcpy(data + a->bytes, data, a->bytes);
    if (lie >= REFUSABLE && lie < LIES)
        fill(data, a, lie);
    ftk__ftc_begin(w, a->name, a->dtype, n);
    ftk__ftc_put(w, data, n * size);
    ftk__free(data);
}

/* lies/checkpoint/last.ftc: that of the run, but for its header and the lie about one array. */
static void write_lie(const struct ftk__ftc_file *f, const json_t *header, uint32_t array,
                      enum lie lie)
{
    struct ftk__ftc_writer *w;
    uint64_t bytes;
    const char *path = in_dir("lies/checkpoint/last.ftc");
    assert_int_equal(ftk__ftc_create(path, header, &w, NULL), FTK_OK);
    for (uint32_t i = 0; i < f->n_arrays; i++) {
        if (i != array || lie != LEFT_OUT)
            put_array(w, f, &f->arrays[i], i == array ? lie : LIES);
    }
    assert_int_equal(ftk__ftc_commit(w, &bytes, NULL), FTK_OK);
}

/* What becomes of a run that is continued with such a file.  It need not see through a lie that
 * could be true, but must not fall over it, nor lose memory. */
static ftk_status go_on(const struct ftk__ftc_file *f, const json_t *header, uint32_t array,
                        enum lie lie)
{
    const struct ftk__checkpoints none = { 0 };
    struct ftk__train_report report;
    ftk__remove_tree(in_dir("lies"));
    session_case_copy(in_dir("run"), in_dir("lies"));
    write_lie(f, header, array, lie);
    ftk_status st = session_case_train(&run, in_dir("lies"), true, &none, &report);
    if (st >= 0)
        ftk__train_report_done(&report);
    return st;
}

static void open_checkpoint(struct ftk__ftc_file *ret)
{
    assert_int_equal(ftk__ftc_open(in_dir("run/checkpoint/last.ftc"), ret, NULL), FTK_OK);
}

static void arrays_that_lie(void **state)
{
    (void)state;
    struct ftk__ftc_file f;
    unsigned refused = 0;
    unsigned all = 0;
    open_checkpoint(&f);
    assert_int_equal(go_on(&f, f.header, UINT32_MAX, LIES), FTK_OK);
    for (uint32_t i = 0; i < f.n_arrays; i++) {
        for (enum lie lie = LEFT_OUT; lie < LIES; lie++) {
            ftk_status st = go_on(&f, f.header, i, lie);
            refused += st == FTK_EINVAL;
            all++;
            if (lie < REFUSABLE && f.arrays[i].n > 0 && st != FTK_EINVAL)
                fail_msg("%s is %s: %d", f.arrays[i].name, lie_names[lie], (int)st);
        }
    }
    printf("%u of %u lies about %u arrays are refused\n", refused, all, f.n_arrays);
    ftk__ftc_close(&f);
}

/* Sums that JSON could not hold at the end of a long run are no numbers from the start. */
static void sums_that_are_no_numbers(void **state)
{
    (void)state;
    static const char *const names[] = { "run/numbers", "run/ledger.layers", "run/ledger.ops",
                                         "run/ledger.sums" };
    struct ftk__ftc_file f;
    open_checkpoint(&f);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct ftk__ftc_array *a = ftk__ftc_find(&f, names[i]);
        assert_non_null(a);
        assert_int_equal(go_on(&f, f.header, (uint32_t)(a - f.arrays), NO_NUMBERS), FTK_EINVAL);
        assert_non_null(strstr(run.err.message, names[i]));
    }
    ftk__ftc_close(&f);
}

/* Each member of the header left out and as each of these. */
static const char *const values[] = {
    "0",  "1",    "-1",    "7",      "4294967296", "9223372036854775807",
    "[]", "[0]",  "[1]",   "[0, 0]", "[-1]",       "[4294967296]",
    "{}", "true", "false", "null",   "\"\"",       "\"cpu avx512\\nfc1 lists 99999x9 k64\""
};

static void headers_that_lie(void **state)
{
    (void)state;
    struct ftk__ftc_file f;
    const char *key;
    json_t *value;
    unsigned all = 0;
    open_checkpoint(&f);
    json_t *truth = json_deep_copy(f.header);
    json_object_foreach(truth, key, value)
    {
        for (size_t i = 0; i <= sizeof values / sizeof *values; i++) {
            json_t *header = json_deep_copy(f.header);
            if (i == sizeof values / sizeof *values)
                json_object_del(header, key);
            else
                json_object_set_new(header, key, json_loads(values[i], JSON_DECODE_ANY, NULL));
            go_on(&f, header, UINT32_MAX, LIES);
            json_decref(header);
            all++;
        }
    }
    printf("%u headers\n", all);
    json_decref(truth);
    ftk__ftc_close(&f);
}

static void header_says(const char *key, const char *text)
{
    struct ftk__ftc_file f;
    open_checkpoint(&f);
    json_t *header = json_deep_copy(f.header);
    json_object_set_new(header, key, json_loads(text, JSON_DECODE_ANY, NULL));
    ftk_status st = go_on(&f, header, UINT32_MAX, LIES);
    if (st != FTK_EINVAL)
        fail_msg("%s = %s: %d", key, text, (int)st);
    json_decref(header);
    ftk__ftc_close(&f);
}

/* What the operations so far remembered is there, or a REWIND would find nothing. */
static void slots_that_lie(void **state)
{
    (void)state;
    struct ftk__ftc_file f;
    open_checkpoint(&f);
    assert_int_equal(json_array_size(json_object_get(f.header, "slots")), 1);
    ftk__ftc_close(&f);
    header_says("slots", "[]");
    header_says("slots", "null");
    header_says("slots", "[0, 0]");
    header_says("slots", "[0, 1]");
    header_says("slots", "[1]");
    header_says("slots", "[-1]");
    header_says("slots", "[4294967296]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define SMALL(name)  cmocka_unit_test_setup_teardown(name, set_up_small, tear_down)
#define COPIES(name) cmocka_unit_test_setup_teardown(name, set_up_with_copies, tear_down)
        SMALL(every_cut_leads_to_prev),   SMALL(every_flip_leads_to_prev), COPIES(arrays_that_lie),
        COPIES(sums_that_are_no_numbers), COPIES(headers_that_lie),        COPIES(slots_that_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
