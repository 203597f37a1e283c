/* SPDX-License-Identifier: MIT
 * conform/kit_host.c - the host table of the kit.
 */
#include "conform/kit_host.h"
#include "base/rng.h"
#include "base/topk.h"
#include "conform/guard.h"
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

#define MOST_SCRATCH (UINT64_C(1) << 30)

/* What the table's `self` leads to. */
static struct ftk__kit_host *host_of(const ftk_host *h)
{
    return h->self;
}

static void keep_reason(struct ftk__kit_host *k, ftk_status st, const char *text)
{
    k->reasoned = true;
    k->reason_status = st;
    ftk__format(k->reason, sizeof(k->reason), "%s", text);
}

static ftk_status host_fail(const ftk_host *h, ftk_status st, const char *fmt, ...)
{
    char text[FTK__ERROR_TEXT];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    keep_reason(host_of(h), st, text);
    return st;
}

static void host_log(const ftk_host *h, ftk_level lv, const char *fmt, ...)
{
    (void)lv;
    (void)fmt;
    host_of(h)->logged++;
}

/* Counts the call; true where it is the one that fails. */
static bool fails(struct ftk__kit_host *k)
{
    uint64_t nth = atomic_fetch_add(&k->calls, 1) + 1;
    if (nth != k->fail_at)
        return false;
    k->failed_one = true;
    return true;
}

static void *host_alloc(const ftk_host *h, size_t bytes)
{
    struct ftk__kit_host *k = host_of(h);
    if (fails(k))
        return NULL;
    void *p = ftk__alloc(bytes);
    if (p)
        atomic_fetch_add(&k->live, 1);
    return p;
}

static void host_free(const ftk_host *h, void *p)
{
    if (p)
        atomic_fetch_sub(&host_of(h)->live, 1);
    ftk__free(p);
}

/* A host serves one call at a time, so this needs no lock. */
static void keep_scratch(struct ftk__kit_host *k, void *p)
{
    if (k->n_scratch == k->cap_scratch) {
        uint32_t cap = k->cap_scratch > 0 ? 2 * k->cap_scratch : 16;
        void **grown = ftk__realloc_array(k->scratch, k->n_scratch, cap, sizeof(*grown));
        if (!grown)
            ftk__kit_broken("no memory for %u scratch buffers", cap);
        k->scratch = grown;
        k->cap_scratch = cap;
    }
    k->scratch[k->n_scratch++] = p;
}

static void drop_scratch(struct ftk__kit_host *k)
{
    while (k->n_scratch > 0)
        ftk__guard_drop(k->scratch[--k->n_scratch]);
}

static void *host_scratch(const ftk_host *h, size_t bytes)
{
    struct ftk__kit_host *k = host_of(h);
    if (fails(k))
        return NULL;
    if (bytes > MOST_SCRATCH) /* what cannot be had is the plugin's to cope with */
        return NULL;
    void *p = ftk__guard_new("scratch", bytes, 64, FTK__AT_END, 0);
    keep_scratch(k, p);
    return p;
}

static ftk_status select_end(const ftk_host *h, bool highest, const float *score, uint64_t n,
                             uint64_t k, uint64_t *ret_pos)
{
    struct ftk_error err;
    ftk_status st = ftk__topk(score, n, k, highest, ret_pos, &err);
    if (st != FTK_OK)
        keep_reason(host_of(h), st, err.message);
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
    return NULL;
}

struct ftk__kit_host *ftk__kit_host_new(uint32_t grown)
{
    struct ftk__kit_host *k = ftk__alloc(sizeof(*k));
    if (!k)
        ftk__kit_broken("no memory for a host");
    uint32_t size = (uint32_t)sizeof(ftk_host) + grown;
    k->table = ftk__guard_new("host", size, 8, FTK__AT_END, 0);
    *k->table = (ftk_host){
        .size = size,
        .abi_major = FTK_ABI_MAJOR,
        .abi_minor = FTK_ABI_MINOR,
        .self = k,
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
    ftk__guard_read_only(k->table);
    return k;
}

void ftk__kit_host_free(struct ftk__kit_host *h)
{
    if (!h)
        return;
    drop_scratch(h);
    ftk__free(h->scratch);
    ftk__guard_drop(h->table);
    ftk__free(h);
}

void ftk__kit_begin(struct ftk__kit_host *h)
{
    h->reasoned = false;
    h->reason[0] = '\0';
    h->reason_status = FTK_OK;
}

static bool is_status(ftk_status st)
{
    return st >= FTK_EINTERNAL && st <= FTK_DONE;
}

ftk_status ftk__kit_end(struct ftk__case *c, struct ftk__kit_host *h, const char *call,
                        bool done_ok, ftk_status st)
{
    ftk__guard_check(c);
    drop_scratch(h);
    if (!is_status(st) || (st == FTK_DONE && !done_ok))
        ftk__kit_fail(c, "%s() returned %d, which is no status of its", call, (int)st);
    return st;
}

void ftk__kit_must(struct ftk__case *c, struct ftk__kit_host *h, const char *call, ftk_status st)
{
    if (st >= 0)
        return;
    ftk__kit_fail(c, "%s() failed with %s: %s", call, ftk__status_name(st),
                  h->reasoned ? h->reason : "no reason given");
}

void ftk__kit_must_refuse(struct ftk__case *c, struct ftk__kit_host *h, const char *call,
                          ftk_status st)
{
    ftk__kit_expect(c, st < 0, "%s() returned %s, a refusal was due", call, ftk__status_name(st));
    ftk__kit_expect(c, h->reasoned && h->reason[0] != '\0',
                    "%s() returned %s without a reason by fail()", call, ftk__status_name(st));
    ftk__kit_expect(c, !strchr(h->reason, '\n'), "the reason of %s() is not one line: %s", call,
                    h->reason);
}
