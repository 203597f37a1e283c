/* SPDX-License-Identifier: MIT
 * cli/options.c - arguments by getopt_long, one table for parsing, help and completion.
 */
#include "cli/options.h"

#include "base/mem.h"
#include <getopt.h>
#include <string.h>

#define AT(member) offsetof(struct ftk__options, member)
static const struct spec {
    uint32_t bit; /* 0: every command takes it */
    char letter;  /* 0: none */
    const char *name;
    const char *value; /* NULL: it takes none */
    size_t at;         /* of its member: a const char * if it has a value, else a bool */
    const char *help;  /* NULL: it is not shown */
} specs[] = {
    { FTK__OPT_SET, 's', "set", "KEY=VALUE", AT(set),
      "overrides a key of the file: topology.rate=0.3; may be given often" },
    { FTK__OPT_OUT, 0, "out", "DIR", AT(out),
      "the run's folder, instead of <output>/<name>-<hash>/seed-<n>" },
    { FTK__OPT_NEW, 0, "new", NULL, AT(fresh),
      "starts anew where a run is in the way; the former folder is kept beside" },
    { FTK__OPT_DRY_RUN, 0, "dry-run", NULL, AT(dry_run), "prints the plan and touches nothing" },
    { FTK__OPT_DENSE, 0, "dense", "RUN", AT(dense),
      "the finished dense run to compare seconds with" },
    { FTK__OPT_MAX_TIME, 0, "max-time", "T", AT(max_time),
      "stops after T (90s, 15m, 2h, 1d) with a checkpoint and status 75" },
    { FTK__OPT_CHECKPOINT, 0, "checkpoint-every", "T", AT(checkpoint_every),
      "time between checkpoints; 0s: after every step; default: under 1 % of the run" },
    { FTK__OPT_VERIFY, 0, "verify-resume", "N", AT(verify_resume),
      "trains twice, once interrupted N times, and compares every byte of the results" },
    { FTK__OPT_FROM, 0, "from", "URL|DIR", AT(from),
      "fetch: the archive's folder, or one with the files; verify: the folder to look in" },
    { FTK__OPT_TO, 0, "to", "DIR", AT(to), "fetch: the data folder, instead of $FREETICKETS_DATA" },
    { FTK__OPT_COMPARE, 0, "compare", "paper", AT(compare),
      "without CFG: our count of training FLOPs beside the paper's, Tables 1 to 3" },
    { FTK__OPT_FORMAT, 0, "format", "FORMAT", AT(format),
      "md, csv or json, instead of aligned text" },
    { FTK__OPT_CFG, 0, "cfg", NULL, AT(cfg),
      "prints a stanza for a config file, with every default" },
    { FTK__OPT_LEVEL, 0, "level", "N", AT(level),
      "1: loads safely; 2: keeps the contract (default); 3: survives faults, fuzz, threads" },
    { FTK__OPT_RULE_LEVEL, 0, "level", "1|2", AT(level),
      "prune, grow: 1 (default) scores each weight, 2 selects by itself" },
    { FTK__OPT_ONLY, 0, "only", "GLOB", AT(only),
      "only rules whose id matches one of these, with commas: 'SCO-*,DET-01'" },
    { FTK__OPT_ALGO, 0, "algo", "KIND.NAME", AT(algo), "only this algorithm of the file" },
    { FTK__OPT_SKIP, 0, "skip", "RULE=WHY", AT(skip), "waives a rule; may be given often" },
    { FTK__OPT_REF, 0, "ref", "FILE.so", AT(ref),
      "the backend to compare backends with, instead of ref" },
    { FTK__OPT_SEED, 0, "seed", "N", AT(seed), "of the kit's random choices" },
    { FTK__OPT_JOBS, 0, "jobs", "N", AT(jobs),
      "processes at once, instead of as many as processors" },
    { FTK__OPT_TIMEOUT, 0, "timeout", "S", AT(timeout),
      "seconds a rule may take, instead of its own limit" },
    { FTK__OPT_TAP, 0, "tap", NULL, AT(tap), "prints TAP 14" },
    { FTK__OPT_IN_PROCESS, 0, "in-process", NULL, AT(in_process),
      "runs a single rule in this process, for a debugger" },
    { FTK__OPT_LIST, 0, "list", NULL, AT(list), "lists the rules" },
    { FTK__OPT_RULES_MD, 0, "rules-md", NULL, AT(rules_md),
      "prints the rules as a page of Markdown" },
    { FTK__OPT_CHILD, 0, "child", "SPEC", AT(child), NULL },
    { FTK__OPT_JSON, 0, "json", NULL, AT(json), "prints one JSON document" },
    { FTK__OPT_QUIET, 'q', "quiet", NULL, AT(quiet),
      "no progress, and only warnings and errors on stderr" },
    { FTK__OPT_VERBOSE, 'v', "verbose", NULL, AT(verbose), "more detail" },
    { 0, 'h', "help", NULL, AT(help), "prints this" },
};
enum { N_SPECS = sizeof(specs) / sizeof(specs[0]), FIRST_LONG = 1000 };

static bool is_taken(const struct ftk__command *c, const struct spec *s)
{
    return s->bit == 0 || (c->takes & s->bit);
}

/* The command's own table for getopt_long; an option's value is FIRST_LONG + its index here. */
static void make_tables(const struct ftk__command *c, struct option ret_long[N_SPECS + 1],
                        char ret_short[2 * N_SPECS + 2])
{
    uint32_t n = 0;
    uint32_t k = 0;
    ret_short[k++] = ':';
    for (int i = 0; i < N_SPECS; i++) {
        if (!is_taken(c, &specs[i]))
            continue;
        ret_long[n++] = (struct option){
            .name = specs[i].name,
            .has_arg = specs[i].value ? required_argument : no_argument,
            .val = FIRST_LONG + i,
        };
        if (!specs[i].letter)
            continue;
        ret_short[k++] = specs[i].letter;
        if (specs[i].value)
            ret_short[k++] = ':';
    }
    ret_long[n] = (struct option){ 0 };
    ret_short[k] = 0;
}

static const struct spec *spec_of(int value)
{
    if (value >= FIRST_LONG)
        return &specs[value - FIRST_LONG];
    for (int i = 0; i < N_SPECS; i++) {
        if (specs[i].letter == value)
            return &specs[i];
    }
    return NULL;
}

static void take(struct ftk__options *o, const struct spec *s, const char *value)
{
    const bool yes = true;
    if (s->bit == FTK__OPT_SET)
        o->set[o->n_set++] = value;
    else if (s->bit == FTK__OPT_SKIP)
        o->skip[o->n_skip++] = value;
    else if (s->value)
        memcpy((char *)o + s->at, &value, sizeof(value));
    else
        memcpy((char *)o + s->at, &yes, sizeof(yes));
}

static ftk_status usage_error(const struct ftk__command *c, struct ftk_error *reterr)
{
    ftk__error_context(reterr, "see: freetickets %s --help", c->name);
    return FTK_EINVAL;
}

/* `word` is "--jsno" or a cluster of letters with one that is unknown. */
static ftk_status unknown_option(const struct ftk__command *c, const char *word,
                                 struct ftk_error *reterr)
{
    const char *names[N_SPECS];
    uint64_t n = 0;
    const char *nearest = NULL;
    for (int i = 0; i < N_SPECS; i++) {
        if (is_taken(c, &specs[i]) && specs[i].help)
            names[n++] = specs[i].name;
    }
    if (ftk__str_starts(word, "--")) {
        char name[64];
        size_t len = strcspn(word + 2, "=");
        ftk__format(name, sizeof(name), "%.*s", (int)(len < 60 ? len : 60), word + 2);
        nearest = ftk__str_nearest(name, names, n);
    }
    if (nearest)
        ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE,
                       "%s has no option %s; did you mean --%s?", c->name, word, nearest);
    else
        ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE, "%s has no option %s", c->name, word);
    return usage_error(c, reterr);
}

static ftk_status check_count(const struct ftk__command *c, const struct ftk__options *o,
                              struct ftk_error *reterr)
{
    if (o->help)
        return FTK_OK;
    if (o->n_args < c->min_args) {
        ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE, "%s needs %s", c->name, c->args);
        return usage_error(c, reterr);
    }
    if (o->n_args > c->max_args) {
        ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE, "%s: '%s' is one argument too many",
                       c->name, o->args[c->max_args]);
        return usage_error(c, reterr);
    }
    return FTK_OK;
}

ftk_status ftk__options_parse(const struct ftk__command *c, int argc, char **argv,
                              struct ftk__options *ret, struct ftk_error *reterr)
{
    struct option longs[N_SPECS + 1];
    char shorts[2 * N_SPECS + 2];
    *ret = (struct ftk__options){ 0 };
    ret->set = ftk__alloc_array((uint64_t)argc, sizeof(*ret->set));
    ret->skip = ftk__alloc_array((uint64_t)argc, sizeof(*ret->skip));
    if (!ret->set || !ret->skip)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for %d arguments", argc);
    make_tables(c, longs, shorts);
    opterr = 0;
    optind = 0; /* glibc: start anew, whoever parsed before */
    for (;;) {
        int at = optind > 0 ? optind : 1;
        int got = getopt_long(argc, argv, shorts, longs, NULL);
        if (got == -1)
            break;
        if (got == '?' && optopt > 0 && optopt < FIRST_LONG && argv[at][1] != '-') {
            char word[3] = { '-', (char)optopt, 0 };
            return unknown_option(c, word, reterr);
        }
        if (got == '?')
            return unknown_option(c, argv[optind - 1], reterr);
        if (got == ':') {
            const struct spec *s = spec_of(optopt);
            ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE, "--%s needs %s", s->name, s->value);
            return usage_error(c, reterr);
        }
        take(ret, spec_of(got), optarg);
    }
    ret->args = argv + optind;
    ret->n_args = argc - optind;
    return check_count(c, ret, reterr);
}

void ftk__options_done(struct ftk__options *o)
{
    ftk__free((void *)o->set);
    ftk__free((void *)o->skip);
    *o = (struct ftk__options){ 0 };
}

void ftk__usage_print(const struct ftk__command *c, struct ftk__str *out)
{
    ftk__str_addf(out, "usage: freetickets %s%s%s [options]\n%s.\n", c->name, c->args[0] ? " " : "",
                  c->args, c->summary);
    if (c->details[0])
        ftk__str_addf(out, "\n%s\n", c->details);
    ftk__str_add(out, "\noptions:\n");
    for (int i = 0; i < N_SPECS; i++) {
        const struct spec *s = &specs[i];
        char name[64];
        if (!is_taken(c, s) || !s->help)
            continue;
        ftk__format(name, sizeof(name), "--%s%s%s", s->name, s->value ? " " : "",
                    s->value ? s->value : "");
        if (s->letter)
            ftk__str_addf(out, "  -%c, %-16s  %s\n", s->letter, name, s->help);
        else
            ftk__str_addf(out, "      %-16s  %s\n", name, s->help);
    }
}

const char *ftk__option_name(const struct ftk__command *c, uint32_t i, bool *ret_value)
{
    for (int k = 0; k < N_SPECS; k++) {
        if (!is_taken(c, &specs[k]) || !specs[k].help)
            continue;
        if (i-- == 0) {
            *ret_value = specs[k].value != NULL;
            return specs[k].name;
        }
    }
    return NULL;
}
