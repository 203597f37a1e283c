/* SPDX-License-Identifier: MIT
 * sparse/candidates.h - the entries of a layer as rules see them: in chunks, ascending, after the
 * drop where there was one, with the channels that the core keeps itself.
 *
 * The backend still holds the network from before the drop, for it is edited once.  So after it,
 * the active set is read without the dropped, and the inactive set is merged with them.
 */
#ifndef FTK__CANDIDATES_H
#define FTK__CANDIDATES_H
#include "plugin/engine.h"

enum { FTK__CHUNK = 64 * 1024 };
enum { FTK__CH_BACKEND = FTK_CH_WEIGHT | FTK_CH_GRAD | FTK_CH_MOMENTUM };

/* For ftk__reader_start beside FTK_ACTIVE and FTK_INACTIVE: what cannot be grown. */
enum { FTK__OCCUPIED = 3 };

struct ftk__picked {            /* chosen positions of a layer, ascending       */
    uint64_t *index;            // [n] of ftk__alloc
    uint64_t n;
};
struct ftk__drop {              /* the dropped of a layer and what growers read of them */
    struct ftk__picked picked;
    float *grad, *momentum;     // [n] NULL until a reader fetched them
};

struct ftk__work;
struct ftk__reader {
    struct ftk__work *work;
    uint32_t layer, which, channels;
    uint64_t from, cursor;      /* the backend's, before and behind `block`     */
    ftk_cand block;             /* as the backend lent it                       */
    uint64_t at;                /* entries of `block` that were given out       */
    uint64_t drop_at;           /* dropped entries that were passed             */
    bool ended;                 /* the backend has no more                      */
    uint64_t *index;            // [FTK__CHUNK], as the rest: merged entries
    float *weight, *grad, *momentum;
    uint32_t *age;
    uint8_t *fired;
};
ftk_status ftk__reader_init(struct ftk__reader *r, struct ftk__work *w, struct ftk_error *reterr);
void ftk__reader_done(struct ftk__reader *r);
/* From the first entry; forgets what was being read. */
ftk_status ftk__reader_start(struct ftk__reader *r, uint32_t layer, uint32_t which,
                             uint32_t channels, struct ftk_error *reterr);
/* The next 1 to min(cap, FTK__CHUNK) entries, count 0 at the end; valid until the next call. */
ftk_status ftk__reader_next(struct ftk__reader *r, uint64_t cap, ftk_cand *ret,
                            struct ftk_error *reterr);

/* A place in the entries, to come back to after others were read. */
struct ftk__place {
    uint64_t given;             /* entries given out before it                  */
    uint64_t from, cursor, at, count, drop_at;
    bool ended;
};
void ftk__reader_leave(const struct ftk__reader *r, struct ftk__place *ret);
ftk_status ftk__reader_resume(struct ftk__reader *r, uint32_t layer, uint32_t which,
                              uint32_t channels, const struct ftk__place *at,
                              struct ftk_error *reterr);
#endif
