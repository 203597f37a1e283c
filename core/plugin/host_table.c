/* SPDX-License-Identifier: MIT
 * plugin/host_table.c - the ftk_host table that plugins are given, and instances of algorithms.
 */
#include "plugin/host_table.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/topk.h"
#include <stdarg.h>
#include <string.h>

struct ftk__host {
    ftk_host table;
    const struct ftk__entry *owner; /* whose log lines these are; may be NULL   */
    bool recorded;                  /* fail() was called since begin                */
    char reason[FTK__ERROR_TEXT];
    struct ftk__arena scratch;
};

/* A sentence of a plugin's as one line that cannot end a quoted field of the log. */
static void one_line(char *text)
{
    for (char *c = text; *c != '\0'; c++) {
        if (*c == '\n' || *c == '\t')
            *c = ' ';
        else if (*c == '"')
            *c = '\'';
    }
}

static void keep_reason(struct ftk__host *host, const char *text)
{
    host->recorded = true;
    ftk__format(host->reason, sizeof(host->reason), "%s", text);
}

static ftk_status host_fail(const ftk_host *h, ftk_status st, const char *fmt, ...)
{
    struct ftk__host *host = h->self;
    char text[FTK__ERROR_TEXT];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    keep_reason(host, text);
    return st;
}

static void host_log(const ftk_host *h, ftk_level lv, const char *fmt, ...)
{
    const struct ftk__host *host = h->self;
    char text[FTK__ERROR_TEXT];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    one_line(text);
    if (host->owner)
        ftk__log(lv, "plugin", "kind=%s name=%s message=\"%s\"",
                 ftk__kind_name((ftk_kind)host->owner->algo->kind), host->owner->algo->name, text);
    else
        ftk__log(lv, "plugin", "message=\"%s\"", text);
}

static void *host_alloc(const ftk_host *h, size_t bytes)
{
    (void)h;
    return ftk__alloc(bytes);
}

static void host_free(const ftk_host *h, void *p)
{
    (void)h;
    ftk__free(p);
}

static void *host_scratch(const ftk_host *h, size_t bytes)
{
    struct ftk__host *host = h->self;
    return ftk__arena_alloc(&host->scratch, bytes);
}

/* A plugin that passes the status on has thereby given a reason. */
static ftk_status select_end(const ftk_host *h, bool highest, const float *score, uint64_t n,
                             uint64_t k, uint64_t *ret_pos)
{
    struct ftk_error err;
    ftk_status st = ftk__topk(score, n, k, highest, ret_pos, &err);
    if (st != FTK_OK)
        keep_reason(h->self, err.message);
    return st;
}

static ftk_status host_select_low(const ftk_host *h, const float *score, uint64_t n, uint64_t k,
                                  uint64_t *ret_pos)
{
    return select_end(h, false, score, n, k, ret_pos);
}

static ftk_status host_select_high(const ftk_host *h, const float *score, uint64_t n, uint64_t k,
                                   uint64_t *ret_pos)
{
    return select_end(h, true, score, n, k, ret_pos);
}

static const void *host_get_extension(const ftk_host *h, const char *id)
{
    (void)h;
    (void)id;
    return NULL; /* there are none yet                           */
}

struct ftk__host *ftk__host_new(void)
{
    struct ftk__host *host = ftk__alloc(sizeof(*host));
    if (!host)
        return NULL;
    host->table = (ftk_host){
        .size = sizeof(ftk_host),
        .abi_major = FTK_ABI_MAJOR,
        .abi_minor = FTK_ABI_MINOR,
        .self = host,
        .fail = host_fail,
        .log = host_log,
        .alloc = host_alloc,
        .free = host_free,
        .scratch = host_scratch,
        .rng_u64 = ftk__rng_u64,
        .rng_uniform = ftk__rng_uniform,
        .rng_normal = ftk__rng_normal,
        .rng_below = ftk__rng_below,
        .select_low = host_select_low,
        .select_high = host_select_high,
        .get_extension = host_get_extension,
    };
    return host;
}

void ftk__host_free(struct ftk__host *h)
{
    if (!h)
        return;
    ftk__arena_done(&h->scratch);
    ftk__free(h);
}

const ftk_host *ftk__host_table(struct ftk__host *h)
{
    return &h->table;
}

void ftk__host_set_owner(struct ftk__host *h, const struct ftk__entry *who)
{
    h->owner = who;
}

void ftk__host_begin(struct ftk__host *h)
{
    h->recorded = false;
    h->reason[0] = '\0';
}

/* Any number may come back from a plugin. */
static bool is_status(ftk_status st)
{
    switch ((int)st) {
#define X(name, value, text) case (value):
        FTK_STATUS_MAP(X)
#undef X
        return true;
    default:
        return false;
    }
}

static void add_who(const struct ftk__entry *who, struct ftk_error *reterr)
{
    const char *kind = ftk__kind_name((ftk_kind)who->algo->kind);
    if (who->file)
        ftk__error_context(reterr, "in %s plugin '%s' (%s, %s %s)", kind, who->algo->name,
                           who->file->path, who->file->stamp->name, who->file->stamp->version);
    else
        ftk__error_context(reterr, "in %s '%s' (built in)", kind, who->algo->name);
}

ftk_status ftk__host_end(struct ftk__host *h, ftk_status st, const struct ftk__entry *who,
                         struct ftk_error *reterr)
{
    ftk__arena_done(&h->scratch);
    if (st == FTK_OK || st == FTK_DONE)
        return st;
    ftk_status known = is_status(st) ? st : FTK_EINTERNAL;
    if (known != st)
        ftk__fail(reterr, known, "returned %d, which is no status", (int)st);
    else if (h->recorded && h->reason[0] != '\0')
        ftk__fail(reterr, st, "%s", h->reason);
    else
        ftk__fail(reterr, st, "gave no reason for %s (%s)", ftk__status_name(st),
                  ftk__status_text(st));
    add_who(who, reterr);
    return known;
}

/* One of the calls that make an instance; there is nothing that FTK_DONE could mean. */
static ftk_status end_creation(struct ftk__host *h, ftk_status st, const struct ftk__entry *who,
                               const char *call, struct ftk_error *reterr)
{
    ftk_status ended = ftk__host_end(h, st, who, reterr);
    if (ended <= FTK_OK)
        return ended;
    ftk__fail(reterr, FTK_EINTERNAL, "%s() returned %d, not FTK_OK", call, (int)ended);
    add_who(who, reterr);
    return FTK_EINTERNAL;
}

ftk_status ftk__instance_new(const struct ftk__entry *e, void *params, struct ftk__instance *ret,
                             struct ftk_error *reterr)
{
    const ftk_algo *algo = e->algo;
    struct ftk__instance made = { .entry = e, .host = ftk__host_new(), .params = params };
    if (!made.host)
        return ftk__fail(reterr, FTK_ENOMEM, "out of memory for %s '%s'",
                         ftk__kind_name((ftk_kind)algo->kind), algo->name);
    ftk__host_set_owner(made.host, e);
    ftk_status st = FTK_OK;
    if (algo->check) {
        ftk__host_begin(made.host);
        st = algo->check(&made.host->table, params);
        st = end_creation(made.host, st, e, "check", reterr);
    }
    if (!algo->create)
        made.self = params;
    if (st == FTK_OK && algo->create) {
        ftk__host_begin(made.host);
        st = algo->create(&made.host->table, params, &made.self);
        st = end_creation(made.host, st, e, "create", reterr);
    }
    if (st == FTK_OK)
        *ret = made;
    else
        ftk__host_free(made.host);
    return st;
}

void ftk__instance_done(struct ftk__instance *i)
{
    if (!i->host)
        return;
    if (i->entry->algo->create && i->entry->algo->destroy) {
        ftk__host_begin(i->host);
        i->entry->algo->destroy(&i->host->table, i->self);
    }
    ftk__host_free(i->host);
    *i = (struct ftk__instance){ 0 };
}
