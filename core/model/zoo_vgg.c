/* SPDX-License-Identifier: MIT
 * model/zoo_vgg.c - VGG for small images, in two kinds that pruning papers use.
 *
 * c, d and like (SNIP's, as published with FreeTickets): biased convolutions, five max pools, and
 * hidden linear layers of 512 with batch norm after the ReLU.  The third convolutions of c are 1x1
 * and yet padded by 1, so its maps grow: 8 to 10, 5 to 7, 3 to 5, and the classifier reads 2x2.
 * 11 to 19 (Random Pruning's): no biases, four max pools, the mean of the map, one linear layer.
 */
#include "base/str.h"
#include "model/graph_builder.h"

enum { GROUPS = 5, HIDDEN = 512 };

struct vgg_params {
    int32_t variant;
    double width;
};

static const struct variant {
    uint32_t convs[GROUPS]; /* of each group                                */
    uint32_t hidden;        /* linear layers before the last                */
    uint32_t point_from;    /* from this group on the last convolution is 1x1 */
    bool classic;           /* c, d, like                                   */
} variants[] = {
    { { 1, 1, 2, 2, 2 }, 0, GROUPS, false }, { { 2, 2, 2, 2, 2 }, 0, GROUPS, false },
    { { 2, 2, 3, 3, 3 }, 0, GROUPS, false }, { { 2, 2, 4, 4, 4 }, 0, GROUPS, false },
    { { 2, 2, 3, 3, 3 }, 2, 2, true },       { { 2, 2, 3, 3, 3 }, 2, GROUPS, true },
    { { 2, 2, 3, 3, 3 }, 1, GROUPS, true },
};
static const char *const names[] = { "11", "13", "16", "19", "c", "d", "like", NULL };
static const uint32_t channels[GROUPS] = { 64, 128, 256, 512, 512 };

enum { VARIANT_16 = 2 };
static const ftk_param params[] = {
    FTK_PARAM_ENUM(struct vgg_params, variant, VARIANT_16, names,
                   "11 to 19: layers; c, d, like: with hidden linear layers"),
    FTK_PARAM_F64(struct vgg_params, width, 1.0, 0.01, 16.0, "",
                  "multiple of the channels of every layer but the last"),
    FTK_PARAM_END,
};

/* Adds a node named by its place, as nn.Sequential counts, and moves on. */
static const char *place(char name[12], uint32_t *at)
{
    ftk__format(name, 12, "%u", *at);
    ++*at;
    return name;
}

static uint32_t features(struct ftk__graph *g, const struct variant *v, double width, uint32_t in)
{
    uint32_t at = in;
    uint32_t index = 0;
    char name[12];
    uint32_t bias = v->classic ? FTK_NODE_BIAS : 0;
    ftk__graph_prefix(g, "features.");
    for (uint32_t group = 0; group < GROUPS; group++) {
        uint32_t wide = ftk__graph_width(channels[group], width);
        for (uint32_t i = 0; i < v->convs[group]; i++) {
            bool point = group >= v->point_from && i + 1 == v->convs[group];
            at = ftk__graph_conv(g, at, wide, point ? 1 : 3, 1, 1, bias, place(name, &index));
            at = ftk__graph_norm(g, at, place(name, &index));
            at = ftk__graph_unary(g, FTK_NODE_RELU, at, place(name, &index));
        }
        if (v->classic || group + 1 < GROUPS)
            at = ftk__graph_pool(g, FTK_NODE_MAXPOOL, at, 2, 2, place(name, &index));
    }
    g->prefix[0] = 0;
    return at;
}

static uint32_t build(struct ftk__graph *g, const struct ftk__model_request *q, uint32_t input)
{
    const struct vgg_params *vgg = q->params;
    const struct variant *v = &variants[vgg->variant];
    uint32_t index = 0;
    char name[12];
    if (!v->classic)
        g->model->init = (struct ftk__init){ FTK__FILL_FAN_IN, FTK__FILL_SMALL, FTK__FILL_ZERO };
    uint32_t at = features(g, v, vgg->width, input);
    /* As published, images under 32x32 leave no map to average. */
    if (!v->classic)
        at = ftk__graph_global_pool(g, at, 2, "pool");
    at = ftk__graph_unary(g, FTK_NODE_FLATTEN, at, "flatten");
    ftk__graph_prefix(g, "classifier.");
    uint32_t hidden = ftk__graph_width(HIDDEN, vgg->width);
    for (uint32_t i = 0; i < v->hidden; i++) {
        at = ftk__graph_linear(g, at, hidden, FTK_NODE_BIAS, place(name, &index));
        at = ftk__graph_unary(g, FTK_NODE_RELU, at, place(name, &index));
        at = ftk__graph_norm(g, at, place(name, &index));
    }
    return ftk__graph_linear(g, at, q->classes, FTK_NODE_BIAS, place(name, &index));
}

const struct ftk__family ftk__family_vgg = {
    .builtin = {
        .group = "model",
        .name = "vgg",
        .summary = "VGG with batch norm for images from 32x32",
        .reference = "Simonyan and Zisserman 2015, arXiv:1409.1556",
        .params = params,
        .params_size = sizeof(struct vgg_params),
    },
    .build = build,
};
