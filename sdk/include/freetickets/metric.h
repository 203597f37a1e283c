/* SPDX-License-Identifier: MIT
 * freetickets/metric.h - a metric folds batches of predictions into named numbers. */
#ifndef FTK_METRIC_H
#define FTK_METRIC_H
#include <freetickets/host.h>

typedef struct ftk_pred {
    uint32_t size;
    uint32_t members, classes;
    uint64_t count;                /* samples in this batch; may be 0            */
    /* Computed by the core in double from float32 logits.                       */
    const double *ensemble;        /* [count][classes], rows sum to 1            */
    const double *const *member;   /* [members] of the same; NULL unless asked   */
    const double *log_ensemble;    /* their natural logs, finite: from logits    */
    const double *const *log_member;
    const int32_t *label;          /* [count]; -1 where unknown                  */
    const uint8_t *group;          /* [count] FTK_GROUP_*; NULL: all TEST        */
} ftk_pred;
enum { FTK_GROUP_TEST = 0, FTK_GROUP_OOD = 1, FTK_GROUP_VALIDATION = 2 };

typedef struct ftk_metric_value {  /* what finish() can report, declared up front */
    const char *name;              /* "ece"                                      */
    const char *unit;              /* "" | "nat"; shares are fractions            */
    double min, max;               /* closed range a correct value lies in       */
    int32_t better;                /* +1 higher, -1 lower, 0 neither             */
    uint32_t reserved;
} ftk_metric_value;

typedef struct ftk_metric_ops {
    uint32_t size;
    uint32_t flags;                /* FTK_METRIC_*                               */
    uint32_t n_values;
    uint32_t reserved;
    const ftk_metric_value *values;
    /* Bytes of one zeroed accumulator for an evaluation of this shape; what ranks
     * all samples (adaptive bins, areas under curves) asks for room for them.   */
    ftk_status (*state_bytes)(const ftk_host *h, void *self, uint32_t members, uint32_t classes,
                              uint64_t samples, uint64_t *ret_bytes);
    /* Splitting a batch, or merging two accumulators, changes nothing beyond
     * rounding: the kit checks both.                                    [call]  */
    ftk_status (*add)(const ftk_host *h, void *self, void *state, const ftk_pred *p);
    ftk_status (*merge)(const ftk_host *h, void *self, void *into, const void *from);
    ftk_status (*finish)(const ftk_host *h, void *self, const void *state, double *ret_values);
} ftk_metric_ops;
enum { FTK_METRIC_MEMBERS = 1u << 0,  /* wants member[] and log_member[]              */
       FTK_METRIC_GROUPS = 1u << 1 }; /* without it no sample of another group arrives */
#endif
