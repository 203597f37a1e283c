/* SPDX-License-Identifier: MIT
 * conform/golden_erk.h - the densities of ERK on two networks, as published code computes them.
 */
#ifndef FTK__GOLDEN_ERK_H
#define FTK__GOLDEN_ERK_H
#include <stdbool.h>
#include <stdint.h>

enum { FTK__GOLDEN_TARGETS = 2 };
extern const double ftk__golden_targets[FTK__GOLDEN_TARGETS]; /* densities */

struct ftk__golden_layer {
    const char *name;
    bool conv;
    uint32_t shape[3]; /* out, in, kernel (square)                     */
    double density[FTK__GOLDEN_TARGETS];
};
struct ftk__golden_erk {
    const char *name;
    const struct ftk__golden_layer *layer; // [n]
    uint32_t n;
};
extern const struct ftk__golden_erk ftk__golden_wrn_28_10, ftk__golden_resnet_50;
#endif
