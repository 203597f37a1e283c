/* SPDX-License-Identifier: MIT
 * data/idx.c - reads IDX files of unsigned bytes.
 */
#include "data/idx.h"
#include "base/mem.h"
#include "data/gzip.h"

enum { MAGIC_BYTES = 4, UNSIGNED_BYTE = 0x08, TYPE_AT = 2, DIMS_AT = 3 };

/* A header may lie: room grows with what was read, from this much on. */
enum { FIRST_ROOM = 1 << 26 };
static const uint64_t MOST_BYTES = (uint64_t)1 << 47;

static ftk_status bad_byte(const char *path, uint64_t at, uint8_t value, const char *expected,
                           struct ftk_error *reterr)
{
    return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA, "%s: byte %llu is 0x%02x, %s", path,
                          (unsigned long long)at, value, expected);
}

static ftk_status too_short(const char *path, uint64_t got, uint64_t need, struct ftk_error *reterr)
{
    return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                          "%s: byte %llu is missing: the content ends there, its header asks for "
                          "%llu bytes",
                          path, (unsigned long long)got, (unsigned long long)need);
}

static ftk_status check_magic(const char *path, const uint8_t *b, uint32_t n_dims,
                              struct ftk_error *reterr)
{
    for (uint32_t i = 0; i < TYPE_AT; i++)
        if (b[i] != 0)
            return bad_byte(path, i, b[i], "an IDX file begins with 0x00 0x00", reterr);
    if (b[TYPE_AT] != UNSIGNED_BYTE)
        return bad_byte(path, TYPE_AT, b[TYPE_AT], "expected 0x08 (elements: unsigned bytes)",
                        reterr);
    if (b[DIMS_AT] == n_dims)
        return FTK_OK;
    if (b[DIMS_AT] == 1)
        return bad_byte(path, DIMS_AT, 1, "expected 0x03: these are labels, not images", reterr);
    if (b[DIMS_AT] == 3)
        return bad_byte(path, DIMS_AT, 3, "expected 0x01: these are images, not labels", reterr);
    return bad_byte(path, DIMS_AT, b[DIMS_AT],
                    n_dims == 1 ? "expected 0x01 (dimensions of labels)"
                                : "expected 0x03 (dimensions of images)",
                    reterr);
}

/* One dimension, big-endian at b; `want` 0: any but 0. */
static ftk_status check_dim(const char *path, const uint8_t *b, uint64_t at, uint32_t want,
                            uint32_t *ret, struct ftk_error *reterr)
{
    uint32_t v = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    *ret = v;
    if (v == 0)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA, "%s: byte %llu: a dimension is 0",
                              path, (unsigned long long)at);
    if (want == 0 || v == want)
        return FTK_OK;
    uint32_t i = 0;
    while (b[i] == (uint8_t)(want >> (24 - 8 * i)))
        i++;
    return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                          "%s: byte %llu: a dimension is %u, expected %u", path,
                          (unsigned long long)(at + i), v, want);
}

static ftk_status read_header(struct ftk__gzip *z, const char *path,
                              const struct ftk__idx_shape *want, struct ftk__idx_shape *ret,
                              struct ftk_error *reterr)
{
    uint8_t b[MAGIC_BYTES + 4 * FTK__IDX_DIMS];
    uint64_t got;
    ftk_status st = ftk__gzip_read(z, b, MAGIC_BYTES, &got, reterr);
    if (st == FTK_OK && got < MAGIC_BYTES)
        st = too_short(path, got, MAGIC_BYTES, reterr);
    if (st == FTK_OK)
        st = check_magic(path, b, want->n_dims, reterr);
    if (st != FTK_OK)
        return st;
    uint64_t need = 4 * want->n_dims;
    st = ftk__gzip_read(z, b + MAGIC_BYTES, need, &got, reterr);
    if (st == FTK_OK && got < need)
        st = too_short(path, MAGIC_BYTES + got, MAGIC_BYTES + need, reterr);
    ret->n_dims = want->n_dims;
    for (uint32_t d = 0; d < want->n_dims && st == FTK_OK; d++) {
        uint64_t at = MAGIC_BYTES + 4 * (uint64_t)d;
        st = check_dim(path, b + at, at, want->dims[d], &ret->dims[d], reterr);
    }
    return st;
}

static ftk_status count_elements(const char *path, const struct ftk__idx_shape *s, uint64_t *ret,
                                 struct ftk_error *reterr)
{
    uint64_t n = 1;
    for (uint32_t d = 0; d < s->n_dims; d++) {
        if (__builtin_mul_overflow(n, s->dims[d], &n) || n > MOST_BYTES)
            return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                                  "%s: byte %llu: the dimensions up to here ask for more than "
                                  "2^47 bytes",
                                  path, (unsigned long long)(MAGIC_BYTES + 4 * d));
    }
    *ret = n;
    return FTK_OK;
}

ftk_status ftk__idx_read_shape(const char *path, const struct ftk__idx_shape *want,
                               struct ftk__idx_shape *ret, struct ftk_error *reterr)
{
    struct ftk__gzip *z;
    ftk_status st = ftk__gzip_open(path, &z, reterr);
    if (st != FTK_OK)
        return st;
    struct ftk__idx_shape shape = { 0 };
    uint64_t n;
    st = read_header(z, path, want, &shape, reterr);
    ftk__gzip_close(z);
    if (st == FTK_OK)
        st = count_elements(path, &shape, &n, reterr);
    if (st == FTK_OK)
        *ret = shape;
    return st;
}

/* Exactly n bytes, to the end of the content; `head` bytes came before them. */
static ftk_status read_elements(struct ftk__gzip *z, const char *path, uint64_t head, uint64_t n,
                                uint8_t **ret, struct ftk_error *reterr)
{
    uint64_t room = n < FIRST_ROOM ? n : FIRST_ROOM;
    uint64_t got = 0;
    uint64_t part = 0;
    ftk_status st = FTK_OK;
    uint8_t *bytes = ftk__alloc_array(room, 1);
    while (bytes) {
        st = ftk__gzip_read(z, bytes + got, room - got, &part, reterr);
        got += part;
        if (st != FTK_OK || got < room || room == n)
            break;
        uint64_t more = n - room < room ? n : 2 * room;
        uint8_t *grown = ftk__realloc_array(bytes, room, more, 1);
        if (!grown)
            bytes = ftk__free(bytes);
        else
            bytes = grown;
        room = more;
    }
    if (!bytes)
        return ftk__fail(reterr, FTK_ENOMEM, "out of memory for %llu bytes of %s",
                         (unsigned long long)room, path);
    uint8_t beyond;
    if (st == FTK_OK && got < n)
        st = too_short(path, head + got, head + n, reterr);
    /* Also makes zlib compare the checksum at the end. */
    if (st == FTK_OK)
        st = ftk__gzip_read(z, &beyond, 1, &part, reterr);
    if (st == FTK_OK && part > 0)
        st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                            "%s: byte %llu is one too many: the content should end there", path,
                            (unsigned long long)(head + n));
    if (st == FTK_OK)
        *ret = bytes;
    else
        ftk__free(bytes);
    return st;
}

ftk_status ftk__idx_read(const char *path, const struct ftk__idx_shape *want,
                         struct ftk__idx_shape *ret, uint8_t **ret_bytes, struct ftk_error *reterr)
{
    struct ftk__gzip *z;
    ftk_status st = ftk__gzip_open(path, &z, reterr);
    if (st != FTK_OK)
        return st;
    struct ftk__idx_shape shape = { 0 };
    uint64_t n = 0;
    st = read_header(z, path, want, &shape, reterr);
    if (st == FTK_OK)
        st = count_elements(path, &shape, &n, reterr);
    if (st == FTK_OK)
        st = read_elements(z, path, MAGIC_BYTES + 4 * (uint64_t)want->n_dims, n, ret_bytes, reterr);
    if (st == FTK_OK)
        *ret = shape;
    ftk__gzip_close(z);
    return st;
}

static ftk_status read_labels(const char *path, uint32_t n, uint32_t classes, int32_t **ret,
                              struct ftk_error *reterr)
{
    struct ftk__idx_shape want = { .n_dims = 1 };
    struct ftk__idx_shape shape;
    uint8_t *bytes;
    ftk_status st = ftk__idx_read(path, &want, &shape, &bytes, reterr);
    if (st != FTK_OK)
        return st;
    int32_t *label = ftk__alloc_array(n, sizeof *label);
    if (!label)
        st = ftk__fail(reterr, FTK_ENOMEM, "out of memory for %u labels", n);
    else if (shape.dims[0] != n)
        st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                            "%s: byte %d: %u labels, but there are %u images", path, MAGIC_BYTES,
                            shape.dims[0], n);
    for (uint32_t i = 0; i < n && st == FTK_OK; i++) {
        label[i] = bytes[i];
        if (bytes[i] >= classes)
            st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                                "%s: byte %llu: label %u is not below %u, the number of classes",
                                path, (unsigned long long)MAGIC_BYTES + 4 + i, bytes[i], classes);
    }
    ftk__free(bytes);
    if (st == FTK_OK)
        *ret = label;
    else
        ftk__free(label);
    return st;
}

ftk_status ftk__idx_load(const char *images, const char *labels, const struct ftk__idx_shape *want,
                         uint32_t classes, struct ftk__store *ret, struct ftk_error *reterr)
{
    struct ftk__idx_shape shape;
    struct ftk__store s = { .classes = classes };
    ftk_status st = ftk__idx_read(images, want, &shape, &s.pixels, reterr);
    if (st != FTK_OK)
        return st;
    st = read_labels(labels, shape.dims[0], classes, &s.label, reterr);
    if (st != FTK_OK) {
        ftk__store_done(&s);
        return st;
    }
    s.n = shape.dims[0];
    s.shape[0] = 1;
    s.shape[1] = shape.dims[1];
    s.shape[2] = shape.dims[2];
    *ret = s;
    return FTK_OK;
}
