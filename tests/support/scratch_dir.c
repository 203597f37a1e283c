/* SPDX-License-Identifier: MIT
 * scratch_dir.c - a temporary folder; whatever goes wrong fails the running test.
 */
#include "scratch_dir.h"
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

void scratch_dir_init(struct scratch_dir *d)
{
    const char *tmp = getenv("TMPDIR");
    int n = snprintf(d->path, sizeof d->path, "%s/freetickets-XXXXXX", tmp ? tmp : "/tmp");
    assert_in_range(n, 1, sizeof d->path - 1);
    assert_non_null(mkdtemp(d->path));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void scratch_dir_done(struct scratch_dir *d)
{
    assert_int_equal(nftw(d->path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

char *scratch_dir_file(const struct scratch_dir *d, const char *name, char *buf, size_t cap)
{
    int n = snprintf(buf, cap, "%s/%s", d->path, name);
    assert_in_range(n, 1, cap - 1);
    return buf;
}

void scratch_dir_put(const struct scratch_dir *d, const char *name, const void *data, size_t n)
{
    char path[512];
    FILE *f = fopen(scratch_dir_file(d, name, path, sizeof path), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}
