/* SPDX-License-Identifier: MIT
 * train/paper_flops.h - the training FLOPs of Tables 1 to 3 of Liu et al. 2022 (arXiv:2106.14568):
 * the experiments, what the tables print, and our count of them by a plan's dry run.
 */
#ifndef FTK__PAPER_FLOPS_H
#define FTK__PAPER_FLOPS_H
#include "base/str.h"
#include "train/plan.h"

struct ftk__paper_row {
    const char *table, *method;
    double fraction;            /* of a dense pass, as the paper rounds it; 0: it gives none */
    double printed;             /* the table's figure, in dense runs            */
    const char *strategy;       /* the `ensemble` group of the experiment       */
    double density;
    const struct ftk__paper_setup *setup;
};
extern const struct ftk__paper_row ftk__paper_rows[];
extern const uint32_t ftk__paper_n_rows;

/* Appends the row's experiment as a configuration.  Only the sizes of its data matter: the set is a
 * synthetic one as large as the real. */
void ftk__paper_config(const struct ftk__paper_row *row, struct ftk__str *out);

struct ftk__paper_count {
    double counted;             /* every step of the run over a dense run       */
    double rounded;             /* epochs over a dense run's, times `fraction`; 0: none */
    double dense_run;           /* FLOPs                                        */
    bool approximate;           /* as in struct ftk__plan                       */
};
ftk_status ftk__paper_count(const struct ftk__paper_row *row, const struct ftk__experiment *x,
                            const struct ftk__model *m, uint64_t n_train,
                            struct ftk__paper_count *ret, struct ftk_error *reterr);
#endif
