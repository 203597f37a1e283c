/* SPDX-License-Identifier: MIT
 * cli/prepare.h - an experiment file made ready to be checked, planned or run: everything that can
 * be known before data and backend are opened.
 */
#ifndef FTK__PREPARE_H
#define FTK__PREPARE_H
#include "cli/options.h"
#include "config/load.h"
#include "config/oplist.h"
#include "data/dataset.h"
#include "model/model.h"

struct ftk__prepared {
    struct ftk__registry *registry;
    struct ftk__experiment *x;
    struct ftk__data_request request; /* borrows from x                          */
    struct ftk__data_info info;
    struct ftk__model *model;
    ftk_run run;
    struct ftk__oplist ops;
    struct ftk__str notes;      /* of ftk__experiment_check, a line each        */
};
/* All mistakes of the experiment go to `issues`; then the error (78) tells only how many.  `ret`
 * is to be done in any case, but after the issues were used: they may point into it. */
ftk_status ftk__prepare(const char *file, const struct ftk__options *o, struct ftk__issues *issues,
                        struct ftk__prepared *ret, struct ftk_error *reterr);
/* The same for a text in memory, which includes nothing; `name` stands for its file in messages. */
ftk_status ftk__prepare_text(const char *name, const char *text, const struct ftk__options *o,
                             struct ftk__issues *issues, struct ftk__prepared *ret,
                             struct ftk_error *reterr);
void ftk__prepared_done(struct ftk__prepared *p);

/* Prepares, prints what is wrong and gives the exit code; 0: go on. */
int ftk__prepare_or_print(const char *file, const struct ftk__options *o,
                          struct ftk__prepared *ret);

/* data, model and optimisers; NULL-terminated, in the order in which `list` shows them. */
const struct ftk__builtin *ftk__builtin_at(uint32_t i);
/* What training, prediction and plan ask of data/. */
struct ftk__data_request ftk__data_request_of(const struct ftk__experiment *x);
#endif
