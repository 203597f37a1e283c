/* SPDX-License-Identifier: MIT
 * conform/golden_metrics.h - predictions and their metrics as numpy computes them in double.
 */
#ifndef FTK__GOLDEN_METRICS_H
#define FTK__GOLDEN_METRICS_H
#include <stdint.h>

enum { FTK__GOLDEN_MEMBERS = 3, FTK__GOLDEN_SAMPLES = 24, FTK__GOLDEN_CLASSES = 4 };
extern const float ftk__golden_logits[];   // [members][samples][classes]
extern const int32_t ftk__golden_labels[]; // [samples]
struct ftk__golden_metric {
    const char *name; /* of the metric; NULL past the last            */
    double value;
};
extern const struct ftk__golden_metric ftk__golden_metrics[];
#endif
