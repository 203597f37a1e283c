/* SPDX-License-Identifier: MIT
 * sparse/topology.h - which weights are active: drawing the first masks, topology updates, escapes
 * and cuts, with the age and fired bits that the core keeps because it sees every edit.
 */
#ifndef FTK__TOPOLOGY_H
#define FTK__TOPOLOGY_H
#include "base/topology_options.h"
#include "plugin/engine.h"

struct ftk__density_override {
    const char *match;          /* a name glob                                  */
    double density;
};
struct ftk__topology_setup {    /* borrowed for the topology's life             */
    const ftk_layer *layers;    // [n_layers] the model's; nnz and density_target are ignored
    uint32_t n_layers;
    uint64_t seed;
    const struct ftk__topology_options *options;
    struct ftk__instance *init, *prune, *grow, *allot; /* NULL where the strategy uses none */
    const struct ftk__density_override *overrides; // [n_overrides], of sparsity.layers
    uint64_t n_overrides;
};
struct ftk__topology;
ftk_status ftk__topology_new(const struct ftk__topology_setup *setup, struct ftk__topology **ret,
                             struct ftk_error *reterr);
void ftk__topology_free(struct ftk__topology *t);

/* FTK_CH_* that reads of the program will ask for; DENSE momentum as options say. */
uint32_t ftk__topology_channels(const struct ftk__topology *t);
/* Whether an update needs FTK_STEP_KEEP_GRAD on the step before it. */
bool ftk__topology_wants_grad(const struct ftk__topology *t);
/* Whether a cut needs it. */
bool ftk__topology_cut_wants_grad(const struct ftk__topology *t);
/* FTK_CH_* that the init plugin reads of the dense network (SNIP-like rules); 0 for most. */
uint32_t ftk__topology_init_channels(const struct ftk__topology *t);

/* INIT: forgets age, fired and plugin state; full masks where `density` is 0 (a dense INIT), else
 * densities of the init plugin (overrides applied, the rest scaled to meet the target), exact
 * counts or Bernoulli draws, positions from FOR_MASK streams; applied to the program by mask().
 * Weights are put by the caller afterwards.  An init plugin that reads weights or gradients is
 * asked about the network that is there, which must be dense (FTK_ESTATE).                  */
ftk_status ftk__topology_init(struct ftk__topology *t, struct ftk__engine *e, uint32_t member,
                              double density, struct ftk_error *reterr);
struct ftk__topology_mask {     /* a layer's active positions, ascending        */
    uint64_t *index;            // [n]
    uint64_t n;
};
/* INIT with given masks: mask[n_layers].  Each layer's density is its target; no plugin is
 * asked. */
ftk_status ftk__topology_init_masks(struct ftk__topology *t, struct ftk__engine *e,
                                    const struct ftk__topology_mask *mask,
                                    struct ftk_error *reterr);
/* The densities that INIT would aim at, for `plan`; no engine. ret_density[n_layers] */
ftk_status ftk__topology_densities(struct ftk__topology *t, double density, double *ret_density,
                                   struct ftk_error *reterr);

struct ftk__topology_event {
    uint32_t member;
    uint64_t step;              /* t                                            */
    double rate;                /* p at t, or q                                 */
};
struct ftk__topology_report {
    uint64_t dropped, grown, nnz; /* over the network                           */
    uint32_t limited;           /* layers whose k `regrow = forbidden` made smaller; at network
                                 * scope 1 if the network's was                */
};
/* One update: prune, allot, grow, one edit a layer (ARCHITECTURE, "The topology update"). */
ftk_status ftk__topology_update(struct ftk__topology *t, struct ftk__engine *e,
                                const struct ftk__topology_event *ev,
                                struct ftk__topology_report *ret, struct ftk_error *reterr);
/* Cuts to `density` of all maskable weights by the prune plugin, nothing grows; per layer (each
 * layer to that density times its share of today's density: density x n_l where the network is
 * dense), or ranked over the network.  Exempt layers stay, the others make up for them.  No update:
 * it is not counted as one, and `rate` of the event is not used.                             */
ftk_status ftk__topology_cut(struct ftk__topology *t, struct ftk__engine *e,
                             const struct ftk__topology_event *ev, double density, bool global,
                             struct ftk__topology_report *ret, struct ftk_error *reterr);

/* Present state. */
/* [n_layers], nnz and density_target live */
const ftk_layer *ftk__topology_layers(const struct ftk__topology *t);
uint64_t ftk__topology_nnz(const struct ftk__topology *t);
double ftk__topology_density(const struct ftk__topology *t);
/* R_s: share of weights active at some time since INIT (Liu et al. 2021, arXiv:2102.02887). */
double ftk__topology_explored(const struct ftk__topology *t);
uint64_t ftk__topology_updates(const struct ftk__topology *t); /* updates and escapes since INIT */

/* All of it as named flat arrays, for REMEMBER, REWIND and checkpoints: fired bits, ages, plugin
 * state, update counter, density targets.  Masks themselves are the program's.               */
struct ftk__topology_array {
    char name[64];
    void *data;                 /* live memory, to be copied out or overwritten */
    uint64_t bytes;
};
/* The number of arrays; at most `cap` are written.  Each keeps its place and length. */
uint32_t ftk__topology_arrays(struct ftk__topology *t, struct ftk__topology_array *ret,
                              uint32_t cap);
/* After the program's masks and the arrays were replaced (REWIND, resume): takes nnz from the
 * program, density targets from the arrays; marks active as fired.                          */
ftk_status ftk__topology_sync(struct ftk__topology *t, struct ftk__engine *e,
                              struct ftk_error *reterr);
#endif
