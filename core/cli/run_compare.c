/* SPDX-License-Identifier: MIT
 * cli/run_compare.c - walking two run folders side by side.
 */
#include "cli/run_compare.h"

#include "base/io.h"
#include "base/mem.h"
#include "base/path.h"
#include <dirent.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 64 * 1024, TREE_FDS = 16, MAX_DEPTH = 4 };

struct pair {
    const char *a, *b;
    struct ftk__run_comparison sum;
    struct ftk__str *out;
};

static ftk_status no_memory(struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "no memory to compare two runs");
}

static void differs(struct pair *p, const char *name, const char *how)
{
    p->sum.differences++;
    ftk__str_addf(p->out, "  %s %s\n", name, how);
}

/* Offset of the first byte in which two open files differ, -1 where there is none. */
static int64_t first_difference(FILE *a, FILE *b, uint64_t *ret_bytes)
{
    char x[PIECE];
    char y[PIECE];
    int64_t at = 0;
    for (;;) {
        size_t n = fread(x, 1, sizeof(x), a);
        size_t m = fread(y, 1, sizeof(y), b);
        size_t shorter = n < m ? n : m;
        for (size_t i = 0; i < shorter; i++)
            if (x[i] != y[i])
                return at + (int64_t)i;
        at += (int64_t)shorter;
        if (n != m)
            return at;
        if (n == 0)
            break;
    }
    *ret_bytes += (uint64_t)at;
    return -1;
}

static ftk_status compare_open(struct pair *p, const char *name, FILE *a, FILE *b,
                               struct ftk_error *reterr)
{
    char how[64];
    if (!a && !b)
        return FTK_OK;
    p->sum.files++;
    if (!a || !b) {
        differs(p, name, a ? "is only in the first" : "is only in the second");
        return FTK_OK;
    }
    int64_t at = first_difference(a, b, &p->sum.bytes);
    if (ferror(a) || ferror(b))
        return ftk__fail(reterr, FTK_EIO, "cannot read %s of both runs", name);
    if (at >= 0) {
        ftk__format(how, sizeof(how), "differs from byte %lld on", (long long)at);
        differs(p, name, how);
    }
    return FTK_OK;
}

static ftk_status compare_file(struct pair *p, const char *name, struct ftk_error *reterr)
{
    char *of_a = ftk__path_join(p->a, name);
    char *of_b = ftk__path_join(p->b, name);
    ftk_status st = no_memory(reterr);
    if (of_a && of_b) {
        FILE *a = fopen(of_a, "rbe");
        FILE *b = fopen(of_b, "rbe");
        st = compare_open(p, name, a, b, reterr);
        if (a)
            fclose(a);
        if (b)
            fclose(b);
    }
    ftk__free(of_a);
    ftk__free(of_b);
    return st;
}

static ftk_status compare_dir(struct pair *p, const char *dir, int depth, struct ftk_error *reterr);

/* `which` folder lists the names; of the second only those that the first lacks count. */
static ftk_status compare_entry(struct pair *p, bool second, const char *dir, const char *entry,
                                int depth, struct ftk_error *reterr)
{
    struct ftk__str name = { 0 };
    ftk__str_addf(&name, "%s/%s", dir, entry);
    char *in_a = name.failed ? NULL : ftk__path_join(p->a, name.text);
    char *in_b = name.failed ? NULL : ftk__path_join(p->b, name.text);
    ftk_status st = FTK_OK;
    if (!in_a || !in_b)
        st = no_memory(reterr);
    else if (second && ftk__file_exists(in_a))
        st = FTK_OK;
    else if (ftk__is_dir(second ? in_b : in_a) && depth < MAX_DEPTH)
        st = compare_dir(p, name.text, depth + 1, reterr);
    else
        st = compare_file(p, name.text, reterr);
    ftk__free(in_a);
    ftk__free(in_b);
    ftk__str_done(&name);
    return st;
}

static ftk_status compare_dir(struct pair *p, const char *dir, int depth, struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    for (int second = 0; second < 2 && st >= 0; second++) {
        char *path = ftk__path_join(second ? p->b : p->a, dir);
        struct dirent **list = NULL;
        int n = path ? scandir(path, &list, NULL, alphasort) : 0;
        if (!path)
            st = no_memory(reterr);
        for (int i = 0; i < n; i++) {
            if (st >= 0 && list[i]->d_name[0] != '.')
                st = compare_entry(p, second, dir, list[i]->d_name, depth, reterr);
            free(list[i]);
        }
        free(list);
        ftk__free(path);
    }
    return st;
}

ftk_status ftk__runs_compare(const char *a, const char *b, struct ftk__run_comparison *ret,
                             struct ftk__str *out, struct ftk_error *reterr)
{
    static const char *const files[] = { "metrics.csv", "metrics.jsonl", "eval/report.json" };
    static const char *const dirs[] = { "members", "preds", "trajectory" };
    struct pair p = { .a = a, .b = b, .out = out };
    ftk_status st = FTK_OK;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && st >= 0; i++)
        st = compare_file(&p, files[i], reterr);
    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]) && st >= 0; i++)
        st = compare_dir(&p, dirs[i], 0, reterr);
    if (st >= 0 && out->failed)
        st = no_memory(reterr);
    if (st >= 0)
        *ret = p.sum;
    return st;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    remove(path);
    return 0;
}

void ftk__remove_tree(const char *dir)
{
    nftw(dir, remove_one, TREE_FDS, FTW_DEPTH | FTW_PHYS);
}
