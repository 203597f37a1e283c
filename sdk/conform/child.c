/* SPDX-License-Identifier: MIT
 * conform/child.c - loads the file, finds the algorithm, runs the rule.
 */
#include "conform/child.h"
#include "conform/blob.h"
#include "conform/families.h"
#include "conform/guard.h"
#include "conform/kit_host.h"
#include "conform/params_case.h"
#include "conform/verdict.h"
#include "plugin/loader.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { MAX_ALGOS = 256, FIRST_OWN_FD = 200 };
struct recorder {
    const ftk_algo *algo[MAX_ALGOS];
    uint32_t n;
};

static ftk_status record(const ftk_registry *r, const ftk_algo *a)
{
    struct recorder *rec = r->self;
    if (rec->n == MAX_ALGOS)
        return FTK_ERANGE;
    rec->algo[rec->n++] = a;
    return FTK_OK;
}

static ftk_status load(const char *path, struct recorder *rec, const ftk_stamp **ret,
                       struct ftk_error *reterr)
{
    const ftk_registry reg = {
        .size = sizeof(reg),
        .abi_major = FTK_ABI_MAJOR,
        .abi_minor = FTK_ABI_MINOR,
        .self = rec,
        .add = record,
    };
    return ftk__plugin_load(path, &reg, ret, reterr);
}

static const ftk_algo *named(const struct recorder *rec, const char *word)
{
    for (uint32_t i = 0; i < rec->n; i++) {
        const char *kind = ftk__kind_name((ftk_kind)rec->algo[i]->kind);
        size_t n = strlen(kind);
        if (strncmp(word, kind, n) == 0 && word[n] == '.' &&
            strcmp(word + n + 1, rec->algo[i]->name) == 0)
            return rec->algo[i];
    }
    return NULL;
}

/* One line an algorithm, "prune.magnitude 1": its name and its bit of FTK__ON_*. */
static _Noreturn void census(const struct ftk__child_request *q)
{
    struct recorder rec = { .n = 0 };
    const ftk_stamp *stamp;
    struct ftk_error err;
    if (load(q->path, &rec, &stamp, &err) < 0) {
        dprintf(q->out, "! %s\n", err.message);
        _exit(1);
    }
    dprintf(q->out, "= %s %s\n", stamp->name, stamp->version);
    for (uint32_t i = 0; i < rec.n; i++)
        dprintf(q->out, "%s.%s %u\n", ftk__kind_name((ftk_kind)rec.algo[i]->kind),
                rec.algo[i]->name, ftk__kit_kind_bit(rec.algo[i]));
    _exit(0);
}

/* Parameters by --set; a required one that is missing skips the rule. */
static void fill_params(struct ftk__case *c)
{
    const struct ftk__kit_options *o = c->o;
    const struct ftk__param_table t = { c->algo->params, c->algo->param_stride,
                                        c->algo->params_size };
    struct ftk_error err;
    const char **pair = ftk__kit_alloc(c, o->n_set + 1, sizeof(*pair));
    uint64_t n = 0;
    for (uint32_t i = 0; i < o->n_set; i++) {
        if (!ftk__param_named(&t, o->set[i].key))
            continue; /* another algorithm's */
        struct ftk__str text = { 0 };
        ftk__str_addf(&text, "%s=%s", o->set[i].key, o->set[i].value);
        if (text.failed)
            ftk__kit_broken("no memory for --set");
        pair[n++] = text.text;
    }
    if (ftk__params_case(c->algo, pair, n, &c->arena, &c->params, &err) < 0)
        ftk__kit_skip(c, "%s (--set KEY=VALUE gives it)", err.message);
}

static void run_rule(struct ftk__case *c, const char *algo)
{
    struct recorder *rec = ftk__kit_alloc(c, 1, sizeof(*rec));
    struct ftk_error err;
    if (!(c->rule->flags & FTK__RULE_RAW)) {
        if (load(c->path, rec, &c->stamp, &err) < 0)
            ftk__kit_fail(c, "%s", err.message);
        c->all = rec->algo;
        c->n_all = rec->n;
    }
    if (!(c->rule->flags & FTK__RULE_FILE)) {
        bool unnamed = !algo || algo[0] == '\0';
        c->algo = unnamed && rec->n == 1 ? rec->algo[0] : named(rec, unnamed ? "" : algo);
        if (!c->algo)
            ftk__kit_fail(c,
                          unnamed ? "the file has %u algorithms: --algo KIND.NAME says which"
                                  : "none of the file's %u algorithms is the one asked for",
                          rec->n);
        fill_params(c);
    }
    c->host = ftk__kit_host_new(0);
    c->rule->run(c);
}

_Noreturn void ftk__child_run(const struct ftk__child_request *q)
{
    if (strcmp(q->rule, "census") == 0)
        census(q);
    struct ftk__case *c = ftk__alloc(sizeof(*c));
    char *path = realpath(q->path, NULL); /* the plugin may leave the folder */
    /* Where a plugin that closes descriptors by number is not likely to look. */
    int out = q->in_process ? -1 : fcntl(q->out, F_DUPFD_CLOEXEC, FIRST_OWN_FD);
    if (!c)
        ftk__kit_broken("no memory for a case");
    *c = (struct ftk__case){
        .rule = ftk__rule_named(q->rule),
        .o = q->o,
        .path = path ? path : q->path,
        .seed = q->o->seed,
        .role = q->role,
        .in = q->in,
        .out = out >= 0 ? out : q->out,
    };
    prctl(PR_SET_CHILD_SUBREAPER,
          1); /* so that a daemon of the plugin is a child here, and counted */
    int nowhere = out >= 0 ? open("/dev/null", O_WRONLY) : -1;
    if (nowhere >= 0) {
        dup2(nowhere, q->out); /* what a plugin writes there is no verdict */
        close(nowhere);
    }
    if (!c->rule)
        ftk__kit_broken("there is no rule '%s'", q->rule);
    if (!q->in_process)
        ftk__guard_handle_faults(c);
    run_rule(c, q->algo);
    if (c->role)
        ftk__kit_broken("rule %s handed nothing back in role %u", c->rule->id, c->role);
    ftk__guard_check(c);
    ftk__verdict_send(c->out, FTK__PASS, "");
}
