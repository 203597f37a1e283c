/* SPDX-License-Identifier: MIT
 * model/build.c - from a request to a model: the family's nodes between INPUT and XENT, then the
 * list of maskable layers.
 */
#include "base/str.h"
#include "model/graph_builder.h"
#include <string.h>

const struct ftk__builtin *const ftk__model_builtins[] = {
    &ftk__family_mlp.builtin,
    &ftk__family_lenet5.builtin,
    &ftk__family_wrn.builtin,
    &ftk__family_resnet_cifar.builtin,
    &ftk__family_vgg.builtin,
    &ftk__family_resnet.builtin,
    NULL,
};

/* The family whose first member `builtin` is. */
static const struct ftk__family *family_of(const struct ftk__builtin *builtin)
{
    for (size_t i = 0; ftk__model_builtins[i]; i++)
        if (ftk__model_builtins[i] == builtin)
            return (const struct ftk__family *)(const void *)builtin;
    return NULL;
}

static ftk_status no_memory(struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "out of memory for the model");
}

/* INPUT, the family's nodes, XENT. */
static ftk_status add_nodes(struct ftk__model *m, const struct ftk__model_request *q,
                            const struct ftk__family *family, struct ftk_error *reterr)
{
    struct ftk__graph g = {
        .model = m,
        .decay_bn = q->decay_bn,
        .decay_bias = q->decay_bias,
        .reterr = reterr,
    };
    ftk_node input = { .op = FTK_NODE_INPUT, .in = { FTK__NO_NODE, FTK__NO_NODE } };
    memcpy(input.out_shape, q->shape, sizeof input.out_shape);
    uint32_t first = ftk__graph_add(&g, &input, "input");
    uint32_t logits = family->build(&g, q, first);
    g.prefix[0] = 0;
    ftk_node loss = { .op = FTK_NODE_XENT, .in = { logits, FTK__NO_NODE } };
    loss.scalar[0] = (float)q->label_smoothing;
    ftk__graph_add(&g, &loss, "loss");
    return g.status;
}

static bool has_weight(const ftk_node *n)
{
    return n->op == FTK_NODE_LINEAR || n->op == FTK_NODE_CONV2D;
}

static uint64_t shape_product(const struct ftk__model *m, uint32_t node, uint32_t role)
{
    uint64_t dims[4];
    uint32_t n_dims = ftk__model_tensor_shape(m, node, role, dims);
    uint64_t n = n_dims > 0;
    for (uint32_t d = 0; d < n_dims; d++)
        n *= dims[d];
    return n;
}

/* Position among the network's layers, maskable or not: a rule for the first layer must not
 * move to the second because the first was left dense.                                    */
static uint32_t role_of(const struct ftk__model *m, uint32_t node)
{
    uint32_t role = FTK_ROLE_FIRST | FTK_ROLE_LAST;
    for (uint32_t i = 0; i < m->n_nodes; i++) {
        if (!has_weight(m->nodes[i]))
            continue;
        if (i < node)
            role &= ~(uint32_t)FTK_ROLE_FIRST;
        if (i > node)
            role &= ~(uint32_t)FTK_ROLE_LAST;
    }
    return role;
}

static void fill_layer(struct ftk__model *m, uint32_t node, const char *shortcuts, ftk_layer *l)
{
    const ftk_node *n = m->nodes[node];
    uint64_t dims[4] = { 1, 1, 1, 1 };
    uint32_t n_dims = ftk__model_tensor_shape(m, node, FTK_TENSOR_WEIGHT, dims);
    l->size = sizeof *l;
    l->type = n->op == FTK_NODE_LINEAR ? FTK_LAYER_LINEAR : FTK_LAYER_CONV2D;
    l->index = m->n_layers;
    for (uint32_t d = 0; d < 4; d++)
        l->shape[d] = d < n_dims ? (uint32_t)dims[d] : 1;
    l->n = shape_product(m, node, FTK_TENSOR_WEIGHT);
    l->nnz = l->n;
    l->role = role_of(m, node);
    if (shortcuts && ftk__glob_match(shortcuts, n->name))
        l->role |= FTK_ROLE_SHORTCUT;
    l->name = n->name;
}

static ftk_status add_layers(struct ftk__model *m, const char *shortcuts, struct ftk_error *reterr)
{
    m->layers = ftk__arena_alloc(&m->arena, m->n_nodes * sizeof *m->layers);
    m->layer_node = ftk__arena_alloc(&m->arena, m->n_nodes * sizeof *m->layer_node);
    if (!m->layers || !m->layer_node)
        return no_memory(reterr);
    for (uint32_t i = 0; i < m->n_nodes; i++) {
        m->n_params += shape_product(m, i, FTK_TENSOR_WEIGHT);
        m->n_params += shape_product(m, i, FTK_TENSOR_BIAS);
        if (!m->nodes[i]->sparse)
            continue;
        fill_layer(m, i, shortcuts, &m->layers[m->n_layers]);
        m->layer_node[m->n_layers] = i;
        m->n_maskable += m->layers[m->n_layers].n;
        m->n_layers++;
    }
    return FTK_OK;
}

/* The known layers, for the message about a glob that matches none. */
static ftk_status no_such_layer(const struct ftk__model *m, const char *glob,
                                struct ftk_error *reterr)
{
    struct ftk__str names = { 0 };
    for (uint32_t i = 0; i < m->n_nodes; i++)
        if (has_weight(m->nodes[i]))
            ftk__str_addf(&names, "%s%s", names.len > 0 ? ", " : "", m->nodes[i]->name);
    ftk_status st =
        ftk__fail(reterr, FTK_EINVAL, "sparsity.dense: \"%s\" matches no layer of model '%s' (%s)",
                  glob, m->name, names.failed ? "out of memory for their names" : names.text);
    ftk__str_done(&names);
    return st;
}

static ftk_status leave_dense(struct ftk__model *m, const struct ftk__model_request *q,
                              struct ftk_error *reterr)
{
    for (uint64_t g = 0; g < q->n_dense; g++) {
        bool found = false;
        for (uint32_t i = 0; i < m->n_nodes; i++) {
            const ftk_node *n = m->nodes[i];
            if (!has_weight(n) || !ftk__glob_match(q->dense[g], n->name))
                continue;
            ftk_node *dense = ftk__arena_alloc(&m->arena, sizeof *dense);
            if (!dense)
                return no_memory(reterr);
            *dense = *n;
            dense->sparse = 0;
            m->nodes[i] = dense;
            found = true;
        }
        if (!found)
            return no_such_layer(m, q->dense[g], reterr);
    }
    return FTK_OK;
}

ftk_status ftk__model_build(const struct ftk__model_request *q, struct ftk__model **ret,
                            struct ftk_error *reterr)
{
    const struct ftk__family *family = family_of(q->model);
    if (!family)
        return ftk__fail(reterr, FTK_EINTERNAL, "no model family '%s'", q->model->name);
    struct ftk__model *m = ftk__alloc(sizeof *m);
    if (!m)
        return no_memory(reterr);
    m->name = family->builtin.name;
    memcpy(m->shape, q->shape, sizeof m->shape);
    m->classes = q->classes;
    ftk_status st = add_nodes(m, q, family, reterr);
    if (st == FTK_OK)
        st = leave_dense(m, q, reterr);
    if (st == FTK_OK)
        st = add_layers(m, family->shortcuts, reterr);
    if (st != FTK_OK) {
        ftk__model_free(m);
        return st;
    }
    *ret = m;
    return FTK_OK;
}

void ftk__model_free(struct ftk__model *m)
{
    if (!m)
        return;
    ftk__arena_done(&m->arena);
    ftk__free(m);
}
