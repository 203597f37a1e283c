/* SPDX-License-Identifier: MIT
 * data/packed.h - the bytes of a MATLAB file, for mat5.c alone: of the file itself, and of what an
 * element compressed by zlib holds, with the offset that an error has to name.
 */
#ifndef FTK__PACKED_H
#define FTK__PACKED_H
#include "base/error.h"
#include <stdbool.h>
#include <zlib.h>

enum { FTK__PACKED_CHUNK = 64 * 1024 };

struct ftk__packed {
    const char *path;           /* the caller's                                 */
    FILE *file;
    uint64_t size;              /* of the file                                  */
    uint64_t at;                /* of the next byte: in the file, or in what is packed */
    uint64_t limit;             /* where the bytes of the current element end, likewise */
    uint64_t packed_at;         /* where in the file the packed bytes begin; 0: not packed */
    uint64_t end;               /* of the current element in the file           */
    uint64_t fetched;           /* bytes of the file that the inflater was given, from 0 */
    bool inflating;             /* `z` is set up                                */
    bool at_stream_end;
    z_stream z;
    uint8_t chunk[FTK__PACKED_CHUNK];
};
/* FTK_ENOENT (66) where there is no such file. */
ftk_status ftk__packed_new(const char *path, struct ftk__packed **ret, struct ftk_error *reterr);
void ftk__packed_free(struct ftk__packed *p);

/* Enters the element of `bytes` bytes that begins here, up to its end or skip. */
ftk_status ftk__packed_open(struct ftk__packed *p, uint64_t bytes, bool compressed,
                            struct ftk_error *reterr);
/* Within a compressed element: what it holds ends after `bytes` more. */
ftk_status ftk__packed_limit(struct ftk__packed *p, uint64_t bytes, struct ftk_error *reterr);
/* All n bytes, or an error that names the first one missing. */
ftk_status ftk__packed_read(struct ftk__packed *p, void *ret, uint64_t n,
                            struct ftk_error *reterr);
/* Up to 7 bytes that fill an element to a multiple of 8; its end may come before. */
ftk_status ftk__packed_fill(struct ftk__packed *p, uint64_t n, struct ftk_error *reterr);
/* Whether so many bytes can follow: asked before room is made for them. */
ftk_status ftk__packed_can_hold(const struct ftk__packed *p, uint64_t n,
                                struct ftk_error *reterr);
/* The element must end here; checks zlib's checksum.  Back in the file. */
ftk_status ftk__packed_end(struct ftk__packed *p, struct ftk_error *reterr);
/* Leaves the element whatever is left of it. */
ftk_status ftk__packed_skip(struct ftk__packed *p, struct ftk_error *reterr);

/* Byte `at`, in the file or in what is packed at byte `packed_at` of it, is wrong. */
ftk_status ftk__packed_bad(const struct ftk__packed *p, uint64_t at, struct ftk_error *reterr,
                           const char *fmt, ...) FTK_PRINTF(4, 5);
ftk_status ftk__packed_bad_in(const char *path, uint64_t packed_at, uint64_t at, const char *what,
                              struct ftk_error *reterr);
#endif
