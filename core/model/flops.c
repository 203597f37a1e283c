/* SPDX-License-Identifier: MIT
 * model/flops.c - theoretical FLOPs by RigL's counting.
 *
 * Per output element: v d multiplications, v d - 1 additions, 1 for the bias and 1 for the ReLU,
 * whether there are any or not, as the counter that RigL published has it.
 */
#include "model/flops.h"

double ftk__flops_node(const struct ftk__model *m, uint32_t node, double density)
{
    uint64_t v = ftk__model_fan_in(m, node);
    if (v == 0)
        return 0.0;
    const uint32_t *out = m->nodes[node]->out_shape;
    double elements = (double)out[0] * (double)out[1] * (double)out[2];
    return elements * (2.0 * (double)v * density + 1.0);
}

double ftk__flops_forward(const struct ftk__model *m, const double *density)
{
    double sum = 0.0;
    uint32_t layer = 0;
    for (uint32_t i = 0; i < m->n_nodes; i++) {
        bool maskable = layer < m->n_layers && m->layer_node[layer] == i;
        sum += ftk__flops_node(m, i, maskable && density ? density[layer] : 1.0);
        layer += maskable;
    }
    return sum;
}
