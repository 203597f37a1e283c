/* SPDX-License-Identifier: MIT
 * cli/flops_print.c - FLOPs by operation and by layer, and the events counted.
 */
#include "cli/flops_print.h"

#include "cli/json_text.h"
#include "config/opcheck.h"
#include <string.h>

static const char *const event_name[FTK__LEDGER_EVENTS] = {
    [FTK__LEDGER_STEP] = "steps",
    [FTK__LEDGER_DENSE_GRADIENT] = "dense_gradient_steps",
    [FTK__LEDGER_FRESH_GRADIENT] = "fresh_gradients",
    [FTK__LEDGER_SKIPPED] = "skipped_steps",
    [FTK__LEDGER_UPDATE] = "updates",
    [FTK__LEDGER_ESCAPE] = "escapes",
    [FTK__LEDGER_CUT] = "cuts",
};

/* ---- for people ------------------------------------------------------------------------------ */

static int wider(int width, const char *text)
{
    int n = (int)strlen(text);
    return n > width ? n : width;
}

/* An operation that computes nothing costs nothing. */
static bool computes(const struct ftk__ledger *l, uint32_t i)
{
    return l->ops[i].count[FTK__LEDGER_STEP] > 0;
}

static double percent(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

static void print_by_operation(const struct ftk__ledger *l, const struct ftk__oplist *ops,
                               const char *about, struct ftk__str *out)
{
    int width = 5;
    for (uint32_t i = 0; i < ops->n; i++)
        width = wider(width, ops->v[i].op.label);
    ftk__str_addf(out, "  %4s  %-8s  %-*s  %12s  %7s  %10s  %14s\n", "", "op", width, "label",
                  "FLOPs", "share", "steps", "dense gradient");
    for (uint32_t i = 0; i < ops->n; i++) {
        const struct ftk__ledger_op *o = &l->ops[i];
        char flops[32];
        if (!computes(l, i))
            continue;
        ftk__format(flops, sizeof(flops), "%s%.4g", about, o->sum.theory);
        ftk__str_addf(out, "  %4u  %-8s  %-*s  %12s  %6.2f%%  %10llu  %14llu\n", i,
                      ftk__opcode_name(ops->v[i].op.code), width, ops->v[i].op.label, flops,
                      percent(o->sum.theory, l->sum.theory),
                      (unsigned long long)o->count[FTK__LEDGER_STEP],
                      (unsigned long long)o->count[FTK__LEDGER_DENSE_GRADIENT]);
    }
}

static void print_by_layer(const struct ftk__ledger *l, const char *about, struct ftk__str *out)
{
    int width = 5;
    for (uint32_t k = 0; k < l->n_layers; k++)
        width = wider(width, l->layers[k].name);
    ftk__str_addf(out, "  %-*s  %12s  %7s\n", width, "layer", "FLOPs", "share");
    for (uint32_t k = 0; k < l->n_layers; k++) {
        const struct ftk__ledger_layer *of = &l->layers[k];
        char flops[32];
        ftk__format(flops, sizeof(flops), "%s%.4g", about, of->sum.theory);
        ftk__str_addf(out, "  %-*s  %12s  %6.2f%%%s\n", width, of->name, flops,
                      percent(of->sum.theory, l->sum.theory),
                      of->layer < l->model->n_layers ? "" : "  not maskable");
    }
}

/* "events  1200 steps, 12 updates": those that there are. */
static void print_events(const struct ftk__ledger *l, struct ftk__str *out)
{
    const char *before = "  events  ";
    for (uint32_t e = 0; e < FTK__LEDGER_EVENTS; e++) {
        uint64_t n = ftk__ledger_count(l, (enum ftk__ledger_event)e);
        if (n == 0)
            continue;
        ftk__str_addf(out, "%s%s %llu", before, event_name[e], (unsigned long long)n);
        before = "  ";
    }
    ftk__str_add(out, "\n");
}

void ftk__flops_print(const struct ftk__ledger *l, const struct ftk__oplist *ops, bool approximate,
                      struct ftk__str *out)
{
    const char *about = approximate ? "~" : "";
    if (ftk__ledger_count(l, FTK__LEDGER_STEP) == 0)
        return;
    ftk__str_add(out, "\nFLOPs of training\n");
    print_by_operation(l, ops, about, out);
    ftk__str_add(out, "\n");
    print_by_layer(l, about, out);
    ftk__str_add(out, "\n");
    print_events(l, out);
}

void ftk__relative_print(double part, double whole, const char *of, struct ftk__str *out)
{
    if (whole > 0)
        ftk__str_addf(out, "  %.4fx of %s", part / whole, of);
    ftk__str_add(out, "\n");
}

/* ---- documents ------------------------------------------------------------------------------- */

json_t *ftk__relative_json(double part, double whole)
{
    return whole > 0 ? json_real(part / whole) : json_null();
}

static int set_flops(json_t *to, const struct ftk__flops *f, bool executed)
{
    int failed = json_object_set_new(to, "train", json_real(f->theory));
    if (executed && !failed)
        failed = json_object_set_new(to, "executed", json_real(f->executed));
    return failed;
}

static json_t *operation_json(const struct ftk__ledger_op *o, const ftk_op *op, bool executed)
{
    json_t *row = json_pack("{s:s, s:o}", "op", ftk__opcode_name(op->code), "label",
                            ftk__json_text(op->label));
    int failed = row ? set_flops(row, &o->sum, executed) : -1;
    for (uint32_t e = 0; e < FTK__LEDGER_EVENTS && !failed; e++)
        failed = json_object_set_new(row, event_name[e], json_integer((json_int_t)o->count[e]));
    if (!failed)
        return row;
    json_decref(row);
    return NULL;
}

static json_t *layer_json(const struct ftk__ledger *l, const struct ftk__ledger_layer *of,
                          bool executed)
{
    json_t *row = json_pack("{s:s}", "name", of->name);
    int failed = row ? set_flops(row, &of->sum, executed) : -1;
    if (!failed)
        failed =
            json_object_set_new(row, "share", ftk__relative_json(of->sum.theory, l->sum.theory));
    if (!failed)
        return row;
    json_decref(row);
    return NULL;
}

json_t *ftk__flops_json(const struct ftk__ledger *l, const struct ftk__oplist *ops,
                        double dense_run, bool executed)
{
    json_t *doc = json_object();
    json_t *by_operation = json_array();
    json_t *by_layer = json_array();
    int failed = doc && by_operation && by_layer ? 0 : -1;
    for (uint32_t i = 0; i < ops->n && !failed; i++)
        failed = json_array_append_new(by_operation,
                                       operation_json(&l->ops[i], &ops->v[i].op, executed));
    for (uint32_t k = 0; k < l->n_layers && !failed; k++)
        failed = json_array_append_new(by_layer, layer_json(l, &l->layers[k], executed));
    if (!failed)
        failed = set_flops(doc, &l->sum, executed);
    if (!failed)
        failed = json_object_set_new(doc, "train_relative",
                                     ftk__relative_json(l->sum.theory, dense_run));
    if (!failed)
        failed = json_object_set(doc, "by_operation", by_operation);
    if (!failed)
        failed = json_object_set(doc, "by_layer", by_layer);
    json_decref(by_operation);
    json_decref(by_layer);
    if (!failed)
        return doc;
    json_decref(doc);
    return NULL;
}
