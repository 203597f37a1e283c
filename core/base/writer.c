/* SPDX-License-Identifier: MIT
 * base/writer.c - files written atomically, and files that only grow (both of base/io.h).
 */
#include "base/io.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static ftk_status fail_write(struct ftk_error *reterr, int error, const char *path)
{
    if (error == ENOMEM)
        return ftk__fail(reterr, FTK_ENOMEM, "cannot write %s: out of memory", path);
    return ftk__fail(reterr, FTK_EIO, "cannot write %s: %s", path, strerror(error));
}

/* stdio may fail without saying why. */
static int reason(void)
{
    return errno != 0 ? errno : EIO;
}

ftk_status ftk__writer_open(struct ftk__writer *w, const char *path, struct ftk_error *reterr)
{
    *w = (struct ftk__writer){ 0 };
    struct ftk__str tmp = { 0 };
    ftk__str_addf(&tmp, "%s.tmp", path);
    w->path = ftk__strdup(path);
    w->tmp = tmp.text;
    if (tmp.failed || !w->path) {
        ftk__writer_abort(w);
        return fail_write(reterr, ENOMEM, path);
    }
    errno = 0;
    w->file = fopen(w->tmp, "wbe");
    if (!w->file) {
        ftk_status st = fail_write(reterr, reason(), w->tmp);
        ftk__writer_abort(w);
        return st;
    }
    return FTK_OK;
}

ftk_status ftk__writer_keep(struct ftk__writer *w, const char *former, struct ftk_error *reterr)
{
    struct ftk__str tmp = { 0 };
    ftk__free(w->former);
    ftk__free(w->former_tmp);
    ftk__str_addf(&tmp, "%s.tmp", former);
    w->former = ftk__strdup(former);
    w->former_tmp = tmp.text;
    if (tmp.failed || !w->former)
        return fail_write(reterr, ENOMEM, w->path);
    return FTK_OK;
}

/* The file that stands at `path` gets its second name, or, where there are no hard links, another. */
static int keep_former(const struct ftk__writer *w)
{
    unlink(w->former_tmp);
    if (link(w->path, w->former_tmp) != 0)
        return rename(w->path, w->former) == 0 || errno == ENOENT ? 0 : reason();
    int error = rename(w->former_tmp, w->former) != 0 ? reason() : 0;
    unlink(w->former_tmp); /* it stays where both were one file already */
    return error;
}

void ftk__writer_put(struct ftk__writer *w, const void *data, uint64_t bytes)
{
    if (w->error != 0 || bytes == 0)
        return;
    errno = 0;
    if (fwrite(data, 1, (size_t)bytes, w->file) != (size_t)bytes)
        w->error = reason();
}

void ftk__writer_printf(struct ftk__writer *w, const char *fmt, ...)
{
    if (w->error != 0)
        return;
    va_list args;
    va_start(args, fmt);
    errno = 0;
    if (vfprintf(w->file, fmt, args) < 0)
        w->error = reason();
    va_end(args);
}

int ftk__sync_names(const char *path)
{
    char *dir = ftk__path_dir(path);
    if (!dir)
        return ENOMEM;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ftk__free(dir);
    if (fd < 0)
        return errno;
    /* Some file systems cannot sync a folder (EINVAL); the rename is as safe there as it gets. */
    int error = fsync(fd) != 0 && errno != EINVAL ? errno : 0;
    close(fd);
    return error;
}

ftk_status ftk__writer_commit(struct ftk__writer *w, struct ftk_error *reterr)
{
    errno = 0;
    if (w->error == 0 && (fflush(w->file) != 0 || fsync(fileno(w->file)) != 0))
        w->error = reason();
    errno = 0;
    if (fclose(w->file) != 0 && w->error == 0)
        w->error = reason();
    w->file = NULL;
    errno = 0;
    if (w->error == 0 && w->former)
        w->error = keep_former(w);
    errno = 0;
    if (w->error == 0 && rename(w->tmp, w->path) != 0)
        w->error = reason();
    if (w->error == 0)
        w->error = ftk__sync_names(w->path);
    ftk_status st = w->error != 0 ? fail_write(reterr, w->error, w->path) : FTK_OK;
    ftk__writer_abort(w);
    return st;
}

void ftk__writer_abort(struct ftk__writer *w)
{
    if (w->file)
        fclose(w->file);
    if (w->tmp && (w->file || w->error != 0))
        unlink(w->tmp);
    ftk__free(w->path);
    ftk__free(w->tmp);
    ftk__free(w->former);
    ftk__free(w->former_tmp);
    *w = (struct ftk__writer){ 0 };
}

/* A line that a full disk cut off ends here, or the next would go on in it. */
static void end_line(struct ftk__appender *a)
{
    struct stat st;
    char last = '\n';
    int fd = fileno(a->file);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
        return;
    if (pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n')
        ftk__appender_printf(a, "\n");
}

ftk_status ftk__appender_open(struct ftk__appender *a, const char *path, bool truncate,
                              struct ftk_error *reterr)
{
    *a = (struct ftk__appender){ .path = ftk__strdup(path) };
    if (!a->path)
        return fail_write(reterr, ENOMEM, path);
    errno = 0;
    a->file = fopen(path, truncate ? "we" : "a+e"); /* read: its last byte */
    if (!a->file) {
        ftk_status st = fail_write(reterr, reason(), path);
        a->path = ftk__free(a->path);
        return st;
    }
    end_line(a);
    return FTK_OK;
}

void ftk__appender_printf(struct ftk__appender *a, const char *fmt, ...)
{
    if (a->error != 0)
        return;
    va_list args;
    va_start(args, fmt);
    errno = 0;
    if (vfprintf(a->file, fmt, args) < 0 || fflush(a->file) != 0)
        a->error = reason();
    va_end(args);
}

ftk_status ftk__appender_sync(struct ftk__appender *a, uint64_t *ret_bytes,
                              struct ftk_error *reterr)
{
    struct stat st = { 0 };
    int fd = fileno(a->file);
    errno = 0;
    if (a->error == 0 && (fflush(a->file) != 0 || fstat(fd, &st) != 0))
        a->error = reason();
    uint64_t bytes = (uint64_t)st.st_size;
    errno = 0;
    if (a->error == 0 && bytes != a->synced && fsync(fd) != 0)
        a->error = reason();
    if (a->error == 0 && !a->named)
        a->error = ftk__sync_names(a->path);
    if (a->error != 0)
        return ftk__appender_check(a, reterr);
    a->named = true;
    a->synced = bytes;
    *ret_bytes = bytes;
    return FTK_OK;
}

ftk_status ftk__appender_check(const struct ftk__appender *a, struct ftk_error *reterr)
{
    return a->error != 0 ? fail_write(reterr, a->error, a->path) : FTK_OK;
}

ftk_status ftk__appender_close(struct ftk__appender *a, struct ftk_error *reterr)
{
    if (!a->file)
        return FTK_OK;
    errno = 0;
    if (fclose(a->file) != 0 && a->error == 0)
        a->error = reason();
    ftk_status st = ftk__appender_check(a, reterr);
    ftk__free(a->path);
    *a = (struct ftk__appender){ 0 };
    return st;
}
