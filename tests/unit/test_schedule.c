/* SPDX-License-Identifier: MIT
 * test_schedule.c - train/schedule.c: when updates and cuts fall, and at what rate.
 */
#include "base/topology_options.h"
#include "train/schedule.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* CMocka's own compares as float. */
#define assert_near(a, b, within) assert_true(fabs((a) - (b)) <= (within))

enum { STEPS = 100, MAX = 8 }; /* steps of an epoch                            */

struct bench {
    struct ftk__experiment x;
    ftk_run run;
    struct ftk__planned_op v[MAX];
    struct ftk__oplist ops;
    uint64_t t;
};

/* An experiment of 4 epochs: updates every 50 steps at rate 0.5 as the paper has them. */
static void bench_init(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    b->x.epochs = 4;
    b->x.topology = (struct ftk__topology_options){
        .enabled = 1,
        .quiet_end = 1,
        .rate = 0.5,
        .rate_min = 0.1,
        .interval = { .value = 50, .unit = FTK_UNIT_STEP },
        .stop = { .value = 1, .unit = FTK_UNIT_RUN },
    };
    b->run =
        (ftk_run){ .size = sizeof(b->run), .members = 1, .steps_per_epoch = STEPS, .epochs = 4 };
    b->ops.v = b->v;
}

static struct ftk__planned_op *add(struct bench *b, uint32_t code, uint64_t steps)
{
    struct ftk__planned_op *o = &b->v[b->ops.n++];
    if (code == FTK_OP_INIT)
        b->t = 0;
    o->op = (ftk_op){ .size = sizeof(o->op), .code = code };
    o->effect = (struct ftk__op_effect){ .steps = steps, .t_from = b->t, .t_to = b->t + steps };
    if (code == FTK_OP_TRAIN)
        o->op.flags = FTK_TRAIN_DST;
    b->t += steps;
    return o;
}

static struct ftk__train_schedule schedule(const struct bench *b, uint32_t i)
{
    struct ftk__train_schedule s;
    ftk__train_schedule(&b->x, &b->run, &b->ops, i, &s);
    return s;
}

/* The steps of the TRAIN that an update follows must be exactly these. */
static void assert_updates(const struct bench *b, uint32_t i, const uint64_t *t, uint64_t n)
{
    const struct ftk__train_schedule s = schedule(b, i);
    uint64_t found = 0;
    for (uint64_t at = b->v[i].effect.t_from + 1; at <= b->v[i].effect.t_to; at++) {
        if (ftk__event_at(&s, at) == FTK__EVENT_NONE)
            continue;
        assert_int_equal(ftk__event_at(&s, at), FTK__EVENT_UPDATE);
        assert_true(found < n);
        assert_int_equal(at, t[found]);
        found++;
    }
    assert_int_equal(found, n);
}

#define UPDATES(b, i, ...)                                                                         \
    do {                                                                                           \
        const uint64_t expect_[] = { __VA_ARGS__ };                                                \
        assert_updates(b, i, expect_, sizeof(expect_) / sizeof(expect_[0]));                       \
    } while (0)

static void t_runs_through_all_phases(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b);
    add(&b, FTK_OP_INIT, 0);
    add(&b, FTK_OP_TRAIN, 120); /* a TRAIN follows: no quiet end                */
    add(&b, FTK_OP_TRAIN, 130); /* SAVE follows: last at 250 - 50               */
    add(&b, FTK_OP_SAVE, 0);
    add(&b, FTK_OP_ESCAPE, 0);
    add(&b, FTK_OP_TRAIN, 125);
    add(&b, FTK_OP_SAVE, 0);
    UPDATES(&b, 1, 50, 100);
    UPDATES(&b, 2, 150, 200);
    UPDATES(&b, 5, 300); /* 350 > 375 - 50                               */
}

static void quiet_end_or_not(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b);
    add(&b, FTK_OP_INIT, 0);
    add(&b, FTK_OP_TRAIN, 200);
    add(&b, FTK_OP_ESCAPE, 0);
    UPDATES(&b, 1, 50, 100, 150); /* 150 is not beyond 200 - 50                  */
    b.x.topology.quiet_end = 0;
    UPDATES(&b, 1, 50, 100, 150, 200);
    b.x.topology.quiet_end = 1;
    b.v[2].op.code = FTK_OP_REMEMBER;
    UPDATES(&b, 1, 50, 100, 150, 200);
    b.v[2].op.code = FTK_OP_SAVE;
    b.x.topology.interval.value = 1000; /* longer than the TRAIN                 */
    assert_updates(&b, 1, NULL, 0);
}

static void stop_counts_in_the_train(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b);
    b.x.topology.quiet_end = 0;
    b.x.topology.stop.value = 0.5;
    add(&b, FTK_OP_INIT, 0);
    add(&b, FTK_OP_TRAIN, 200);
    add(&b, FTK_OP_TRAIN, 300);
    UPDATES(&b, 1, 50, 100);
    UPDATES(&b, 2, 250, 300, 350);
    b.x.topology.stop = (ftk_duration){ .value = 1.5, .unit = FTK_UNIT_EPOCH };
    UPDATES(&b, 2, 250, 300, 350);
    b.x.topology.stop = (ftk_duration){ .value = 0, .unit = FTK_UNIT_RUN };
    assert_updates(&b, 2, NULL, 0);
    assert_updates(&b, 1, NULL, 0);
}

static void none_where_not_asked_for(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b);
    add(&b, FTK_OP_INIT, 0);
    add(&b, FTK_OP_TRAIN, 200);
    b.v[1].op.flags = 0;
    assert_updates(&b, 1, NULL, 0);
    b.v[1].op.flags = FTK_TRAIN_DST;
    b.x.topology.enabled = 0;
    assert_updates(&b, 1, NULL, 0);
}

static void units_of_the_interval(void **state)
{
    (void)state;
    const ftk_run run = { .steps_per_epoch = STEPS };
    const ftk_duration step = { .value = 7, .unit = FTK_UNIT_STEP };
    const ftk_duration epoch = { .value = 0.125, .unit = FTK_UNIT_EPOCH };
    const ftk_duration whole = { .value = 0.25, .unit = FTK_UNIT_RUN };
    assert_int_equal(ftk__steps_of(step, &run, 400), 7);
    assert_int_equal(ftk__steps_of(epoch, &run, 400), 13); /* 12.5, away from 0  */
    assert_int_equal(ftk__steps_of(whole, &run, 402), 101);

    struct bench b;
    bench_init(&b);
    b.x.topology.interval = (ftk_duration){ .value = 0.25, .unit = FTK_UNIT_RUN };
    add(&b, FTK_OP_INIT, 0);
    add(&b, FTK_OP_TRAIN, 250);
    UPDATES(&b, 1, 100, 200); /* a quarter of the run's 400, not of the TRAIN's */
}

/* Explore and first refine are one stretch; it begins anew after SAVE and ESCAPE. */
static void cosine_over_its_stretch(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b);
    b.x.topology.schedule = FTK__RATE_COSINE;
    add(&b, FTK_OP_INIT, 0);
    add(&b, FTK_OP_TRAIN, 100);
    add(&b, FTK_OP_TRAIN, 300);
    add(&b, FTK_OP_SAVE, 0);
    add(&b, FTK_OP_ESCAPE, 0);
    add(&b, FTK_OP_TRAIN, 200);
    add(&b, FTK_OP_SAVE, 0);
    for (uint32_t i = 1; i <= 2; i++) {
        const struct ftk__train_schedule s = schedule(&b, i);
        assert_int_equal(s.stretch_from, 0);
        assert_int_equal(s.stretch_to, 400);
        assert_near(ftk__rate_at(&s, 0), 0.5, 1e-15);
        assert_near(ftk__rate_at(&s, 200), 0.3, 1e-15);
        assert_near(ftk__rate_at(&s, 100), 0.1 + 0.4 * (1 + sqrt(0.5)) / 2, 1e-15);
        assert_near(ftk__rate_at(&s, 400), 0.1, 0);
    }
    const struct ftk__train_schedule last = schedule(&b, 5);
    assert_int_equal(last.stretch_from, 400);
    assert_int_equal(last.stretch_to, 600);
    assert_near(ftk__rate_at(&last, 500), 0.3, 1e-15);

    b.x.topology.stop.value = 0.5;
    assert_int_equal(schedule(&b, 1).stretch_to, 100 + 150); /* the last TRAIN's stop */
    b.x.topology.schedule = FTK__RATE_CONSTANT;
    const struct ftk__train_schedule constant = schedule(&b, 1);
    assert_near(ftk__rate_at(&constant, 399), 0.5, 0);
}

/* A TRAIN without a step is none that follows: the updates before it must not be saved. */
static void trains_without_a_step_are_passed_over(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b);
    b.x.topology.schedule = FTK__RATE_COSINE;
    b.x.topology.stop.value = 0.75;
    add(&b, FTK_OP_INIT, 0);
    add(&b, FTK_OP_TRAIN, 200);
    add(&b, FTK_OP_TRAIN, 0);
    add(&b, FTK_OP_SAVE, 0);
    UPDATES(&b, 1, 50, 100, 150);
    assert_int_equal(schedule(&b, 1).stretch_to, 150);
    b.x.topology.stop.value = 1;
    UPDATES(&b, 1, 50, 100, 150);
}

/* SAVE ends a stretch and begins none: INIT, ESCAPE and REWIND do. */
static void a_save_begins_no_stretch(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b);
    add(&b, FTK_OP_INIT, 0);
    add(&b, FTK_OP_TRAIN, 100);
    add(&b, FTK_OP_SAVE, 0);
    add(&b, FTK_OP_TRAIN, 300);
    add(&b, FTK_OP_SAVE, 0);
    assert_int_equal(schedule(&b, 1).stretch_to, 100);
    assert_int_equal(schedule(&b, 3).stretch_from, 0);
    assert_int_equal(schedule(&b, 3).stretch_to, 400);
}

/* Cuts every interval inside the ramp and once exactly at its end, nothing before or after. */
static void ramp(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b);
    add(&b, FTK_OP_INIT, 0);
    add(&b, FTK_OP_TRAIN, 20);
    struct ftk__planned_op *o = add(&b, FTK_OP_TRAIN, 400);
    o->op.flags = FTK_TRAIN_RAMP_GLOBAL;
    o->op.ramp_from = 0.8; /* t 20 + 80                                    */
    o->op.ramp_to = 2.3;   /* t 20 + 230                                   */
    o->op.ramp_density = 0.2;
    o->effect.density_from = 1;
    const struct ftk__train_schedule s = schedule(&b, 2);
    static const uint64_t cuts[] = { 150, 200, 250 };
    size_t found = 0;
    for (uint64_t t = 21; t <= 420; t++) {
        enum ftk__event e = ftk__event_at(&s, t);
        assert_int_not_equal(e, FTK__EVENT_UPDATE);
        if (e != FTK__EVENT_CUT)
            continue;
        assert_true(found < 3);
        assert_int_equal(t, cuts[found++]);
    }
    assert_int_equal(found, 3);
    assert_near(ftk__cut_density(&s, 250), 0.2, 0);
    assert_near(ftk__cut_density(&s, 175), 0.2 + 0.8 * 0.125, 1e-15);
    o->op.ramp_to = 2.17; /* t 237: between two multiples of the interval  */
    const struct ftk__train_schedule odd = schedule(&b, 2);
    assert_int_equal(ftk__event_at(&odd, 237), FTK__EVENT_CUT);
    assert_int_equal(ftk__event_at(&odd, 250), FTK__EVENT_NONE);
}

static void last_gradient_is_kept_for_an_escape(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b);
    add(&b, FTK_OP_INIT, 0);
    add(&b, FTK_OP_TRAIN, 100);
    add(&b, FTK_OP_ESCAPE, 0);
    assert_false(schedule(&b, 1).keep_last_gradient);
    b.x.topology.escape_gradient = FTK__ESCAPE_LAST_BATCH;
    assert_true(schedule(&b, 1).keep_last_gradient);
    assert_int_equal(schedule(&b, 1).end, 100);
    assert_true(ftk__escape_by_last_batch(&b.x, &b.ops, 2));
    b.v[2].op.code = FTK_OP_SAVE;
    assert_false(schedule(&b, 1).keep_last_gradient);
    add(&b, FTK_OP_ESCAPE, 0); /* as in EDST: SAVE only reads                     */
    assert_true(schedule(&b, 1).keep_last_gradient);
    assert_true(ftk__escape_by_last_batch(&b.x, &b.ops, 3));
    b.v[2].op.code = FTK_OP_PRUNE;
    assert_false(schedule(&b, 1).keep_last_gradient);
    assert_false(ftk__escape_by_last_batch(&b.x, &b.ops, 3));
    b.v[2].op.code = FTK_OP_ESCAPE;
    b.x.topology.enabled = 0;
    assert_false(schedule(&b, 1).keep_last_gradient);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(t_runs_through_all_phases),
        cmocka_unit_test(quiet_end_or_not),
        cmocka_unit_test(stop_counts_in_the_train),
        cmocka_unit_test(none_where_not_asked_for),
        cmocka_unit_test(units_of_the_interval),
        cmocka_unit_test(cosine_over_its_stretch),
        cmocka_unit_test(trains_without_a_step_are_passed_over),
        cmocka_unit_test(a_save_begins_no_stretch),
        cmocka_unit_test(ramp),
        cmocka_unit_test(last_gradient_is_kept_for_an_escape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
