/* SPDX-License-Identifier: MIT
 * base/ftc.c - writing a checkpoint's container in one pass (base/ftc.h).
 */
#include "base/ftc_format.h"

#include "base/mem.h"
#include "base/str.h"
#include <stddef.h>
#include <string.h>

struct ftk__ftc_writer {
    struct ftk__writer out; /* keeps the first failure of the file itself   */
    const json_t *header;
    json_t *arrays; /* of the table, in the order of the file       */
    struct ftk__hasher *whole;
    struct ftk__hasher *one; /* of the array in the making, NULL: none       */
    char name[FTK__FTC_NAME_MAX + 1];
    enum ftk__ftc_dtype dtype;
    uint64_t n, offset;
    uint64_t left; /* bytes of it to come                          */
    uint64_t at;   /* bytes so far                                 */
    ftk_status st; /* the first failure of anything else           */
    struct ftk_error err;
};

const char ftk__ftc_magic[4] = { 'F', 'T', 'K', 'C' };
const char ftk__ftc_end[8] = { 'F', 'T', 'K', 'C', 'E', 'N', 'D', 0 };

uint64_t ftk__ftc_dtype_bytes(enum ftk__ftc_dtype t)
{
    switch (t) {
    case FTK__FTC_U8:
        return 1;
    case FTK__FTC_U32:
    case FTK__FTC_F32:
        return 4;
    case FTK__FTC_U64:
    case FTK__FTC_F64:
        return 8;
    }
    return 0;
}

const char *ftk__ftc_dtype_name(enum ftk__ftc_dtype t)
{
    switch (t) {
    case FTK__FTC_U8:
        return "U8";
    case FTK__FTC_U32:
        return "U32";
    case FTK__FTC_U64:
        return "U64";
    case FTK__FTC_F32:
        return "F32";
    case FTK__FTC_F64:
        return "F64";
    }
    return NULL;
}

static unsigned hex_digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

void ftk__ftc_digest(const struct ftk__sha256 *h, unsigned char ret[FTK__FTC_DIGEST])
{
    for (size_t i = 0; i < FTK__FTC_DIGEST; i++)
        ret[i] = (unsigned char)(hex_digit(h->hex[2 * i]) << 4 | hex_digit(h->hex[2 * i + 1]));
}

static void fail_memory(struct ftk__ftc_writer *w)
{
    if (w->st >= 0)
        w->st = ftk__fail(&w->err, FTK_ENOMEM, "cannot write %s: out of memory", w->out.path);
}

/* A mistake of the caller, which no checkpoint may survive. */
static void fail_use(struct ftk__ftc_writer *w, const char *what)
{
    if (w->st >= 0)
        w->st = ftk__fail(&w->err, FTK_EINTERNAL, "%s: array '%s' %s", w->out.path, w->name, what);
}

static void emit(struct ftk__ftc_writer *w, const void *data, uint64_t bytes)
{
    ftk__hasher_add(w->whole, data, bytes);
    ftk__writer_put(&w->out, data, bytes);
    w->at += bytes;
}

static void emit_padding(struct ftk__ftc_writer *w)
{
    static const char zero[FTK__FTC_ALIGN];
    emit(w, zero, (FTK__FTC_ALIGN - w->at % FTK__FTC_ALIGN) % FTK__FTC_ALIGN);
}

/* There is no other way to let go of one. */
static void drop_hasher(struct ftk__hasher *h)
{
    struct ftk__sha256 unused;
    if (h)
        ftk__hasher_end(h, &unused, NULL);
}

ftk_status ftk__ftc_create(const char *path, const json_t *header, struct ftk__ftc_writer **ret,
                           struct ftk_error *reterr)
{
    struct ftk__ftc_head head = { .version = FTK__FTC_VERSION };
    memcpy(head.magic, ftk__ftc_magic, sizeof(head.magic));
    struct ftk__ftc_writer *w = ftk__alloc(sizeof(*w));
    if (!w)
        return ftk__fail(reterr, FTK_ENOMEM, "cannot write %s: out of memory", path);
    ftk_status st = ftk__writer_open(&w->out, path, reterr);
    if (st < 0) {
        ftk__free(w);
        return st;
    }
    w->header = header;
    w->arrays = json_array();
    w->whole = ftk__hasher_new();
    if (!w->arrays || !w->whole) {
        ftk__ftc_abort(w);
        return ftk__fail(reterr, FTK_ENOMEM, "cannot write %s: out of memory", path);
    }
    emit(w, &head, sizeof(head));
    *ret = w;
    return FTK_OK;
}

void ftk__ftc_keep(struct ftk__ftc_writer *w, const char *former)
{
    if (w->st >= 0)
        w->st = ftk__writer_keep(&w->out, former, &w->err);
}

/* The array in the making is over: its row of the table. */
static void end_array(struct ftk__ftc_writer *w)
{
    struct ftk__sha256 hash;
    if (!w->one)
        return;
    ftk_status st = ftk__hasher_end(w->one, &hash, w->st >= 0 ? &w->err : NULL);
    w->one = NULL;
    if (w->st < 0)
        return;
    w->st = st;
    if (w->left > 0)
        fail_use(w, "has fewer bytes than announced");
    if (w->st < 0)
        return;
    json_t *row = json_pack(
        "{s:s, s:s, s:[I], s:I, s:I, s:s}", "name", w->name, "dtype", ftk__ftc_dtype_name(w->dtype),
        "shape", (json_int_t)w->n, "offset", (json_int_t)w->offset, "bytes",
        (json_int_t)(w->n * ftk__ftc_dtype_bytes(w->dtype)), "sha256", hash.hex);
    if (json_array_append_new(w->arrays, row) != 0)
        fail_memory(w);
}

void ftk__ftc_begin(struct ftk__ftc_writer *w, const char *name, enum ftk__ftc_dtype dtype,
                    uint64_t n)
{
    uint64_t size = ftk__ftc_dtype_bytes(dtype);
    end_array(w);
    if (w->st < 0)
        return;
    bool fits = ftk__format(w->name, sizeof(w->name), "%s", name);
    if (!fits || !name[0] || !ftk__utf8_valid(name))
        fail_use(w, "has a name that is no 1 to 255 bytes of UTF-8");
    else if (size == 0 || n > INT64_MAX / 8)
        fail_use(w, "has no type, or more elements than a file can hold");
    if (w->st < 0)
        return;
    emit_padding(w);
    w->dtype = dtype;
    w->n = n;
    w->offset = w->at;
    w->left = n * size;
    w->one = ftk__hasher_new();
    if (!w->one)
        fail_memory(w);
}

void ftk__ftc_put(struct ftk__ftc_writer *w, const void *data, uint64_t bytes)
{
    if (w->st < 0)
        return;
    if (!w->one || bytes > w->left) {
        fail_use(w, "gets more bytes than announced");
        return;
    }
    ftk__hasher_add(w->one, data, bytes);
    emit(w, data, bytes);
    w->left -= bytes;
}

static int put_text(const char *text, size_t n, void *arg)
{
    emit(arg, text, n);
    return 0;
}

static void put_table(struct ftk__ftc_writer *w)
{
    json_t *table = json_pack("{s:O, s:O}", "header", w->header, "arrays", w->arrays);
    if (!table || json_dump_callback(table, put_text, w, JSON_REAL_PRECISION(17)) != 0)
        fail_memory(w);
    json_decref(table);
}

static void put_foot(struct ftk__ftc_writer *w, uint64_t table_at)
{
    struct ftk__sha256 hash;
    struct ftk__ftc_foot foot = { .table_at = table_at, .table_bytes = w->at - table_at };
    foot.file_bytes = w->at + sizeof(foot);
    memcpy(foot.magic, ftk__ftc_end, sizeof(foot.magic));
    emit(w, &foot, offsetof(struct ftk__ftc_foot, sha256));
    w->st = ftk__hasher_end(w->whole, &hash, &w->err);
    w->whole = NULL;
    if (w->st < 0)
        return;
    ftk__ftc_digest(&hash, foot.sha256);
    ftk__writer_put(&w->out, foot.sha256, sizeof(foot.sha256));
    w->at += sizeof(foot.sha256);
}

ftk_status ftk__ftc_commit(struct ftk__ftc_writer *w, uint64_t *ret_bytes, struct ftk_error *reterr)
{
    end_array(w);
    if (w->st >= 0)
        emit_padding(w);
    uint64_t table_at = w->at;
    if (w->st >= 0)
        put_table(w);
    if (w->st >= 0)
        put_foot(w, table_at);
    ftk_status st = w->st;
    if (st < 0 && reterr)
        *reterr = w->err;
    if (st >= 0)
        st = ftk__writer_commit(&w->out, reterr);
    if (st >= 0)
        *ret_bytes = w->at;
    ftk__ftc_abort(w);
    return st;
}

void ftk__ftc_abort(struct ftk__ftc_writer *w)
{
    if (!w)
        return;
    ftk__writer_abort(&w->out);
    drop_hasher(w->one);
    drop_hasher(w->whole);
    json_decref(w->arrays);
    ftk__free(w);
}
