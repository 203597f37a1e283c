/* SPDX-License-Identifier: MIT
 * cli/cmd_conform.c - `freetickets conform FILE.so...`: the conformance kit.
 */
#include "base/mem.h"
#include "cli/commands.h"
#include "conform/child.h"
#include "conform/families.h"
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

static void print(const struct ftk__conform_run *r)
{
    for (uint32_t i = 0; i < r->n; i++) {
        const struct ftk__outcome *o = &r->outcome[i];
        printf("%-8s %s  %s %s%s%s%s%s\n", ftk__verdict_name(o->verdict), o->rule->id,
               ftk__outcome_algo(r, o), o->rule->title, o->message[0] ? ": " : "", o->message,
               o->note[0] ? " | " : "", o->note);
        if (o->verdict != FTK__PASS && o->output[0])
            printf("  printed: %s\n", o->output);
    }
    for (int v = 0; v < FTK__VERDICTS; v++)
        printf("%s%u %s", v ? ", " : "", r->count[v], ftk__verdict_name((enum ftk__verdict)v));
    putchar('\n');
}

static int conform(const struct ftk__options *o, const struct ftk__kit_options *k)
{
    struct ftk__conform_run r = { .o = k };
    struct ftk_error err;
    int code = FTK__EXIT_OK;
    if (ftk__conform(&r, (const char *const *)o->args, (uint32_t)o->n_args, &err) < 0)
        code = ftk__cli_fail(&err);
    else
        print(&r);
    if (!code && r.count[FTK__FAILED] + r.count[FTK__CRASHED] + r.count[FTK__TIMED_OUT] > 0)
        code = FTK__EXIT_FAILED;
    ftk__conform_done(&r);
    return code;
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
    else if (o->in_process)
        ftk__child_run(&(struct ftk__child_request){ .o = &k,
                                                     .path = o->args[0],
                                                     .rule = o->only ? o->only : "",
                                                     .algo = o->algo,
                                                     .in = -1,
                                                     .out = 1,
                                                     .in_process = true });
    else
        code = conform(o, &k);
    ftk__arena_done(&arena);
    return code;
}

const struct ftk__command ftk__command_conform = {
    .name = "conform",
    .args = "FILE.so...",
    .summary = "proves that plugins keep the contract of the SDK's headers",
    .details = "",
    .takes = FTK__OPT_SET | FTK__OPT_JSON | FTK__OPT_LEVEL | FTK__OPT_ONLY | FTK__OPT_SKIP |
             FTK__OPT_REF | FTK__OPT_SEED | FTK__OPT_JOBS | FTK__OPT_TIMEOUT | FTK__OPT_TAP |
             FTK__OPT_IN_PROCESS | FTK__OPT_LIST | FTK__OPT_CHILD | FTK__OPT_ALGO,
    .min_args = 1,
    .max_args = 100000,
    .run = run,
};
