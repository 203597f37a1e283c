/* SPDX-License-Identifier: MIT
 * test_feed.c - data/feed.c: batches against a plain computation, in any order of asking.
 */
#include "builtin_case.h"
#include "data/augment.h"
#include "data/order.h"
#include "oom.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { N = 23, BATCH = 5, BATCHES = 5, LAST = 3, FLOATS = 2 * 6 * 7, VALIDATION = 4 };

static void make_case(struct data_case *c)
{
    data_case_synthetic(c, 2, 6, 7, 3, N + VALIDATION, 1);
    c->q.validation = VALIDATION;
    c->q.augment = FTK__MODE_STANDARD;
}

static struct ftk__dataset *open_data(void)
{
    struct data_case c;
    struct ftk__dataset *d = NULL;
    make_case(&c);
    assert_int_equal(ftk__dataset_open(&c.q, &d, NULL), FTK_OK);
    return d;
}

static struct ftk__feed *open_feed(const struct ftk__dataset *d)
{
    struct ftk__feed *f = NULL;
    assert_int_equal(ftk__feed_open(d, BATCH, &f, NULL), FTK_OK);
    assert_int_equal(ftk__feed_batches(f), BATCHES);
    return f;
}

/* The batch at `key` as order.c and augment.c make it, without feed.c. */
static void assert_batch(const struct ftk__dataset *d, const struct ftk__feed_key *key,
                         const ftk_batch *b)
{
    const struct ftk__images *im = ftk__dataset_train(d);
    struct ftk__augment augment = { FTK__MODE_STANDARD, FTK__FILL_REFLECT, 17 };
    struct ftk__scale scale;
    uint32_t order[N];
    ftk__scale_set(&scale, im);
    ftk__order_draw(17, key->member, key->pass + key->reseed, N, order);
    assert_int_equal(b->size, sizeof *b);
    assert_int_equal(b->count, key->batch == BATCHES - 1 ? LAST : BATCH);
    assert_int_equal(b->heads, 1);
    assert_null(b->sample);
    assert_int_equal(b->rng.key[0] | b->rng.key[1] | b->rng.counter, 0);
    for (uint32_t i = 0; i < b->count; i++) {
        float x[FLOATS];
        ftk_sample s = { .index = order[key->batch * BATCH + i] };
        ftk__augment_draw(&augment, key->member, key->pass + key->reseed, s.index, &s);
        ftk__augment_apply(im, FTK__FILL_REFLECT, &s, &scale, x);
        assert_memory_equal(b->x + i * FLOATS, x, sizeof x);
        assert_int_equal(b->y[i], im->label[s.index]);
    }
}

static void get(const struct ftk__dataset *d, struct ftk__feed *f, struct ftk__feed_key key)
{
    const ftk_batch *b = NULL;
    assert_int_equal(ftk__feed_get(f, &key, &b, NULL), FTK_OK);
    assert_batch(d, &key, b);
}

static void in_order(void **state)
{
    (void)state;
    struct ftk__dataset *d = open_data();
    struct ftk__feed *f = open_feed(d);
    for (uint64_t pass = 0; pass < 10; pass++)
        for (uint64_t batch = 0; batch < BATCHES; batch++)
            get(d, f, (struct ftk__feed_key){ 1, pass, 0, batch });
    ftk__feed_close(f);
    ftk__dataset_close(d);
}

static void in_any_order(void **state)
{
    (void)state;
    struct ftk__dataset *d = open_data();
    struct ftk__feed *f = open_feed(d);
    uint32_t x = 1;
    struct ftk__feed_key key = { 0 };
    for (uint32_t i = 0; i < 3000; i++) {
        x = x * 1664525u + 1013904223u;
        uint32_t what = x >> 24;
        if (what < 128) { /* the next one of the pass */
            key.batch = (key.batch + 1) % BATCHES;
            key.pass += key.batch == 0;
        } else if (what < 220) {
            key.member = what % 3;
            key.pass = (x >> 16) % 4;
            key.reseed = (x >> 12) % 2;
            key.batch = (x >> 8) % BATCHES;
        } /* else the same again */
        get(d, f, key);
    }
    ftk__feed_close(f);
    ftk__dataset_close(d);
}

/* What was given stays as it is while the thread goes on. */
static void a_batch_stays_until_the_next_call(void **state)
{
    (void)state;
    struct ftk__dataset *d = open_data();
    struct ftk__feed *f = open_feed(d);
    for (uint64_t batch = 0; batch < BATCHES; batch++) {
        struct ftk__feed_key key = { 0, 0, 0, batch };
        const ftk_batch *b = NULL;
        const ftk_batch *again = NULL;
        assert_int_equal(ftk__feed_get(f, &key, &b, NULL), FTK_OK);
        usleep(3000); /* time to fill the ring */
        assert_batch(d, &key, b);
        assert_int_equal(ftk__feed_get(f, &key, &again, NULL), FTK_OK);
        assert_ptr_equal(b, again);
    }
    ftk__feed_close(f);
    ftk__dataset_close(d);
}

static void two_feeds_share_a_data_set(void **state)
{
    (void)state;
    struct ftk__dataset *d = open_data();
    struct ftk__feed *one = open_feed(d);
    struct ftk__feed *two = open_feed(d);
    for (uint64_t batch = 0; batch < BATCHES; batch++) {
        get(d, one, (struct ftk__feed_key){ 0, 3, 0, batch });
        get(d, two, (struct ftk__feed_key){ 1, 0, 1, BATCHES - 1 - batch });
    }
    ftk__feed_close(one);
    ftk__feed_close(two);
    ftk__dataset_close(d);
}

static void reseed_and_member_change_the_batch(void **state)
{
    (void)state;
    struct ftk__dataset *d = open_data();
    struct ftk__feed *f = open_feed(d);
    const struct ftk__feed_key keys[] = {
        { 0, 0, 0, 0 }, { 1, 0, 0, 0 }, { 0, 1, 0, 0 }, { 0, 0, 7, 0 }
    };
    float x[4][BATCH * FLOATS];
    for (uint32_t i = 0; i < 4; i++) {
        const ftk_batch *b = NULL;
        assert_int_equal(ftk__feed_get(f, &keys[i], &b, NULL), FTK_OK);
        memcpy(x[i], b->x, sizeof x[i]);
        for (uint32_t j = 0; j < i; j++)
            assert_memory_not_equal(x[i], x[j], sizeof x[i]);
    }
    ftk__feed_close(f);
    ftk__dataset_close(d);
}

static void closing_while_it_works(void **state)
{
    (void)state;
    struct ftk__dataset *d = open_data();
    for (uint32_t i = 0; i < 50; i++) {
        struct ftk__feed *f = open_feed(d);
        if (i % 2)
            get(d, f, (struct ftk__feed_key){ 0, i, 0, 0 });
        ftk__feed_close(f);
    }
    ftk__feed_close(NULL);
    ftk__dataset_close(d);
}

static void wrong_requests_are_refused(void **state)
{
    (void)state;
    struct ftk__dataset *d = open_data();
    struct ftk__feed *f = NULL;
    struct ftk_error err;
    assert_int_equal(ftk__feed_open(d, 0, &f, &err), FTK_EINVAL);
    assert_int_equal(ftk__feed_open(d, N + 1, &f, &err), FTK_EINVAL);
    assert_string_equal(err.message,
                        "data.batch 24 is not within 1 to 23, the number of training images");
    assert_null(f);
    f = open_feed(d);
    const ftk_batch *b = NULL;
    struct ftk__feed_key key = { 0, 0, 0, BATCHES };
    assert_int_equal(ftk__feed_get(f, &key, &b, &err), FTK_ERANGE);
    assert_null(b);
    ftk__feed_close(f);
    ftk__dataset_close(d);
}

/* All threads but this one must leave signals alone; /proc tells their masks. */
static void the_thread_blocks_signals(void **state)
{
    (void)state;
    struct ftk__dataset *d = open_data();
    sigset_t before;
    sigset_t after;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    struct ftk__feed *f = open_feed(d);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    for (int s = 1; s < 32; s++)
        assert_int_equal(sigismember(&before, s), sigismember(&after, s));
    sigset_t usr;
    sigset_t pending;
    sigemptyset(&usr);
    sigaddset(&usr, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr, NULL);
    assert_int_equal(kill(getpid(), SIGUSR1), 0); /* would end the program if any thread took it */
    get(d, f, (struct ftk__feed_key){ 0, 0, 0, 0 });
    assert_int_equal(sigpending(&pending), 0);
    assert_int_equal(sigismember(&pending, SIGUSR1), 1);
    int taken;
    assert_int_equal(sigwait(&usr, &taken), 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    ftk__feed_close(f);
    ftk__dataset_close(d);
}

static ftk_status open_and_get(void *arg)
{
    struct ftk__feed *f = NULL;
    ftk_status st = ftk__feed_open(arg, BATCH, &f, NULL);
    const struct ftk__feed_key key = { 0 };
    const ftk_batch *b;
    if (st == FTK_OK)
        st = ftk__feed_get(f, &key, &b, NULL);
    ftk__feed_close(f);
    return st;
}

static void memory_failures_are_reported(void **state)
{
    (void)state;
    struct ftk__dataset *d = open_data();
    assert_int_equal(ftk_oom_sweep(open_and_get, d, 1), 10);
    ftk__dataset_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order),
        cmocka_unit_test(in_any_order),
        cmocka_unit_test(a_batch_stays_until_the_next_call),
        cmocka_unit_test(two_feeds_share_a_data_set),
        cmocka_unit_test(reseed_and_member_change_the_batch),
        cmocka_unit_test(closing_while_it_works),
        cmocka_unit_test(wrong_requests_are_refused),
        cmocka_unit_test(the_thread_blocks_signals),
        cmocka_unit_test(memory_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
