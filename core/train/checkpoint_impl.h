/* SPDX-License-Identifier: MIT
 * train/checkpoint_impl.h - what a checkpoint holds beside networks (train/netfile.h): the header's
 * words are in checkpoint.c and resume.c, and these numbers, which JSON could not give back to the
 * last bit or, where they are not finite, at all.
 */
#ifndef FTK__CHECKPOINT_IMPL_H
#define FTK__CHECKPOINT_IMPL_H
#include "train/session.h"

/* "run/numbers", F64. */
struct ftk__checkpoint_numbers {
    double seconds[4]; /* train, data, eval, file                      */
    double epoch_start[4];
    double last_lr, loss_sum;
    double result[3]; /* of the TRAIN in progress: train_loss, val_loss, val_accuracy */
    double params_stored, last_sparsity, best_accuracy;
};
enum { FTK__CHECKPOINT_NUMBERS = sizeof(struct ftk__checkpoint_numbers) / sizeof(double) };

/* The other arrays of "run/": "ops" (U8, ftk_op as they ran, the TRAIN in progress included) and
 * "results" (F64 [n][3]); "ledger.layers", "ledger.ops", "ledger.sums" (F64), "ledger.events" (U64). */
#define FTK__CHECKPOINT_RUN  "run"
#define FTK__CHECKPOINT_LIVE "live"   /* the prefix of the live network; init `file` reads it too */
#define FTK__CHECKPOINT_BEST "best"   /* of ftk__best.state                      */
#define FTK__CHECKPOINT_SLOT "slot%u" /* of what REMEMBER kept                   */

/* Every sum and count, bit for bit. */
ftk_status ftk__ledger_write(const struct ftk__ledger *l, struct ftk__ftc_writer *w,
                             struct ftk_error *reterr);
/* Into a ledger of the same model and operations. */
ftk_status ftk__ledger_read(struct ftk__ledger *l, const struct ftk__ftc_file *f,
                            struct ftk_error *reterr);
/* An array of "run/", F64, of sums: all of them finite, or FTK_EINVAL (65). */
ftk_status ftk__checkpoint_sums(const struct ftk__ftc_file *f, const char *what, uint64_t n,
                                double *ret, struct ftk_error *reterr);
/* "<name> n" of every layer, which a checkpoint must share with the model that reads it. */
ftk_status ftk__checkpoint_check_layers(const struct ftk__ftc_file *f, const struct ftk__model *m,
                                        struct ftk_error *reterr);
#endif
