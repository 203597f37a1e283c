/* SPDX-License-Identifier: MIT
 * base/safetensors.c - what readers and writers of safetensors share, and the writer.
 */
#include "base/safetensors.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/stformat.h"
#include <inttypes.h>
#include <string.h>

enum { HEADER_ALIGN = 8 };

uint64_t ftk__st_count(const struct ftk__st_array *a)
{
    uint64_t n = 1;
    for (uint32_t d = 0; d < a->n_dims; d++)
        n *= a->dims[d];
    return n;
}

uint64_t ftk__dtype_bytes(enum ftk__dtype t)
{
    switch (t) {
    case FTK__F32:
    case FTK__I32:
        return 4;
    case FTK__F64:
    case FTK__I64:
        return 8;
    case FTK__U8:
    case FTK__BOOL:
        return 1;
    }
    return 0;
}

const char *ftk__st_dtype_name(enum ftk__dtype t)
{
    static const char *const names[] = {
        [FTK__F32] = "F32", [FTK__U8] = "U8",   [FTK__I32] = "I32",
        [FTK__I64] = "I64", [FTK__F64] = "F64", [FTK__BOOL] = "BOOL",
    };
    return names[t];
}

bool ftk__st_shape_bytes(const uint64_t *dims, uint32_t n_dims, enum ftk__dtype t,
                         uint64_t *ret_bytes)
{
    uint64_t n = ftk__dtype_bytes(t);
    bool empty = false; /* a later 0 must not hide an overflow before it, nor be hidden by it */
    for (uint32_t d = 0; d < n_dims; d++) {
        if (dims[d] == 0)
            empty = true;
        else if (__builtin_mul_overflow(n, dims[d], &n) || n > INT64_MAX)
            return false;
    }
    *ret_bytes = empty ? 0 : n;
    return true;
}

uint64_t ftk__bool_bad(const void *data, uint64_t n)
{
    const unsigned char *b = data;
    uint64_t i = 0;
    while (i < n && b[i] <= 1)
        i++;
    return i;
}

static void add_json_text(struct ftk__str *out, const char *text)
{
    ftk__str_add(out, "\"");
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\')
            ftk__str_addf(out, "\\%c", *c);
        else if ((unsigned char)*c < ' ')
            ftk__str_addf(out, "\\u%04x", (unsigned)(unsigned char)*c);
        else
            ftk__str_add_n(out, c, 1);
    }
    ftk__str_add(out, "\"");
}

static void add_array(struct ftk__str *out, const struct ftk__st_array *a, uint64_t begin)
{
    add_json_text(out, a->name);
    ftk__str_addf(out, ":{\"dtype\":\"%s\",\"shape\":[", ftk__st_dtype_name(a->dtype));
    for (uint32_t d = 0; d < a->n_dims; d++)
        ftk__str_addf(out, "%s%" PRIu64, d > 0 ? "," : "", a->dims[d]);
    uint64_t end = begin + ftk__st_count(a) * ftk__dtype_bytes(a->dtype);
    ftk__str_addf(out, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", begin, end);
}

static void add_header(struct ftk__str *out, const struct ftk__st_array *arrays, uint64_t n,
                       const struct ftk__st_meta *meta, uint64_t n_meta)
{
    ftk__str_add(out, "{");
    if (n_meta > 0)
        ftk__str_add(out, "\"__metadata__\":{");
    for (uint64_t i = 0; i < n_meta; i++) {
        ftk__str_add(out, i > 0 ? "," : "");
        add_json_text(out, meta[i].key);
        ftk__str_add(out, ":");
        add_json_text(out, meta[i].value);
    }
    if (n_meta > 0)
        ftk__str_add(out, n > 0 ? "}," : "}");
    uint64_t at = 0;
    for (uint64_t i = 0; i < n; i++) {
        ftk__str_add(out, i > 0 ? "," : "");
        add_array(out, &arrays[i], at);
        at += ftk__st_count(&arrays[i]) * ftk__dtype_bytes(arrays[i].dtype);
    }
    ftk__str_add(out, "}");
    while (!out->failed && out->len % HEADER_ALIGN != 0)
        ftk__str_add(out, " ");
}

/* JSON is UTF-8: another name could not be read back. */
static ftk_status check_names(const char *path, const struct ftk__st_array *arrays, uint64_t n,
                              const struct ftk__st_meta *meta, uint64_t n_meta,
                              struct ftk_error *reterr)
{
    for (uint64_t i = 0; i < n; i++)
        if (!ftk__utf8_valid(arrays[i].name))
            return ftk__fail(reterr, FTK_EINVAL, "%s: name of array %" PRIu64 " is not UTF-8", path,
                             i);
    for (uint64_t i = 0; i < n_meta; i++)
        if (!ftk__utf8_valid(meta[i].key) || !ftk__utf8_valid(meta[i].value))
            return ftk__fail(reterr, FTK_EINVAL, "%s: metadata '%s' is not UTF-8", path,
                             meta[i].key);
    return FTK_OK;
}

ftk_status ftk__st_write(const char *path, const struct ftk__st_array *arrays, uint64_t n,
                         const struct ftk__st_meta *meta, uint64_t n_meta, struct ftk_error *reterr)
{
    ftk_status st = check_names(path, arrays, n, meta, n_meta, reterr);
    if (st != FTK_OK)
        return st;
    struct ftk__str header = { 0 };
    add_header(&header, arrays, n, meta, n_meta);
    if (header.failed) {
        ftk__str_done(&header);
        return ftk__fail(reterr, FTK_ENOMEM, "cannot write %s: out of memory", path);
    }
    struct ftk__writer w;
    st = ftk__writer_open(&w, path, reterr);
    if (st == FTK_OK) {
        unsigned char length[8];
        for (unsigned i = 0; i < 8; i++)
            length[i] = (unsigned char)(header.len >> (8 * i));
        ftk__writer_put(&w, length, sizeof length);
        ftk__writer_put(&w, header.text, header.len);
        for (uint64_t i = 0; i < n; i++)
            ftk__writer_put(&w, arrays[i].data,
                            ftk__st_count(&arrays[i]) * ftk__dtype_bytes(arrays[i].dtype));
        st = ftk__writer_commit(&w, reterr);
    }
    ftk__str_done(&header);
    return st;
}
