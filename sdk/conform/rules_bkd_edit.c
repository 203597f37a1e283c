/* SPDX-License-Identifier: MIT
 * conform/rules_bkd_edit.c - topology edits: what comes, what goes, what is refused.
 */
#include "conform/rules_bkd.h"
#include <string.h>

enum { COUNT = 6, ALL = FTK_CH_WEIGHT | FTK_CH_MOMENTUM };

struct stage {
    struct ftk__bk bk;
    struct ftk__bk_graph g;
    ftk_prog *p;
    struct ftk__bk_list on, off; /* of layer 0, before the edit                 */
};

static bool stage_new(struct ftk__case *c, uint32_t flags, struct stage **ret)
{
    struct stage *s = ftk__kit_alloc(c, 1, sizeof(*s));
    ftk__bk_open(c, FTK__BK_AS_SET, &s->bk);
    ftk__bk_net(&s->g, true);
    const ftk_build b = ftk__bk_build(&s->g, COUNT, flags);
    ftk_status st = FTK__TRY(&s->bk, compile, s->bk.dev, &b, &s->p);
    if (ftk__bk_not_supported(&s->bk, "compile", st, flags != 0 && !ftk__bk_is_cpu(&s->bk)))
        return false;
    ftk__bk_fill(&s->bk, s->p, &s->g, 0.4, 5);
    ftk__bk_steps(&s->bk, s->p, &s->g, COUNT, 3, 1);
    *ret = s;
    return true;
}

static void read_both(struct stage *s)
{
    ftk__bk_read(&s->bk, s->p, &s->g, 0, FTK_ACTIVE, ALL, 16, &s->on);
    ftk__bk_read(&s->bk, s->p, &s->g, 0, FTK_INACTIVE, ALL, 16, &s->off);
    ftk__kit_expect(s->bk.c, s->on.n >= 3 && s->off.n >= 3,
                    "layer 0 has %llu active and %llu inactive weights",
                    (unsigned long long)s->on.n, (unsigned long long)s->off.n);
}

/* Where in a list an index stands; fails where it does not. */
static uint64_t place(struct stage *s, const struct ftk__bk_list *l, uint64_t index,
                      const char *what)
{
    for (uint64_t i = 0; i < l->n; i++)
        if (l->index[i] == index)
            return i;
    ftk__kit_fail(s->bk.c, "after edit() weight %llu of layer 0 is not %s",
                  (unsigned long long)index, what);
}

/* What stays keeps weight and momentum. */
static void expect_rest(struct stage *s, const struct ftk__bk_list *now, const uint64_t *gone,
                        uint64_t n_gone)
{
    for (uint64_t i = 0; i < s->on.n; i++) {
        bool goes = false;
        for (uint64_t k = 0; k < n_gone; k++)
            goes = goes || gone[k] == s->on.index[i];
        if (goes)
            continue;
        uint64_t at = place(s, now, s->on.index[i], "active, but was not dropped");
        ftk__kit_expect(s->bk.c,
                        memcmp(&now->weight[at], &s->on.weight[i], 4) == 0 &&
                            memcmp(&now->momentum[at], &s->on.momentum[i], 4) == 0,
                        "edit() changes weight %llu of layer 0, which stays: %g, momentum %g; was "
                        "%g, %g",
                        (unsigned long long)s->on.index[i], (double)now->weight[at],
                        (double)now->momentum[at], (double)s->on.weight[i],
                        (double)s->on.momentum[i]);
    }
}

/* Drops two, adds one of them again and an inactive one; with values or zeros.  Momentum stays only
 * where it is dense and the edit says so. */
static void exchange(struct stage *s, const float *value, uint32_t flags, bool dense)
{
    read_both(s);
    const uint64_t drop[2] = { s->on.index[0], s->on.index[1] };
    bool first = s->on.index[1] < s->off.index[2]; /* the index in both lists comes first */
    const uint64_t add[2] = { first ? s->on.index[1] : s->off.index[2],
                              first ? s->off.index[2] : s->on.index[1] };
    const float was[2] = { first ? s->on.momentum[1] : s->off.momentum[2],
                           first ? s->off.momentum[2] : s->on.momentum[1] };
    const ftk_change change = { .size = sizeof(change),
                                .flags = flags,
                                .drop = drop,
                                .add = add,
                                .n_drop = 2,
                                .n_add = 2,
                                .value = value };
    struct ftk__bk_list now, idle;
    FTK__MUST(&s->bk, edit, s->p, 0, &change);
    ftk__bk_read(&s->bk, s->p, &s->g, 0, FTK_ACTIVE, ALL, 16, &now);
    ftk__bk_read(&s->bk, s->p, &s->g, 0, FTK_INACTIVE, ALL, 16, &idle);
    uint64_t at = place(s, &idle, drop[0], "inactive, but was dropped");
    ftk__kit_expect(s->bk.c, idle.weight[at] == 0.0f, "dropped weight %llu of layer 0 reads %g",
                    (unsigned long long)drop[0], (double)idle.weight[at]);
    bool keep = (flags & FTK_EDIT_KEEP_MOMENTUM) != 0;
    for (int i = 0; i < 2; i++) {
        float w = value ? value[i] : 0.0f;
        float v = keep && dense ? was[i] : 0.0f;
        bool both = add[i] == drop[1];
        at = place(s, &now, add[i], "active, but was added");
        /* Without dense momentum a backend may, or may not, still hold that of what it drops. */
        bool held = keep && both && now.momentum[at] == was[i];
        ftk__kit_expect(s->bk.c, now.weight[at] == w && (now.momentum[at] == v || held),
                        "added weight %llu of layer 0%s is %g with momentum %g, %g and %g were due",
                        (unsigned long long)add[i], both ? ", dropped and added," : "",
                        (double)now.weight[at], (double)now.momentum[at], (double)w, (double)v);
    }
    expect_rest(s, &now, drop, 2);
}

static void exchanges(struct stage *s, bool dense)
{
    static const float value[2] = { 0.5f, -0.25f };
    exchange(s, value, 0, dense);
    exchange(s, NULL, 0, dense);
    exchange(s, value, FTK_EDIT_KEEP_MOMENTUM, dense);
    ftk__bk_steps(&s->bk, s->p, &s->g, COUNT, 1, 7);
    exchange(s, NULL, FTK_EDIT_KEEP_MOMENTUM, dense);
}

/* Only drops, only adds, nothing: counts move as they must. */
static void one_sided(struct stage *s)
{
    static const float value[2] = { 0.5f, -0.25f };
    struct ftk__bk_list now;
    read_both(s);
    ftk_change change = { .size = sizeof(change), .drop = s->on.index, .n_drop = 2 };
    FTK__MUST(&s->bk, edit, s->p, 0, &change);
    ftk__bk_read(&s->bk, s->p, &s->g, 0, FTK_ACTIVE, ALL, 16, &now);
    ftk__kit_expect(s->bk.c, now.n == s->on.n - 2, "after 2 drops %llu of %llu weights are active",
                    (unsigned long long)now.n, (unsigned long long)s->on.n);
    expect_rest(s, &now, s->on.index, 2);
    read_both(s);
    change =
        (ftk_change){ .size = sizeof(change), .add = s->off.index, .n_add = 2, .value = value };
    FTK__MUST(&s->bk, edit, s->p, 0, &change);
    ftk__bk_read(&s->bk, s->p, &s->g, 0, FTK_ACTIVE, ALL, 16, &now);
    ftk__kit_expect(s->bk.c, now.n == s->on.n + 2, "after 2 adds to %llu weights %llu are active",
                    (unsigned long long)s->on.n, (unsigned long long)now.n);
    expect_rest(s, &now, NULL, 0);
    read_both(s);
    change = (ftk_change){ .size = sizeof(change) };
    FTK__MUST(&s->bk, edit, s->p, 0, &change);
    ftk__bk_read(&s->bk, s->p, &s->g, 0, FTK_ACTIVE, ALL, 16, &now);
    ftk__kit_expect(s->bk.c, now.n == s->on.n, "an empty edit changes the count");
    expect_rest(s, &now, NULL, 0);
}

static void refuse(struct stage *s, uint32_t layer, const uint64_t *drop, uint64_t n_drop,
                   const uint64_t *add, uint64_t n_add, const char *what)
{
    const ftk_change change = {
        .size = sizeof(change), .drop = drop, .add = add, .n_drop = n_drop, .n_add = n_add
    };
    struct ftk__bk_snap before, after;
    char text[96];
    ftk__bk_snap(&s->bk, s->p, &s->g, 1, &before);
    ftk__kit_note(s->bk.c, "an edit with %s", what);
    FTK__REFUSED(&s->bk, edit, s->p, layer, &change);
    ftk__bk_snap(&s->bk, s->p, &s->g, 1, &after);
    ftk__format(text, sizeof(text), "a refused edit with %s", what);
    ftk__bk_same(&s->bk, &s->g, &before, &after, text);
}

static void refusals(struct stage *s)
{
    read_both(s);
    uint64_t n = ftk__bk_weights(&s->g, ftk__bk_layer_node(&s->g, 0));
    const uint64_t *on = s->on.index;
    const uint64_t *off = s->off.index;
    const uint64_t falling_on[2] = { on[1], on[0] };
    const uint64_t twice_on[2] = { on[0], on[0] };
    const uint64_t past_on[2] = { on[0], n };
    const uint64_t falling_off[2] = { off[1], off[0] };
    const uint64_t twice_off[2] = { off[1], off[1] };
    const uint64_t past_off[2] = { off[0], n };
    refuse(s, 0, off, 2, NULL, 0, "inactive weights dropped");
    refuse(s, 0, falling_on, 2, NULL, 0, "drops that fall");
    refuse(s, 0, twice_on, 2, NULL, 0, "a weight dropped twice");
    refuse(s, 0, past_on, 2, NULL, 0, "a drop past the end");
    refuse(s, 0, NULL, 0, on, 2, "active weights added");
    refuse(s, 0, NULL, 0, falling_off, 2, "adds that fall");
    refuse(s, 0, NULL, 0, twice_off, 2, "a weight added twice");
    refuse(s, 0, on, 2, past_off, 2, "an add past the end");
    refuse(s, s->g.n_sparse, on, 1, NULL, 0, "a layer past the last");
    ftk__kit_note(s->bk.c, "%s", "");
}

static void edits(struct ftk__case *c)
{
    struct stage *s;
    if (stage_new(c, 0, &s)) {
        exchanges(s, false);
        one_sided(s);
        refusals(s);
    }
    if (stage_new(c, FTK_BUILD_DENSE_MOMENTUM, &s))
        exchanges(s, true);
}

static const struct ftk__rule rules[] = {
    { .id = "BKD-07",
      .level = 2,
      .kinds = FTK__ON_BACKEND,
      .needs = "BKD-06",
      .title = "an edit adds and drops just what it says, or is refused and changes nothing",
      .why = "a topology update is one edit a layer; half of one is a broken network",
      .fix = "check order, range and state of both lists before the first change",
      .timeout_ms = 30000,
      .run = edits },
};
const struct ftk__rule_family ftk__family_bkd_edit = { rules, sizeof(rules) / sizeof(rules[0]) };
