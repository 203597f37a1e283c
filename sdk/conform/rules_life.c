/* SPDX-License-Identifier: MIT
 * conform/rules_life.c - instances come and go without a trace and without knowing of each other.
 */
#include "conform/driver.h"
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

enum { LIVES = 1000, DEVICES = 20 };
enum { MALLOC_GROWTH = 8 * 1024, RSS_GROWTH = 1024 * 1024, DEVICE_GROWTH = 16 * 1024 * 1024 };

static uint64_t malloc_bytes(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

static uint64_t resident_bytes(void)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%*u %lu", &pages) != 1)
        ftk__kit_broken("/proc/self/statm cannot be read");
    fclose(f);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* One life; what the host still holds afterwards is a leak. */
static void live_once(struct ftk__case *c, struct ftk__kit_host *host)
{
    struct ftk__subject s;
    ftk_status st = ftk__subject_try(c, c->params, host, &s);
    ftk__kit_must(c, host, "create", st);
    if (c->algo->kind == FTK_KIND_BACKEND)
        ftk__driver_of(c)->act(c, &s, &(struct ftk__how){ 0 }, NULL);
    else if (c->algo->create && c->algo->destroy) {
        ftk__kit_begin(host);
        c->algo->destroy(host->table, s.self);
        ftk__kit_end(c, host, "destroy", false, FTK_OK);
    }
    if (host->live != 0)
        ftk__kit_fail(c, "%llu blocks of the host are not freed by destroy()",
                      (unsigned long long)host->live);
}

/* Calls leave nothing behind either. */
static void calls_leak_nothing(struct ftk__case *c)
{
    struct ftk__subject s;
    ftk__subject_new(c, NULL, &s);
    uint64_t before = s.host->live;
    for (int i = 0; i < 3; i++)
        ftk__driver_of(c)->act(c, &s, &(struct ftk__how){ 0 }, NULL);
    if (s.host->live > before)
        ftk__kit_fail(c, "%llu blocks of the host more are alive after the calls",
                      (unsigned long long)(s.host->live - before));
    ftk__subject_done(c, &s);
}

static void thousand_lives(struct ftk__case *c)
{
    bool device = c->algo->kind == FTK_KIND_BACKEND;
    uint32_t lives = device ? DEVICES : LIVES;
    uint64_t rss_most = device ? DEVICE_GROWTH : RSS_GROWTH;
    struct ftk__kit_host *host = ftk__kit_host_new(0);
    uint64_t heap = 0;
    uint64_t rss = 0;
    for (uint32_t i = 0; i < lives; i++) {
        live_once(c, host);
        if (i != lives / 10)
            continue;
        heap = malloc_bytes();
        rss = resident_bytes();
    }
    uint64_t heap_now = malloc_bytes();
    uint64_t rss_now = resident_bytes();
    if (!device && heap_now > heap + MALLOC_GROWTH)
        ftk__kit_fail(c, "%llu bytes of malloc more after %u lives",
                      (unsigned long long)(heap_now - heap), lives - lives / 10);
    if (rss_now > rss + rss_most)
        ftk__kit_fail(c, "%llu bytes of memory more after %u lives",
                      (unsigned long long)(rss_now - rss), lives - lives / 10);
    if (!device && c->algo->destroy)
        c->algo->destroy(host->table, NULL);
    if (!device)
        calls_leak_nothing(c);
}

/* ---- two instances ---------------------------------------------------------------------------- */

static void act_of_other(struct ftk__case *c, void *arg)
{
    ftk__driver_of(c)->act(c, arg, &(struct ftk__how){ .stream = 99 }, NULL);
}

static void two_instances(struct ftk__case *c)
{
    struct ftk__subject alone, one, two;
    struct ftk__blob a = { 0 };
    struct ftk__blob b = { 0 };
    struct ftk__str why = { 0 };
    ftk__subject_new(c, NULL, &alone);
    ftk__driver_of(c)->act(c, &alone, &(struct ftk__how){ 0 }, &a);
    ftk__subject_done(c, &alone);
    ftk__subject_new(c, NULL, &one);
    ftk__subject_new(c, NULL, &two);
    const struct ftk__how how = { .between = act_of_other, .between_arg = &two };
    ftk__driver_of(c)->act(c, &one, &how, &b);
    if (!ftk__blob_same(&a, &b, &why))
        ftk__kit_fail(c, "calls of another instance in between change the result: %s", why.text);
    ftk__subject_done(c, &two);
    ftk__subject_done(c, &one);
}

/* ---- after a failure -------------------------------------------------------------------------- */

/* A call that fails for want of memory or because it asks for what cannot be, then destroy(). */
static void fail_and_destroy(struct ftk__case *c, uint64_t fail_at)
{
    struct ftk__how how = { .may_fail = true, .provoke = fail_at == 0 };
    struct ftk__subject s;
    ftk__subject_new(c, NULL, &s);
    s.host->fail_at = fail_at > 0 ? s.host->calls + fail_at : 0;
    ftk__driver_of(c)->act(c, &s, &how, NULL);
    struct ftk__kit_host *host = s.host;
    s.host->fail_at = 0;
    if (c->algo->kind != FTK_KIND_BACKEND && c->algo->create && c->algo->destroy) {
        ftk__kit_begin(host);
        c->algo->destroy(host->table, s.self);
        ftk__kit_end(c, host, "destroy", false, FTK_OK);
    }
    if (host->live != 0)
        ftk__kit_fail(c, "%llu blocks of the host are alive after a failed call and destroy()",
                      (unsigned long long)host->live);
    ftk__kit_host_free(host);
}

static void destroy_after_failure(struct ftk__case *c)
{
    struct ftk__subject s;
    struct ftk__blob a = { 0 };
    struct ftk__blob b = { 0 };
    struct ftk__str why = { 0 };
    ftk__subject_new(c, NULL, &s);
    ftk__driver_of(c)->act(c, &s, &(struct ftk__how){ 0 }, &a);
    ftk__subject_done(c, &s);
    for (uint64_t fail_at = 0; fail_at < 3; fail_at++)
        fail_and_destroy(c, fail_at);
    ftk__subject_new(c, NULL, &s);
    ftk__driver_of(c)->act(c, &s, &(struct ftk__how){ 0 }, &b);
    if (!ftk__blob_same(&a, &b, &why))
        ftk__kit_fail(c, "after a failed call and a new create(): %s", why.text);
    ftk__subject_done(c, &s);
}

static const struct ftk__rule rules[] = {
    { .id = "LIF-01",
      .level = 2,
      .kinds = FTK__ON_ALL,
      .needs = "MEM-03",
      .title = "create and destroy, and calls, leave nothing behind",
      .why = "a sweep makes instances by the thousand in one process",
      .fix = "free in destroy() what create() made; scratch memory needs no freeing",
      .timeout_ms = 60000,
      .run = thousand_lives },
    { .id = "LIF-02",
      .level = 2,
      .kinds = FTK__ON_ALL_BUT_BACKEND,
      .needs = "DET-01 DET-02 DET-05",
      .title = "two instances know nothing of each other",
      .why = "members are trained side by side, each with its own instances",
      .fix = "move static variables into the instance",
      .run = two_instances },
    { .id = "LIF-03",
      .level = 3,
      .kinds = FTK__ON_ALL,
      .needs = "LIF-01 OOM-01 DET-01 DET-02",
      .title = "destroy after a failed call, and create again",
      .why = "an error ends one run of a sweep, not the process",
      .fix = "leave the instance whole when a call fails",
      .timeout_ms = 60000,
      .run = destroy_after_failure },
};
const struct ftk__rule_family ftk__family_life = { rules, sizeof(rules) / sizeof(rules[0]) };
