/* SPDX-License-Identifier: MIT
 * train/progress.h - what a watcher of a run is told; cli draws the bar.
 */
#ifndef FTK__PROGRESS_H
#define FTK__PROGRESS_H
#include <stdint.h>

struct ftk__progress_state {
    const char *label;          /* of the operation: "refine 2/3"               */
    uint32_t member;
    uint64_t done, total;       /* optimiser steps of the whole run             */
    double loss, accuracy;      /* means since the last epoch's end; right after it: the epoch's
                                 * loss.  NaN before the first step             */
    double density;
    double images_per_s;        /* of the whole run so far                      */
    double eta_s;
};
struct ftk__progress {
    void *arg;
    /* Now and then; NULL: nobody looks. */
    void (*step)(void *arg, const struct ftk__progress_state *s);
};
#endif
