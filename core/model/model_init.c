/* SPDX-License-Identifier: MIT
 * model/model_init.c - fresh values as PyTorch's layers draw them: torch.nn.Linear and Conv2d call
 * kaiming_uniform_(a = sqrt 5), whose gain turns the bound into 1 / sqrt(fan_in).
 */
#include "base/rng.h"
#include "model/model.h"
#include <math.h>

static void fill(float *ret, uint64_t n, float value)
{
    for (uint64_t i = 0; i < n; i++)
        ret[i] = value;
}

void ftk__model_init_tensor(const struct ftk__model *m, uint32_t node, uint32_t role, ftk_rng *rng,
                            float *ret, uint64_t n)
{
    if (m->nodes[node]->op == FTK_NODE_BATCHNORM) {
        fill(ret, n, role == FTK_TENSOR_WEIGHT || role == FTK_TENSOR_BN_VAR ? 1.0f : 0.0f);
        return;
    }
    double bound = 1.0 / sqrt((double)ftk__model_fan_in(m, node));
    for (uint64_t i = 0; i < n; i++)
        ret[i] = (float)(bound * (2.0 * ftk__rng_uniform(rng) - 1.0));
}
