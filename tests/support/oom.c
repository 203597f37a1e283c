/* SPDX-License-Identifier: MIT
 * oom.c - out-of-memory sweeps.
 */
#include "oom.h"
#include "base/mem.h"
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

uint64_t ftk_oom_sweep(ftk_status (*fn)(void *arg), void *arg, uint64_t step)
{
    uint64_t tried = 0;
    for (uint64_t n = 1;; n += step) {
        struct ftk__mem_stats before = ftk__mem_stats();
        ftk__mem_fail_at(n);
        ftk_status st = fn(arg);
        ftk__mem_fail_at(0);
        struct ftk__mem_stats after = ftk__mem_stats();
        uint64_t calls = after.calls - before.calls;
        if (after.alive != before.alive)
            fail_msg("%" PRIu64 " blocks alive before, %" PRIu64 " after allocation %" PRIu64
                     " failed",
                     before.alive, after.alive, n);
        if (calls < n) {
            assert_int_equal(st, FTK_OK);
            printf("%" PRIu64 " of %" PRIu64 " allocations failed in turn\n", tried, calls);
            return tried;
        }
        if (st >= FTK_OK)
            fail_msg("status %d though allocation %" PRIu64 " failed", (int)st, n);
        tried++;
    }
}
