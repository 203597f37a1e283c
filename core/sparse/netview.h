/* SPDX-License-Identifier: MIT
 * sparse/netview.h - the ftk_net and ftk_edit that level-2 rules, allots and inits are called with.
 *
 * A read beyond the declared channels and a take that is out of range, in the wrong state or a
 * repetition are refused at once, with a sentence in the rule's own host; and a rule that goes on
 * as if nothing had happened fails all the same.
 */
#ifndef FTK__NETVIEW_H
#define FTK__NETVIEW_H
#include "sparse/topology_impl.h"

struct ftk__netview {
    ftk_net net;
    ftk_edit edit;              /* only in ftk__netview_select                  */
    struct ftk__work *work;
    const struct ftk__rule *rule;
    struct ftk__place *place;   // [2 n_layers] where reads of each list go on
    uint32_t now;               /* the list in the reader; UINT32_MAX: none     */
    uint32_t which;             /* what may be taken                            */
    uint64_t **allowed;         // [n_layers] bitmaps; NULL: nothing
    uint64_t **taken;           // [n_layers] bitmaps
    ftk_status failed;          /* the first refusal                            */
    char sentence[256];
};
/* For reading only. */
ftk_status ftk__netview_init(struct ftk__netview *v, struct ftk__work *w,
                             const struct ftk__rule *r, struct ftk_error *reterr);
void ftk__netview_done(struct ftk__netview *v);
/* Ends a call begun with ftk__rule_begin, in which the view was used. */
ftk_status ftk__netview_end(const struct ftk__netview *v, ftk_status st, struct ftk_error *reterr);

/* Lets a level-2 rule choose active (prune, init) or inactive (grow) weights, budget[n_layers].
 * ret[n_layers] ascending, the caller's also on failure.  Where the rule's count is exact, a layer
 * with another number than its budget is FTK_ERANGE, or without `by_layer` another sum.     */
ftk_status ftk__netview_select(struct ftk__work *w, const struct ftk__rule *r, uint32_t which,
                               const uint64_t *budget, bool by_layer, struct ftk__picked *ret,
                               struct ftk_error *reterr);
#endif
