/* SPDX-License-Identifier: MIT
 * train/session.c - a run from its first file to its report.
 */
#include "train/session.h"

#include "base/io.h"
#include "base/str.h"
#include "train/schedule.h"
#include <math.h>

ftk_status ftk__session_check_folder(const struct ftk__session *s, struct ftk_error *reterr)
{
    const struct ftk__trainer *tr = s->tr;
    return tr->lock ? ftk__dir_still_locked(tr->run_dir, *tr->lock, reterr) : FTK_OK;
}

static ftk_status make_folders(struct ftk__session *s, struct ftk_error *reterr)
{
    static const char *const names[] = { "members", "trajectory" };
    uint32_t n = s->trajectory ? 2 : 1;
    ftk_status st = FTK_OK;
    for (uint32_t i = 0; i < n && st >= 0; i++) {
        struct ftk__str dir = { 0 };
        ftk__str_addf(&dir, "%s/%s", s->tr->run_dir, names[i]);
        if (dir.failed)
            st = ftk__fail(reterr, FTK_ENOMEM, "no memory for the name of %s", names[i]);
        else
            st = ftk__mkdirs(dir.text, reterr);
        ftk__str_done(&dir);
    }
    return st;
}

static ftk_status set_trajectory(struct ftk__session *s, struct ftk_error *reterr)
{
    const char *text = s->x->eval.trajectory;
    ftk_duration every;
    const char *end;
    if (!text[0])
        return FTK_OK;
    if (!ftk__duration_parse(text, 0, &every, &end) || *end)
        return ftk__fail(reterr, FTK_EINVAL, "eval.trajectory = \"%s\" is no duration", text);
    uint64_t whole = (uint64_t)llround(s->x->epochs * s->run.steps_per_epoch);
    s->trajectory = ftk__steps_of(every, &s->run, whole);
    return FTK_OK;
}

static ftk_status plan_session(struct ftk__session *s, struct ftk_error *reterr)
{
    s->run = ftk__experiment_run(s->x, ftk__dataset_train(s->tr->data)->n);
    ftk_status st = ftk__oplist_plan(&s->rules.strategy, &s->run, &s->plan, reterr);
    if (st >= 0)
        st = ftk__opstate_init(&s->state, &s->run, reterr);
    if (st < 0)
        return st;
    s->saved = json_object();
    s->result = ftk__alloc_array(s->plan.n, sizeof(*s->result));
    s->results = ftk__alloc_array(s->plan.n, sizeof(*s->results));
    if (!s->saved || !s->result || !s->results)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for %u results", s->plan.n);
    return set_trajectory(s, reterr);
}

static ftk_status open_session(struct ftk__session *s, struct ftk_error *reterr)
{
    const struct ftk__trainer *tr = s->tr;
    struct ftk__topology *topology = NULL;
    ftk_status st = ftk__rules_init(s->x, &s->rules, reterr);
    if (st >= 0)
        st = plan_session(s, reterr);
    if (st >= 0)
        st = ftk__rules_topology(s->x, tr->model, &s->rules, &s->arena, &topology, reterr);
    s->net = (struct ftk__network){
        .x = s->x, .model = tr->model, .engine = tr->engine, .topology = topology
    };
    if (st >= 0)
        st = ftk__train_compile_for(s->x, tr->model, ftk__topology_channels(topology),
                                    ftk__checkpoint_kernels(tr->checkpoints.from), tr->engine,
                                    reterr);
    if (st >= 0)
        st = ftk__feed_open(tr->data, (uint32_t)s->x->data.batch, &s->feed, reterr);
    if (st >= 0)
        st = make_folders(s, reterr);
    if (st >= 0)
        st = ftk__ledger_init(&s->ledger, tr->model, s->plan.n, reterr);
    if (st >= 0 && tr->checkpoints.from)
        st = ftk__session_resume(s, tr->checkpoints.from, reterr);
    else if (st >= 0)
        st = ftk__journal_open(&s->journal, tr->run_dir, reterr);
    return st;
}

static void close_session(struct ftk__session *s)
{
    for (uint32_t i = 0; i < FTK__MAX_SLOTS; i++)
        ftk__snapshot_free(s->slot[i]);
    ftk__snapshot_free(s->best.state);
    ftk__feed_close(s->feed);
    ftk__topology_free(s->net.topology);
    ftk__opstate_done(&s->state);
    ftk__oplist_done(&s->plan);
    ftk__ledger_done(&s->ledger);
    ftk__rules_done(&s->rules);
    ftk__arena_done(&s->arena);
    json_decref(s->saved);
    ftk__free(s->result);
    ftk__free(s->results);
}

/* Takes the session's operations, ledger and record of members. */
static void fill_report(struct ftk__session *s, struct ftk__train_report *ret)
{
    ftk__ledger_settle(&s->ledger);
    *ret = (struct ftk__train_report){
        .ops = s->plan,
        .ledger = s->ledger,
        .dense_run =
            ftk__ledger_dense_run(&s->ledger, s->x->epochs, ftk__dataset_train(s->tr->data)->n),
        .wall_s = s->seconds.train,
        .data_s = s->seconds.data,
        .eval_s = s->seconds.eval,
        .file_s = s->seconds.file,
        .steps = s->steps_done,
        .images = s->images,
        .params_stored = s->params_stored,
        .sparsity = s->last_sparsity,
        .sparse = s->any_sparse,
        .saved = s->saved,
        .checkpoints = s->checkpointing.costs,
    };
    s->saved = NULL;
    s->plan = (struct ftk__oplist){ 0 };
    s->ledger = (struct ftk__ledger){ 0 };
}

void ftk__train_report_done(struct ftk__train_report *r)
{
    ftk__oplist_done(&r->ops);
    ftk__ledger_done(&r->ledger);
    json_decref(r->saved);
}

/* The rows are on disk before anybody says that the run is finished: nothing writes them again then. */
static ftk_status close_journal(struct ftk__session *s, ftk_status st, struct ftk_error *reterr)
{
    struct ftk__journal_mark unused;
    ftk_status synced = st < 0 ? st : ftk__journal_sync(&s->journal, &unused, reterr);
    ftk_status closed = ftk__journal_close(&s->journal, synced < 0 ? NULL : reterr);
    if (synced < 0)
        return synced;
    return closed < 0 ? closed : st;
}

ftk_status ftk__train(const struct ftk__trainer *tr, struct ftk__train_report *ret,
                      struct ftk_error *reterr)
{
    struct ftk__session *s = ftk__alloc(sizeof(*s));
    if (!s)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for a run");
    s->tr = tr;
    s->x = tr->x;
    s->checkpointing.started = ftk__now();
    ftk_status st = open_session(s, reterr);
    if (st >= 0)
        st = ftk__session_run(s, reterr);
    st = close_journal(s, st, reterr);
    if (st >= 0)
        fill_report(s, ret);
    close_session(s);
    ftk__free(s);
    return st;
}
