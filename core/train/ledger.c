/* SPDX-License-Identifier: MIT
 * train/ledger.c - adding up FLOPs by layer and by operation.
 */
#include "train/ledger.h"

#include "base/mem.h"
#include <string.h>

ftk_status ftk__ledger_init(struct ftk__ledger *l, const struct ftk__model *m, uint32_t n_ops,
                            struct ftk_error *reterr)
{
    *l = (struct ftk__ledger){ .model = m, .n_ops = n_ops };
    l->layers = ftk__alloc_array(m->n_nodes, sizeof(*l->layers));
    l->ops = ftk__alloc_array(n_ops, sizeof(*l->ops));
    if (!l->layers || !l->ops) {
        ftk__ledger_done(l);
        return ftk__fail(reterr, FTK_ENOMEM, "no memory to count FLOPs");
    }
    uint32_t layer = 0;
    for (uint32_t i = 0; i < m->n_nodes; i++) {
        bool maskable = layer < m->n_layers && m->layer_node[layer] == i;
        double dense = ftk__flops_node(m, i, 1);
        if (ftk__model_fan_in(m, i) > 0)
            l->layers[l->n_layers++] = (struct ftk__ledger_layer){
                .name = m->nodes[i]->name,
                .node = i,
                .layer = maskable ? layer : m->n_layers,
                .dense_image = dense,
            };
        l->dense_image += dense;
        layer += maskable;
    }
    ftk__ledger_densities(l, NULL, NULL);
    return FTK_OK;
}

void ftk__ledger_done(struct ftk__ledger *l)
{
    ftk__free(l->layers);
    ftk__free(l->ops);
    *l = (struct ftk__ledger){ 0 };
}

void ftk__ledger_operation(struct ftk__ledger *l, uint32_t i)
{
    ftk__ledger_settle(l);
    l->now = i;
}

void ftk__ledger_densities(struct ftk__ledger *l, const double *density, const bool *dense_kernel)
{
    ftk__ledger_settle(l);
    l->image = (struct ftk__flops){ 0 };
    for (uint32_t k = 0; k < l->n_layers; k++) {
        struct ftk__ledger_layer *to = &l->layers[k];
        bool maskable = to->layer < l->model->n_layers;
        double d = density && maskable ? density[to->layer] : 1;
        to->image.theory = ftk__flops_node(l->model, to->node, d);
        bool runs_dense = maskable && dense_kernel && dense_kernel[to->layer];
        to->image.executed = runs_dense ? to->dense_image : to->image.theory;
        l->image.theory += to->image.theory;
        l->image.executed += to->image.executed;
    }
}

/* FLOPs since the sums were settled, of a layer or the network. */
static double since(const struct ftk__ledger *l, double image, double dense_image)
{
    return l->images * 3 * image + l->dense_gradient_images * (2 * image + dense_image);
}

/* The images are counted and multiplied, not FLOPs added step by step: however long a run is, it
 * has only as many roundings as the topology has changes. */
void ftk__ledger_step(struct ftk__ledger *l, uint64_t images, bool dense_gradient)
{
    if (dense_gradient)
        l->dense_gradient_images += (double)images;
    else
        l->images += (double)images;
    l->sum.theory = l->settled.theory + since(l, l->image.theory, l->dense_image);
    l->sum.executed = l->settled.executed + since(l, l->image.executed, l->dense_image);
    l->ops[l->now].count[FTK__LEDGER_STEP]++;
    l->ops[l->now].count[FTK__LEDGER_DENSE_GRADIENT] += dense_gradient;
}

void ftk__ledger_note(struct ftk__ledger *l, enum ftk__ledger_event event)
{
    l->ops[l->now].count[event]++;
}

void ftk__ledger_settle(struct ftk__ledger *l)
{
    if (l->images + l->dense_gradient_images == 0)
        return;
    for (uint32_t k = 0; k < l->n_layers; k++) {
        struct ftk__ledger_layer *to = &l->layers[k];
        to->sum.theory += since(l, to->image.theory, to->dense_image);
        to->sum.executed += since(l, to->image.executed, to->dense_image);
    }
    l->ops[l->now].sum.theory += since(l, l->image.theory, l->dense_image);
    l->ops[l->now].sum.executed += since(l, l->image.executed, l->dense_image);
    l->settled = l->sum;
    l->images = 0;
    l->dense_gradient_images = 0;
}

uint64_t ftk__ledger_count(const struct ftk__ledger *l, enum ftk__ledger_event event)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < l->n_ops; i++)
        n += l->ops[i].count[event];
    return n;
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
    ftk_status st = sparse ? ftk__engine_kernels(e, &text, reterr) : FTK_OK;
    if (st < 0)
        return st;
    for (uint32_t l = 0; l < m->n_layers; l++)
        ret_dense[l] = !sparse || (text && runs_dense(text, m->layers[l].name));
    return FTK_OK;
}
