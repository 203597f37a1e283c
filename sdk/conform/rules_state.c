/* SPDX-License-Identifier: MIT
 * conform/rules_state.c - memory between updates is in ftk_update.state (a metric's: in its
 * accumulator) and nowhere else, so that a checkpoint holds all of it.
 */
#include "conform/driver.h"
#include <string.h>

static void series(struct ftk__case *c, const struct ftk__how *how, struct ftk__blob *ret)
{
    struct ftk__subject s;
    *ret = (struct ftk__blob){ 0 };
    ftk__subject_new(c, NULL, &s);
    ftk__driver_of(c)->act(c, &s, how, ret);
    ftk__subject_done(c, &s);
}

static void append(struct ftk__blob *to, const struct ftk__blob *from)
{
    const char *name;
    enum ftk__blob_type type;
    uint64_t n;
    for (uint32_t i = 0; i < from->n; i++) {
        const void *data = ftk__blob_get(from, i, &name, &type, &n);
        ftk__blob_put(to, type, data, n, "%s", name);
    }
}

/* ---- STA-01: a process an update --------------------------------------------------------------- */

static const char state_name[] = "state block";

static void put_state(const struct ftk__kit_state *s, struct ftk__blob *b)
{
    for (uint32_t i = 0; s->block && i < s->n; i++)
        ftk__blob_put(b, FTK__BLOB_U8, s->block[i], s->bytes, "%s", state_name);
}

/* The blocks at the end of a blob, in guarded memory; the rest to `ret_rest` (NULL: dropped). */
static void take_state(struct ftk__case *c, const struct ftk__blob *b, struct ftk__kit_state *ret,
                       struct ftk__blob *ret_rest)
{
    *ret = (struct ftk__kit_state){ 0 };
    ret->block = ftk__kit_alloc(c, b->n + UINT64_C(1), sizeof(*ret->block));
    for (uint32_t i = 0; i < b->n; i++) {
        const char *name;
        enum ftk__blob_type type;
        uint64_t n;
        const void *data = ftk__blob_get(b, i, &name, &type, &n);
        if (strcmp(name, state_name) != 0) {
            if (ret_rest)
                ftk__blob_put(ret_rest, type, data, n, "%s", name);
            continue;
        }
        void *block = ftk__guard_new("state", n, 64, FTK__AT_END, 0);
        memcpy(block, data, n);
        ret->block[ret->n++] = block;
        ret->bytes = (uint32_t)n;
    }
    if (ret->n == 0)
        ret->block = NULL;
}

/* There: one update from the state that came in; its results and the state go back. */
static _Noreturn void one_update(struct ftk__case *c)
{
    struct ftk__blob in = { 0 };
    struct ftk__blob out;
    struct ftk__kit_state state;
    ftk__kit_input(c, &in);
    take_state(c, &in, &state, NULL);
    const struct ftk__how how = { .from_round = c->role - 1, .rounds = 1, .state = &state };
    series(c, &how, &out);
    put_state(&state, &out);
    ftk__kit_hand_back(c, &out);
}

static void moved_between_processes(struct ftk__case *c)
{
    struct ftk__blob whole;
    struct ftk__blob parts = { 0 };
    struct ftk__blob state_blob = { 0 };
    struct ftk__str why = { 0 };
    if (c->role)
        one_update(c);
    series(c, &(struct ftk__how){ 0 }, &whole);
    for (uint32_t r = 0; r < ftk__driver_of(c)->n_rounds; r++) {
        struct ftk__blob back = { 0 };
        struct ftk__kit_state state;
        ftk__kit_again(c, r + 1, &state_blob, &back);
        take_state(c, &back, &state, &parts);
        ftk__blob_done(&state_blob);
        put_state(&state, &state_blob);
    }
    if (!ftk__blob_same(&whole, &parts, &why))
        ftk__kit_fail(c, "with its state moved to a new process after each update: %s", why.text);
}

/* ---- STA-02 ----------------------------------------------------------------------------------- */

static void zeroed_is_new(struct ftk__case *c)
{
    struct ftk__kit_state state = { 0 };
    const struct ftk__how how = { .state = &state };
    struct ftk__subject s;
    struct ftk__blob a = { 0 };
    struct ftk__blob b = { 0 };
    struct ftk__str why = { 0 };
    if (c->algo->state_bytes == 0)
        ftk__kit_skip(c, "it has no state");
    ftk__subject_new(c, NULL, &s);
    ftk__driver_of(c)->act(c, &s, &how, &a);
    for (uint32_t i = 0; i < state.n; i++)
        memset(state.block[i], 0, state.bytes);
    ftk__driver_of(c)->act(c, &s, &how, &b);
    if (!ftk__blob_same(&a, &b, &why))
        ftk__kit_fail(c, "after its state was zeroed, as at INIT: %s", why.text);
}

/* ---- STA-03 ----------------------------------------------------------------------------------- */

static void layers_apart(struct ftk__case *c)
{
    struct ftk__blob all;
    struct ftk__blob alone = { 0 };
    struct ftk__blob sorted = { 0 };
    struct ftk__str why = { 0 };
    uint32_t n_layers = ftk__driver_of(c)->n_layers;
    if (c->algo->state_bytes == 0)
        ftk__kit_skip(c, "it has no state");
    series(c, &(struct ftk__how){ 0 }, &all);
    for (uint32_t k = 0; k < n_layers; k++) {
        struct ftk__blob one;
        series(c, &(struct ftk__how){ .only = k + 1 }, &one);
        append(&alone, &one);
    }
    /* `all` goes update by update, `alone` layer by layer. */
    for (uint32_t k = 0; k < n_layers; k++)
        for (uint32_t i = k; i < all.n; i += n_layers) {
            const char *name;
            enum ftk__blob_type type;
            uint64_t n;
            const void *data = ftk__blob_get(&all, i, &name, &type, &n);
            ftk__blob_put(&sorted, type, data, n, "%s", name);
        }
    if (!ftk__blob_same(&sorted, &alone, &why))
        ftk__kit_fail(c, "without the other layers' updates: %s", why.text);
}

static const struct ftk__rule rules[] = {
    { .id = "STA-01",
      .level = 2,
      .kinds = FTK__ON_ALL_BUT_BACKEND,
      .needs = "DET-01 DET-02 DET-03 DET-04 DET-05 STA-03 MET-08",
      .title = "updates in one process or in a new one each: the same bits",
      .why = "a run that was killed goes on from its checkpoint, which holds the state alone",
      .fix = "keep what lasts from update to update in ftk_update.state",
      .timeout_ms = 20000,
      .run = moved_between_processes },
    { .id = "STA-02",
      .level = 2,
      .kinds = FTK__ON_SPARSE,
      .needs = "DET-01 DET-02 STA-01",
      .title = "a zeroed state is that of a fresh instance",
      .why = "the core zeroes it at each network's INIT and makes no new instance",
      .fix = "let 0 mean \"nothing yet\" in every field of the state",
      .run = zeroed_is_new },
    { .id = "STA-03",
      .level = 2,
      .kinds = FTK__ON_SCORERS,
      .needs = "DET-04",
      .title = "a layer's state is its own",
      .why = "at level 1 each layer has its block, and layers are scored in any order",
      .fix = "write nothing into the block but what belongs to the layer of the call",
      .run = layers_apart },
};
const struct ftk__rule_family ftk__family_state = { rules, sizeof(rules) / sizeof(rules[0]) };
