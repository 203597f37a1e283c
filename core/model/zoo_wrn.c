/* SPDX-License-Identifier: MIT
 * model/zoo_wrn.c - wide residual networks with pre-activation blocks, named as the published
 * FreeTickets code names them.
 *
 * Where the widths differ, the 1x1 shortcut reads the block's activated input, not the raw one.
 */
#include "model/graph_builder.h"

enum { STEM = 16, GROUPS = 3 };

struct wrn_params {
    int64_t depth, width;
    double dropout;
};

static const ftk_param params[] = {
    FTK__PARAM_I64_REQUIRED(struct wrn_params, depth, 10, 1000, "layer",
                            "layers with weights along one path: 6 n + 4"),
    FTK__PARAM_I64_REQUIRED(struct wrn_params, width, 1, 100, "",
                            "multiple of the 16, 32 and 64 channels of the groups"),
    FTK_PARAM_F64(struct wrn_params, dropout, 0.0, 0.0, 0.99, "fraction",
                  "values dropped between the two convolutions of a block"),
    FTK_PARAM_END,
};

static ftk_status check(const void *p, struct ftk_error *reterr)
{
    const struct wrn_params *wrn = p;
    if ((wrn->depth - 4) % 6 != 0)
        return ftk__fail(reterr, FTK_EINVAL, "depth %lld is not 6 n + 4 (10, 16, 22, 28, ...)",
                         (long long)wrn->depth);
    return FTK_OK;
}

static uint32_t dropout(struct ftk__graph *g, uint32_t in, double rate)
{
    if (rate <= 0.0)
        return in;
    ftk_node n = { .op = FTK_NODE_DROPOUT,
                   .in = { in, FTK__NO_NODE },
                   .scalar = { (float)rate, 0.0f } };
    return ftk__graph_add(g, &n, "dropout");
}

/* Names get the prefix that is set. */
static uint32_t block(struct ftk__graph *g, uint32_t in, uint32_t width_in, uint32_t width,
                      uint32_t stride, double rate)
{
    uint32_t active = ftk__graph_norm(g, in, "bn1");
    active = ftk__graph_unary(g, FTK_NODE_RELU, active, "relu1");
    uint32_t at = ftk__graph_conv(g, active, width, 3, stride, 1, 0, "conv1");
    at = ftk__graph_norm(g, at, "bn2");
    at = ftk__graph_unary(g, FTK_NODE_RELU, at, "relu2");
    at = dropout(g, at, rate);
    at = ftk__graph_conv(g, at, width, 3, 1, 1, 0, "conv2");
    uint32_t shortcut = in;
    if (width != width_in)
        shortcut = ftk__graph_conv(g, active, width, 1, stride, 0, 0, "convShortcut");
    return ftk__graph_sum(g, at, shortcut, "add");
}

static uint32_t build(struct ftk__graph *g, const struct ftk__model_request *q, uint32_t input)
{
    const struct wrn_params *wrn = q->params;
    uint32_t blocks = (uint32_t)(wrn->depth - 4) / 6;
    uint32_t width = STEM;
    g->model->init = (struct ftk__init){ .conv = FTK__FILL_FAN_OUT, .bias = FTK__FILL_ZERO };
    uint32_t at = ftk__graph_conv(g, input, STEM, 3, 1, 1, 0, "conv1");
    for (uint32_t group = 0; group < GROUPS; group++) {
        uint32_t wide = ((uint32_t)STEM << group) * (uint32_t)wrn->width;
        for (uint32_t i = 0; i < blocks; i++) {
            ftk__graph_prefix(g, "block%u.layer.%u.", group + 1, i);
            at = block(g, at, width, wide, group > 0 && i == 0 ? 2 : 1, wrn->dropout);
            width = wide;
        }
    }
    g->prefix[0] = 0;
    at = ftk__graph_norm(g, at, "bn1");
    at = ftk__graph_unary(g, FTK_NODE_RELU, at, "relu");
    at = ftk__graph_global_pool(g, at, 1, "pool");
    return ftk__graph_linear(g, at, q->classes, FTK_NODE_BIAS, "fc");
}

const struct ftk__family ftk__family_wrn = {
    .builtin = {
        .group = "model",
        .name = "wrn",
        .summary = "wide residual network, WRN-depth-width, for images from 8x8",
        .reference = "Zagoruyko and Komodakis 2016, arXiv:1605.07146",
        .params = params,
        .params_size = sizeof(struct wrn_params),
        .check = check,
    },
    .shortcuts = "*.convShortcut",
    .build = build,
};
