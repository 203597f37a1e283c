/* SPDX-License-Identifier: MIT
 * program/cpu_text.c - what kernels() says: backend and instruction set, then a line a layer.
 *
 * A kernel that computes inactive weights too is called "dense..."; the core counts FLOPs by that.
 * Full lists are not: they compute what is active, which is all.
 */
#include "program/cpu_prog.h"
#include <stdio.h>

static int print_layer(const struct cpu_node *n, char *at, size_t left)
{
    const struct cpu_geom *g = &n->geom;
    if (n->weights.format == CPU_FORMAT_DENSE)
        return snprintf(at, left, "%s dense-onednn\n", n->name);
    return snprintf(at, left, "%s %s %ux%u k%u back %ux%u k%u\n", n->name,
                    n->weights.nnz == n->weights.n ? "full-lists" : "lists", g->forward.tile->th,
                    g->forward.tile->tw, g->forward.sub->chan_block, g->backward.tile->th,
                    g->backward.tile->tw, g->backward.sub->chan_block);
}

static size_t text_size(const ftk_prog *p)
{
    enum { LINE = 160 };
    return ((size_t)p->n_nodes + 1) * LINE;
}

ftk_status cpu_text_init(ftk_prog *p)
{
    p->text = p->host->alloc(p->host, text_size(p));
    return p->text ? FTK_OK : FTK_ENOMEM;
}

const char *cpu_kernel_text(ftk_prog *p)
{
    const size_t size = text_size(p);
    int at = snprintf(p->text, size, "cpu %s\n", p->kern->name);
    for (uint32_t i = 0; i < p->n_nodes && at >= 0 && (size_t)at < size; i++) {
        if (cpu_is_matmul(&p->nodes[i]))
            at += print_layer(&p->nodes[i], p->text + at, size - (size_t)at);
    }
    return p->text;
}
