/* SPDX-License-Identifier: MIT
 * conform/backend_open.c - the device of a backend under test, and the oracle's.
 */
#include "conform/backend_calls.h"
#include "base/io.h"
#include "base/path.h"
#include "conform/params_case.h"
#include "plugin/loader.h"
#include <string.h>

static const char *setting(struct ftk__case *c, const char *key)
{
    for (uint32_t i = c->o->n_set; i > 0; i--)
        if (strcmp(c->o->set[i - 1].key, key) == 0)
            return c->o->set[i - 1].value;
    return NULL;
}

static uint32_t number(struct ftk__case *c, const char *key)
{
    const char *text = setting(c, key);
    uint64_t v = 0;
    if (text && (!ftk__parse_u64(text, &v) || v > 1024))
        ftk__kit_skip(c, "--set %s=%s: must be a whole number up to 1024", key, text);
    return (uint32_t)v;
}

ftk_open ftk__bk_options(struct ftk__case *c)
{
    static const char *const names[] = { "fp32", "tf32", "bf16" }; /* FTK_FP32 and on */
    const char *precision = setting(c, "precision");
    const char *isa = setting(c, "isa");
    const char *tune = setting(c, "tune");
    ftk_open o = {
        .size = sizeof(o),
        .device = number(c, "device"),
        .threads = number(c, "threads"),
        .flags = tune && strcmp(tune, "true") == 0 ? FTK_OPEN_TUNE : 0,
        .isa = isa ? isa : "auto",
    };
    while (precision && o.precision < FTK_BF16 && strcmp(precision, names[o.precision]) != 0)
        o.precision++;
    if (precision && strcmp(precision, names[o.precision]) != 0)
        ftk__kit_skip(c, "--set precision=%s: must be fp32, tf32 or bf16", precision);
    return o;
}

void ftk__bk_loaded(struct ftk__case *c, struct ftk__bk *ret)
{
    *ret = (struct ftk__bk){
        .c = c,
        .algo = c->algo,
        .ops = c->algo->ops,
        .host = c->host,
        .params = c->params,
        .oracle = strcmp(c->algo->name, "ref") == 0,
    };
}

/* The device's entry, as probe() tells it. */
static ftk_device device_of(struct ftk__bk *bk, uint32_t i)
{
    ftk_device d = { .size = sizeof(d) };
    ftk__kit_begin(bk->host);
    ftk_status st =
        ftk__kit_end(bk->c, bk->host, "probe", true, bk->ops->probe(bk->host->table, i, &d));
    ftk__bk_must(bk, "probe", st);
    if (st == FTK_DONE)
        ftk__kit_skip(bk->c, "there is no device %u", i);
    return d;
}

static void open_device(struct ftk__bk *bk, const ftk_open *o)
{
    ftk_device d = device_of(bk, o->device);
    if (d.score <= 0)
        ftk__kit_skip(bk->c, "device %u: %.127s", o->device, d.reason);
    bk->caps = d.caps;
    bk->precision = o->precision;
    ftk_status st = FTK__TRY(bk, open, bk->host->table, bk->params, o, &bk->dev);
    if (st == FTK_ENOTSUP && o->precision != FTK_FP32)
        ftk__kit_skip(bk->c, "%s", bk->host->reason);
    ftk__bk_must(bk, "open", st);
    ftk__kit_expect(bk->c, bk->dev != NULL, "open() succeeded without a device");
}

void ftk__bk_open(struct ftk__case *c, uint32_t threads, struct ftk__bk *ret)
{
    ftk_open o = ftk__bk_options(c);
    if (threads != FTK__BK_AS_SET)
        o.threads = threads;
    ftk__bk_loaded(c, ret);
    open_device(ret, &o);
}

void ftk__bk_close(struct ftk__bk *bk)
{
    ftk__kit_begin(bk->host);
    bk->ops->close(bk->dev);
    ftk__kit_end(bk->c, bk->host, "close", false, FTK_OK);
    bk->dev = NULL;
}

/* ---- the oracle -------------------------------------------------------------------------------- */

bool ftk__bk_under_test(const struct ftk__bk *bk)
{
    return bk->algo == bk->c->algo;
}

static ftk_status keep_backend(const ftk_registry *r, const ftk_algo *a)
{
    const ftk_algo **found = r->self;
    if (a->kind == FTK_KIND_BACKEND && !*found)
        *found = a;
    return FTK_OK;
}

static const char *oracle_path(struct ftk__case *c)
{
    if (c->o->ref)
        return c->o->ref;
    char *folder = ftk__path_plugins();
    char *path = folder ? ftk__path_join(folder, "backend_ref.so") : NULL;
    if (!path)
        ftk__kit_broken("no memory for the oracle's path");
    ftk__free(folder);
    return path;
}

void ftk__bk_open_oracle(struct ftk__case *c, struct ftk__bk *ret)
{
    const char *path = oracle_path(c);
    const ftk_algo *algo = NULL;
    const ftk_stamp *stamp;
    struct ftk_error err;
    const ftk_registry reg = {
        .size = sizeof(reg),
        .abi_major = FTK_ABI_MAJOR,
        .abi_minor = FTK_ABI_MINOR,
        .self = &algo,
        .add = keep_backend,
    };
    void *params = NULL;
    if (ftk__plugin_load(path, &reg, &stamp, &err) < 0)
        ftk__kit_skip(c, "no oracle: %s (--ref FILE.so gives it)", err.message);
    if (!algo)
        ftk__kit_skip(c, "no oracle: %s has no backend (--ref FILE.so gives it)", path);
    if (ftk__params_case(algo, NULL, 0, &c->arena, &params, &err) < 0)
        ftk__kit_skip(c, "no oracle: %s", err.message);
    *ret = (struct ftk__bk){
        .c = c,
        .algo = algo,
        .ops = algo->ops,
        .host = ftk__kit_host_new(0),
        .params = params,
    };
    const ftk_open o = { .size = sizeof(o), .threads = 1, .isa = "auto" };
    open_device(ret, &o);
}
