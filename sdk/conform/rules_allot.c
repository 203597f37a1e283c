/* SPDX-License-Identifier: MIT
 * conform/rules_allot.c - redistribution: counts that sum to the total, none above its room.
 */
#include "conform/scene.h"
#include <math.h>
#include <string.h>

enum { MOST_LAYERS = 200 };

struct problem {
    struct ftk__scene scene;
    uint64_t lost[MOST_LAYERS], room[MOST_LAYERS];
    uint64_t total;
};

/* Drops `share` of each layer's active weights. */
static void make_problem(struct ftk__case *c, uint32_t n_layers, double share, struct problem *ret)
{
    uint64_t n[MOST_LAYERS];
    const struct ftk__scene_shape shape = { .n = n, .n_layers = n_layers };
    for (uint32_t k = 0; k < n_layers; k++)
        n[k] = 1 + (k * 37 + 11) % 90;
    *ret = (struct problem){ 0 };
    ftk__scene_new(c, &shape, c->seed, &ret->scene);
    for (uint32_t k = 0; k < n_layers; k++) {
        struct ftk__scene_layer *l = &ret->scene.l[k];
        ret->lost[k] = (uint64_t)ceil(share * (double)l->layer.nnz);
        ftk__scene_mask(l, l->layer.nnz - ret->lost[k], c->seed + k);
        ret->room[k] = l->layer.n - l->layer.nnz;
        ret->total += ret->lost[k];
    }
}

static ftk_status call(struct ftk__case *c, struct ftk__subject *s, struct problem *p,
                       uint64_t stream, uint64_t *ret_count)
{
    const ftk_allot_ops *op = c->algo->ops;
    const struct ftk__how how = { .stream = stream };
    uint32_t n = p->scene.n_layers;
    uint32_t mark = ftk__guard_mark();
    struct ftk__view *v = ftk__kit_alloc(c, 1, sizeof(*v));
    uint64_t *lost = ftk__guard_new("lost", n * sizeof(*lost), 8, FTK__AT_END, 0);
    uint64_t *room = ftk__guard_new("room", n * sizeof(*room), 8, FTK__AT_END, 0);
    uint64_t *count = ftk__guard_new("count", n * sizeof(*count), 8, FTK__AT_END, 0xA5);
    memcpy(lost, p->lost, n * sizeof(*lost));
    memcpy(room, p->room, n * sizeof(*room));
    ftk__guard_read_only(lost);
    ftk__guard_read_only(room);
    ftk__view_open(c, &p->scene, s->host, &how, op->channels, 0, NULL, v);
    void *state = NULL;
    if (c->algo->state_bytes > 0)
        state = ftk__guard_new("state", c->algo->state_bytes, 64, FTK__AT_END, 0);
    ftk__kit_begin(s->host);
    ftk_status st = op->allot(s->host->table, s->self, v->net, ftk__scene_update(0, 0, &how, state),
                              lost, room, p->total, count);
    st = ftk__kit_end(c, s->host, "allot", false, st);
    ftk__view_close(v, "allot", st);
    memcpy(ret_count, count, n * sizeof(*count));
    ftk__guard_release(mark);
    return st;
}

static void judge(struct ftk__case *c, const struct problem *p, const uint64_t *count)
{
    uint64_t sum = 0;
    for (uint32_t k = 0; k < p->scene.n_layers; k++) {
        if (count[k] > p->room[k])
            ftk__kit_fail(c, "layer '%s' of %u gets %llu, its room is %llu", p->scene.l[k].name,
                          p->scene.n_layers, (unsigned long long)count[k],
                          (unsigned long long)p->room[k]);
        sum += count[k];
    }
    if (sum != p->total)
        ftk__kit_fail(c, "the counts of %u layers sum to %llu, not to %llu", p->scene.n_layers,
                      (unsigned long long)sum, (unsigned long long)p->total);
}

static void must_be_right(struct ftk__case *c, struct ftk__subject *s, struct problem *p,
                          const char *what)
{
    uint64_t count[MOST_LAYERS];
    ftk__kit_note(c, "%s", what);
    ftk__kit_must(c, s->host, "allot", call(c, s, p, 0, count));
    judge(c, p, count);
}

/* Room in one layer alone. */
static void full_but_one(struct problem *p)
{
    uint32_t n = p->scene.n_layers;
    for (uint32_t k = 0; k < n; k++) {
        p->lost[k] = 0;
        p->room[k] = 0;
    }
    p->lost[0] = 3;
    p->room[n / 2] = 5;
    p->total = 3;
}

static void zero_channels(struct problem *p, float value)
{
    for (uint32_t k = 0; k < p->scene.n_layers; k++)
        for (uint64_t i = 0; i < p->scene.l[k].layer.n; i++) {
            p->scene.l[k].weight[i] = value;
            p->scene.l[k].grad[i] = value;
            p->scene.l[k].momentum[i] = value;
        }
}

static void counts_are_right(struct ftk__case *c)
{
    static const uint32_t layers[] = { 1, 3, 17, MOST_LAYERS };
    static const double shares[] = { 0, 0.1, 0.5, 1 };
    struct problem *p = ftk__kit_alloc(c, 1, sizeof(*p));
    struct ftk__subject s;
    ftk__subject_new(c, NULL, &s);
    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
        for (size_t j = 0; j < sizeof(shares) / sizeof(shares[0]); j++) {
            make_problem(c, layers[i], shares[j], p);
            must_be_right(c, &s, p, shares[j] > 0 ? "shares of each layer lost" : "total 0");
        }
    make_problem(c, 17, 0.3, p);
    full_but_one(p);
    must_be_right(c, &s, p, "all layers full but one");
    make_problem(c, 17, 0.3, p);
    zero_channels(p, 0);
    must_be_right(c, &s, p, "all channels 0");
}

static void counts_of_bad_numbers(struct ftk__case *c, struct ftk__subject *s)
{
    static const float values[] = { NAN, INFINITY, -INFINITY, 3e38f };
    struct problem *p = ftk__kit_alloc(c, 1, sizeof(*p));
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        uint64_t count[MOST_LAYERS];
        ftk__kit_note(c, "channels of %g", (double)values[i]);
        make_problem(c, 5, 0.3, p);
        zero_channels(p, values[i]);
        ftk_status st = call(c, s, p, 0, count);
        if (st < 0)
            ftk__kit_must_refuse(c, s->host, "allot", st);
        else
            judge(c, p, count);
    }
}

static void bad_numbers(struct ftk__case *c)
{
    struct ftk__subject s;
    ftk__subject_new(c, NULL, &s);
    counts_of_bad_numbers(c, &s);
}

static void whatever_the_stream(struct ftk__case *c)
{
    struct problem *p = ftk__kit_alloc(c, 1, sizeof(*p));
    uint64_t a[MOST_LAYERS], b[MOST_LAYERS];
    struct ftk__subject s;
    ftk__subject_new(c, NULL, &s);
    for (uint64_t stream = 1; stream < 6; stream++) {
        make_problem(c, 17, 0.3, p);
        ftk__kit_must(c, s.host, "allot", call(c, &s, p, 0, a));
        ftk__kit_must(c, s.host, "allot", call(c, &s, p, stream, b));
        for (uint32_t k = 0; k < 17; k++)
            if (a[k] != b[k])
                ftk__kit_fail(c, "with another random stream layer '%s' gets %llu, not %llu",
                              p->scene.l[k].name, (unsigned long long)b[k],
                              (unsigned long long)a[k]);
    }
}

static const struct ftk__rule rules[] = {
    { .id = "ALT-01",
      .level = 2,
      .kinds = FTK__ON_ALLOT,
      .needs = "MEM-03 SCO-04",
      .title = "counts sum to the total, none above its room",
      .why = "what is dropped must be grown again, and a full layer cannot grow",
      .fix = "round down, then hand out the rest one by one to layers that have room",
      .run = counts_are_right },
    { .id = "ALT-02",
      .level = 2,
      .kinds = FTK__ON_ALLOT,
      .needs = "ALT-01 DET-01",
      .title = "the random stream changes nothing",
      .why = "redistribution is a function of the network",
      .fix = "do not draw from ftk_update.rng",
      .run = whatever_the_stream },
    { .id = "ALT-04",
      .level = 2,
      .kinds = FTK__ON_ALLOT,
      .needs = "ALT-01",
      .title = "NaN and Inf in a channel: right counts or a reason",
      .why = "a run that diverges must end with a sentence",
      .fix = "check the sums with isfinite() and fail() where they are not",
      .run = bad_numbers },
};
const struct ftk__rule_family ftk__family_allot = { rules, sizeof(rules) / sizeof(rules[0]) };
