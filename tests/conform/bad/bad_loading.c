/* SPDX-License-Identifier: MIT
 * tests/conform/bad - a constructor that changes the process it is loaded into.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(BAD_VARIANT_SIGNAL)
static void ignore(int number)
{
    (void)number;
}
#endif
#if defined(BAD_VARIANT_THREAD)
static void *wait_for_ever(void *none)
{
    for (;;)
        pause();
    return none;
}
#endif

#if defined(BAD_ENV_01)
__attribute__((constructor)) static void change(void)
{
#if defined(BAD_VARIANT_PRINT)
    puts("square is loaded");
#elif defined(BAD_VARIANT_UMASK)
    umask(0);
#elif defined(BAD_VARIANT_ENVIRONMENT)
    setenv("OMP_NUM_THREADS", "1", 1);
    setenv("SQUARE_WAS_HERE", "1", 1);
#elif defined(BAD_VARIANT_LOCALE)
    setlocale(LC_ALL, "C.UTF-8");
#elif defined(BAD_VARIANT_ROUNDING)
    fesetround(FE_UPWARD);
#elif defined(BAD_VARIANT_SIGNAL)
    signal(SIGUSR1, ignore);
#elif defined(BAD_VARIANT_MASK)
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
#elif defined(BAD_VARIANT_DESCRIPTOR)
    (void)!open("/dev/null", O_RDONLY);
#elif defined(BAD_VARIANT_THREAD)
    pthread_t thread;
    pthread_create(&thread, NULL, wait_for_ever, NULL);
#elif defined(BAD_VARIANT_CHILD)
    if (fork() == 0)
        for (;;)
            pause();
#else
    (void)!chdir("/");
#endif
}
#endif

static ftk_status score(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                        ftk_update *u, float *score)
{
    (void)h, (void)self, (void)l, (void)u;
    for (uint64_t i = 0; i < c->count; i++)
        score[i] = c->weight[i] * c->weight[i];
    return FTK_OK;
}
static const ftk_prune_ops ops = { .size = sizeof(ops), .channels = FTK_CH_WEIGHT, .score = score };
static const ftk_algo square = { .size = sizeof(square),
                                 .kind = FTK_KIND_PRUNE,
                                 .name = "square",
                                 .summary = "square of the weight",
                                 .reference = "",
                                 .ops = &ops };
FTK_PLUGIN("org.freetickets.zoo.loading", "1.0.0", "MIT", &square);
