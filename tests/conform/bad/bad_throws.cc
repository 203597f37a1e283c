/* SPDX-License-Identifier: MIT
 * bad_throws.cc - a pruner in C++ whose call lets an exception out, into C.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <stdexcept>

static ftk_status score(const ftk_host *, void *, const ftk_layer *, const ftk_cand *c,
                        ftk_update *, float *)
{
    if (c->count != UINT64_MAX)
        throw std::runtime_error("no score today");
    return FTK_OK;
}

static constexpr ftk_prune_ops ops =
    FTK_CXX(ftk_prune_ops, x.channels = FTK_CH_WEIGHT, x.score = score);
static constexpr ftk_algo throws_ =
    FTK_CXX(ftk_algo, x.kind = FTK_KIND_PRUNE, x.name = "throws", x.summary = "throws",
            x.reference = "none", x.ops = &ops);
FTK_PLUGIN("org.example.throws", "1.0.0", "MIT", &throws_);
