/* SPDX-License-Identifier: MIT
 * conform/backend_snap.h - all state of a program, copied out: to be compared, put back, or put into
 * another program, of another backend too.
 */
#ifndef FTK__BACKEND_SNAP_H
#define FTK__BACKEND_SNAP_H
#include "conform/backend_calls.h"

struct ftk__bk_array {
    uint32_t node, role, member;
    uint64_t n;
    float *v; // [n]
};
struct ftk__bk_snap {
    struct ftk__bk_array *array; // [n]
    uint32_t n;
    uint64_t **active; // [n_layers][nnz]; layers of all members
    uint64_t *nnz;
    uint32_t n_layers;
};
/* `members`: of the program.  Each array must be listed once, with the size that masks and roles ask
 * for. */
void ftk__bk_snap(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g, uint32_t members,
                  struct ftk__bk_snap *ret);
/* Masks, then arrays, whatever the order in which `p` lists them. */
void ftk__bk_restore(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g,
                     const struct ftk__bk_snap *s);
/* NULL: there is none. */
const struct ftk__bk_array *ftk__bk_array(const struct ftk__bk_snap *s, uint32_t node,
                                          uint32_t role, uint32_t member);
/* Fails where a bit differs; `when`: "after NO_UPDATE". */
void ftk__bk_same(struct ftk__bk *bk, const struct ftk__bk_graph *g, const struct ftk__bk_snap *a,
                  const struct ftk__bk_snap *b, const char *when);
/* "weight of 'conv1'", "momentum of the bias of 'bn2'". */
const char *ftk__bk_array_name(struct ftk__case *c, const struct ftk__bk_graph *g, uint32_t node,
                               uint32_t role);
/* One array out of a program or into it; it must be there. */
float *ftk__bk_get(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g, uint32_t node,
                   uint32_t role, uint64_t *ret_n);
void ftk__bk_put(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g, uint32_t node,
                 uint32_t role, const float *v, uint64_t n);
/* Index among the program's arrays of (node, role, member), -1: none.  *ret_n: its floats. */
int64_t ftk__bk_find(struct ftk__bk *bk, ftk_prog *p, uint32_t node, uint32_t role, uint32_t member,
                     uint64_t *ret_n);

/* Masks at `density` (each layer keeps one weight at least), weights of the size that keeps
 * activations near 1, biases, BN arrays (variance > 0), momentum near 0.1: by `seed` alone, the same
 * for every backend. */
void ftk__bk_fill(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g, double density,
                  uint64_t seed);
void ftk__bk_fill_members(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g,
                          uint32_t members, double density, uint64_t seed);

/* ---- near ------------------------------------------------------------------------------------- */

/* How far arrays lie from an oracle's, over a rule. */
struct ftk__bk_tally {
    struct ftk__bk *bk;
    char where[96];    /* of all that is compared now: "conv 3x2, step 1" */
    double warn, fail; /* normalised mean square error                 */
    double worst;      /* so far                                       */
    char what[192];    /* the worst array                              */
};
/* Limits by the precision of `bk`. */
void ftk__bk_tally(struct ftk__bk_tally *t, struct ftk__bk *bk);
void ftk__bk_where(struct ftk__bk_tally *t, const char *fmt, ...) FTK_PRINTF(2, 3);
/* `a` of the backend, `b` the oracle's; fails above the limit. */
void ftk__bk_near(struct ftk__bk_tally *t, const char *what, const float *a, const float *b,
                  uint64_t n);
/* Masks and nonzero sizes must be equal. */
void ftk__bk_near_snaps(struct ftk__bk_tally *t, const struct ftk__bk_graph *g,
                        const struct ftk__bk_snap *a, const struct ftk__bk_snap *b);
/* Warns where something was near, but not near enough. */
void ftk__bk_tally_end(struct ftk__bk_tally *t);
/* sum (a - b)^2 / sum b^2; 0 where both are 0; infinite for what is not finite. */
double ftk__bk_nmse(const float *a, const float *b, uint64_t n);
/* Norm and largest entry of a - b at most `most` of b's; `what` for the failure. */
void ftk__bk_close_to(struct ftk__bk *bk, const char *what, const float *a, const float *b,
                      uint64_t n, double most);
#endif
