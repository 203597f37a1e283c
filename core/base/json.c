/* SPDX-License-Identifier: MIT
 * base/json.c - whole JSON documents from and to files, in our memory and with our errors.
 */
#include "base/json.h"
#include "base/io.h"
#include "base/mem.h"
#include <errno.h>
#include <string.h>

static void free_json(void *p)
{
    ftk__free(p);
}

void ftk__json_setup(void)
{
    json_set_alloc_funcs(ftk__alloc, free_json);
}

/* 17 digits give back the same double; jansson keeps the order of keys by itself. */
static const size_t dump_flags = JSON_INDENT(2) | JSON_REAL_PRECISION(17) | JSON_ENCODE_ANY;

static int put(const char *text, size_t n, void *arg)
{
    ftk__writer_put(arg, text, n);
    return 0; /* the writer keeps its error until commit */
}

static ftk_status fail_dump(const char *where, struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "cannot write %s as JSON: out of memory", where);
}

ftk_status ftk__json_write_file(const char *path, const json_t *doc, struct ftk_error *reterr)
{
    struct ftk__writer w;
    ftk_status st = ftk__writer_open(&w, path, reterr);
    if (st != FTK_OK)
        return st;
    if (json_dump_callback(doc, put, &w, dump_flags) != 0) {
        ftk__writer_abort(&w);
        return fail_dump(path, reterr);
    }
    ftk__writer_put(&w, "\n", 1);
    return ftk__writer_commit(&w, reterr);
}

ftk_status ftk__json_print(FILE *to, const json_t *doc, struct ftk_error *reterr)
{
    errno = 0;
    if (json_dumpf(doc, to, dump_flags) != 0 && !ferror(to))
        return fail_dump("the output", reterr);
    fputc('\n', to);
    if (fflush(to) != 0 || ferror(to))
        return ftk__fail(reterr, FTK_EIO, "cannot write the output: %s",
                         strerror(errno ? errno : EIO));
    return FTK_OK;
}

ftk_status ftk__json_parse(const char *text, uint64_t bytes, const char *what, json_t **ret,
                           struct ftk_error *reterr)
{
    json_error_t error = { 0 };
    uint64_t failed = ftk__mem_stats().failed;
    json_t *doc = json_loadb(text, (size_t)bytes, JSON_REJECT_DUPLICATES, &error);
    /* Where an allocation fails jansson 2.14 may give no reason, call it a mistake in the text or
     * even go on with a number cut to 16 characters; so it is not asked. */
    if (ftk__mem_stats().failed != failed) {
        json_decref(doc);
        return ftk__fail(reterr, FTK_ENOMEM, "out of memory for %s", what);
    }
    if (doc) {
        *ret = doc;
        return FTK_OK;
    }
    return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA, "%s:%d:%d: %s", what, error.line,
                          error.column, error.text);
}

ftk_status ftk__json_read_file(const char *path, uint64_t limit, json_t **ret,
                               struct ftk_error *reterr)
{
    char *text;
    uint64_t bytes;
    ftk_status st = ftk__file_read(path, limit, &text, &bytes, reterr);
    if (st != FTK_OK)
        return st;
    st = ftk__json_parse(text, bytes, path, ret, reterr);
    ftk__free(text);
    return st;
}

const char *ftk__json_string(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}
