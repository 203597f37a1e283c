/* SPDX-License-Identifier: MIT
 * backend_cpu.c - the plugin: a CPU backend that computes sparse layers sparse.
 *
 * layout/ holds activations in lanes and weights in lists, kernels/ computes on them for each
 * instruction set, dispatch/ chooses, dense/ hands dense layers to oneDNN, program/ is the model.
 */
#include "dispatch/cpu_choose.h"
#include "program/cpu_prog.h"
#include <freetickets/plugin.h>
#include <stdio.h>
#include <unistd.h>

enum { MOST_THREADS = 1024 };

struct cpu_params {
    int32_t format; /* enum cpu_wish */
};

static const char *const formats[] = { "auto", "lists", "dense", NULL };

static const ftk_param params[] = {
    FTK_PARAM_ENUM(struct cpu_params, format, CPU_WISH_AUTO, formats,
                   "how layers are computed: by their density and shape, all by lists of active "
                   "weights, or all dense"),
    FTK_PARAM_END,
};

static uint64_t free_memory(void)
{
    const long pages = sysconf(_SC_AVPHYS_PAGES);
    const long size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : 0;
}

static ftk_status cpu_probe(const ftk_host *h, uint32_t i, ftk_device *ret)
{
    const char *why;
    (void)h;
    if (i > 0)
        return FTK_DONE;
    const struct cpu_kernels *kern = cpu_choose_isa("auto", &why);
    ret->score = 10;
    ret->memory_free = free_memory();
    ret->caps = FTK_CAP_SPARSE_COMPUTE | FTK_CAP_BITWISE;
    ret->reserved = 0;
    snprintf(ret->name, sizeof(ret->name), "CPU, %s, %u threads", kern->name, cpu_threads_all());
    ret->reason[0] = '\0';
    return FTK_OK;
}

static ftk_status check_open(const ftk_host *h, const ftk_open *o)
{
    if (o->size < sizeof(*o))
        return h->fail(h, FTK_EABI, "an open of %u bytes, expected %zu", o->size, sizeof(*o));
    if (o->device > 0)
        return h->fail(h, FTK_ENODEV, "device %u of 1", o->device);
    if (o->precision != FTK_FP32)
        return h->fail(h, FTK_ENOTSUP, "precision %u: this backend computes in fp32", o->precision);
    if (o->flags & FTK_OPEN_TUNE)
        return h->fail(h, FTK_ENOTSUP, "tune: this backend chooses kernels by rule only");
    if (o->flags || o->reserved)
        return h->fail(h, FTK_EINVAL, "unknown open flags %x", o->flags);
    if (o->threads > MOST_THREADS)
        return h->fail(h, FTK_ERANGE, "%u threads are above %u", o->threads, MOST_THREADS);
    return FTK_OK;
}

static ftk_status cpu_open(const ftk_host *h, const void *p, const ftk_open *o, ftk_dev **ret)
{
    const struct cpu_params *wishes = p;
    const char *why;
    const ftk_status st = check_open(h, o);
    if (st != FTK_OK)
        return st;
    const struct cpu_kernels *kern = cpu_choose_isa(o->isa, &why);
    if (!kern)
        return h->fail(h, FTK_ENOTSUP, "isa '%s': %s", o->isa, why);
    ftk_dev *d = h->alloc(h, sizeof(*d));
    if (!d)
        return h->fail(h, FTK_ENOMEM, "no memory for a device");
    d->host = h;
    d->kern = kern;
    d->threads = o->threads ? o->threads : cpu_threads_all();
    d->tile_bytes = cpu_choose_tile_bytes();
    d->format = (uint32_t)wishes->format;
    const ftk_status started = cpu_threads_start(h, d->threads, &d->pool);
    if (started != FTK_OK) {
        const uint32_t n = d->threads;
        h->free(h, d);
        return h->fail(h, started, "%s %u threads",
                       started == FTK_ENOMEM ? "no memory for" : "the system does not start", n);
    }
    *ret = d;
    return FTK_OK;
}

static void cpu_close(ftk_dev *d)
{
    if (!d)
        return;
    cpu_threads_stop(d->pool);
    d->host->free(d->host, d);
}

static ftk_status cpu_supports(ftk_dev *d, const ftk_node *n)
{
    return cpu_check_node(d->host, n);
}

static const ftk_backend_ops cpu_ops = {
    .size = sizeof(cpu_ops),
    .probe = cpu_probe,
    .open = cpu_open,
    .close = cpu_close,
    .supports = cpu_supports,
    .compile = cpu_compile,
    .release = cpu_release,
    .kernels = cpu_kernel_text,
    .step = cpu_step,
    .predict = cpu_predict,
    .grad_input = cpu_grad_input,
    .sync = cpu_sync,
    .read_active = cpu_read_active,
    .read_inactive = cpu_read_inactive,
    .edit = cpu_edit,
    .tensor = cpu_tensor,
    .get = cpu_get,
    .put = cpu_put,
    .mask = cpu_mask,
};

static const ftk_algo cpu_algo = {
    .size = sizeof(cpu_algo),
    .kind = FTK_KIND_BACKEND,
    .name = "cpu",
    .summary = "truly sparse training on the CPU; what is dense runs on oneDNN",
    .reference = "",
    FTK_PARAMS(struct cpu_params, params),
    .ops = &cpu_ops,
};

FTK_PLUGIN("freetickets.backend.cpu", "0.1.0", "MIT", &cpu_algo);
