/* SPDX-License-Identifier: MIT
 * test_mem.c - base/mem.c.
 */
#include "base/mem.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void blocks_are_aligned_and_zero(void **state)
{
    (void)state;
    static const size_t sizes[] = { 0, 1, 8, 63, 64, 65, 4096, 1000000 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *p = ftk__alloc(sizes[i]);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 64, 0);
        for (size_t j = 0; j < sizes[i]; j++)
            assert_int_equal(p[j], 0);
        memset(p, 0xff, sizes[i]);
        assert_null(ftk__free(p));
    }
    assert_null(ftk__free(NULL));
}

static void sizes_are_checked(void **state)
{
    (void)state;
    assert_null(ftk__alloc_array(UINT64_MAX / 2, 4));
    assert_null(ftk__alloc_array(1u << 16, SIZE_MAX >> 15));
    assert_null(ftk__alloc(SIZE_MAX));
    assert_null(ftk__alloc((size_t)PTRDIFF_MAX));
    struct ftk__arena a = { 0 };
    assert_null(ftk__arena_alloc(&a, SIZE_MAX));
    assert_null(ftk__arena_alloc(&a, SIZE_MAX - 8));
}

static void realloc_keeps_and_zeroes(void **state)
{
    (void)state;
    uint32_t *p = ftk__realloc_array(NULL, 0, 3, sizeof *p);
    assert_non_null(p);
    for (uint32_t i = 0; i < 3; i++)
        p[i] = i + 1;
    p = ftk__realloc_array(p, 3, 1000, sizeof *p);
    assert_non_null(p);
    assert_int_equal(p[2], 3);
    for (uint32_t i = 3; i < 1000; i++)
        assert_int_equal(p[i], 0);
    p = ftk__realloc_array(p, 1000, 2, sizeof *p);
    assert_non_null(p);
    assert_int_equal(p[1], 2);
    assert_null(ftk__realloc_array(p, 2, UINT64_MAX, sizeof *p));
    assert_int_equal(p[1], 2);
    ftk__free(p);
}

static void counters_count(void **state)
{
    (void)state;
    struct ftk__mem_stats before = ftk__mem_stats();
    void *p = ftk__alloc(8);
    char *s = ftk__strdup("text");
    assert_string_equal(s, "text");
    assert_null(ftk__strdup(NULL));
    struct ftk__mem_stats during = ftk__mem_stats();
    assert_int_equal(during.calls - before.calls, 2);
    assert_int_equal(during.alive - before.alive, 2);
    assert_int_equal(during.failed, before.failed);
    assert_null(ftk__alloc_array(UINT64_MAX, 8));
    assert_int_equal(ftk__mem_stats().failed - before.failed, 1);
    ftk__free(p);
    ftk__free(s);
    assert_int_equal(ftk__mem_stats().alive, before.alive);
}

static void nth_call_fails(void **state)
{
    (void)state;
    ftk__mem_fail_at(2);
    void *first = ftk__alloc(1);
    void *second = ftk__alloc(1);
    void *third = ftk__alloc(1);
    ftk__mem_fail_at(1);
    ftk__mem_fail_at(0);
    void *fourth = ftk__alloc(1);
    assert_non_null(first);
    assert_null(second);
    assert_non_null(third);
    assert_non_null(fourth);
    ftk__free(first);
    ftk__free(third);
    ftk__free(fourth);
}

/* The variable is read by the first allocation of a process, so another one is needed. */
static int second_allocation_fails(void)
{
    void *first = ftk__alloc(1);
    void *second = ftk__alloc(1);
    void *third = ftk__alloc(1);
    int rc = first && !second && third ? 0 : 1;
    ftk__free(first);
    ftk__free(third);
    return rc;
}

static void environment_names_the_call(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setenv("FREETICKETS_FAIL_ALLOC", "2", 1);
        execl("/proc/self/exe", "test_mem", "second-fails", (char *)NULL);
        _exit(127);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void arena_gives_distinct_zeroed_blocks(void **state)
{
    (void)state;
    uint64_t alive = ftk__mem_stats().alive;
    struct ftk__arena a = { 0 };
    unsigned char *p[200];
    for (unsigned i = 0; i < 200; i++) {
        size_t n = i % 50 == 49 ? 100000 : 1000;
        p[i] = ftk__arena_alloc(&a, n);
        assert_non_null(p[i]);
        assert_int_equal((uintptr_t)p[i] % 64, 0);
        for (size_t j = 0; j < n; j++)
            assert_int_equal(p[i][j], 0);
        memset(p[i], (int)(i + 1), n);
    }
    for (unsigned i = 0; i < 200; i++)
        assert_int_equal(p[i][999], i + 1);
    assert_string_equal(ftk__arena_strdup(&a, "kept"), "kept");
    assert_null(ftk__arena_strdup(&a, NULL));
    assert_ptr_not_equal(ftk__arena_alloc(&a, 0), ftk__arena_alloc(&a, 0));
    ftk__arena_done(&a);
    assert_int_equal(ftk__mem_stats().alive, alive);
    assert_non_null(ftk__arena_alloc(&a, 1));
    ftk__arena_done(&a);
}

static void arena_survives_a_failure(void **state)
{
    (void)state;
    struct ftk__arena a = { 0 };
    char *kept = ftk__arena_strdup(&a, "kept");
    ftk__mem_fail_at(1);
    assert_null(ftk__arena_alloc(&a, 1000000));
    ftk__mem_fail_at(0);
    assert_string_equal(kept, "kept");
    assert_non_null(ftk__arena_alloc(&a, 1000000));
    ftk__arena_done(&a);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "second-fails") == 0)
        return second_allocation_fails();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_aligned_and_zero),
        cmocka_unit_test(sizes_are_checked),
        cmocka_unit_test(realloc_keeps_and_zeroes),
        cmocka_unit_test(counters_count),
        cmocka_unit_test(nth_call_fails),
        cmocka_unit_test(environment_names_the_call),
        cmocka_unit_test(arena_gives_distinct_zeroed_blocks),
        cmocka_unit_test(arena_survives_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
