/* SPDX-License-Identifier: MIT
 * data/mat5.c - reads MATLAB files of version 5: walks over the elements to the one that is wanted.
 */
#include "data/mat5.h"
#include "base/mem.h"
#include "data/packed.h"
#include <string.h>

enum {
    HEADER = 128,
    VERSION_AT = 124,
    ENDIAN_AT = 126,
    MI_INT8 = 1,
    MI_UINT8 = 2,
    MI_INT32 = 5,
    MI_UINT32 = 6,
    MI_MATRIX = 14,
    MI_COMPRESSED = 15,
    MX_DOUBLE = 6,
    MX_UINT8 = 9,
    COMPLEX = 0x08,
    NAME_CAP = 64
};

struct tag {
    uint32_t type;
    uint32_t bytes;
    bool small; /* the data are in the tag's own last 4 bytes   */
    uint8_t inside[4];
    uint64_t at;
};

static uint32_t u32(const uint8_t *b)
{
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* A tag of 8 bytes; two of its first four are not 0 where it is a small one. */
static ftk_status read_tag(struct ftk__packed *p, struct tag *ret, struct ftk_error *reterr)
{
    uint8_t b[8];
    ret->at = p->at;
    ftk_status st = ftk__packed_read(p, b, sizeof b, reterr);
    if (st != FTK_OK)
        return st;
    uint32_t first = u32(b);
    ret->small = first >> 16 != 0;
    ret->type = first & 0xffff;
    ret->bytes = ret->small ? first >> 16 : u32(b + 4);
    memcpy(ret->inside, b + 4, sizeof ret->inside);
    if (ret->small && ret->bytes > sizeof ret->inside)
        return ftk__packed_bad(p, ret->at + 2, reterr, "a small element has %u bytes, at most 4",
                               ret->bytes);
    return FTK_OK;
}

/* The tag of a part of an array, of the given type; it has at most `limit` bytes. */
static ftk_status expect_tag(struct ftk__packed *p, uint32_t type, uint32_t limit, const char *what,
                             struct tag *ret, struct ftk_error *reterr)
{
    ftk_status st = read_tag(p, ret, reterr);
    if (st != FTK_OK)
        return st;
    if (ret->type != type)
        return ftk__packed_bad(p, ret->at, reterr, "%s: an element of type %u, expected %u", what,
                               ret->type, type);
    if (ret->bytes > limit)
        return ftk__packed_bad(p, ret->small ? ret->at + 2 : ret->at + 4, reterr,
                               "%s: %u bytes, at most %u", what, ret->bytes, limit);
    return FTK_OK;
}

/* The tag's data into ret[bytes], and the filling up to a multiple of 8. */
static ftk_status read_data(struct ftk__packed *p, const struct tag *t, void *ret,
                            struct ftk_error *reterr)
{
    if (t->small) {
        memcpy(ret, t->inside, t->bytes);
        return FTK_OK;
    }
    ftk_status st = ftk__packed_read(p, ret, t->bytes, reterr);
    if (st == FTK_OK)
        st = ftk__packed_fill(p, (8 - t->bytes % 8) % 8, reterr);
    return st;
}

/* Array flags: class and whether complex. */
static ftk_status read_flags(struct ftk__packed *p, uint32_t *ret_class, struct ftk_error *reterr)
{
    struct tag t;
    uint8_t b[8];
    ftk_status st = expect_tag(p, MI_UINT32, sizeof b, "array flags", &t, reterr);
    if (st == FTK_OK && t.bytes != sizeof b)
        st = ftk__packed_bad(p, t.at + 4, reterr, "array flags: %u bytes, not 8", t.bytes);
    if (st == FTK_OK)
        st = read_data(p, &t, b, reterr);
    if (st == FTK_OK && (b[1] & COMPLEX))
        st = ftk__packed_bad(p, t.at + 9, reterr, "the array is complex");
    if (st == FTK_OK)
        *ret_class = b[0];
    return st;
}

/* Dimensions; those of an array with another number of them are left out: *ret_n tells. */
static ftk_status read_dims(struct ftk__packed *p, uint32_t *ret_n, uint64_t *ret_at,
                            uint32_t ret[FTK__MAT5_DIMS], struct ftk_error *reterr)
{
    enum { MOST = 32 };
    struct tag t;
    uint8_t b[4 * MOST];
    ftk_status st = expect_tag(p, MI_INT32, sizeof b, "dimensions", &t, reterr);
    if (st == FTK_OK && (t.bytes % 4 != 0 || t.bytes < 8))
        st = ftk__packed_bad(p, t.small ? t.at + 2 : t.at + 4, reterr,
                             "dimensions: %u bytes, not 4 for each of two or more", t.bytes);
    if (st == FTK_OK)
        st = read_data(p, &t, b, reterr);
    if (st != FTK_OK)
        return st;
    *ret_n = t.bytes / 4;
    *ret_at = t.at + 8;
    for (uint32_t d = 0; d < FTK__MAT5_DIMS && d < *ret_n; d++)
        ret[d] = u32(b + 4 * d);
    return FTK_OK;
}

static ftk_status check_dims(const struct ftk__packed *p, uint64_t at,
                             const struct ftk__mat5_array *want, struct ftk__mat5_array *a,
                             struct ftk_error *reterr)
{
    if (a->n_dims != want->n_dims)
        return ftk__packed_bad(p, at - 4, reterr, "%u dimensions, expected %u", a->n_dims,
                               want->n_dims);
    a->n = 1;
    for (uint32_t d = 0; d < a->n_dims; d++) {
        if (want->dims[d] != 0 && a->dims[d] != want->dims[d])
            return ftk__packed_bad(p, at + 4 * (uint64_t)d, reterr,
                                   "dimension %u is %u, expected %u", d + 1, a->dims[d],
                                   want->dims[d]);
        if (a->dims[d] == 0 || __builtin_mul_overflow(a->n, a->dims[d], &a->n))
            return ftk__packed_bad(p, at + 4 * (uint64_t)d, reterr, "dimension %u is %u", d + 1,
                                   a->dims[d]);
    }
    return FTK_OK;
}

/* The array's elements, into memory that the file is large enough to fill. */
static ftk_status read_elements(struct ftk__packed *p, struct ftk__mat5_array *a,
                                struct ftk_error *reterr)
{
    struct tag t;
    ftk_status st = expect_tag(p, MI_UINT8, UINT32_MAX, "elements", &t, reterr);
    if (st == FTK_OK && t.bytes != a->n)
        st = ftk__packed_bad(p, t.small ? t.at + 2 : t.at + 4, reterr,
                             "%u bytes of elements, the dimensions ask for %llu", t.bytes,
                             (unsigned long long)a->n);
    if (st == FTK_OK)
        st = ftk__packed_can_hold(p, t.bytes, reterr);
    if (st != FTK_OK)
        return st;
    a->at = t.small ? t.at + 4 : t.at + 8;
    a->packed_at = p->packed_at;
    a->bytes = ftk__alloc_array(a->n, 1);
    if (!a->bytes)
        return ftk__fail(reterr, FTK_ENOMEM, "out of memory for %llu bytes of %s",
                         (unsigned long long)a->n, p->path);
    st = read_data(p, &t, a->bytes, reterr);
    if (st == FTK_OK)
        st = ftk__packed_end(p, reterr);
    if (st != FTK_OK)
        a->bytes = ftk__free(a->bytes);
    return st;
}

/* An array's content; *ret_found is false, and the rest unread, where it has another name. */
static ftk_status read_matrix(struct ftk__packed *p, const char *name,
                              const struct ftk__mat5_array *want, struct ftk__mat5_array *ret,
                              bool *ret_found, struct ftk_error *reterr)
{
    struct ftk__mat5_array a = { 0 };
    struct tag t;
    char found[NAME_CAP] = "";
    uint32_t class = 0;
    uint64_t flags_at = p->at + 8;
    uint64_t dims_at = 0;
    ftk_status st = read_flags(p, &class, reterr);
    if (st == FTK_OK)
        st = read_dims(p, &a.n_dims, &dims_at, a.dims, reterr);
    if (st == FTK_OK)
        st = expect_tag(p, MI_INT8, NAME_CAP - 1, "the name", &t, reterr);
    if (st == FTK_OK)
        st = read_data(p, &t, found, reterr);
    if (st != FTK_OK)
        return st;
    *ret_found = t.bytes == strlen(name) && memcmp(found, name, t.bytes) == 0;
    if (!*ret_found)
        return FTK_OK;
    if (class != MX_UINT8 && class != MX_DOUBLE)
        st = ftk__packed_bad(p, flags_at, reterr, "%s is of class %u, expected 9 (uint8)", name,
                             class);
    if (st == FTK_OK)
        st = check_dims(p, dims_at, want, &a, reterr);
    if (st == FTK_OK)
        st = read_elements(p, &a, reterr);
    if (st == FTK_OK)
        *ret = a;
    return st;
}

static ftk_status check_header(const struct ftk__packed *p, const uint8_t *b,
                               struct ftk_error *reterr)
{
    static const char *const advice = "version 5 is read (in MATLAB: save -v7)";
    if (memcmp(b, "\211HDF\r\n\032\n", 8) == 0)
        return ftk__packed_bad(p, 0, reterr, "an HDF5 file, that is MAT version 7.3; %s", advice);
    for (uint32_t i = 0; i < 4; i++) {
        if (b[i] == 0)
            return ftk__packed_bad(p, i, reterr, "0 in the text: MAT version 4; %s", advice);
    }
    if (b[ENDIAN_AT] == 'M' && b[ENDIAN_AT + 1] == 'I')
        return ftk__packed_bad(p, ENDIAN_AT, reterr, "\"MI\": a big-endian file, expected \"IM\"");
    for (uint32_t i = 0; i < 2; i++) {
        if (b[ENDIAN_AT + i] != "IM"[i])
            return ftk__packed_bad(p, ENDIAN_AT + i, reterr,
                                   "0x%02x, a MAT file of version 5 has \"IM\" at byte 126",
                                   b[ENDIAN_AT + i]);
    }
    if (b[VERSION_AT + 1] == 2)
        return ftk__packed_bad(p, VERSION_AT + 1, reterr, "MAT version 7.3 (HDF5); %s", advice);
    if (b[VERSION_AT] != 0 || b[VERSION_AT + 1] != 1)
        return ftk__packed_bad(p, b[VERSION_AT] != 0 ? VERSION_AT : VERSION_AT + 1, reterr,
                               "MAT version 0x%02x%02x; %s", b[VERSION_AT + 1], b[VERSION_AT],
                               advice);
    return FTK_OK;
}

/* One element of the file, up to its end. */
static ftk_status read_element(struct ftk__packed *p, const char *name,
                               const struct ftk__mat5_array *want, struct ftk__mat5_array *ret,
                               bool *ret_found, struct ftk_error *reterr)
{
    struct tag t;
    *ret_found = false;
    ftk_status st = read_tag(p, &t, reterr);
    if (st != FTK_OK)
        return st;
    if (t.small || (t.type != MI_MATRIX && t.type != MI_COMPRESSED))
        return ftk__packed_bad(p, t.at, reterr,
                               "an element of type %u, expected 14 (array) or 15 (compressed)",
                               t.type);
    bool compressed = t.type == MI_COMPRESSED;
    st = ftk__packed_open(p, t.bytes, compressed, reterr);
    if (st == FTK_OK && compressed) {
        st = expect_tag(p, MI_MATRIX, UINT32_MAX, "a compressed element", &t, reterr);
        if (st == FTK_OK)
            st = ftk__packed_limit(p, t.bytes, reterr);
    }
    if (st == FTK_OK)
        st = read_matrix(p, name, want, ret, ret_found, reterr);
    if (st == FTK_OK && !*ret_found)
        st = ftk__packed_skip(p, reterr);
    return st;
}

ftk_status ftk__mat5_read(const char *path, const char *name, const struct ftk__mat5_array *want,
                          struct ftk__mat5_array *ret, struct ftk_error *reterr)
{
    struct ftk__packed *p;
    ftk_status st = ftk__packed_new(path, &p, reterr);
    if (st != FTK_OK)
        return st;
    uint8_t header[HEADER];
    bool found = false;
    st = ftk__packed_read(p, header, sizeof header, reterr);
    if (st == FTK_OK)
        st = check_header(p, header, reterr);
    while (st == FTK_OK && !found) {
        if (p->at == p->size)
            st = ftk__packed_bad(p, p->at, reterr, "the file ends without a variable '%s'", name);
        else
            st = read_element(p, name, want, ret, &found, reterr);
    }
    ftk__packed_free(p);
    return st;
}

ftk_status ftk__mat5_bad(const char *path, const struct ftk__mat5_array *a, uint64_t i,
                         const char *what, struct ftk_error *reterr)
{
    return ftk__packed_bad_in(path, a->packed_at, a->at + i, what, reterr);
}
