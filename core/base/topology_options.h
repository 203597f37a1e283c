/* SPDX-License-Identifier: MIT
 * base/topology_options.h - the `topology` group as config/ resolves and sparse/ obeys it: what the
 * published codes leave silent, one option each.
 */
#ifndef FTK__TOPOLOGY_OPTIONS_H
#define FTK__TOPOLOGY_OPTIONS_H
#include <freetickets/param.h>

enum ftk__preset { FTK__PRESET_PAPER, FTK__PRESET_FREETICKETS, FTK__PRESET_RIGL, FTK__PRESET_ITOP };
enum ftk__scope { FTK__SCOPE_LAYER, FTK__SCOPE_NETWORK };
enum ftk__rate_schedule { FTK__RATE_CONSTANT, FTK__RATE_COSINE };
enum ftk__counting { FTK__COUNTING_EXACT, FTK__COUNTING_BERNOULLI };
enum ftk__ties { FTK__TIES_INDEX, FTK__TIES_THRESHOLD };
enum ftk__rounding { FTK__ROUND_CEIL, FTK__ROUND_FLOOR, FTK__ROUND_NEAREST };
enum ftk__regrow { FTK__REGROW_ALLOWED, FTK__REGROW_FORBIDDEN };
enum ftk__grown_value { FTK__GROWN_ZERO, FTK__GROWN_KEEP_IF_REGROWN };
enum ftk__grown_momentum { FTK__MOMENTUM_ZERO, FTK__MOMENTUM_KEEP };
enum ftk__inactive_momentum { FTK__INACTIVE_ZERO, FTK__INACTIVE_ACCUMULATE };
enum ftk__update_step { FTK__UPDATE_AFTER_OPTIMIZER, FTK__UPDATE_REPLACES };
enum ftk__dense_layers { FTK__DENSE_EXEMPT, FTK__DENSE_UPDATED };
enum ftk__escape_gradient { FTK__ESCAPE_FRESH, FTK__ESCAPE_LAST_BATCH };

/* Field types are those of the parameter engine: int32_t for bool and enum. */
struct ftk__topology_options {
    int32_t enabled;
    int32_t preset;             /* enum ftk__preset                             */
    int32_t scope;              /* enum ftk__scope                              */
    int32_t schedule;           /* enum ftk__rate_schedule                      */
    int32_t quiet_end;
    int32_t strict;             /* refuses rules that count FREE                */
    int32_t count;              /* enum ftk__counting                           */
    int32_t ties;
    int32_t round;
    int32_t regrow;
    int32_t grown_value;
    int32_t grown_momentum;
    int32_t inactive_momentum;
    int32_t update_step;
    int32_t dense_layers;
    int32_t escape_gradient;
    double rate;                /* p: share of active weights replaced          */
    double rate_min;            /* cosine's floor                               */
    ftk_duration interval;      /* steps between updates                        */
    ftk_duration stop;          /* "x": of the TRAIN                            */
};
#endif
