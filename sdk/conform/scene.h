/* SPDX-License-Identifier: MIT
 * conform/scene.h - a small network without arithmetic: layers, masks, values of every channel, all
 * from a seed; and the views of it that rules of sparse kinds are called with.
 */
#ifndef FTK__SCENE_H
#define FTK__SCENE_H
#include "conform/driver.h"

enum ftk__scene_values {
    FTK__VALUES_PLAIN, /* all different, of both signs                 */
    FTK__VALUES_TIES,  /* a few values, zeros of both signs among them */
    FTK__VALUES_ODD    /* zeros, denormals, the largest floats         */
};
struct ftk__scene_layer {
    ftk_layer layer; /* n, nnz, name ... as plugins see it           */
    char name[24];
    uint8_t *active;                 // [n] 0 or 1
    float *weight, *grad, *momentum; // [n]
    uint32_t *age;                   // [n]
    uint8_t *fired;                  // [n]
    uint64_t *list;                  // [n] room for a list of positions
};
struct ftk__scene {
    struct ftk__scene_layer *l; // [n_layers]
    uint32_t n_layers;
};
struct ftk__scene_shape {
    const uint64_t *n;     // [n_layers] entries
    const double *density; // [n_layers] of active ones; NULL: 0.4 each
    uint32_t n_layers;
};
/* Layers "a", "b", ...: linear ones n x 1 unless shapes are set afterwards; the first has FTK_ROLE_FIRST,
 * the last FTK_ROLE_LAST.  In the case's memory. */
void ftk__scene_new(struct ftk__case *c, const struct ftk__scene_shape *shape, uint64_t seed,
                    struct ftk__scene *ret);
/* Three layers of 1003, 64 and 7 entries: odd, a whole number of words, few. */
void ftk__scene_small(struct ftk__case *c, uint64_t seed, struct ftk__scene *ret);
/* New values of weight, grad, momentum, age and fired; masks stay.  Two of three inactive entries never
 * fired: their age is UINT32_MAX, as growers see it in a run. */
void ftk__scene_fill(struct ftk__scene *s, uint64_t seed, enum ftk__scene_values values);
/* Sets the mask of a layer at random, exactly `nnz` active. */
void ftk__scene_mask(struct ftk__scene_layer *l, uint64_t nnz, uint64_t seed);
/* Positions that are active (FTK_ACTIVE) or not, ascending: l->list, *ret_n of them. */
const uint64_t *ftk__scene_list(struct ftk__scene_layer *l, uint32_t which, uint64_t *ret_n);

/* A candidate struct of list[from..from + count) with exactly `channels`, every array guarded and
 * read-only.  *ret_mark: ftk__guard_release(mark) drops it all. */
ftk_cand *ftk__scene_cand(struct ftk__scene_layer *l, const uint64_t *list, uint64_t from,
                          uint64_t count, uint32_t channels, const struct ftk__how *how);
/* ftk_layer, guarded. */
const ftk_layer *ftk__scene_layer(const struct ftk__scene_layer *l, const struct ftk__how *how);
ftk_update *ftk__scene_update(uint64_t round, uint64_t layer, const struct ftk__how *how,
                              void *state);

/* ---- level 2 ---------------------------------------------------------------------------------- */

struct ftk__view { /* of one call                                  */
    struct ftk__case *c;
    struct ftk__scene *s;
    struct ftk__kit_host *host;
    const struct ftk__how *how;
    uint32_t channels; /* that may be read                             */
    uint32_t which;    /* what may be taken; 0: nothing                */
    ftk_net *net;      /* give these to the plugin                     */
    ftk_edit *edit;
    uint64_t *budget; // [n_layers] guarded
    uint64_t *took;   // [n_layers] how many were taken
    uint8_t **taken;  // [n_layers][n]
    uint32_t reads;   /* entries lent so far, any channel             */
    void *lent[8];
    uint32_t n_lent;
};
/* `budget`[n_layers] (NULL: none, and no edit). */
void ftk__view_open(struct ftk__case *c, struct ftk__scene *s, struct ftk__kit_host *host,
                    const struct ftk__how *how, uint32_t channels, uint32_t which,
                    const uint64_t *budget, struct ftk__view *ret);
/* Fails the rule where the plugin's calls were refused and it went on with FTK_OK, unless
 * how->tolerant; host->wrong tells. */
void ftk__view_close(struct ftk__view *v, const char *call, ftk_status st);

/* ---- what the algorithm is -------------------------------------------------------------------- */

struct ftk__scorer { /* prune and grow have the same shape           */
    uint32_t channels, count, props, formula, which;
    ftk_score_fn score;
    ftk_select_fn select;
};
struct ftk__scorer ftk__scorer_of(const ftk_algo *a);
/* One call of score on the whole of a list in chunks of `chunk` (0: all) into ret[n].  Status as the
 * plugin gave it (the first that is not FTK_OK). */
ftk_status ftk__score_list(struct ftk__case *c, struct ftk__subject *s, struct ftk__scene_layer *l,
                           const uint64_t *list, uint64_t n, uint64_t round,
                           const struct ftk__how *how, void *state, float *ret);
/* One call of select with `budget`; v stays open for the caller to look at v->taken. */
ftk_status ftk__select_once(struct ftk__case *c, struct ftk__subject *s, struct ftk__scene *scene,
                            const uint64_t *budget, uint64_t round, const struct ftk__how *how,
                            void *state, struct ftk__view *v);
#endif
