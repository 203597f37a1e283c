/* SPDX-License-Identifier: MIT
 * data/testset.c - the test images of a data set.
 */
#include "data/testset.h"
#include "base/mem.h"
#include "data/dataset_parts.h"
#include "data/normalise.h"

struct ftk__testset {
    struct ftk__store store;
    struct ftk__images images;
};

static ftk_status open_parts(struct ftk__testset *t, const struct ftk__data_request *q,
                             uint64_t limit, struct ftk_error *reterr)
{
    const struct ftk__set *set;
    struct ftk__images norm = { 0 };
    ftk_status st = ftk__set_find(q->set, &set, reterr);
    if (st == FTK_OK)
        st = set->load(q, FTK__SPLIT_TEST, &t->store, reterr);
    if (st == FTK_OK)
        st = ftk__normalise(q, set->normalise, t->store.shape[0], &norm, reterr);
    if (st != FTK_OK)
        return st;
    uint64_t n = limit > 0 && limit < t->store.n ? limit : t->store.n;
    t->images = ftk__store_view(&t->store, &norm, 0, n);
    return FTK_OK;
}

ftk_status ftk__testset_open(const struct ftk__data_request *q, uint64_t limit,
                             struct ftk__testset **ret, struct ftk_error *reterr)
{
    struct ftk__testset *t = ftk__alloc(sizeof *t);
    if (!t)
        return ftk__fail(reterr, FTK_ENOMEM, "out of memory for the test set");
    ftk_status st = open_parts(t, q, limit, reterr);
    if (st == FTK_OK)
        *ret = t;
    else
        ftk__testset_close(t);
    return st;
}

void ftk__testset_close(struct ftk__testset *t)
{
    if (!t)
        return;
    ftk__store_done(&t->store);
    ftk__free(t);
}

const struct ftk__images *ftk__testset_images(const struct ftk__testset *t)
{
    return &t->images;
}
