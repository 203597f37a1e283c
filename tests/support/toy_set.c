/* SPDX-License-Identifier: MIT
 * toy_set.c - archives, a small set and a web server for tests of fetching.
 */
#include "toy_set.h"
#include "data/digest.h"
#include <archive.h>
#include <archive_entry.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void add_entry(struct archive *a, const struct toy_entry *t)
{
    struct archive_entry *e = archive_entry_new();
    assert_non_null(e);
    archive_entry_set_pathname(e, t->name);
    archive_entry_set_perm(e, 0644);
    archive_entry_set_size(e, t->type == 'f' ? (la_int64_t)t->n : 0);
    archive_entry_set_filetype(e, t->type == 'd'   ? AE_IFDIR
                                  : t->type == 's' ? AE_IFLNK
                                  : t->type == 'p' ? AE_IFIFO
                                                   : AE_IFREG);
    if (t->type == 's')
        archive_entry_set_symlink(e, t->data);
    if (t->type == 'h')
        archive_entry_set_hardlink(e, t->data);
    assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
    if (t->type == 'f')
        assert_int_equal(archive_write_data(a, t->data, t->n), t->n);
    archive_entry_free(e);
}

void toy_archive(const char *path, const struct toy_entry *entries, size_t n)
{
    struct archive *a = archive_write_new();
    size_t len = strlen(path);
    assert_non_null(a);
    if (len > 3 && strcmp(path + len - 3, ".gz") == 0)
        assert_int_equal(archive_write_add_filter_gzip(a), ARCHIVE_OK);
    assert_int_equal(archive_write_set_format_ustar(a), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
    for (size_t i = 0; i < n; i++)
        add_entry(a, &entries[i]);
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
}

static void checksum_of(const struct scratch_dir *dir, const char *name, char ret[80])
{
    char path[512];
    struct ftk__digest d;
    scratch_dir_file(dir, name, path, sizeof path);
    assert_int_equal(ftk__digest_file(path, "", false, &d, NULL), FTK_OK);
    memcpy(ret, d.text, sizeof d.text);
}

void toy_set_init(struct toy_set *t, const struct scratch_dir *dir)
{
    static const char *const names[TOY_FILES] = { "a.bin", "b.bin" };
    char path[512];
    memset(t, 0, sizeof *t);
    uint32_t noise = 1;
    for (size_t i = 0; i < TOY_FILES; i++) {
        for (size_t k = 0; k < TOY_BYTES; k++) {
            noise = noise * 1664525u + 1013904223u; /* so that gzip cannot shrink it */
            t->data[i][k] = (unsigned char)(noise >> 24);
        }
        scratch_dir_put(dir, names[i], t->data[i], TOY_BYTES);
        checksum_of(dir, names[i], t->checksum[i]);
        t->files[i] = (struct ftk__set_file){ names[i], TOY_BYTES, t->checksum[i] };
    }
    const struct toy_entry entries[] = {
        { "./toy-bin/", 'd', NULL, 0 },
        { "./toy-bin/a.bin", 'f', t->data[0], TOY_BYTES },
        { "toy-bin/b.bin", 'f', t->data[1], TOY_BYTES },
        { "toy-bin/notes/readme.html", 'f', "hello", 5 },
    };
    toy_archive(scratch_dir_file(dir, "toy.tar.gz", path, sizeof path), entries, 4);
    checksum_of(dir, "toy.tar.gz", t->checksum[TOY_FILES]);
    t->sources[0] = (struct ftk__set_source){ "toy.tar.gz", "http://127.0.0.1:1",
                                              t->checksum[TOY_FILES], true };
    t->set = (struct ftk__catalogue){
        .name = "toy",
        .place = { .title = "Toy", .folder = "toy-bin", .get = "freetickets data fetch toy" },
        .files = t->files,
        .sources = t->sources,
        .n_files = TOY_FILES,
        .n_sources = 1,
        .terms = "",
    };
}

void toy_set_by_file(struct toy_set *t, const struct scratch_dir *dir)
{
    toy_set_init(t, dir);
    for (size_t i = 0; i < TOY_FILES; i++)
        t->sources[i] = (struct ftk__set_source){ t->files[i].name, "http://127.0.0.1:1",
                                                  t->checksum[i], false };
    t->set.n_sources = TOY_FILES;
}

void toy_server_open(struct toy_server *s, const struct scratch_dir *dir, const char *options)
{
    char command[1200];
    int port = 0;
    int pid = 0;
    const char *source_dir = getenv("FTK_SOURCE_DIR");
    assert_non_null(source_dir);
    scratch_dir_file(dir, "requests.log", s->log, sizeof s->log);
    remove(s->log);
    int n = snprintf(command, sizeof command,
                     "exec python3 '%s/tests/support/range_server.py' '%s' '%s' %s", source_dir,
                     dir->path, s->log, options);
    assert_in_range(n, 1, sizeof command - 1);
    s->out = popen(command, "re");
    assert_non_null(s->out);
    assert_int_equal(fscanf(s->out, "%d %d", &port, &pid), 2);
    s->pid = pid;
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d", port);
}

void toy_server_close(struct toy_server *s)
{
    kill(s->pid, SIGTERM);
    pclose(s->out);
}

char *toy_server_log(const struct toy_server *s)
{
    char *text = calloc(1, 4096);
    assert_non_null(text);
    FILE *f = fopen(s->log, "r");
    if (f) {
        assert_true(fread(text, 1, 4095, f) < 4095);
        fclose(f);
    }
    return text;
}
