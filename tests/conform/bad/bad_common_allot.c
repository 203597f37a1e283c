/* SPDX-License-Identifier: MIT
 * bad_common_allot.c - layers get back what they lost; with an instance, scratch memory and state, and
 * what breaks the rules of every kind in it.
 */
#include "bad_life.h"
#include <freetickets/sparse.h>

struct memory {
    uint64_t updates;
    double base;
};

/* The layer that is served first; any is right. */
static uint32_t first_of(const ftk_host *h, struct life *s, const ftk_net *net, ftk_update *u)
{
    struct memory *m = u->state;
    double first = life_astray(h, s) + (double)m->updates++;
#if defined(BAD_STA_01)
    s->memory[0] = u->nth == 0 ? 0 : s->memory[0] + 1;
    first += s->memory[0];
#elif defined(BAD_STA_02)
    if (u->nth == 0 && s->kept != m)
        m->base = 1;
    s->kept = m;
    first += m->base;
#endif
    return (uint32_t)((uint64_t)first % net->n_layers);
}

static ftk_status allot(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                        const uint64_t *lost, const uint64_t *room, uint64_t total,
                        uint64_t *ret_count)
{
    struct life *s = self;
    uint32_t n = net->n_layers;
    uint32_t first = first_of(h, s, net, u);
    void *copy;
#if defined(BAD_ABI_07)
    if (u->size != sizeof(*u))
        return h->fail(h, FTK_EABI, "an update of %u bytes", u->size);
#endif
#if defined(BAD_MEM_01) && defined(BAD_VARIANT_ALLOT_INPUT)
    *(volatile uint64_t *)(uintptr_t)lost = lost[0];
#elif defined(BAD_MEM_01)
    ret_count[n] = 0;
#elif defined(BAD_MEM_02)
    s->memory[3] = (double)lost[-1];
#elif defined(BAD_MEM_03)
    if (s->kept)
        s->memory[3] = (double)*(const uint64_t *)s->kept;
    s->kept = room;
#else
    (void)lost;
#endif
    ftk_status st = life_scratch(h, n * sizeof(*room), &copy);
    if (st < 0)
        return st;
    uint64_t *left = memcpy(copy, room, n * sizeof(*room));
    uint64_t rest = total;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t l = (first + i) % n;
        ret_count[l] = rest < left[l] ? rest : left[l];
        rest -= ret_count[l];
    }
    if (rest == 0)
        return FTK_OK;
#if defined(BAD_ERR_01)
    return FTK_ERANGE;
#else
    return h->fail(h, FTK_ERANGE, "%llu weights find no room", (unsigned long long)rest);
#endif
}

static const ftk_allot_ops ops = { .size = sizeof(ops), .allot = allot };
static const ftk_algo common = {
    .size = sizeof(common),
    .kind = FTK_KIND_ALLOT,
    .name = "common_allot",
    .summary = "fills layers in turn, another first at each update",
    .reference = "none",
#if defined(BAD_THR_02)
    .flags = FTK_ALGO_REENTRANT,
#endif
    .state_bytes = sizeof(struct memory),
    .ops = &ops,
    .create = life_create,
    .destroy = life_destroy,
};
FTK_PLUGIN("org.example.common_allot", "1.0.0", "MIT", &common);
