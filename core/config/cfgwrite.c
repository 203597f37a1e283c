/* SPDX-License-Identifier: MIT
 * config/cfgwrite.c - an experiment back as text, every default written out.
 *
 * Our own writer: libconfig's keeps 15 digits.  Places of files are absolute, so the text may be
 * kept anywhere; only `output` stays relative to the working directory.
 */
#include "base/path.h"
#include "config/cfgschema.h"
#include "config/load.h"
#include "plugin/params_parts.h"
#include <inttypes.h>

enum { INDENT = 4 };

static void put_string(struct ftk__str *out, unsigned indent, const char *name, const char *value)
{
    ftk__str_addf(out, "%*s%s = ", (int)indent, "", name);
    ftk__quoted_print(value, out);
    ftk__str_add(out, ";\n");
}

static void put_strings(struct ftk__str *out, unsigned indent, const char *name,
                        const char *const *v, uint64_t n)
{
    ftk__str_addf(out, "%*s%s = [", (int)indent, "", name);
    for (uint64_t i = 0; i < n; i++) {
        if (i > 0)
            ftk__str_add(out, ", ");
        ftk__quoted_print(v[i], out);
    }
    ftk__str_add(out, "];\n");
}

static void put_table(struct ftk__str *out, unsigned indent, enum ftk__table_id id,
                      const void *values)
{
    struct ftk__param_table t = ftk__schema_table(id);
    ftk__params_print(&t, values, indent, out);
}

static void put_algo_params(struct ftk__str *out, unsigned indent, const struct ftk__algo_use *a)
{
    const ftk_algo *algo = a->entry->algo;
    struct ftk__param_table t = { algo->params, algo->param_stride, algo->params_size };
    ftk__params_print(&t, a->params, indent, out);
}

static void put_algo(struct ftk__str *out, const char *name, const struct ftk__algo_use *a)
{
    ftk__str_addf(out, "%*s%s = {\n", INDENT, "", name);
    put_string(out, 2 * INDENT, "use", a->use);
    put_algo_params(out, 2 * INDENT, a);
    ftk__str_addf(out, "%*s};\n", INDENT, "");
}

static void put_builtin(struct ftk__str *out, const char *name, const struct ftk__builtin_use *b)
{
    struct ftk__param_table t = { b->builtin->params, sizeof(ftk_param), b->builtin->params_size };
    ftk__str_addf(out, "%s = {\n", name);
    put_string(out, INDENT, "use", b->builtin->name);
    ftk__params_print(&t, b->params, INDENT, out);
}

static void put_top(const struct ftk__experiment *x, struct ftk__str *out)
{
    struct ftk__top_section top = { 1, x->seed, x->epochs, x->name, x->output };
    ftk__str_add(out, "# Every value of an experiment, defaults written out.\n");
    put_table(out, 0, FTK__TABLE_TOP, &top);
    put_strings(out, 0, "plugins", x->plugins, x->n_plugins);
}

static void put_data(const struct ftk__experiment *x, struct ftk__str *out)
{
    ftk__str_add(out, "\n");
    put_builtin(out, "data", &x->data_set);
    put_table(out, INDENT, FTK__TABLE_DATA_PLACE, &x->data);
    put_table(out, INDENT, FTK__TABLE_DATA, &x->data);
    if (x->data.mean.n > 0) {
        struct ftk__normalise_section n = { x->data.mean, x->data.std };
        ftk__str_addf(out, "%*snormalise = {\n", INDENT, "");
        put_table(out, 2 * INDENT, FTK__TABLE_NORMALISE, &n);
        ftk__str_addf(out, "%*s};\n", INDENT, "");
    } else {
        put_string(out, INDENT, "normalise", x->data.normalise);
    }
    ftk__str_add(out, "};\n");
}

static void put_sparsity(const struct ftk__experiment *x, struct ftk__str *out)
{
    const struct ftk__sparsity_section *s = &x->sparsity;
    struct ftk__density_section density = { s->density };
    ftk__str_add(out, "sparsity = {\n");
    if (s->density > 0)
        put_table(out, INDENT, FTK__TABLE_SPARSITY, &density);
    put_algo(out, "init", &x->init);
    put_strings(out, INDENT, "dense", s->dense, s->n_dense);
    ftk__str_addf(out, "%*slayers = (", INDENT, "");
    for (uint64_t i = 0; i < s->n_layers; i++) {
        ftk__str_add(out, i > 0 ? ", {\n" : " {\n");
        put_table(out, 2 * INDENT, FTK__TABLE_LAYER, &s->layers[i]);
        ftk__str_addf(out, "%*s}", INDENT, "");
    }
    ftk__str_add(out, s->n_layers > 0 ? " );\n};\n" : ");\n};\n");
}

static void put_topology(const struct ftk__experiment *x, struct ftk__str *out)
{
    ftk__str_add(out, "topology = {\n");
    put_table(out, INDENT, FTK__TABLE_TOPOLOGY, &x->topology);
    put_algo(out, "prune", &x->prune);
    put_algo(out, "grow", &x->grow);
    put_algo(out, "allot", &x->allot);
    ftk__str_add(out, "};\n");
}

static void put_eval(const struct ftk__experiment *x, struct ftk__str *out)
{
    ftk__str_add(out, "eval = {\n");
    put_strings(out, INDENT, "on", x->eval.on, x->eval.n_on);
    put_strings(out, INDENT, "protocol", x->eval.protocol, x->eval.n_protocol);
    put_table(out, INDENT, FTK__TABLE_EVAL, &x->eval);
    ftk__str_add(out, "};\nmetrics = (");
    for (uint64_t i = 0; i < x->n_metrics; i++) {
        ftk__str_add(out, i > 0 ? ", {\n" : " {\n");
        put_string(out, INDENT, "use", x->metrics[i].use);
        put_algo_params(out, INDENT, &x->metrics[i]);
        ftk__str_add(out, "}");
    }
    ftk__str_add(out, x->n_metrics > 0 ? " );\n" : ");\n");
}

ftk_status ftk__config_write(const struct ftk__experiment *x, struct ftk__str *out)
{
    struct ftk__weights_section weights = { x->weights };
    struct ftk__ensemble_section ensemble = { x->members, x->keep };
    put_top(x, out);
    put_data(x, out);
    put_builtin(out, "model", &x->model);
    put_table(out, INDENT, FTK__TABLE_MODEL, &weights);
    ftk__str_add(out, "};\n");
    put_sparsity(x, out);
    put_topology(x, out);
    ftk__str_add(out, "ensemble = {\n");
    put_string(out, INDENT, "use", x->strategy.use);
    put_table(out, INDENT, FTK__TABLE_ENSEMBLE, &ensemble);
    put_algo_params(out, INDENT, &x->strategy);
    ftk__str_add(out, "};\n");
    put_builtin(out, "optim", &x->optimiser);
    put_table(out, INDENT, FTK__TABLE_OPTIM, &x->optim);
    ftk__str_add(out, "};\n");
    put_eval(x, out);
    ftk__str_add(out, "backend = {\n");
    put_string(out, INDENT, "use", x->backend.use);
    put_table(out, INDENT, FTK__TABLE_BACKEND, &x->backend);
    put_table(out, INDENT, FTK__TABLE_BACKEND_PLACE, &x->backend);
    if (x->engine.entry)
        put_algo_params(out, INDENT, &x->engine);
    ftk__str_add(out, "};\n");
    return out->failed ? FTK_ENOMEM : FTK_OK;
}
