/* SPDX-License-Identifier: MIT
 * model/model_init.c - fresh values as PyTorch's layers and the published networks draw them:
 * torch.nn.Linear and Conv2d call kaiming_uniform_(a = sqrt 5), whose gain turns the bound into
 * 1 / sqrt(fan_in); kaiming_normal_ draws N(0, 2 / fan).
 */
#include "base/rng.h"
#include "model/model.h"
#include <math.h>

static void fill(float *ret, uint64_t n, float value)
{
    for (uint64_t i = 0; i < n; i++)
        ret[i] = value;
}

static void fill_uniform(ftk_rng *rng, double bound, float *ret, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        ret[i] = (float)(bound * (2.0 * ftk__rng_uniform(rng) - 1.0));
}

static void fill_normal(ftk_rng *rng, double deviation, float *ret, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        ret[i] = (float)(deviation * ftk__rng_normal(rng));
}

static double fan_out(const ftk_node *n)
{
    double window = n->op == FTK_NODE_CONV2D ? (double)n->kernel[0] * n->kernel[1] : 1.0;
    return window * n->out_shape[0];
}

static enum ftk__fill rule_of(const struct ftk__model *m, const ftk_node *n, uint32_t role)
{
    if (role == FTK_TENSOR_BIAS)
        return m->init.bias;
    return n->op == FTK_NODE_CONV2D ? m->init.conv : m->init.linear;
}

void ftk__model_init_tensor(const struct ftk__model *m, uint32_t node, uint32_t role, ftk_rng *rng,
                            float *ret, uint64_t n)
{
    const double small = 0.01;
    double fan_in = (double)ftk__model_fan_in(m, node);
    if (m->nodes[node]->op == FTK_NODE_BATCHNORM) {
        fill(ret, n, role == FTK_TENSOR_WEIGHT || role == FTK_TENSOR_BN_VAR ? 1.0f : 0.0f);
        return;
    }
    switch (rule_of(m, m->nodes[node], role)) {
    case FTK__FILL_FAN_IN:
        fill_normal(rng, sqrt(2.0 / fan_in), ret, n);
        break;
    case FTK__FILL_FAN_OUT:
        fill_normal(rng, sqrt(2.0 / fan_out(m->nodes[node])), ret, n);
        break;
    case FTK__FILL_SMALL:
        fill_normal(rng, small, ret, n);
        break;
    case FTK__FILL_ZERO:
        fill(ret, n, 0.0f);
        break;
    default:
        fill_uniform(rng, 1.0 / sqrt(fan_in), ret, n);
        break;
    }
}
