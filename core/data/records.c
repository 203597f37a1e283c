/* SPDX-License-Identifier: MIT
 * data/records.c - reads CIFAR's binary format.
 */
#include "data/records.h"
#include "data/gzip.h"

static ftk_status too_short(const char *path, const struct ftk__record_format *f, uint64_t n,
                            uint64_t at, struct ftk_error *reterr)
{
    uint64_t record = f->n_labels + FTK__RECORD_PIXELS;
    return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                          "%s: byte %llu is missing: the content ends there, %llu records of %llu "
                          "bytes are %llu",
                          path, (unsigned long long)at, (unsigned long long)n,
                          (unsigned long long)record, (unsigned long long)(n * record));
}

static ftk_status check_labels(const char *path, const struct ftk__record_format *f,
                               const uint8_t *label, uint64_t at, struct ftk_error *reterr)
{
    for (uint32_t i = 0; i < f->n_labels; i++) {
        if (label[i] >= f->classes[i])
            return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                                  "%s: byte %llu: label %u is not below %u, the number of "
                                  "%sclasses",
                                  path, (unsigned long long)(at + i), label[i], f->classes[i],
                                  i + 1 < f->n_labels ? "coarse " : "");
    }
    return FTK_OK;
}

/* Record `i` of the file; `at` is its offset. */
static ftk_status read_record(struct ftk__gzip *z, const char *path,
                              const struct ftk__record_format *f, uint64_t n, uint64_t i,
                              uint8_t *ret_pixels, int32_t *ret_label, struct ftk_error *reterr)
{
    uint64_t at = i * (f->n_labels + FTK__RECORD_PIXELS);
    uint8_t label[FTK__RECORD_LABELS];
    uint64_t got;
    ftk_status st = ftk__gzip_read(z, label, f->n_labels, &got, reterr);
    if (st == FTK_OK && got < f->n_labels)
        return too_short(path, f, n, at + got, reterr);
    if (st == FTK_OK)
        st = check_labels(path, f, label, at, reterr);
    if (st == FTK_OK)
        st = ftk__gzip_read(z, ret_pixels, FTK__RECORD_PIXELS, &got, reterr);
    if (st != FTK_OK)
        return st;
    if (got < FTK__RECORD_PIXELS)
        return too_short(path, f, n, at + f->n_labels + got, reterr);
    *ret_label = label[f->n_labels - 1];
    return FTK_OK;
}

ftk_status ftk__records_read(const char *path, const struct ftk__record_format *f, uint64_t n,
                             uint64_t first, const struct ftk__store *to, struct ftk_error *reterr)
{
    struct ftk__gzip *z;
    ftk_status st = ftk__gzip_open(path, &z, reterr);
    if (st != FTK_OK)
        return st;
    for (uint64_t i = 0; i < n && st == FTK_OK; i++)
        st = read_record(z, path, f, n, i, to->pixels + (first + i) * FTK__RECORD_PIXELS,
                         to->label + first + i, reterr);
    uint8_t beyond;
    uint64_t more = 0;
    if (st == FTK_OK) /* also makes zlib compare its checksum */
        st = ftk__gzip_read(z, &beyond, 1, &more, reterr);
    if (st == FTK_OK && more > 0)
        st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                            "%s: byte %llu is one too many: the content should end there", path,
                            (unsigned long long)(n * (f->n_labels + FTK__RECORD_PIXELS)));
    ftk__gzip_close(z);
    return st;
}
