/* SPDX-License-Identifier: MIT
 * good_backend_small.c - a device that works on its own time and lacks all that such a one may lack:
 * bind, select, kernels, members, dense momentum, grad_input, STATS_ONLY.  Its sums are ref's.
 */
#include "ref.h"
#include <freetickets/plugin.h>
#include <stdio.h>
#include <string.h>

static ftk_status probe(const ftk_host *h, uint32_t i, ftk_device *ret)
{
    (void)h;
    if (i > 1)
        return FTK_DONE;
    *ret = (ftk_device){ .size = sizeof(*ret), .caps = FTK_CAP_ASYNC };
    ret->score = i == 0;
    snprintf(ret->name, sizeof(ret->name), "queue %u", i);
    if (i == 1)
        snprintf(ret->reason, sizeof(ret->reason), "queue 1 is for others");
    return FTK_OK;
}

static ftk_status open_device(const ftk_host *h, const void *params, const ftk_open *o,
                              ftk_dev **ret)
{
    (void)params;
    if (o->device != 0)
        return h->fail(h, FTK_ENODEV, "device %u cannot be used", o->device);
    if (o->precision != FTK_FP32)
        return h->fail(h, FTK_ENOTSUP, "precision %u: fp32 only", o->precision);
    if (o->flags != 0)
        return h->fail(h, FTK_ENOTSUP, "flags 0x%x of open", o->flags);
    if (o->isa != NULL && strcmp(o->isa, "auto") != 0)
        return h->fail(h, FTK_EINVAL, "isa '%.40s': there is auto alone", o->isa);
    ftk_dev *d = h->alloc(h, sizeof(*d));
    if (d == NULL)
        return h->fail(h, FTK_ENOMEM, "no memory for a queue");
    d->host = h;
    *ret = d;
    return FTK_OK;
}

static void close_device(ftk_dev *d)
{
    if (d != NULL)
        d->host->free(d->host, d);
}

static ftk_status compile(ftk_dev *d, const ftk_build *b, ftk_prog **ret)
{
    if (b->flags & FTK_BUILD_DENSE_MOMENTUM)
        return d->host->fail(d->host, FTK_ENOTSUP, "inactive weights have no momentum here");
    return ref_compile(d, b, ret);
}

static ftk_status step(ftk_prog *p, const ftk_batch *const *b, const ftk_hyper *hy)
{
    if (hy->flags & FTK_STEP_STATS_ONLY)
        return p->host->fail(p->host, FTK_ENOTSUP, "statistics move with a whole step only");
    return ref_step(p, b, hy);
}

static ftk_status grad_input(ftk_prog *p, const ftk_batch *const *b, float *ret_dx)
{
    (void)b;
    (void)ret_dx;
    return p->host->fail(p->host, FTK_ENOTSUP, "gradients end at the first layer");
}

static const ftk_backend_ops ops = {
    .size = sizeof(ftk_backend_ops),
    .probe = probe,
    .open = open_device,
    .close = close_device,
    .supports = ref_supports,
    .compile = compile,
    .release = ref_release,
    .step = step,
    .predict = ref_predict,
    .grad_input = grad_input,
    .sync = ref_sync,
    .read_active = ref_read_active,
    .read_inactive = ref_read_inactive,
    .edit = ref_edit,
    .tensor = ref_tensor,
    .get = ref_get,
    .put = ref_put,
    .mask = ref_mask,
};

static const ftk_algo algo = {
    .size = sizeof(ftk_algo),
    .kind = FTK_KIND_BACKEND,
    .name = "small",
    .summary = "does what every backend must, and nothing else",
    .reference = "",
    .param_stride = sizeof(ftk_param),
    .ops = &ops,
};

FTK_PLUGIN("org.example.backend.small", "1.0.0", "MIT", &algo);
