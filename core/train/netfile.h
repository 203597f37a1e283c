/* SPDX-License-Identifier: MIT
 * train/netfile.h - a network's whole state as arrays of a checkpoint: the live one, or a copy.
 *
 * Under "<prefix>/": "<name>.index" (U32, or U64 where a layer has 2^32 weights and more) or
 * "<name>.bits" (U64, a bitmap), whichever is smaller, of each maskable weight; "<name>" and
 * "<name>.moment1", "<name>.moment2" (F32), by the names of the state dict, of a sparse layer by its
 * active entries or all; "topology.<what>" (U8), and "counters" (U64).  So a checkpoint is read by
 * node and role, whatever order a backend lists its arrays in.
 */
#ifndef FTK__NETFILE_H
#define FTK__NETFILE_H
#include "base/ftc.h"
#include "train/network.h"

/* Array by array and in pieces: no array is in memory twice.  Failures of the file stick to the
 * writer; those of the backend are returned. */
ftk_status ftk__network_write(struct ftk__network *n, const char *prefix, struct ftk__ftc_writer *w,
                              struct ftk_error *reterr);
/* Into the live network, which must be compiled for the same model and optimiser.  What is missing
 * or does not fit is FTK_EINVAL (65), with its name. */
ftk_status ftk__network_read(struct ftk__network *n, const char *prefix,
                             const struct ftk__ftc_file *f, struct ftk_error *reterr);

/* The same of a copy; `n` is the live network, which is only asked. */
ftk_status ftk__snapshot_write(const struct ftk__snapshot *s, struct ftk__network *n,
                               const char *prefix, struct ftk__ftc_writer *w,
                               struct ftk_error *reterr);
ftk_status ftk__snapshot_read(struct ftk__network *n, const char *prefix,
                              const struct ftk__ftc_file *f, struct ftk__snapshot **ret,
                              struct ftk_error *reterr);

/* ---- parts ----------------------------------------------------------------------------------- */

/* The active positions of a layer, ascending: a new array, [*ret_n]. */
ftk_status ftk__netfile_mask(const struct ftk__model *m, const char *prefix,
                             const struct ftk__ftc_file *f, uint32_t layer, uint64_t **ret,
                             uint64_t *ret_n, struct ftk_error *reterr);
/* Active positions on their way into a file, as they come. */
enum { FTK__MASK_BUFFER = 512 };
struct ftk__mask_out {
    struct ftk__ftc_writer *w;
    enum ftk__ftc_dtype dtype;         /* of positions                                 */
    bool bits;                         /* a bitmap instead                             */
    uint64_t words;                    /* of the bitmap                                */
    uint64_t at;                       /* of these were put                            */
    uint64_t buffer[FTK__MASK_BUFFER]; /* the words after them                  */
};
ftk_status ftk__mask_out_begin(struct ftk__mask_out *o, const struct ftk__network *n,
                               const char *prefix, uint32_t layer, uint64_t nnz,
                               struct ftk__ftc_writer *w, struct ftk_error *reterr);
void ftk__mask_out_add(struct ftk__mask_out *o, const uint64_t *index, uint64_t n);
void ftk__mask_out_end(struct ftk__mask_out *o);

/* The array of a tensor; FTK_EINVAL where its name is too long for a checkpoint. */
enum { FTK__NETFILE_NAME = 256 };
ftk_status ftk__netfile_name(const struct ftk__model *m, const char *prefix, const ftk_tensor *t,
                             char ret[FTK__NETFILE_NAME], struct ftk_error *reterr);
/* That array in a file, which must be F32. */
ftk_status ftk__netfile_find(const struct ftk__model *m, const char *prefix,
                             const struct ftk__ftc_file *f, const ftk_tensor *t,
                             const struct ftk__ftc_array **ret, struct ftk_error *reterr);
/* FTK_EINVAL (65): "<path>: array '<name>' <what>". */
ftk_status ftk__netfile_refuse(const struct ftk__ftc_file *f, const char *name, const char *what,
                               struct ftk_error *reterr);
/* "<prefix>/<what>" of exactly that type and length. */
ftk_status ftk__netfile_exact(const struct ftk__ftc_file *f, const char *prefix, const char *what,
                              enum ftk__ftc_dtype dtype, uint64_t n, void *ret,
                              struct ftk_error *reterr);
/* "<prefix>/<what>" in one piece. */
void ftk__netfile_put(struct ftk__ftc_writer *w, const char *prefix, const char *what,
                      enum ftk__ftc_dtype dtype, uint64_t n, uint64_t bytes, const void *data);

/* Steps since INIT and so on, and how many arrays there are. */
struct ftk__net_counters {
    uint64_t t, optim_from, reseed, tensors;
};
#endif
