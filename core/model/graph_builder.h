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

/* A family: what `model.use` names (stays the first member), and the writer of its nodes.  `input`
 * is the INPUT node; the result is the node of the logits, q->classes channels of 1x1.       */
struct ftk__family {
    struct ftk__builtin builtin;
    uint32_t (*build)(struct ftk__graph *g, const struct ftk__model_request *q, uint32_t input);
};
extern const struct ftk__family ftk__family_mlp, ftk__family_lenet5;
#endif
