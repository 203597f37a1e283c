/* SPDX-License-Identifier: MIT
 * model/zoo_lenet5.c - the Caffe variant of LeNet-5: 20@5x5, 50@5x5, each with ReLU and 2x2 max
 * pooling and no padding, then 500 units, then the classes.
 */
#include "model/graph_builder.h"

static uint32_t build(struct ftk__graph *g, const struct ftk__model_request *q, uint32_t input)
{
    uint32_t at = ftk__graph_conv(g, input, 20, 5, 1, 0, FTK_NODE_BIAS, "conv1");
    at = ftk__graph_unary(g, FTK_NODE_RELU, at, "relu1");
    at = ftk__graph_pool(g, FTK_NODE_MAXPOOL, at, 2, 2, "pool1");
    at = ftk__graph_conv(g, at, 50, 5, 1, 0, FTK_NODE_BIAS, "conv2");
    at = ftk__graph_unary(g, FTK_NODE_RELU, at, "relu2");
    at = ftk__graph_pool(g, FTK_NODE_MAXPOOL, at, 2, 2, "pool2");
    at = ftk__graph_unary(g, FTK_NODE_FLATTEN, at, "flatten");
    at = ftk__graph_linear(g, at, 500, FTK_NODE_BIAS, "fc3");
    at = ftk__graph_unary(g, FTK_NODE_RELU, at, "relu3");
    return ftk__graph_linear(g, at, q->classes, FTK_NODE_BIAS, "fc4");
}

const struct ftk__family ftk__family_lenet5 = {
    .builtin = {
        .group = "model",
        .name = "lenet5",
        .summary = "two convolutions with max pooling, two linear layers (20-50-500)",
        .reference = "LeCun et al. 1998, doi:10.1109/5.726791",
    },
    .build = build,
};
