/* SPDX-License-Identifier: MIT
 * conform/driver.h - a kind's calls as one series, for the rules that hold for every kind.
 *
 * act() makes the calls that the core would make on a small fixed problem, with every buffer
 * guarded, and collects all that the plugin put out.  Rules vary how the calls are made and compare.
 */
#ifndef FTK__DRIVER_H
#define FTK__DRIVER_H
#include "conform/blob.h"
#include "conform/guard.h"
#include "conform/kit_host.h"

struct ftk__kit_state { /* ftk_update.state as the core keeps it        */
    void **block;       // [n] of `bytes` each; level 1: one a layer, else one
    uint32_t n;
    uint32_t bytes;
};
/* How a series is made; all zero is the plain way. */
struct ftk__how {
    enum ftk__side side;
    uint8_t fill;    /* of outputs before the call                   */
    uint32_t grown;  /* bytes of zeros behind each struct the core hands in (ABI-07) */
    uint64_t stream; /* another RNG stream                           */
    uint64_t chunk;  /* entries a chunk or read; 0: all              */
    uint32_t order;  /* layers in another order; 0: ascending        */
    uint32_t from_round,
        rounds; /* updates, batches: the first of them and how many; rounds 0: all */
    struct ftk__kit_state
        *state; /* goes on from it and leaves it behind; NULL: the series' own, zeroed */
    void (*between)(struct ftk__case *c, void *arg); /* before every call; NULL: nothing */
    void *between_arg;
    bool keep; /* no buffer is unmapped after its call: for rules that look for other mistakes than
                * a pointer that was kept */
    bool move; /* state lies elsewhere after each call */
    bool may_fail;         /* a negative status ends the series and is what act() returns */
    uint32_t only;         /* layer only - 1 alone; 0: all                 */
    uint32_t other_values; /* FTK_CH_*: these channels hold other numbers  */
    bool tolerant;         /* wrong reads and takes are left to the rule, in host->wrong_* */
    bool flat;             /* all values of the network alike              */
    bool provoke; /* asks for what cannot be (with may_fail): more than there is, no samples, a
                   * target of 2; kinds with nothing of the kind go on      */
};
struct ftk__driver {
    uint32_t kinds;    /* FTK__ON_*                                    */
    uint32_t n_rounds; /* of a whole series; 1 where a kind has none   */
    uint32_t n_layers; /* blocks of state at level 1; 1 elsewhere      */
    /* FTK_OK, or where how->may_fail the first negative status; else a negative status fails the
     * rule.  `ret` may be NULL.  A backend's series opens and closes its own device: `s` holds only
     * algorithm, host and parameters. */
    ftk_status (*act)(struct ftk__case *c, struct ftk__subject *s, const struct ftk__how *how,
                      struct ftk__blob *ret);
};
/* The one for the case's algorithm. */
const struct ftk__driver *ftk__driver_of(struct ftk__case *c);

/* A struct for the plugin, `grown` bytes of zeros longer, its size filled in, guarded and read-only
 * where `writable` is false. */
void *ftk__kit_struct(const char *name, const void *from, uint32_t size, const struct ftk__how *how,
                      bool writable);
#endif
