/* SPDX-License-Identifier: MIT
 * test_hash.c - base/hash.c; vectors of FIPS 180-4.
 */
#include "base/hash.h"
#include "oom.h"
#include "scratch_dir.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define OF_ABC       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define OF_NOTHING   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define OF_MILLION_A "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

static void buffers(void **state)
{
    (void)state;
    struct ftk__sha256 h;
    assert_int_equal(ftk__sha256_buffer("abc", 3, &h, NULL), FTK_OK);
    assert_string_equal(h.hex, OF_ABC);
    assert_int_equal(ftk__sha256_buffer(NULL, 0, &h, NULL), FTK_OK);
    assert_string_equal(h.hex, OF_NOTHING);
}

static void pieces(void **state)
{
    (void)state;
    char piece[1000];
    memset(piece, 'a', sizeof piece);
    struct ftk__hasher *hasher = ftk__hasher_new();
    assert_non_null(hasher);
    for (unsigned i = 0; i < 1000; i++)
        ftk__hasher_add(hasher, piece, sizeof piece);
    struct ftk__sha256 h;
    assert_int_equal(ftk__hasher_end(hasher, &h, NULL), FTK_OK);
    assert_string_equal(h.hex, OF_MILLION_A);
}

static void files(void **state)
{
    (void)state;
    struct scratch_dir dir;
    char path[512];
    scratch_dir_init(&dir);
    scratch_dir_put(&dir, "abc", "abc", 3);
    struct ftk__sha256 h = { { 0 } };
    struct ftk_error err = { 0 };
    ftk_status st = ftk__sha256_file(scratch_dir_file(&dir, "abc", path, sizeof path), &h, &err);
    assert_int_equal(st, FTK_OK);
    assert_string_equal(h.hex, OF_ABC);
    st = ftk__sha256_file(scratch_dir_file(&dir, "none", path, sizeof path), &h, &err);
    assert_int_equal(st, FTK_ENOENT);
    assert_int_equal(ftk__error_exit_code(&err), 66);
    assert_string_equal(h.hex, OF_ABC);
    assert_int_equal(ftk__sha256_file(dir.path, &h, &err), FTK_EIO);
    assert_string_equal(h.hex, OF_ABC);
    scratch_dir_done(&dir);
}

static ftk_status hash_abc(void *arg)
{
    return ftk__sha256_buffer("abc", 3, arg, NULL);
}

static void memory_failures_are_reported(void **state)
{
    (void)state;
    struct ftk__sha256 h;
    assert_int_equal(ftk_oom_sweep(hash_abc, &h, 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffers),
        cmocka_unit_test(pieces),
        cmocka_unit_test(files),
        cmocka_unit_test(memory_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
