/* SPDX-License-Identifier: MIT
 * train/ledger.c - adding up FLOPs, step by step.
 */
#include "train/ledger.h"

#include "base/mem.h"
#include <string.h>

void ftk__ledger_init(struct ftk__ledger *l, const struct ftk__model *m)
{
    *l = (struct ftk__ledger){ .model = m, .dense_image = ftk__flops_forward(m, NULL) };
    l->sparse_image = l->dense_image;
    l->executed_image = l->dense_image;
}

ftk_status ftk__ledger_densities(struct ftk__ledger *l, const double *density,
                                 const bool *dense_kernel, struct ftk_error *reterr)
{
    uint32_t n = l->model->n_layers;
    double *run = ftk__alloc_array(n, sizeof(*run));
    if (!run)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory to count FLOPs");
    for (uint32_t i = 0; i < n; i++)
        run[i] = dense_kernel && dense_kernel[i] ? 1 : density[i];
    l->sparse_image = ftk__flops_forward(l->model, density);
    l->executed_image = ftk__flops_forward(l->model, run);
    ftk__free(run);
    return FTK_OK;
}

void ftk__ledger_step(struct ftk__ledger *l, uint64_t images, bool dense_gradient)
{
    double n = (double)images;
    double third = dense_gradient ? l->dense_image : l->sparse_image;
    double third_run = dense_gradient ? l->dense_image : l->executed_image;
    l->theory += n * (2 * l->sparse_image + third);
    l->executed += n * (2 * l->executed_image + third_run);
}

double ftk__ledger_dense_run(const struct ftk__ledger *l, double epochs, uint64_t n_train)
{
    return 3 * l->dense_image * epochs * (double)n_train;
}

/* Whether the line of `layer` in `text` names a dense kernel. */
static bool runs_dense(const char *text, const char *layer)
{
    size_t n = strlen(layer);
    /* The first line names the backend, a layer each the others. */
    for (const char *line = strchr(text, '\n'); line; line = strchr(line, '\n')) {
        line++;
        if (strncmp(line, layer, n) == 0 && line[n] == ' ')
            return strncmp(line + n + 1, "dense", 5) == 0;
    }
    return false;
}

ftk_status ftk__ledger_kernels(struct ftk__engine *e, const struct ftk__model *m, bool *ret_dense,
                               struct ftk_error *reterr)
{
    bool sparse = e->device.caps & FTK_CAP_SPARSE_COMPUTE;
    const char *text = NULL;
    if (sparse && e->ops->kernels) {
        ftk__engine_begin(e);
        text = e->ops->kernels(e->prog);
        ftk_status st = ftk__engine_end(e, FTK_OK, reterr);
        if (st < 0)
            return st;
    }
    for (uint32_t l = 0; l < m->n_layers; l++)
        ret_dense[l] = !sparse || (text && runs_dense(text, m->layers[l].name));
    return FTK_OK;
}
