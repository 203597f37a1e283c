/* SPDX-License-Identifier: MIT
 * cli/evaluate.c - predictions of a run's members, and the metrics of them.
 */
#include "cli/evaluate.h"

#include "base/log.h"
#include "base/path.h"
#include "cli/report_file.h"
#include "cli/stop_signal.h"
#include "eval/protocol.h"
#include "eval/suite.h"
#include "train/member.h"
#include "train/trainer.h"
#include <string.h>

ftk_status ftk__run_engine(struct ftk__prepared *p, struct ftk__engine *ret,
                           struct ftk_error *reterr)
{
    const struct ftk__backend_section *b = &p->x->backend;
    const ftk_open open = {
        .size = sizeof(open),
        .threads = (uint32_t)b->threads,
        .precision = (uint32_t)b->precision,
        .flags = b->tune ? FTK_OPEN_TUNE : 0,
        .isa = b->isa,
    };
    return ftk__engine_open(p->registry, b->use, p->x->engine.entry ? p->x->engine.params : NULL,
                            &open, &p->x->arena, ret, reterr);
}

/* ---- predictions ----------------------------------------------------------------------------- */

struct member_source {
    struct ftk__network net;
    char *dir;
};

static ftk_status load_member(void *arg, uint32_t member, struct ftk_error *reterr)
{
    struct member_source *m = arg;
    return ftk__member_load(&m->net, m->dir, member, reterr);
}

/* Of weights and masks together. */
static ftk_status digest_member(void *arg, uint32_t member, struct ftk__sha256 *ret,
                                struct ftk_error *reterr)
{
    const struct member_source *m = arg;
    struct ftk__str hashes = { 0 };
    ftk_status st = FTK_OK;
    for (int part = 0; part < FTK__MEMBER_PARTS && st >= 0; part++) {
        char name[FTK__MEMBER_NAME];
        struct ftk__sha256 hash = { 0 };
        ftk__member_name(member, (enum ftk__member_part)part, name);
        st = ftk__sha256_file_in(m->dir, name, &hash, reterr);
        ftk__str_add(&hashes, hash.hex);
    }
    if (st >= 0 && hashes.failed)
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory for the digest of member %u", member);
    if (st >= 0)
        st = ftk__sha256_buffer(hashes.text, hashes.len, ret, reterr);
    ftk__str_done(&hashes);
    return st;
}

/* Without an engine: for what is there already. */
static ftk_status suite_open(const struct ftk__prepared *p, const char *run_dir,
                             struct member_source *source, struct ftk__suite *ret,
                             struct ftk_error *reterr)
{
    source->dir = ftk__path_join(run_dir, "members");
    if (!source->dir)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for the name of the members' folder");
    *ret = (struct ftk__suite){ .run_dir = run_dir,
                                .members = (uint32_t)p->x->members,
                                .load = load_member,
                                .digest = digest_member,
                                .load_arg = source,
                                .stopped = ftk__stop_asked };
    return FTK_OK;
}

static uint64_t test_samples(const struct ftk__prepared *p)
{
    uint64_t limit = (uint64_t)p->x->eval.limit;
    return limit > 0 && limit < p->info.n_test ? limit : p->info.n_test;
}

static bool wants(const struct ftk__prepared *p, const char *set)
{
    for (uint64_t i = 0; i < p->x->eval.n_on; i++) {
        if (strcmp(p->x->eval.on[i], set) == 0)
            return true;
    }
    return false;
}

static ftk_status hash_test(const struct ftk__prepared *p, struct ftk__sha256 *ret,
                            struct ftk_error *reterr)
{
    struct ftk__testset *test;
    ftk_status st = ftk__testset_open(&p->request, (uint64_t)p->x->eval.limit, &test, reterr);
    if (st < 0)
        return st;
    st = ftk__images_hash(ftk__testset_images(test), ret, reterr);
    ftk__testset_close(test);
    return st;
}

static ftk_status hash_validation(const struct ftk__prepared *p, struct ftk__sha256 *ret,
                                  struct ftk_error *reterr)
{
    struct ftk__dataset *data;
    ftk_status st = ftk__dataset_open(&p->request, &data, reterr);
    if (st < 0)
        return st;
    st = ftk__images_hash(ftk__dataset_validation(data), ret, reterr);
    ftk__dataset_close(data);
    return st;
}

/* FTK_ENOENT (66) where a member's files are gone: what it predicted cannot be made again. */
static ftk_status members_there(const struct ftk__suite *s, struct ftk_error *reterr)
{
    struct ftk__sha256 hash;
    ftk_status st = FTK_OK;
    for (uint32_t m = 0; m < s->members && st >= 0; m++)
        st = s->digest(s->load_arg, m, &hash, reterr);
    return st;
}

/* Whether whole predictions may stay: they are of the data as they are now, or nothing better can be
 * had.  `hash_set` reads these data. */
static ftk_status may_stay(const struct ftk__prepared *p, const struct ftk__suite *s,
                           const char *set,
                           ftk_status (*hash_set)(const struct ftk__prepared *,
                                                  struct ftk__sha256 *, struct ftk_error *),
                           bool *ret, struct ftk_error *reterr)
{
    struct ftk_error err = { 0 };
    struct ftk__sha256 hash;
    *ret = true;
    ftk_status st = hash_set(p, &hash, &err);
    if (st < 0 && st != FTK_ENOMEM) {
        ftk__log(FTK_WARN, "predict", "set=%s what=\"predictions are kept, not compared: %s\"", set,
                 err.message);
        return FTK_OK;
    }
    if (st >= 0)
        st = ftk__suite_is_of(s, set, &hash, ret, &err);
    if (st >= 0 && !*ret)
        st = members_there(s, &err);
    if (st == FTK_ENOENT) {
        ftk__log(FTK_WARN, "predict",
                 "set=%s what=\"predictions are kept, though of other images or labels: %s\"", set,
                 err.message);
        *ret = true;
        return FTK_OK;
    }
    if (st < 0)
        *reterr = err;
    return st;
}

ftk_status ftk__evaluated(const struct ftk__prepared *p, const char *run_dir, bool *ret,
                          struct ftk_error *reterr)
{
    struct member_source source = { 0 };
    struct ftk__suite s;
    bool all = true;
    ftk_status st = suite_open(p, run_dir, &source, &s, reterr);
    if (st >= 0 && p->info.n_validation > 0)
        st = ftk__suite_has(&s, "validation", p->info.n_validation, &all, reterr);
    if (st >= 0 && all && wants(p, "test"))
        st = ftk__suite_has(&s, "test", test_samples(p), &all, reterr);
    if (st >= 0 && all && wants(p, "test"))
        st = may_stay(p, &s, "test", hash_test, &all, reterr);
    /* Training images are many: read where their validation split is reported. */
    if (st >= 0 && all && wants(p, "validation"))
        st = may_stay(p, &s, "validation", hash_validation, &all, reterr);
    ftk__free(source.dir);
    if (st >= 0)
        *ret = all;
    return st;
}

/* One set, of which nothing that is of other data stays, measured values included: they go first, so
 * that at no moment old ones stand beside new predictions. */
static ftk_status predict_set(const struct ftk__suite *s, const char *set,
                              const struct ftk__images *im, struct ftk_error *reterr)
{
    struct ftk__sha256 hash;
    bool same;
    ftk_status st = ftk__images_hash(im, &hash, reterr);
    if (st >= 0)
        st = ftk__suite_is_of(s, set, &hash, &same, reterr);
    if (st >= 0 && !same)
        st = members_there(s, reterr);
    if (st >= 0 && !same)
        st = ftk__report_forget(s->run_dir, set, reterr);
    return st >= 0 ? ftk__suite_predict(s, set, im, &hash, reterr) : st;
}

static ftk_status predict_test(const struct ftk__prepared *p, const struct ftk__suite *s,
                               struct ftk_error *reterr)
{
    struct ftk__testset *test;
    ftk_status st = ftk__testset_open(&p->request, (uint64_t)p->x->eval.limit, &test, reterr);
    if (st < 0)
        return st;
    st = predict_set(s, "test", ftk__testset_images(test), reterr);
    ftk__testset_close(test);
    return st;
}

ftk_status ftk__evaluate(const struct ftk__prepared *p, const char *run_dir, struct ftk__engine *e,
                         const struct ftk__dataset *d, struct ftk_error *reterr)
{
    struct member_source source = { .net = { .x = p->x, .model = p->model, .engine = e } };
    struct ftk__suite s;
    ftk_status st = suite_open(p, run_dir, &source, &s, reterr);
    s.engine = e;
    if (st == FTK_OK && p->info.n_validation > 0)
        st = predict_set(&s, "validation", ftk__dataset_validation(d), reterr);
    if (st == FTK_OK && wants(p, "test"))
        st = predict_test(p, &s, reterr);
    ftk__free(source.dir);
    return st;
}

/* ---- metrics --------------------------------------------------------------------------------- */

struct metrics {
    struct ftk__metric_use *use;    // [n]
    struct ftk__instance *instance; // [n]
    uint64_t n, cap;
};

static void metrics_done(struct metrics *m)
{
    for (uint64_t i = 0; i < m->n; i++)
        ftk__instance_done(&m->instance[i]);
    ftk__free(m->use);
    ftk__free(m->instance);
}

static ftk_status add_metric(struct metrics *m, const struct ftk__entry *e, void *params,
                             const char *protocol, struct ftk_error *reterr)
{
    ftk_status st = ftk__instance_new(e, params, &m->instance[m->n], reterr);
    if (st < 0)
        return st;
    m->use[m->n] = (struct ftk__metric_use){ &m->instance[m->n], protocol };
    m->n++;
    return FTK_OK;
}

/* One instance a metric and protocol; one that says nothing of a metric means the standard. */
static ftk_status add_protocols(struct metrics *m, struct ftk__prepared *p,
                                const struct ftk__algo_use *use, struct ftk_error *reterr)
{
    const struct ftk__eval_section *eval = &p->x->eval;
    const char *name = use->entry->algo->name;
    bool standard = false;
    ftk_status st = FTK_OK;
    for (uint64_t i = 0; i < eval->n_protocol && st >= 0; i++) {
        void *params;
        if (!ftk__protocol_defines(eval->protocol[i], name)) {
            standard = true;
            continue;
        }
        st = ftk__protocol_params(eval->protocol[i], use->entry, &p->x->arena, &params, reterr);
        if (st >= 0)
            st = add_metric(m, use->entry, params, eval->protocol[i], reterr);
    }
    if (st >= 0 && standard)
        st = add_metric(m, use->entry, use->params, "standard", reterr);
    return st;
}

static ftk_status metrics_init(struct metrics *m, struct ftk__prepared *p, struct ftk_error *reterr)
{
    const struct ftk__experiment *x = p->x;
    m->cap = x->n_metrics * (x->eval.n_protocol + 1);
    m->use = ftk__alloc_array(m->cap, sizeof(*m->use));
    m->instance = ftk__alloc_array(m->cap, sizeof(*m->instance));
    ftk_status st = FTK_OK;
    if (!m->use || !m->instance)
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory for %llu metrics",
                       (unsigned long long)x->n_metrics);
    for (uint64_t i = 0; i < x->n_metrics && st >= 0; i++)
        st = add_protocols(m, p, &x->metrics[i], reterr);
    return st;
}

static ftk_status score_sets(const struct ftk__prepared *p, const struct ftk__suite *s,
                             json_t *sets, struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    for (uint64_t i = 0; i < p->x->eval.n_on && st >= 0; i++) {
        json_t *scores;
        st = ftk__suite_score(s, p->x->eval.on[i], &scores, reterr);
        if (st >= 0 && json_object_set_new(sets, p->x->eval.on[i], scores) != 0)
            st = ftk__fail(reterr, FTK_ENOMEM, "no memory for the report");
    }
    return st;
}

ftk_status ftk__evaluation_report(struct ftk__prepared *p, const char *run_dir, json_t **ret_sets,
                                  struct ftk_error *reterr)
{
    struct metrics m = { 0 };
    struct ftk__suite s = { .run_dir = run_dir, .members = (uint32_t)p->x->members };
    json_t *sets = json_object();
    ftk_status st = sets ? FTK_OK : ftk__fail(reterr, FTK_ENOMEM, "no memory for the report");
    if (st >= 0)
        st = metrics_init(&m, p, reterr);
    s.metrics = m.use;
    s.n_metrics = m.n;
    if (st >= 0)
        st = score_sets(p, &s, sets, reterr);
    if (st >= 0)
        st = ftk__report_write(run_dir, sets, reterr);
    metrics_done(&m);
    if (st < 0)
        json_decref(sets);
    else
        *ret_sets = sets;
    return st;
}
