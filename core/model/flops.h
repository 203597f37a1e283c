/* SPDX-License-Identifier: MIT
 * model/flops.h - theoretical FLOPs by RigL's counting (Evci et al. 2020, appendix; MicroNet):
 * a conv or linear node costs 2 v d + 1 per output element, v = in x kh x kw, d its density; other
 * nodes nothing.
 */
#ifndef FTK__FLOPS_H
#define FTK__FLOPS_H
#include "model/model.h"

/* One image through one node at `density`. */
double ftk__flops_node(const struct ftk__model *m, uint32_t node, double density);
/* One image through the net; density[n_layers] of the maskable layers, NULL: all 1. */
double ftk__flops_forward(const struct ftk__model *m, const double *density);
#endif
