// SPDX-License-Identifier: MIT
// tests/conform/good - C++17: an instance with a vector, exceptions kept inside, a rule that selects.
#include <algorithm>
#include <cmath>
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <new>
#include <vector>

namespace
{
struct params {
    double margin;
};
constexpr ftk_param table[] = {
    FTK_PARAM_F64(params, margin, 0.125, 0, 1, "", "subtracted from each magnitude"), FTK_PARAM_END
};

struct instance {
    double margin;
    std::vector<float> curve; // of margins
};

ftk_status create(const ftk_host *h, const void *given, void **ret_self)
{
    void *room = h->alloc(h, sizeof(instance));
    if (!room)
        return h->fail(h, FTK_ENOMEM, "no memory for an instance");
    try {
        auto *self = new (room) instance{ static_cast<const params *>(given)->margin, {} };
        self->curve.assign(16, static_cast<float>(self->margin));
        *ret_self = self;
    } catch (const std::bad_alloc &) {
        h->free(h, room);
        return h->fail(h, FTK_ENOMEM, "no memory for a curve");
    }
    return FTK_OK;
}

void destroy(const ftk_host *h, void *self)
{
    if (!self)
        return;
    static_cast<instance *>(self)->~instance();
    h->free(h, self);
}

ftk_status score(const ftk_host *, void *self, const ftk_layer *, const ftk_cand *c, ftk_update *u,
                 float *ret)
{
    const auto *me = static_cast<const instance *>(self);
    const float margin = me->curve[u->nth % me->curve.size()];
    std::transform(c->weight, c->weight + c->count, ret,
                   [margin](float w) { return std::fabs(w) - margin; });
    return FTK_OK;
}

ftk_status keep_largest(const ftk_host *h, const ftk_net *net, const ftk_edit *edit, uint32_t l)
{
    std::vector<uint64_t> index;
    std::vector<float> value;
    ftk_cand c = {};
    c.size = sizeof(c);
    uint64_t cursor = 0;
    do {
        const ftk_status st = net->read(net, l, FTK_ACTIVE, FTK_CH_WEIGHT, 512, &cursor, &c);
        if (st < 0)
            return st;
        index.insert(index.end(), c.index, c.index + c.count);
        for (uint64_t i = 0; i < c.count; i++)
            value.push_back(std::fabs(c.weight[i]));
    } while (c.count > 0);
    if (edit->budget[l] > index.size())
        return h->fail(h, FTK_ERANGE, "layer %u has %zu weights", l, index.size());
    std::vector<uint64_t> best(edit->budget[l]);
    const ftk_status st =
        h->select_high(h, value.data(), value.size(), best.size(), best.data());
    if (st < 0)
        return st;
    for (uint64_t &at : best)
        at = index[at];
    return edit->take(edit, l, best.data(), best.size());
}

ftk_status select(const ftk_host *h, void *, const ftk_net *net, ftk_update *, const ftk_edit *edit)
{
    try {
        ftk_status st = FTK_OK;
        for (uint32_t l = 0; l < net->n_layers && st >= 0; l++)
            st = keep_largest(h, net, edit, l);
        return st;
    } catch (const std::bad_alloc &) {
        return h->fail(h, FTK_ENOMEM, "no memory for a selection");
    }
}

constexpr ftk_prune_ops prune_ops = FTK_CXX(ftk_prune_ops, x.channels = FTK_CH_WEIGHT,
                                            x.props = FTK_PROP_ELEMENTWISE | FTK_PROP_SIGN_FREE,
                                            x.score = score);
constexpr ftk_init_ops init_ops =
    FTK_CXX(ftk_init_ops, x.channels = FTK_CH_WEIGHT, x.select = select);
constexpr ftk_algo pruner =
    FTK_CXX(ftk_algo, x.kind = FTK_KIND_PRUNE, x.name = "cxx", x.summary = "pruning in C++17",
            x.reference = "none", x.flags = FTK_ALGO_REENTRANT, FTK_PARAMS_CXX(params, table),
            x.ops = &prune_ops, x.create = create, x.destroy = destroy);
constexpr ftk_algo starter = FTK_CXX(ftk_algo, x.kind = FTK_KIND_INIT, x.name = "cxx",
                                     x.summary = "init in C++17", x.reference = "none",
                                     x.flags = FTK_ALGO_REENTRANT, x.ops = &init_ops);
} // namespace

FTK_PLUGIN("freetickets.zoo.cxx", "0.1.0", "MIT", &pruner, &starter);
