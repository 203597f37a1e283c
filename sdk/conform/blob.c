/* SPDX-License-Identifier: MIT
 * conform/blob.c - named arrays, compared bit by bit.
 */
#include "conform/blob.h"
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

struct ftk__blob_item {
    char name[120];
    uint32_t type;
    uint64_t n;
    void *data; // [n] of the type
};

static size_t size_of(uint32_t type)
{
    static const size_t bytes[] = { 1, 4, 8, 4, 8 };
    return bytes[type];
}

static struct ftk__blob_item *append(struct ftk__blob *b)
{
    if (b->n == b->cap) {
        uint32_t cap = b->cap > 0 ? 2 * b->cap : 16;
        struct ftk__blob_item *grown = ftk__realloc_array(b->item, b->n, cap, sizeof(*grown));
        if (!grown)
            ftk__kit_broken("no memory for %u results", cap);
        b->item = grown;
        b->cap = cap;
    }
    return &b->item[b->n++];
}

void ftk__blob_put(struct ftk__blob *b, enum ftk__blob_type type, const void *data, uint64_t n,
                   const char *name_fmt, ...)
{
    va_list args;
    if (!b)
        return;
    struct ftk__blob_item *i = append(b);
    va_start(args, name_fmt);
    vsnprintf(i->name, sizeof(i->name), name_fmt, args);
    va_end(args);
    i->type = type;
    i->n = n;
    i->data = ftk__alloc_array(n, size_of(type));
    if (!i->data)
        ftk__kit_broken("no memory for %llu results", (unsigned long long)n);
    if (n > 0)
        memcpy(i->data, data, n * size_of(type));
}

const void *ftk__blob_get(const struct ftk__blob *b, uint32_t i, const char **ret_name,
                          enum ftk__blob_type *ret_type, uint64_t *ret_n)
{
    if (i >= b->n)
        return NULL;
    if (ret_name)
        *ret_name = b->item[i].name;
    if (ret_type)
        *ret_type = (enum ftk__blob_type)b->item[i].type;
    if (ret_n)
        *ret_n = b->item[i].n;
    return b->item[i].data;
}

static void print_value(struct ftk__str *out, const struct ftk__blob_item *item, uint64_t at)
{
    switch (item->type) {
    case FTK__BLOB_U8:
        ftk__str_addf(out, "%u", ((const uint8_t *)item->data)[at]);
        break;
    case FTK__BLOB_U32:
        ftk__str_addf(out, "%u", ((const uint32_t *)item->data)[at]);
        break;
    case FTK__BLOB_U64:
        ftk__str_addf(out, "%llu", (unsigned long long)((const uint64_t *)item->data)[at]);
        break;
    case FTK__BLOB_F32:
        ftk__str_addf(out, "%.9g", (double)((const float *)item->data)[at]);
        break;
    default:
        ftk__str_addf(out, "%.17g", ((const double *)item->data)[at]);
        break;
    }
}

static bool same_item(const struct ftk__blob_item *a, const struct ftk__blob_item *b,
                      struct ftk__str *why)
{
    if (strcmp(a->name, b->name) != 0 || a->type != b->type || a->n != b->n) {
        if (why)
            ftk__str_addf(why, "%s has %llu values, then %s has %llu", a->name,
                          (unsigned long long)a->n, b->name, (unsigned long long)b->n);
        return false;
    }
    size_t bytes = size_of(a->type);
    for (uint64_t i = 0; i < a->n; i++) {
        if (memcmp((const char *)a->data + i * bytes, (const char *)b->data + i * bytes, bytes) ==
            0)
            continue;
        if (why) {
            ftk__str_addf(why, "%s, value %llu: ", a->name, (unsigned long long)i);
            print_value(why, a, i);
            ftk__str_add(why, ", then ");
            print_value(why, b, i);
        }
        return false;
    }
    return true;
}

bool ftk__blob_same(const struct ftk__blob *a, const struct ftk__blob *b, struct ftk__str *ret_why)
{
    uint32_t n = a->n < b->n ? a->n : b->n;
    for (uint32_t i = 0; i < n; i++)
        if (!same_item(&a->item[i], &b->item[i], ret_why))
            return false;
    if (a->n == b->n)
        return true;
    if (ret_why)
        ftk__str_addf(ret_why, "%u results, then %u", a->n, b->n);
    return false;
}

void ftk__blob_done(struct ftk__blob *b)
{
    for (uint32_t i = 0; i < b->n; i++)
        ftk__free(b->item[i].data);
    ftk__free(b->item);
    *b = (struct ftk__blob){ 0 };
}

static void write_all(int fd, const void *data, uint64_t bytes)
{
    const char *at = data;
    while (bytes > 0) {
        ssize_t n = write(fd, at, bytes);
        if (n <= 0)
            ftk__kit_broken("cannot hand results to another process");
        at += n;
        bytes -= (uint64_t)n;
    }
}

/* False at the end of the file, before the first byte. */
static bool read_all(int fd, void *data, uint64_t bytes)
{
    char *at = data;
    uint64_t left = bytes;
    while (left > 0) {
        ssize_t n = read(fd, at, left);
        if (n == 0 && left == bytes)
            return false;
        if (n <= 0)
            ftk__kit_broken("cannot read the results of another process");
        at += n;
        left -= (uint64_t)n;
    }
    return true;
}

void ftk__blob_write(const struct ftk__blob *b, int fd)
{
    for (uint32_t i = 0; i < b->n; i++) {
        const struct ftk__blob_item *item = &b->item[i];
        write_all(fd, item->name, sizeof(item->name));
        write_all(fd, &item->type, sizeof(item->type));
        write_all(fd, &item->n, sizeof(item->n));
        write_all(fd, item->data, item->n * size_of(item->type));
    }
}

void ftk__blob_read(struct ftk__blob *b, int fd)
{
    char name[sizeof(b->item->name)];
    while (read_all(fd, name, sizeof(name))) {
        struct ftk__blob_item *item = append(b);
        memcpy(item->name, name, sizeof(name));
        if (!read_all(fd, &item->type, sizeof(item->type)) || item->type > FTK__BLOB_F64 ||
            !read_all(fd, &item->n, sizeof(item->n)))
            ftk__kit_broken("the results of another process are cut short");
        item->data = ftk__alloc_array(item->n, size_of(item->type));
        if (!item->data)
            ftk__kit_broken("no memory for %llu results", (unsigned long long)item->n);
        if (item->n > 0 && !read_all(fd, item->data, item->n * size_of(item->type)))
            ftk__kit_broken("the results of another process are cut short");
    }
}
