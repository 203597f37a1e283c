/* SPDX-License-Identifier: MIT
 * plugin/engine.h - a compute backend in use: its plugin, an opened device, a compiled program.
 *
 * Every call into the backend goes through ftk__engine_begin .. ftk__engine_end, which turn its
 * status and sentence into an error that names the plugin.
 */
#ifndef FTK__ENGINE_H
#define FTK__ENGINE_H
#include "plugin/host_table.h"

struct ftk__engine {
    const struct ftk__entry *entry;
    const ftk_backend_ops *ops;
    struct ftk__host *host;
    void *params; /* of the backend's own keys; borrowed          */
    ftk_dev *dev;
    ftk_prog *prog;    /* NULL before ftk__engine_compile              */
    ftk_device device; /* what probe said                              */
    uint32_t channels; /* what the program was built for               */
    uint32_t max_batch;
};

/* `use` "auto" takes the highest score of all backends that are installed; FTK_ENODEV (69) says why
 * none can run.  `params`: those of a named backend; NULL: its defaults, from `arena`. */
ftk_status ftk__engine_open(struct ftk__registry *reg, const char *use, void *params,
                            const ftk_open *open, struct ftk__arena *arena, struct ftk__engine *ret,
                            struct ftk_error *reterr);
/* Replaces a program compiled before. */
ftk_status ftk__engine_compile(struct ftk__engine *e, const ftk_build *build,
                               struct ftk_error *reterr);
/* What the compiled program's kernels() says: backend and ISA, then a line a layer.  NULL: the backend
 * says nothing, or no UTF-8.  Valid until the next call. */
ftk_status ftk__engine_kernels(struct ftk__engine *e, const char **ret, struct ftk_error *reterr);
void ftk__engine_close(struct ftk__engine *e); /* a zeroed one is fine          */

void ftk__engine_begin(struct ftk__engine *e);
ftk_status ftk__engine_end(struct ftk__engine *e, ftk_status st, struct ftk_error *reterr);

/* One array of the canonical state by node and role (FTK_TENSOR_*); *ret_n its length. FTK_ENOENT
 * where the program has none.                                                              */
ftk_status ftk__engine_tensor(struct ftk__engine *e, uint32_t node, uint32_t role,
                              uint32_t *ret_index, uint64_t *ret_n, struct ftk_error *reterr);
/* All of it into a new array (ftk__free), and back. */
ftk_status ftk__engine_get(struct ftk__engine *e, uint32_t index, uint64_t n, float **ret,
                           struct ftk_error *reterr);
ftk_status ftk__engine_put(struct ftk__engine *e, uint32_t index, uint64_t n, const float *v,
                           struct ftk_error *reterr);
/* The active positions of a layer, ascending, as a new array (ftk__free). */
ftk_status ftk__engine_active(struct ftk__engine *e, uint32_t layer, uint64_t **ret,
                              uint64_t *ret_n, struct ftk_error *reterr);
#endif
