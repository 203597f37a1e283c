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

/* A number that moves the shares; any is right. */
static double share_of(const ftk_host *h, struct life *s, ftk_update *u)
{
    struct memory *m = u->state;
    double share = life_astray(h, s) + (double)m->updates++;
#if defined(BAD_STA_01)
    s->memory[0] = u->nth == 0 ? 0 : s->memory[0] + 1;
    share += s->memory[0];
#elif defined(BAD_STA_02)
    if (u->nth == 0 && s->kept != m)
        m->base = 1;
    s->kept = m;
    share += m->base;
#endif
    return share;
}

static ftk_status allot(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                        const uint64_t *lost, const uint64_t *room, uint64_t total,
                        uint64_t *ret_count)
{
    struct life *s = self;
    uint32_t n = net->n_layers;
    double share = share_of(h, s, u);
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
    for (uint32_t l = 0; l < n; l++) {
        uint64_t most = left[l] - life_mix(share, l + 100 * u->nth) % (left[l] + 1);
        ret_count[l] = rest < most ? rest : most;
        left[l] -= ret_count[l];
        rest -= ret_count[l];
    }
    for (uint32_t l = 0; l < n; l++) {
        uint64_t more = rest < left[l] ? rest : left[l];
        ret_count[l] += more;
        rest -= more;
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
    .summary = "fills layers in turn, another part of each at each update",
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
