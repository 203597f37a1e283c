/* SPDX-License-Identifier: MIT
 * sparse/topology_impl.h - what the files of sparse/ share: the topology, its rules (plugins in
 * their place) and one update in the making.
 */
#ifndef FTK__TOPOLOGY_IMPL_H
#define FTK__TOPOLOGY_IMPL_H
#include "base/rng.h"
#include "sparse/candidates.h"
#include "sparse/topology.h"

/* A plugin in its place, with the state that the core keeps for it. */
struct ftk__rule {
    struct ftk__instance *inst; /* NULL: none                                   */
    enum ftk__purpose purpose;
    uint32_t channels, count, formula;
    ftk_score_fn score;         /* level 1                                      */
    ftk_select_fn select;       /* level 2                                      */
    unsigned char *state;       // [blocks][stride]; NULL where it keeps none
    uint64_t stride, state_bytes; /* of a block; of all blocks                  */
};

struct ftk__topology {
    const struct ftk__topology_options *options;
    uint64_t seed;
    ftk_layer *layers;          // [n_layers]
    uint32_t n_layers;
    uint64_t *first;            // [n_layers + 1] flat position of a layer's first weight
    double *target;             // [n_layers] density targets, 0 after a dense INIT
    double *fixed;              // [n_layers] density of sparsity.layers, below 0: none
    uint64_t *fired;            /* bitmap over all weights                      */
    uint32_t *born;             // [weights] updates done when it last became active, plus 1;
                                // 0: never; NULL where no rule asks for AGE
    uint64_t updates;
    struct ftk__rule init, prune, grow, allot;
};

/* One update, cut or INIT in the making. */
struct ftk__work {
    struct ftk__topology *t;
    struct ftk__engine *engine; /* NULL: there is no network (`plan`)           */
    ftk_update at;              /* what is common to all calls of rules         */
    uint64_t stream;            /* `nth` in the keys of random numbers          */
    ftk_layer *layers;          // [n_layers] as rules see them now
    const ftk_layer **layer;    // [n_layers] the same, as ftk_net wants them
    struct ftk__drop *drop;     // [n_layers]
    struct ftk__picked *add;    // [n_layers]
    uint32_t limited;           /* as in the report                             */
    bool dropped;               /* allotting, growing: `drop` is inactive       */
    bool counted;               /* INIT of a rule that reads nothing: all weights are active, */
                                /* no backend is asked                          */
    struct ftk__reader reader;
    float *score;               // [FTK__CHUNK]
    uint64_t *shifted;          // [FTK__CHUNK] flat positions, for network scope
};
/* `e` may be NULL.  The work starts with the topology's layers and nothing dropped. */
ftk_status ftk__work_init(struct ftk__work *w, struct ftk__topology *t, struct ftk__engine *e,
                          const struct ftk__topology_event *ev, struct ftk_error *reterr);
void ftk__work_done(struct ftk__work *w);

#define FTK__WHOLE_NETWORK UINT32_MAX
/* What a rule is called with for a layer (level 1), or FTK__WHOLE_NETWORK. */
ftk_update ftk__rule_update(const struct ftk__work *w, const struct ftk__rule *r, uint32_t layer);
/* Around each call of a rule; end turns a status into an error that names the plugin. */
const ftk_host *ftk__rule_begin(const struct ftk__rule *r);
ftk_status ftk__rule_end(const struct ftk__rule *r, ftk_status st, struct ftk_error *reterr);

/* A dense layer that takes no part in k, scoring or growth. */
bool ftk__topology_exempt(const struct ftk__topology *t, uint32_t layer);
/* Inactive weights that may be grown now. */
uint64_t ftk__work_room(const struct ftk__work *w, uint32_t layer);
/* Drops per layer by the prune rule: k[n_layers] for layer scope, sum k over all layers for network
 * scope (level 2 is shown k all the same); fills w->drop and takes it out of w->layers.    */
ftk_status ftk__work_prune(struct ftk__work *w, const uint64_t *k, bool network, bool threshold,
                           struct ftk_error *reterr);
/* Applies drop and add: one edit a layer, then nnz, fired and age. */
ftk_status ftk__work_edit(struct ftk__work *w, struct ftk__topology_report *ret,
                          struct ftk_error *reterr);
/* k over layers in proportion to weight[n_layers] (0: none), for rules that want it by layer. */
ftk_status ftk__work_apportion(const struct ftk__work *w, uint64_t k, const uint64_t *weight,
                               uint64_t *ret_k, struct ftk_error *reterr);
/* Marks the active weights of a layer as fired and, where it was not known, born; counts them. */
ftk_status ftk__topology_mark(struct ftk__topology *t, struct ftk__engine *e, uint32_t layer,
                              uint64_t *ret_nnz, struct ftk_error *reterr);
/* Marks weights as active since `updates` were done. */
void ftk__topology_fire(struct ftk__topology *t, uint32_t layer, const uint64_t *index, uint64_t n,
                        uint64_t updates);
#endif
