/* SPDX-License-Identifier: MIT
 * base/stread.c - the reader of safetensors files (base/safetensors.h).
 *
 * Nothing in the file is believed: each number is checked before it is used, and the arrays must
 * tile the data exactly.
 */
#include "base/io.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/safetensors.h"
#include "base/stformat.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_MAX   100000000u /* the limit of the format's own library        */
#define LENGTH_BYTES 8u

/* An entry of the header while it is read. */
struct entry {
    struct ftk__st_array array;
    uint64_t begin, end; /* bytes in the data                            */
    uint64_t order;      /* place in the header, so that sorting is stable */
};

struct reader {
    const char *path;
    const unsigned char *data;
    uint64_t n_data;
    struct entry *entries; // [n], by begin once sorted
    uint64_t n;
    struct ftk__st_file file; /* what will be returned                        */
    struct ftk_error *reterr;
};

static ftk_status bad_key(struct reader *r, const char *key, const char *what)
{
    return ftk__fail_exit(r->reterr, FTK_EINVAL, FTK__EXIT_DATA, "%s: array '%s': %s", r->path, key,
                          what);
}

static ftk_status no_memory(struct reader *r)
{
    return ftk__fail(r->reterr, FTK_ENOMEM, "out of memory for %s", r->path);
}

/* A count: a JSON integer from 0 on. */
static bool read_count(const json_t *v, uint64_t *ret)
{
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return false;
    *ret = (uint64_t)json_integer_value(v);
    return true;
}

static ftk_status read_dtype(struct reader *r, const char *key, const json_t *v,
                             enum ftk__dtype *ret)
{
    if (!json_is_string(v))
        return bad_key(r, key, "dtype is not a string");
    for (enum ftk__dtype t = FTK__F32; t <= FTK__BOOL; t++) {
        if (strcmp(json_string_value(v), ftk__st_dtype_name(t)) == 0) {
            *ret = t;
            return FTK_OK;
        }
    }
    return ftk__fail_exit(r->reterr, FTK_ENOTSUP, FTK__EXIT_DATA,
                          "%s: array '%s': dtype '%s' is none of F32, U8, I32, I64, F64, BOOL",
                          r->path, key, json_string_value(v));
}

static ftk_status read_shape(struct reader *r, const char *key, const json_t *v,
                             struct ftk__st_array *a)
{
    if (!json_is_array(v))
        return bad_key(r, key, "shape is not an array");
    size_t n = json_array_size(v);
    if (n > FTK__ST_DIMS)
        return ftk__fail_exit(r->reterr, FTK_ENOTSUP, FTK__EXIT_DATA,
                              "%s: array '%s': %zu dimensions are above %d", r->path, key, n,
                              FTK__ST_DIMS);
    for (size_t d = 0; d < n; d++)
        if (!read_count(json_array_get(v, d), &a->dims[d]))
            return bad_key(r, key, "shape is not of integers from 0 on");
    a->n_dims = (uint32_t)n;
    return FTK_OK;
}

static ftk_status read_entry(struct reader *r, const char *key, const json_t *v)
{
    struct entry *e = &r->entries[r->n];
    if (!json_is_object(v))
        return bad_key(r, key, "is not an object");
    ftk_status st = read_dtype(r, key, json_object_get(v, "dtype"), &e->array.dtype);
    if (st == FTK_OK)
        st = read_shape(r, key, json_object_get(v, "shape"), &e->array);
    if (st != FTK_OK)
        return st;
    const json_t *offsets = json_object_get(v, "data_offsets");
    if (json_array_size(offsets) != 2 || !read_count(json_array_get(offsets, 0), &e->begin) ||
        !read_count(json_array_get(offsets, 1), &e->end))
        return bad_key(r, key, "data_offsets are not two integers from 0 on");
    if (json_object_size(v) != 3)
        return bad_key(r, key, "has keys beside dtype, shape and data_offsets");
    uint64_t bytes;
    if (!ftk__st_shape_bytes(e->array.dims, e->array.n_dims, e->array.dtype, &bytes))
        return bad_key(r, key, "shape has more than 2^63 bytes");
    if (e->end < e->begin || e->end - e->begin != bytes)
        return ftk__fail_exit(r->reterr, FTK_EINVAL, FTK__EXIT_DATA,
                              "%s: array '%s': data_offsets %" PRIu64 " to %" PRIu64
                              " are not the %" PRIu64 " bytes of its shape",
                              r->path, key, e->begin, e->end, bytes);
    e->order = r->n++;
    e->array.name = ftk__strdup(key);
    return e->array.name ? FTK_OK : no_memory(r);
}

static ftk_status read_meta(struct reader *r, json_t *v)
{
    if (!json_is_object(v))
        return bad_key(r, "__metadata__", "is not an object");
    r->file.meta = ftk__alloc_array(json_object_size(v), sizeof *r->file.meta);
    if (!r->file.meta)
        return no_memory(r);
    const char *key;
    json_t *value;
    json_object_foreach(v, key, value)
    {
        if (!json_is_string(value))
            return ftk__fail_exit(r->reterr, FTK_EINVAL, FTK__EXIT_DATA,
                                  "%s: __metadata__ '%s' is not a string", r->path, key);
        struct ftk__st_meta *m = &r->file.meta[r->file.n_meta++];
        m->key = ftk__strdup(key);
        m->value = ftk__strdup(json_string_value(value));
        if (!m->key || !m->value)
            return no_memory(r);
    }
    return FTK_OK;
}

static int by_begin(const void *va, const void *vb)
{
    const struct entry *a = va;
    const struct entry *b = vb;
    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    if (a->end != b->end) /* an empty array comes before what starts where it stands */
        return a->end < b->end ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

/* The arrays in order of their data must leave no gap, overlap or rest. */
static ftk_status check_tiling(struct reader *r)
{
    qsort(r->entries, (size_t)r->n, sizeof *r->entries, by_begin);
    uint64_t at = 0;
    for (uint64_t i = 0; i < r->n; i++) {
        const struct entry *e = &r->entries[i];
        if (e->begin != at)
            return ftk__fail_exit(r->reterr, FTK_EINVAL, FTK__EXIT_DATA,
                                  "%s: array '%s' begins at data byte %" PRIu64 " where %" PRIu64
                                  " comes next",
                                  r->path, e->array.name, e->begin, at);
        if (e->end > r->n_data)
            return ftk__fail_exit(r->reterr, FTK_EINVAL, FTK__EXIT_DATA,
                                  "%s: array '%s' ends at data byte %" PRIu64
                                  ", the file at %" PRIu64,
                                  r->path, e->array.name, e->end, r->n_data);
        at = e->end;
    }
    if (at != r->n_data)
        return ftk__fail_exit(r->reterr, FTK_EINVAL, FTK__EXIT_DATA,
                              "%s: %" PRIu64
                              " bytes follow the last array, from data byte %" PRIu64,
                              r->path, r->n_data - at, at);
    return FTK_OK;
}

/* Copies the data so that each array starts at a multiple of 8: other writers align nothing. */
static ftk_status align_arrays(struct reader *r)
{
    uint64_t total = 0;
    for (uint64_t i = 0; i < r->n; i++)
        total += (r->entries[i].end - r->entries[i].begin + 7) / 8 * 8;
    char *bytes = ftk__alloc_array(total, 1);
    if (!bytes)
        return no_memory(r);
    uint64_t at = 0;
    for (uint64_t i = 0; i < r->n; i++) {
        struct entry *e = &r->entries[i];
        uint64_t n = e->end - e->begin;
        if (n > 0)
            memcpy(bytes + at, r->data + e->begin, (size_t)n);
        e->array.data = bytes + at;
        at += (n + 7) / 8 * 8;
    }
    ftk__free(r->file.bytes);
    r->file.bytes = bytes;
    return FTK_OK;
}

static ftk_status place_arrays(struct reader *r)
{
    bool aligned = true;
    for (uint64_t i = 0; i < r->n; i++) {
        struct entry *e = &r->entries[i];
        e->array.data = r->data + e->begin;
        aligned = aligned && (uintptr_t)e->array.data % ftk__dtype_bytes(e->array.dtype) == 0;
        uint64_t bytes = e->end - e->begin;
        uint64_t bad = e->array.dtype == FTK__BOOL ? ftk__bool_bad(e->array.data, bytes) : bytes;
        if (bad < bytes)
            return ftk__fail_exit(r->reterr, FTK_EINVAL, FTK__EXIT_DATA,
                                  "%s: array '%s': data byte %" PRIu64 " is no boolean", r->path,
                                  e->array.name, e->begin + bad);
    }
    if (!aligned) {
        ftk_status st = align_arrays(r);
        if (st != FTK_OK)
            return st;
    }
    for (uint64_t i = 0; i < r->n; i++)
        r->file.arrays[i] = r->entries[i].array;
    r->file.n = r->n;
    return FTK_OK;
}

static ftk_status read_header(struct reader *r, json_t *header)
{
    if (!json_is_object(header))
        return ftk__fail_exit(r->reterr, FTK_EINVAL, FTK__EXIT_DATA,
                              "%s: byte %u: the header is not a JSON object", r->path,
                              LENGTH_BYTES);
    size_t most = json_object_size(header);
    r->entries = ftk__alloc_array(most, sizeof *r->entries);
    r->file.arrays = ftk__alloc_array(most, sizeof *r->file.arrays);
    if (!r->entries || !r->file.arrays)
        return no_memory(r);
    const char *key;
    json_t *value;
    json_object_foreach(header, key, value)
    {
        bool meta = strcmp(key, "__metadata__") == 0;
        ftk_status st = meta ? read_meta(r, value) : read_entry(r, key, value);
        if (st != FTK_OK)
            return st;
    }
    ftk_status st = check_tiling(r);
    return st == FTK_OK ? place_arrays(r) : st;
}

/* Finds header and data in the `n_file` bytes of the file. */
static ftk_status read_file(struct reader *r, uint64_t n_file)
{
    const unsigned char *b = (const unsigned char *)r->file.bytes;
    if (n_file < LENGTH_BYTES)
        return ftk__fail_exit(r->reterr, FTK_EINVAL, FTK__EXIT_DATA,
                              "%s: byte %" PRIu64 ": the file ends within the header's length",
                              r->path, n_file);
    uint64_t n_header = 0;
    for (unsigned i = 0; i < LENGTH_BYTES; i++)
        n_header |= (uint64_t)b[i] << (8 * i);
    uint64_t limit = n_file - LENGTH_BYTES < HEADER_MAX ? n_file - LENGTH_BYTES : HEADER_MAX;
    if (n_header > limit)
        return ftk__fail_exit(r->reterr, FTK_EINVAL, FTK__EXIT_DATA,
                              "%s: byte 0: a header of %" PRIu64 " bytes is above %" PRIu64,
                              r->path, n_header, limit);
    r->data = b + LENGTH_BYTES + n_header;
    r->n_data = n_file - LENGTH_BYTES - n_header;
    json_t *header;
    ftk_status st =
        ftk__json_parse((const char *)b + LENGTH_BYTES, n_header, r->path, &header, r->reterr);
    if (st != FTK_OK)
        return st;
    st = read_header(r, header);
    json_decref(header);
    return st;
}

/* The strings are ours; they are const only for those who read the file. */
static void free_text(const char *text)
{
    ftk__free((void *)(uintptr_t)text);
}

ftk_status ftk__st_open(const char *path, struct ftk__st_file *ret, struct ftk_error *reterr)
{
    struct reader r = { .path = path, .reterr = reterr };
    uint64_t n_file;
    ftk_status st = ftk__file_read(path, INT64_MAX, &r.file.bytes, &n_file, reterr);
    if (st != FTK_OK)
        return st;
    st = read_file(&r, n_file);
    if (st != FTK_OK) {
        for (uint64_t i = 0; i < r.n; i++)
            free_text(r.entries[i].array.name);
        ftk__st_close(&r.file);
    } else {
        *ret = r.file;
    }
    ftk__free(r.entries);
    return st;
}

const struct ftk__st_array *ftk__st_find(const struct ftk__st_file *f, const char *name)
{
    for (uint64_t i = 0; i < f->n; i++)
        if (strcmp(f->arrays[i].name, name) == 0)
            return &f->arrays[i];
    return NULL;
}

const char *ftk__st_meta_find(const struct ftk__st_file *f, const char *key)
{
    for (uint64_t i = 0; i < f->n_meta; i++)
        if (strcmp(f->meta[i].key, key) == 0)
            return f->meta[i].value;
    return NULL;
}

void ftk__st_close(struct ftk__st_file *f)
{
    for (uint64_t i = 0; i < f->n; i++)
        free_text(f->arrays[i].name);
    for (uint64_t i = 0; i < f->n_meta; i++) {
        free_text(f->meta[i].key);
        free_text(f->meta[i].value);
    }
    ftk__free(f->arrays);
    ftk__free(f->meta);
    ftk__free(f->bytes);
    *f = (struct ftk__st_file){ 0 };
}
