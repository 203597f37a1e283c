/* SPDX-License-Identifier: MIT
 * parity_case.c - files, batches and states of test_step_parity.c.
 */
#include "parity_case.h"

#include "cli/evaluate.h"
#include "data/dataset.h"
#include "graph_case.h"
#include "train/weights.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PIXELS = 32 * 32, LEVELS = 256, KEY = 160 };

static const char text[] =
    "schema = 1; epochs = 1.0;"
    "data = { use = \"cifar10\"; batch = 16; };"
    "model = { use = \"wrn\"; depth = 10; width = 1; };"
    "sparsity = { density = 0.2; init = { use = \"erk\"; }; };"
    "optim = { use = \"sgd\"; lr = 0.1; momentum = 0.9; weight_decay = 5e-4; };"
    "ensemble = { use = \"dst\"; };";

/* ---- files ----------------------------------------------------------------------------------- */

struct ftk__st_file parity_open(const struct parity_set *s, const char *what)
{
    const char *folder = getenv("FTK_TEST_GOLDEN");
    struct ftk__st_file f = { 0 };
    struct ftk_error err = { 0 };
    char path[4096];
    assert_non_null(folder);
    (void)snprintf(path, sizeof(path), "%s/parity/%s_%s.safetensors", folder, s->name, what);
    if (ftk__st_open(path, &f, &err) < 0)
        fail_msg("%s", err.message);
    return f;
}

const void *parity_array(const struct ftk__st_file *f, enum ftk__dtype type, uint64_t n,
                         const char *when, const char *name, const char *after)
{
    char key[KEY];
    (void)snprintf(key, sizeof(key), "%s%s%s%s", when, name[0] ? "." : "", name, after);
    const struct ftk__st_array *a = ftk__st_find(f, key);
    if (!a || a->dtype != type || (n > 0 && ftk__st_count(a) != n)) {
        fail_msg("no array '%s' of %llu numbers of type %d", key, (unsigned long long)n, (int)type);
        return NULL;
    }
    return a->data;
}

uint64_t *parity_active(const struct parity_net *n, const struct ftk__st_file *f, uint32_t layer,
                        uint64_t *ret_n)
{
    uint64_t all = n->net.model->layers[layer].n;
    const uint8_t *bits = parity_array(f, FTK__U8, (all + 7) / 8, "mask",
                                       n->net.model->layers[layer].name, ".weight");
    uint64_t *active = calloc(all + 1, sizeof(*active));
    assert_non_null(active);
    uint64_t count = 0;
    for (uint64_t i = 0; i < all; i++) {
        if ((bits[i / 8] >> (7 - i % 8)) & 1)
            active[count++] = i;
    }
    *ret_n = count;
    return active;
}

/* ---- images ---------------------------------------------------------------------------------- */

bool parity_set_open(struct parity_set *s, const char *name, const struct ftk__prepared *p)
{
    struct ftk_error err = { 0 };
    s->name = name;
    s->data = NULL;
    if (strcmp(name, "cifar10") == 0 && ftk__dataset_open(&p->request, &s->data, &err) < 0) {
        if (err.status != FTK_ENOENT)
            fail_msg("%s", err.message);
        return false;
    }
    s->run = parity_open(s, "run");
    return true;
}

void parity_set_close(struct parity_set *s)
{
    if (s->data)
        ftk__dataset_close(s->data);
    ftk__st_close(&s->run);
}

ftk_batch parity_batch(struct parity_set *s, uint32_t step)
{
    const uint8_t *pixels =
        s->data ? ftk__dataset_train(s->data)->pixels
                : (const uint8_t *)parity_array(&s->run, FTK__U8, 0, "images", "", "");
    const float *levels = parity_array(&s->run, FTK__F32, (uint64_t)3 * LEVELS, "levels", "", "");
    const int32_t *labels = parity_array(&s->run, FTK__I32, 0, "labels", "", "");
    const int32_t *batches = parity_array(&s->run, FTK__I32, 0, "batches", "", "");
    for (uint32_t i = 0; i < PARITY_BATCH; i++) {
        uint64_t image = (uint64_t)batches[(step - 1) * PARITY_BATCH + i];
        for (uint32_t k = 0; k < PARITY_FLOATS; k++)
            s->x[i * PARITY_FLOATS + k] =
                levels[k / PIXELS * LEVELS + pixels[image * PARITY_FLOATS + k]];
        s->y[i] = labels[image];
        if (s->data)
            assert_int_equal(ftk__dataset_train(s->data)->label[image], labels[image]);
    }
    return (ftk_batch){
        .size = sizeof(ftk_batch), .count = PARITY_BATCH, .heads = 1, .x = s->x, .y = s->y
    };
}

/* ---- networks -------------------------------------------------------------------------------- */

void parity_net_open(struct parity_net *n, const char *backend)
{
    const struct ftk__options none = { 0 };
    struct ftk__issues issues = { 0 };
    struct ftk_error err = { 0 };
    char all[sizeof(text) + 100];
    const char *plugins = getenv("FTK_TEST_PLUGINS");
    memset(n, 0, sizeof(*n));
    assert_non_null(plugins);
    setenv("FREETICKETS_PLUGIN_PATH", plugins, 1);
    (void)snprintf(all, sizeof(all), "%sbackend = { use = \"%s\"; threads = 1; };", text,
                   backend ? backend : "ref");
    if (ftk__prepare_text("parity.cfg", all, &none, &issues, &n->p, &err) < 0)
        fail_msg("%s %s", err.message, issues.n ? issues.v[0].message : "");
    ftk__issues_done(&issues);
    assert_int_equal(ftk__rules_init(n->p.x, &n->rules, &err), FTK_OK);
    n->net = (struct ftk__network){ .x = n->p.x, .model = n->p.model };
    if (!backend)
        return;
    if (ftk__run_engine(&n->p, &n->own, &err) < 0)
        fail_msg("%s", err.message);
    const uint32_t channels = FTK_CH_WEIGHT | FTK_CH_GRAD | FTK_CH_MOMENTUM;
    if (ftk__train_compile(n->p.x, n->p.model, channels, &n->own, &err) < 0)
        fail_msg("%s", err.message);
    parity_net_init(n, &n->own);
}

void parity_net_init(struct parity_net *n, struct ftk__engine *e)
{
    struct ftk_error err = { 0 };
    n->net.engine = e;
    if (ftk__rules_topology(n->p.x, n->p.model, &n->rules, &n->arena, &n->net.topology, &err) < 0)
        fail_msg("%s", err.message);
    if (ftk__topology_init(n->net.topology, e, 0, 0.2, &err) < 0)
        fail_msg("%s", err.message);
}

void parity_net_close(struct parity_net *n)
{
    ftk__topology_free(n->net.topology);
    ftk__engine_close(&n->own);
    ftk__rules_done(&n->rules);
    ftk__arena_done(&n->arena);
    ftk__prepared_done(&n->p);
}

static void check(ftk_status st, const struct ftk_error *err)
{
    if (st < 0)
        fail_msg("%s", err->message);
}

/* The next array of a state: "conv1.weight", "", then the same, ".velocity"; roles of batch norm's
 * statistics have no velocity.  False past the last; *pos starts at 0. */
struct item {
    uint32_t node, role; /* role as the engine has it                    */
    char name[PARITY_TENSORS];
    const char *after;
};
static bool next_item(const struct parity_net *n, uint32_t *pos, struct item *ret)
{
    const uint32_t trained = FTK_TENSOR_BIAS;
    if (*pos > 0 && !ret->after[0] && ret->role <= trained) {
        ret->role |= FTK_TENSOR_MOMENT1;
        ret->after = ".velocity";
        return true;
    }
    if (!ftk__weights_next(n->net.model, pos, &ret->node, &ret->role))
        return false;
    ret->after = "";
    return ftk__model_tensor_name(n->net.model, ret->node, ret->role, ret->name, sizeof(ret->name));
}

void parity_put(struct parity_net *n, const struct ftk__st_file *f, const char *when)
{
    struct ftk_error err = { 0 };
    struct item item = { .after = "" };
    uint32_t pos = 0;
    while (next_item(n, &pos, &item)) {
        uint32_t index;
        uint64_t count;
        check(ftk__engine_tensor(n->net.engine, item.node, item.role, &index, &count, &err), &err);
        const float *v = parity_array(f, FTK__F32, count, when, item.name, item.after);
        check(ftk__engine_put(n->net.engine, index, count, v, &err), &err);
    }
}

void parity_load(struct parity_net *n, const struct ftk__st_file *f, const char *when)
{
    struct ftk__engine *e = n->net.engine;
    struct ftk_error err = { 0 };
    for (uint32_t l = 0; l < n->net.model->n_layers; l++) {
        uint64_t count;
        uint64_t *active = parity_active(n, f, l, &count);
        ftk__engine_begin(e);
        check(ftk__engine_end(e, e->ops->mask(e->prog, l, active, count), &err), &err);
        free(active);
    }
    check(ftk__topology_sync(n->net.topology, e, &err), &err);
    parity_put(n, f, when);
}

double parity_worst(struct parity_net *n, const struct ftk__st_file *f, const char *when,
                    char ret_name[PARITY_TENSORS])
{
    struct ftk_error err = { 0 };
    struct item item = { .after = "" };
    uint32_t pos = 0;
    double worst = -1;
    while (next_item(n, &pos, &item)) {
        uint32_t index;
        uint64_t count;
        float *have;
        check(ftk__engine_tensor(n->net.engine, item.node, item.role, &index, &count, &err), &err);
        check(ftk__engine_get(n->net.engine, index, count, &have, &err), &err);
        const float *want = parity_array(f, FTK__F32, count, when, item.name, item.after);
        double gap = sqrt(array_nmse(have, want, count));
        ftk__free(have);
        if (gap <= worst)
            continue;
        worst = gap; /* a NaN too */
        (void)snprintf(ret_name, PARITY_TENSORS, "%.70s%s", item.name, item.after);
    }
    return worst;
}

double parity_step(struct parity_net *n, const ftk_batch *b, double lr, uint32_t flags)
{
    struct ftk__engine *e = n->net.engine;
    const struct ftk__optim_section *o = &n->p.x->optim;
    struct ftk_error err = { 0 };
    const ftk_hyper hyper = { .size = sizeof(hyper),
                              .flags = flags,
                              .step = 1, /* only Adam asks */
                              .lr = lr,
                              .momentum = o->momentum,
                              .weight_decay = o->weight_decay };
    ftk_stats stats = { .size = sizeof(stats) };
    ftk_stats *all[1] = { &stats };
    ftk__engine_begin(e);
    check(ftk__engine_end(e, e->ops->step(e->prog, &b, &hyper), &err), &err);
    ftk__engine_begin(e);
    check(ftk__engine_end(e, e->ops->sync(e->prog, all), &err), &err);
    assert_int_equal(stats.samples, b->count);
    assert_int_equal(stats.bad_node, -1);
    return stats.loss_sum / (double)stats.samples;
}
