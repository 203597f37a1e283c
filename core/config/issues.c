/* SPDX-License-Identifier: MIT
 * config/issues.c - what is wrong with a configuration, for people and as JSON.
 */
#include "config/load.h"
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    const struct ftk__issue *const *left = a;
    const struct ftk__issue *const *right = b;
    const char *left_file = (*left)->file ? (*left)->file : "";
    const char *right_file = (*right)->file ? (*right)->file : "";
    int by_file = strcmp(left_file, right_file);
    if (by_file != 0)
        return by_file;
    if ((*left)->line != (*right)->line)
        return (*left)->line < (*right)->line ? -1 : 1;
    /* of one line: as they were found */
    return *left < *right ? -1 : *left > *right;
}

/* By file and line; NULL without memory. */
static const struct ftk__issue **sorted(const struct ftk__issues *is)
{
    const struct ftk__issue **order = ftk__alloc_array(is->n, sizeof *order);
    if (!order)
        return NULL;
    for (uint64_t i = 0; i < is->n; i++)
        order[i] = &is->v[i];
    qsort(order, is->n, sizeof *order, compare);
    return order;
}

static void print_one(const struct ftk__issue *is, FILE *to)
{
    if (is->file && is->line > 0)
        fprintf(to, "%s:%u: ", is->file, is->line);
    else if (is->file)
        fprintf(to, "%s: ", is->file);
    if (is->path && is->path[0])
        fprintf(to, "%s: ", is->path);
    fputs(is->message, to);
    if (is->limit)
        fprintf(to, " (%s", is->limit);
    if (is->nearest)
        fprintf(to, "%sdid you mean '%s'?", is->limit ? "; " : " (", is->nearest);
    fputs(is->limit || is->nearest ? ")\n" : "\n", to);
}

void ftk__issues_print(const struct ftk__issues *is, FILE *to)
{
    const struct ftk__issue **order = sorted(is);
    for (uint64_t i = 0; i < is->n; i++)
        print_one(order ? order[i] : &is->v[i], to);
    ftk__free(order);
}

/* A file's name, or a value cut short, need not be UTF-8, which JSON is. */
static json_t *text_or_null(const char *s)
{
    if (!s)
        return json_null();
    json_t *text = json_string(s);
    char *ascii = text ? NULL : ftk__strdup(s);
    if (!ascii)
        return text;
    for (char *c = ascii; *c; c++) {
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    }
    text = json_string(ascii);
    ftk__free(ascii);
    return text;
}

json_t *ftk__issues_json(const struct ftk__issues *is)
{
    const struct ftk__issue **order = sorted(is);
    json_t *all = order ? json_array() : NULL;
    for (uint64_t i = 0; all && i < is->n; i++) {
        const struct ftk__issue *one = order[i];
        json_t *entry = json_object();
        int bad = json_object_set_new(entry, "file", text_or_null(one->file));
        bad |= json_object_set_new(entry, "line",
                                   one->line > 0 ? json_integer(one->line) : json_null());
        bad |= json_object_set_new(entry, "path", text_or_null(one->path));
        bad |= json_object_set_new(entry, "message", text_or_null(one->message));
        bad |= json_object_set_new(entry, "limit", text_or_null(one->limit));
        bad |= json_object_set_new(entry, "nearest", text_or_null(one->nearest));
        bad |= json_array_append_new(all, entry);
        if (bad) {
            json_decref(all);
            all = NULL;
        }
    }
    ftk__free(order);
    return all;
}
