/* SPDX-License-Identifier: MIT
 * cli/plan_print.c - operations, layers, costs.
 */
#include "cli/plan_print.h"

#include "cli/flops_print.h"
#include "cli/json_text.h"
#include "config/opcheck.h"
#include <math.h>
#include <string.h>

uint32_t ftk__train_runs(const struct ftk__oplist *ops)
{
    uint32_t n = 0;
    bool starts = false; /* the next step begins a training; a TRAIN may have none */
    for (uint32_t i = 0; i < ops->n; i++) {
        uint32_t code = ops->v[i].op.code;
        starts = starts || code == FTK_OP_INIT || code == FTK_OP_REWIND || code == FTK_OP_PRUNE;
        if (!starts || code != FTK_OP_TRAIN || ops->v[i].effect.steps == 0)
            continue;
        starts = false;
        n++;
    }
    return n;
}

/* The topology is switched off: the operation stays in the plan and changes nothing. */
static bool is_off(const struct ftk__experiment *x, const ftk_op *op)
{
    return !x->topology.enabled && op->code == FTK_OP_ESCAPE;
}

static void print_lr(const struct ftk__experiment *x, const struct ftk__plan *p, const ftk_op *op,
                     struct ftk__str *out)
{
    struct ftk__lr_plan lr;
    if (ftk__lr_plan(x, &p->run, op, &lr, NULL) < 0)
        return;
    ftk__str_addf(out, "lr %g", lr.base);
    if (lr.kind == FTK_LR_COSINE)
        ftk__str_addf(out, " cosine to %g", lr.base * lr.final_fraction);
    if (lr.n_milestones)
        ftk__str_addf(out, ", x%g at step", lr.gamma);
    for (uint32_t i = 0; i < lr.n_milestones; i++)
        ftk__str_addf(out, " %llu", (unsigned long long)lr.milestone[i]);
    if (lr.warmup_steps)
        ftk__str_addf(out, ", warm-up %llu steps", (unsigned long long)lr.warmup_steps);
}

static void print_train(const struct ftk__experiment *x, const struct ftk__plan *p,
                        const struct ftk__planned_op *o, struct ftk__str *out)
{
    const ftk_op *op = &o->op;
    ftk__str_addf(out, "%g epochs, %llu steps, ", op->epochs, (unsigned long long)o->effect.steps);
    print_lr(x, p, op, out);
    if (op->flags & FTK_TRAIN_DST)
        ftk__str_addf(out, x->topology.enabled ? ", updates at rate %g" : ", updates off",
                      x->topology.rate);
    if (op->ramp_density > 0)
        ftk__str_addf(out, ", ramp to density %g from epoch %g to %g%s", op->ramp_density,
                      op->ramp_from, op->ramp_to,
                      op->flags & FTK_TRAIN_RAMP_GLOBAL ? " (over the network)" : "");
}

static void print_what(const struct ftk__experiment *x, const struct ftk__plan *p,
                       const struct ftk__planned_op *o, struct ftk__str *out)
{
    const ftk_op *op = &o->op;
    switch (op->code) {
    case FTK_OP_INIT:
        if (op->flags & FTK_INIT_DENSE)
            ftk__str_add(out, "dense");
        else
            ftk__str_addf(out, "density %g by %s",
                          op->density > 0 ? op->density : x->sparsity.density,
                          x->init.entry->algo->name);
        break;
    case FTK_OP_TRAIN:
        print_train(x, p, o, out);
        break;
    case FTK_OP_ESCAPE:
        ftk__str_addf(out, "q %g%s", op->rate, is_off(x, op) ? "  off" : "");
        break;
    case FTK_OP_PRUNE:
        ftk__str_addf(out, "to density %g%s", op->density,
                      op->flags & FTK_PRUNE_GLOBAL ? " (over the network)" : "");
        break;
    case FTK_OP_REMEMBER:
        ftk__str_addf(out, "slot %u", op->slot);
        break;
    case FTK_OP_REWIND:
        ftk__str_addf(out, "slot %u%s%s", op->slot,
                      op->flags & FTK_REWIND_KEEP_MASK ? ", keep the mask" : "",
                      op->flags & FTK_REWIND_RESEED ? ", reseed" : "");
        break;
    default:
        break;
    }
}

static void print_ops(const struct ftk__experiment *x, const struct ftk__plan *p,
                      struct ftk__str *out)
{
    int width = 5;
    for (uint32_t i = 0; i < p->ops.n; i++) {
        int n = (int)strlen(p->ops.v[i].op.label);
        width = n > width ? n : width;
    }
    ftk__str_addf(out, "operations\n  %4s  %-8s  %-*s  member\n", "", "op", width, "label");
    for (uint32_t i = 0; i < p->ops.n; i++) {
        const ftk_op *op = &p->ops.v[i].op;
        struct ftk__str what = { 0 };
        print_what(x, p, &p->ops.v[i], &what);
        ftk__str_addf(out, "  %4u  %-8s  %-*s  %6u%s%s\n", i, ftk__opcode_name(op->code), width,
                      op->label, op->member, what.text ? "  " : "", what.text ? what.text : "");
        out->failed = out->failed || what.failed;
        ftk__str_done(&what);
    }
}

static const char *scope_name(const struct ftk__experiment *x)
{
    return x->topology.scope == FTK__SCOPE_NETWORK ? "network" : "layer";
}

/* Whether some operation asks a prune rule, and whether some asks grow and allot. */
static void find_rules(const struct ftk__experiment *x, const struct ftk__plan *p, bool *ret_prunes,
                       bool *ret_grows)
{
    *ret_prunes = false;
    *ret_grows = false;
    for (uint32_t i = 0; i < p->ops.n; i++) {
        const ftk_op *op = &p->ops.v[i].op;
        bool moves =
            op->code == FTK_OP_ESCAPE || (op->code == FTK_OP_TRAIN && (op->flags & FTK_TRAIN_DST));
        *ret_grows = *ret_grows || (moves && x->topology.enabled);
        *ret_prunes = *ret_prunes || op->code == FTK_OP_PRUNE || op->ramp_density > 0;
    }
    *ret_prunes = *ret_prunes || *ret_grows;
}

static void print_rule(const char *kind, const struct ftk__algo_use *use, struct ftk__str *out)
{
    const ftk_stamp *stamp = use->entry->file ? use->entry->file->stamp : NULL;
    ftk__str_addf(out, "  %-5s  %-16s  %s%s%s\n", kind, use->entry->algo->name,
                  stamp ? stamp->name : "built in", stamp ? " " : "", stamp ? stamp->version : "");
}

/* Which plugins decide what changes after INIT. */
static void print_rules(const struct ftk__experiment *x, const struct ftk__plan *p,
                        struct ftk__str *out)
{
    bool prunes, grows;
    find_rules(x, p, &prunes, &grows);
    if (!prunes)
        return;
    ftk__str_add(out, "\nrules\n");
    print_rule("prune", &x->prune, out);
    if (!grows)
        return;
    print_rule("grow", &x->grow, out);
    print_rule("allot", &x->allot, out);
    ftk__str_addf(out, "  scope  %s\n", scope_name(x));
}

static void shape_text(const struct ftk__plan_layer *l, char ret[64])
{
    size_t at = 0;
    ret[0] = 0;
    for (uint32_t d = 0; d < l->n_dims && at < 40; d++) {
        ftk__format(ret + at, 64 - at, "%s%llu", d ? "x" : "", (unsigned long long)l->dims[d]);
        at = strlen(ret);
    }
}

static void print_layers(const struct ftk__plan *p, struct ftk__str *out)
{
    int width = 5;
    for (uint32_t i = 0; i < p->n_layers; i++) {
        int n = (int)strlen(p->layers[i].name);
        width = n > width ? n : width;
    }
    ftk__str_addf(out, "\nlayers\n  %-*s  %-18s  %10s  %10s  density\n", width, "name", "shape",
                  "weights", "active");
    for (uint32_t i = 0; i < p->n_layers; i++) {
        const struct ftk__plan_layer *l = &p->layers[i];
        char shape[64];
        shape_text(l, shape);
        ftk__str_addf(out, "  %-*s  %-18s  %10llu  %10llu  %.6f\n", width, l->name, shape,
                      (unsigned long long)l->n, (unsigned long long)l->nnz, l->density);
    }
}

/* "123.4 MiB" */
static void print_bytes(uint64_t bytes, struct ftk__str *out)
{
    static const char *const unit[] = { "B", "KiB", "MiB", "GiB", "TiB" };
    double v = (double)bytes;
    unsigned u = 0;
    while (v >= 1024 && u + 1 < sizeof(unit) / sizeof(unit[0])) {
        v /= 1024;
        u++;
    }
    ftk__str_addf(out, u ? "%.1f %s" : "%.0f %s", v, unit[u]);
}

/* Everything that changes the topology after INIT. */
static uint64_t updates(const struct ftk__plan *p)
{
    return ftk__ledger_count(&p->ledger, FTK__LEDGER_UPDATE) +
           ftk__ledger_count(&p->ledger, FTK__LEDGER_ESCAPE) +
           ftk__ledger_count(&p->ledger, FTK__LEDGER_CUT);
}

static void print_costs(const struct ftk__experiment *x, const struct ftk__plan *p,
                        struct ftk__str *out)
{
    const char *about = p->approximate ? "~" : "";
    ftk__str_addf(out, "\nparameters     %llu, %llu active in a member\n",
                  (unsigned long long)p->params_total, (unsigned long long)p->params_active);
    ftk__str_addf(out, "density        %.6f of the maskable weights at the start\n", p->density);
    ftk__str_addf(out, "epochs         %g in all, %u train runs, %lld test passes\n",
                  p->epochs_total, ftk__train_runs(&p->ops), (long long)x->members);
    ftk__str_addf(out, "updates        %llu\n", (unsigned long long)updates(p));
    ftk__str_addf(out, "train FLOPs    %s%.4g", about, p->ledger.sum.theory);
    ftk__relative_print(p->ledger.sum.theory, p->flops_dense_run, "a dense run (theory)", out);
    ftk__str_addf(out, "test FLOPs     %s%.4g an image", about, p->flops_test);
    ftk__relative_print(p->flops_test, p->ledger.dense_image, "a dense network", out);
    ftk__str_add(out, "memory         about ");
    print_bytes(p->memory_bytes, out);
    ftk__str_add(out, "\ndisk           about ");
    print_bytes(p->disk_bytes, out);
    ftk__str_add(out, "\n");
    if (p->approximate)
        ftk__str_add(out, "~: expected; Bernoulli counts, and the layers' shares of what is ranked "
                          "over the network, show in the run\n");
    if (p->limited && x->topology.scope == FTK__SCOPE_NETWORK)
        ftk__str_add(out, "regrow         forbidden, and the network has too few inactive weights "
                          "for the rate: there k = n - nnz\n");
    else if (p->limited)
        ftk__str_addf(out,
                      "regrow         forbidden, and %u layer%s too few inactive weights for "
                      "the rate: there k = n - nnz\n",
                      p->limited, p->limited == 1 ? " has" : "s have");
}

void ftk__plan_print(const struct ftk__experiment *x, const struct ftk__plan *p,
                     struct ftk__str *out)
{
    ftk__str_addf(out, "%s: %s, %lld member%s, seed %lld\n\n", x->name,
                  x->strategy.entry->algo->name, (long long)x->members, x->members == 1 ? "" : "s",
                  (long long)x->seed);
    print_ops(x, p, out);
    print_rules(x, p, out);
    print_layers(p, out);
    ftk__flops_print(&p->ledger, &p->ops, p->approximate, out);
    print_costs(x, p, out);
}

static json_t *op_json(const struct ftk__experiment *x, const struct ftk__planned_op *o)
{
    const ftk_op *op = &o->op;
    json_t *epochs = op->code == FTK_OP_TRAIN ? json_real(op->epochs) : json_null();
    json_t *rate = json_null();
    if (op->code == FTK_OP_ESCAPE)
        rate = json_real(op->rate);
    else if (op->code == FTK_OP_TRAIN && (op->flags & FTK_TRAIN_DST) && x->topology.enabled)
        rate = json_real(x->topology.rate);
    return json_pack("{s:s, s:o, s:I, s:o, s:I, s:o, s:f, s:b}", "op", ftk__opcode_name(op->code),
                     "label", ftk__json_text(op->label), "member", (json_int_t)op->member, "epochs",
                     epochs, "steps", (json_int_t)o->effect.steps, "rate", rate, "density",
                     o->effect.density_to, "off", is_off(x, op));
}

static json_t *layer_json(const struct ftk__plan_layer *l)
{
    json_t *shape = json_array();
    int failed = shape ? 0 : -1;
    for (uint32_t d = 0; d < l->n_dims && !failed; d++)
        failed = json_array_append_new(shape, json_integer((json_int_t)l->dims[d]));
    if (failed) {
        json_decref(shape);
        return NULL;
    }
    return json_pack("{s:s, s:o, s:I, s:I, s:f}", "name", l->name, "shape", shape, "n",
                     (json_int_t)l->n, "nnz", (json_int_t)l->nnz, "density", l->density);
}

/* What a plan knows beside the ledger of training: one image through the members. */
static json_t *flops_json(const struct ftk__plan *p)
{
    json_t *doc = ftk__flops_json(&p->ledger, &p->ops, p->flops_dense_run, false);
    if (!doc)
        return NULL;
    int failed = json_object_set_new(doc, "test", json_real(p->flops_test));
    if (!failed)
        failed = json_object_set_new(doc, "test_relative",
                                     ftk__relative_json(p->flops_test, p->ledger.dense_image));
    if (!failed)
        return doc;
    json_decref(doc);
    return NULL;
}

/* null where no operation asks the rule. */
static json_t *rules_json(const struct ftk__experiment *x, const struct ftk__plan *p)
{
    bool prunes, grows;
    find_rules(x, p, &prunes, &grows);
    return json_pack(
        "{s:s?, s:s?, s:s?, s:s?}", "prune", prunes ? x->prune.entry->algo->name : NULL, "grow",
        grows ? x->grow.entry->algo->name : NULL, "allot",
        grows ? x->allot.entry->algo->name : NULL, "scope", grows ? scope_name(x) : NULL);
}

json_t *ftk__plan_json(const struct ftk__experiment *x, const struct ftk__plan *p)
{
    json_t *ops = json_array();
    json_t *layers = json_array();
    int failed = ops && layers ? 0 : -1;
    for (uint32_t i = 0; i < p->ops.n && !failed; i++)
        failed = json_array_append_new(ops, op_json(x, &p->ops.v[i]));
    for (uint32_t i = 0; i < p->n_layers && !failed; i++)
        failed = json_array_append_new(layers, layer_json(&p->layers[i]));
    if (failed) {
        json_decref(ops);
        json_decref(layers);
        return NULL;
    }
    return json_pack(
        "{s:o, s:s, s:I, s:o, s:o, s:o, s:{s:I, s:I}, s:f, s:o, s:f, s:I, s:I, s:I, s:I, s:I, s:b}",
        "name", ftk__json_text(x->name), "strategy", x->strategy.entry->algo->name, "members",
        (json_int_t)x->members, "operations", ops, "rules", rules_json(x, p), "layers", layers,
        "params", "total", (json_int_t)p->params_total, "active", (json_int_t)p->params_active,
        "density", p->density, "flops", flops_json(p), "epochs_total", p->epochs_total,
        "train_runs", (json_int_t)ftk__train_runs(&p->ops), "test_passes", (json_int_t)x->members,
        "updates", (json_int_t)updates(p), "memory_bytes", (json_int_t)p->memory_bytes,
        "disk_bytes", (json_int_t)p->disk_bytes, "approximate", p->approximate);
}
