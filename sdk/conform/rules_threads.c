/* SPDX-License-Identifier: MIT
 * conform/rules_threads.c - instances at work in several threads at once, and one instance in several.
 */
#include "conform/driver.h"
#include <pthread.h>

enum { THREADS = 8, TURNS = 5 };

struct worker {
    pthread_t id;
    pthread_barrier_t *start;
    struct ftk__case c;    /* its own memory                               */
    struct ftk__subject s; /* its own, or the shared self with its own host */
    const struct ftk__blob *right;
};

static void *work(void *arg)
{
    struct worker *w = arg;
    struct ftk__str why = { 0 };
    pthread_barrier_wait(w->start);
    for (int i = 0; i < TURNS; i++) {
        struct ftk__blob b = { 0 };
        ftk__driver_of(&w->c)->act(&w->c, &w->s, &(struct ftk__how){ 0 }, &b);
        if (!ftk__blob_same(w->right, &b, &why))
            ftk__kit_fail(&w->c, "in one of %d threads: %s", THREADS, why.text);
        ftk__blob_done(&b);
    }
    return NULL;
}

/* `shared`: one self for all; else an instance a thread. */
static void run_threads(struct ftk__case *c, bool shared)
{
    struct worker w[THREADS];
    struct ftk__blob right = { 0 };
    struct ftk__subject one;
    pthread_barrier_t start;
    ftk__subject_new(c, NULL, &one);
    ftk__driver_of(c)->act(c, &one, &(struct ftk__how){ 0 }, &right);
    if (pthread_barrier_init(&start, NULL, THREADS) != 0)
        ftk__kit_broken("no barrier");
    for (int i = 0; i < THREADS; i++) {
        w[i] = (struct worker){ .start = &start, .c = *c, .s = one, .right = &right };
        w[i].c.arena = (struct ftk__arena){ 0 };
        if (shared)
            w[i].s.host = ftk__kit_host_new(0);
        else
            ftk__subject_new(&w[i].c, NULL, &w[i].s);
    }
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&w[i].id, NULL, work, &w[i]) != 0)
            ftk__kit_broken("no thread");
    for (int i = 0; i < THREADS; i++)
        pthread_join(w[i].id, NULL);
}

static void an_instance_each(struct ftk__case *c)
{
    run_threads(c, false);
}

static void one_instance(struct ftk__case *c)
{
    if (!(c->algo->flags & FTK_ALGO_REENTRANT))
        ftk__kit_skip(c, "FTK_ALGO_REENTRANT is not claimed");
    run_threads(c, true);
}

static const struct ftk__rule rules[] = {
    { .id = "THR-01",
      .level = 3,
      .kinds = FTK__ON_ALL_BUT_BACKEND,
      .needs = "DET-01 DET-02 DET-05 LIF-02",
      .title = "8 threads with an instance each: bits as in one",
      .why = "different instances may run at once",
      .fix = "move static variables into the instance or the call",
      .timeout_ms = 20000,
      .run = an_instance_each },
    { .id = "THR-02",
      .level = 3,
      .kinds = FTK__ON_ALL_BUT_BACKEND,
      .needs = "THR-01 STA-01",
      .title = "REENTRANT: 8 threads with one instance: bits as in one",
      .why = "layers are scored in parallel by instances that promise it",
      .fix = "write nothing into the instance during calls, or drop FTK_ALGO_REENTRANT",
      .timeout_ms = 20000,
      .run = one_instance },
};
const struct ftk__rule_family ftk__family_threads = { rules, sizeof(rules) / sizeof(rules[0]) };
