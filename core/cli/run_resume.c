/* SPDX-License-Identifier: MIT
 * cli/run_resume.c - what began, beside what would go on.
 */
#include "cli/run_resume.h"

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/run_identity.h"
#include <string.h>
#include <unistd.h>

enum { HASH_SHOWN = 12 };

static ftk_status no_memory(struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "no memory to compare with the unfinished run");
}

json_t *ftk__resume_identity(const json_t *manifest)
{
    static const char *const keys[] = { "config_hash", "seed", "identity", "data",
                                        "plugins",     "host", "version",  "compiler" };
    static const char *const of_backend[] = { "name",   "device",  "isa", "precision",
                                              "plugin", "threads", "tune" };
    const json_t *ours = json_object_get(manifest, "backend");
    json_t *doc = json_object();
    json_t *backend = json_object();
    bool failed = !doc || !backend;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        failed |= json_object_set(doc, keys[i], json_object_get(manifest, keys[i])) != 0;
    for (size_t i = 0; i < sizeof(of_backend) / sizeof(of_backend[0]); i++)
        failed |=
            json_object_set(backend, of_backend[i], json_object_get(ours, of_backend[i])) != 0;
    failed |= json_object_set(doc, "backend", backend) != 0;
    json_decref(backend);
    if (!failed)
        return doc;
    json_decref(doc);
    return NULL;
}

/* ---- what is refused ------------------------------------------------------------------------- */

static ftk_status check_config(const char *what, const json_t *then, const json_t *now,
                               struct ftk_error *reterr)
{
    struct ftk__identity id = { .seed = json_integer_value(json_object_get(now, "seed")) };
    const json_t *lines = json_object_get(now, "identity");
    struct ftk__str differences = { 0 };
    uint64_t n = 0;
    for (size_t i = 0; i < json_array_size(lines); i++)
        ftk__str_addf(&id.lines, "%s\n", json_string_value(json_array_get(lines, i)));
    ftk_status st = id.lines.failed ? no_memory(reterr) : FTK_OK;
    if (st >= 0)
        st = ftk__identity_diff(&id, then, &differences, &n, reterr);
    if (st >= 0 && n > 0)
        st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_CONFIG,
                            "%s is of another configuration than the one asked for", what);
    for (const char *at = differences.text; st == FTK_EINVAL && at && *at;) {
        size_t len = strcspn(at, "\n");
        ftk__error_context(reterr, "%.*s", (int)len, at + strspn(at, " "));
        at += len + (at[len] == '\n');
    }
    ftk__str_done(&differences);
    ftk__identity_done(&id);
    return st;
}

static ftk_status check_data(const char *what, const json_t *then, const json_t *now,
                             struct ftk_error *reterr)
{
    const json_t *a = json_object_get(then, "data");
    const json_t *b = json_object_get(now, "data");
    const char *there = ftk__json_string(a, "sha256");
    const char *here = ftk__json_string(b, "sha256");
    if (strcmp(there, here) == 0)
        return FTK_OK;
    return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                          "%s began with other training data: SHA-256 %.*s... of %s there, %.*s... "
                          "here",
                          what, HASH_SHOWN, there[0] ? there : "unknown",
                          ftk__json_string(a, "set"), HASH_SHOWN, here);
}

/* Whether some operation calls rules of that kind. */
static bool is_used(const struct ftk__prepared *p, const char *kind)
{
    bool trains = false;
    bool cuts = false;
    bool starts = false;
    for (uint32_t i = 0; i < p->ops.n; i++) {
        const ftk_op *op = &p->ops.v[i].op;
        bool ramp = op->code == FTK_OP_TRAIN && op->ramp_density > 0;
        trains |=
            op->code == FTK_OP_ESCAPE || (op->code == FTK_OP_TRAIN && (op->flags & FTK_TRAIN_DST));
        cuts |= op->code == FTK_OP_PRUNE || ramp;
        starts |= op->code == FTK_OP_INIT && !(op->flags & FTK_INIT_DENSE);
    }
    trains = trains && p->x->topology.enabled;
    if (strcmp(kind, "init") == 0)
        return starts;
    if (strcmp(kind, "prune") == 0)
        return trains || cuts;
    if (strcmp(kind, "grow") == 0 || strcmp(kind, "allot") == 0)
        return trains;
    return strcmp(kind, "ensemble") == 0;
}

static const json_t *plugin_like(const json_t *list, const json_t *row)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *other = json_array_get(list, i);
        if (strcmp(ftk__json_string(other, "kind"), ftk__json_string(row, "kind")) == 0 &&
            strcmp(ftk__json_string(other, "name"), ftk__json_string(row, "name")) == 0)
            return other;
    }
    return NULL;
}

static ftk_status refuse_plugin(const char *what, const json_t *there, const json_t *here,
                                struct ftk_error *reterr)
{
    const char *hash = ftk__json_string(there, "sha256");
    ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_UNAVAILABLE,
                   "%s began with another file of %s plugin '%s': SHA-256 %.*s... there, %.*s... "
                   "here, of %s",
                   what, ftk__json_string(here, "kind"), ftk__json_string(here, "name"), HASH_SHOWN,
                   hash[0] ? hash : "unknown", HASH_SHOWN, ftk__json_string(here, "sha256"),
                   ftk__json_string(here, "path"));
    ftk__error_context(reterr, "a run is continued with the rules that it began with");
    return FTK_EINVAL;
}

static ftk_status check_plugins(const struct ftk__prepared *p, const char *what, const json_t *then,
                                const json_t *now, struct ftk__str *notes, struct ftk_error *reterr)
{
    const json_t *theirs = json_object_get(then, "plugins");
    const json_t *ours = json_object_get(now, "plugins");
    for (size_t i = 0; i < json_array_size(ours); i++) {
        const json_t *here = json_array_get(ours, i);
        const json_t *there = plugin_like(theirs, here);
        bool same = there && strcmp(ftk__json_string(here, "sha256"),
                                    ftk__json_string(there, "sha256")) == 0;
        if (same || strcmp(ftk__json_string(here, "kind"), "metric") == 0)
            continue;
        if (is_used(p, ftk__json_string(here, "kind")))
            return refuse_plugin(what, there, here, reterr);
        ftk__str_addf(notes, "%s plugin '%s' has changed, which this run does not use\n",
                      ftk__json_string(here, "kind"), ftk__json_string(here, "name"));
    }
    return FTK_OK;
}

/* ---- what is noted --------------------------------------------------------------------------- */

static void note_backend(const json_t *then, const json_t *now, struct ftk__str *notes)
{
    static const struct {
        const char *key, *what;
    } of[] = { { "name", "backend" }, { "device", "device" }, { "isa", "ISA" } };
    const json_t *a = json_object_get(then, "backend");
    const json_t *b = json_object_get(now, "backend");
    bool named = false;
    for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
        const char *there = ftk__json_string(a, of[i].key);
        const char *here = ftk__json_string(b, of[i].key);
        if (strcmp(there, here) == 0)
            continue;
        /* Another backend has another device too. */
        if (!named)
            ftk__str_addf(notes, "resumed on another %s, %s after %s: bits may differ\n",
                          of[i].what, here[0] ? here : "none", there[0] ? there : "none");
        named = true;
    }
    const char *built = ftk__json_string(json_object_get(a, "plugin"), "sha256");
    const char *build = ftk__json_string(json_object_get(b, "plugin"), "sha256");
    if (!named && strcmp(built, build) != 0)
        ftk__str_addf(notes, "resumed with another build of backend %s: bits may differ\n",
                      ftk__json_string(b, "name"));
}

static void note_program(const json_t *then, const json_t *now, struct ftk__str *notes)
{
    static const char *const keys[] = { "version", "compiler" };
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *there = ftk__json_string(then, keys[i]);
        const char *here = ftk__json_string(now, keys[i]);
        if (strcmp(there, here) != 0)
            ftk__str_addf(notes,
                          "resumed with another %s of the program, %s after %s: bits may "
                          "differ\n",
                          keys[i], here, there[0] ? there : "an unknown one");
    }
}

/* What results do not depend on. */
static void note_harmless(const json_t *then, const json_t *now, struct ftk__str *changes)
{
    const json_t *a = json_object_get(then, "backend");
    const json_t *b = json_object_get(now, "backend");
    const json_t *there = json_object_get(a, "threads");
    const json_t *here = json_object_get(b, "threads");
    if (json_is_integer(there) && json_integer_value(there) != json_integer_value(here))
        ftk__str_addf(changes, "%lld threads after %lld: the same bits\n",
                      (long long)json_integer_value(here), (long long)json_integer_value(there));
    there = json_object_get(a, "tune");
    here = json_object_get(b, "tune");
    if (json_is_boolean(there) && json_is_true(there) != json_is_true(here))
        ftk__str_addf(changes, "backend.tune is %s now: the kernels stay those of the checkpoint\n",
                      json_is_true(here) ? "true" : "false");
}

ftk_status ftk__resume_check(const struct ftk__prepared *p, const char *what, const json_t *then,
                             const json_t *now, struct ftk__str *notes, struct ftk_error *reterr)
{
    ftk_status st = check_config(what, then, now, reterr);
    if (st >= 0)
        st = check_data(what, then, now, reterr);
    if (st >= 0)
        st = check_plugins(p, what, then, now, notes, reterr);
    if (st < 0)
        return st;
    note_backend(then, now, notes);
    note_program(then, now, notes);
    return notes->failed ? no_memory(reterr) : FTK_OK;
}

/* ---- the checkpoint -------------------------------------------------------------------------- */

static ftk_status find(const char *run_dir, struct ftk__resume *r, struct ftk_error *reterr)
{
    struct ftk__str note = { 0 };
    char *dir = ftk__path_join(run_dir, "checkpoint");
    if (!dir)
        return no_memory(reterr);
    ftk_status st = ftk__checkpoint_find(dir, &r->file, &note, reterr);
    if (st >= 0 && note.len > 0)
        ftk__str_addf(&r->notes, "%s\n", note.text);
    if (st == FTK_ENOENT) {
        r->file.fd = -1;
        ftk__str_add(&r->notes, "the unfinished run has no checkpoint: it starts over\n");
        st = FTK_OK;
    } else if (st < 0) {
        ftk__error_context(reterr, "nothing was removed; --new starts anew and keeps the folder "
                                   "beside");
    }
    if (st >= 0 && (note.failed || r->notes.failed))
        st = no_memory(reterr);
    ftk__str_done(&note);
    ftk__free(dir);
    return st;
}

static ftk_status compare(const struct ftk__prepared *p, const json_t *now, struct ftk__resume *r,
                          struct ftk_error *reterr)
{
    struct ftk__str notes = { 0 };
    const json_t *then = json_object_get(r->file.header, "identity");
    ftk_status st = FTK_OK;
    if (!json_is_object(then))
        st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                            "%s does not say of which run it is", r->file.path);
    else
        st = ftk__resume_check(p, r->file.path, then, now, &notes, reterr);
    /* A run may have changed hands more than once: the checkpoint knows the last of them, and what
     * run.json told is the same or older. */
    if (st >= 0 && notes.len > 0)
        ftk__str_add(&r->notes, notes.text);
    if (st >= 0)
        note_harmless(then, now, &r->changes);
    if (st >= 0 && (r->notes.failed || r->changes.failed))
        st = no_memory(reterr);
    ftk__str_done(&notes);
    r->step = (uint64_t)json_integer_value(json_object_get(r->file.header, "step"));
    return st;
}

ftk_status ftk__resume_open(const struct ftk__prepared *p, const char *run_dir, const json_t *then,
                            const json_t *now, struct ftk__resume *ret, struct ftk_error *reterr)
{
    struct ftk__resume r = { .file = { .fd = -1 } };
    struct ftk__str ignored = { 0 };
    ftk_status st = ftk__resume_check(p, run_dir, then, now, &ignored, reterr);
    if (st >= 0)
        st = find(run_dir, &r, reterr);
    if (st >= 0 && r.file.fd >= 0)
        st = compare(p, now, &r, reterr);
    if (st >= 0 && r.file.fd >= 0)
        st = ftk__checkpoint_check_files(&r.file, run_dir, reterr);
    ftk__str_done(&ignored);
    if (st < 0)
        ftk__resume_done(&r);
    else
        *ret = r;
    return st;
}

static void log_lines(ftk_level level, const struct ftk__str *lines)
{
    for (const char *at = lines->text; at && *at;) {
        size_t n = strcspn(at, "\n");
        ftk__log(level, "resume", "what=\"%.*s\"", (int)n, at);
        at += n + (at[n] == '\n');
    }
}

void ftk__resume_log(const struct ftk__resume *r)
{
    log_lines(FTK_WARN, &r->notes);
    log_lines(FTK_INFO, &r->changes);
    if (r->file.fd >= 0)
        ftk__log(FTK_INFO, "resume", "step=%llu checkpoint=\"%s\"", (unsigned long long)r->step,
                 r->file.path);
}

void ftk__resume_done(struct ftk__resume *r)
{
    if (r->file.fd >= 0)
        ftk__ftc_close(&r->file);
    ftk__str_done(&r->notes);
    ftk__str_done(&r->changes);
    *r = (struct ftk__resume){ .file = { .fd = -1 } };
}
