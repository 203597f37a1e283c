/* SPDX-License-Identifier: MIT
 * config/identity.c - what decides the results of a run, as sorted lines and their hash.
 *
 * Data (without dir), model, sparsity, topology, ensemble, optim, epochs, backend.precision; files
 * count by content.  Seed, output, eval, metrics, folders and the rest of backend do not.
 */
#include "base/hash.h"
#include "config/cfgschema.h"
#include "config/load.h"
#include "plugin/params_parts.h"
#include <stdlib.h>
#include <string.h>

struct identity {
    const struct ftk__experiment *x;
    struct ftk__str lines; /* unsorted */
    struct ftk_error *reterr;
    ftk_status st; /* of the first failure; later calls do nothing */
};

static void add_table(struct identity *id, struct ftk__param_table t, const void *values,
                      const char *path)
{
    if (id->st == FTK_OK && t.params)
        id->st = ftk__params_identity(&t, values, path, &id->lines, id->reterr);
}

static void add_section(struct identity *id, enum ftk__table_id table, const void *values,
                        const char *path)
{
    add_table(id, ftk__schema_table(table), values, path);
}

static void add_use(struct identity *id, const char *path, const char *use)
{
    ftk__str_addf(&id->lines, "%s.use=", path);
    ftk__quoted_print(use, &id->lines);
    ftk__str_add(&id->lines, "\n");
}

static void add_algo(struct identity *id, const char *path, const struct ftk__algo_use *a)
{
    const ftk_algo *algo = a->entry->algo;
    add_use(id, path, a->use);
    add_table(id, (struct ftk__param_table){ algo->params, algo->param_stride, algo->params_size },
              a->params, path);
}

static void add_builtin(struct identity *id, const char *path, const struct ftk__builtin_use *b)
{
    add_use(id, path, b->builtin->name);
    add_table(
        id,
        (struct ftk__param_table){ b->builtin->params, sizeof(ftk_param), b->builtin->params_size },
        b->params, path);
}

static void add_data(struct identity *id)
{
    const struct ftk__data_section *d = &id->x->data;
    add_builtin(id, "data", &id->x->data_set);
    add_section(id, FTK__TABLE_DATA, d, "data");
    if (d->mean.n > 0) {
        struct ftk__normalise_section n = { d->mean, d->std };
        add_section(id, FTK__TABLE_NORMALISE, &n, "data.normalise");
        return;
    }
    ftk__str_add(&id->lines, "data.normalise=");
    ftk__quoted_print(d->normalise, &id->lines);
    ftk__str_add(&id->lines, "\n");
}

static void add_file(struct identity *id, const char *path)
{
    struct ftk__sha256 hash;
    if (id->st != FTK_OK)
        return;
    id->st = ftk__sha256_file(path, &hash, id->reterr);
    if (id->st != FTK_OK) {
        ftk__error_context(id->reterr, "in model.weights");
        return;
    }
    ftk__str_addf(&id->lines, "sha256:%s", hash.hex);
}

/* "%d" in the name stands for each member's number. */
static void add_weights(struct identity *id)
{
    const char *weights = id->x->weights;
    const char *number = strstr(weights, "%d");
    ftk__str_add(&id->lines, "model.weights=");
    if (weights[0] == 0)
        ftk__str_add(&id->lines, "\"\"");
    else if (!number)
        add_file(id, weights);
    for (int64_t m = 0; number && m < id->x->members; m++) {
        struct ftk__str path = { 0 };
        ftk__str_add_n(&path, weights, (uint64_t)(number - weights));
        ftk__str_addf(&path, "%lld%s", (long long)m, number + 2);
        if (m > 0)
            ftk__str_add(&id->lines, " ");
        if (path.failed)
            id->lines.failed = true;
        else
            add_file(id, path.text);
        ftk__str_done(&path);
    }
    ftk__str_add(&id->lines, "\n");
}

static void add_sparsity(struct identity *id)
{
    const struct ftk__sparsity_section *s = &id->x->sparsity;
    struct ftk__density_section density = { s->density };
    add_section(id, FTK__TABLE_SPARSITY, &density, "sparsity");
    add_algo(id, "sparsity.init", &id->x->init);
    ftk__str_add(&id->lines, "sparsity.dense=[");
    for (uint64_t i = 0; i < s->n_dense; i++) {
        ftk__str_add(&id->lines, i > 0 ? ", " : "");
        ftk__quoted_print(s->dense[i], &id->lines);
    }
    ftk__str_add(&id->lines, "]\n");
    for (uint64_t i = 0; i < s->n_layers; i++) {
        char path[64];
        ftk__format(path, sizeof path, "sparsity.layers[%llu]", (unsigned long long)i);
        add_section(id, FTK__TABLE_LAYER, &s->layers[i], path);
    }
}

static void add_all(struct identity *id)
{
    const struct ftk__experiment *x = id->x;
    struct ftk__ensemble_section ensemble = { x->members, x->keep };
    add_data(id);
    add_builtin(id, "model", &x->model);
    add_weights(id);
    add_sparsity(id);
    add_section(id, FTK__TABLE_TOPOLOGY, &x->topology, "topology");
    add_algo(id, "topology.prune", &x->prune);
    add_algo(id, "topology.grow", &x->grow);
    add_algo(id, "topology.allot", &x->allot);
    add_algo(id, "ensemble", &x->strategy);
    add_section(id, FTK__TABLE_ENSEMBLE, &ensemble, "ensemble");
    add_builtin(id, "optim", &x->optimiser);
    add_section(id, FTK__TABLE_OPTIM, &x->optim, "optim");
    ftk__str_addf(&id->lines, "epochs=%.17g\n", x->epochs);
    add_section(id, FTK__TABLE_BACKEND, &x->backend, "backend");
}

static int compare_lines(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;
    return strcmp(*left, *right);
}

/* Appends the lines of `text` to `out`, sorted byte by byte; changes `text`. */
static ftk_status sort_lines(char *text, struct ftk__str *out, struct ftk_error *reterr)
{
    uint64_t n = 0;
    for (const char *s = text; *s; s++)
        n += *s == '\n';
    char **line = ftk__alloc_array(n, sizeof *line);
    if (!line)
        return ftk__fail(reterr, FTK_ENOMEM, "out of memory for the identity of an experiment");
    char *at = text;
    for (uint64_t i = 0; i < n; i++) {
        line[i] = at;
        at = strchr(at, '\n');
        *at++ = 0;
    }
    qsort(line, n, sizeof *line, compare_lines);
    for (uint64_t i = 0; i < n; i++)
        ftk__str_addf(out, "%s\n", line[i]);
    ftk__free(line);
    if (out->failed)
        return ftk__fail(reterr, FTK_ENOMEM, "out of memory for the identity of an experiment");
    return FTK_OK;
}

ftk_status ftk__config_identity(const struct ftk__experiment *x, struct ftk__str *ret_lines,
                                char ret_hash8[9], struct ftk_error *reterr)
{
    struct identity id = { .x = x, .reterr = reterr };
    struct ftk__str sorted = { 0 };
    struct ftk__sha256 hash;
    add_all(&id);
    if (id.st == FTK_OK && id.lines.failed)
        id.st = ftk__fail(reterr, FTK_ENOMEM, "out of memory for the identity of an experiment");
    if (id.st == FTK_OK)
        id.st = sort_lines(id.lines.text, &sorted, reterr);
    if (id.st == FTK_OK)
        id.st = ftk__sha256_buffer(sorted.text, sorted.len, &hash, reterr);
    if (id.st == FTK_OK) {
        ftk__format(ret_hash8, 9, "%.8s", hash.hex);
        ftk__str_add_n(ret_lines, sorted.text, sorted.len);
        if (ret_lines->failed)
            id.st = ftk__fail(reterr, FTK_ENOMEM, "out of memory for an identity");
    }
    ftk__str_done(&sorted);
    ftk__str_done(&id.lines);
    return id.st;
}
