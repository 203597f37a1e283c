/* SPDX-License-Identifier: MIT
 * model/model.h - model families as node lists, named as a PyTorch state dict would name them.
 */
#ifndef FTK__MODEL_H
#define FTK__MODEL_H
#include "base/builtin.h"
#include "base/mem.h"
#include <freetickets/backend.h>
#include <stdbool.h>

/* NULL-terminated: mlp, lenet5, wrn, resnet_cifar, vgg, resnet. */
extern const struct ftk__builtin *const ftk__model_builtins[];

struct ftk__model_request {
    const struct ftk__builtin *model;
    const void *params;
    uint32_t shape[3];          /* of an image: channels, height, width         */
    uint32_t classes;
    double label_smoothing;
    bool decay_bn, decay_bias;
    const char *const *dense;   // [n_dense] name globs of weights that are not maskable
    uint64_t n_dense;
};
/* How a family's weights start.  He et al. 2015, arXiv:1502.01852: N(0, 2 / fan). */
enum ftk__fill {
    FTK__FILL_DEFAULT,          /* PyTorch's: kaiming_uniform(a = sqrt 5) = U(+-1/sqrt(fan_in)) */
    FTK__FILL_FAN_IN,           /* fan = in x kh x kw                           */
    FTK__FILL_FAN_OUT,          /* fan = out x kh x kw                          */
    FTK__FILL_SMALL,            /* N(0, 0.01^2)                                 */
    FTK__FILL_ZERO
};
struct ftk__init {
    enum ftk__fill conv, linear, bias; /* weights, weights, biases of both      */
};
struct ftk__model {
    struct ftk__arena arena;
    const char *name;
    struct ftk__init init;      /* all zero: PyTorch's defaults                 */
    const ftk_node **nodes;     // [n_nodes], inputs before users
    uint32_t n_nodes;
    ftk_layer *layers;          // [n_layers] the maskable weights, in node order; nnz = n
    uint32_t *layer_node;       // [n_layers]
    uint32_t n_layers;
    uint32_t shape[3], classes;
    uint64_t n_params;          /* weights, biases, BN weights and biases        */
    uint64_t n_maskable;        /* sum of the layers' n                          */
};
/* A model that does not fit the image size: FTK_EINVAL (78) naming the node. */
ftk_status ftk__model_build(const struct ftk__model_request *q, struct ftk__model **ret,
                            struct ftk_error *reterr);
void ftk__model_free(struct ftk__model *m);
/* Name as in a state dict: node name and ".weight", ".bias", ".running_mean", ".running_var" for
 * FTK_TENSOR_*; false for roles that are no part of it, or where `buf` is too small.        */
bool ftk__model_tensor_name(const struct ftk__model *m, uint32_t node, uint32_t role, char *buf,
                            uint64_t cap);
/* Shape of that array: weight (out, in[, kh, kw]), others (channels).  Returns the number of dims,
 * 0 where there is no such array.                                                           */
uint32_t ftk__model_tensor_shape(const struct ftk__model *m, uint32_t node, uint32_t role,
                                 uint64_t ret_dims[4]);
/* Fresh values, all n of them, by the model's `init` from `rng`; BN 1 and 0, mean 0, var 1.  The
 * array must be one of the node's.                                                          */
void ftk__model_init_tensor(const struct ftk__model *m, uint32_t node, uint32_t role, ftk_rng *rng,
                            float *ret, uint64_t n);
/* v = in x kh x kw inputs of an output element of a linear or conv node; 0 for other nodes.     */
uint64_t ftk__model_fan_in(const struct ftk__model *m, uint32_t node);
#endif
