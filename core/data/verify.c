/* SPDX-License-Identifier: MIT
 * data/verify.c - sizes and checksums of a set's files.
 */
#include "data/verify.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "data/digest.h"
#include <string.h>

static void judge(const struct ftk__set_file *f, const struct ftk__digest *d,
                  struct ftk__file_verdict *ret)
{
    ret->state = FTK__FILE_WRONG;
    if (f->bytes > 0 && d->bytes != f->bytes) {
        ftk__format(ret->why, sizeof ret->why, "%llu bytes, expected %llu",
                    (unsigned long long)d->bytes, (unsigned long long)f->bytes);
    } else if (*f->checksum && strcmp(d->text, f->checksum) != 0) {
        ftk__format(ret->why, sizeof ret->why, "checksum %s, expected %s", d->text, f->checksum);
    } else {
        ret->state = FTK__FILE_GOOD;
        ftk__format(ret->why, sizeof ret->why, "%s",
                    *f->checksum ? f->checksum : "its size is right, no checksum is published");
    }
}

/* Damaged gzip data are a verdict too. */
static ftk_status judge_path(const struct ftk__set_file *f, const char *path,
                             struct ftk__file_verdict *ret, struct ftk_error *reterr)
{
    struct ftk__digest d;
    struct ftk_error err;
    ftk_status st = ftk__digest_file(path, f->checksum, true, &d, &err);
    if (st == FTK_OK) {
        judge(f, &d, ret);
    } else if (ftk__error_exit_code(&err) == FTK__EXIT_DATA) {
        ret->state = FTK__FILE_WRONG;
        ftk__format(ret->why, sizeof ret->why, "%s", err.message);
        st = FTK_OK;
    } else if (reterr) {
        *reterr = err;
    }
    return st;
}

ftk_status ftk__verify_file(const struct ftk__set_file *f, const char *folder,
                            struct ftk__file_verdict *ret, struct ftk_error *reterr)
{
    struct ftk__file_verdict v = { .state = FTK__FILE_MISSING, .why = "missing" };
    struct ftk__str gz = { 0 };
    ftk__str_addf(&gz, "%s/%s.gz", folder, f->name);
    char *path = ftk__path_join(folder, f->name);
    ftk_status st = FTK_OK;
    if (gz.failed || !path)
        st = ftk__fail(reterr, FTK_ENOMEM, "out of memory for a file name");
    else if (ftk__file_exists(path))
        st = judge_path(f, path, &v, reterr);
    else if (ftk__file_exists(gz.text))
        st = judge_path(f, gz.text, &v, reterr);
    ftk__str_done(&gz);
    ftk__free(path);
    if (st == FTK_OK)
        *ret = v;
    return st;
}

ftk_status ftk__verify_set(const struct ftk__catalogue *set, const char *folder,
                           struct ftk_error *reterr)
{
    for (uint32_t i = 0; i < set->n_files; i++) {
        const struct ftk__set_file *f = &set->files[i];
        struct ftk__file_verdict v;
        ftk_status st = ftk__verify_file(f, folder, &v, reterr);
        if (st != FTK_OK)
            return st;
        if (v.state == FTK__FILE_MISSING)
            return ftk__fail_exit(reterr, FTK_ENOENT, FTK__EXIT_NO_DATA, "no %s of %s in %s",
                                  f->name, set->place.title, folder);
        if (v.state == FTK__FILE_WRONG)
            return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA, "%s/%s: %s", folder, f->name,
                                  v.why);
    }
    return FTK_OK;
}
