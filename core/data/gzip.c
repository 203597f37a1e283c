/* SPDX-License-Identifier: MIT
 * data/gzip.c - reads gzip (RFC 1952, one member or more) through zlib's inflate, or plain bytes.
 */
#include "data/gzip.h"
#include "base/mem.h"
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <zlib.h>

enum { CHUNK = 64 * 1024, GZIP_WINDOW = 15 + 16 /* zlib: the largest window, gzip only */ };

struct ftk__gzip {
    FILE *file;
    char *path;
    z_stream z; /* next_in, avail_in are used for plain files too */
    bool compressed;
    bool in_member;   /* some of a gzip member was read, its end was not */
    bool at_end;      /* of the file                                  */
    uint64_t fetched; /* bytes read from the file                     */
    unsigned char chunk[CHUNK];
};

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

static ftk_status io_failed(const struct ftk__gzip *z, struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_EIO, "%s: %s", z->path, strerror(errno));
}

static ftk_status no_memory(const char *path, struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "out of memory for reading %s", path);
}

/* The next chunk, if the last one is used up. */
static ftk_status fetch(struct ftk__gzip *z, struct ftk_error *reterr)
{
    if (z->z.avail_in > 0 || z->at_end)
        return FTK_OK;
    size_t got = fread(z->chunk, 1, CHUNK, z->file);
    if (got < CHUNK) {
        if (ferror(z->file))
            return io_failed(z, reterr);
        z->at_end = true;
    }
    z->fetched += got;
    z->z.next_in = z->chunk;
    z->z.avail_in = (unsigned)got;
    return FTK_OK;
}

/* Decides what the file is by its first two bytes. */
static ftk_status start(struct ftk__gzip *z, struct ftk_error *reterr)
{
    ftk_status st = fetch(z, reterr);
    if (st != FTK_OK)
        return st;
    bool magic = z->z.avail_in >= 2 && z->chunk[0] == 0x1f && z->chunk[1] == 0x8b;
    if (!magic)
        return FTK_OK;
    z->z.zalloc = zlib_alloc;
    z->z.zfree = zlib_free;
    if (inflateInit2(&z->z, GZIP_WINDOW) != Z_OK)
        return no_memory(z->path, reterr);
    z->compressed = true;
    return FTK_OK;
}

ftk_status ftk__gzip_open(const char *path, struct ftk__gzip **ret, struct ftk_error *reterr)
{
    struct ftk__gzip *z = ftk__alloc(sizeof *z);
    char *own_path = ftk__strdup(path);
    if (!z || !own_path) {
        ftk__free(z);
        ftk__free(own_path);
        return no_memory(path, reterr);
    }
    z->path = own_path;
    z->file = fopen(path, "rbe");
    ftk_status st;
    if (!z->file && errno == ENOENT)
        st = ftk__fail_exit(reterr, FTK_ENOENT, FTK__EXIT_NO_DATA, "%s: no such file", path);
    else
        st = z->file ? start(z, reterr) : io_failed(z, reterr);
    if (st != FTK_OK) {
        ftk__gzip_close(z);
        return st;
    }
    *ret = z;
    return FTK_OK;
}

void ftk__gzip_close(struct ftk__gzip *z)
{
    if (!z)
        return;
    if (z->compressed)
        inflateEnd(&z->z);
    if (z->file)
        fclose(z->file);
    ftk__free(z->path);
    ftk__free(z);
}

/* A part of a plain file. */
static void copy_some(struct ftk__gzip *z, unsigned char *ret, uint64_t want, uint64_t *ret_got)
{
    unsigned n = want < z->z.avail_in ? (unsigned)want : z->z.avail_in;
    memcpy(ret, z->z.next_in, n);
    z->z.next_in += n;
    z->z.avail_in -= n;
    *ret_got = n;
}

static ftk_status damaged(const struct ftk__gzip *z, const char *why, struct ftk_error *reterr)
{
    uint64_t at = z->fetched - z->z.avail_in;
    return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                          "%s: damaged gzip data at or before byte %llu of the file: %s", z->path,
                          (unsigned long long)at, why);
}

/* A part of a compressed file; nothing at the end. */
static ftk_status inflate_some(struct ftk__gzip *z, unsigned char *ret, uint64_t want,
                               uint64_t *ret_got, struct ftk_error *reterr)
{
    unsigned room = want < UINT32_MAX / 2 ? (unsigned)want : UINT32_MAX / 2;
    z->z.next_out = ret;
    z->z.avail_out = room;
    /* Without input too: there may be output left inside. */
    int rc = inflate(&z->z, Z_NO_FLUSH);
    z->in_member = rc != Z_STREAM_END;
    if (rc == Z_STREAM_END)
        rc = inflateReset(&z->z); /* another member may follow */
    *ret_got = room - z->z.avail_out;
    if (rc == Z_MEM_ERROR)
        return no_memory(z->path, reterr);
    if (rc == Z_BUF_ERROR && z->at_end && z->z.avail_in == 0)
        return damaged(z, "it ends in the middle", reterr);
    if (rc != Z_OK && rc != Z_BUF_ERROR)
        return damaged(z, z->z.msg ? z->z.msg : "it needs a dictionary", reterr);
    return FTK_OK;
}

ftk_status ftk__gzip_read(struct ftk__gzip *z, void *ret, uint64_t want, uint64_t *ret_got,
                          struct ftk_error *reterr)
{
    unsigned char *to = ret;
    uint64_t got = 0;
    while (got < want) {
        ftk_status st = fetch(z, reterr);
        if (st != FTK_OK)
            return st;
        bool last = z->at_end && z->z.avail_in == 0;
        if (last && !z->in_member)
            break;
        uint64_t n = 0;
        if (z->compressed)
            st = inflate_some(z, to + got, want - got, &n, reterr);
        else
            copy_some(z, to + got, want - got, &n);
        if (st != FTK_OK)
            return st;
        got += n;
    }
    *ret_got = got;
    return FTK_OK;
}
