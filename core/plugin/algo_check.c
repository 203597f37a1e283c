/* SPDX-License-Identifier: MIT
 * plugin/algo_check.c - what must hold of a descriptor before its algorithm is listed.
 *
 * Only what can be seen without calling: sizes, names, known flags, functions that must be there,
 * the parameter table.  What an algorithm does is for the conformance kit.
 */
#include "plugin/channels.h"
#include "plugin/loader.h"
#include "plugin/params.h"
#include <math.h>
#include <string.h>

enum { ALL_CHANNELS = FTK_CH_WEIGHT | FTK_CH_GRAD | FTK_CH_MOMENTUM | FTK_CH_AGE | FTK_CH_FIRED };
enum {
    ALL_PROPS = FTK_PROP_ELEMENTWISE | FTK_PROP_SCALE_FREE | FTK_PROP_SIGN_FREE | FTK_PROP_RANDOM
};

/* Keys of a group that the core owns, by kind; `use` in all of them. */
static const struct core_key {
    uint32_t kind; /* 0: any                                       */
    const char *name;
} core_keys[] = {
    { 0, "use" },
    { FTK_KIND_ENSEMBLE, "members" },
    { FTK_KIND_ENSEMBLE, "keep" },
    { FTK_KIND_BACKEND, "threads" },
    { FTK_KIND_BACKEND, "precision" },
    { FTK_KIND_BACKEND, "isa" },
    { FTK_KIND_BACKEND, "tune" },
};
enum { N_CORE_KEYS = sizeof(core_keys) / sizeof(core_keys[0]) };

static bool is_name(const char *s)
{
    if (!s || s[0] < 'a' || s[0] > 'z')
        return false;
    return s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static ftk_status bad(struct ftk_error *reterr, const char *what)
{
    return ftk__fail(reterr, FTK_EINVAL, "%s", what);
}

static ftk_status wrong_size(struct ftk_error *reterr, const char *what, uint32_t has,
                             size_t wanted)
{
    return ftk__fail(reterr, FTK_EABI, "%s has size %u, this program's is %zu", what, has, wanted);
}

static ftk_status unknown_bits(struct ftk_error *reterr, const char *what, uint32_t value,
                               uint32_t known)
{
    if ((value & ~known) == 0)
        return FTK_OK;
    return ftk__fail(reterr, FTK_EINVAL, "unknown %s 0x%x", what, value & ~known);
}

/* What prune and grow have in common. */
struct selector {
    uint32_t channels, count, props, formula, reserved;
    ftk_score_fn score;
    ftk_select_fn select;
};

/* The one channel that a formula reads. */
static uint32_t formula_channel(uint32_t formula)
{
    switch (formula) {
    case FTK_FORMULA_ABS_WEIGHT:
        return FTK_CH_WEIGHT;
    case FTK_FORMULA_ABS_GRAD:
        return FTK_CH_GRAD;
    case FTK_FORMULA_ABS_MOMENTUM:
        return FTK_CH_MOMENTUM;
    default:
        return 0;
    }
}

static ftk_status check_formula(const struct selector *s, struct ftk_error *reterr)
{
    char reads[FTK__CHANNEL_NAMES], declared[FTK__CHANNEL_NAMES];
    if (s->formula > FTK_FORMULA_UNIFORM)
        return ftk__fail(reterr, FTK_EINVAL, "unknown formula %u", s->formula);
    if (s->formula == 0)
        return FTK_OK;
    if (s->channels != formula_channel(s->formula))
        return ftk__fail(reterr, FTK_EINVAL, "formula %u reads channel %s, declared: %s",
                         s->formula, ftk__channel_names(formula_channel(s->formula), reads),
                         ftk__channel_names(s->channels, declared));
    if (s->formula == FTK_FORMULA_UNIFORM && !(s->props & FTK_PROP_RANDOM))
        return bad(reterr, "formula UNIFORM without FTK_PROP_RANDOM");
    return FTK_OK;
}

static ftk_status check_selector(const struct selector *s, struct ftk_error *reterr)
{
    if (!s->score == !s->select)
        return bad(reterr,
                   s->score ? "both score and select are set" : "neither score nor select is set");
    ftk_status st = unknown_bits(reterr, "channels", s->channels, ALL_CHANNELS);
    if (st == FTK_OK)
        st = unknown_bits(reterr, "props", s->props, ALL_PROPS);
    if (st != FTK_OK)
        return st;
    if (s->count > FTK_COUNT_FREE)
        return ftk__fail(reterr, FTK_EINVAL, "unknown count %u", s->count);
    if (s->reserved != 0)
        return bad(reterr, "ops.reserved is not 0");
    if (s->score && s->count != FTK_COUNT_EXACT)
        return bad(reterr, "a scorer's count must be FTK_COUNT_EXACT");
    if (s->select && s->formula != 0)
        return bad(reterr, "a formula is a claim about score(): leave it out beside select()");
    if (s->select && (s->props & FTK_PROP_ELEMENTWISE))
        return bad(reterr,
                   "FTK_PROP_ELEMENTWISE is a claim about score(): leave it out beside select()");
    return check_formula(s, reterr);
}

static ftk_status check_prune(const void *ops, struct ftk_error *reterr)
{
    const ftk_prune_ops *o = ops;
    if (o->size != sizeof(*o))
        return wrong_size(reterr, "ops", o->size, sizeof(*o));
    return check_selector(&(struct selector){ o->channels, o->count, o->props, o->formula,
                                              o->reserved, o->score, o->select },
                          reterr);
}

static ftk_status check_grow(const void *ops, struct ftk_error *reterr)
{
    const ftk_grow_ops *o = ops;
    if (o->size != sizeof(*o))
        return wrong_size(reterr, "ops", o->size, sizeof(*o));
    return check_selector(&(struct selector){ o->channels, o->count, o->props, o->formula,
                                              o->reserved, o->score, o->select },
                          reterr);
}

static ftk_status check_allot(const void *ops, struct ftk_error *reterr)
{
    const ftk_allot_ops *o = ops;
    if (o->size != sizeof(*o))
        return wrong_size(reterr, "ops", o->size, sizeof(*o));
    if (!o->allot)
        return bad(reterr, "allot is not set");
    return unknown_bits(reterr, "channels", o->channels, ALL_CHANNELS);
}

static ftk_status check_init(const void *ops, struct ftk_error *reterr)
{
    const ftk_init_ops *o = ops;
    if (o->size != sizeof(*o))
        return wrong_size(reterr, "ops", o->size, sizeof(*o));
    if (!o->density == !o->select)
        return bad(reterr, o->density ? "both density and select are set"
                                      : "neither density nor select is set");
    return unknown_bits(reterr, "channels", o->channels, ALL_CHANNELS);
}

static ftk_status check_ensemble(const void *ops, struct ftk_error *reterr)
{
    const ftk_ensemble_ops *o = ops;
    if (o->size != sizeof(*o))
        return wrong_size(reterr, "ops", o->size, sizeof(*o));
    if (!o->op)
        return bad(reterr, "op is not set");
    return unknown_bits(reterr, "ops.flags", o->flags, FTK_ENS_STATIC | FTK_ENS_INDEPENDENT);
}

static ftk_status check_metric_value(const ftk_metric_value *v, struct ftk_error *reterr)
{
    if (!is_name(v->name))
        return ftk__fail(reterr, FTK_EINVAL, "value name '%s' is not [a-z][a-z0-9_]*",
                         v->name ? v->name : "(null)");
    if (!v->unit)
        return ftk__fail(reterr, FTK_EINVAL, "value '%s': unit is NULL, should be \"\"", v->name);
    if (isnan(v->min) || isnan(v->max) || v->min > v->max)
        return ftk__fail(reterr, FTK_EINVAL, "value '%s': range %g to %g is empty", v->name, v->min,
                         v->max);
    if (v->better < -1 || v->better > 1 || v->reserved != 0)
        return ftk__fail(reterr, FTK_EINVAL, "value '%s': better is %d, reserved %u", v->name,
                         (int)v->better, v->reserved);
    return FTK_OK;
}

static ftk_status check_metric(const void *ops, struct ftk_error *reterr)
{
    const ftk_metric_ops *o = ops;
    if (o->size != sizeof(*o))
        return wrong_size(reterr, "ops", o->size, sizeof(*o));
    if (!o->state_bytes || !o->add || !o->merge || !o->finish)
        return bad(reterr, "one of state_bytes, add, merge and finish is not set");
    if (o->n_values == 0 || !o->values)
        return bad(reterr, "no values are declared");
    if (o->reserved != 0)
        return bad(reterr, "ops.reserved is not 0");
    ftk_status st =
        unknown_bits(reterr, "ops.flags", o->flags, FTK_METRIC_MEMBERS | FTK_METRIC_GROUPS);
    for (uint32_t i = 0; st == FTK_OK && i < o->n_values; i++)
        st = check_metric_value(&o->values[i], reterr);
    return st;
}

static ftk_status check_backend(const void *ops, struct ftk_error *reterr)
{
    const ftk_backend_ops *o = ops;
    if (o->size != sizeof(*o))
        return wrong_size(reterr, "ops", o->size, sizeof(*o));
    if (!o->probe || !o->open || !o->close || !o->supports || !o->compile || !o->release)
        return bad(reterr, "one of probe, open, close, supports, compile and release is not set");
    if (!o->step || !o->predict || !o->grad_input || !o->sync)
        return bad(reterr, "one of step, predict, grad_input and sync is not set");
    if (!o->read_active || !o->read_inactive || !o->edit)
        return bad(reterr, "one of read_active, read_inactive and edit is not set");
    if (!o->tensor || !o->get || !o->put || !o->mask)
        return bad(reterr, "one of tensor, get, put and mask is not set");
    return unknown_bits(reterr, "ops.flags", o->flags, 0);
}

static ftk_status check_ops(const ftk_algo *a, struct ftk_error *reterr)
{
    if (!a->ops)
        return bad(reterr, "ops is NULL");
    switch (a->kind) {
    case FTK_KIND_INIT:
        return check_init(a->ops, reterr);
    case FTK_KIND_PRUNE:
        return check_prune(a->ops, reterr);
    case FTK_KIND_GROW:
        return check_grow(a->ops, reterr);
    case FTK_KIND_ENSEMBLE:
        return check_ensemble(a->ops, reterr);
    case FTK_KIND_METRIC:
        return check_metric(a->ops, reterr);
    case FTK_KIND_BACKEND:
        return check_backend(a->ops, reterr);
    default:
        return check_allot(a->ops, reterr);
    }
}

static ftk_status check_table(const ftk_algo *a, struct ftk_error *reterr)
{
    const struct ftk__param_table t = { a->params, a->param_stride, a->params_size };
    if (!a->params != (a->params_size == 0))
        return ftk__fail(reterr, FTK_EINVAL, "params_size is %u, but the table is %s",
                         a->params_size, a->params ? "there" : "NULL");
    return ftk__params_check(&t, reterr);
}

static ftk_status check_keys(const ftk_algo *a, struct ftk_error *reterr)
{
    const struct ftk__param_table t = { a->params, a->param_stride, a->params_size };
    for (uint32_t i = 0; i < N_CORE_KEYS; i++) {
        bool ours = core_keys[i].kind == 0 || core_keys[i].kind == a->kind;
        if (ours && ftk__param_named(&t, core_keys[i].name))
            return ftk__fail(reterr, FTK_EINVAL, "parameter '%s' is a key of the core's own",
                             core_keys[i].name);
    }
    return FTK_OK;
}

static ftk_status check_words(const ftk_algo *a, struct ftk_error *reterr)
{
    if ((a->kind == FTK_KIND_INIT && strcmp(a->name, "file") == 0) ||
        (a->kind == FTK_KIND_BACKEND && strcmp(a->name, "auto") == 0))
        return bad(reterr, "the name is built in");
    if (!a->summary || a->summary[0] == '\0' || strchr(a->summary, '\n'))
        return bad(reterr, "the summary is not one line");
    if (!a->reference)
        return bad(reterr, "reference is NULL, should be \"\"");
    bool stateless =
        a->kind == FTK_KIND_ENSEMBLE || a->kind == FTK_KIND_METRIC || a->kind == FTK_KIND_BACKEND;
    if (stateless && a->state_bytes != 0)
        return ftk__fail(reterr, FTK_EINVAL, "state_bytes is %u, this kind has none",
                         a->state_bytes);
    return unknown_bits(reterr, "flags", a->flags, FTK_ALGO_REENTRANT);
}

static ftk_status check_head(const ftk_algo *a, struct ftk_error *reterr)
{
    /* Nothing beyond `size` and `kind` may be read of a descriptor of another size. */
    if (a->size != sizeof(*a))
        return wrong_size(reterr, "an algorithm", a->size, sizeof(*a));
    if (a->kind < FTK_KIND_INIT || a->kind > FTK_KIND_ALLOT)
        return ftk__fail(reterr, FTK_EINVAL, "an algorithm of unknown kind %u", a->kind);
    return FTK_OK;
}

static ftk_status check_name(const ftk_algo *a, struct ftk_error *reterr)
{
    if (is_name(a->name))
        return check_words(a, reterr);
    return ftk__fail(reterr, FTK_EINVAL, "%s name '%s' is not [a-z][a-z0-9_]*",
                     ftk__kind_name((ftk_kind)a->kind), a->name ? a->name : "(null)");
}

ftk_status ftk__algo_check_part(const ftk_algo *a, enum ftk__algo_part part,
                                struct ftk_error *reterr)
{
    switch (part) {
    case FTK__ALGO_HEAD:
        return check_head(a, reterr);
    case FTK__ALGO_WORDS:
        return check_name(a, reterr);
    case FTK__ALGO_TABLE:
        return check_table(a, reterr);
    case FTK__ALGO_KEYS:
        return check_keys(a, reterr);
    default:
        return check_ops(a, reterr);
    }
}

ftk_status ftk__algo_check(const ftk_algo *a, struct ftk_error *reterr)
{
    ftk_status st = check_head(a, reterr);
    if (st == FTK_OK && !is_name(a->name))
        st = check_name(a, reterr);
    if (st != FTK_OK)
        return st;
    struct ftk_error inner;
    for (int part = FTK__ALGO_WORDS; part <= FTK__ALGO_OPS && st == FTK_OK; part++)
        st = ftk__algo_check_part(a, (enum ftk__algo_part)part, &inner);
    if (st == FTK_OK)
        return FTK_OK;
    return ftk__fail(reterr, st, "%s '%s': %s", ftk__kind_name((ftk_kind)a->kind), a->name,
                     inner.message);
}
