/* SPDX-License-Identifier: MIT
 * bad_common.c - a pruner with an instance, scratch memory and state, and what breaks the rules that
 * hold for every kind.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

struct self {
    float *gain; /* a block of its own                           */
    const float *kept;
    void *lost;
    uint64_t calls, id, layer, step;
    float seen[8];
    bool met_one;
    const void *state[8];
};
struct memory { /* ftk_update.state: a layer's                  */
    uint64_t last_nth, updates;
    float base;
};

#if defined(BAD_LIF_02) || defined(BAD_DET_02)
static uint64_t instances;
#endif
#if defined(BAD_LIF_03)
static bool was_poor;
#endif
#if defined(BAD_THR_01)
static volatile float memo;
#endif
#if defined(BAD_DET_05) && defined(BAD_VARIANT_SHARED)
static float factor;
#endif

#if defined(BAD_THR_01) || defined(BAD_THR_02)
/* Long enough for another thread to come in between, on one core as on many. */
static void linger(void)
{
    for (int i = 0; i < 20; i++)
        sched_yield();
}
#endif

#if defined(BAD_ENV_01)
__attribute__((constructor)) static void at_load(void)
{
    setenv("BAD_ENV_01", "1", 1);
}
#endif

#if defined(BAD_ENV_02) && defined(BAD_VARIANT_THREAD)
static void *sleeper(void *arg)
{
    sleep(60);
    return arg;
}
#endif

#if defined(BAD_ENV_02)
static void disturb(void)
{
#if defined(BAD_VARIANT_FLOAT) && defined(__SSE__)
    _mm_setcsr(_mm_getcsr() | 0x8000); /* denormals become 0 */
#elif defined(BAD_VARIANT_FLOAT)
    fesetround(FE_UPWARD);
#elif defined(BAD_VARIANT_LOCALE)
    setlocale(LC_ALL, "C.UTF-8");
#elif defined(BAD_VARIANT_HANDLER)
    signal(SIGUSR1, SIG_IGN);
#elif defined(BAD_VARIANT_MASK)
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
#elif defined(BAD_VARIANT_UMASK)
    umask(0);
#elif defined(BAD_VARIANT_CWD)
    if (chdir("/") != 0)
        abort();
#elif defined(BAD_VARIANT_ENVIRONMENT)
    setenv("BAD_ENV_02", "1", 1);
#elif defined(BAD_VARIANT_OPENS)
    open("/dev/null", O_RDONLY);
#elif defined(BAD_VARIANT_CLOSES)
    close(3); /* where the verdict goes */
#elif defined(BAD_VARIANT_THREAD)
    pthread_t id;
    if (pthread_create(&id, NULL, sleeper, NULL) != 0)
        abort();
#elif defined(BAD_VARIANT_CHILD)
    if (fork() == 0)
        _exit(0);
#else
    puts("scored");
#endif
}
#endif

static ftk_status create(const ftk_host *h, const void *params, void **ret_self)
{
    (void)params;
    struct self *s = h->alloc(h, sizeof(*s));
    float *gain = h->alloc(h, sizeof(*gain));
    if (!s || !gain) {
#if !(defined(BAD_OOM_01) && defined(BAD_VARIANT_LEAK))
        h->free(h, s);
#endif
        h->free(h, gain);
        return h->fail(h, FTK_ENOMEM, "no memory for an instance");
    }
    *gain = 0.25f;
    s->gain = gain;
#if defined(BAD_LIF_01) && defined(BAD_VARIANT_MALLOC)
    s->lost = malloc(64);
#endif
#if defined(BAD_LIF_02) || defined(BAD_DET_02)
    s->id = instances++;
#endif
#if defined(BAD_DET_05) && defined(BAD_VARIANT_SHARED)
    factor = 1;
#endif
    *ret_self = s;
    return FTK_OK;
}

static void destroy(const ftk_host *h, void *self)
{
    struct self *s = self;
#if !(defined(BAD_LIF_01) && defined(BAD_VARIANT_NULL))
    if (!s)
        return;
#endif
#if defined(BAD_LIF_02)
    instances--;
#endif
#if defined(BAD_LIF_01) && !defined(BAD_VARIANT_MALLOC) && !defined(BAD_VARIANT_CALL) &&           \
    !defined(BAD_VARIANT_NULL)
    s->gain = NULL;
#endif
    h->free(h, s->gain);
    h->free(h, s);
}

/* How often this layer was updated before: 0.25 more for each.  Chunks of one update count once. */
static float remembered(struct self *s, const ftk_layer *l, const ftk_update *u)
{
    struct memory *m = u->state;
    if (m->last_nth != u->nth + 1) {
        m->last_nth = u->nth + 1;
        m->updates++;
    }
    float sum = *s->gain * (float)m->updates;
#if defined(BAD_STA_01)
    if (u->nth == 0)
        s->seen[l->index % 8] = 0;
    s->seen[l->index % 8] += (float)u->step;
    sum += s->seen[l->index % 8];
#elif defined(BAD_STA_02)
    if (u->nth == 0 && s->state[l->index % 8] != u->state) /* another network, it thinks */
        m->base = 1;
    s->state[l->index % 8] = u->state;
    sum += m->base;
#elif defined(BAD_STA_03)
    /* What all layers left at the update before: the sum moves on when a new one begins. */
    if (s->step != u->step) {
        s->seen[0] = u->nth == 0 ? 0 : s->seen[1];
        s->seen[1] = 0;
        s->step = u->step;
    }
    s->seen[1] += (float)(l->index + 1);
    sum += s->seen[0];
#else
    (void)l;
#endif
    return sum;
}

/* What threads share, and what is done to the process. */
static float beside_others(struct self *s, const ftk_layer *l)
{
    (void)s;
    (void)l;
#if defined(BAD_THR_01)
    float mine = (float)l->index;
    memo = mine;
    linger();
    return memo - mine;
#elif defined(BAD_THR_02)
    volatile float *shared = s->seen;
    float mine = (float)l->index;
    *shared = mine;
    linger();
    return *shared - mine;
#elif defined(BAD_ENV_02)
    if (!s->met_one)
        disturb();
    s->met_one = true;
#endif
    return 0;
}

/* What is added to every score, besides what is remembered: nothing where nothing is broken. */
static float astray(const ftk_host *h, struct self *s, const ftk_layer *l, const ftk_cand *c,
                    ftk_update *u, float *score)
{
    (void)h;
    (void)s;
    (void)l;
    (void)c;
    (void)u;
    (void)score;
#if defined(BAD_LIF_01) && defined(BAD_VARIANT_CALL)
    s->lost = h->alloc(h, 16);
#elif defined(BAD_LIF_02)
    return (float)instances;
#elif defined(BAD_LIF_03)
    return was_poor ? 1 : 0;
#elif defined(BAD_MEM_01) && defined(BAD_VARIANT_WRITE)
    score[c->count] = 0;
#elif defined(BAD_MEM_01) && defined(BAD_VARIANT_INPUT)
    if (c->count > 0)
        *(volatile float *)(uintptr_t)c->weight = c->weight[0];
#elif defined(BAD_MEM_01)
    s->seen[7] = c->weight[c->count];
#elif defined(BAD_MEM_02)
    s->seen[7] = c->weight[-1];
#elif defined(BAD_MEM_03)
    if (s->kept)
        s->seen[7] = s->kept[0]; /* of the call before */
    s->kept = c->count > 0 ? c->weight : NULL;
#elif defined(BAD_DET_01)
    return (float)s->calls++;
#elif defined(BAD_DET_02)
    return (float)s->id;
#elif defined(BAD_DET_03) && defined(BAD_VARIANT_ADDRESS)
    return (float)((uintptr_t)remembered >> 12 & 0xffffff);
#elif defined(BAD_DET_03)
    return (float)getpid();
#elif defined(BAD_DET_04)
    bool back = s->met_one && s->step == u->step && l->index < s->layer;
    s->met_one = true;
    s->layer = l->index;
    s->step = u->step;
    return back ? 1 : 0;
#elif defined(BAD_DET_05) && defined(BAD_VARIANT_SHARED)
    return factor;
#elif defined(BAD_DET_05)
    float drawn = (float)rand() / 1e6f;
    srand(1); /* as a fresh process has it */
    return drawn;
#else
    return beside_others(s, l);
#endif
    return 0;
}

static ftk_status no_scratch(const ftk_host *h, const ftk_cand *c)
{
    (void)h;
    (void)c;
#if defined(BAD_ERR_01) && defined(BAD_VARIANT_LINES)
    return h->fail(h, FTK_ENOMEM, "no memory\nfor %llu scores", (unsigned long long)c->count);
#elif defined(BAD_ERR_01)
    return FTK_ENOMEM;
#else
    return h->fail(h, FTK_ENOMEM, "no memory for %llu scores", (unsigned long long)c->count);
#endif
}

static ftk_status score(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                        ftk_update *u, float *ret_score)
{
    struct self *s = self;
#if defined(BAD_ABI_07) && defined(BAD_VARIANT_HOST)
    if (h->size != sizeof(*h))
        return h->fail(h, FTK_EABI, "a host of %u bytes", h->size);
#elif defined(BAD_ABI_07)
    if (c->size != sizeof(*c))
        return h->fail(h, FTK_EABI, "candidates of %u bytes", c->size);
#endif
    float *size = h->scratch(h, c->count * sizeof(*size));
#if defined(BAD_LIF_03)
    was_poor = was_poor || !size;
#endif
#if defined(BAD_OOM_01) && !defined(BAD_VARIANT_LEAK)
    if (!size)
        size = ret_score; /* and does without */
#endif
    if (!size)
        return no_scratch(h, c);
    float more = remembered(s, l, u) + astray(h, s, l, c, u, ret_score);
    for (uint64_t i = 0; i < c->count; i++)
        size[i] = fabsf(c->weight[i]);
    for (uint64_t i = 0; i < c->count; i++)
        ret_score[i] = size[i] + more;
#if defined(BAD_DET_06) && !defined(BAD_VARIANT_CLAIM)
    for (uint64_t i = 0; i < c->count; i++)
        ret_score[i] += (float)h->rng_uniform(&u->rng);
#endif
    return FTK_OK;
}

static const ftk_prune_ops ops = {
    .size = sizeof(ops),
    .channels = FTK_CH_WEIGHT,
#if defined(BAD_DET_06) && defined(BAD_VARIANT_CLAIM)
    .props = FTK_PROP_RANDOM,
#endif
    .score = score,
};
static const ftk_algo common = {
    .size = sizeof(common),
    .kind = FTK_KIND_PRUNE,
    .name = "common",
    .summary = "drops the weights closest to zero",
    .reference = "none",
#if defined(BAD_THR_02)
    .flags = FTK_ALGO_REENTRANT,
#endif
    .state_bytes = sizeof(struct memory),
    .ops = &ops,
    .create = create,
    .destroy = destroy,
};

#if defined(BAD_DET_05) && defined(BAD_VARIANT_SHARED)
static ftk_status create_other(const ftk_host *h, const void *params, void **ret_self)
{
    (void)h;
    (void)params;
    (void)ret_self;
    factor = 2;
    return FTK_OK;
}

static void destroy_other(const ftk_host *h, void *self)
{
    (void)h;
    (void)self;
}

static ftk_status score_other(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                              ftk_update *u, float *ret_score)
{
    (void)h;
    (void)self;
    (void)l;
    (void)u;
    for (uint64_t i = 0; i < c->count; i++)
        ret_score[i] = c->weight[i];
    return FTK_OK;
}

static const ftk_prune_ops other_ops = {
    .size = sizeof(other_ops),
    .channels = FTK_CH_WEIGHT,
    .props = FTK_PROP_ELEMENTWISE,
    .score = score_other,
};
static const ftk_algo other = {
    .size = sizeof(other),
    .kind = FTK_KIND_PRUNE,
    .name = "other",
    .summary = "drops the most negative weights",
    .reference = "none",
    .ops = &other_ops,
    .create = create_other,
    .destroy = destroy_other,
};
FTK_PLUGIN("org.example.common", "1.0.0", "MIT", &common, &other);
#else
FTK_PLUGIN("org.example.common", "1.0.0", "MIT", &common);
#endif
