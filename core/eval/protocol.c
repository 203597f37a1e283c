/* SPDX-License-Identifier: MIT
 * eval/protocol.c - the table of protocols, applied through the parameter engine.
 */
#include "eval/protocol.h"

#include <string.h>

enum { MAX_FIXED = 4 };

/* The published FreeTickets code bins confidences (b/14, (b+1)/14]; Uncertainty Baselines
 * [b/15, (b+1)/15) and divides disagreement by the error. */
static const struct fixed {
    const char *protocol, *metric, *key;
    const char *text; /* a string's value, or NULL                    */
    int64_t number;   /* of an integer or a boolean                   */
    enum ftk__setting_type type;
} fixed[] = {
    { "paper", "ece", "bins", NULL, 14, FTK__SET_INT },
    { "paper", "ece", "closed", "right", 0, FTK__SET_STRING },
    { "ub", "ece", "bins", NULL, 15, FTK__SET_INT },
    { "ub", "ece", "closed", "left", 0, FTK__SET_STRING },
    { "paper", "disagreement", "normalise", NULL, 0, FTK__SET_BOOL },
    { "ub", "disagreement", "normalise", NULL, 1, FTK__SET_BOOL },
};
enum { N_FIXED = sizeof(fixed) / sizeof(fixed[0]) };

static bool applies(const struct fixed *f, const char *protocol, const char *metric)
{
    return strcmp(f->protocol, protocol) == 0 && strcmp(f->metric, metric) == 0;
}

bool ftk__protocol_defines(const char *protocol, const char *metric)
{
    for (int i = 0; i < N_FIXED; i++) {
        if (applies(&fixed[i], protocol, metric))
            return true;
    }
    return false;
}

ftk_status ftk__protocol_params(const char *protocol, const struct ftk__entry *metric,
                                struct ftk__arena *arena, void **ret, struct ftk_error *reterr)
{
    const ftk_algo *a = metric->algo;
    struct ftk__setting value[MAX_FIXED];
    struct ftk__setting *child[MAX_FIXED];
    struct ftk__setting group = { .type = FTK__SET_GROUP, .file = protocol, .child = child };
    for (int i = 0; i < N_FIXED && group.n < MAX_FIXED; i++) {
        const struct fixed *f = &fixed[i];
        if (!applies(f, protocol, a->name))
            continue;
        value[group.n] = (struct ftk__setting){ .type = f->type,
                                                .name = f->key,
                                                .file = protocol,
                                                .b = f->number != 0,
                                                .i = f->number,
                                                .f = (double)f->number,
                                                .s = f->text };
        child[group.n] = &value[group.n];
        group.n++;
    }
    const struct ftk__param_table table = { a->params, a->param_stride, a->params_size };
    struct ftk__issues issues = { 0 };
    void *params = ftk__arena_alloc(arena, a->params_size ? a->params_size : 1);
    if (!params)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for the parameters of metric %s", a->name);
    ftk__params_fill(&table, &group, NULL, a->name, arena, params, &issues);
    ftk_status st = FTK_OK;
    if (issues.n > 0)
        st = ftk__fail(reterr, FTK_EINVAL, "metric %s does not take what protocol %s fixes: %s",
                       a->name, protocol, issues.v[0].message);
    else if (issues.failed)
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory for the parameters of metric %s", a->name);
    else
        *ret = params;
    ftk__issues_done(&issues);
    return st;
}
