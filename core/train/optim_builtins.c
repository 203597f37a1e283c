/* SPDX-License-Identifier: MIT
 * train/optim_builtins.c - the optimisers by name; what a backend cannot do it refuses itself.
 */
#include "train/optim_builtins.h"

#include <stddef.h>

static const struct ftk__builtin sgd = {
    .group = "optim",
    .name = "sgd",
    .summary = "stochastic gradient descent with momentum, Nesterov's if asked for",
    .reference = "Sutskever et al. 2013, proceedings.mlr.press/v28/sutskever13.html",
};
static const struct ftk__builtin adam = {
    .group = "optim",
    .name = "adam",
    .summary = "Adam; weight decay is added to the gradient",
    .reference = "Kingma and Ba 2015, arXiv:1412.6980",
};
static const struct ftk__builtin adamw = {
    .group = "optim",
    .name = "adamw",
    .summary = "Adam with weight decay apart from the gradient",
    .reference = "Loshchilov and Hutter 2019, arXiv:1711.05101",
};

const struct ftk__builtin *const ftk__optim_builtins[] = { &sgd, &adam, &adamw, NULL };
