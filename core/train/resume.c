/* SPDX-License-Identifier: MIT
 * train/resume.c - a session put where its checkpoint was written.
 *
 * The file's digests were checked when it was opened; what is checked here is that it is of this run:
 * the strategy is asked again for each operation that ran, with the results it had then.
 */
#include "train/checkpoint_impl.h"

#include "base/str.h"
#include "config/opcheck.h"
#include "train/netfile.h"
#include "train/saved.h"
#include <math.h>
#include <stddef.h>
#include <string.h>

static ftk_status refuse(const struct ftk__ftc_file *f, struct ftk_error *reterr, const char *fmt,
                         ...) FTK_PRINTF(3, 4);
static ftk_status refuse(const struct ftk__ftc_file *f, struct ftk_error *reterr, const char *fmt,
                         ...)
{
    struct ftk__str what = { 0 };
    va_list args;
    va_start(args, fmt);
    ftk__str_vaddf(&what, fmt, args);
    va_end(args);
    ftk_status st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA, "%s: %s", f->path,
                                   what.failed ? "it is of another run" : what.text);
    ftk__str_done(&what);
    return st;
}

static ftk_status no_memory(struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "no memory to resume");
}

/* ---- the header ------------------------------------------------------------------------------ */

static ftk_status to_count(const struct ftk__ftc_file *f, const json_t *v, const char *key,
                           uint64_t *ret, struct ftk_error *reterr)
{
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return refuse(f, reterr, "'%s' of its header is no count", key);
    *ret = (uint64_t)json_integer_value(v);
    return FTK_OK;
}

static ftk_status get_counts(const struct ftk__ftc_file *f, const char *key, uint64_t *ret,
                             uint32_t n, struct ftk_error *reterr)
{
    const json_t *list = json_object_get(f->header, key);
    if (json_array_size(list) != n)
        return refuse(f, reterr, "'%s' of its header is no list of %u counts", key, n);
    ftk_status st = FTK_OK;
    for (uint32_t i = 0; i < n && st >= 0; i++)
        st = to_count(f, json_array_get(list, i), key, &ret[i], reterr);
    return st;
}

static ftk_status get_flag(const struct ftk__ftc_file *f, const char *key, bool *ret,
                           struct ftk_error *reterr)
{
    const json_t *v = json_object_get(f->header, key);
    if (!json_is_boolean(v))
        return refuse(f, reterr, "'%s' of its header is neither true nor false", key);
    *ret = json_is_true(v);
    return FTK_OK;
}

static ftk_status read_journal_mark(const struct ftk__ftc_file *f, struct ftk__journal_mark *ret,
                                    struct ftk_error *reterr)
{
    ftk_status st = get_counts(f, "journal_bytes", ret->bytes, FTK__JOURNAL_FILES, reterr);
    if (st >= 0)
        st = get_counts(f, "journal_crc32", ret->crc, FTK__JOURNAL_FILES, reterr);
    return st;
}

struct header {
    uint64_t op, step, local, images, samples, correct, epoch_images;
    bool inside, said_limited, sparse, best;
    struct ftk__journal_mark journal;
};

static ftk_status read_header(const struct ftk__ftc_file *f, struct header *h,
                              struct ftk_error *reterr)
{
    const struct {
        const char *key;
        uint64_t *to;
    } counts[] = {
        { "op", &h->op },
        { "step", &h->step },
        { "local", &h->local },
        { "images", &h->images },
        { "samples", &h->samples },
        { "correct", &h->correct },
        { "epoch_images", &h->epoch_images },
    };
    const struct {
        const char *key;
        bool *to;
    } flags[] = {
        { "inside", &h->inside },
        { "said_limited", &h->said_limited },
        { "sparse", &h->sparse },
        { "best", &h->best },
    };
    ftk_status st = FTK_OK;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]) && st >= 0; i++)
        st = to_count(f, json_object_get(f->header, counts[i].key), counts[i].key, counts[i].to,
                      reterr);
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]) && st >= 0; i++)
        st = get_flag(f, flags[i].key, flags[i].to, reterr);
    return st < 0 ? st : read_journal_mark(f, &h->journal, reterr);
}

const char *ftk__checkpoint_kernels(const struct ftk__ftc_file *f)
{
    return f ? json_string_value(json_object_get(f->header, "kernels")) : NULL;
}

ftk_status ftk__checkpoint_check_layers(const struct ftk__ftc_file *f, const struct ftk__model *m,
                                        struct ftk_error *reterr)
{
    const json_t *list = json_object_get(f->header, "layers");
    if (json_array_size(list) != m->n_layers)
        return refuse(f, reterr, "it has %zu maskable layers, model %s has %u",
                      json_array_size(list), m->name, m->n_layers);
    for (uint32_t l = 0; l < m->n_layers; l++) {
        const json_t *row = json_array_get(list, l);
        const char *name = json_string_value(json_array_get(row, 0));
        json_int_t n = json_integer_value(json_array_get(row, 1));
        if (!name || strcmp(name, m->layers[l].name) != 0 || (uint64_t)n != m->layers[l].n)
            return refuse(f, reterr,
                          "its layer %u is %s of %lld weights, that of model %s is %s of %llu", l,
                          name ? name : "none", (long long)n, m->name, m->layers[l].name,
                          (unsigned long long)m->layers[l].n);
    }
    return FTK_OK;
}

/* ---- members --------------------------------------------------------------------------------- */

static ftk_status get_saved(const struct ftk__ftc_file *f, const json_t **ret,
                            struct ftk_error *reterr)
{
    *ret = json_object_get(f->header, "saved");
    return json_is_object(*ret) ? FTK_OK
                                : refuse(f, reterr,
                                         "it does not record the members saved before it, as "
                                         "checkpoints of an older version do not");
}

ftk_status ftk__checkpoint_check_files(const struct ftk__ftc_file *f, const char *run_dir,
                                       struct ftk_error *reterr)
{
    const json_t *saved;
    struct ftk__journal_mark rows;
    ftk_status st = get_saved(f, &saved, reterr);
    if (st >= 0)
        st = ftk__saved_check(saved, run_dir, reterr);
    if (st >= 0)
        st = read_journal_mark(f, &rows, reterr);
    return st < 0 ? st : ftk__journal_check(run_dir, &rows, reterr);
}

/* The files themselves are the caller's to check, before anything is written. */
static ftk_status read_saved(struct ftk__session *s, const struct ftk__ftc_file *f,
                             struct ftk_error *reterr)
{
    const json_t *saved;
    ftk_status st = get_saved(f, &saved, reterr);
    if (st < 0)
        return st;
    return json_object_update(s->saved, (json_t *)(uintptr_t)saved) == 0 ? FTK_OK
                                                                         : no_memory(reterr);
}

/* ---- operations ------------------------------------------------------------------------------ */

static ftk_status replay_one(struct ftk__session *s, const struct ftk__ftc_file *f,
                             const ftk_op *then, const double v[3], struct ftk_error *reterr)
{
    uint32_t i = s->n_results;
    ftk_op op;
    struct ftk__op_effect effect;
    ftk_status st = ftk__session_next_op(s, i, &op, &effect, reterr);
    if (st < 0)
        return st;
    if (st == FTK_DONE || !ftk__op_equal(&op, then))
        return refuse(f, reterr, "operation %u is not what ran there, %.*s", i,
                      (int)sizeof(then->label), then->label);
    s->result[i] = (ftk_result){ .size = sizeof(s->result[i]),
                                 .op = i,
                                 .train_loss = v[0],
                                 .val_loss = v[1],
                                 .val_accuracy = v[2] };
    s->results[i] = &s->result[i];
    s->n_results = i + 1;
    return FTK_OK;
}

static ftk_status replay(struct ftk__session *s, const struct ftk__ftc_file *f,
                         const struct header *h, struct ftk_error *reterr)
{
    uint64_t n_ops = h->op + (h->inside ? 1 : 0);
    if (h->op > s->plan.n || n_ops > s->plan.n)
        return refuse(f, reterr, "%llu operations ran there, this run has %u",
                      (unsigned long long)n_ops, s->plan.n);
    ftk_op *ops = ftk__alloc_array(n_ops, sizeof(*ops));
    double *results = ftk__alloc_array(h->op, 3 * sizeof(*results));
    ftk_status st = ops && results ? FTK_OK : no_memory(reterr);
    if (st >= 0)
        st = ftk__netfile_exact(f, FTK__CHECKPOINT_RUN, "ops", FTK__FTC_U8, n_ops * sizeof(*ops),
                                ops, reterr);
    if (st >= 0)
        st = ftk__netfile_exact(f, FTK__CHECKPOINT_RUN, "results", FTK__FTC_F64, 3 * h->op, results,
                                reterr);
    for (uint64_t i = 0; i < h->op && st >= 0; i++)
        st = replay_one(s, f, &ops[i], results + 3 * i, reterr);
    if (st >= 0 && h->inside)
        s->at.op = ops[h->op];
    ftk__free(ops);
    ftk__free(results);
    return st;
}

/* ---- networks, books and numbers ------------------------------------------------------------- */

static ftk_status read_slot(struct ftk__session *s, const struct ftk__ftc_file *f, json_int_t slot,
                            struct ftk_error *reterr)
{
    char prefix[16];
    if (slot < 0 || slot >= FTK__MAX_SLOTS || s->slot[slot] || !s->state.slot[slot].filled)
        return refuse(f, reterr, "it keeps something in slot %lld, where nothing was remembered",
                      (long long)slot);
    ftk__format(prefix, sizeof(prefix), FTK__CHECKPOINT_SLOT, (unsigned)slot);
    return ftk__snapshot_read(&s->net, prefix, f, &s->slot[slot], reterr);
}

/* All that the operations so far remembered, or a REWIND would find nothing. */
static ftk_status read_slots(struct ftk__session *s, const struct ftk__ftc_file *f,
                             struct ftk_error *reterr)
{
    const json_t *list = json_object_get(f->header, "slots");
    ftk_status st = FTK_OK;
    for (size_t i = 0; i < json_array_size(list) && st >= 0; i++)
        st = read_slot(s, f, json_integer_value(json_array_get(list, i)), reterr);
    for (uint32_t i = 0; i < FTK__MAX_SLOTS && st >= 0; i++) {
        if (s->state.slot[i].filled && !s->slot[i])
            st = refuse(f, reterr, "it lacks what was remembered in slot %u", i);
    }
    return st;
}

static struct ftk__seconds seconds_of(const double v[4])
{
    return (struct ftk__seconds){ .train = v[0], .data = v[1], .eval = v[2], .file = v[3] };
}

/* All but results, of which a run without a validation split has none. */
static bool are_finite(const struct ftk__checkpoint_numbers *n)
{
    const size_t from = offsetof(struct ftk__checkpoint_numbers, result) / sizeof(double);
    const size_t to = from + sizeof(n->result) / sizeof(double);
    double v[FTK__CHECKPOINT_NUMBERS];
    memcpy(v, n, sizeof(v));
    for (size_t i = 0; i < FTK__CHECKPOINT_NUMBERS; i++) {
        if ((i < from || i >= to) && !isfinite(v[i]))
            return false;
    }
    return true;
}

static ftk_status read_numbers(struct ftk__session *s, const struct ftk__ftc_file *f,
                               const struct header *h, struct ftk_error *reterr)
{
    struct ftk__checkpoint_numbers n;
    ftk_status st = ftk__netfile_exact(f, FTK__CHECKPOINT_RUN, "numbers", FTK__FTC_F64,
                                       FTK__CHECKPOINT_NUMBERS, &n, reterr);
    if (st >= 0 && !are_finite(&n))
        st = refuse(f, reterr, "run/numbers holds sums that are no numbers");
    if (st < 0)
        return st;
    s->seconds = seconds_of(n.seconds);
    s->params_stored = n.params_stored;
    s->last_sparsity = n.last_sparsity;
    s->best.accuracy = n.best_accuracy;
    s->steps_done = h->step;
    s->images = h->images;
    s->said_limited = h->said_limited;
    s->any_sparse = h->sparse;
    s->at.inside = h->inside;
    s->at.local = h->local;
    s->at.last_lr = n.last_lr;
    s->at.samples = h->samples;
    s->at.correct = h->correct;
    s->at.loss_sum = n.loss_sum;
    s->at.epoch_images = h->epoch_images;
    s->at.epoch_start = seconds_of(n.epoch_start);
    s->at.result = (ftk_result){ .size = sizeof(s->at.result),
                                 .op = s->n_results,
                                 .train_loss = n.result[0],
                                 .val_loss = n.result[1],
                                 .val_accuracy = n.result[2] };
    return FTK_OK;
}

/* Another backend, or another ISA, may compute other layers densely.  Where nothing changed the books
 * stay as they are, unsettled. */
static ftk_status compare_kernels(struct ftk__session *s, const struct ftk__ftc_file *f,
                                  struct ftk_error *reterr)
{
    const char *then = ftk__checkpoint_kernels(f);
    const char *backend = json_string_value(json_object_get(f->header, "backend"));
    const char *now;
    ftk_status st = ftk__engine_kernels(s->net.engine, &now, reterr);
    if (st < 0)
        return st;
    bool same = backend && strcmp(backend, s->net.engine->entry->algo->name) == 0;
    same = same && (then && now ? strcmp(then, now) == 0 : then == now);
    return same ? FTK_OK : ftk__session_topology_changed(s, reterr);
}

static ftk_status read_networks(struct ftk__session *s, const struct ftk__ftc_file *f, bool best,
                                struct ftk_error *reterr)
{
    ftk_status st = ftk__network_read(&s->net, FTK__CHECKPOINT_LIVE, f, reterr);
    if (st >= 0)
        st = read_slots(s, f, reterr);
    if (st >= 0 && best)
        st = ftk__snapshot_read(&s->net, FTK__CHECKPOINT_BEST, f, &s->best.state, reterr);
    return st;
}

static bool is_last(const char *path)
{
    return ftk__str_ends(path, "/last.ftc") || strcmp(path, "last.ftc") == 0;
}

ftk_status ftk__session_resume(struct ftk__session *s, const struct ftk__ftc_file *f,
                               struct ftk_error *reterr)
{
    struct header h = { 0 };
    ftk_status st = read_header(f, &h, reterr);
    if (st >= 0)
        st = ftk__checkpoint_check_layers(f, s->net.model, reterr);
    if (st >= 0)
        st = read_saved(s, f, reterr);
    if (st >= 0)
        st = replay(s, f, &h, reterr);
    if (st >= 0)
        st = read_networks(s, f, h.best, reterr);
    if (st >= 0)
        st = ftk__ledger_read(&s->ledger, f, reterr);
    if (st >= 0)
        st = read_numbers(s, f, &h, reterr);
    if (st < 0)
        return st;
    /* Steps are counted for the operation that ran last. */
    s->ledger.now = s->n_results > 0 && !h.inside ? s->n_results - 1 : s->n_results;
    s->checkpointing.prev_is_better = !is_last(f->path);
    st = compare_kernels(s, f, reterr);
    if (st >= 0)
        st = ftk__journal_resume(&s->journal, s->tr->run_dir, &h.journal, reterr);
    return st;
}
