/* SPDX-License-Identifier: MIT
 * freetickets/sparse.h - what prune, grow and init plugins see of a network.
 *
 * A layer is a flat weight tensor of n entries, nnz of them active.  A plugin
 * sees *candidates*: for pruning the active entries, for growing the inactive
 * ones.  The same view serves a CSR backend (candidates are its arrays) and a
 * masked dense one (the core compacts them), and a grower's candidates arrive in
 * chunks, so a layer's inactive set never has to exist in memory at once.
 */
#ifndef FTK_SPARSE_H
#define FTK_SPARSE_H
#include <freetickets/host.h>

typedef enum ftk_layer_type { FTK_LAYER_LINEAR = 1, FTK_LAYER_CONV2D = 2 } ftk_layer_type;

typedef struct ftk_layer {
    uint32_t size;
    uint32_t type;          /* enum ftk_layer_type                               */
    uint32_t index;         /* position among the sparse layers                  */
    uint32_t shape[4];      /* out, in, kh, kw; 1 where absent                   */
    uint64_t n, nnz;        /* entries, active entries; 0 <= nnz <= n            */
    uint32_t role;          /* FTK_ROLE_*                                        */
    uint32_t reserved;
    double density_target;  /* by the init plugin; 1: a dense layer; 0: INIT dense */
    const char *name;       /* "block2.layer.0.conv1"                            */
} ftk_layer;

enum { FTK_ROLE_FIRST = 1u << 0, FTK_ROLE_LAST = 1u << 1, FTK_ROLE_SHORTCUT = 1u << 2 };

/* Channels a scorer can ask for; unrequested ones arrive as NULL.  AGE and FIRED are
 * kept by the core, which sees every edit: no backend is ever asked for them.   */
enum { FTK_CH_WEIGHT = 1u << 0, FTK_CH_GRAD = 1u << 1, FTK_CH_MOMENTUM = 1u << 2,
       FTK_CH_AGE = 1u << 3, FTK_CH_FIRED = 1u << 4 };

typedef struct ftk_cand {
    uint32_t size;
    uint32_t channels;      /* what is present                                   */
    uint64_t count;         /* may be 0                                          */
    const uint64_t *index;  /* flat positions, strictly ascending                */
    const float *weight, *grad, *momentum;
    const uint32_t *age;    /* updates since the entry last became active, whether */
                            /* or not it is now; UINT32_MAX: it never was. In float: */
                            /* 1.0f + (float)age, for 1 + age may be 0           */
    const uint8_t *fired;   /* 1: was active at some time since INIT (ITOP)      */
} ftk_cand;

typedef struct ftk_update {
    uint32_t size;
    uint32_t member;        /* ensemble member being trained                     */
    uint64_t step;          /* t: completed since the network's INIT; so is nth  */
    uint64_t nth;           /* of its topology updates and escapes               */
    double rate;            /* fraction of active weights to replace             */
    ftk_rng rng;            /* level 1: this layer's stream; else the network's  */
    void *state;            /* ftk_algo.state_bytes, 64-byte aligned; level 1: a */
                            /* block a layer                                     */
} ftk_update;

/* Level 1.  Fill score[0..cand->count).  The core selects: prune takes the
 * lowest, grow the highest, exactly as many as the budget says, over a layer or
 * over the network as the experiment asks.                        [call]        */
typedef ftk_status (*ftk_score_fn)(const ftk_host *h, void *self, const ftk_layer *l,
                                   const ftk_cand *c, ftk_update *u, float *score);

/* Level 2.  The plugin selects.  It reads through `net` and proposes through
 * `edit`; it never holds a pointer into weights, masks or optimiser state.      */
typedef struct ftk_net ftk_net;
struct ftk_net {
    uint32_t size;
    uint32_t n_layers;
    const ftk_layer *const *layers;
    void *impl;
    /* Entries of one layer (FTK_ACTIVE or FTK_INACTIVE) from position *cursor, at
     * most `cap`; *cursor moves on, and count 0 is the end.  While allotting and
     * growing, layers are as after the drop: nnz without it, INACTIVE with it (but
     * for `regrow = forbidden`).  Valid until the next read.              [call] */
    ftk_status (*read)(const ftk_net *net, uint32_t layer, uint32_t which, uint32_t channels,
                       uint64_t cap, uint64_t *cursor, ftk_cand *ret);
};
enum { FTK_ACTIVE = 1, FTK_INACTIVE = 2 };
typedef struct ftk_edit ftk_edit;
struct ftk_edit {
    uint32_t size;
    uint32_t n_layers;
    const uint64_t *budget; /* [n_layers] how many to take of each: see FTK_COUNT_EXACT */
    void *impl;
    /* Any order, any number of calls; checked at once: range, duplicates, state. */
    ftk_status (*take)(const ftk_edit *e, uint32_t layer, const uint64_t *index, uint64_t n);
};
typedef ftk_status (*ftk_select_fn)(const ftk_host *h, void *self, const ftk_net *net,
                                    ftk_update *u, const ftk_edit *edit);

typedef enum ftk_count {
    /* Takes precisely budget[l] of each layer l (level 1 always does).  Where layers may
     * differ the core holds it to their sum alone: init; pruning with `topology.scope =
     * "network"`, cuts over the network.  Growth is shared out by the allot.     */
    FTK_COUNT_EXACT = 0,
    FTK_COUNT_EXPECTED = 1, /* in expectation only, e.g. Bernoulli growth         */
    FTK_COUNT_FREE = 2      /* as its own rule says; refused if `topology.strict` */
} ftk_count;

typedef struct ftk_prune_ops {
    uint32_t size;
    uint32_t channels;      /* FTK_CH_* the scorer or selector reads              */
    uint32_t count;         /* enum ftk_count                                     */
    uint32_t props;         /* FTK_PROP_*: claims the conformance kit will test   */
    uint32_t formula;       /* FTK_FORMULA_*: what score() equals, or 0           */
    uint32_t reserved;
    ftk_score_fn score;     /* level 1, or NULL                                   */
    ftk_select_fn select;   /* level 2, or NULL; exactly one of the two is set    */
} ftk_prune_ops;

typedef struct ftk_grow_ops {
    uint32_t size;
    uint32_t channels;      /* asking for GRAD makes the backend form dense grads */
    uint32_t count;
    uint32_t props;
    uint32_t formula;
    uint32_t reserved;
    ftk_score_fn score;
    ftk_select_fn select;
} ftk_grow_ops;

/* A claim the kit proves, bit for bit; a backend may then select by it natively, so
 * that no weight visits the host.  UNIFORM, proved in distribution, is sampled from
 * this layer's stream, not scored: of n candidates, for j = n-k .. n-1 take the one
 * ranked rng_below(j + 1), or j if that one is taken (Floyd).                     */
enum { FTK_FORMULA_ABS_WEIGHT = 1, FTK_FORMULA_ABS_GRAD = 2, FTK_FORMULA_ABS_MOMENTUM = 3,
       FTK_FORMULA_UNIFORM = 4 };

enum { FTK_PROP_ELEMENTWISE = 1u << 0, /* score[i] depends on candidate i only     */
       FTK_PROP_SCALE_FREE = 1u << 1,  /* scaling weights or grads of all layers   */
                                       /* keeps the order, over the network too    */
       FTK_PROP_SIGN_FREE = 1u << 2, /* so does flipping their signs               */
       FTK_PROP_RANDOM = 1u << 3 };  /* draws from ftk_update.rng                  */

/* Redistribution: kind FTK_KIND_ALLOT, any grower can be combined with any of them. */
typedef struct ftk_allot_ops {
    uint32_t size;
    uint32_t channels;
    /* lost[l] was dropped from layer l, room[l] may grow there; ret_count sums to total,
     * none above its room; FTK_ERANGE where that cannot be.                    [call] */
    ftk_status (*allot)(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                        const uint64_t *lost, const uint64_t *room, uint64_t total,
                        uint64_t *ret_count);
} ftk_allot_ops;

typedef struct ftk_init_ops {
    uint32_t size;
    uint32_t channels;      /* GRAD: the core runs one batch on the dense net first */
    /* Level 1: per-layer densities in [0,1] whose sum over n is target * total;
     * FTK_ERANGE where no such densities exist.  The core draws the masks. [call] */
    ftk_status (*density)(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                          double target, double *ret_density);
    /* Level 2: choose the active entries (SNIP, from a file, ...), or NULL.      */
    ftk_select_fn select;
} ftk_init_ops;
#endif
