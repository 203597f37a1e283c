/* SPDX-License-Identifier: MIT
 * model/zoo_mlp.c - fully connected layers with ReLU between: fc1, fc2, ...; LeNet-300-100
 * (LeCun et al. 1998) by default.
 */
#include "base/str.h"
#include "model/graph_builder.h"

enum { MAX_HIDDEN = 64 };

struct mlp_params {
    ftk_f64s widths; /* of the hidden layers                         */
};

static const ftk_param params[] = {
    FTK_PARAM_F64S(struct mlp_params, widths, "300 100", 1, 1000000, "unit",
                   "units of each hidden layer; an empty list leaves one linear layer"),
    FTK_PARAM_END,
};

static ftk_status check(const void *p, struct ftk_error *reterr)
{
    const struct mlp_params *mlp = p;
    if (mlp->widths.n > MAX_HIDDEN)
        return ftk__fail(reterr, FTK_EINVAL, "widths has %llu entries, at most %d are allowed",
                         (unsigned long long)mlp->widths.n, MAX_HIDDEN);
    for (uint64_t i = 0; i < mlp->widths.n; i++) {
        double w = mlp->widths.v[i];
        if (w != (double)(uint32_t)w)
            return ftk__fail(reterr, FTK_EINVAL, "widths[%llu] is %g, not a whole number",
                             (unsigned long long)i, w);
    }
    return FTK_OK;
}

static uint32_t build(struct ftk__graph *g, const struct ftk__model_request *q, uint32_t input)
{
    const struct mlp_params *mlp = q->params;
    uint32_t at = ftk__graph_unary(g, FTK_NODE_FLATTEN, input, "flatten");
    unsigned n_hidden = (unsigned)mlp->widths.n;
    char name[24];
    for (unsigned i = 0; i < n_hidden; i++) {
        ftk__format(name, sizeof name, "fc%u", i + 1);
        at = ftk__graph_linear(g, at, (uint32_t)mlp->widths.v[i], FTK_NODE_BIAS, name);
        ftk__format(name, sizeof name, "relu%u", i + 1);
        at = ftk__graph_unary(g, FTK_NODE_RELU, at, name);
    }
    ftk__format(name, sizeof name, "fc%u", n_hidden + 1);
    return ftk__graph_linear(g, at, q->classes, FTK_NODE_BIAS, name);
}

const struct ftk__family ftk__family_mlp = {
    .builtin = {
        .group = "model",
        .name = "mlp",
        .summary = "fully connected layers with ReLU between",
        .reference = "LeCun et al. 1998, doi:10.1109/5.726791",
        .params = params,
        .params_size = sizeof(struct mlp_params),
        .check = check,
    },
    .build = build,
};
