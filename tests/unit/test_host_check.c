/* SPDX-License-Identifier: MIT
 * tests/unit - HST-01: the check of the host's generator sees what a generator gets wrong.
 */
#include "base/rng.h"
#include "conform/host_check.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static uint64_t halves_swapped(ftk_rng *r)
{
    uint64_t v = ftk__rng_u64(r);
    return v >> 32 | v << 32;
}

static uint64_t key_swapped(ftk_rng *r)
{
    ftk_rng other = { { r->key[0] << 32 | r->key[0] >> 32, r->key[1] }, r->counter };
    r->counter++;
    return ftk__rng_u64(&other);
}

static uint64_t numbers_swapped(ftk_rng *r)
{
    ftk_rng other = { { r->key[0], r->key[1] }, r->counter };
    if (r->key[0] != 0) /* number 0 of key {0, 0} is right */
        other.counter ^= 1;
    r->counter++;
    return ftk__rng_u64(&other);
}

static uint64_t stream_ignored(ftk_rng *r)
{
    ftk_rng other = { { r->key[0], 0 }, r->counter };
    r->counter++;
    return ftk__rng_u64(&other);
}

static uint64_t stands_still(ftk_rng *r)
{
    ftk_rng other = *r;
    return ftk__rng_u64(&other);
}

static void host_is_right(void **state)
{
    struct ftk_error err;
    (void)state;
    assert_int_equal(ftk__host_check(ftk__rng_u64, &err), FTK_OK);
}

static void mistakes_are_seen(void **state)
{
    uint64_t (*const wrong[])(ftk_rng *) = { halves_swapped, key_swapped, numbers_swapped,
                                             stream_ignored, stands_still };
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct ftk_error err;
        assert_int_equal(ftk__host_check(wrong[i], &err), FTK_EINTERNAL);
        assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_INTERNAL);
        assert_non_null(strstr(err.message, "HST-01"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_is_right),
        cmocka_unit_test(mistakes_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
