/* SPDX-License-Identifier: MIT
 * data/unpack.c - unpacks tar archives by libarchive.  Names are checked here and files opened
 * here: an archive can make folders and regular files below the one folder, nothing else.
 */
#include "data/unpack.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

enum { BLOCK = 64 * 1024 };

static ftk_status damaged(const char *path, struct archive *a, struct ftk_error *reterr)
{
    const char *why = archive_error_string(a);
    int error = archive_errno(a);
    if (error == ENOENT)
        return ftk__fail_exit(reterr, FTK_ENOENT, FTK__EXIT_NO_DATA, "%s: no such file", path);
    if (error == ENOMEM)
        return ftk__fail(reterr, FTK_ENOMEM, "%s: out of memory", path);
    return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA, "%s: byte %lld of the content: %s",
                          path, (long long)archive_filter_bytes(a, 0), why ? why : "damaged");
}

/* Below `folder`, without "..", "." or an empty part. */
static bool is_inside(const char *name, const char *folder)
{
    size_t n = strlen(folder);
    if (strncmp(name, folder, n) != 0 || name[n] != '/')
        return false;
    const char *part = name + n + 1;
    while (*part) {
        size_t len = strcspn(part, "/");
        if (len == 0 || (len == 1 && part[0] == '.') || (len == 2 && memcmp(part, "..", 2) == 0))
            return false;
        part += len;
        part += *part == '/';
    }
    return true;
}

static ftk_status copy_data(struct archive *a, const char *archive, struct ftk__writer *w,
                            struct ftk_error *reterr)
{
    char block[BLOCK];
    for (;;) {
        la_ssize_t n = archive_read_data(a, block, sizeof block);
        if (n < 0)
            return damaged(archive, a, reterr);
        if (n == 0)
            return FTK_OK;
        ftk__writer_put(w, block, (uint64_t)n);
    }
}

static ftk_status write_file(struct archive *a, const char *archive, const char *path,
                             struct ftk_error *reterr)
{
    char *dir = ftk__path_dir(path);
    if (!dir)
        return ftk__fail(reterr, FTK_ENOMEM, "out of memory for a file name");
    struct ftk__writer w = { 0 };
    ftk_status st = ftk__mkdirs(dir, reterr);
    if (st == FTK_OK)
        st = ftk__writer_open(&w, path, reterr);
    ftk__free(dir);
    if (st != FTK_OK)
        return st;
    st = copy_data(a, archive, &w, reterr);
    if (st == FTK_OK)
        return ftk__writer_commit(&w, reterr);
    ftk__writer_abort(&w);
    return st;
}

static ftk_status unpack_entry(struct archive *a, struct archive_entry *e, const char *archive,
                               const char *folder, const char *to, struct ftk_error *reterr)
{
    const char *name = archive_entry_pathname(e);
    if (!name)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA, "%s: an entry without a name",
                              archive);
    if (ftk__str_starts(name, "./"))
        name += 2;
    bool is_dir = archive_entry_filetype(e) == AE_IFDIR;
    bool is_top = is_dir && (*name == 0 || strcmp(name, folder) == 0);
    if (!is_top && !is_inside(name, folder))
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                              "%s: the entry '%s' does not lie in '%s'", archive, name, folder);
    if (is_dir)
        return FTK_OK; /* made for the files in it */
    if (archive_entry_filetype(e) != AE_IFREG || archive_entry_hardlink(e))
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                              "%s: the entry '%s' is a link or device", archive, name);
    char *path = ftk__path_join(to, name);
    if (!path)
        return ftk__fail(reterr, FTK_ENOMEM, "out of memory for a file name");
    ftk_status st = write_file(a, archive, path, reterr);
    ftk__free(path);
    return st;
}

static ftk_status unpack_all(struct archive *a, const char *archive, const char *folder,
                             const char *to, struct ftk_error *reterr)
{
    struct archive_entry *e;
    ftk_status st = FTK_OK;
    if (archive_read_open_filename(a, archive, BLOCK) != ARCHIVE_OK)
        return damaged(archive, a, reterr);
    while (st == FTK_OK) {
        int rc = archive_read_next_header(a, &e);
        if (rc == ARCHIVE_EOF)
            break;
        st = rc < ARCHIVE_WARN ? damaged(archive, a, reterr)
                               : unpack_entry(a, e, archive, folder, to, reterr);
    }
    return st;
}

ftk_status ftk__unpack(const char *archive, const char *folder, const char *to,
                       struct ftk_error *reterr)
{
    struct archive *a = archive_read_new();
    ftk_status st;
    if (!a || archive_read_support_filter_gzip(a) != ARCHIVE_OK ||
        archive_read_support_format_tar(a) != ARCHIVE_OK)
        st = ftk__fail(reterr, FTK_ENOMEM, "libarchive cannot be set up for %s", archive);
    else
        st = unpack_all(a, archive, folder, to, reterr);
    archive_read_free(a);
    return st;
}
