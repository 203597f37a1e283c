/* SPDX-License-Identifier: MIT
 * cli/manifest.c - filling run.json.
 */
#include "cli/manifest.h"

#include "base/path.h"
#include "cli/flops_print.h"
#include "cli/host_info.h"
#include "cli/json_text.h"
#include "conform/kept_level.h"
#include "cli/plan_print.h"
#include "train/journal.h"
#include <math.h>
#include <string.h>

static ftk_status no_memory(struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "no memory for run.json");
}

/* Steals `value`; NULL is the failure that it looks like. */
static ftk_status set(json_t *doc, const char *key, json_t *value, struct ftk_error *reterr)
{
    return json_object_set_new(doc, key, value) == 0 ? FTK_OK : no_memory(reterr);
}

/* ---- plugins --------------------------------------------------------------------------------- */

/* Calls `visit` for each plugin that decides results; stops at the first error. */
typedef ftk_status (*visit_fn)(void *arg, const struct ftk__entry *e, struct ftk_error *reterr);
static ftk_status each_rule(const struct ftk__experiment *x, visit_fn visit, void *arg,
                            struct ftk_error *reterr)
{
    const struct ftk__entry *const rules[] = { x->strategy.entry, x->init.entry, x->prune.entry,
                                               x->grow.entry, x->allot.entry };
    ftk_status st = FTK_OK;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]) && st >= 0; i++)
        st = visit(arg, rules[i], reterr);
    return st;
}

static ftk_status hash_of(const struct ftk__entry *e, struct ftk__sha256 *ret,
                          struct ftk_error *reterr)
{
    *ret = (struct ftk__sha256){ 0 };
    return e->file ? ftk__file_hash(e->file, ret, reterr) : FTK_OK;
}

static ftk_status add_plugin(void *arg, const struct ftk__entry *e, struct ftk_error *reterr)
{
    struct ftk__sha256 hash;
    ftk_status st = hash_of(e, &hash, reterr);
    if (st < 0)
        return st;
    int level = 0;
    if (e->file)
        st = ftk__level_kept(e->file->path, hash.hex, &level, reterr);
    if (st < 0)
        return st;
    const ftk_stamp *stamp = e->file ? e->file->stamp : NULL;
    json_t *row = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "kind",
                            ftk__kind_name((ftk_kind)e->algo->kind), "name", e->algo->name,
                            "plugin", ftk__json_text(stamp ? stamp->name : NULL), "version",
                            ftk__json_text(stamp ? stamp->version : FTK_VERSION), "path",
                            ftk__json_text(e->file ? e->file->path : NULL), "sha256",
                            ftk__json_text(e->file ? hash.hex : NULL), "conform_level",
                            level > 0 ? json_integer(level) : json_null());
    return json_array_append_new(arg, row) == 0 ? FTK_OK : no_memory(reterr);
}

static ftk_status set_plugins(json_t *doc, const struct ftk__experiment *x,
                              struct ftk_error *reterr)
{
    json_t *list = json_array();
    if (!list)
        return no_memory(reterr);
    ftk_status st = each_rule(x, add_plugin, list, reterr);
    for (uint64_t i = 0; i < x->n_metrics && st >= 0; i++)
        st = add_plugin(list, x->metrics[i].entry, reterr);
    if (st < 0)
        json_decref(list);
    else
        st = set(doc, "plugins", list, reterr);
    return st;
}

struct meta_list {
    struct ftk__arena *arena;
    struct ftk__st_meta *v; // [n], room for all
    uint64_t n;
};

static ftk_status add_meta(struct meta_list *m, const char *key, const char *value,
                           struct ftk_error *reterr)
{
    struct ftk__st_meta *to = &m->v[m->n++];
    to->key = ftk__arena_strdup(m->arena, key);
    to->value = ftk__arena_strdup(m->arena, value);
    if (to->key && to->value)
        return FTK_OK;
    return ftk__fail(reterr, FTK_ENOMEM, "no memory for the metadata of members");
}

static ftk_status add_rule_meta(void *arg, const struct ftk__entry *e, struct ftk_error *reterr)
{
    char key[160];
    struct ftk__sha256 hash;
    ftk_status st = hash_of(e, &hash, reterr);
    if (st < 0)
        return st;
    ftk__format(key, sizeof(key), "plugin.%s.%.100s", ftk__kind_name((ftk_kind)e->algo->kind),
                e->algo->name);
    return add_meta(arg, key, hash.hex[0] ? hash.hex : "built in", reterr);
}

ftk_status ftk__member_meta(const struct ftk__prepared *p, const struct ftk__identity *id,
                            struct ftk__arena *arena, const struct ftk__st_meta **ret,
                            uint64_t *ret_n, struct ftk_error *reterr)
{
    char number[32];
    struct meta_list m = { .arena = arena };
    m.v = ftk__arena_alloc(arena, 16 * sizeof(*m.v));
    if (!m.v)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for the metadata of members");
    ftk_status st = add_meta(&m, "config_hash", id->hash.hex, reterr);
    ftk__format(number, sizeof(number), "%lld", (long long)p->x->seed);
    if (st >= 0)
        st = add_meta(&m, "seed", number, reterr);
    ftk__format(number, sizeof(number), "%lld", (long long)p->x->members);
    if (st >= 0)
        st = add_meta(&m, "members", number, reterr);
    if (st >= 0)
        st = each_rule(p->x, add_rule_meta, &m, reterr);
    if (st < 0)
        return st;
    *ret = m.v;
    *ret_n = m.n;
    return FTK_OK;
}

/* ---- the document ---------------------------------------------------------------------------- */

ftk_status ftk__manifest_new(const struct ftk__prepared *p, const struct ftk__identity *id,
                             json_t **ret, struct ftk_error *reterr)
{
    const struct ftk__experiment *x = p->x;
    char host[256];
    char cpu[256];
    char now[32];
    ftk__host_name(host, sizeof(host));
    ftk__cpu_model(cpu, sizeof(cpu));
    ftk__time_now(now);
    json_t *doc = json_pack(
        "{s:i, s:s, s:o, s:o, s:s, s:s, s:I, s:s, s:I, s:I, s:s, s:s, s:o, s:o, s:s}", "schema", 1,
        "status", "unfinished", "name", ftk__json_text(x->name), "config", ftk__json_text(x->file),
        "hash8", id->hash8, "config_hash", id->hash.hex, "seed", (json_int_t)x->seed, "strategy",
        x->strategy.entry->algo->name, "members", (json_int_t)x->members, "train_runs",
        (json_int_t)ftk__train_runs(&p->ops), "version", FTK_VERSION, "compiler", ftk__compiler(),
        "host", ftk__json_text(host), "cpu", ftk__json_text(cpu), "started", now);
    if (!doc)
        return no_memory(reterr);
    ftk_status st = set_plugins(doc, x, reterr);
    if (st >= 0)
        st = set(doc, "identity", ftk__identity_json(id), reterr);
    if (st < 0)
        json_decref(doc);
    else
        *ret = doc;
    return st;
}

static json_t *isa_json(const char *kernels)
{
    char word[64];
    size_t first = kernels ? strcspn(kernels, " \n") : 0;
    if (!kernels || kernels[first] != ' ')
        return json_null();
    const char *isa = kernels + first + 1;
    ftk__format(word, sizeof(word), "%.*s", (int)strcspn(isa, " \n"), isa);
    return ftk__json_text(word);
}

ftk_status ftk__manifest_backend(json_t *doc, const struct ftk__prepared *p, struct ftk__engine *e,
                                 struct ftk_error *reterr)
{
    static const char *const precision[] = { "fp32", "tf32", "bf16" };
    const struct ftk__backend_section *b = &p->x->backend;
    const char *kernels;
    ftk_status st = ftk__engine_kernels(e, &kernels, reterr);
    json_t *plugin = json_array();
    if (st >= 0)
        st = plugin ? add_plugin(plugin, e->entry, reterr) : no_memory(reterr);
    if (st >= 0) {
        json_t *row = json_pack(
            "{s:s, s:o, s:o, s:I, s:s, s:b, s:b, s:o, s:O}", "name", e->entry->algo->name, "device",
            ftk__json_text(e->device.name), "isa", isa_json(kernels), "threads",
            (json_int_t)ftk__thread_count(b->threads), "precision", precision[b->precision],
            "bitwise", (e->device.caps & FTK_CAP_BITWISE) != 0, "tune", b->tune != 0, "kernels",
            ftk__json_text(kernels), "plugin", json_array_get(plugin, 0));
        st = set(doc, "backend", row, reterr);
    }
    json_decref(plugin);
    return st;
}

/* A value a channel; 7 digits tell two floats apart.  NULL: no memory. */
static json_t *channel_list(const float *v, uint32_t channels)
{
    json_t *list = json_array();
    for (uint32_t c = 0; list && c < channels; c++) {
        if (json_array_append_new(list, json_real(round((double)v[c] * 1e7) / 1e7)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

ftk_status ftk__manifest_data(json_t *doc, const struct ftk__prepared *p,
                              const struct ftk__dataset *d, struct ftk_error *reterr)
{
    struct ftk__sha256 hash;
    ftk_status st = ftk__dataset_hash(d, &hash, reterr);
    if (st < 0)
        return st;
    const struct ftk__images *im = ftk__dataset_train(d);
    json_t *normalise = json_pack("{s:o, s:o}", "mean", channel_list(im->mean, im->shape[0]), "std",
                                  channel_list(im->std, im->shape[0]));
    return set(doc, "data",
               json_pack("{s:s, s:I, s:I, s:I, s:o, s:s}", "set", p->x->data_set.builtin->name,
                         "n_train", (json_int_t)p->info.n_train, "n_validation",
                         (json_int_t)p->info.n_validation, "n_test", (json_int_t)p->info.n_test,
                         "normalise", normalise, "sha256", hash.hex),
               reterr);
}

/* What checkpoints cost: of the processes that ended by themselves, for a killed one tells no more. */
static ftk_status add_checkpoints(json_t *doc, const struct ftk__checkpoint_costs *c,
                                  struct ftk_error *reterr)
{
    const json_t *before = json_object_get(doc, "checkpoints");
    json_int_t count = json_integer_value(json_object_get(before, "count"));
    double seconds = json_number_value(json_object_get(before, "seconds"));
    json_int_t bytes = json_integer_value(json_object_get(before, "bytes_last"));
    return set(doc, "checkpoints",
               json_pack("{s:I, s:I, s:f}", "count", count + (json_int_t)c->count, "bytes_last",
                         c->count ? (json_int_t)c->bytes_last : bytes, "seconds",
                         seconds + c->seconds),
               reterr);
}

static ftk_status copy(json_t *doc, const json_t *from, const char *key, struct ftk_error *reterr)
{
    json_t *value = json_object_get(from, key);
    return !value || json_object_set(doc, key, value) == 0 ? FTK_OK : no_memory(reterr);
}

/* When, where and with what a run goes on: hardware and threads may be others than before. */
static json_t *resumption(const json_t *doc, uint64_t step)
{
    const json_t *backend = json_object_get(doc, "backend");
    char host[256];
    char now[32];
    ftk__host_name(host, sizeof(host));
    ftk__time_now(now);
    return json_pack("{s:s, s:o, s:I, s:O?, s:O?, s:O?}", "time", now, "host", ftk__json_text(host),
                     "step", (json_int_t)step, "backend", json_object_get(backend, "name"), "isa",
                     json_object_get(backend, "isa"), "threads",
                     json_object_get(backend, "threads"));
}

ftk_status ftk__manifest_resumed(json_t *doc, const json_t *before, uint64_t step,
                                 struct ftk_error *reterr)
{
    json_t *list = json_copy(json_object_get(before, "resumptions"));
    if (!json_is_array(list)) {
        json_decref(list);
        list = json_array();
    }
    ftk_status st = FTK_OK;
    if (!list || json_array_append_new(list, resumption(doc, step)) != 0)
        st = no_memory(reterr);
    if (st >= 0)
        st = set(doc, "resumptions", json_incref(list), reterr);
    json_decref(list);
    if (st >= 0)
        st = copy(doc, before, "started", reterr);
    if (st >= 0)
        st = copy(doc, before, "checkpoints", reterr);
    return st;
}

ftk_status ftk__manifest_stopped(json_t *doc, const struct ftk__train_report *r, const char *why,
                                 struct ftk_error *reterr)
{
    char now[32];
    ftk__time_now(now);
    ftk_status st = add_checkpoints(doc, &r->checkpoints, reterr);
    if (st >= 0)
        st =
            set(doc, "stopped",
                json_pack("{s:s, s:s, s:I}", "time", now, "why", why, "step", (json_int_t)r->steps),
                reterr);
    return st;
}

ftk_status ftk__manifest_trained(json_t *doc, const struct ftk__train_report *r,
                                 struct ftk_error *reterr)
{
    char now[32];
    ftk__time_now(now);
    json_t *train = json_pack(
        "{s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:b}", "steps",
        (json_int_t)r->steps, "images", (json_int_t)r->images, "wall_s", r->wall_s, "data_s",
        r->data_s, "eval_s", r->eval_s, "file_s", r->file_s, "flops_theory", r->ledger.sum.theory,
        "flops_executed", r->ledger.sum.executed, "flops_dense_run", r->dense_run, "params_stored",
        r->params_stored, "sparsity", r->sparsity, "sparse", r->sparse);
    ftk_status st = set(doc, "train", train, reterr);
    if (st >= 0)
        st = add_checkpoints(doc, &r->checkpoints, reterr);
    if (st >= 0)
        st = set(doc, "saved", json_incref(r->saved), reterr);
    if (st >= 0)
        st = set(doc, "flops", ftk__flops_json(&r->ledger, &r->ops, r->dense_run, true), reterr);
    if (st >= 0)
        st = set(doc, "mem_peak_bytes", json_integer((json_int_t)ftk__peak_memory()), reterr);
    if (st >= 0)
        st = set(doc, "ended", json_string(now), reterr);
    if (st >= 0)
        st = set(doc, "status", json_string("finished"), reterr);
    return st;
}

void ftk__manifest_failed(json_t *doc, const struct ftk_error *err)
{
    char now[32];
    ftk__time_now(now);
    json_object_set_new(doc, "ended", json_string(now));
    json_object_set_new(doc, "error", ftk__json_text(err->message));
}

ftk_status ftk__manifest_write(const char *dir, const json_t *doc, struct ftk_error *reterr)
{
    char *path = ftk__path_join(dir, "run.json");
    if (!path)
        return no_memory(reterr);
    ftk_status st = ftk__json_write_file(path, doc, reterr);
    ftk__free(path);
    return st;
}

/* ---- read back ------------------------------------------------------------------------------- */

static double number_of(const json_t *train, const char *key)
{
    const json_t *v = json_object_get(train, key);
    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

double ftk__manifest_wall(const json_t *doc)
{
    return number_of(json_object_get(doc, "train"), "wall_s");
}

ftk_status ftk__manifest_cost(const json_t *doc, struct ftk__cost *ret, struct ftk_error *reterr)
{
    const json_t *train = json_object_get(doc, "train");
    const char *strategy = json_string_value(json_object_get(doc, "strategy"));
    double dense = number_of(train, "flops_dense_run");
    double wall = number_of(train, "wall_s");
    double sparsity = number_of(train, "sparsity");
    if (!strategy || isnan(dense) || isnan(wall) || isnan(sparsity))
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                              "run.json of a finished run lacks its numbers under \"train\"");
    bool sparse = json_is_true(json_object_get(train, "sparse"));
    *ret = (struct ftk__cost){
        .strategy = strategy,
        .members = (uint64_t)json_integer_value(json_object_get(doc, "members")),
        .sparsity = sparse ? sparsity : -1,
        .theory = dense > 0 ? number_of(train, "flops_theory") / dense : (double)NAN,
        .executed = dense > 0 ? number_of(train, "flops_executed") / dense : (double)NAN,
        .params = number_of(train, "params_stored"),
        .wall_s = wall,
    };
    return FTK_OK;
}
