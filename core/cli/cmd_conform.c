/* SPDX-License-Identifier: MIT
 * cli/cmd_conform.c - `freetickets conform FILE.so...`: the conformance kit.
 */
#include "base/mem.h"
#include "base/rng.h"
#include "cli/commands.h"
#include "conform/child.h"
#include "conform/families.h"
#include "conform/host_check.h"
#include "conform/kept_level.h"
#include "conform/kit_reports.h"
#include "conform/parent.h"
#include <string.h>

/* "RULE:kind.name:role:in:out", as the kit executes itself. */
static _Noreturn void be_child(const struct ftk__kit_options *k, char *spec, const char *path)
{
    char *part[5] = { spec };
    uint64_t role;
    int64_t in, out;
    for (int i = 1; i < 5; i++) {
        part[i] = strchr(part[i - 1], ':');
        if (!part[i])
            ftk__kit_broken("--child '%s' is not what the kit writes", spec);
        *part[i]++ = '\0';
    }
    if (!ftk__parse_u64(part[2], &role) || !ftk__parse_i64(part[3], &in) ||
        !ftk__parse_i64(part[4], &out))
        ftk__kit_broken("--child '%s' is not what the kit writes", spec);
    const struct ftk__child_request q = {
        .o = k,
        .path = path,
        .rule = part[0],
        .algo = part[1],
        .role = (uint32_t)role,
        .in = (int)in,
        .out = (int)out,
    };
    ftk__child_run(&q);
}

static ftk_status usage(struct ftk_error *reterr, const char *option, const char *value,
                        const char *limit)
{
    return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE, "--%s %s: %s", option, value, limit);
}

static ftk_status split_pairs(const char *const *text, uint64_t n, const char *option,
                              struct ftk__arena *arena, struct ftk__kit_pair **ret,
                              struct ftk_error *reterr)
{
    struct ftk__kit_pair *pair = ftk__arena_alloc(arena, (n + 1) * sizeof(*pair));
    for (uint64_t i = 0; pair && i < n; i++) {
        char *key = ftk__arena_strdup(arena, text[i]);
        char *equals = key ? strchr(key, '=') : NULL;
        if (key && (!equals || equals == key))
            return usage(reterr, option, text[i], "must be KEY=VALUE");
        if (!key)
            return ftk__fail(reterr, FTK_ENOMEM, "no memory for options");
        *equals = '\0';
        pair[i] = (struct ftk__kit_pair){ key, equals + 1 };
    }
    *ret = pair;
    return pair ? FTK_OK : ftk__fail(reterr, FTK_ENOMEM, "no memory for options");
}

static ftk_status kit_options(const struct ftk__options *o, struct ftk__arena *arena,
                              struct ftk__kit_options *ret, struct ftk_error *reterr)
{
    struct ftk__kit_pair *set = NULL;
    struct ftk__kit_pair *skip = NULL;
    uint64_t level = 2;
    ftk_status st = split_pairs(o->set, o->n_set, "set", arena, &set, reterr);
    if (st >= 0)
        st = split_pairs(o->skip, o->n_skip, "skip", arena, &skip, reterr);
    *ret = (struct ftk__kit_options){
        .only = o->only,
        .skip = skip,
        .n_skip = (uint32_t)o->n_skip,
        .set = set,
        .n_set = (uint32_t)o->n_set,
        .ref = o->ref,
        .seed = 17,
    };
    if (st >= 0 && o->level && (!ftk__parse_u64(o->level, &level) || level < 1 || level > 4))
        st = usage(reterr, "level", o->level, "must be 1, 2, 3 or 4");
    if (st >= 0 && o->seed && !ftk__parse_u64(o->seed, &ret->seed))
        st = usage(reterr, "seed", o->seed, "must be a whole number");
    ret->level = (int)level;
    return st;
}

/* ---- output ----------------------------------------------------------------------------------- */

static ftk_status print_json(const struct ftk__conform_run *r, struct ftk_error *reterr)
{
    json_t *all = json_array();
    int failed = !all;
    for (uint32_t i = 0; i < r->n_files && !failed; i++)
        failed = json_array_append_new(all, ftk__report_json(r, i));
    ftk_status st = failed ? ftk__fail(reterr, FTK_ENOMEM, "no memory for the verdicts")
                           : ftk__json_print(stdout, all, reterr);
    json_decref(all);
    return st;
}

static int print(const struct ftk__options *o, const struct ftk__conform_run *r)
{
    struct ftk__str text = { 0 };
    struct ftk_error err;
    if (o->json)
        return print_json(r, &err) < 0 ? ftk__cli_fail(&err) : FTK__EXIT_OK;
    if (o->tap)
        ftk__report_tap(r, &text);
    else
        ftk__report_human(r, &text);
    return ftk__cli_print(&text);
}

static int print_rules(const struct ftk__options *o)
{
    struct ftk__str text = { 0 };
    struct ftk_error err;
    if (!o->json) {
        if (o->rules_md)
            ftk__rules_markdown(&text);
        else
            ftk__rules_print(&text);
        return ftk__cli_print(&text);
    }
    json_t *rules = ftk__rules_json();
    ftk_status st = rules ? ftk__json_print(stdout, rules, &err)
                          : ftk__fail(&err, FTK_ENOMEM, "no memory for the rules");
    json_decref(rules);
    return st < 0 ? ftk__cli_fail(&err) : FTK__EXIT_OK;
}

/* ---- the command ------------------------------------------------------------------------------ */

static ftk_status run_options(const struct ftk__options *o, struct ftk__conform_run *r,
                              struct ftk_error *reterr)
{
    uint64_t jobs = 0;
    if (o->jobs && (!ftk__parse_u64(o->jobs, &jobs) || jobs < 1 || jobs > 64))
        return usage(reterr, "jobs", o->jobs, "must be a whole number, 1 to 64");
    if (o->timeout &&
        (!ftk__parse_f64(o->timeout, &r->timeout_s) || !(r->timeout_s > 0) || r->timeout_s > 86400))
        return usage(reterr, "timeout", o->timeout, "must be seconds above 0, at most 86400");
    if (o->json && o->tap)
        return usage(reterr, "tap", "with --json", "are two forms of one output");
    if (o->n_args == 0)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE, "conform needs FILE.so...");
    r->jobs = (uint32_t)jobs;
    return FTK_OK;
}

static int conform(const struct ftk__options *o, const struct ftk__kit_options *k)
{
    struct ftk__conform_run r = { .o = k, .algo = o->algo };
    struct ftk_error err;
    int code;
    if (run_options(o, &r, &err) < 0 || ftk__host_check(ftk__rng_u64, &err) < 0 ||
        ftk__conform(&r, (const char *const *)o->args, (uint32_t)o->n_args, &err) < 0) {
        code = ftk__cli_fail(&err);
    } else {
        code = print(o, &r);
        ftk__levels_keep(&r);
    }
    if (!code && r.broken > 0)
        code = FTK__EXIT_INTERNAL;
    if (!code && r.count[FTK__FAILED] + r.count[FTK__CRASHED] + r.count[FTK__TIMED_OUT] > 0)
        code = FTK__EXIT_FAILED;
    ftk__conform_done(&r);
    return code;
}

/* One rule, here: no file or many would say nothing to a debugger. */
static ftk_status in_process(const struct ftk__options *o, const struct ftk__kit_options *k,
                             struct ftk_error *reterr)
{
    if (!o->only || !ftk__rule_named(o->only))
        return usage(reterr, "in-process", "without --only RULE", "it runs one rule, by its id");
    if (o->n_args != 1)
        return usage(reterr, "in-process", "", "it runs one rule on one FILE.so");
    ftk__child_run(&(struct ftk__child_request){ .o = k,
                                                 .path = o->args[0],
                                                 .rule = o->only,
                                                 .algo = o->algo,
                                                 .in = -1,
                                                 .out = 1,
                                                 .in_process = true });
}

static int run(const struct ftk__options *o)
{
    struct ftk__arena arena = { 0 };
    struct ftk__kit_options k;
    struct ftk_error err;
    int code;
    if (kit_options(o, &arena, &k, &err) < 0)
        code = ftk__cli_fail(&err);
    else if (o->child)
        be_child(&k, ftk__arena_strdup(&arena, o->child), o->args[0]);
    else if (o->list || o->rules_md)
        code = print_rules(o);
    else if (o->in_process)
        code = in_process(o, &k, &err) < 0 ? ftk__cli_fail(&err) : FTK__EXIT_OK;
    else
        code = conform(o, &k);
    ftk__arena_done(&arena);
    return code;
}

const struct ftk__command ftk__command_conform = {
    .name = "conform",
    .args = "FILE.so...",
    .summary = "Proves that plugins keep the contract of the SDK's headers",
    .details =
        "Each rule runs in a process of its own; nothing that a plugin does ends the command.\n"
        "Exit: 0: no rule failed; 1: some did; 2: usage; 70: the kit itself failed.",
    .takes = FTK__OPT_SET | FTK__OPT_JSON | FTK__OPT_LEVEL | FTK__OPT_ONLY | FTK__OPT_SKIP |
             FTK__OPT_REF | FTK__OPT_SEED | FTK__OPT_JOBS | FTK__OPT_TIMEOUT | FTK__OPT_TAP |
             FTK__OPT_IN_PROCESS | FTK__OPT_LIST | FTK__OPT_RULES_MD | FTK__OPT_CHILD |
             FTK__OPT_ALGO,
    .min_args = 0,
    .max_args = 100000,
    .run = run,
};
