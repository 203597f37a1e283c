/* SPDX-License-Identifier: MIT
 * builtin_case.c - parameters of built-ins by name.
 */
#include "builtin_case.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

const struct ftk__builtin *builtin_named(const struct ftk__builtin *const *table, const char *name)
{
    for (size_t i = 0; table[i]; i++)
        if (strcmp(table[i]->name, name) == 0)
            return table[i];
    fail_msg("no built-in '%s'", name);
    return NULL;
}

static void set(const struct ftk__builtin *b, void *params, const char *name, uint32_t type,
                const void *v, size_t bytes)
{
    for (const ftk_param *p = b->params; p && p->name; p++) {
        if (strcmp(p->name, name) != 0)
            continue;
        assert_int_equal(p->type, type);
        assert_true(p->offset + bytes <= b->params_size);
        memcpy((char *)params + p->offset, v, bytes);
        return;
    }
    fail_msg("'%s' has no parameter '%s'", b->name, name);
}

void builtin_set_i64(const struct ftk__builtin *b, void *params, const char *name, int64_t v)
{
    set(b, params, name, FTK_P_I64, &v, sizeof v);
}

void builtin_set_str(const struct ftk__builtin *b, void *params, const char *name, const char *v)
{
    set(b, params, name, FTK_P_STR, &v, sizeof v);
}

void builtin_set_f64s(const struct ftk__builtin *b, void *params, const char *name, const double *v,
                      uint64_t n)
{
    ftk_f64s list = { v, n };
    set(b, params, name, FTK_P_F64S, &list, sizeof list);
}

static void start(struct data_case *d, const char *name)
{
    *d = (struct data_case){ 0 };
    d->q.set = builtin_named(ftk__data_builtins, name);
    assert_true(d->q.set->params_size <= sizeof d->params);
    d->q.params = d->params;
    d->q.dir = "";
    d->q.normalise = "";
    d->q.seed = 17;
}

void data_case_synthetic(struct data_case *d, uint32_t channels, uint32_t height, uint32_t width,
                         uint32_t classes, uint32_t train, uint32_t test)
{
    start(d, "synthetic");
    d->shape[0] = channels;
    d->shape[1] = height;
    d->shape[2] = width;
    builtin_set_f64s(d->q.set, d->params, "shape", d->shape, 3);
    builtin_set_i64(d->q.set, d->params, "classes", classes);
    builtin_set_i64(d->q.set, d->params, "train", train);
    builtin_set_i64(d->q.set, d->params, "test", test);
}

void data_case_idx(struct data_case *d, const char *train_images, const char *train_labels,
                   const char *test_images, const char *test_labels, uint32_t classes)
{
    start(d, "idx");
    builtin_set_str(d->q.set, d->params, "train_images", train_images);
    builtin_set_str(d->q.set, d->params, "train_labels", train_labels);
    builtin_set_str(d->q.set, d->params, "test_images", test_images);
    builtin_set_str(d->q.set, d->params, "test_labels", test_labels);
    builtin_set_i64(d->q.set, d->params, "classes", classes);
}

void data_case_npy(struct data_case *d, const char *train_images, const char *train_labels,
                   const char *test_images, const char *test_labels, uint32_t classes)
{
    start(d, "npy");
    builtin_set_str(d->q.set, d->params, "train_images", train_images);
    builtin_set_str(d->q.set, d->params, "train_labels", train_labels);
    builtin_set_str(d->q.set, d->params, "test_images", test_images);
    builtin_set_str(d->q.set, d->params, "test_labels", test_labels);
    builtin_set_i64(d->q.set, d->params, "classes", classes);
}

void data_case_named(struct data_case *d, const char *name, const char *dir)
{
    start(d, name);
    d->q.dir = dir;
}

void data_case_fashion(struct data_case *d, const char *dir)
{
    data_case_named(d, "fashion_mnist", dir);
}
