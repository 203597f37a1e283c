/* SPDX-License-Identifier: MIT
 * model/model_names.c - a node's arrays: their names in a PyTorch state dict and their shapes.
 */
#include "base/str.h"
#include "model/model.h"

/* The suffix of a node's array of that role; NULL where the node has no such array. */
static const char *suffix(const ftk_node *n, uint32_t role)
{
    bool weighted = n->op == FTK_NODE_LINEAR || n->op == FTK_NODE_CONV2D;
    bool norm = n->op == FTK_NODE_BATCHNORM;
    switch (role) {
    case FTK_TENSOR_WEIGHT:
        return weighted || norm ? ".weight" : NULL;
    case FTK_TENSOR_BIAS:
        return norm || (weighted && (n->flags & FTK_NODE_BIAS) != 0) ? ".bias" : NULL;
    case FTK_TENSOR_BN_MEAN:
        return norm ? ".running_mean" : NULL;
    case FTK_TENSOR_BN_VAR:
        return norm ? ".running_var" : NULL;
    default:
        return NULL;
    }
}

bool ftk__model_tensor_name(const struct ftk__model *m, uint32_t node, uint32_t role, char *buf,
                            uint64_t cap)
{
    const char *end = node < m->n_nodes ? suffix(m->nodes[node], role) : NULL;
    return end && ftk__format(buf, (size_t)cap, "%s%s", m->nodes[node]->name, end);
}

uint32_t ftk__model_tensor_shape(const struct ftk__model *m, uint32_t node, uint32_t role,
                                 uint64_t ret_dims[4])
{
    if (node >= m->n_nodes || !suffix(m->nodes[node], role))
        return 0;
    const ftk_node *n = m->nodes[node];
    ret_dims[0] = n->out_shape[0];
    if (role != FTK_TENSOR_WEIGHT || n->op == FTK_NODE_BATCHNORM)
        return 1;
    const uint32_t *in = m->nodes[n->in[0]]->out_shape;
    if (n->op == FTK_NODE_LINEAR) {
        ret_dims[1] = (uint64_t)in[0] * in[1] * in[2];
        return 2;
    }
    ret_dims[1] = in[0];
    ret_dims[2] = n->kernel[0];
    ret_dims[3] = n->kernel[1];
    return 4;
}

uint64_t ftk__model_fan_in(const struct ftk__model *m, uint32_t node)
{
    if (node >= m->n_nodes || m->nodes[node]->op == FTK_NODE_BATCHNORM)
        return 0;
    uint64_t dims[4];
    uint32_t n_dims = ftk__model_tensor_shape(m, node, FTK_TENSOR_WEIGHT, dims);
    uint64_t v = n_dims > 0;
    for (uint32_t d = 1; d < n_dims; d++)
        v *= dims[d];
    return v;
}
