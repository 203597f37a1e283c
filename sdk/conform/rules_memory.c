/* SPDX-License-Identifier: MIT
 * conform/rules_memory.c - no byte out of bounds, nothing kept, nothing lost when memory runs out.
 */
#include "conform/driver.h"

static void run_series(struct ftk__case *c, const struct ftk__how *how)
{
    struct ftk__subject s;
    ftk__subject_new(c, NULL, &s);
    ftk__driver_of(c)->act(c, &s, how, NULL);
    ftk__subject_done(c, &s);
}

static void past_the_end(struct ftk__case *c)
{
    run_series(c, &(struct ftk__how){ .side = FTK__AT_END, .fill = 0xA5, .keep = true });
}

static void before_the_start(struct ftk__case *c)
{
    run_series(c, &(struct ftk__how){ .side = FTK__AT_START, .fill = 0x5A, .keep = true });
}

/* Buffers of each call are unmapped after it: whoever kept a pointer faults. */
static void nothing_kept(struct ftk__case *c)
{
    /* Reads that are cut short are another rule's. */
    uint64_t chunk = ftk__kit_kind_bit(c->algo) & FTK__ON_SCORERS ? 7 : 0;
    const struct ftk__how kept = { .fill = 0xA5, .chunk = chunk, .keep = true };
    const struct ftk__how dropped = { .fill = 0xA5, .chunk = chunk };
    struct ftk__subject s;
    struct ftk__blob a = { 0 };
    struct ftk__blob b = { 0 };
    struct ftk__str why = { 0 };
    ftk__subject_new(c, NULL, &s);
    ftk__driver_of(c)->act(c, &s, &kept, &a);
    ftk__driver_of(c)->act(c, &s, &dropped, &b);
    if (!ftk__blob_same(&a, &b, &why))
        ftk__kit_fail(c, "earlier buffers unmapped change the result: %s", why.text);
    ftk__subject_done(c, &s);
}

/* ---- no memory -------------------------------------------------------------------------------- */

enum { MOST_FAILURES = 400 };

/* Creates, runs and destroys with allocation `nth` failing.  False where there is no nth. */
static bool fail_one(struct ftk__case *c, uint64_t nth)
{
    const struct ftk__how how = { .may_fail = true };
    struct ftk__kit_host *host = ftk__kit_host_new(0);
    struct ftk__subject s;
    const char *call = "create";
    host->fail_at = nth;
    ftk__kit_note(c, "allocation %llu fails", (unsigned long long)nth);
    ftk_status st = ftk__subject_try(c, c->params, host, &s);
    bool made = st >= 0;
    if (made) {
        call = "the call";
        st = ftk__driver_of(c)->act(c, &s, &how, NULL);
    }
    bool failed = host->failed_one;
    if (failed && st != FTK_ENOMEM)
        ftk__kit_fail(c, "an allocation failed, and %s gave %s, not ENOMEM", call,
                      ftk__status_name(st));
    if (made && c->algo->kind != FTK_KIND_BACKEND && c->algo->create && c->algo->destroy) {
        ftk__kit_begin(host);
        c->algo->destroy(host->table, s.self);
        ftk__kit_end(c, host, "destroy", false, FTK_OK);
    }
    if (host->live != 0)
        ftk__kit_fail(c, "%llu blocks of the host are not freed after a failure",
                      (unsigned long long)host->live);
    ftk__kit_host_free(host);
    return failed;
}

static void out_of_memory(struct ftk__case *c)
{
    struct ftk__subject s;
    uint64_t nth = 1;
    uint64_t step = 1;
    while (fail_one(c, nth)) {
        step = nth >= MOST_FAILURES ? 1 + nth / 50 : 1;
        nth += step;
    }
    ftk__kit_note(c, "after all failures");
    ftk__subject_new(c, NULL, &s);
    ftk__driver_of(c)->act(c, &s, &(struct ftk__how){ 0 }, NULL);
    ftk__subject_done(c, &s);
}

/* ---- reasons ---------------------------------------------------------------------------------- */

static void judge_reason(struct ftk__case *c, struct ftk__kit_host *h, ftk_status st)
{
    if (st < 0)
        ftk__kit_must_refuse(c, h, "the call", st);
}

static void reason_without_memory(struct ftk__case *c)
{
    for (uint64_t nth = 1; nth <= 8; nth++) {
        struct ftk__kit_host *host = ftk__kit_host_new(0);
        struct ftk__subject s;
        host->fail_at = nth;
        ftk__kit_note(c, "allocation %llu fails", (unsigned long long)nth);
        ftk_status st = ftk__subject_try(c, c->params, host, &s);
        if (st >= 0)
            st = ftk__driver_of(c)->act(c, &s, &(struct ftk__how){ .may_fail = true }, NULL);
        judge_reason(c, host, st);
        if (!host->failed_one)
            return;
    }
}

static void reasons(struct ftk__case *c)
{
    const struct ftk__how how = { .may_fail = true, .provoke = true };
    struct ftk__subject s;
    ftk__kit_note(c, "asked for what cannot be");
    ftk__subject_new(c, NULL, &s);
    ftk_status st = ftk__driver_of(c)->act(c, &s, &how, NULL);
    judge_reason(c, s.host, st);
    reason_without_memory(c);
}

static const struct ftk__rule rules[] = {
    { .id = "MEM-01",
      .level = 2,
      .kinds = FTK__ON_ALL,
      .needs = "ABI-01 PAR-03 SCO-04 PRN-02 GRW-02",
      .title = "no access past the end of a buffer, no input written",
      .why = "what lies behind a buffer belongs to someone else",
      .fix = "compare loops with the count that the call was given",
      .timeout_ms = 30000,
      .run = past_the_end },
    { .id = "MEM-02",
      .level = 2,
      .kinds = FTK__ON_ALL,
      .needs = "MEM-01",
      .title = "no access before the start of a buffer, no input written",
      .why = "what lies before a buffer belongs to someone else",
      .fix = "look for index - 1, and for unsigned counts that pass 0",
      .timeout_ms = 30000,
      .run = before_the_start },
    { .id = "MEM-03",
      .level = 2,
      .kinds = FTK__ON_ALL,
      .needs = "MEM-01 MEM-02 DET-01",
      .title = "no pointer is kept beyond its call",
      .why = "everything passed into a call is borrowed until it returns",
      .fix = "copy what must last into memory of host->alloc or into the state",
      .timeout_ms = 30000,
      .run = nothing_kept },
    { .id = "OOM-01",
      .level = 3,
      .kinds = FTK__ON_ALL,
      .needs = "MEM-03 LIF-01",
      .title = "each failing allocation is ENOMEM, leaks nothing, and work goes on",
      .why = "a run that lacks memory must end with a sentence, not with a crash",
      .fix = "check each host->alloc and host->scratch; free what was made before",
      .timeout_ms = 60000,
      .run = out_of_memory },
    { .id = "ERR-01",
      .level = 2,
      .kinds = FTK__ON_ALL,
      .needs = "MEM-03 OOM-01",
      .title = "a negative status has one line on record",
      .why = "a status alone does not tell a person what to change",
      .fix = "return host->fail(host, status, \"what, value, limit\")",
      .timeout_ms = 30000,
      .run = reasons },
};
const struct ftk__rule_family ftk__family_memory = { rules, sizeof(rules) / sizeof(rules[0]) };
