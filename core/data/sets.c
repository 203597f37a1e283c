/* SPDX-License-Identifier: MIT
 * data/sets.c - the table of data sets.
 */
#include "data/sets.h"
#include "base/mem.h"

const struct ftk__builtin *const ftk__data_builtins[] = {
    &ftk__set_fashion_mnist.builtin, &ftk__set_cifar10.builtin,
    &ftk__set_cifar100.builtin,      &ftk__set_svhn.builtin,
    &ftk__set_idx.builtin,           &ftk__set_npy.builtin,
    &ftk__set_synthetic.builtin,     NULL,
};

ftk_status ftk__set_find(const struct ftk__builtin *builtin, const struct ftk__set **ret,
                         struct ftk_error *reterr)
{
    for (size_t i = 0; ftk__data_builtins[i]; i++) {
        if (ftk__data_builtins[i] != builtin)
            continue;
        *ret = (const struct ftk__set *)(const void *)builtin;
        return FTK_OK;
    }
    return ftk__fail(reterr, FTK_EINTERNAL, "no data set '%s'", builtin->name);
}

ftk_status ftk__store_alloc(struct ftk__store *s, struct ftk_error *reterr)
{
    uint64_t image = (uint64_t)s->shape[0] * s->shape[1] * s->shape[2];
    s->pixels = ftk__alloc_array(s->n, (size_t)image);
    s->label = ftk__alloc_array(s->n, sizeof *s->label);
    if (s->pixels && s->label)
        return FTK_OK;
    ftk__store_done(s);
    return ftk__fail(reterr, FTK_ENOMEM, "out of memory for %llu images", (unsigned long long)s->n);
}

void ftk__store_done(struct ftk__store *s)
{
    s->pixels = ftk__free(s->pixels);
    s->label = ftk__free(s->label);
}
