/* SPDX-License-Identifier: MIT
 * base/io.h - files: read whole, written atomically; folders.
 *
 * Errors name the path and the system's reason; a write that fails for want of space or by the
 * device is FTK_EIO, which the shell sees as 74.
 */
#ifndef FTK__IO_H
#define FTK__IO_H
#include "base/error.h"
#include <stdbool.h>

bool ftk__file_exists(const char *path);
bool ftk__is_dir(const char *path);
ftk_status ftk__file_size(const char *path, uint64_t *ret_bytes, struct ftk_error *reterr);
/* The whole file plus a terminating 0; FTK_ERANGE (65) above `limit` bytes, FTK_ENOENT (66) where
 * there is none.  Free with ftk__free.                                                      */
ftk_status ftk__file_read(const char *path, uint64_t limit, char **ret_data, uint64_t *ret_bytes,
                          struct ftk_error *reterr);
/* Cuts a file to its first `bytes`; FTK_EINVAL (65) where it has fewer. */
ftk_status ftk__file_cut(const char *path, uint64_t bytes, struct ftk_error *reterr);
/* Like mkdir -p; what it made is on disk. */
ftk_status ftk__mkdirs(const char *path, struct ftk_error *reterr);
/* The names in the folder that holds `path` are on disk; errno where that failed. */
int ftk__sync_names(const char *path);

/* Written to "<path>.tmp", then fsync, rename, fsync of the folder: a reader sees the old file or
 * the new one.  ftk__writer_put may be called many times; an error sticks until commit reports
 * it.  Commit ends in abort whether it fails or not.                                        */
struct ftk__writer {
    FILE *file;
    char *path, *tmp;
    char *former, *former_tmp;  /* NULL: the file that is replaced goes         */
    int error;                  /* errno of the first failure                   */
};
ftk_status ftk__writer_open(struct ftk__writer *w, const char *path, struct ftk_error *reterr);
/* The file that is replaced, if there is one, gets the name `former` just before; whatever had that
 * name goes.  `path` is a whole file at every moment, but for the one between two renames where
 * the file system has no hard links; then `former` is. */
ftk_status ftk__writer_keep(struct ftk__writer *w, const char *former, struct ftk_error *reterr);
void ftk__writer_put(struct ftk__writer *w, const void *data, uint64_t bytes);
void ftk__writer_printf(struct ftk__writer *w, const char *fmt, ...) FTK_PRINTF(2, 3);
ftk_status ftk__writer_commit(struct ftk__writer *w, struct ftk_error *reterr);
void ftk__writer_abort(struct ftk__writer *w); /* removes the temporary file; fine after commit */
/* All of the above for one buffer. */
ftk_status ftk__file_write(const char *path, const void *data, uint64_t bytes,
                           struct ftk_error *reterr);

/* Append-only log-like files (metrics.csv, log.txt): a failing write is kept and reported by
 * close.  flush after every line, so that a killed run leaves whole lines.                   */
struct ftk__appender {
    FILE *file;
    char *path;
    int error;
    uint64_t synced;            /* its length when it was last known to be on disk */
    bool named;                 /* its name is on disk                          */
};
ftk_status ftk__appender_open(struct ftk__appender *a, const char *path, bool truncate,
                              struct ftk_error *reterr);
void ftk__appender_printf(struct ftk__appender *a, const char *fmt, ...) FTK_PRINTF(2, 3);
/* All that was appended is on disk; *ret_bytes: the file's length. */
ftk_status ftk__appender_sync(struct ftk__appender *a, uint64_t *ret_bytes,
                              struct ftk_error *reterr);
ftk_status ftk__appender_check(const struct ftk__appender *a, struct ftk_error *reterr);
ftk_status ftk__appender_close(struct ftk__appender *a, struct ftk_error *reterr);

/* An exclusive lock on "<dir>/lock" holding the pid as text; FTK_EEXIST (exit 73) names the pid
 * that holds it.  The lock of a dead process is taken over.  *ret_fd is closed by unlock.       */
ftk_status ftk__dir_lock(const char *dir, int *ret_fd, struct ftk_error *reterr);
/* Before something is written by name: FTK_EIO where `dir` no longer holds the locked file, as it was
 * moved or removed and may be another process's by now. */
ftk_status ftk__dir_still_locked(const char *dir, int fd, struct ftk_error *reterr);
/* Removes the lock's file, unless another process's is in its place. */
void ftk__dir_unlock(const char *dir, int fd);
#endif
