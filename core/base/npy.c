/* SPDX-License-Identifier: MIT
 * base/npy.c - the .npy format, version 1.0: magic, version, header length (2 bytes), a Python
 * dict padded with spaces to 64 bytes, the elements.
 */
#include "base/npy.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/stformat.h"
#include "base/str.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { PREFIX = 10, ALIGN = 64 };

static const unsigned char magic[8] = { 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0 };

static const char *descr_of(enum ftk__dtype t)
{
    static const char *const names[] = {
        [FTK__F32] = "<f4", [FTK__U8] = "|u1",  [FTK__I32] = "<i4",
        [FTK__I64] = "<i8", [FTK__F64] = "<f8", [FTK__BOOL] = "|b1",
    };
    return names[t];
}

static void add_header(struct ftk__str *out, const struct ftk__st_array *a)
{
    ftk__str_addf(out, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr_of(a->dtype));
    for (uint32_t d = 0; d < a->n_dims; d++)
        ftk__str_addf(out, "%s%" PRIu64, d > 0 ? ", " : "", a->dims[d]);
    ftk__str_add(out, a->n_dims == 1 ? ",), }" : "), }");
    while (!out->failed && (PREFIX + out->len + 1) % ALIGN != 0)
        ftk__str_add(out, " ");
    ftk__str_add(out, "\n");
}

ftk_status ftk__npy_write(const char *path, const struct ftk__st_array *a, struct ftk_error *reterr)
{
    struct ftk__str header = { 0 };
    add_header(&header, a);
    if (header.failed) {
        ftk__str_done(&header);
        return ftk__fail(reterr, FTK_ENOMEM, "cannot write %s: out of memory", path);
    }
    struct ftk__writer w;
    ftk_status st = ftk__writer_open(&w, path, reterr);
    if (st == FTK_OK) {
        /* 8 dimensions of 20 digits: the length always fits its two bytes */
        unsigned char length[2] = { (unsigned char)header.len, (unsigned char)(header.len >> 8) };
        ftk__writer_put(&w, magic, sizeof magic);
        ftk__writer_put(&w, length, sizeof length);
        ftk__writer_put(&w, header.text, header.len);
        ftk__writer_put(&w, a->data, ftk__st_count(a) * ftk__dtype_bytes(a->dtype));
        st = ftk__writer_commit(&w, reterr);
    }
    ftk__str_done(&header);
    return st;
}

/* The header while it is read: a cursor into the file. */
struct cursor {
    const char *path;
    const char *bytes;
    uint64_t at, end;
    struct ftk_error *reterr;
};

static ftk_status bad(const struct cursor *c, const char *what)
{
    return ftk__fail_exit(c->reterr, FTK_EINVAL, FTK__EXIT_DATA, "%s: byte %" PRIu64 ": %s",
                          c->path, c->at, what);
}

/* Takes `text`, after spaces, if it comes next. */
static bool accept(struct cursor *c, const char *text)
{
    while (c->at < c->end && c->bytes[c->at] == ' ')
        c->at++;
    size_t n = strlen(text);
    if (c->end - c->at < n || memcmp(c->bytes + c->at, text, n) != 0)
        return false;
    c->at += n;
    return true;
}

static ftk_status read_descr(struct cursor *c, struct ftk__st_array *a)
{
    if (!accept(c, "'"))
        return bad(c, "'descr' is not a string");
    for (enum ftk__dtype t = FTK__F32; t <= FTK__BOOL; t++) {
        if (accept(c, descr_of(t))) {
            a->dtype = t;
            return accept(c, "'") ? FTK_OK : bad(c, "expected the end of 'descr'");
        }
    }
    return bad(c, "'descr' is none of <f4, <f8, |u1, <i4, <i8, |b1");
}

static ftk_status read_dim(struct cursor *c, uint64_t *ret)
{
    uint64_t start = c->at;
    uint64_t v = 0;
    for (; c->at < c->end && c->bytes[c->at] >= '0' && c->bytes[c->at] <= '9'; c->at++) {
        if (v > INT64_MAX / 10)
            return bad(c, "a dimension is above 2^63");
        v = 10 * v + (uint64_t)(c->bytes[c->at] - '0');
    }
    if (c->at == start)
        return bad(c, "expected a dimension");
    *ret = v;
    return FTK_OK;
}

static ftk_status read_shape(struct cursor *c, struct ftk__st_array *a)
{
    if (!accept(c, "("))
        return bad(c, "'shape' is not a tuple");
    a->n_dims = 0;
    bool comma = true;
    while (!accept(c, ")")) {
        if (!comma)
            return bad(c, "expected ',' or ')'");
        if (a->n_dims == FTK__ST_DIMS)
            return bad(c, "more than 8 dimensions");
        ftk_status st = read_dim(c, &a->dims[a->n_dims]);
        if (st != FTK_OK)
            return st;
        a->n_dims++;
        comma = accept(c, ",");
    }
    if (a->n_dims == 1 && !comma)
        return bad(c, "a tuple of one dimension needs a ','");
    return FTK_OK;
}

/* {'descr': ..., 'fortran_order': False, 'shape': (...), } in any order, each once. */
static ftk_status read_dict(struct cursor *c, struct ftk__st_array *a)
{
    enum { DESCR = 1, ORDER = 2, SHAPE = 4 };
    unsigned seen = 0;
    if (!accept(c, "{"))
        return bad(c, "expected '{'");
    while (!accept(c, "}")) {
        unsigned key = accept(c, "'descr'")           ? DESCR
                       : accept(c, "'fortran_order'") ? ORDER
                       : accept(c, "'shape'")         ? SHAPE
                                                      : 0;
        if (key == 0 || (seen & key))
            return bad(c, "expected 'descr', 'fortran_order' and 'shape', each once");
        seen |= key;
        if (!accept(c, ":"))
            return bad(c, "expected ':'");
        ftk_status st = FTK_OK;
        if (key == DESCR)
            st = read_descr(c, a);
        else if (key == SHAPE)
            st = read_shape(c, a);
        else if (!accept(c, "False"))
            st = bad(c, "'fortran_order' is not False");
        if (st != FTK_OK)
            return st;
        if (!accept(c, ",") && seen != (DESCR | ORDER | SHAPE))
            return bad(c, "expected ','");
    }
    if (seen != (DESCR | ORDER | SHAPE))
        return bad(c, "'descr', 'fortran_order' or 'shape' is missing");
    while (c->at < c->end && (c->bytes[c->at] == ' ' || c->bytes[c->at] == '\n'))
        c->at++;
    return c->at == c->end ? FTK_OK : bad(c, "text after the header");
}

/* Of a file of n bytes, whose header at least is in memory; ends at the first element. */
static ftk_status read_header(struct cursor *c, uint64_t n, struct ftk__st_array *a)
{
    const unsigned char *b = (const unsigned char *)c->bytes;
    while (c->at < sizeof magic && c->at < n && b[c->at] == magic[c->at])
        c->at++;
    if (c->at < 6)
        return bad(c, "not a .npy file");
    if (c->at < sizeof magic)
        return bad(c, "not version 1.0 of .npy");
    if (n < PREFIX) {
        c->at = n;
        return bad(c, "the file ends within the header's length");
    }
    c->at = PREFIX;
    c->end = PREFIX + ((uint64_t)b[8] | (uint64_t)b[9] << 8);
    if (c->end > n) {
        c->at = n;
        return bad(c, "the file ends within the header");
    }
    ftk_status st = read_dict(c, a);
    if (st != FTK_OK)
        return st;
    uint64_t bytes;
    if (!ftk__st_shape_bytes(a->dims, a->n_dims, a->dtype, &bytes))
        return bad(c, "'shape' has more than 2^63 bytes");
    if (n - c->end != bytes)
        return ftk__fail_exit(c->reterr, FTK_EINVAL, FTK__EXIT_DATA,
                              "%s: byte %" PRIu64 ": %" PRIu64 " bytes follow the header, not "
                              "the %" PRIu64 " of its shape",
                              c->path, bytes < n - c->end ? c->end + bytes : n, n - c->end, bytes);
    return FTK_OK;
}

static ftk_status check_booleans(struct cursor *c, uint64_t n, const struct ftk__st_array *a)
{
    if (a->dtype != FTK__BOOL)
        return FTK_OK;
    uint64_t wrong = ftk__bool_bad(c->bytes + c->at, n - c->at);
    if (wrong == n - c->at)
        return FTK_OK;
    c->at += wrong;
    return bad(c, "no boolean");
}

ftk_status ftk__npy_read(const char *path, struct ftk__st_array *ret, struct ftk_error *reterr)
{
    char *bytes;
    uint64_t n;
    ftk_status st = ftk__file_read(path, INT64_MAX, &bytes, &n, reterr);
    if (st != FTK_OK)
        return st;
    struct cursor c = { .path = path, .bytes = bytes, .reterr = reterr };
    struct ftk__st_array a = { 0 };
    st = read_header(&c, n, &a);
    if (st == FTK_OK)
        st = check_booleans(&c, n, &a);
    if (st != FTK_OK) {
        ftk__free(bytes);
        return st;
    }
    /* To the front of the block, which is aligned and freed by its address. */
    memmove(bytes, bytes + c.at, (size_t)(n - c.at));
    a.data = bytes;
    *ret = a;
    return FTK_OK;
}

/* The first bytes of a file, as many as the longest header has. */
static ftk_status read_start(const char *path, char **ret, struct ftk_error *reterr)
{
    FILE *file = fopen(path, "rbe");
    if (!file && errno == ENOENT)
        return ftk__fail_exit(reterr, FTK_ENOENT, FTK__EXIT_NO_DATA, "cannot read %s: %s", path,
                              strerror(errno));
    if (!file)
        return ftk__fail(reterr, FTK_EIO, "cannot read %s: %s", path, strerror(errno));
    char *bytes = ftk__alloc(PREFIX + UINT16_MAX);
    ftk_status st = FTK_OK;
    if (!bytes)
        st = ftk__fail(reterr, FTK_ENOMEM, "cannot read %s: out of memory", path);
    else if (fread(bytes, 1, PREFIX + UINT16_MAX, file) == 0 && ferror(file))
        st = ftk__fail(reterr, FTK_EIO, "cannot read %s: %s", path, strerror(errno));
    fclose(file);
    if (st == FTK_OK)
        *ret = bytes;
    else
        ftk__free(bytes);
    return st;
}

ftk_status ftk__npy_read_shape(const char *path, struct ftk__st_array *ret,
                               struct ftk_error *reterr)
{
    char *bytes = NULL;
    uint64_t n = 0;
    ftk_status st = read_start(path, &bytes, reterr);
    if (st != FTK_OK)
        return st;
    struct cursor c = { .path = path, .bytes = bytes, .reterr = reterr };
    struct ftk__st_array a = { 0 };
    st = ftk__file_size(path, &n, reterr);
    if (st == FTK_OK)
        st = read_header(&c, n, &a);
    ftk__free(bytes);
    if (st == FTK_OK)
        *ret = a;
    return st;
}
