/* SPDX-License-Identifier: MIT
 * model/zoo_resnet_cifar.c - the residual networks for CIFAR with 16, 32 and 64 channels, named as
 * the public PyTorch models name them.
 *
 * Shortcut A subsamples and pads channels with zeros on both sides, without weights; B is a 1x1
 * convolution with batch norm.
 */
#include "model/graph_builder.h"

enum { STEM = 16, GROUPS = 3, SHORTCUT_A = 0 };

struct resnet_cifar_params {
    int64_t depth;
    int32_t shortcut;
};

static const char *const shortcuts[] = { "A", "B", NULL };
static const ftk_param params[] = {
    FTK__PARAM_I64_REQUIRED(struct resnet_cifar_params, depth, 20, 110, "layer",
                            "layers with weights along one path: 6 n + 2"),
    FTK_PARAM_ENUM(struct resnet_cifar_params, shortcut, SHORTCUT_A, shortcuts,
                   "where the width changes: A zeros for the new channels, B a 1x1 convolution"),
    FTK_PARAM_END,
};

static ftk_status check(const void *p, struct ftk_error *reterr)
{
    const struct resnet_cifar_params *r = p;
    if ((r->depth - 2) % 6 != 0)
        return ftk__fail(reterr, FTK_EINVAL, "depth %lld is not 6 n + 2 (20, 32, 44, 56, 110, ...)",
                         (long long)r->depth);
    return FTK_OK;
}

static uint32_t shortcut(struct ftk__graph *g, uint32_t in, uint32_t width, int32_t kind)
{
    if (kind == SHORTCUT_A) {
        ftk_node n = {
            .op = FTK_NODE_PAD_CHANNELS,
            .in = { in, FTK__NO_NODE },
            .out_shape = { width, 0, 0 },
            .kernel = { 1, 1 },
            .stride = { 2, 2 },
        };
        return ftk__graph_add(g, &n, "shortcut");
    }
    uint32_t at = ftk__graph_conv(g, in, width, 1, 2, 0, 0, "shortcut.0");
    return ftk__graph_norm(g, at, "shortcut.1");
}

/* Names get the prefix that is set. */
static uint32_t block(struct ftk__graph *g, uint32_t in, uint32_t width, bool halves, int32_t kind)
{
    uint32_t at = ftk__graph_conv(g, in, width, 3, halves ? 2 : 1, 1, 0, "conv1");
    at = ftk__graph_norm(g, at, "bn1");
    at = ftk__graph_unary(g, FTK_NODE_RELU, at, "relu1");
    at = ftk__graph_conv(g, at, width, 3, 1, 1, 0, "conv2");
    at = ftk__graph_norm(g, at, "bn2");
    uint32_t beside = halves ? shortcut(g, in, width, kind) : in;
    at = ftk__graph_sum(g, at, beside, "add");
    return ftk__graph_unary(g, FTK_NODE_RELU, at, "relu2");
}

static uint32_t build(struct ftk__graph *g, const struct ftk__model_request *q, uint32_t input)
{
    const struct resnet_cifar_params *r = q->params;
    uint32_t blocks = (uint32_t)(r->depth - 2) / 6;
    g->model->init = (struct ftk__init){ .conv = FTK__FILL_FAN_IN, .linear = FTK__FILL_FAN_IN };
    uint32_t at = ftk__graph_conv(g, input, STEM, 3, 1, 1, 0, "conv1");
    at = ftk__graph_norm(g, at, "bn1");
    at = ftk__graph_unary(g, FTK_NODE_RELU, at, "relu");
    for (uint32_t group = 0; group < GROUPS; group++) {
        for (uint32_t i = 0; i < blocks; i++) {
            ftk__graph_prefix(g, "layer%u.%u.", group + 1, i);
            at = block(g, at, (uint32_t)STEM << group, group > 0 && i == 0, r->shortcut);
        }
    }
    g->prefix[0] = 0;
    at = ftk__graph_global_pool(g, at, 1, "pool");
    return ftk__graph_linear(g, at, q->classes, FTK_NODE_BIAS, "linear");
}

const struct ftk__family ftk__family_resnet_cifar = {
    .builtin = {
        .group = "model",
        .name = "resnet_cifar",
        .summary = "residual network of 20 to 110 layers for small images",
        .reference = "He et al. 2016, arXiv:1512.03385, section 4.2",
        .params = params,
        .params_size = sizeof(struct resnet_cifar_params),
        .check = check,
    },
    .shortcuts = "*.shortcut.0",
    .build = build,
};
