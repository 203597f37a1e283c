/* SPDX-License-Identifier: MIT
 * conform/kit_host.h - the host table as plugins under test are given it: every allocation counted,
 * each can be made to fail, scratch memory guarded and gone after the call.
 */
#ifndef FTK__KIT_HOST_H
#define FTK__KIT_HOST_H
#include "conform/kit.h"

struct ftk__kit_host {
    ftk_host *table;              /* read-only, guarded; `grown` bytes longer than ftk_host */
    _Atomic uint64_t live, calls; /* blocks of alloc() alive; calls of alloc() and scratch() */
    uint64_t fail_at;             /* this call, counted from 1 by `calls`, gives NULL; 0: none */
    bool failed_one;              /* it did                                       */
    bool reasoned;                /* fail() or a selection recorded a reason since begin */
    ftk_status reason_status;
    char reason[FTK__ERROR_TEXT];
    uint32_t logged;             /* lines given to log()                         */
    bool wrong_read, wrong_take; /* a call of net->read or edit->take was refused */
    char wrong[256];             /* why, the first                               */
    void **scratch;              // [n_scratch] to be dropped when the call ends
    uint32_t n_scratch, cap_scratch;
};
/* `grown`: bytes of zeros behind the table, counted in its size. */
struct ftk__kit_host *ftk__kit_host_new(uint32_t grown);
void ftk__kit_host_free(struct ftk__kit_host *h);

/* Around every call into a plugin: forgets the last reason; ends scratch memory, checks the guards. */
void ftk__kit_begin(struct ftk__kit_host *h);
/* Gives `st` back.  `call` ("score") is for messages: a status that is no ftk_status, or DONE from a
 * call that has none (`done_ok` false), fails the rule. */
ftk_status ftk__kit_end(struct ftk__case *c, struct ftk__kit_host *h, const char *call,
                        bool done_ok, ftk_status st);
/* Fails the rule where st < 0, with the plugin's reason. */
void ftk__kit_must(struct ftk__case *c, struct ftk__kit_host *h, const char *call, ftk_status st);
/* A refusal must be "a reason": a negative status with one line on record (ERR-01). */
void ftk__kit_must_refuse(struct ftk__case *c, struct ftk__kit_host *h, const char *call,
                          ftk_status st);
#endif
