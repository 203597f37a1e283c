/* SPDX-License-Identifier: MIT
 * base/ftc_read.c - reading a checkpoint's container (base/ftc.h).
 *
 * Nothing in the file is believed: the digest of the whole comes first, and each number of the table
 * is checked all the same before it is used.
 */
#include "base/ftc_format.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 64 * 1024 };
#define TABLE_MAX (UINT64_C(256) << 20)

static ftk_status refuse(const char *path, struct ftk_error *reterr, const char *fmt, ...)
    FTK_PRINTF(3, 4);
static ftk_status refuse(const char *path, struct ftk_error *reterr, const char *fmt, ...)
{
    char what[FTK__ERROR_TEXT];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA, "%s %s", path, what);
}

static ftk_status no_memory(const char *path, struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "cannot read %s: out of memory", path);
}

static ftk_status read_at(int fd, const char *path, uint64_t from, uint64_t bytes, void *ret,
                          struct ftk_error *reterr)
{
    char *to = ret;
    while (bytes > 0) {
        ssize_t got = pread(fd, to, (size_t)bytes, (off_t)from);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ftk__fail(reterr, FTK_EIO, "cannot read %s: %s", path, strerror(errno));
        if (got == 0)
            return ftk__fail(reterr, FTK_EIO, "cannot read %s: it became shorter meanwhile", path);
        to += got;
        from += (uint64_t)got;
        bytes -= (uint64_t)got;
    }
    return FTK_OK;
}

static ftk_status hash_range(int fd, const char *path, uint64_t from, uint64_t bytes,
                             struct ftk__sha256 *ret, struct ftk_error *reterr)
{
    char *piece = ftk__alloc(PIECE);
    struct ftk__hasher *h = piece ? ftk__hasher_new() : NULL;
    ftk_status st = h ? FTK_OK : no_memory(path, reterr);
    while (st >= 0 && bytes > 0) {
        uint64_t n = bytes < PIECE ? bytes : PIECE;
        st = read_at(fd, path, from, n, piece, reterr);
        if (st >= 0)
            ftk__hasher_add(h, piece, n);
        from += n;
        bytes -= n;
    }
    if (h) {
        ftk_status ended = ftk__hasher_end(h, ret, st < 0 ? NULL : reterr);
        st = st < 0 ? st : ended;
    }
    ftk__free(piece);
    return st;
}

/* ---- head, foot and whole -------------------------------------------------------------------- */

static ftk_status check_head(const struct ftk__ftc_file *f, uint64_t size, struct ftk_error *reterr)
{
    struct ftk__ftc_head head = { .version = 0 };
    ftk_status st = FTK_OK;
    if (size >= sizeof(head))
        st = read_at(f->fd, f->path, 0, sizeof(head), &head, reterr);
    if (st < 0)
        return st;
    if (memcmp(head.magic, ftk__ftc_magic, sizeof(head.magic)) != 0)
        return refuse(f->path, reterr, "is no checkpoint: it does not begin with FTKC");
    if (head.version == __builtin_bswap32(FTK__FTC_VERSION))
        return refuse(f->path, reterr, "was written on a machine of the other byte order");
    if (head.version != FTK__FTC_VERSION)
        return refuse(f->path, reterr,
                      "is a checkpoint of version %" PRIu32 ", this program reads version %d",
                      head.version, FTK__FTC_VERSION);
    return FTK_OK;
}

static ftk_status check_foot(const struct ftk__ftc_file *f, uint64_t size,
                             struct ftk__ftc_foot *ret, struct ftk_error *reterr)
{
    struct ftk__ftc_foot foot = { 0 };
    ftk_status st = FTK_OK;
    if (size >= sizeof(struct ftk__ftc_head) + sizeof(foot))
        st = read_at(f->fd, f->path, size - sizeof(foot), sizeof(foot), &foot, reterr);
    if (st < 0)
        return st;
    if (memcmp(foot.magic, ftk__ftc_end, sizeof(foot.magic)) != 0 || foot.file_bytes != size)
        return refuse(f->path, reterr,
                      "is damaged: it has %" PRIu64 " bytes and does not end as a checkpoint does",
                      size);
    uint64_t body = size - sizeof(foot);
    if (foot.table_at < sizeof(struct ftk__ftc_head) || foot.table_at > body ||
        foot.table_bytes != body - foot.table_at || foot.table_bytes > TABLE_MAX)
        return refuse(f->path, reterr,
                      "is damaged: its table cannot have %" PRIu64 " bytes at %" PRIu64,
                      foot.table_bytes, foot.table_at);
    *ret = foot;
    return FTK_OK;
}

static ftk_status check_whole(const struct ftk__ftc_file *f, uint64_t size,
                              const struct ftk__ftc_foot *foot, struct ftk_error *reterr)
{
    struct ftk__sha256 hash;
    unsigned char digest[FTK__FTC_DIGEST];
    ftk_status st = hash_range(f->fd, f->path, 0, size - FTK__FTC_DIGEST, &hash, reterr);
    if (st < 0)
        return st;
    ftk__ftc_digest(&hash, digest);
    if (memcmp(digest, foot->sha256, sizeof(digest)) != 0)
        return refuse(f->path, reterr, "is damaged: its SHA-256 is not the one at its end");
    return FTK_OK;
}

/* ---- the table ------------------------------------------------------------------------------- */

static bool read_count(const json_t *v, uint64_t *ret)
{
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return false;
    *ret = (uint64_t)json_integer_value(v);
    return true;
}

static bool read_dtype(const json_t *v, enum ftk__ftc_dtype *ret)
{
    const char *name = json_string_value(v);
    for (enum ftk__ftc_dtype t = FTK__FTC_U8; name && t <= FTK__FTC_F64; t++) {
        if (strcmp(name, ftk__ftc_dtype_name(t)) == 0) {
            *ret = t;
            return true;
        }
    }
    return false;
}

static bool read_hash(const json_t *v, struct ftk__sha256 *ret)
{
    const char *hex = json_string_value(v);
    if (!hex || strlen(hex) != 64 || strspn(hex, "0123456789abcdef") != 64)
        return false;
    memcpy(ret->hex, hex, sizeof(ret->hex));
    return true;
}

/* What is wrong with a row; NULL: nothing.  `from`: where an array may begin, `to`: end at most. */
static const char *read_row(const json_t *row, uint64_t from, uint64_t to,
                            struct ftk__ftc_array *ret)
{
    const json_t *shape = json_object_get(row, "shape");
    size_t n_name = json_string_length(json_object_get(row, "name"));
    ret->name = json_string_value(json_object_get(row, "name"));
    if (!ret->name || n_name < 1 || n_name > FTK__FTC_NAME_MAX || strlen(ret->name) != n_name)
        return "name is not of 1 to 255 bytes";
    if (!read_dtype(json_object_get(row, "dtype"), &ret->dtype))
        return "dtype is none of U8, U32, U64, F32, F64";
    if (json_array_size(shape) != 1 || !read_count(json_array_get(shape, 0), &ret->n))
        return "shape is not one integer from 0 on";
    if (!read_count(json_object_get(row, "offset"), &ret->offset) ||
        !read_count(json_object_get(row, "bytes"), &ret->bytes))
        return "offset or bytes is no integer from 0 on";
    if (ret->n > INT64_MAX / 8 || ret->bytes != ret->n * ftk__ftc_dtype_bytes(ret->dtype))
        return "bytes are not those of its shape";
    if (ret->offset % FTK__FTC_ALIGN != 0)
        return "offset is no multiple of 64";
    if (ret->offset < from)
        return "lies in the array before it";
    if (ret->offset > to || ret->bytes > to - ret->offset)
        return "goes beyond the table";
    if (!read_hash(json_object_get(row, "sha256"), &ret->sha256))
        return "sha256 is not 64 digits";
    return NULL;
}

static ftk_status read_rows(struct ftk__ftc_file *f, const json_t *rows, uint64_t table_at,
                            struct ftk_error *reterr)
{
    size_t n = json_array_size(rows);
    uint64_t from = sizeof(struct ftk__ftc_head);
    f->arrays = ftk__alloc_array(n, sizeof(*f->arrays));
    if (!f->arrays)
        return no_memory(f->path, reterr);
    for (size_t i = 0; i < n; i++) {
        struct ftk__ftc_array *a = &f->arrays[i];
        const char *wrong = read_row(json_array_get(rows, i), from, table_at, a);
        if (wrong)
            return refuse(f->path, reterr, "is damaged: array %zu, '%.64s': %s", i,
                          a->name ? a->name : "", wrong);
        from = a->offset + a->bytes;
        f->n_arrays++;
    }
    return FTK_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static ftk_status check_names(const struct ftk__ftc_file *f, struct ftk_error *reterr)
{
    const char **names = ftk__alloc_array(f->n_arrays, sizeof(*names));
    ftk_status st = FTK_OK;
    if (!names)
        return no_memory(f->path, reterr);
    for (uint32_t i = 0; i < f->n_arrays; i++)
        names[i] = f->arrays[i].name;
    qsort(names, f->n_arrays, sizeof(*names), by_name);
    for (uint32_t i = 1; i < f->n_arrays && st >= 0; i++) {
        if (strcmp(names[i - 1], names[i]) == 0)
            st = refuse(f->path, reterr, "is damaged: array '%.64s' is there twice", names[i]);
    }
    ftk__free(names);
    return st;
}

static ftk_status read_table(struct ftk__ftc_file *f, const struct ftk__ftc_foot *foot,
                             struct ftk_error *reterr)
{
    char *text = ftk__alloc(foot->table_bytes);
    if (!text)
        return no_memory(f->path, reterr);
    ftk_status st = read_at(f->fd, f->path, foot->table_at, foot->table_bytes, text, reterr);
    if (st >= 0)
        st = ftk__json_parse(text, foot->table_bytes, f->path, &f->table, reterr);
    ftk__free(text);
    if (st < 0)
        return st;
    const json_t *rows = json_object_get(f->table, "arrays");
    f->header = json_object_get(f->table, "header");
    if (!json_is_object(f->header) || !json_is_array(rows) || json_array_size(rows) >= UINT32_MAX)
        return refuse(f->path, reterr, "is damaged: its table has no header and arrays");
    st = read_rows(f, rows, foot->table_at, reterr);
    return st < 0 ? st : check_names(f, reterr);
}

static ftk_status check_arrays(const struct ftk__ftc_file *f, struct ftk_error *reterr)
{
    struct ftk__sha256 hash;
    for (uint32_t i = 0; i < f->n_arrays; i++) {
        const struct ftk__ftc_array *a = &f->arrays[i];
        ftk_status st = hash_range(f->fd, f->path, a->offset, a->bytes, &hash, reterr);
        if (st < 0)
            return st;
        if (memcmp(hash.hex, a->sha256.hex, sizeof(hash.hex)) != 0)
            return refuse(f->path, reterr, "is damaged: the SHA-256 of array '%.64s' is another",
                          a->name);
    }
    return FTK_OK;
}

/* ---- an open file ---------------------------------------------------------------------------- */

static ftk_status open_fd(const char *path, int *ret_fd, uint64_t *ret_size,
                          struct ftk_error *reterr)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO would have us wait */
    int error = fd < 0 || fstat(fd, &st) != 0 ? errno : 0;
    if (!error && !S_ISREG(st.st_mode))
        error = S_ISDIR(st.st_mode) ? EISDIR : ESPIPE;
    if (!error) {
        *ret_fd = fd;
        *ret_size = (uint64_t)st.st_size;
        return FTK_OK;
    }
    if (fd >= 0)
        close(fd);
    if (error == ENOENT || error == ENOTDIR)
        return ftk__fail_exit(reterr, FTK_ENOENT, FTK__EXIT_NO_DATA, "cannot read %s: %s", path,
                              strerror(error));
    return ftk__fail(reterr, FTK_EIO, "cannot read %s: %s", path, strerror(error));
}

ftk_status ftk__ftc_open(const char *path, struct ftk__ftc_file *ret, struct ftk_error *reterr)
{
    struct ftk__ftc_file f = { .fd = -1, .path = ftk__strdup(path) };
    struct ftk__ftc_foot foot;
    uint64_t size = 0;
    ftk_status st = f.path ? open_fd(path, &f.fd, &size, reterr) : no_memory(path, reterr);
    if (st >= 0)
        st = check_head(&f, size, reterr);
    if (st >= 0)
        st = check_foot(&f, size, &foot, reterr);
    if (st >= 0)
        st = check_whole(&f, size, &foot, reterr);
    if (st >= 0)
        st = read_table(&f, &foot, reterr);
    if (st >= 0)
        st = check_arrays(&f, reterr);
    if (st < 0)
        ftk__ftc_close(&f);
    else
        *ret = f;
    return st;
}

void ftk__ftc_close(struct ftk__ftc_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    json_decref(f->table);
    ftk__free(f->arrays);
    ftk__free(f->path);
    *f = (struct ftk__ftc_file){ .fd = -1 };
}

const struct ftk__ftc_array *ftk__ftc_find(const struct ftk__ftc_file *f, const char *name)
{
    for (uint32_t i = 0; i < f->n_arrays; i++) {
        if (strcmp(f->arrays[i].name, name) == 0)
            return &f->arrays[i];
    }
    return NULL;
}

ftk_status ftk__ftc_read(const struct ftk__ftc_file *f, const struct ftk__ftc_array *a,
                         uint64_t from, uint64_t n, void *ret, struct ftk_error *reterr)
{
    uint64_t size = ftk__ftc_dtype_bytes(a->dtype);
    if (from > a->n || n > a->n - from)
        return ftk__fail(reterr, FTK_EINTERNAL, "%s: array '%s' ends before element %" PRIu64,
                         f->path, a->name, from + n);
    return read_at(f->fd, f->path, a->offset + from * size, n * size, ret, reterr);
}
