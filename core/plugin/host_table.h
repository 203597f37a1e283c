/* SPDX-License-Identifier: MIT
 * plugin/host_table.h - the ftk_host table that plugins are given, and instances of algorithms.
 */
#ifndef FTK__HOST_TABLE_H
#define FTK__HOST_TABLE_H
#include "base/mem.h"
#include "plugin/params.h"
#include "plugin/registry.h"

/* One record and one scratch arena; a caller wraps each call into a plugin in begin .. end.
 * Not for two threads at once.                                                              */
struct ftk__host;
struct ftk__host *ftk__host_new(void); /* NULL without memory          */
void ftk__host_free(struct ftk__host *h);
const ftk_host *ftk__host_table(struct ftk__host *h);
/* Whose name its log lines carry; an instance's host has it.  NULL: nobody's.               */
void ftk__host_set_owner(struct ftk__host *h, const struct ftk__entry *who);
void ftk__host_begin(struct ftk__host *h); /* forgets the last record      */
/* Frees scratch; turns a negative status into an error with the plugin's sentence ("gave no
 * reason" where it gave none) and context "in prune plugin 'x' (file, stamp)".                */
ftk_status ftk__host_end(struct ftk__host *h, ftk_status st, const struct ftk__entry *who,
                         struct ftk_error *reterr);

/* A plugin algorithm with its parameters, made by create(). */
struct ftk__instance {
    const struct ftk__entry *entry;
    struct ftk__host *host; /* its own                                      */
    void *params;           /* NULL where it has none                       */
    void *self;
};
/* Asks the algorithm's check(), then create().  `params` must outlive the instance (an arena of
 * the experiment's).                                                                        */
ftk_status ftk__instance_new(const struct ftk__entry *e, void *params, struct ftk__instance *ret,
                             struct ftk_error *reterr);
void ftk__instance_done(struct ftk__instance *i); /* a zeroed one is fine         */
#endif
