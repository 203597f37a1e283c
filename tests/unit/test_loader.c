/* SPDX-License-Identifier: MIT
 * test_loader.c - every way in which a plugin file can be unfit, and the reason given for it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/error.h"
#include "plugin/loader.h"
#include "scratch_dir.h"
#include <elf.h>
#include <fenv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct seen {
    uint32_t n;
    const ftk_algo *last;
    ftk_status answer;
};

static ftk_status count(const ftk_registry *r, const ftk_algo *a)
{
    struct seen *s = r->self;
    s->n++;
    s->last = a;
    return s->answer;
}

static const char *plugin_path(const char *name, char buf[512])
{
    const char *dir = getenv("FTK_TEST_BAD_PLUGINS");
    assert_non_null(dir);
    snprintf(buf, 512, "%s/%s", dir, name);
    return buf;
}

static ftk_status load(const char *path, struct seen *seen, const ftk_stamp **ret_stamp,
                       struct ftk_error *reterr)
{
    const ftk_registry reg = { sizeof(reg), FTK_ABI_MAJOR, FTK_ABI_MINOR, seen, count };
    memset(reterr, 0, sizeof(*reterr));
    return ftk__plugin_load(path, &reg, ret_stamp, reterr);
}

/* Refused with this status, a message that holds `text`, the file in its context, and nothing
 * registered.                                                                              */
static void expect_refused(const char *path, ftk_status st, const char *text)
{
    struct seen seen = { 0 };
    struct ftk_error err;
    const ftk_stamp *stamp = NULL;
    ftk_status got = load(path, &seen, &stamp, &err);
    if (got != st || !strstr(err.message, text))
        print_error("%s: status %d, message: %s\n", path, (int)got, err.message);
    assert_int_equal(got, st);
    assert_int_equal(err.status, st);
    assert_non_null(strstr(err.message, text));
    assert_int_equal(err.n_context, 1);
    assert_null(strchr(err.message, '\n'));
    assert_null(stamp);
    assert_int_equal(seen.n, 0);
}

static void expect_bad(const char *name, ftk_status st, const char *text)
{
    char buf[512];
    expect_refused(plugin_path(name, buf), st, text);
}

static void test_good(void **state)
{
    (void)state;
    struct seen seen = { 0 };
    struct ftk_error err;
    char buf[512];
    const ftk_stamp *stamp = NULL;
    assert_int_equal(load(plugin_path("prune_plain.so", buf), &seen, &stamp, &err), FTK_OK);
    assert_string_equal(stamp->name, "org.example.plain");
    assert_string_equal(stamp->version, "1.2.3");
    assert_int_equal(seen.n, 1);
    assert_string_equal(seen.last->name, "plain");
}

static void test_registry_refuses(void **state)
{
    (void)state;
    struct seen seen = { .answer = FTK_EEXIST };
    struct ftk_error err;
    char buf[512];
    const ftk_stamp *stamp = NULL;
    ftk_status st = load(plugin_path("prune_plain.so", buf), &seen, &stamp, &err);
    assert_int_equal(st, FTK_EEXIST);
    assert_null(stamp);
    assert_non_null(strstr(err.message, "prune 'plain'"));
}

static void test_stamps(void **state)
{
    (void)state;
    char text[64];
    unsetenv("FTK_TEST_REGISTERED");
    expect_bad("bad_magic.so", FTK_EABI, "magic 0x12345678");
    snprintf(text, sizeof(text), "interface %u.%u, this program has %u.%u: rebuild", FTK_ABI_MAJOR,
             FTK_ABI_MINOR + 6, FTK_ABI_MAJOR, FTK_ABI_MINOR);
    expect_bad("bad_minor.so", FTK_EABI, text);
    snprintf(text, sizeof(text), "interface %u.%u, this program has", FTK_ABI_MAJOR + 3,
             FTK_ABI_MINOR);
    expect_bad("bad_major.so", FTK_EABI, text);
    expect_bad("bad_null_stamp.so", FTK_EABI, "returns NULL");
    expect_bad("bad_stamp_name.so", FTK_EINVAL, "'plain' is not like");
    expect_bad("bad_version.so", FTK_EINVAL, "'1.0' is not like");
    assert_null(getenv("FTK_TEST_REGISTERED")); /* judged before it may register */
}

static void test_symbols(void **state)
{
    (void)state;
    expect_bad("bad_no_symbols.so", FTK_EABI, "exports no ftk_plugin_stamp");
    expect_bad("bad_unresolved.so", FTK_EINVAL, "ftk_test_function_that_nobody_has");
    expect_bad("no_such_file.so", FTK_ENOENT, "No such file");
}

static void test_offers(void **state)
{
    (void)state;
    expect_bad("bad_descriptor.so", FTK_EINVAL,
               "grow 'bad': parameter 'far' ends at byte 72 of a struct of 8");
    expect_bad("bad_same_twice.so", FTK_EEXIST, "registers grow 'good' twice");
    expect_bad("bad_nothing.so", FTK_EINVAL, "registers no algorithm");
    expect_bad("bad_null.so", FTK_EINVAL, "registers NULL");
    expect_bad("bad_status.so", FTK_EINVAL, "returns -3");
    expect_bad("backend_twin.so", FTK_EINVAL, "holds prune 'twin'");
}

/* Where 1 and 2 lead, to see that a load puts them back. */
static void identify(int fd, struct stat *ret)
{
    assert_int_equal(fstat(fd, ret), 0);
}

static void test_prints(void **state)
{
    (void)state;
    struct stat before[2], after[2];
    fputs("pending text of the test's own\n", stdout); /* must not be taken for the plugin's */
    identify(1, &before[0]);
    identify(2, &before[1]);
    expect_bad("bad_prints_early.so", FTK_EINVAL, "prints while loading: 'hello from'");
    expect_bad("bad_prints_late.so", FTK_EINVAL, "prints while loading: 'hello from register'");
    identify(1, &after[0]);
    identify(2, &after[1]);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(before[i].st_dev, after[i].st_dev);
        assert_int_equal(before[i].st_ino, after[i].st_ino);
    }
}

/* A closed standard output stays closed, and the load works. */
static void test_closed_stdout(void **state)
{
    (void)state;
    struct seen seen = { 0 };
    struct ftk_error err;
    char buf[512];
    const ftk_stamp *stamp = NULL;
    fflush(stdout);
    int kept = dup(STDOUT_FILENO);
    close(STDOUT_FILENO);
    ftk_status st = load(plugin_path("prune_plain.so", buf), &seen, &stamp, &err);
    struct stat about;
    int is_open = fstat(STDOUT_FILENO, &about);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    assert_int_equal(st, FTK_OK);
    assert_int_equal(is_open, -1);
}

static void test_floating_point(void **state)
{
    (void)state;
    volatile double tiny = 2.2250738585072014e-308;
    expect_bad("bad_rounding.so", FTK_EINVAL, "changes the floating-point mode");
    assert_int_equal(fegetround(), FE_TONEAREST);
    expect_bad("bad_flush_to_zero.so", FTK_EINVAL, "changes the floating-point mode");
    assert_int_equal(fegetround(), FE_TONEAREST);
    assert_true(tiny / 2 > 0); /* subnormal numbers are still there             */
}

/* A file made here: `n` bytes of `data`. */
static void expect_made(const char *name, const void *data, size_t n, ftk_status st,
                        const char *text)
{
    struct scratch_dir dir;
    char buf[512];
    scratch_dir_init(&dir);
    scratch_dir_put(&dir, name, data, n);
    expect_refused(scratch_dir_file(&dir, name, buf, sizeof(buf)), st, text);
    scratch_dir_done(&dir);
}

static char *read_plain(size_t *ret_n)
{
    char buf[512];
    FILE *f = fopen(plugin_path("prune_plain.so", buf), "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *ret_n = (size_t)ftell(f);
    rewind(f);
    char *bytes = malloc(*ret_n);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *ret_n, f), *ret_n);
    fclose(f);
    return bytes;
}

static void test_no_shared_object(void **state)
{
    (void)state;
    static const char text[] = "#!/bin/sh\n"
                               "echo this is a script, longer than a whole ELF header would be\n";
    expect_made("empty.so", "", 0, FTK_EINVAL, "an empty file");
    expect_made("text.so", text, sizeof(text), FTK_EINVAL, "no ELF header");
    expect_made("short.so", "\177EL", 3, FTK_EINVAL, "no ELF header");
    expect_made("magic.so", "\177ELF", 4, FTK_EINVAL, "cut short: 4 bytes");
    expect_refused("/tmp", FTK_EINVAL, "not a regular file");
}

/* At every length a copy of a good file that lacks its end is refused. */
static void test_cut_short(void **state)
{
    (void)state;
    size_t n;
    char *bytes = read_plain(&n);
    for (size_t k = sizeof(Elf64_Ehdr); k < n; k += 997)
        expect_made("cut.so", bytes, k, FTK_EINVAL, "cut short");
    expect_made("cut.so", bytes, n - 1, FTK_EINVAL, "cut short");
    free(bytes);
}

static void test_foreign(void **state)
{
    (void)state;
    size_t n;
    char *bytes = read_plain(&n);
    Elf64_Ehdr header;
    memcpy(&header, bytes, sizeof(header));
    const Elf64_Ehdr good = header;
    header.e_machine = good.e_machine == EM_S390 ? EM_RISCV : EM_S390;
    memcpy(bytes, &header, sizeof(header));
    expect_made("machine.so", bytes, n, FTK_EABI, "built for ");
    header = good;
    header.e_ident[EI_CLASS] = ELFCLASS32;
    memcpy(bytes, &header, sizeof(header));
    expect_made("class.so", bytes, n, FTK_EABI, "ELF class 1");
    header = good;
    header.e_type = ET_REL;
    memcpy(bytes, &header, sizeof(header));
    expect_made("object.so", bytes, n, FTK_EINVAL, "link it with -shared");
    header = good;
    header.e_shoff = UINT64_MAX - 8;
    memcpy(bytes, &header, sizeof(header));
    expect_made("sections.so", bytes, n, FTK_EINVAL, "cut short");
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_registry_refuses),
        cmocka_unit_test(test_stamps),
        cmocka_unit_test(test_symbols),
        cmocka_unit_test(test_offers),
        cmocka_unit_test(test_prints),
        cmocka_unit_test(test_closed_stdout),
        cmocka_unit_test(test_floating_point),
        cmocka_unit_test(test_no_shared_object),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_foreign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
