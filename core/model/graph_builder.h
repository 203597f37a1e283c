/* SPDX-License-Identifier: MIT
 * model/graph_builder.h - how a model family writes its node list: one call a node.
 *
 * A family (zoo_*.c) appends nodes in order; the builder infers output shapes, sets the flags that
 * the experiment asks for and checks that a window fits.  The first failure sticks: later calls
 * do nothing and give FTK__NO_NODE, so a family needs no checks of its own.
 */
#ifndef FTK__GRAPH_BUILDER_H
#define FTK__GRAPH_BUILDER_H
#include "model/model.h"

#define FTK__NO_NODE UINT32_MAX

struct ftk__graph {
    struct ftk__model *model;   /* gets the nodes                               */
    uint32_t cap;               /* room in model->nodes                         */
    char prefix[40];            /* before every name: "layer1.0."; "" for none  */
    bool decay_bn, decay_bias;
    ftk_status status;          /* of the first failure                         */
    struct ftk_error *reterr;
};

/* Appends a copy of `what`, of which these are read: op, in, kernel, stride, pad, flags, scalar,
 * and out_shape[0] of linear, conv and pad-channels nodes (input: the whole shape).  Unused inputs
 * are FTK__NO_NODE.  `name` is copied.                                            */
uint32_t ftk__graph_add(struct ftk__graph *g, const ftk_node *what, const char *name);

/* The usual ones.  Windows are square. */
uint32_t ftk__graph_linear(struct ftk__graph *g, uint32_t in, uint32_t out, uint32_t flags,
                           const char *name);
uint32_t ftk__graph_conv(struct ftk__graph *g, uint32_t in, uint32_t out, uint32_t kernel,
                         uint32_t stride, uint32_t pad, uint32_t flags, const char *name);
/* `op`: FTK_NODE_MAXPOOL or FTK_NODE_AVGPOOL; no padding. */
uint32_t ftk__graph_pool(struct ftk__graph *g, uint32_t op, uint32_t in, uint32_t kernel,
                         uint32_t stride, const char *name);
/* One input, nothing to set: relu, flatten. */
uint32_t ftk__graph_unary(struct ftk__graph *g, uint32_t op, uint32_t in, const char *name);
/* Batch norm with PyTorch's momentum 0.1 and eps 1e-5. */
uint32_t ftk__graph_norm(struct ftk__graph *g, uint32_t in, const char *name);
uint32_t ftk__graph_sum(struct ftk__graph *g, uint32_t a, uint32_t b, const char *name);
/* The mean of the whole map, which must measure at least `least` each way. */
uint32_t ftk__graph_global_pool(struct ftk__graph *g, uint32_t in, uint32_t least,
                                const char *name);

/* What `format` makes of its arguments stands before all names until it is set again. */
void ftk__graph_prefix(struct ftk__graph *g, const char *format, ...) FTK_PRINTF(2, 3);
/* `channels` times a width multiplier, rounded, at least 1. */
uint32_t ftk__graph_width(uint32_t channels, double multiplier);

/* A parameter of a family that has no default. */
#define FTK__PARAM_I64_REQUIRED(T, f, min_, max_, unit_, help_)                                  \
    { #f, help_, unit_, NULL, NULL, min_, min_, max_, FTK_P_I64, FTK_PF_REQUIRED,                \
      (uint32_t)offsetof(T, f), 0 }

/* A family: what `model.use` names (stays the first member), and the writer of its nodes.  `input`
 * is the INPUT node; the result is the node of the logits, q->classes channels of 1x1.  build()
 * also sets the model's `init` where it is not PyTorch's default.                             */
struct ftk__family {
    struct ftk__builtin builtin;
    const char *shortcuts;      /* a glob of the weights on shortcuts, or NULL  */
    uint32_t (*build)(struct ftk__graph *g, const struct ftk__model_request *q, uint32_t input);
};
extern const struct ftk__family ftk__family_mlp, ftk__family_lenet5, ftk__family_wrn,
    ftk__family_resnet_cifar, ftk__family_vgg, ftk__family_resnet;
#endif
