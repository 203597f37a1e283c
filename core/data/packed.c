/* SPDX-License-Identifier: MIT
 * data/packed.c - bytes of a MATLAB file, inflated where an element is compressed.
 */
#include "data/packed.h"
#include "base/io.h"
#include "base/mem.h"
#include <errno.h>
#include <stdarg.h>
#include <string.h>

/* No deflate stream holds more bytes per byte of its own (zlib's documentation). */
enum { MOST_RATIO = 1032, FILLING = 8 };

static void *zlib_alloc(void *arg, unsigned items, unsigned size)
{
    (void)arg;
    return ftk__alloc_array(items, size);
}

static void zlib_free(void *arg, void *p)
{
    (void)arg;
    ftk__free(p);
}

ftk_status ftk__packed_bad_in(const char *path, uint64_t packed_at, uint64_t at, const char *what,
                              struct ftk_error *reterr)
{
    if (packed_at == 0)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA, "%s: byte %llu: %s", path,
                              (unsigned long long)at, what);
    return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                          "%s: byte %llu of what is compressed at byte %llu: %s", path,
                          (unsigned long long)at, (unsigned long long)packed_at, what);
}

ftk_status ftk__packed_bad(const struct ftk__packed *p, uint64_t at, struct ftk_error *reterr,
                           const char *fmt, ...)
{
    char what[FTK__ERROR_TEXT];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    return ftk__packed_bad_in(p->path, p->packed_at, at, what, reterr);
}

static ftk_status io_failed(const struct ftk__packed *p, struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_EIO, "%s: %s", p->path, strerror(errno ? errno : EIO));
}

static ftk_status no_memory(const char *path, struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "out of memory for reading %s", path);
}

ftk_status ftk__packed_new(const char *path, struct ftk__packed **ret, struct ftk_error *reterr)
{
    struct ftk__packed *p = ftk__alloc(sizeof *p);
    if (!p)
        return no_memory(path, reterr);
    p->path = path;
    p->file = fopen(path, "rbe");
    ftk_status st = FTK_OK;
    if (!p->file && errno == ENOENT)
        st = ftk__fail_exit(reterr, FTK_ENOENT, FTK__EXIT_NO_DATA, "%s: no such file", path);
    else if (!p->file)
        st = io_failed(p, reterr);
    if (st == FTK_OK)
        st = ftk__file_size(path, &p->size, reterr);
    if (st != FTK_OK) {
        ftk__packed_free(p);
        return st;
    }
    p->limit = p->size;
    *ret = p;
    return FTK_OK;
}

void ftk__packed_free(struct ftk__packed *p)
{
    if (!p)
        return;
    if (p->inflating)
        inflateEnd(&p->z);
    if (p->file)
        fclose(p->file);
    ftk__free(p);
}

ftk_status ftk__packed_open(struct ftk__packed *p, uint64_t bytes, bool compressed,
                            struct ftk_error *reterr)
{
    if (bytes > p->size - p->at)
        return ftk__packed_bad(p, p->size, reterr,
                               "missing, the file ends there; the element from byte %llu on has "
                               "%llu bytes",
                               (unsigned long long)p->at, (unsigned long long)bytes);
    p->end = p->at + bytes;
    p->limit = p->end;
    if (!compressed)
        return FTK_OK;
    p->z = (z_stream){ .zalloc = zlib_alloc, .zfree = zlib_free };
    if (inflateInit(&p->z) != Z_OK)
        return no_memory(p->path, reterr);
    p->inflating = true;
    p->at_stream_end = false;
    p->packed_at = p->at;
    p->fetched = p->at;
    p->at = 0;
    p->limit = UINT64_MAX;
    return FTK_OK;
}

ftk_status ftk__packed_limit(struct ftk__packed *p, uint64_t bytes, struct ftk_error *reterr)
{
    ftk_status st = ftk__packed_can_hold(p, bytes, reterr);
    if (st == FTK_OK)
        p->limit = p->at + bytes;
    return st;
}

ftk_status ftk__packed_can_hold(const struct ftk__packed *p, uint64_t n, struct ftk_error *reterr)
{
    if (n > p->limit - p->at)
        return ftk__packed_bad(p, p->limit, reterr,
                               "the element ends there, but %llu bytes follow byte %llu",
                               (unsigned long long)n, (unsigned long long)p->at);
    if (p->packed_at > 0 && n / MOST_RATIO > p->end - p->packed_at)
        return ftk__packed_bad(p, p->at - 4, reterr,
                               "%llu bytes, more than %llu compressed ones can hold",
                               (unsigned long long)n, (unsigned long long)(p->end - p->packed_at));
    return FTK_OK;
}

/* The next chunk of the compressed element for the inflater, if the last one is used up. */
static ftk_status fetch(struct ftk__packed *p, struct ftk_error *reterr)
{
    uint64_t left = p->end - p->fetched;
    if (p->z.avail_in > 0 || left == 0)
        return FTK_OK;
    size_t want = left < FTK__PACKED_CHUNK ? (size_t)left : FTK__PACKED_CHUNK;
    errno = 0;
    if (fread(p->chunk, 1, want, p->file) != want)
        return io_failed(p, reterr);
    p->fetched += want;
    p->z.next_in = p->chunk;
    p->z.avail_in = (unsigned)want;
    return FTK_OK;
}

static ftk_status damaged(const struct ftk__packed *p, const char *why, struct ftk_error *reterr)
{
    return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                          "%s: damaged zlib data at or before byte %llu of the file: %s", p->path,
                          (unsigned long long)(p->fetched - p->z.avail_in), why);
}

/* Up to n bytes; fewer only at the end of the stream. */
static ftk_status inflate_some(struct ftk__packed *p, uint8_t *ret, uint64_t n, uint64_t *ret_got,
                               struct ftk_error *reterr)
{
    uint64_t got = 0;
    while (got < n && !p->at_stream_end) {
        ftk_status st = fetch(p, reterr);
        if (st != FTK_OK)
            return st;
        unsigned room = n - got < UINT32_MAX / 2 ? (unsigned)(n - got) : UINT32_MAX / 2;
        p->z.next_out = ret + got;
        p->z.avail_out = room;
        int rc = inflate(&p->z, Z_NO_FLUSH);
        got += room - p->z.avail_out;
        p->at_stream_end = rc == Z_STREAM_END;
        if (rc == Z_MEM_ERROR)
            return no_memory(p->path, reterr);
        if (rc == Z_BUF_ERROR && p->z.avail_in == 0 && p->fetched == p->end)
            return damaged(p, "it ends in the middle", reterr);
        if (rc != Z_OK && rc != Z_BUF_ERROR && rc != Z_STREAM_END)
            return damaged(p, p->z.msg ? p->z.msg : "it needs a dictionary", reterr);
    }
    *ret_got = got;
    return FTK_OK;
}

static ftk_status read_some(struct ftk__packed *p, void *ret, uint64_t n, uint64_t *ret_got,
                            struct ftk_error *reterr)
{
    if (p->packed_at > 0)
        return inflate_some(p, ret, n, ret_got, reterr);
    errno = 0;
    *ret_got = fread(ret, 1, (size_t)n, p->file);
    return ferror(p->file) ? io_failed(p, reterr) : FTK_OK;
}

ftk_status ftk__packed_read(struct ftk__packed *p, void *ret, uint64_t n, struct ftk_error *reterr)
{
    uint64_t left = p->limit - p->at;
    uint64_t got = 0;
    ftk_status st = read_some(p, ret, n < left ? n : left, &got, reterr);
    if (st != FTK_OK)
        return st;
    p->at += got;
    if (got < n)
        return ftk__packed_bad(p, p->at, reterr, "missing, the %s ends there",
                               p->packed_at > 0 || p->end > 0 ? "element" : "file");
    return FTK_OK;
}

ftk_status ftk__packed_fill(struct ftk__packed *p, uint64_t n, struct ftk_error *reterr)
{
    uint8_t filling[FILLING];
    uint64_t left = p->limit - p->at;
    return ftk__packed_read(p, filling, n < left ? n : left, reterr);
}

/* Back to where the element was entered from. */
static ftk_status leave(struct ftk__packed *p, struct ftk_error *reterr)
{
    if (p->inflating)
        inflateEnd(&p->z);
    p->inflating = false;
    p->packed_at = 0;
    p->at = p->end;
    p->end = 0;
    p->limit = p->size;
    errno = 0;
    return fseeko(p->file, (off_t)p->at, SEEK_SET) == 0 ? FTK_OK : io_failed(p, reterr);
}

/* Some writers do not count the filling at the end of what they compress. */
static ftk_status end_stream(struct ftk__packed *p, struct ftk_error *reterr)
{
    uint8_t filling[FILLING];
    uint64_t got = 0;
    ftk_status st = inflate_some(p, filling, sizeof filling, &got, reterr);
    if (st == FTK_OK && got == sizeof filling)
        return ftk__packed_bad(p, p->limit, reterr, "the element should end there");
    if (st == FTK_OK && p->fetched - p->z.avail_in < p->end)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                              "%s: byte %llu: the compressed data end there, the element does at "
                              "byte %llu",
                              p->path, (unsigned long long)(p->fetched - p->z.avail_in),
                              (unsigned long long)p->end);
    return st;
}

ftk_status ftk__packed_end(struct ftk__packed *p, struct ftk_error *reterr)
{
    if (p->at != p->limit)
        return ftk__packed_bad(p, p->at, reterr, "the element should end there, not at byte %llu",
                               (unsigned long long)p->limit);
    ftk_status st = p->packed_at > 0 ? end_stream(p, reterr) : FTK_OK;
    return st == FTK_OK ? leave(p, reterr) : st;
}

ftk_status ftk__packed_skip(struct ftk__packed *p, struct ftk_error *reterr)
{
    return leave(p, reterr);
}
