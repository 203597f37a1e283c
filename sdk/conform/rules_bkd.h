/* SPDX-License-Identifier: MIT
 * conform/rules_bkd.h - what the families of backends' rules share.
 */
#ifndef FTK__RULES_BKD_H
#define FTK__RULES_BKD_H
#include "conform/backend_snap.h"

/* Networks of the kit, times a few densities; what a program of a pair is compiled for. */
enum { FTK__BKD_CASES = 9, FTK__BKD_BATCH = 6 };

/* One network, the same state, in the backend under test [0] and in the oracle [1]. */
struct ftk__bkd_pair {
    struct ftk__bk bk[2];
    struct ftk__bk_graph g;
    ftk_prog *prog[2];
    struct ftk__bk_tally t;
};
/* Networks of the kit, chosen so that no gradient is a small difference of large numbers; returns a
 * name.  Every op occurs in the first few. */
const char *ftk__bkd_case(struct ftk__bk_graph *g, uint32_t i);
/* Opens both devices; skips where there is none. */
struct ftk__bkd_pair *ftk__bkd_pair_new(struct ftk__case *c);
/* Compiles network i for both and fills it; false where an op of it is not supported. */
bool ftk__bkd_pair_open(struct ftk__bkd_pair *p, uint32_t i);
void ftk__bkd_pair_release(struct ftk__bkd_pair *p);
void ftk__bkd_pair_step(struct ftk__bkd_pair *p, uint32_t count, const ftk_hyper *hy,
                        uint64_t seed);
void ftk__bkd_pair_predict(struct ftk__bkd_pair *p, uint32_t count, uint64_t seed);
/* All arrays whose role is wanted; NULL: all. */
void ftk__bkd_pair_state(struct ftk__bkd_pair *p, bool (*wanted)(uint32_t role));

/* Two states of the backend under test: the same bits if it claims BITWISE, else near. */
void ftk__bkd_expect_same(struct ftk__bk *bk, const struct ftk__bk_graph *g,
                          const struct ftk__bk_snap *a, const struct ftk__bk_snap *b,
                          const char *when);

/* backend_differences.c: gradients of a backend by central differences; fails where they differ. */
void ftk__bkd_differences(struct ftk__bk *bk);
#endif
