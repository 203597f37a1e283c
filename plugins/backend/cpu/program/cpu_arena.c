/* SPDX-License-Identifier: MIT
 * program/cpu_arena.c - one block of memory for all activations and gradients.
 *
 * Activations live for the whole step.  A gradient lives from the first of its node's users, going
 * backward, to the node itself, so gradients share slots.  One block can be made of huge pages,
 * which matter: a tile touches many rows.
 */
#include "program/cpu_prog.h"
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20 };

struct slot {
    size_t floats; /* of one image */
    int taken;
};

static uint32_t take_slot(struct slot *slots, uint32_t *n_slots, size_t floats)
{
    uint32_t best = *n_slots;
    for (uint32_t i = 0; i < *n_slots; i++) {
        if (slots[i].taken)
            continue;
        if (best == *n_slots || slots[i].floats > slots[best].floats)
            best = i;
    }
    if (best == *n_slots) {
        slots[best].floats = 0;
        (*n_slots)++;
    }
    if (slots[best].floats < floats)
        slots[best].floats = floats;
    slots[best].taken = 1;
    return best;
}

/* A ReLU may overwrite what it reads where nobody else reads it, its producer included (max pooling
 * compares with its own output).  Layers and batch norm then apply it as they store. */
static void share_y(ftk_prog *p, struct cpu_node *n)
{
    if (n->op == FTK_NODE_FLATTEN) {
        n->same_y = 1;
        return;
    }
    if (n->op != FTK_NODE_RELU)
        return;
    struct cpu_node *in = &p->nodes[n->in[0]];
    const int overwrites = cpu_is_matmul(in) || in->op == FTK_NODE_BATCHNORM ||
                           in->op == FTK_NODE_ADD || in->op == FTK_NODE_AVGPOOL ||
                           in->op == FTK_NODE_CONCAT || in->op == FTK_NODE_PAD_CHANNELS ||
                           in->op == FTK_NODE_DROPOUT;
    n->same_y = overwrites && in->users == 1;
    in->relu = n->same_y && (cpu_is_matmul(in) || in->op == FTK_NODE_BATCHNORM);
}

/* An elementwise backward may overwrite its dy with the gradient of an input of its own. */
static void share_dy(ftk_prog *p, struct cpu_node *n)
{
    const int elementwise = n->op == FTK_NODE_RELU || n->op == FTK_NODE_FLATTEN ||
                            n->op == FTK_NODE_DROPOUT || n->op == FTK_NODE_BATCHNORM ||
                            n->op == FTK_NODE_ADD;
    for (uint32_t k = 0; elementwise && k < 2 && n->in[k] != CPU_NONE; k++) {
        if (p->nodes[n->in[k]].users == 1 && !n->same_dy)
            n->same_dy = k + 1;
    }
}

static uint32_t plan_slots(ftk_prog *p, struct slot *slots)
{
    uint32_t n_slots = 0;
    for (uint32_t i = p->n_nodes; i-- > 0;) {
        const struct cpu_node *n = &p->nodes[i];
        for (int k = 0; k < 2; k++) {
            if (n->in[k] == CPU_NONE)
                continue;
            struct cpu_node *in = &p->nodes[n->in[k]];
            if (n->same_dy == (uint32_t)k + 1)
                in->slot = n->slot;
            if (in->slot == CPU_NONE)
                in->slot = take_slot(slots, &n_slots, in->elems);
        }
        if (n->slot != CPU_NONE && !n->same_dy)
            slots[n->slot].taken = 0;
    }
    return n_slots;
}

/* *at += floats * images; 0 on overflow. */
static int add_floats(size_t *at, size_t floats, size_t images)
{
    size_t n;
    if (__builtin_mul_overflow(floats, images, &n))
        return 0;
    return !__builtin_add_overflow(*at, n, at);
}

static float *take(char **at, size_t floats, size_t images)
{
    float *p = (float *)*at;
    *at += floats * images * sizeof(float);
    return p;
}

/* Gradients in their slots, then activations. */
static void lay_out(ftk_prog *p, const struct slot *slots, uint32_t n_slots, size_t images,
                    float **base, char *at)
{
    size_t most = 0;
    for (uint32_t i = 0; i < n_slots; i++)
        base[i] = take(&at, slots[i].floats, images);
    for (uint32_t i = 0; i + 1 < p->n_nodes; i++) {
        struct cpu_node *n = &p->nodes[i];
        n->dy = n->slot == CPU_NONE ? NULL : base[n->slot];
        n->y = n->same_y ? p->nodes[n->in[0]].y : take(&at, n->elems, images);
        most = n->elems > most ? n->elems : most;
    }
    p->temp = take(&at, most, images);
}

/* Floats of everything over all images; 0 where that does not fit. */
static size_t arena_floats(const ftk_prog *p, const struct slot *slots, uint32_t n_slots,
                           size_t images)
{
    size_t floats = HUGE_PAGE / sizeof(float);
    size_t most = 0;
    int fits = 1;
    for (uint32_t i = 0; i < n_slots; i++)
        fits = fits && add_floats(&floats, slots[i].floats, images);
    for (uint32_t i = 0; i + 1 < p->n_nodes; i++) {
        const struct cpu_node *n = &p->nodes[i];
        fits = fits && (n->same_y || add_floats(&floats, n->elems, images));
        most = n->elems > most ? n->elems : most;
    }
    fits = fits && add_floats(&floats, most, images);
    return fits && floats <= (SIZE_MAX >> 4) / sizeof(float) ? floats : 0;
}

/* The first huge page boundary; the pages from there on are asked to be huge. */
static char *huge_start(void *arena, size_t bytes)
{
    const uintptr_t mask = HUGE_PAGE - 1;
    const uintptr_t start = ((uintptr_t)arena + mask) & ~mask;
    const size_t whole = (bytes - (start - (uintptr_t)arena)) & ~(size_t)mask;
    if (whole)
        madvise((void *)start, whole, MADV_HUGEPAGE);
    return (char *)start;
}

ftk_status cpu_arena_plan(ftk_prog *p)
{
    const ftk_host *h = p->host;
    const size_t lanes = p->kern->lanes;
    const size_t images = (p->max_batch + lanes - 1) / lanes * lanes;
    struct slot *slots = h->alloc(h, p->n_nodes * sizeof(*slots));
    float **base = h->alloc(h, p->n_nodes * sizeof(*base));
    ftk_status st = FTK_ENOMEM;
    for (uint32_t i = 1; i < p->n_nodes; i++) {
        share_y(p, &p->nodes[i]);
        share_dy(p, &p->nodes[i]);
    }
    if (slots && base) {
        const uint32_t n_slots = plan_slots(p, slots);
        const size_t floats = arena_floats(p, slots, n_slots, images);
        p->arena = floats ? h->alloc(h, floats * sizeof(float)) : NULL;
        if (p->arena) {
            char *start = huge_start(p->arena, floats * sizeof(float));
            lay_out(p, slots, n_slots, images, base, start);
            st = FTK_OK;
        }
    }
    h->free(h, slots);
    h->free(h, base);
    return st;
}
