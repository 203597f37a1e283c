/* SPDX-License-Identifier: MIT
 * conform/guard.c - guarded buffers and the fault handler that names them.
 *
 * The table is the process's own: a signal handler has no argument to find it by.  It is append-only
 * with dropped entries marked, so that the handler may read it at any time.
 */
#include "conform/guard.h"
#include "conform/cause.h"
#include "conform/verdict.h"
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, SLACK = 0xC3, FIRST_CAP = 1024, LIMBO = 1024, LIMBO_BYTES = 1024 * 1024 };

struct guard {
    const char *name;
    char *map, *base; /* the mapping; what the plugin was given       */
    uint64_t map_bytes, bytes;
    bool read_only, dropped, roomy;
    const void *thread; /* whose it is                                  */
};
static _Thread_local char me; /* its address tells threads apart              */
static struct guard *guards;
static uint32_t n_guards, cap_guards;
/* The last dropped buffers: their places stay taken, or the next buffer would lie where a plugin that
 * kept a pointer looks, and nothing would be noticed. */
static struct guard limbo[LIMBO]; // [n_limbo % LIMBO] is the oldest
static uint32_t n_limbo;
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static int verdict_out = STDERR_FILENO;

static struct guard *new_row(void)
{
    if (n_guards == cap_guards) {
        uint32_t cap = cap_guards > 0 ? 2 * cap_guards : FIRST_CAP;
        struct guard *grown = ftk__alloc_array(cap, sizeof(*grown));
        if (!grown)
            ftk__kit_broken("no memory for %u guarded buffers", cap);
        if (n_guards > 0)
            memcpy(grown, guards, n_guards * sizeof(*grown));
        guards = grown; /* the former stays: a handler may be reading it */
        cap_guards = cap;
    }
    return &guards[n_guards];
}

static void protect(const struct guard *g, int how)
{
    uint64_t body = g->map_bytes - 2 * PAGE;
    if (body > 0 && mprotect(g->map + PAGE, body, how) != 0)
        ftk__kit_broken("mprotect of %llu bytes", (unsigned long long)body);
}

void *ftk__guard_new(const char *name, uint64_t bytes, uint32_t align, enum ftk__side side,
                     uint8_t fill)
{
    uint64_t room = side == FTK__ROOMY ? 2 * PAGE : 0;
    uint64_t body = (bytes + PAGE - 1) / PAGE * PAGE + 2 * room;
    char *map =
        mmap(NULL, body + 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        ftk__kit_broken("no memory for buffer '%s' of %llu bytes", name, (unsigned long long)bytes);
    if (mprotect(map, PAGE, PROT_NONE) != 0 || mprotect(map + PAGE + body, PAGE, PROT_NONE) != 0)
        ftk__kit_broken("cannot guard buffer '%s'", name);
    uint64_t slack = side == FTK__AT_END ? (body - bytes) / align * align : room;
    if (body > 0) {
        memset(map + PAGE, SLACK, body);
        memset(map + PAGE + slack, fill, bytes);
    }
    pthread_mutex_lock(&table_lock);
    struct guard *g = new_row();
    *g = (struct guard){
        .name = name,
        .map = map,
        .base = map + PAGE + slack,
        .map_bytes = body + 2 * PAGE,
        .bytes = bytes,
        .roomy = side == FTK__ROOMY,
        .thread = &me,
    };
    n_guards++;
    pthread_mutex_unlock(&table_lock);
    return map + PAGE + slack;
}

/* The newest first: a dropped buffer's place may have been mapped again. */
static struct guard *find(const void *p)
{
    for (uint32_t i = n_guards; i > 0; i--)
        if (guards[i - 1].base == p && !guards[i - 1].dropped)
            return &guards[i - 1];
    ftk__kit_broken("%p is no guarded buffer", p);
}

void ftk__guard_read_only(const void *p)
{
    pthread_mutex_lock(&table_lock);
    struct guard *g = find(p);
    if (!g->roomy)
        protect(g, PROT_READ);
    g->read_only = true;
    pthread_mutex_unlock(&table_lock);
}

void ftk__guard_writable(void *p)
{
    pthread_mutex_lock(&table_lock);
    struct guard *g = find(p);
    protect(g, PROT_READ | PROT_WRITE);
    g->read_only = false;
    pthread_mutex_unlock(&table_lock);
}

/* The first byte around the buffer that is not the pattern any more; 0 offsets cannot be. */
static bool slack_written(const struct guard *g, int64_t *ret_offset)
{
    const char *body = g->map + PAGE;
    const char *end = g->map + g->map_bytes - PAGE;
    for (const char *p = body; p < end; p++) {
        if (p == g->base && g->bytes > 0) {
            p += g->bytes - 1;
            continue;
        }
        if ((unsigned char)*p != SLACK) {
            *ret_offset = p - g->base;
            return true;
        }
    }
    return false;
}

void ftk__guard_check(struct ftk__case *c)
{
    pthread_mutex_lock(&table_lock);
    for (uint32_t i = 0; i < n_guards; i++) {
        const struct guard *g = &guards[i];
        int64_t offset;
        if (g->dropped || g->read_only || g->roomy || !slack_written(g, &offset))
            continue;
        ftk__verdict_cause(FTK__CAUSE_BOUNDS);
        ftk__kit_fail(c, "buffer '%s' (%llu bytes): byte %lld was written, outside of it", g->name,
                      (unsigned long long)g->bytes, (long long)offset);
    }
    pthread_mutex_unlock(&table_lock);
}

static void drop(struct guard *g)
{
    const int fresh = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    g->dropped = true;
    if (g->map_bytes > LIMBO_BYTES ||
        mmap(g->map, g->map_bytes, PROT_NONE, fresh, -1, 0) == MAP_FAILED) {
        munmap(g->map, g->map_bytes);
        return;
    }
    struct guard *place = &limbo[n_limbo++ % LIMBO];
    if (place->map)
        munmap(place->map, place->map_bytes);
    *place = *g;
}

/* Dropped rows at the end are given back, so that loops do not grow the table. */
static void trim(void)
{
    while (n_guards > 0 && guards[n_guards - 1].dropped)
        n_guards--;
}

void ftk__guard_drop(void *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&table_lock);
    drop(find(p));
    trim();
    pthread_mutex_unlock(&table_lock);
}

uint32_t ftk__guard_mark(void)
{
    pthread_mutex_lock(&table_lock);
    uint32_t mark = n_guards;
    pthread_mutex_unlock(&table_lock);
    return mark;
}

void ftk__guard_release(uint32_t mark)
{
    pthread_mutex_lock(&table_lock);
    for (uint32_t i = mark; i < n_guards; i++)
        if (!guards[i].dropped && guards[i].thread == &me)
            drop(&guards[i]);
    trim();
    pthread_mutex_unlock(&table_lock);
}

/* ---- faults ----------------------------------------------------------------------------------- */

static const struct guard *guard_of(const char *address)
{
    for (uint32_t i = n_guards; i > 0; i--) {
        const struct guard *g = &guards[i - 1];
        if (address >= g->map && address < g->map + g->map_bytes)
            return g;
    }
    for (uint32_t i = 0; i < LIMBO; i++)
        if (limbo[i].map && address >= limbo[i].map && address < limbo[i].map + limbo[i].map_bytes)
            return &limbo[i];
    return NULL;
}

static void describe(char *text, size_t cap, int sig, const char *address)
{
    const struct guard *g = sig == SIGSEGV || sig == SIGBUS ? guard_of(address) : NULL;
    if (sig == SIGABRT) {
        snprintf(text, cap, "signal %d (%s)", sig, strsignal(sig));
        return;
    }
    if (!g) {
        bool memory = sig == SIGSEGV || sig == SIGBUS;
        if (memory && (uintptr_t)address < PAGE)
            ftk__verdict_cause(FTK__CAUSE_NULL);
        snprintf(text, cap, "signal %d (%s) at address %p", sig, strsignal(sig),
                 (const void *)address);
        return;
    }
    long long offset = address - g->base;
    bool inside = offset >= 0 && (uint64_t)offset < g->bytes;
    const char *what = "read or written outside of it";
    const char *cause = FTK__CAUSE_BOUNDS;
    if (g->dropped) {
        what = "used after the call it was lent for";
        cause = FTK__CAUSE_KEPT;
    } else if (inside) {
        what = "read-only input written";
        cause = FTK__CAUSE_INPUT;
    }
    ftk__verdict_cause(cause);
    snprintf(text, cap, "buffer '%s' (%llu bytes), byte %lld: %s", g->name,
             (unsigned long long)g->bytes, offset, what);
}

/* snprintf is not on the list of what a handler may call, but the process ends here in any case,
 * and at the parent's deadline if this hangs. */
static void on_fault(int sig, siginfo_t *info, void *context)
{
    char text[512];
    (void)context;
    describe(text, sizeof(text), sig, info->si_addr);
    ftk__verdict_send(verdict_out, FTK__CRASHED, text);
}

void ftk__guard_handle_faults(struct ftk__case *c)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
    enum { STACK = 64 * 1024 };
    stack_t stack = { .ss_sp = ftk__alloc(STACK), .ss_size = STACK };
    if (!stack.ss_sp || sigaltstack(&stack, NULL) != 0)
        ftk__kit_broken("no memory for a signal stack");
    verdict_out = c->out;
    struct sigaction on = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    sigemptyset(&on.sa_mask);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        if (sigaction(signals[i], &on, NULL) != 0)
            ftk__kit_broken("cannot handle signal %d", signals[i]);
}
