/* SPDX-License-Identifier: MIT
 * data/normalise.c - the named normalisations and the experiment's own.
 */
#include "data/normalise.h"
#include "base/str.h"
#include <math.h>
#include <string.h>

struct norm {
    const char *name;
    uint32_t channels; /* 0: one value for any number of channels      */
    double mean[3], std[3];
};

static const struct norm norms[] = {
    { "none", 0, { 0.0 }, { 1.0 } },
    { "synthetic", 0, { 0.5 }, { 0.25 } },
    { "fashion_mnist", 1, { .2860 }, { .3530 } },
    { "cifar10", 3, { .4914, .4822, .4465 }, { .2023, .1994, .2010 } },
    { "cifar100",
      3,
      { .5070751592371323, .48654887331495095, .4409178433670343 },
      { .2673342858792401, .2564384629170883, .27615047132568404 } },
    { "svhn", 3, { .4376821, .4437697, .4728044 }, { .1980301, .2010156, .1970361 } },
    { "imagenet", 3, { .485, .456, .406 }, { .229, .224, .225 } },
};
enum { N_NORMS = sizeof norms / sizeof norms[0] };

static ftk_status use_list(const struct ftk__data_request *q, uint32_t channels,
                           struct ftk__images *im, struct ftk_error *reterr)
{
    if (q->n_norm != channels)
        return ftk__fail(reterr, FTK_EINVAL, "data.normalise: %u means for images of %u channel%s",
                         q->n_norm, channels, channels == 1 ? "" : "s");
    for (uint32_t c = 0; c < channels; c++) {
        if (!isfinite(q->mean[c]) || !isfinite(q->std[c]) || q->std[c] <= 0.0)
            return ftk__fail(reterr, FTK_EINVAL,
                             "data.normalise: mean %g and std %g of channel %u: both must be "
                             "finite and std above 0",
                             q->mean[c], q->std[c], c);
        im->mean[c] = (float)q->mean[c];
        im->std[c] = (float)q->std[c];
    }
    return FTK_OK;
}

static ftk_status unknown_name(const char *name, struct ftk_error *reterr)
{
    const char *names[N_NORMS];
    for (size_t i = 0; i < N_NORMS; i++)
        names[i] = norms[i].name;
    const char *nearest = ftk__str_nearest(name, names, N_NORMS);
    if (nearest)
        return ftk__fail(reterr, FTK_EINVAL,
                         "data.normalise: no normalisation \"%s\"; did you mean \"%s\"?", name,
                         nearest);
    return ftk__fail(reterr, FTK_EINVAL, "data.normalise: no normalisation \"%s\"", name);
}

ftk_status ftk__normalise(const struct ftk__data_request *q, const char *own, uint32_t channels,
                          struct ftk__images *im, struct ftk_error *reterr)
{
    if (q->n_norm > 0)
        return use_list(q, channels, im, reterr);
    const char *name = *q->normalise ? q->normalise : own;
    const struct norm *n = NULL;
    for (size_t i = 0; i < N_NORMS && !n; i++)
        if (strcmp(norms[i].name, name) == 0)
            n = &norms[i];
    if (!n)
        return unknown_name(name, reterr);
    if (n->channels > 0 && n->channels != channels)
        return ftk__fail(reterr, FTK_EINVAL,
                         "data.normalise: \"%s\" is for %u channel%s, the images have %u", name,
                         n->channels, n->channels == 1 ? "" : "s", channels);
    for (uint32_t c = 0; c < channels; c++) {
        im->mean[c] = (float)n->mean[n->channels > 0 ? c : 0];
        im->std[c] = (float)n->std[n->channels > 0 ? c : 0];
    }
    return FTK_OK;
}
