/* SPDX-License-Identifier: MIT
 * conform/rules_bkd_open.c - devices, programs side by side, want of memory, the choice of kernels.
 */
#include "conform/blob.h"
#include "conform/rules_bkd.h"
#include <stdlib.h>
#include <string.h>

enum { COUNT = 6, MOST_DEVICES = 64 };

/* ---- BKD-01 ------------------------------------------------------------------------------------ */

static ftk_status probe(struct ftk__bk *bk, uint32_t i, ftk_device *ret)
{
    *ret = (ftk_device){ .size = sizeof(*ret), .score = -1 };
    memset(ret->name, 0x55, sizeof(ret->name));
    memset(ret->reason, 0x55, sizeof(ret->reason));
    ftk__kit_begin(bk->host);
    ftk_status st =
        ftk__kit_end(bk->c, bk->host, "probe", true, bk->ops->probe(bk->host->table, i, ret));
    ftk__bk_must(bk, "probe", st);
    return st;
}

static void judge_entry(struct ftk__bk *bk, uint32_t i, const ftk_device *d)
{
    const uint32_t caps = FTK_CAP_SPARSE_COMPUTE | FTK_CAP_BITWISE | FTK_CAP_ASYNC;
    ftk__kit_expect(bk->c, memchr(d->name, '\0', sizeof(d->name)) != NULL,
                    "probe(%u): the name does not end", i);
    ftk__kit_expect(bk->c, memchr(d->reason, '\0', sizeof(d->reason)) != NULL,
                    "probe(%u): the reason does not end", i);
    ftk__kit_expect(bk->c, d->score >= 0, "probe(%u): score %d", i, d->score);
    ftk__kit_expect(bk->c, (d->caps & ~caps) == 0 && d->reserved == 0,
                    "probe(%u): unknown capabilities 0x%x or reserved 0x%x", i, d->caps & ~caps,
                    d->reserved);
    ftk__kit_expect(bk->c, d->score > 0 || d->reason[0] != '\0',
                    "probe(%u): score 0 without a reason", i);
    ftk__kit_expect(bk->c, d->score == 0 || d->name[0] != '\0', "probe(%u): no name", i);
}

/* Opens as `o` says; a refusal must be `want` (0: any) with a reason and leave no device. */
static void refuse_open(struct ftk__bk *bk, const ftk_open *o, ftk_status want, const char *what)
{
    ftk_dev *dev = NULL;
    ftk__kit_note(bk->c, "open with %s", what);
    ftk_status st = FTK__TRY(bk, open, bk->host->table, bk->params, o, &dev);
    ftk__kit_must_refuse(bk->c, bk->host, "open", st);
    ftk__kit_expect(bk->c, want == 0 || st == want, "open() gave %s, %s was due",
                    ftk__status_name(st), ftk__status_name(want));
    ftk__kit_expect(bk->c, dev == NULL, "open() failed and left a device");
}

static uint32_t probe_all(struct ftk__bk *bk, bool *ret_usable)
{
    uint32_t n = 0;
    ftk_device d;
    *ret_usable = false;
    for (; probe(bk, n, &d) == FTK_OK; n++) {
        ftk__kit_expect(bk->c, n < MOST_DEVICES, "probe() is not done after %d devices",
                        MOST_DEVICES);
        judge_entry(bk, n, &d);
        *ret_usable = *ret_usable || d.score > 0;
        ftk_open o = { .size = sizeof(o), .device = n, .threads = 1, .isa = "auto" };
        if (d.score == 0)
            refuse_open(bk, &o, FTK_ENODEV, "a device of score 0");
    }
    ftk__kit_expect(bk->c, n > 0,
                    "probe(0) is done: a machine without a device needs an entry of "
                    "score 0 with the reason");
    ftk__kit_expect(bk->c, probe(bk, n + 1, &d) == FTK_DONE,
                    "probe(%u) is not done, but probe(%u) is", n + 1, n);
    ftk_open past = { .size = sizeof(past), .device = n, .threads = 1, .isa = "auto" };
    refuse_open(bk, &past, FTK_ENODEV, "a device past the last");
    return n;
}

/* Each precision is kept, that is opens, or is not supported. */
static void precisions(struct ftk__bk *bk, const ftk_open *plain)
{
    for (uint32_t precision = FTK_FP32; precision <= FTK_BF16; precision++) {
        ftk_dev *dev = NULL;
        ftk_open o = *plain;
        o.precision = precision;
        ftk__kit_note(bk->c, "open with precision %u", precision);
        ftk_status st = FTK__TRY(bk, open, bk->host->table, bk->params, &o, &dev);
        if (ftk__bk_not_supported(bk, "open", st, true))
            continue;
        bk->dev = dev;
        ftk__bk_close(bk);
    }
    ftk_open o = *plain;
    o.precision = 77;
    refuse_open(bk, &o, 0, "precision 77");
}

static void judge_open(struct ftk__bk *bk)
{
    ftk_device d;
    const ftk_open plain = ftk__bk_options(bk->c);
    if (probe(bk, plain.device, &d) != FTK_OK || d.score == 0)
        return;
    ftk_open o = plain;
    o.isa = "z80";
    refuse_open(bk, &o, 0, "isa 'z80'");
    o = plain;
    o.flags = 1u << 20;
    refuse_open(bk, &o, 0, "flag 1 << 20");
    precisions(bk, &plain);
    ftk__kit_expect(bk->c, bk->host->live == 0, "%llu blocks of the host are alive after close()",
                    (unsigned long long)bk->host->live);
    ftk__kit_note(bk->c, "%s", "");
}

/* What the makers of devices let a user hide them with. */
static const char *const hiders[] = { "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES",
                                      "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK" };
enum { HIDERS = sizeof(hiders) / sizeof(hiders[0]) };

static void hide_devices(bool hidden)
{
    for (int i = 0; i < HIDERS; i++)
        if (hidden)
            setenv(hiders[i], "-1", 1);
}

/* Drivers read those variables once a process, so each half has its own. */
static void devices(struct ftk__case *c)
{
    struct ftk__bk bk;
    struct ftk__blob none = { 0 };
    struct ftk__blob back = { 0 };
    bool usable;
    if (c->role == 0)
        ftk__kit_again(c, 1, &none, &back);
    hide_devices(c->role == 0);
    ftk__bk_loaded(c, &bk);
    ftk__kit_note(c, c->role == 0 ? "with devices hidden" : "with devices as they are");
    (void)probe_all(&bk, &usable);
    judge_open(&bk);
    if (c->role == 1)
        ftk__kit_hand_back(c, &back);
}

/* ---- BKD-09 ------------------------------------------------------------------------------------ */

struct life {
    struct ftk__bk_graph g;
    struct ftk__bk_snap alone, snap;
};

static ftk_prog *filled(struct ftk__bk *bk, struct life *l)
{
    ftk_prog *p = ftk__bk_compile(bk, &l->g, COUNT, 0);
    ftk__bk_fill(bk, p, &l->g, 0.4, 8);
    return p;
}

static void two_programs(struct ftk__bk *bk, struct life *l)
{
    ftk_prog *alone = filled(bk, l);
    ftk__bk_steps(bk, alone, &l->g, COUNT, 4, 1);
    ftk__bk_snap(bk, alone, &l->g, 1, &l->alone);
    ftk_prog *a = filled(bk, l);
    ftk_prog *b = filled(bk, l);
    ftk_hyper hy = ftk__bk_hyper(0.05, 0.9, 0.01, 0);
    for (uint32_t i = 0; i < 4; i++) {
        hy.step = i + 1;
        ftk__bk_step(bk, b, &l->g, COUNT, &hy, 100 + i);
        ftk__bk_step(bk, a, &l->g, COUNT - i % 2, &hy, 1 + i);
    }
    bk->ops->release(b); /* with work in flight */
    ftk__bk_snap(bk, a, &l->g, 1, &l->snap);
    ftk__bkd_expect_same(bk, &l->g, &l->alone, &l->snap, "beside another program");
    bk->ops->release(alone);
    bk->ops->release(a);
}

static void two_devices(struct ftk__bk *bk, struct ftk__bk *other, struct life *l)
{
    ftk_prog *a = filled(bk, l);
    ftk_prog *b = filled(other, l);
    ftk__bk_steps(other, b, &l->g, COUNT, 2, 50);
    ftk__bk_steps(bk, a, &l->g, COUNT, 4, 1);
    other->ops->release(b);
    ftk__bk_close(other);
    ftk__bk_snap(bk, a, &l->g, 1, &l->snap);
    ftk__bkd_expect_same(bk, &l->g, &l->alone, &l->snap, "beside another opened device");
    bk->ops->release(filled(bk, l)); /* the other's end was not this one's */
    ftk__bk_steps(bk, a, &l->g, COUNT, 1, 9);
    bk->ops->release(a);
}

static void side_by_side(struct ftk__case *c)
{
    struct ftk__bk bk, other;
    struct life *l = ftk__kit_alloc(c, 1, sizeof(*l));
    ftk__bk_open(c, FTK__BK_AS_SET, &bk);
    ftk__bk_net(&l->g, true);
    two_programs(&bk, l);
    ftk__bk_open(c, FTK__BK_AS_SET, &other);
    two_devices(&bk, &other, l);
    ftk__bk_close(&bk);
    ftk__kit_expect(c, c->host->live == 0, "%llu blocks of the host are alive after close()",
                    (unsigned long long)c->host->live);
}

/* ---- BKD-11 ------------------------------------------------------------------------------------ */

/* 2^31 images of 3x128x128 floats are 4e14 bytes: no address space holds them. */
static void no_memory(struct ftk__case *c)
{
    struct ftk__bk bk;
    struct life *l = ftk__kit_alloc(c, 1, sizeof(*l));
    struct ftk__bk_graph *huge = ftk__kit_alloc(c, 1, sizeof(*huge));
    const uint32_t one[2] = { 1, 1 };
    const uint32_t none[2] = { 0, 0 };
    ftk__bk_open(c, FTK__BK_AS_SET, &bk);
    ftk__bk_net(&l->g, true);
    ftk_prog *p = filled(&bk, l);
    ftk__bk_steps(&bk, p, &l->g, COUNT, 2, 1);
    uint32_t at = ftk__bk_conv(huge, ftk__bk_input(huge, 3, 128, 128), 3, one, one, none, 0, 1);
    ftk__bk_xent(huge, ftk__bk_linear(huge, at, 2, 0, 0), 0.0f);
    ftk_build b = ftk__bk_build(huge, 1u << 31, 0);
    ftk_prog *none_made = NULL;
    uint64_t live = c->host->live;
    ftk_status st = FTK__TRY(&bk, compile, bk.dev, &b, &none_made);
    ftk__kit_must_refuse(c, c->host, "compile", st);
    ftk__kit_expect(c, st == FTK_ENOMEM, "compile() with max_batch 2^31 gave %s, ENOMEM was due",
                    ftk__status_name(st));
    ftk__kit_expect(c, !none_made && c->host->live == live,
                    "compile() with max_batch 2^31 left a program, or %llu blocks",
                    (unsigned long long)(c->host->live - live));
    ftk__bk_steps(&bk, p, &l->g, COUNT, 2, 3);
    ftk__bk_snap(&bk, p, &l->g, 1, &l->snap);
    ftk_prog *q = filled(&bk, l);
    ftk__bk_steps(&bk, q, &l->g, COUNT, 2, 1);
    ftk__bk_steps(&bk, q, &l->g, COUNT, 2, 3);
    ftk__bk_snap(&bk, q, &l->g, 1, &l->alone);
    ftk__bkd_expect_same(&bk, &l->g, &l->alone, &l->snap, "after want of memory elsewhere");
}

static const struct ftk__rule rules[] = {
    { .id = "BKD-01",
      .level = 1,
      .kinds = FTK__ON_BACKEND,
      .needs = "ABI-06",
      .title = "probe and open: a reason for what cannot run, no substitute for what was asked",
      .why = "use = \"auto\" asks every backend that is installed, on any machine",
      .fix = "score 0 with a reason; FTK_ENODEV, FTK_ENOTSUP or FTK_EINVAL from open()",
      .timeout_ms = 30000,
      .run = devices },
    { .id = "BKD-09",
      .level = 2,
      .kinds = FTK__ON_BACKEND,
      .needs = "BKD-01",
      .title = "programs and devices know nothing of each other",
      .why = "an ensemble may hold several programs; one is released while others work",
      .fix = "keep what belongs to a program or a device inside it",
      .timeout_ms = 30000,
      .run = side_by_side },
    { .id = "BKD-11",
      .level = 3,
      .kinds = FTK__ON_BACKEND,
      .needs = "BKD-09",
      .title = "a network without room is ENOMEM, and other programs go on",
      .why = "a batch that is too large must end with a sentence, not with the process",
      .fix = "check sizes for overflow and every allocation of compile()",
      .timeout_ms = 30000,
      .run = no_memory },
};
const struct ftk__rule_family ftk__family_bkd_open = { rules, sizeof(rules) / sizeof(rules[0]) };
