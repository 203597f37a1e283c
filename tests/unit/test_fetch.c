/* SPDX-License-Identifier: MIT
 * test_fetch.c - data/fetch.c, download.c, unpack.c, verify.c and digest.c, with a set made here,
 * from file URLs, local folders and a web server on this machine.
 */
#include "base/io.h"
#include "base/mem.h"
#include "data/digest.h"
#include "data/unpack.h"
#include "data/verify.h"
#include "oom.h"
#include "toy_set.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

/* Where the set is published, and the data folder. */
static struct scratch_dir there, here;
static struct toy_set *toy;
static char file_url[300], part[300];

static int set_up(void **state)
{
    (void)state;
    scratch_dir_init(&there);
    scratch_dir_init(&here);
    toy = malloc(sizeof *toy);
    assert_non_null(toy);
    toy_set_init(toy, &there);
    snprintf(file_url, sizeof file_url, "file://%s", there.path);
    scratch_dir_file(&here, "toy.tar.gz.part", part, sizeof part);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(toy);
    scratch_dir_done(&there);
    scratch_dir_done(&here);
    return 0;
}

static ftk_status fetch(const char *from, bool *ret_was_there, struct ftk_error *err)
{
    const struct ftk__fetch f = { .set = &toy->set, .from = from, .to = here.path };
    struct ftk__fetched got = { NULL, false };
    ftk_status st = ftk__fetch(&f, &got, err);
    if (st == FTK_OK) {
        char folder[300];
        assert_string_equal(got.folder, scratch_dir_file(&here, "toy-bin", folder, sizeof folder));
        *ret_was_there = got.was_there;
    }
    ftk__free(got.folder);
    return st;
}

static void assert_file(const char *name, const void *data, size_t n)
{
    char path[400];
    char *got = NULL;
    uint64_t bytes = 0;
    assert_int_equal(ftk__file_read(scratch_dir_file(&here, name, path, sizeof path), 1 << 20, &got,
                                    &bytes, NULL),
                     FTK_OK);
    assert_int_equal(bytes, n);
    assert_memory_equal(got, data, n);
    ftk__free(got);
}

/* All is well in the data folder, nothing is left over. */
static void assert_fetches(const char *from, bool was_there)
{
    bool was = !was_there;
    struct ftk_error err;
    if (fetch(from, &was, &err) != FTK_OK)
        fail_msg("%s", err.message);
    assert_int_equal(was, was_there);
    assert_file("toy-bin/a.bin", toy->data[0], TOY_BYTES);
    assert_file("toy-bin/b.bin", toy->data[1], TOY_BYTES);
    assert_false(ftk__file_exists(part));
}

static void assert_fails(const char *from, ftk_status expected, int code, const char *text)
{
    bool was;
    struct ftk_error err = { 0 };
    ftk_status st = fetch(from, &was, &err);
    if (st != expected || ftk__error_exit_code(&err) != code || !strstr(err.message, text))
        fail_msg("%d, exit %d, \"%s\", expected %d, exit %d, '%s'", (int)st,
                 ftk__error_exit_code(&err), err.message, (int)expected, code, text);
}

static uint64_t archive_bytes(void)
{
    char path[300];
    uint64_t n = 0;
    assert_int_equal(
        ftk__file_size(scratch_dir_file(&there, "toy.tar.gz", path, sizeof path), &n, NULL),
        FTK_OK);
    assert_true(n > TOY_BYTES);
    return n;
}

/* The first n bytes of the archive, as an earlier attempt left them; the first one wrong if so. */
static void put_part(size_t n, bool wrong)
{
    char path[300];
    char *bytes = NULL;
    uint64_t all = 0;
    assert_int_equal(ftk__file_read(scratch_dir_file(&there, "toy.tar.gz", path, sizeof path),
                                    1 << 20, &bytes, &all, NULL),
                     FTK_OK);
    bytes[0] = (char)(bytes[0] ^ (wrong ? 1 : 0));
    scratch_dir_put(&here, "toy.tar.gz.part", bytes, n);
    ftk__free(bytes);
}

static void checksums(void **state)
{
    (void)state;
    struct ftk__digest d;
    struct ftk_error err;
    char path[300];
    scratch_dir_put(&here, "abc", "abc", 3);
    scratch_dir_file(&here, "abc", path, sizeof path);
    assert_int_equal(ftk__digest_file(path, "", false, &d, NULL), FTK_OK);
    assert_string_equal(d.text, "md5:900150983cd24fb0d6963f7d28e17f72"); /* RFC 1321 */
    assert_int_equal(d.bytes, 3);
    assert_int_equal(ftk__digest_file(path, "sha256:", true, &d, NULL), FTK_OK);
    assert_string_equal(d.text, /* FIPS 180-2 */
                        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(ftk__digest_check(path, d.text, NULL), FTK_OK);
    assert_int_equal(ftk__digest_check(path, "md5:900150983cd24fb0d6963f7d28e17f73", &err),
                     FTK_EINVAL);
    assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_DATA);
    assert_int_equal(ftk__digest_file("/nowhere/abc", "", false, &d, &err), FTK_ENOENT);
    gzFile gz = gzopen(path, "wb");
    assert_int_equal(gzwrite(gz, "abc", 3), 3);
    gzclose(gz);
    assert_int_equal(ftk__digest_file(path, "", true, &d, NULL), FTK_OK);
    assert_string_equal(d.text, "md5:900150983cd24fb0d6963f7d28e17f72");
    assert_int_equal(ftk__digest_file(path, "", false, &d, NULL), FTK_OK);
    assert_string_not_equal(d.text, "md5:900150983cd24fb0d6963f7d28e17f72");
}

static void from_a_file_url(void **state)
{
    (void)state;
    char url[400];
    assert_fetches(file_url, false);
    assert_file("toy-bin/notes/readme.html", "hello", 5);
    assert_fetches(file_url, true);
    scratch_dir_put(&here, "toy-bin/b.bin", "other", 5);
    assert_fetches(file_url, false);
    snprintf(url, sizeof url, "%s/toy.tar.gz", file_url);
    scratch_dir_put(&here, "toy-bin/a.bin", "", 0);
    assert_fetches(url, false);
}

static void continued(void **state)
{
    (void)state;
    struct toy_server s;
    put_part(1000, false);
    assert_fetches(file_url, false);
    scratch_dir_put(&here, "toy-bin/a.bin", "", 0);
    put_part(1000, false);
    toy_server_open(&s, &there, "");
    assert_fetches(s.url, false);
    char *log = toy_server_log(&s);
    assert_string_equal(log, "/toy.tar.gz bytes=1000-\n");
    free(log);
    toy_server_close(&s);
}

/* The connection breaks; the same call asks for the rest alone. */
static void interrupted(void **state)
{
    (void)state;
    struct toy_server s;
    struct ftk_error err = { 0 };
    bool was;
    uint64_t n = 0;
    toy_server_open(&s, &there, "--cut 5000");
    assert_int_equal(fetch(s.url, &was, &err), FTK_EIO);
    assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_IO);
    assert_int_equal(err.n_context, 1);
    assert_non_null(strstr(err.context[0], "5000 bytes are in "));
    assert_int_equal(ftk__file_size(part, &n, NULL), FTK_OK);
    assert_int_equal(n, 5000);
    assert_fetches(s.url, false);
    char *log = toy_server_log(&s);
    assert_string_equal(log, "/toy.tar.gz -\n/toy.tar.gz bytes=5000-\n");
    free(log);
    toy_server_close(&s);
}

static void all_of_it_was_there(void **state)
{
    (void)state;
    struct toy_server s;
    toy_server_open(&s, &there, "");
    put_part(archive_bytes(), false);
    assert_fetches(s.url, false);
    char *log = toy_server_log(&s);
    assert_non_null(strstr(log, "bytes="));
    assert_null(strstr(log, " -\n"));
    free(log);
    toy_server_close(&s);
    scratch_dir_put(&here, "toy-bin/a.bin", "", 0);
    put_part(archive_bytes(), false);
    assert_fetches(file_url, false);
}

static void server_without_ranges(void **state)
{
    (void)state;
    struct toy_server s;
    toy_server_open(&s, &there, "--no-ranges");
    put_part(1000, true);
    assert_fetches(s.url, false);
    toy_server_close(&s);
}

static void wrong_checksum(void **state)
{
    (void)state;
    put_part(1000, true);
    assert_fails(file_url, FTK_EINVAL, FTK__EXIT_DATA, "wrong checksum md5:");
    assert_false(ftk__file_exists(part));
    char path[300];
    assert_false(ftk__file_exists(scratch_dir_file(&here, "toy-bin/a.bin", path, sizeof path)));
    assert_fetches(file_url, false); /* anew */
}

static void not_to_be_had(void **state)
{
    (void)state;
    struct toy_server s;
    char path[300];
    assert_fails("http://127.0.0.1:1", FTK_EIO, FTK__EXIT_IO, "http://127.0.0.1:1/toy.tar.gz");
    assert_fails(NULL, FTK_EIO, FTK__EXIT_IO, "http://127.0.0.1:1/toy.tar.gz");
    assert_fails("gopher://127.0.0.1", FTK_EINVAL, FTK__EXIT_USAGE, "gopher");
    assert_int_equal(unlink(scratch_dir_file(&there, "toy.tar.gz", path, sizeof path)), 0);
    assert_fails(file_url, FTK_ENOENT, FTK__EXIT_NO_DATA, "there is no such file");
    toy_server_open(&s, &there, "");
    assert_fails(s.url, FTK_ENOENT, FTK__EXIT_NO_DATA, "404");
    toy_server_close(&s);
    assert_fails("/nowhere/at/all", FTK_ENOENT, FTK__EXIT_NO_DATA, "no such folder");
}

static void another_process_is_at_it(void **state)
{
    (void)state;
    int fd = open(part, O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_fails(file_url, FTK_EEXIST, FTK__EXIT_IN_USE, "another process");
    close(fd);
    assert_fetches(file_url, false);
}

static void from_a_local_folder(void **state)
{
    (void)state;
    char path[300];
    char moved[300];
    assert_fetches(there.path, false); /* the archive */
    assert_true(ftk__file_exists(scratch_dir_file(&there, "toy.tar.gz", path, sizeof path)));
    scratch_dir_put(&here, "toy-bin/a.bin", "", 0);
    unlink(path);
    assert_fetches(there.path, false); /* the files themselves */
    scratch_dir_put(&here, "toy-bin/a.bin", "", 0);
    assert_int_equal(mkdir(scratch_dir_file(&there, "toy-bin", path, sizeof path), 0700), 0);
    for (size_t i = 0; i < TOY_FILES; i++) {
        char name[64];
        snprintf(name, sizeof name, "toy-bin/%s", toy->files[i].name);
        assert_int_equal(rename(scratch_dir_file(&there, toy->files[i].name, path, sizeof path),
                                scratch_dir_file(&there, name, moved, sizeof moved)),
                         0);
    }
    assert_fetches(there.path, false); /* their folder */
    scratch_dir_put(&here, "toy-bin/a.bin", "mine", 4);
    scratch_dir_put(&there, "toy-bin/b.bin", "", 0);
    assert_fails(there.path, FTK_EINVAL, FTK__EXIT_DATA, "b.bin: 0 bytes, expected 60000");
    assert_file("toy-bin/a.bin", "mine", 4); /* nothing was copied */
    unlink(moved);
    assert_fails(there.path, FTK_ENOENT, FTK__EXIT_NO_DATA, "no b.bin of Toy");
    scratch_dir_put(&there, "toy.tar.gz", "PK", 2);
    assert_fails(there.path, FTK_EINVAL, FTK__EXIT_DATA, "toy.tar.gz: wrong checksum");
}

/* A set whose files are published one by one: only what is wrong comes again. */
static void file_by_file(void **state)
{
    (void)state;
    struct toy_server s;
    toy_set_by_file(toy, &there);
    toy_server_open(&s, &there, "");
    assert_fetches(s.url, false);
    scratch_dir_put(&here, "toy-bin/b.bin", "other", 5);
    assert_fetches(s.url, false);
    char *log = toy_server_log(&s);
    assert_string_equal(log, "/a.bin -\n/b.bin -\n/b.bin -\n");
    free(log);
    toy_server_close(&s);
    scratch_dir_put(&here, "toy-bin/a.bin", "other", 5);
    assert_fetches(there.path, false);
}

/* Archives that would write elsewhere, or are no archives. */
static void bad_archives(void **state)
{
    (void)state;
    static const struct {
        struct toy_entry entry;
        const char *text;
    } cases[] = {
        { { "../evil", 'f', "x", 1 }, "does not lie in 'toy-bin'" },
        { { "toy-bin/../../evil", 'f', "x", 1 }, "does not lie in" },
        { { "toy-bin/sub/../../../evil", 'f', "x", 1 }, "does not lie in" },
        { { "toy-bin/..", 'd', NULL, 0 }, "does not lie in" },
        { { "/tmp/evil", 'f', "x", 1 }, "does not lie in" },
        { { "evil", 'f', "x", 1 }, "does not lie in" },
        { { "toy-binary/evil", 'f', "x", 1 }, "does not lie in" },
        { { "toy-bin/link", 's', "/etc", 0 }, "is a link or device" },
        { { "toy-bin/link", 's', "..", 0 }, "is a link or device" },
        { { "toy-bin/hard", 'h', "/etc/passwd", 0 }, "is a link or device" },
        { { "toy-bin/pipe", 'p', NULL, 0 }, "is a link or device" },
    };
    char archive[300];
    char path[400];
    scratch_dir_file(&there, "bad.tar.gz", archive, sizeof archive);
    scratch_dir_file(&here, "deep/er", path, sizeof path);
    assert_int_equal(ftk__mkdirs(path, NULL), FTK_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ftk_error err = { 0 };
        char evil[400];
        toy_archive(archive, &cases[i].entry, 1);
        assert_int_equal(ftk__unpack(archive, "toy-bin", path, &err), FTK_EINVAL);
        assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_DATA);
        if (!strstr(err.message, cases[i].text) || !strstr(err.message, archive))
            fail_msg("case %zu: %s", i, err.message);
        assert_int_not_equal(access(scratch_dir_file(&here, "evil", evil, sizeof evil), F_OK), 0);
        assert_int_not_equal(access(scratch_dir_file(&here, "deep/evil", evil, sizeof evil), F_OK),
                             0);
        assert_int_equal(rmdir(path), 0); /* empty as before */
        assert_int_equal(mkdir(path, 0700), 0);
    }
}

static void damaged_archives(void **state)
{
    (void)state;
    struct ftk_error err = { 0 };
    char archive[300];
    char *bytes = NULL;
    uint64_t n = 0;
    scratch_dir_file(&there, "toy.tar.gz", archive, sizeof archive);
    assert_int_equal(ftk__file_read(archive, 1 << 20, &bytes, &n, NULL), FTK_OK);
    scratch_dir_put(&there, "toy.tar.gz", bytes, n / 2);
    assert_int_equal(ftk__unpack(archive, "toy-bin", here.path, &err), FTK_EINVAL);
    assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_DATA);
    scratch_dir_put(&there, "toy.tar.gz", toy->data[0], TOY_BYTES);
    assert_int_equal(ftk__unpack(archive, "toy-bin", here.path, &err), FTK_EINVAL);
    assert_int_equal(ftk__unpack("/nowhere/x.tar", "toy-bin", here.path, &err), FTK_ENOENT);
    ftk__free(bytes);
}

static void verdicts(void **state)
{
    (void)state;
    struct ftk__file_verdict v;
    struct ftk__set_file f = toy->files[0];
    assert_int_equal(ftk__verify_file(&f, there.path, &v, NULL), FTK_OK);
    assert_int_equal(v.state, FTK__FILE_GOOD);
    f.checksum = "";
    assert_int_equal(ftk__verify_file(&f, there.path, &v, NULL), FTK_OK);
    assert_int_equal(v.state, FTK__FILE_GOOD);
    assert_non_null(strstr(v.why, "no checksum is published"));
    f.checksum = toy->checksum[1];
    assert_int_equal(ftk__verify_file(&f, there.path, &v, NULL), FTK_OK);
    assert_int_equal(v.state, FTK__FILE_WRONG);
    assert_non_null(strstr(v.why, toy->checksum[1]));
    f.bytes = TOY_BYTES - 1;
    assert_int_equal(ftk__verify_file(&f, there.path, &v, NULL), FTK_OK);
    assert_int_equal(v.state, FTK__FILE_WRONG);
    assert_non_null(strstr(v.why, "60000 bytes, expected 59999"));
    scratch_dir_put(&here, "a.bin.gz", "\x1f\x8b", 2); /* gzip that breaks off */
    assert_int_equal(ftk__verify_file(&toy->files[0], here.path, &v, NULL), FTK_OK);
    assert_int_equal(v.state, FTK__FILE_WRONG);
    assert_non_null(strstr(v.why, "damaged gzip"));
    assert_int_equal(ftk__verify_file(&toy->files[1], here.path, &v, NULL), FTK_OK);
    assert_int_equal(v.state, FTK__FILE_MISSING);
    assert_int_equal(ftk__verify_set(&toy->set, there.path, NULL), FTK_OK);
    assert_int_equal(ftk__verify_set(&toy->set, here.path, NULL), FTK_EINVAL);
}

static void the_catalogue(void **state)
{
    (void)state;
    const struct ftk__catalogue *set;
    struct ftk_error err;
    assert_int_equal(ftk__catalogue_find("cifar100", &set, NULL), FTK_OK);
    assert_ptr_equal(set, &ftk__catalogue_cifar100);
    assert_int_equal(ftk__catalogue_find("cifar1O", &set, &err), FTK_EINVAL);
    assert_int_equal(ftk__error_exit_code(&err), FTK__EXIT_USAGE);
    assert_non_null(strstr(err.message, "cifar10"));
    for (size_t i = 0; ftk__catalogue[i]; i++) {
        set = ftk__catalogue[i];
        for (uint32_t k = 0; k < set->n_files; k++)
            assert_true(*set->files[k].checksum == 0 || strlen(set->files[k].checksum) == 36);
        for (uint32_t k = 0; k < set->n_sources; k++)
            assert_int_equal(strlen(set->sources[k].checksum), 36); /* "md5:" and 32 digits */
    }
}

/* A set without a source of its own. */
static void a_package(void **state)
{
    (void)state;
    toy->set.n_sources = 0;
    toy->set.place.get = "apt-get install toy";
    toy->set.place.package_folder = "/nowhere";
    assert_fails(NULL, FTK_ENOENT, FTK__EXIT_NO_DATA, "apt-get install toy");
    assert_fails(file_url, FTK_EINVAL, FTK__EXIT_USAGE, "apt-get install toy");
    assert_fetches(there.path, false);
}

static ftk_status fetch_anew(void *arg)
{
    char path[300];
    bool was;
    (void)arg;
    unlink(scratch_dir_file(&here, "toy-bin/a.bin", path, sizeof path));
    unlink(part);
    return fetch(file_url, &was, NULL);
}

static void out_of_memory(void **state)
{
    (void)state;
    assert_true(ftk_oom_sweep(fetch_anew, NULL, 1) >= 10);
}

#define IN_FOLDERS(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDERS(checksums),
        IN_FOLDERS(from_a_file_url),
        IN_FOLDERS(continued),
        IN_FOLDERS(interrupted),
        IN_FOLDERS(all_of_it_was_there),
        IN_FOLDERS(server_without_ranges),
        IN_FOLDERS(wrong_checksum),
        IN_FOLDERS(not_to_be_had),
        IN_FOLDERS(another_process_is_at_it),
        IN_FOLDERS(from_a_local_folder),
        IN_FOLDERS(file_by_file),
        IN_FOLDERS(bad_archives),
        IN_FOLDERS(damaged_archives),
        IN_FOLDERS(verdicts),
        IN_FOLDERS(the_catalogue),
        IN_FOLDERS(a_package),
        IN_FOLDERS(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
