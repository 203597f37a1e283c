/* SPDX-License-Identifier: MIT
 * base/io.c - whole files and folders, and the lock of a run folder.
 */
#include "base/io.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_READ = 64 * 1024 };

/* "cannot <what> <path>: reason" */
static ftk_status fail_errno(struct ftk_error *reterr, int error, const char *what,
                             const char *path)
{
    if (error == ENOMEM)
        return ftk__fail(reterr, FTK_ENOMEM, "cannot %s %s: out of memory", what, path);
    return ftk__fail(reterr, FTK_EIO, "cannot %s %s: %s", what, path, strerror(error));
}

/* A missing file is 66 for the shell, all else 74. */
static ftk_status fail_read(struct ftk_error *reterr, int error, const char *path)
{
    if (error == ENOENT || error == ENOTDIR)
        return ftk__fail_exit(reterr, FTK_ENOENT, FTK__EXIT_NO_DATA, "cannot read %s: %s", path,
                              strerror(error));
    return fail_errno(reterr, error, "read", path);
}

bool ftk__file_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

bool ftk__is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

ftk_status ftk__file_size(const char *path, uint64_t *ret_bytes, struct ftk_error *reterr)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return fail_read(reterr, errno, path);
    *ret_bytes = (uint64_t)st.st_size;
    return FTK_OK;
}

static ftk_status fail_large(const char *path, uint64_t limit, struct ftk_error *reterr)
{
    return ftk__fail_exit(reterr, FTK_ERANGE, FTK__EXIT_DATA, "%s is above %" PRIu64 " bytes", path,
                          limit);
}

/* Reads to the end of the file: its size may change, and a pipe tells none. */
static ftk_status read_all(int fd, const char *path, uint64_t cap, uint64_t limit, char **ret_data,
                           uint64_t *ret_bytes, struct ftk_error *reterr)
{
    uint64_t n = 0;
    char *data = ftk__alloc_array(cap + 1, 1);
    if (!data)
        return fail_read(reterr, ENOMEM, path);
    for (;;) {
        ssize_t got = read(fd, data + n, (size_t)(cap - n));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            ftk_status st = fail_read(reterr, errno, path);
            ftk__free(data);
            return st;
        }
        if (got == 0)
            break;
        n += (uint64_t)got;
        if (n > limit) {
            ftk__free(data);
            return fail_large(path, limit, reterr);
        }
        if (n < cap)
            continue;
        char *grown = ftk__realloc_array(data, n, 2 * cap + 1, 1);
        if (!grown) {
            ftk__free(data);
            return fail_read(reterr, ENOMEM, path);
        }
        data = grown;
        cap *= 2;
    }
    data[n] = 0;
    *ret_data = data;
    *ret_bytes = n;
    return FTK_OK;
}

ftk_status ftk__file_read(const char *path, uint64_t limit, char **ret_data, uint64_t *ret_bytes,
                          struct ftk_error *reterr)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_read(reterr, errno, path);
    struct stat st;
    ftk_status status;
    if (fstat(fd, &st) != 0)
        status = fail_read(reterr, errno, path);
    else if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > limit)
        status = fail_large(path, limit, reterr);
    else {
        /* One byte more than the file has: the end is then seen without growing. */
        uint64_t cap = S_ISREG(st.st_mode) ? (uint64_t)st.st_size + 1 : FIRST_READ;
        status = read_all(fd, path, cap, limit, ret_data, ret_bytes, reterr);
    }
    close(fd);
    return status;
}

ftk_status ftk__file_cut(const char *path, uint64_t bytes, struct ftk_error *reterr)
{
    uint64_t size;
    ftk_status st = ftk__file_size(path, &size, reterr);
    if (st < 0)
        return st;
    if (size < bytes)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                              "%s has %" PRIu64 " bytes, fewer than the %" PRIu64 " to be kept",
                              path, size, bytes);
    if (size > bytes && truncate(path, (off_t)bytes) != 0)
        return fail_errno(reterr, errno, "cut", path);
    return FTK_OK;
}

ftk_status ftk__mkdirs(const char *path, struct ftk_error *reterr)
{
    char *part = ftk__strdup(path);
    if (!part)
        return fail_errno(reterr, ENOMEM, "make folder", path);
    int error = 0;
    for (char *end = part; error == 0 && *end;) {
        end += strspn(end, "/");
        end += strcspn(end, "/");
        char kept = *end;
        *end = 0;
        int failed = mkdir(part, 0777) != 0 ? errno : 0; /* which looking for it would replace */
        if (!failed)
            error = ftk__sync_names(part);
        else if (!ftk__is_dir(part))
            error = failed;
        *end = kept;
    }
    ftk__free(part);
    return error ? fail_errno(reterr, error, "make folder", path) : FTK_OK;
}

ftk_status ftk__file_write(const char *path, const void *data, uint64_t bytes,
                           struct ftk_error *reterr)
{
    struct ftk__writer w;
    ftk_status st = ftk__writer_open(&w, path, reterr);
    if (st != FTK_OK)
        return st;
    ftk__writer_put(&w, data, bytes);
    return ftk__writer_commit(&w, reterr);
}

static ftk_status fail_locked(int fd, const char *dir, struct ftk_error *reterr)
{
    char pid[24] = { 0 };
    ssize_t n = pread(fd, pid, sizeof pid - 1, 0);
    size_t digits = n > 0 ? strspn(pid, "0123456789") : 0;
    pid[digits] = 0;
    return ftk__fail_exit(reterr, FTK_EEXIST, FTK__EXIT_IN_USE, "folder %s is in use by process %s",
                          dir, digits ? pid : "unknown");
}

/* Whether `fd` is still what `path` names: its owner may have removed it between our open and
 * our lock, and a lock on a removed file keeps nobody out. */
static bool still_named(int fd, const char *path)
{
    struct stat held;
    struct stat named;
    return fstat(fd, &held) == 0 && stat(path, &named) == 0 && held.st_dev == named.st_dev &&
           held.st_ino == named.st_ino;
}

static ftk_status lock_file(const char *dir, const char *path, int *ret_fd,
                            struct ftk_error *reterr)
{
    for (;;) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (fd < 0)
            return fail_errno(reterr, errno, "lock", path);
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            int error = errno;
            ftk_status st = error == EWOULDBLOCK ? fail_locked(fd, dir, reterr)
                                                 : fail_errno(reterr, error, "lock", path);
            close(fd);
            return st;
        }
        if (!still_named(fd, path)) {
            close(fd);
            continue;
        }
        char pid[24];
        ftk__format(pid, sizeof pid, "%ld\n", (long)getpid());
        if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, strlen(pid), 0) != (ssize_t)strlen(pid)) {
            ftk_status st = fail_errno(reterr, errno ? errno : ENOSPC, "write", path);
            close(fd);
            return st;
        }
        *ret_fd = fd;
        return FTK_OK;
    }
}

ftk_status ftk__dir_lock(const char *dir, int *ret_fd, struct ftk_error *reterr)
{
    char *path = ftk__path_join(dir, "lock");
    if (!path)
        return fail_errno(reterr, ENOMEM, "lock", dir);
    ftk_status st = lock_file(dir, path, ret_fd, reterr);
    ftk__free(path);
    return st;
}

ftk_status ftk__dir_still_locked(const char *dir, int fd, struct ftk_error *reterr)
{
    char *path = ftk__path_join(dir, "lock");
    if (!path)
        return fail_errno(reterr, ENOMEM, "look for", dir);
    bool ours = still_named(fd, path);
    ftk__free(path);
    if (ours)
        return FTK_OK;
    return ftk__fail(reterr, FTK_EIO,
                     "%s: the folder was moved or removed while the run wrote to it", dir);
}

void ftk__dir_unlock(const char *dir, int fd)
{
    char *path = ftk__path_join(dir, "lock");
    if (path && still_named(fd, path))
        unlink(path); /* while still locked, see still_named() */
    ftk__free(path);
    close(fd);
}
