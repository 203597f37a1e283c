/* SPDX-License-Identifier: MIT
 * train/mask_file.h - the init `file`, which is built in: the masks of a member or of a
 * checkpoint, read strictly.
 */
#ifndef FTK__MASK_FILE_H
#define FTK__MASK_FILE_H
#include "config/experiment.h"
#include "model/model.h"
#include "sparse/topology.h"

/* NULL-terminated: file */
extern const struct ftk__builtin *const ftk__init_builtins[];

struct ftk__mask_file {
    struct ftk__topology_mask *mask; // [n_layers] of the model
    uint32_t n_layers;
    double density;             /* of all maskable weights                      */
};
/* A member's masks (U8, 0 or 1, by the names of the weights), or a member: its masks are the file
 * beside it, or, where there is none, its weights that are not 0; or a checkpoint, by its first bytes:
 * those of the network that it would go on with.  All masks that are missing, extra or mis-shaped
 * are named in one error (65; 66: no such file). */
ftk_status ftk__mask_file_read(const char *path, const struct ftk__model *m,
                               struct ftk__mask_file *ret, struct ftk_error *reterr);
void ftk__mask_file_done(struct ftk__mask_file *f);

/* Whether a sparse INIT takes its masks from a file. */
bool ftk__init_is_file(const struct ftk__experiment *x);
/* Reads the file of such an experiment; FTK_ERANGE where `density` is above 0 and not the file's to
 * 1e-6. */
ftk_status ftk__init_file_read(const struct ftk__experiment *x, const struct ftk__model *m,
                               double density, struct ftk__mask_file *ret,
                               struct ftk_error *reterr);
/* The densities that a sparse INIT at `density` would aim at, by file or init plugin; no engine.
 * ret_density[n_layers] */
ftk_status ftk__init_densities(const struct ftk__experiment *x, const struct ftk__model *m,
                               struct ftk__topology *t, double density, double *ret_density,
                               struct ftk_error *reterr);
#endif
