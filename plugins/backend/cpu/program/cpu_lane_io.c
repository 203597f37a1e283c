/* SPDX-License-Identifier: MIT
 * program/cpu_lane_io.c - images into lanes and back.
 */
#include "program/cpu_prog.h"

struct lane_job {
    const float *from;
    float *to;
    uint32_t count, lanes;
    size_t chw;
    atomic_int bad;
};

static void load_block(void *arg, uint32_t block, uint32_t thread)
{
    struct lane_job *j = arg;
    const uint32_t first = block * j->lanes;
    const uint32_t left = j->count - first;
    const uint32_t valid = left < j->lanes ? left : j->lanes;
    float *to = j->to + (size_t)first * j->chw;
    uint32_t bad = 0;
    (void)thread;
    for (size_t e = 0; e < j->chw; e++) {
        for (uint32_t l = 0; l < valid; l++) {
            const float v = j->from[(size_t)(first + l) * j->chw + e];
            to[e * j->lanes + l] = v;
            bad |= cpu_not_finite(v);
        }
        for (uint32_t l = valid; l < j->lanes; l++)
            to[e * j->lanes + l] = 0;
    }
    if (bad)
        atomic_store(&j->bad, 1);
}

static void store_block(void *arg, uint32_t block, uint32_t thread)
{
    struct lane_job *j = arg;
    const uint32_t first = block * j->lanes;
    const float *from = j->from + (size_t)first * j->chw;
    (void)thread;
    for (uint32_t l = 0; l < j->lanes && first + l < j->count; l++) {
        for (size_t e = 0; e < j->chw; e++)
            j->to[(size_t)(first + l) * j->chw + e] = from[e * j->lanes + l];
    }
}

static uint32_t blocks_of(const ftk_prog *p, uint32_t count)
{
    return count / p->kern->lanes + (count % p->kern->lanes != 0);
}

int cpu_lanes_load(ftk_prog *p, const float *x, uint32_t count, size_t chw, float *ret_y)
{
    struct lane_job j = { .from = x, .to = ret_y, .count = count, .lanes = p->kern->lanes };
    j.chw = chw;
    cpu_parallel(p->dev->pool, blocks_of(p, count), load_block, &j);
    return atomic_load(&j.bad);
}

void cpu_lanes_store(ftk_prog *p, const float *y, uint32_t count, size_t chw, float *ret_x)
{
    struct lane_job j = { .from = y, .to = ret_x, .count = count, .lanes = p->kern->lanes };
    j.chw = chw;
    cpu_parallel(p->dev->pool, blocks_of(p, count), store_block, &j);
}
