/* SPDX-License-Identifier: MIT
 * hollow.c - a backend that has every function and can do nothing: for tests of discovery, which
 * opens backends late.
 */
#include <freetickets/backend.h>
#include <freetickets/plugin.h>

static ftk_status probe(const ftk_host *h, uint32_t i, ftk_device *ret)
{
    (void)h;
    (void)i;
    (void)ret;
    return FTK_DONE;
}

static ftk_status open_device(const ftk_host *h, const void *params, const ftk_open *o,
                              ftk_dev **ret)
{
    (void)params;
    (void)o;
    (void)ret;
    return h->fail(h, FTK_ENODEV, "a hollow backend has no device");
}

static void close_device(ftk_dev *d)
{
    (void)d;
}

static ftk_status supports(ftk_dev *d, const ftk_node *n)
{
    (void)d;
    (void)n;
    return FTK_ENOTSUP;
}

static ftk_status compile(ftk_dev *d, const ftk_build *b, ftk_prog **ret)
{
    (void)d;
    (void)b;
    (void)ret;
    return FTK_ENOTSUP;
}

static void release(ftk_prog *p)
{
    (void)p;
}

static ftk_status step(ftk_prog *p, const ftk_batch *const *b, const ftk_hyper *hy)
{
    (void)p;
    (void)b;
    (void)hy;
    return FTK_ENOTSUP;
}

static ftk_status predict(ftk_prog *p, const ftk_batch *const *b, float *ret)
{
    (void)p;
    (void)b;
    (void)ret;
    return FTK_ENOTSUP;
}

static ftk_status sync_stats(ftk_prog *p, ftk_stats *const *ret)
{
    (void)p;
    (void)ret;
    return FTK_ENOTSUP;
}

static ftk_status read_entries(ftk_prog *p, uint32_t layer, uint32_t channels, uint64_t cap,
                               uint64_t *cursor, ftk_cand *ret)
{
    (void)p;
    (void)layer;
    (void)channels;
    (void)cap;
    (void)cursor;
    (void)ret;
    return FTK_ENOTSUP;
}

static ftk_status edit(ftk_prog *p, uint32_t layer, const ftk_change *c)
{
    (void)p;
    (void)layer;
    (void)c;
    return FTK_ENOTSUP;
}

static ftk_status tensor(ftk_prog *p, uint32_t i, ftk_tensor *ret)
{
    (void)p;
    (void)i;
    (void)ret;
    return FTK_DONE;
}

static ftk_status get(ftk_prog *p, uint32_t i, uint64_t from, uint64_t n, float *ret)
{
    (void)p;
    (void)i;
    (void)from;
    (void)n;
    (void)ret;
    return FTK_ENOTSUP;
}

static ftk_status put(ftk_prog *p, uint32_t i, uint64_t from, uint64_t n, const float *v)
{
    (void)p;
    (void)i;
    (void)from;
    (void)n;
    (void)v;
    return FTK_ENOTSUP;
}

static ftk_status mask(ftk_prog *p, uint32_t layer, const uint64_t *active, uint64_t n)
{
    (void)p;
    (void)layer;
    (void)active;
    (void)n;
    return FTK_ENOTSUP;
}

static const ftk_backend_ops ops = {
    .size = sizeof(ops),
    .probe = probe,
    .open = open_device,
    .close = close_device,
    .supports = supports,
    .compile = compile,
    .release = release,
    .step = step,
    .predict = predict,
    .grad_input = predict,
    .sync = sync_stats,
    .read_active = read_entries,
    .read_inactive = read_entries,
    .edit = edit,
    .tensor = tensor,
    .get = get,
    .put = put,
    .mask = mask,
};
static const ftk_algo hollow = {
    .size = sizeof(hollow),
    .kind = FTK_KIND_BACKEND,
    .name = "hollow",
    .summary = "has no device",
    .reference = "",
    .ops = &ops,
};
FTK_PLUGIN("org.example.hollow", "1.0.0", "MIT", &hollow);
