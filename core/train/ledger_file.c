/* SPDX-License-Identifier: MIT
 * train/ledger_file.c - the books of a run to and from a checkpoint, unsettled as they are: settling
 * them there would round differently from a run that is not interrupted.
 */
#include "train/checkpoint_impl.h"

#include "base/str.h"
#include "train/netfile.h"
#include <math.h>

enum { OF_LAYER = 4, OF_OP = 2, SUMS = 8 };

/* One array of the file: doubles or counts, as many as `n` says. */
struct columns {
    double *layers;   // [n_layers][OF_LAYER]
    double *ops;      // [n_ops][OF_OP]
    uint64_t *events; // [n_ops][FTK__LEDGER_EVENTS]
    double sums[SUMS];
};

static ftk_status columns_init(struct columns *c, const struct ftk__ledger *l,
                               struct ftk_error *reterr)
{
    c->layers = ftk__alloc_array(l->n_layers, OF_LAYER * sizeof(double));
    c->ops = ftk__alloc_array(l->n_ops, OF_OP * sizeof(double));
    c->events = ftk__alloc_array(l->n_ops, FTK__LEDGER_EVENTS * sizeof(uint64_t));
    if (c->layers && c->ops && c->events)
        return FTK_OK;
    return ftk__fail(reterr, FTK_ENOMEM, "no memory for the FLOPs of a checkpoint");
}

static void columns_done(struct columns *c)
{
    ftk__free(c->layers);
    ftk__free(c->ops);
    ftk__free(c->events);
}

static void put_flops(double *to, struct ftk__flops f)
{
    to[0] = f.theory;
    to[1] = f.executed;
}

static struct ftk__flops get_flops(const double *from)
{
    return (struct ftk__flops){ from[0], from[1] };
}

static void put(const char *what, enum ftk__ftc_dtype dtype, uint64_t n, const void *data,
                struct ftk__ftc_writer *w)
{
    ftk__netfile_put(w, FTK__CHECKPOINT_RUN, what, dtype, n, n * 8, data);
}

ftk_status ftk__ledger_write(const struct ftk__ledger *l, struct ftk__ftc_writer *w,
                             struct ftk_error *reterr)
{
    struct columns c = { 0 };
    ftk_status st = columns_init(&c, l, reterr);
    for (uint32_t i = 0; st >= 0 && i < l->n_layers; i++) {
        put_flops(c.layers + i * OF_LAYER, l->layers[i].image);
        put_flops(c.layers + i * OF_LAYER + 2, l->layers[i].sum);
    }
    for (uint32_t i = 0; st >= 0 && i < l->n_ops; i++) {
        put_flops(c.ops + i * OF_OP, l->ops[i].sum);
        for (uint32_t k = 0; k < FTK__LEDGER_EVENTS; k++)
            c.events[i * FTK__LEDGER_EVENTS + k] = l->ops[i].count[k];
    }
    if (st >= 0) {
        put_flops(c.sums, l->image);
        put_flops(c.sums + 2, l->sum);
        put_flops(c.sums + 4, l->settled);
        c.sums[6] = l->images;
        c.sums[7] = l->dense_gradient_images;
        put("ledger.layers", FTK__FTC_F64, (uint64_t)l->n_layers * OF_LAYER, c.layers, w);
        put("ledger.ops", FTK__FTC_F64, (uint64_t)l->n_ops * OF_OP, c.ops, w);
        put("ledger.events", FTK__FTC_U64, (uint64_t)l->n_ops * FTK__LEDGER_EVENTS, c.events, w);
        put("ledger.sums", FTK__FTC_F64, SUMS, c.sums, w);
    }
    columns_done(&c);
    return st;
}

ftk_status ftk__checkpoint_sums(const struct ftk__ftc_file *f, const char *what, uint64_t n,
                                double *ret, struct ftk_error *reterr)
{
    char name[FTK__NETFILE_NAME];
    ftk_status st = ftk__netfile_exact(f, FTK__CHECKPOINT_RUN, what, FTK__FTC_F64, n, ret, reterr);
    ftk__format(name, sizeof(name), "%s/%s", FTK__CHECKPOINT_RUN, what);
    for (uint64_t i = 0; i < n && st >= 0; i++) {
        if (!isfinite(ret[i]))
            st = ftk__netfile_refuse(f, name, "holds sums that are no numbers", reterr);
    }
    return st;
}

ftk_status ftk__ledger_read(struct ftk__ledger *l, const struct ftk__ftc_file *f,
                            struct ftk_error *reterr)
{
    struct columns c = { 0 };
    ftk_status st = columns_init(&c, l, reterr);
    if (st >= 0)
        st = ftk__checkpoint_sums(f, "ledger.layers", (uint64_t)l->n_layers * OF_LAYER, c.layers,
                                  reterr);
    if (st >= 0)
        st = ftk__checkpoint_sums(f, "ledger.ops", (uint64_t)l->n_ops * OF_OP, c.ops, reterr);
    if (st >= 0)
        st = ftk__netfile_exact(f, FTK__CHECKPOINT_RUN, "ledger.events", FTK__FTC_U64,
                                (uint64_t)l->n_ops * FTK__LEDGER_EVENTS, c.events, reterr);
    if (st >= 0)
        st = ftk__checkpoint_sums(f, "ledger.sums", SUMS, c.sums, reterr);
    for (uint32_t i = 0; st >= 0 && i < l->n_layers; i++) {
        l->layers[i].image = get_flops(c.layers + i * OF_LAYER);
        l->layers[i].sum = get_flops(c.layers + i * OF_LAYER + 2);
    }
    for (uint32_t i = 0; st >= 0 && i < l->n_ops; i++) {
        l->ops[i].sum = get_flops(c.ops + i * OF_OP);
        for (uint32_t k = 0; k < FTK__LEDGER_EVENTS; k++)
            l->ops[i].count[k] = c.events[i * FTK__LEDGER_EVENTS + k];
    }
    if (st >= 0) {
        l->image = get_flops(c.sums);
        l->sum = get_flops(c.sums + 2);
        l->settled = get_flops(c.sums + 4);
        l->images = c.sums[6];
        l->dense_gradient_images = c.sums[7];
    }
    columns_done(&c);
    return st;
}
