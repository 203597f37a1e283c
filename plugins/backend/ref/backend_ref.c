/* SPDX-License-Identifier: MIT
 * backend_ref.c - the ref backend: its descriptor, its one device.
 */
#include <freetickets/plugin.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ref.h"

static ftk_status probe(const ftk_host *h, uint32_t i, ftk_device *ret)
{
    (void)h;
    if (i > 0) {
        return FTK_DONE;
    }
    long pages = sysconf(_SC_AVPHYS_PAGES);
    long page = sysconf(_SC_PAGESIZE);
    *ret = (ftk_device){ .size = sizeof(*ret), .score = 1, .caps = FTK_CAP_BITWISE };
    ret->memory_free = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 0;
    (void)snprintf(ret->name, sizeof(ret->name), "one core, plain C");
    return FTK_OK;
}

/* `threads` is allowed and changes nothing: one is used. */
static ftk_status open_device(const ftk_host *h, const void *params, const ftk_open *o,
                              ftk_dev **ret)
{
    (void)params;
    if (o->device != 0) {
        return h->fail(h, FTK_ENODEV, "device %u: ref has device 0 only", o->device);
    }
    if (o->precision != FTK_FP32) {
        return h->fail(h, FTK_ENOTSUP, "precision %u: ref computes in fp32 only", o->precision);
    }
    if ((o->flags & ~(uint32_t)FTK_OPEN_TUNE) != 0 || o->reserved != 0) {
        return h->fail(h, FTK_EINVAL, "unknown flags 0x%x of open", o->flags);
    }
    if (o->isa != NULL && strcmp(o->isa, "auto") != 0 && strcmp(o->isa, "portable") != 0) {
        return h->fail(h, FTK_EINVAL, "isa '%.40s' is unknown: ref has auto and portable", o->isa);
    }
    ftk_dev *d = h->alloc(h, sizeof(*d));
    if (d == NULL) {
        return h->fail(h, FTK_ENOMEM, "no memory for the ref device");
    }
    d->host = h;
    *ret = d;
    return FTK_OK;
}

static void close_device(ftk_dev *d)
{
    if (d != NULL) {
        d->host->free(d->host, d);
    }
}

static const char *kernels(ftk_prog *p)
{
    (void)p;
    return "ref portable";
}

/* bind: images come with the batch.  select: the core's own is the oracle.        */
static const ftk_backend_ops ops = {
    .size = sizeof(ftk_backend_ops),
    .probe = probe,
    .open = open_device,
    .close = close_device,
    .supports = ref_supports,
    .compile = ref_compile,
    .release = ref_release,
    .kernels = kernels,
    .step = ref_step,
    .predict = ref_predict,
    .grad_input = ref_grad_input,
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
    .name = "ref",
    .summary = "plain C loops, written to be read: the oracle of the other backends",
    .reference = "",
    .param_stride = sizeof(ftk_param),
    .ops = &ops,
};

FTK_PLUGIN("freetickets.backend.ref", "0.1.0", "MIT", &algo);
