/* SPDX-License-Identifier: MIT
 * train/journal.h - a line an epoch: metrics.csv and metrics.jsonl are functions of config, seed
 * and ISA alone and byte-reproducible; seconds and memory go to timing.csv.
 */
#ifndef FTK__JOURNAL_H
#define FTK__JOURNAL_H
#include "base/io.h"

struct ftk__epoch_row {
    uint32_t op, member;
    uint64_t epoch;             /* data pass of the network, from 1             */
    uint64_t step;              /* t                                            */
    double lr, rate;            /* of the last step; rate NaN where nothing updates */
    double density, explored;   /* R_s                                          */
    double train_loss, train_accuracy;
    double val_loss, val_accuracy; /* NaN without a split                       */
    double flops, flops_executed; /* since the start of the run                 */
};
struct ftk__epoch_timing {
    double train_s, data_s, eval_s;
    double images_per_s;
};
enum { FTK__JOURNAL_FILES = 3 };
struct ftk__journal {
    struct ftk__appender file[FTK__JOURNAL_FILES]; /* metrics.csv, metrics.jsonl, timing.csv */
    uint32_t crc[FTK__JOURNAL_FILES];              /* CRC-32 of all that is in each          */
};
ftk_status ftk__journal_open(struct ftk__journal *j, const char *run_dir,
                             struct ftk_error *reterr);
/* How far each file was, and the CRC-32 of what it held then. */
struct ftk__journal_mark {
    uint64_t bytes[FTK__JOURNAL_FILES], crc[FTK__JOURNAL_FILES];
};
/* All lines so far are on disk. */
ftk_status ftk__journal_sync(struct ftk__journal *j, struct ftk__journal_mark *ret,
                             struct ftk_error *reterr);
/* Refuses a file that is missing (66), shorter than it was, or changed (65). */
ftk_status ftk__journal_check(const char *run_dir, const struct ftk__journal_mark *at,
                              struct ftk_error *reterr);
/* Goes on in the files of an interrupted run, which were checked, cut back to what they were. */
ftk_status ftk__journal_resume(struct ftk__journal *j, const char *run_dir,
                               const struct ftk__journal_mark *at, struct ftk_error *reterr);
/* NaN is an empty field in csv, null in jsonl. */
ftk_status ftk__journal_epoch(struct ftk__journal *j, const struct ftk__epoch_row *row,
                              const struct ftk__epoch_timing *timing, struct ftk_error *reterr);
ftk_status ftk__journal_close(struct ftk__journal *j, struct ftk_error *reterr);

uint64_t ftk__peak_memory(void); /* bytes: the process's largest resident set    */
#endif
