/* SPDX-License-Identifier: MIT
 * base/ftc.h - the container of a checkpoint: a JSON header and named arrays, each with its SHA-256,
 * and one over the whole.  What goes in is decided elsewhere.
 *
 *     "FTKC" u32 version | arrays, each at a multiple of 64 bytes | table, JSON | 64-byte footer
 *
 * in the byte order of the machine that writes, little-endian on all we build for; a file of the
 * other order is refused.  The table lies behind the arrays, so that a file is written in one pass
 * and no array has to be in memory twice.  It holds {"header": ..., "arrays": [{name, dtype, shape,
 * offset, bytes, sha256}]}; the footer holds the table's offset and length and the file's length as
 * u64, "FTKCEND" and a 0, and the 32 bytes of the SHA-256 of all that stands before them.
 */
#ifndef FTK__FTC_H
#define FTK__FTC_H
#include "base/hash.h"
#include "base/io.h"
#include <jansson.h>

enum { FTK__FTC_VERSION = 1 };
enum ftk__ftc_dtype { FTK__FTC_U8 = 1, FTK__FTC_U32, FTK__FTC_U64, FTK__FTC_F32, FTK__FTC_F64 };
extern const char ftk__ftc_magic[4]; /* what a file begins with                  */

/* Writing: open, then for each array begin and as many puts as needed, then commit, which is atomic
 * (base/io.h).  The first failure sticks and is what commit reports.                            */
struct ftk__ftc_writer;
/* `header` is borrowed until commit. */
ftk_status ftk__ftc_create(const char *path, const json_t *header, struct ftk__ftc_writer **ret,
                           struct ftk_error *reterr);
/* What stands at `path` until commit gets the name `former` then (ftk__writer_keep). */
void ftk__ftc_keep(struct ftk__ftc_writer *w, const char *former);
/* A name once a file, at most 255 bytes.  `n` elements follow in ftk__ftc_put. */
void ftk__ftc_begin(struct ftk__ftc_writer *w, const char *name, enum ftk__ftc_dtype dtype,
                    uint64_t n);
void ftk__ftc_put(struct ftk__ftc_writer *w, const void *data, uint64_t bytes);
/* FTK_EIO (74) for a failed write; FTK_EINTERNAL where an array has not the bytes announced.
 * *ret_bytes: of the file.  Frees `w` in any case. */
ftk_status ftk__ftc_commit(struct ftk__ftc_writer *w, uint64_t *ret_bytes,
                           struct ftk_error *reterr);
void ftk__ftc_abort(struct ftk__ftc_writer *w); /* removes the temporary file; NULL is fine */

struct ftk__ftc_array {
    const char *name;
    enum ftk__ftc_dtype dtype;
    uint64_t n, offset, bytes;
    struct ftk__sha256 sha256;
};
struct ftk__ftc_file {
    char *path;
    int fd;
    json_t *table;              /* owns header and names                        */
    const json_t *header;
    struct ftk__ftc_array *arrays; // [n_arrays]
    uint32_t n_arrays;
};
/* Checks everything: magic, version, lengths, the digest of the whole, the table, that arrays lie
 * inside the file and apart, each array's digest.  FTK_EINVAL (65) says what is wrong and where;
 * another version, and a file of a machine with the other byte order, by name; FTK_ENOENT (66).  */
ftk_status ftk__ftc_open(const char *path, struct ftk__ftc_file *ret, struct ftk_error *reterr);
void ftk__ftc_close(struct ftk__ftc_file *f); /* a zeroed one with fd -1 is fine */
/* NULL where there is none. */
const struct ftk__ftc_array *ftk__ftc_find(const struct ftk__ftc_file *f, const char *name);
/* `n` elements from element `from`; FTK_EIO where the file was changed meanwhile. */
ftk_status ftk__ftc_read(const struct ftk__ftc_file *f, const struct ftk__ftc_array *a,
                         uint64_t from, uint64_t n, void *ret, struct ftk_error *reterr);
#endif
