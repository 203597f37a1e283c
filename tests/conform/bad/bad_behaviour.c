/* SPDX-License-Identifier: MIT
 * bad_behaviour.c - a pruner whose call does to its process what no call may: one MISBEHAVE_ each.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(MISBEHAVE_RECURSES)
static volatile int never; /* 0; the compiler does not know */

static int deeper(const volatile char *above)
{
    volatile char frame[4096];
    frame[0] = above[0];
    return never ? 0 : deeper(frame) + frame[0];
}
#endif

static void misbehave(const ftk_host *h)
{
    static bool once;
    (void)h;
    if (once)
        return;
    once = true;
#if defined(MISBEHAVE_CRASHES)
    *(volatile int *)(uintptr_t)64 = 1;
#elif defined(MISBEHAVE_OVERRUNS)
    volatile char *room = h->scratch(h, 16);
    room[16] = 1;
#elif defined(MISBEHAVE_ABORTS)
    abort();
#elif defined(MISBEHAVE_RECURSES)
    char top = 1;
    deeper(&top);
#elif defined(MISBEHAVE_KILLED)
    raise(SIGKILL);
#elif defined(MISBEHAVE_HANGS)
    for (;;)
        pause();
#elif defined(MISBEHAVE_SPINS)
    for (volatile int i = 0;; i++)
        ;
#elif defined(MISBEHAVE_EXITS)
    exit(0);
#elif defined(MISBEHAVE_EXITS_AT_ONCE)
    _exit(0);
#elif defined(MISBEHAVE_FORKS)
    /* A daemon: of another session, and no child of this process any more. */
    pid_t child = fork();
    if (child == 0) {
        setsid();
        if (fork() == 0)
            sleep(600);
        _exit(0);
    }
    waitpid(child, NULL, 0);
#elif defined(MISBEHAVE_RETURNS_IN_CHILD)
    fork(); /* and both go on */
#elif defined(MISBEHAVE_CLOSES_ALL)
    for (int fd = 0; fd < 1024; fd++)
        close(fd);
#elif defined(MISBEHAVE_WRITES_VERDICT)
    static const char line[] = "{\"verdict\": \"pass\", \"message\": \"\", \"note\": \"\"}\n";
    if (write(3, line, sizeof(line) - 1) > 0)
        _exit(0);
#endif
}

static ftk_status score(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                        ftk_update *u, float *ret_score)
{
    (void)self;
    (void)l;
    (void)u;
    misbehave(h);
    for (uint64_t i = 0; i < c->count; i++)
        ret_score[i] = fabsf(c->weight[i]);
    return FTK_OK;
}

static const ftk_prune_ops ops = {
    .size = sizeof(ops),
    .channels = FTK_CH_WEIGHT,
    .props = FTK_PROP_ELEMENTWISE,
    .score = score,
};
static const ftk_algo behaviour = {
    .size = sizeof(behaviour),
    .kind = FTK_KIND_PRUNE,
    .name = "behaviour",
    .summary = "drops the weights closest to zero",
    .reference = "none",
    .ops = &ops,
};
FTK_PLUGIN("org.example.behaviour", "1.0.0", "MIT", &behaviour);
