/* SPDX-License-Identifier: MIT
 * test_pred_index.c - eval/pred_index.c: whose the cached predictions are, and whether they are whole.
 */
#include "base/io.h"
#include "eval/pred_index.h"
#include "oom.h"
#include "scratch_dir.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct ftk__sha256 mine = { "11aa" };
static const struct ftk__sha256 other = { "22bb" };

static int setup(void **state)
{
    static struct scratch_dir d;
    ftk__json_setup();
    scratch_dir_init(&d);
    scratch_dir_put(&d, "labels.npy", "labels", 6);
    scratch_dir_put(&d, "member-0.npy", "logits", 6);
    *state = &d;
    return 0;
}

static int teardown(void **state)
{
    scratch_dir_done(*state);
    return 0;
}

/* By an index that is read anew each time. */
static bool has(struct scratch_dir *d, int64_t member, const char *file,
                const struct ftk__sha256 *weights)
{
    struct ftk__pred_index ix;
    bool ret;
    assert_int_equal(ftk__pred_index_open(&ix, d->path, NULL), FTK_OK);
    assert_int_equal(ftk__pred_index_has(&ix, member, file, weights, &ret, NULL), FTK_OK);
    ftk__pred_index_close(&ix);
    return ret;
}

static void enter(struct scratch_dir *d, int64_t member, const char *file,
                  const struct ftk__sha256 *weights)
{
    struct ftk__pred_index ix;
    assert_int_equal(ftk__pred_index_open(&ix, d->path, NULL), FTK_OK);
    assert_int_equal(ftk__pred_index_enter(&ix, member, file, weights, NULL), FTK_OK);
    ftk__pred_index_close(&ix);
}

static void what_is_not_entered_counts_as_missing(void **state)
{
    struct scratch_dir *d = *state;
    assert_false(has(d, -1, "labels.npy", NULL));
    assert_false(has(d, 0, "member-0.npy", &mine));
    enter(d, -1, "labels.npy", NULL);
    enter(d, 0, "member-0.npy", &mine);
    assert_true(has(d, -1, "labels.npy", NULL));
    assert_true(has(d, 0, "member-0.npy", &mine));
    assert_false(has(d, 1, "member-0.npy", &mine));
}

static void a_file_that_changed_counts_as_missing(void **state)
{
    struct scratch_dir *d = *state;
    char path[300];
    enter(d, 0, "member-0.npy", &mine);
    scratch_dir_put(d, "member-0.npy", "logitz", 6);
    assert_false(has(d, 0, "member-0.npy", &mine));
    scratch_dir_put(d, "member-0.npy", "logits", 6);
    assert_true(has(d, 0, "member-0.npy", &mine));
    assert_int_equal(remove(scratch_dir_file(d, "member-0.npy", path, sizeof(path))), 0);
    assert_false(has(d, 0, "member-0.npy", &mine));
}

static void another_member_than_the_one_that_is_there(void **state)
{
    struct scratch_dir *d = *state;
    enter(d, 0, "member-0.npy", &mine);
    assert_false(has(d, 0, "member-0.npy", &other));
    assert_true(has(d, 0, "member-0.npy", NULL)); /* its files are gone        */
}

static void other_labels_are_another_set(void **state)
{
    struct scratch_dir *d = *state;
    enter(d, -1, "labels.npy", NULL);
    enter(d, 0, "member-0.npy", &mine);
    enter(d, -1, "labels.npy", NULL);
    assert_true(has(d, 0, "member-0.npy", &mine));
    scratch_dir_put(d, "labels.npy", "others", 6);
    enter(d, -1, "labels.npy", NULL);
    assert_false(has(d, 0, "member-0.npy", &mine));
}

static bool is_of(struct scratch_dir *d, const struct ftk__sha256 *data)
{
    struct ftk__pred_index ix;
    assert_int_equal(ftk__pred_index_open(&ix, d->path, NULL), FTK_OK);
    bool ret = ftk__pred_index_is_of(&ix, data);
    ftk__pred_index_close(&ix);
    return ret;
}

static void begin(struct scratch_dir *d, const struct ftk__sha256 *data)
{
    struct ftk__pred_index ix;
    assert_int_equal(ftk__pred_index_open(&ix, d->path, NULL), FTK_OK);
    assert_int_equal(ftk__pred_index_begin(&ix, data, NULL), FTK_OK);
    ftk__pred_index_close(&ix);
}

static void other_data_drop_all_entries(void **state)
{
    struct scratch_dir *d = *state;
    assert_false(is_of(d, &mine));
    begin(d, &mine);
    assert_true(is_of(d, &mine));
    assert_false(is_of(d, &other));
    enter(d, -1, "labels.npy", NULL);
    enter(d, 0, "member-0.npy", &mine);
    begin(d, &mine);
    assert_true(has(d, -1, "labels.npy", NULL));
    assert_true(has(d, 0, "member-0.npy", &mine));
    begin(d, &other); /* of the same labels          */
    assert_true(is_of(d, &other));
    assert_false(has(d, -1, "labels.npy", NULL));
    assert_false(has(d, 0, "member-0.npy", &mine));
}

static void entries_of_unknown_data_are_dropped(void **state)
{
    struct scratch_dir *d = *state;
    enter(d, -1, "labels.npy", NULL);
    enter(d, 0, "member-0.npy", &mine);
    begin(d, &mine);
    assert_false(has(d, 0, "member-0.npy", &mine));
}

static void a_damaged_index_is_made_anew(void **state)
{
    struct scratch_dir *d = *state;
    static const char *const bad[] = { "", "{", "[]", "{\"labels\": 1}",
                                       "{\"labels\": \"x\", \"members\": []}" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        scratch_dir_put(d, "index.json", bad[i], strlen(bad[i]));
        assert_false(has(d, -1, "labels.npy", NULL));
        enter(d, -1, "labels.npy", NULL);
        assert_true(has(d, -1, "labels.npy", NULL));
    }
    static const char odd[] = "{\"labels\": 7, \"members\": {\"0\": {\"logits\": []}}}";
    scratch_dir_put(d, "index.json", odd, strlen(odd));
    assert_false(has(d, -1, "labels.npy", NULL));
    assert_false(has(d, 0, "member-0.npy", &mine));
}

static ftk_status sweep(void *arg)
{
    struct scratch_dir *d = arg;
    struct ftk__pred_index ix;
    bool ret;
    ftk_status st = ftk__pred_index_open(&ix, d->path, NULL);
    if (st >= 0)
        st = ftk__pred_index_begin(&ix, ftk__pred_index_is_of(&ix, &mine) ? &other : &mine, NULL);
    if (st >= 0)
        st = ftk__pred_index_enter(&ix, -1, "labels.npy", NULL, NULL);
    if (st >= 0)
        st = ftk__pred_index_enter(&ix, 0, "member-0.npy", &mine, NULL);
    if (st >= 0)
        st = ftk__pred_index_has(&ix, 0, "member-0.npy", &mine, &ret, NULL);
    ftk__pred_index_close(&ix);
    return st;
}

static void memory_failures_are_reported(void **state)
{
    assert_true(ftk_oom_sweep(sweep, *state, 1) > 10);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_not_entered_counts_as_missing),
        TEST(a_file_that_changed_counts_as_missing),
        TEST(another_member_than_the_one_that_is_there),
        TEST(other_labels_are_another_set),
        TEST(other_data_drop_all_entries),
        TEST(entries_of_unknown_data_are_dropped),
        TEST(a_damaged_index_is_made_anew),
        TEST(memory_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
