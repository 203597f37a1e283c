/* SPDX-License-Identifier: MIT
 * model/zoo_resnet.c - residual networks for ImageNet, named as torchvision names them; in the
 * bottleneck the 3x3 convolution has the stride ("v1.5").
 *
 * The small stem, a 3x3 convolution without pooling, keeps 32x32 images large enough.
 */
#include "model/graph_builder.h"

enum { GROUPS = 4, STEM = 64, STEM_IMAGENET = 0, BOTTLENECK = 4 };

struct resnet_params {
    int64_t depth;
    int32_t stem;
    double width;
};

static const char *const stems[] = { "imagenet", "small", NULL };
static const ftk_param params[] = {
    FTK_PARAM_I64(struct resnet_params, depth, 50, 18, 50, "layer", "18, 34 or 50"),
    FTK_PARAM_ENUM(struct resnet_params, stem, STEM_IMAGENET, stems,
                   "first layer: 7x7 by steps of 2 and max pooling, or 3x3"),
    FTK_PARAM_F64(struct resnet_params, width, 1.0, 0.01, 16.0, "",
                  "multiple of the channels of every layer but the last"),
    FTK_PARAM_END,
};

static const struct variant {
    int64_t depth;
    uint32_t blocks[GROUPS];
    uint32_t expansion; /* of a block's output over its 3x3 convolution */
} variants[] = {
    { 18, { 2, 2, 2, 2 }, 1 },
    { 34, { 3, 4, 6, 3 }, 1 },
    { 50, { 3, 4, 6, 3 }, BOTTLENECK },
};
enum { N_VARIANTS = sizeof variants / sizeof variants[0] };

static const struct variant *variant_of(int64_t depth)
{
    for (uint32_t i = 0; i < N_VARIANTS; i++)
        if (variants[i].depth == depth)
            return &variants[i];
    return NULL;
}

static ftk_status check(const void *p, struct ftk_error *reterr)
{
    const struct resnet_params *r = p;
    if (!variant_of(r->depth))
        return ftk__fail(reterr, FTK_EINVAL, "depth %lld is none of 18, 34, 50",
                         (long long)r->depth);
    return FTK_OK;
}

/* 3x3, 3x3; or 1x1, 3x3, 1x1.  Up to the last batch norm; names get the prefix that is set. */
static uint32_t body(struct ftk__graph *g, uint32_t in, uint32_t width, uint32_t stride,
                     uint32_t expansion)
{
    bool narrow = expansion > 1;
    uint32_t at = ftk__graph_conv(g, in, width, narrow ? 1 : 3, narrow ? 1 : stride, narrow ? 0 : 1,
                                  0, "conv1");
    at = ftk__graph_norm(g, at, "bn1");
    at = ftk__graph_unary(g, FTK_NODE_RELU, at, "relu1");
    at = ftk__graph_conv(g, at, width, 3, narrow ? stride : 1, 1, 0, "conv2");
    at = ftk__graph_norm(g, at, "bn2");
    if (!narrow)
        return at;
    at = ftk__graph_unary(g, FTK_NODE_RELU, at, "relu2");
    at = ftk__graph_conv(g, at, width * expansion, 1, 1, 0, 0, "conv3");
    return ftk__graph_norm(g, at, "bn3");
}

static uint32_t block(struct ftk__graph *g, uint32_t in, uint32_t *width_in, uint32_t width,
                      uint32_t stride, uint32_t expansion)
{
    uint32_t wide = width * expansion;
    uint32_t at = body(g, in, width, stride, expansion);
    uint32_t shortcut = in;
    if (stride != 1 || *width_in != wide) {
        shortcut = ftk__graph_conv(g, in, wide, 1, stride, 0, 0, "downsample.0");
        shortcut = ftk__graph_norm(g, shortcut, "downsample.1");
    }
    *width_in = wide;
    at = ftk__graph_sum(g, at, shortcut, "add");
    return ftk__graph_unary(g, FTK_NODE_RELU, at, "relu");
}

static uint32_t stem(struct ftk__graph *g, uint32_t in, uint32_t width, int32_t kind)
{
    bool large = kind == STEM_IMAGENET;
    uint32_t at =
        ftk__graph_conv(g, in, width, large ? 7 : 3, large ? 2 : 1, large ? 3 : 1, 0, "conv1");
    at = ftk__graph_norm(g, at, "bn1");
    at = ftk__graph_unary(g, FTK_NODE_RELU, at, "relu");
    if (!large)
        return at;
    ftk_node pool = {
        .op = FTK_NODE_MAXPOOL,
        .in = { at, FTK__NO_NODE },
        .kernel = { 3, 3 },
        .stride = { 2, 2 },
        .pad = { 1, 1 },
    };
    return ftk__graph_add(g, &pool, "maxpool");
}

static uint32_t build(struct ftk__graph *g, const struct ftk__model_request *q, uint32_t input)
{
    const struct resnet_params *r = q->params;
    const struct variant *v = variant_of(r->depth);
    uint32_t width = ftk__graph_width(STEM, r->width);
    g->model->init = (struct ftk__init){ .conv = FTK__FILL_FAN_OUT };
    uint32_t at = stem(g, input, width, r->stem);
    for (uint32_t group = 0; group < GROUPS; group++) {
        uint32_t inner = ftk__graph_width((uint32_t)STEM << group, r->width);
        for (uint32_t i = 0; i < v->blocks[group]; i++) {
            ftk__graph_prefix(g, "layer%u.%u.", group + 1, i);
            at = block(g, at, &width, inner, group > 0 && i == 0 ? 2 : 1, v->expansion);
        }
    }
    g->prefix[0] = 0;
    at = ftk__graph_global_pool(g, at, 1, "avgpool");
    return ftk__graph_linear(g, at, q->classes, FTK_NODE_BIAS, "fc");
}

const struct ftk__family ftk__family_resnet = {
    .builtin = {
        .group = "model",
        .name = "resnet",
        .summary = "residual network of 18, 34 or 50 layers",
        .reference = "He et al. 2016, arXiv:1512.03385",
        .params = params,
        .params_size = sizeof(struct resnet_params),
        .check = check,
    },
    .shortcuts = "*.downsample.0",
    .build = build,
};
