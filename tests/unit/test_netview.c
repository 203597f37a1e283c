/* SPDX-License-Identifier: MIT
 * test_netview.c - what level-2 rules may read and take, and how they are refused.
 */
#include "sparse/netview.h"
#include "topology_case.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { LAYERS = 3 };
static const uint64_t sizes[LAYERS] = { 300, 64, 2000 };

/* A grow rule whose body is the test's: `self` of its instance. */
struct probe {
    void (*body)(const ftk_net *net, const ftk_edit *edit, struct probe *p);
    struct topology_case *c;
    ftk_status answer; /* what the rule returns                        */
    ftk_status seen;   /* what a call that was to be refused returned  */
    bool keep_going;   /* returns FTK_OK although it was refused       */
    bool ran;
};

static ftk_status run_probe(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                            const ftk_edit *edit)
{
    struct probe *p = self;
    (void)h;
    (void)u;
    p->ran = true;
    p->body(net, edit, p);
    return p->keep_going ? FTK_OK : p->answer;
}

static const ftk_grow_ops probe_ops = {
    .size = sizeof(probe_ops),
    .channels = FTK_CH_GRAD | FTK_CH_WEIGHT | FTK_CH_FIRED | FTK_CH_AGE,
    .count = FTK_COUNT_EXPECTED,
    .select = run_probe,
};
static const ftk_algo probe_rule = { .size = sizeof(ftk_algo),
                                     .kind = FTK_KIND_GROW,
                                     .name = "probe",
                                     .summary = "",
                                     .reference = "",
                                     .ops = &probe_ops };

/* One update by magnitude and the probe; its status. */
static ftk_status run(struct topology_case *c, struct probe *p)
{
    p->c = c;
    c->inst[2].self = p;
    ftk_status st = case_update(c, 0.5, 1000);
    assert_true(p->ran);
    c->inst[2].self = NULL;
    return st;
}

static void open_case(struct topology_case *c, enum ftk__regrow regrow)
{
    case_open(c, sizes, LAYERS, &case_init_uniform, &case_magnitude, &probe_rule, NULL);
    c->options.regrow = (int32_t)regrow;
    case_start(c);
    case_init(c, 0.3, 5);
}

/* The test's body must not fail inside a plugin call, so it counts what is wrong. */
static void check_lists(const ftk_net *net, uint64_t cap, struct probe *p)
{
    bool forbidden = p->c->options.regrow == FTK__REGROW_FORBIDDEN;
    unsigned wrong = 0;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        const struct fake_layer *f = &p->c->fake->layer[l];
        uint64_t count[3] = { 0 };
        uint8_t seen[2000] = { 0 };
        for (uint32_t which = FTK_ACTIVE; which <= FTK_INACTIVE; which++) {
            uint64_t cursor = 0, last = 0;
            for (;;) {
                ftk_cand c;
                if (net->read(net, l, which, FTK_CH_GRAD | FTK_CH_FIRED | FTK_CH_WEIGHT, cap,
                              &cursor, &c) < 0) {
                    wrong++;
                    break;
                }
                if (c.count == 0)
                    break;
                wrong += c.count > cap || c.momentum || c.age;
                for (uint64_t i = 0; i < c.count; i++) {
                    wrong += count[which] > 0 && c.index[i] <= last;
                    last = c.index[i];
                    wrong += c.grad[i] != f->grad[last];
                    wrong += c.fired[i] != fake_active(f, last);
                    wrong += which == FTK_INACTIVE && c.weight[i] != 0;
                    wrong += which == FTK_ACTIVE && c.weight[i] != f->weight[last];
                    seen[last]++;
                    count[which]++;
                }
            }
        }
        uint64_t lost = f->nnz - net->layers[l]->nnz; // the fake is not edited yet
        wrong += lost != (f->nnz + 1) / 2;
        wrong += count[FTK_ACTIVE] != net->layers[l]->nnz;
        wrong += count[FTK_INACTIVE] != f->n - f->nnz + (forbidden ? 0 : lost);
        for (uint64_t i = 0; i < f->n; i++)
            wrong += seen[i] > 1;
    }
    p->answer = wrong ? FTK_EINTERNAL : FTK_OK;
}

static void read_whole(const ftk_net *net, const ftk_edit *edit, struct probe *p)
{
    (void)edit;
    check_lists(net, 100000, p);
}

static void read_sevens(const ftk_net *net, const ftk_edit *edit, struct probe *p)
{
    (void)edit;
    check_lists(net, 7, p);
}

static void lists_are_as_after_the_drop(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        struct topology_case c;
        struct probe p = { .body = i & 1 ? read_whole : read_sevens };
        open_case(&c, i & 2 ? FTK__REGROW_FORBIDDEN : FTK__REGROW_ALLOWED);
        c.fake->most = i & 4 ? 5 : 0;
        assert_int_equal(run(&c, &p), FTK_OK);
        case_close(&c);
    }
}

/* What was just dropped is as old as it was; what never was active has no age. */
static void read_ages(const ftk_net *net, const ftk_edit *edit, struct probe *p)
{
    uint64_t dropped = 0, never = 0, wrong = 0;
    (void)edit;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        uint64_t cursor = 0;
        ftk_cand c;
        while (net->read(net, l, FTK_INACTIVE, FTK_CH_AGE | FTK_CH_FIRED, 50, &cursor, &c) ==
                   FTK_OK &&
               c.count) {
            for (uint64_t i = 0; i < c.count; i++) {
                dropped += c.fired[i];
                never += !c.fired[i];
                wrong += c.age[i] != (c.fired[i] ? 0 : UINT32_MAX);
            }
        }
    }
    p->answer = wrong || !dropped || !never ? FTK_EINTERNAL : FTK_OK;
}

static void what_never_was_active_has_no_age(void **state)
{
    (void)state;
    struct topology_case c;
    struct probe p = { .body = read_ages };
    open_case(&c, FTK__REGROW_ALLOWED);
    assert_int_equal(run(&c, &p), FTK_OK);
    case_close(&c);
}

/* Takes turns between lists, goes back and jumps ahead: the same entries as read at once. */
static void read_in_turns(const ftk_net *net, const ftk_edit *edit, struct probe *p)
{
    static uint64_t at_once[2000], in_turns[2000];
    uint64_t n = 0, turns = 0, cursor = 0, other = 0;
    unsigned wrong = 0;
    ftk_cand c;
    (void)edit;
    while (net->read(net, 2, FTK_INACTIVE, 0, 2000, &cursor, &c) == FTK_OK && c.count) {
        memcpy(at_once + n, c.index, c.count * sizeof(*at_once));
        n += c.count;
    }
    uint64_t end = cursor;
    cursor = 0;
    while (net->read(net, 2, FTK_INACTIVE, FTK_CH_GRAD, 13, &cursor, &c) == FTK_OK && c.count) {
        memcpy(in_turns + turns, c.index, c.count * sizeof(*in_turns));
        turns += c.count;
        wrong += net->read(net, 2, FTK_ACTIVE, FTK_CH_WEIGHT, 5, &other, &c) != FTK_OK;
        uint64_t first = 0;
        wrong += net->read(net, 0, FTK_INACTIVE, 0, 1, &first, &c) != FTK_OK || c.count != 1;
    }
    wrong += turns != n || end != cursor || memcmp(at_once, in_turns, n * sizeof(*at_once)) != 0;
    uint64_t ahead = n - 3;
    wrong += net->read(net, 2, FTK_INACTIVE, 0, 2000, &ahead, &c) != FTK_OK;
    wrong += c.count == 0 || c.index[0] != at_once[n - 3];
    p->answer = wrong ? FTK_EINTERNAL : FTK_OK;
}

static void reads_may_take_turns(void **state)
{
    (void)state;
    struct topology_case c;
    struct probe p = { .body = read_in_turns };
    open_case(&c, FTK__REGROW_ALLOWED);
    assert_int_equal(run(&c, &p), FTK_OK);
    c.fake->most = 17;
    case_init(&c, 0.3, 5);
    assert_int_equal(run(&c, &p), FTK_OK);
    case_close(&c);
}

static void refuse_channel(const ftk_net *net, const ftk_edit *edit, struct probe *p)
{
    uint64_t cursor = 0;
    ftk_cand c;
    (void)edit;
    p->seen = net->read(net, 0, FTK_ACTIVE, FTK_CH_MOMENTUM, 10, &cursor, &c);
    p->answer = p->seen;
}

static void refuse_layer(const ftk_net *net, const ftk_edit *edit, struct probe *p)
{
    uint64_t cursor = 0;
    ftk_cand c;
    (void)edit;
    p->seen = net->read(net, LAYERS, FTK_ACTIVE, 0, 10, &cursor, &c);
    p->answer = p->seen;
}

static void refuse_list(const ftk_net *net, const ftk_edit *edit, struct probe *p)
{
    uint64_t cursor = 0;
    ftk_cand c;
    (void)edit;
    p->seen = net->read(net, 0, 3, 0, 10, &cursor, &c);
    p->answer = p->seen;
}

static void take_active(const ftk_net *net, const ftk_edit *edit, struct probe *p)
{
    uint64_t cursor = 0;
    ftk_cand c;
    (void)net->read(net, 0, FTK_ACTIVE, 0, 1, &cursor, &c);
    p->answer = p->seen = edit->take(edit, 0, c.index, 1);
}

static void take_twice(const ftk_net *net, const ftk_edit *edit, struct probe *p)
{
    uint64_t cursor = 0;
    ftk_cand c;
    (void)net->read(net, 0, FTK_INACTIVE, 0, 1, &cursor, &c);
    const uint64_t pair[2] = { c.index[0], c.index[0] };
    p->answer = p->seen = edit->take(edit, 0, pair, 2);
}

static void take_beyond(const ftk_net *net, const ftk_edit *edit, struct probe *p)
{
    (void)net;
    p->answer = p->seen = edit->take(edit, 1, &sizes[1], 1);
}

static void take_elsewhere(const ftk_net *net, const ftk_edit *edit, struct probe *p)
{
    const uint64_t zero = 0;
    (void)net;
    p->answer = p->seen = edit->take(edit, LAYERS, &zero, 1);
}

static void take_dense(const ftk_net *net, const ftk_edit *edit, struct probe *p)
{
    const uint64_t zero = 0;
    (void)net;
    p->answer = p->seen = edit->take(edit, 1, &zero, 1);
}

static void wrong_calls_are_refused_at_once(void **state)
{
    (void)state;
    static const struct {
        void (*body)(const ftk_net *net, const ftk_edit *edit, struct probe *p);
        ftk_status status;
        const char *message;
    } cases[] = {
        { refuse_channel, FTK_EINVAL,
          "read of channel MOMENTUM, declared: WEIGHT, GRAD, AGE, FIRED" },
        { refuse_layer, FTK_ERANGE, "read of layer 3, the network has 3" },
        { refuse_list, FTK_EINVAL, "neither FTK_ACTIVE nor FTK_INACTIVE" },
        { take_active, FTK_EINVAL, "of layer 'layer0' is active" },
        { take_twice, FTK_EINVAL, "was taken before" },
        { take_beyond, FTK_ERANGE, "weight 64 taken in layer 'layer1', which has 64" },
        { take_elsewhere, FTK_ERANGE, "take in layer 3, the network has 3" },
        { take_dense, FTK_EINVAL, "take in layer 'layer1', which is dense and exempt" },
    };
    const struct ftk__density_override full = { "layer1", 1 };
    for (unsigned i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        struct topology_case c;
        struct probe p = { .body = cases[i / 2].body, .keep_going = i & 1 };
        case_open(&c, sizes, LAYERS, &case_init_uniform, &case_magnitude, &probe_rule, NULL);
        c.setup.overrides = &full;
        c.setup.n_overrides = p.body == take_dense;
        case_start(&c);
        case_init(&c, 0.3, 5);
        uint64_t hash = case_hash(&c);
        assert_int_equal(run(&c, &p), cases[i / 2].status);
        assert_int_equal(p.seen, cases[i / 2].status);
        assert_non_null(strstr(c.err.message, cases[i / 2].message));
        assert_non_null(strstr(c.err.context[0], "'probe'"));
        assert_true(case_hash(&c) == hash);
        case_close(&c);
    }
}

/* A dropped weight may be taken again, unless regrowth is forbidden. */
static void take_dropped(const ftk_net *net, const ftk_edit *edit, struct probe *p)
{
    const struct fake_layer *f = &p->c->fake->layer[2];
    static uint8_t stays[2000];
    uint64_t cursor = 0, i = 0;
    ftk_cand c;
    memset(stays, 0, sizeof(stays));
    while (net->read(net, 2, FTK_ACTIVE, 0, 2000, &cursor, &c) == FTK_OK && c.count) {
        for (uint64_t k = 0; k < c.count; k++)
            stays[c.index[k]] = 1;
    }
    while (!fake_active(f, i) || stays[i])
        i++;
    p->answer = p->seen = edit->take(edit, 2, &i, 1);
}

static void dropped_weights_come_back_if_allowed(void **state)
{
    (void)state;
    struct topology_case c;
    struct probe p = { .body = take_dropped };
    open_case(&c, FTK__REGROW_ALLOWED);
    uint64_t nnz = ftk__topology_nnz(c.t);
    assert_int_equal(run(&c, &p), FTK_OK);
    assert_int_equal(c.report.grown, 1); // EXPECTED: any total
    assert_int_equal(c.report.nnz, nnz - c.report.dropped + 1);
    case_close(&c);
    open_case(&c, FTK__REGROW_FORBIDDEN);
    assert_int_equal(run(&c, &p), FTK_EINVAL);
    assert_non_null(strstr(c.err.message, "is active or was just dropped"));
    case_close(&c);
}

/* Several pieces, any order. */
static void take_backwards(const ftk_net *net, const ftk_edit *edit, struct probe *p)
{
    static uint64_t index[2000];
    for (uint32_t l = net->n_layers; l-- > 0 && p->answer == FTK_OK;) {
        uint64_t n = 0, cursor = 0;
        ftk_cand c;
        while (net->read(net, l, FTK_INACTIVE, 0, 64, &cursor, &c) == FTK_OK && c.count) {
            memcpy(index + n, c.index, c.count * sizeof(*index));
            n += c.count;
        }
        for (uint64_t k = 0; k < edit->budget[l] && p->answer == FTK_OK; k++)
            p->answer = edit->take(edit, l, &index[n - 1 - k], 1);
    }
}

static void takes_come_in_any_order(void **state)
{
    (void)state;
    struct topology_case c;
    struct probe p = { .body = take_backwards };
    open_case(&c, FTK__REGROW_ALLOWED);
    uint64_t nnz = ftk__topology_nnz(c.t);
    assert_int_equal(run(&c, &p), FTK_OK);
    assert_int_equal(c.report.nnz, nnz);
    assert_int_equal(c.report.grown, c.report.dropped);
    case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_as_after_the_drop),
        cmocka_unit_test(what_never_was_active_has_no_age),
        cmocka_unit_test(reads_may_take_turns),
        cmocka_unit_test(wrong_calls_are_refused_at_once),
        cmocka_unit_test(dropped_weights_come_back_if_allowed),
        cmocka_unit_test(takes_come_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
