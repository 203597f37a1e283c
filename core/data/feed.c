/* SPDX-License-Identifier: MIT
 * data/feed.c - batches prepared ahead by one thread, in a ring of a few.
 *
 * The thread makes the batches that follow a start key: positions 0, 1, ... of a run, each in slot
 * position % RING.  The caller takes them in order; asking for any other key starts a new run.  A
 * batch is a function of its key alone, so what the thread did before never shows.  All
 * memory is there from the start, so preparing cannot fail.
 */
#include "base/mem.h"
#include "data/dataset_parts.h"
#include "data/order.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

enum { RING = 4 };

struct slot {
    ftk_batch batch;
    float *x;   // [batch_size][c][h][w]
    int32_t *y; // [batch_size]
};

struct ftk__feed {
    const struct ftk__dataset *data;
    struct ftk__scale scale;
    uint64_t floats; /* of an image                                  */
    uint64_t n_batches;
    uint32_t batch_size;
    struct slot slot[RING];

    /* Used by the thread alone. */
    uint32_t *order; // [n] of the pass below
    struct ftk__feed_key order_key;
    bool order_valid;

    pthread_t thread;
    bool started;               /* there is a thread and what it locks          */
    pthread_mutex_t lock;       /* guards all below                             */
    pthread_cond_t work, ready; /* there is something to make; to take          */
    bool stop, running;         /* running: there is a run                      */
    uint64_t run;               /* number of the run                            */
    uint64_t made, taken;       /* batches of the run; the last taken is in use */
    struct ftk__feed_key next_made, last_taken;
};

static struct ftk__feed_key key_after(const struct ftk__feed *f, struct ftk__feed_key key)
{
    key.batch++;
    if (key.batch == f->n_batches) {
        key.batch = 0;
        key.pass++;
    }
    return key;
}

static bool same_pass(const struct ftk__feed_key *a, const struct ftk__feed_key *b)
{
    return a->member == b->member && a->pass == b->pass && a->reseed == b->reseed;
}

static bool same_key(const struct ftk__feed_key *a, const struct ftk__feed_key *b)
{
    return same_pass(a, b) && a->batch == b->batch;
}

static void prepare(struct ftk__feed *f, const struct ftk__feed_key *key, struct slot *s)
{
    const struct ftk__images *im = &f->data->train;
    const struct ftk__augment *augment = &f->data->augment;
    uint64_t pass = key->pass + key->reseed;
    if (!f->order_valid || !same_pass(&f->order_key, key)) {
        ftk__order_draw(augment->seed, key->member, pass, (uint32_t)im->n, f->order);
        f->order_key = *key;
        f->order_valid = true;
    }
    uint64_t from = key->batch * f->batch_size;
    uint64_t left = im->n - from;
    uint32_t count = left < f->batch_size ? (uint32_t)left : f->batch_size;
    for (uint32_t i = 0; i < count; i++) {
        ftk_sample sample = { .index = f->order[from + i] };
        ftk__augment_draw(augment, key->member, pass, sample.index, &sample);
        ftk__augment_apply(im, augment->fill, &sample, &f->scale, s->x + i * f->floats);
        s->y[i] = im->label[sample.index];
    }
    s->batch = (ftk_batch){
        .size = sizeof s->batch,
        .count = count,
        .heads = 1,
        .x = s->x,
        .y = s->y,
    };
}

/* The batch in use, if any, keeps its slot. */
static bool has_room(const struct ftk__feed *f)
{
    uint64_t oldest = f->taken > 0 ? f->taken - 1 : 0;
    return f->running && f->made < oldest + RING;
}

static void *produce(void *arg)
{
    struct ftk__feed *f = arg;
    pthread_mutex_lock(&f->lock);
    while (!f->stop) {
        if (!has_room(f)) {
            pthread_cond_wait(&f->work, &f->lock);
            continue;
        }
        uint64_t run = f->run;
        struct ftk__feed_key key = f->next_made;
        struct slot *s = &f->slot[f->made % RING];
        pthread_mutex_unlock(&f->lock);
        prepare(f, &key, s);
        pthread_mutex_lock(&f->lock);
        if (f->run != run)
            continue; /* not wanted any more; the new run begins in its slot 0 */
        f->made++;
        f->next_made = key_after(f, key);
        pthread_cond_signal(&f->ready);
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

static ftk_status alloc_buffers(struct ftk__feed *f, struct ftk_error *reterr)
{
    f->order = ftk__alloc_array(f->data->train.n, sizeof *f->order);
    bool ok = f->order != NULL;
    for (uint32_t i = 0; i < RING && ok; i++) {
        f->slot[i].x = ftk__alloc_array(f->floats * f->batch_size, sizeof(float));
        f->slot[i].y = ftk__alloc_array(f->batch_size, sizeof(int32_t));
        ok = f->slot[i].x && f->slot[i].y;
    }
    if (ok)
        return FTK_OK;
    return ftk__fail(reterr, FTK_ENOMEM, "out of memory for %d batches of %u images", RING,
                     f->batch_size);
}

/* The thread inherits a mask that blocks everything: signals are for the main thread. */
static ftk_status start_thread(struct ftk__feed *f, struct ftk_error *reterr)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->work, NULL);
    pthread_cond_init(&f->ready, NULL);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&f->thread, NULL, produce, f);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0) {
        f->started = true;
        return FTK_OK;
    }
    pthread_cond_destroy(&f->ready);
    pthread_cond_destroy(&f->work);
    pthread_mutex_destroy(&f->lock);
    return ftk__fail(reterr, FTK_ENOMEM, "cannot start the thread that prepares batches: %s",
                     strerror(rc));
}

ftk_status ftk__feed_open(const struct ftk__dataset *d, uint32_t batch_size, struct ftk__feed **ret,
                          struct ftk_error *reterr)
{
    const struct ftk__images *im = &d->train;
    if (batch_size == 0 || batch_size > im->n)
        return ftk__fail(reterr, FTK_EINVAL,
                         "data.batch %u is not within 1 to %llu, the number of training images",
                         batch_size, (unsigned long long)im->n);
    struct ftk__feed *f = ftk__alloc(sizeof *f);
    if (!f)
        return ftk__fail(reterr, FTK_ENOMEM, "out of memory for the data feed");
    f->data = d;
    f->batch_size = batch_size;
    f->n_batches = (im->n + batch_size - 1) / batch_size;
    f->floats = (uint64_t)im->shape[0] * im->shape[1] * im->shape[2];
    ftk__scale_set(&f->scale, im);
    ftk_status st = alloc_buffers(f, reterr);
    if (st == FTK_OK)
        st = start_thread(f, reterr);
    if (st == FTK_OK)
        *ret = f;
    else
        ftk__feed_close(f);
    return st;
}

void ftk__feed_close(struct ftk__feed *f)
{
    if (!f)
        return;
    if (f->started) {
        pthread_mutex_lock(&f->lock);
        f->stop = true;
        pthread_cond_signal(&f->work);
        pthread_mutex_unlock(&f->lock);
        pthread_join(f->thread, NULL);
        pthread_cond_destroy(&f->ready);
        pthread_cond_destroy(&f->work);
        pthread_mutex_destroy(&f->lock);
    }
    for (uint32_t i = 0; i < RING; i++) {
        ftk__free(f->slot[i].x);
        ftk__free(f->slot[i].y);
    }
    ftk__free(f->order);
    ftk__free(f);
}

uint64_t ftk__feed_batches(const struct ftk__feed *f)
{
    return f->n_batches;
}

/* With the lock held. */
static void begin_run(struct ftk__feed *f, const struct ftk__feed_key *key)
{
    f->running = true;
    f->run++;
    f->made = 0;
    f->taken = 0;
    f->next_made = *key;
}

/* With the lock held: takes the batch at `key`, from the run if it comes next in it. */
static void take(struct ftk__feed *f, const struct ftk__feed_key *key)
{
    struct ftk__feed_key expected = key_after(f, f->last_taken);
    if (f->taken == 0 || !same_key(&expected, key))
        begin_run(f, key);
    f->last_taken = *key;
    f->taken++;
    pthread_cond_signal(&f->work);
    while (f->made < f->taken)
        pthread_cond_wait(&f->ready, &f->lock);
}

ftk_status ftk__feed_get(struct ftk__feed *f, const struct ftk__feed_key *key,
                         const ftk_batch **ret, struct ftk_error *reterr)
{
    if (key->batch >= f->n_batches)
        return ftk__fail(reterr, FTK_ERANGE, "batch %llu of a pass of %llu",
                         (unsigned long long)key->batch, (unsigned long long)f->n_batches);
    pthread_mutex_lock(&f->lock);
    if (f->taken == 0 || !same_key(&f->last_taken, key))
        take(f, key);
    *ret = &f->slot[(f->taken - 1) % RING].batch;
    pthread_mutex_unlock(&f->lock);
    return FTK_OK;
}
