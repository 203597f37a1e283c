/* SPDX-License-Identifier: MIT
 * conform/parent.c - the census of files, the schedule of rules, their verdicts.
 */
#include "conform/parent.h"
#include "base/json.h"
#include "base/path.h"
#include "conform/cause.h"
#include "conform/families.h"
#include "conform/process.h"
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_JOBS = 64, DEFAULT_TIMEOUT_MS = 10000 };
#define FILE_ITSELF   UINT32_MAX
#define ADDRESS_SPACE (UINT64_C(8) << 30)

/* The shadow memory of a sanitizer is terabytes of address space.  gcc defines the first two. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED 0
#endif

const char *ftk__outcome_algo(const struct ftk__conform_run *r, const struct ftk__outcome *o)
{
    return o->algo == FILE_ITSELF ? "" : r->file[o->file].algo[o->algo];
}

static void wait_a_little(void)
{
    const struct timespec t = { .tv_nsec = 1000 * 1000 };
    nanosleep(&t, NULL);
}

/* ---- census ----------------------------------------------------------------------------------- */

static ftk_status no_memory(struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "no memory for verdicts");
}

static ftk_status add_algo(struct ftk__conform_file *f, const char *line, struct ftk_error *reterr)
{
    const char *space = strchr(line, ' ');
    uint32_t n = f->n_algos;
    uint64_t bit;
    if (!space || !ftk__parse_u64(space + 1, &bit))
        return ftk__fail(reterr, FTK_EINTERNAL, "the census says '%s'", line);
    char **algo = ftk__realloc_array(f->algo, n, n + 1, sizeof(*algo));
    if (algo)
        f->algo = algo;
    uint32_t *bits = ftk__realloc_array(f->bit, n, n + 1, sizeof(*bits));
    if (bits)
        f->bit = bits;
    char *name = ftk__strdup(line);
    if (!algo || !bits || !name) {
        ftk__free(name);
        return no_memory(reterr);
    }
    name[space - line] = '\0';
    f->algo[n] = name;
    f->bit[n] = (uint32_t)bit;
    f->n_algos = n + 1;
    return FTK_OK;
}

/* A file whose census fails has no algorithms: a rule of the file says why. */
static ftk_status read_census(struct ftk__conform_file *f, char *text, struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    for (char *line = text; *line != '\0' && st >= 0;) {
        size_t n = strcspn(line, "\n");
        char *next = line[n] == '\n' ? line + n + 1 : line + n;
        line[n] = '\0';
        if (line[0] == '=' && n > 2)
            f->stamp = ftk__strdup(line + 2);
        else if (line[0] == '!' && n > 2) {
            f->reason = ftk__strdup(line + 2);
            f->refused = true;
        } else if (n > 0)
            st = add_algo(f, line, reterr);
        line = next;
    }
    return st;
}

static ftk_status census(const struct ftk__conform_run *r, struct ftk__conform_file *f,
                         struct ftk_error *reterr)
{
    struct ftk__process p;
    int status;
    ftk_status st = ftk__process_start(r->o, "census::0:-1:3", f->real, DEFAULT_TIMEOUT_MS / 1e3, 0,
                                       &p, reterr);
    if (st < 0)
        return st;
    while (!ftk__process_poll(&p, ftk__process_now(), &status))
        wait_a_little();
    bool over = !p.late && WIFEXITED(status);
    if (over && p.line.text)
        st = read_census(f, p.line.text, reterr);
    if (!f->reason && (!over || WEXITSTATUS(status) != 0))
        f->reason = ftk__strdup(p.late ? "it does not load in time" : "it ends the process");
    if (f->reason) /* what stands in a half-written list is not to be relied on */
        f->n_algos = 0;
    ftk__process_done(&p);
    return st;
}

/* ---- what is to be run ------------------------------------------------------------------------ */

static ftk_status add_outcome(struct ftk__conform_run *r, const struct ftk__rule *rule,
                              uint32_t file, uint32_t algo, struct ftk_error *reterr)
{
    struct ftk__outcome *grown =
        ftk__realloc_array(r->outcome, r->n, r->n + UINT64_C(1), sizeof(*grown));
    if (!grown)
        return no_memory(reterr);
    r->outcome = grown;
    r->outcome[r->n] =
        (struct ftk__outcome){ .rule = rule, .file = file, .algo = algo, .verdict = FTK__VERDICTS };
    r->n++;
    return FTK_OK;
}

/* Whether one of the globs, with commas between, matches; a rule named in full runs at any level. */
static bool chosen(const char *globs, const struct ftk__rule *rule, int level)
{
    char glob[64];
    for (;;) {
        size_t n = strcspn(globs, ",");
        ftk__format(glob, sizeof(glob), "%.*s", (int)(n < 63 ? n : 63), globs);
        if (strcmp(glob, rule->id) == 0 ||
            (rule->level <= level && ftk__glob_match(glob, rule->id)))
            return true;
        if (globs[n] == '\0')
            return false;
        globs += n + 1;
    }
}

static bool wanted(const struct ftk__conform_run *r, const struct ftk__rule *rule, uint32_t file)
{
    /* What does not load is told whatever was asked for. */
    if (r->file[file].n_algos == 0 && strcmp(rule->id, "ABI-01") == 0)
        return true;
    if (r->o->only)
        return chosen(r->o->only, rule, r->o->level);
    return rule->level <= r->o->level;
}

static ftk_status list_outcomes(struct ftk__conform_run *r, uint32_t file, uint32_t algo,
                                struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    for (uint32_t i = 0; ftk__rule_at(i) && st >= 0; i++) {
        const struct ftk__rule *rule = ftk__rule_at(i);
        bool of_file = rule->flags & FTK__RULE_FILE;
        if (!wanted(r, rule, file) || of_file != (algo == FILE_ITSELF))
            continue;
        if (of_file || (rule->kinds & r->file[file].bit[algo]))
            st = add_outcome(r, rule, file, algo, reterr);
    }
    return st;
}

/* ---- verdicts --------------------------------------------------------------------------------- */

static void settle(struct ftk__conform_run *r, struct ftk__outcome *o, enum ftk__verdict v,
                   const char *message, const char *note)
{
    o->verdict = v;
    o->fix = o->rule->fix;
    o->message = ftk__strdup(message);
    o->note = ftk__strdup(note);
    if (!o->output)
        o->output = ftk__strdup("");
    r->count[v]++;
}

static enum ftk__verdict verdict_of(const char *name)
{
    for (int v = 0; v < FTK__VERDICTS; v++)
        if (strcmp(ftk__verdict_name((enum ftk__verdict)v), name) == 0)
            return (enum ftk__verdict)v;
    return FTK__VERDICTS;
}

/* The line that the child wrote, if it is one. */
static bool read_line(const struct ftk__process *p, json_t **ret)
{
    struct ftk_error err;
    if (!p->line.text)
        return false;
    size_t n = strcspn(p->line.text, "\n");
    return p->line.text[n] == '\n' && ftk__json_parse(p->line.text, n, "verdict", ret, &err) >= 0;
}

static void settle_process(struct ftk__conform_run *r, struct ftk__outcome *o,
                           struct ftk__process *p, int status)
{
    char text[160];
    json_t *doc = NULL;
    o->ms = 1e3 * (ftk__process_now() - p->started);
    o->output = ftk__process_output(p);
    if (p->late) {
        ftk__format(text, sizeof(text), "no verdict within %.1f s", p->deadline - p->started);
        settle(r, o, FTK__TIMED_OUT, text, "");
    } else if (WIFSIGNALED(status)) {
        ftk__format(text, sizeof(text), "killed by signal %d (%s)", WTERMSIG(status),
                    strsignal(WTERMSIG(status)));
        settle(r, o, FTK__CRASHED, text, "");
    } else if (WEXITSTATUS(status) == FTK__EXIT_INTERNAL && o->output &&
               ftk__str_starts(o->output, "freetickets conform: ")) {
        r->broken++; /* ftk__kit_broken: the kit's own failure */
        settle(r, o, FTK__FAILED, o->output, "");
    } else if (!read_line(p, &doc)) {
        ftk__format(text, sizeof(text), "the process ended with status %d and no verdict",
                    WEXITSTATUS(status));
        settle(r, o, FTK__FAILED, text, "");
    } else {
        enum ftk__verdict v = verdict_of(ftk__json_string(doc, "verdict"));
        bool fine = v == FTK__PASS || v == FTK__SKIPPED || v == FTK__WARNED;
        if (v == FTK__VERDICTS || (fine && WEXITSTATUS(status) != 0)) {
            ftk__format(text, sizeof(text), "the process ended with status %d after its verdict",
                        WEXITSTATUS(status));
            settle(r, o, FTK__FAILED, text, "");
        } else {
            settle(r, o, v, ftk__json_string(doc, "message"), ftk__json_string(doc, "note"));
            o->fix = ftk__cause_fix(o->rule, ftk__json_string(doc, "cause"));
            if (v == FTK__CRASHED && o->output && ftk__cause_is_exception(o->output))
                o->fix = ftk__cause_fix(o->rule, FTK__CAUSE_EXCEPTION);
        }
    }
    json_decref(doc);
}

/* ---- schedule --------------------------------------------------------------------------------- */

static bool is_bad(enum ftk__verdict v)
{
    return v == FTK__FAILED || v == FTK__CRASHED || v == FTK__TIMED_OUT || v == FTK__BLOCKED;
}

enum need { NEED_MET, NEED_WAITS, NEED_BROKEN };

/* A rule's needs among those on the same algorithm and on the file. */
static enum need need_of(const struct ftk__conform_run *r, const struct ftk__outcome *o,
                         const char **ret_broken)
{
    enum need all = NEED_MET;
    const struct ftk__conform_file *f = &r->file[o->file];
    for (uint32_t i = f->first; i < f->first + f->n; i++) {
        const struct ftk__outcome *other = &r->outcome[i];
        if ((other->algo != o->algo && other->algo != FILE_ITSELF) || other == o ||
            !ftk__rule_needs(o->rule, other->rule->id))
            continue;
        if (other->verdict == FTK__VERDICTS)
            all = NEED_WAITS;
        else if (is_bad(other->verdict)) {
            *ret_broken = other->rule->id;
            return NEED_BROKEN;
        }
    }
    return all;
}

static const char *waived_why(const struct ftk__kit_options *o, const struct ftk__rule *rule)
{
    for (uint32_t i = 0; i < o->n_skip; i++)
        if (strcmp(o->skip[i].key, rule->id) == 0)
            return o->skip[i].value;
    return NULL;
}

struct slot {
    struct ftk__process p;
    struct ftk__outcome *o; /* NULL: free                                   */
};

static ftk_status start(struct ftk__conform_run *r, struct slot *s, struct ftk__outcome *o,
                        struct ftk_error *reterr)
{
    char spec[256];
    uint32_t ms = o->rule->timeout_ms ? o->rule->timeout_ms : DEFAULT_TIMEOUT_MS;
    double slower = SANITIZED ? 10 : 1;
    double timeout = r->timeout_s > 0 ? r->timeout_s : slower * ms / 1e3;
    bool backend = o->algo != FILE_ITSELF && r->file[o->file].bit[o->algo] == FTK__ON_BACKEND;
    uint64_t limit = backend || SANITIZED ? 0 : ADDRESS_SPACE;
    ftk__format(spec, sizeof(spec), "%s:%s:0:-1:3", o->rule->id, ftk__outcome_algo(r, o));
    s->o = o;
    ftk_status st =
        ftk__process_start(r->o, spec, r->file[o->file].real, timeout, limit, &s->p, reterr);
    if (st < 0)
        s->o = NULL;
    return st;
}

/* Settles what needs no process and fills the free slots; *ret_left: not started yet. */
static ftk_status fill_slots(struct ftk__conform_run *r, struct slot *slot, uint32_t n_slots,
                             bool *started, uint32_t *ret_left, struct ftk_error *reterr)
{
    uint32_t at = 0;
    *ret_left = 0;
    for (uint32_t i = 0; i < r->n; i++) {
        struct ftk__outcome *o = &r->outcome[i];
        const char *broken = "";
        char text[64];
        if (started[i])
            continue;
        while (at < n_slots && slot[at].o)
            at++;
        if (at == n_slots) { /* the rest has to wait whatever it needs */
            (*ret_left)++;
            return FTK_OK;
        }
        const char *why = waived_why(r->o, o->rule);
        enum need need = why ? NEED_MET : need_of(r, o, &broken);
        if (why || need == NEED_BROKEN) {
            ftk__format(text, sizeof(text), "%s did not pass", broken);
            settle(r, o, why ? FTK__WAIVED : FTK__BLOCKED, why ? why : text, "");
            started[i] = true;
            continue;
        }
        if (need == NEED_WAITS) {
            (*ret_left)++;
            continue;
        }
        ftk_status st = start(r, &slot[at], o, reterr);
        if (st < 0)
            return st;
        started[i] = true;
    }
    return FTK_OK;
}

/* Whoever left its group, and its parent has died: now a child of ours, as we asked to be told. */
static void end_orphans(const struct slot *slot, uint32_t n_slots)
{
    char path[64];
    int pid;
    ftk__format(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    FILE *f = fopen(path, "re");
    while (f && fscanf(f, "%d", &pid) == 1) {
        bool ours = false;
        for (uint32_t i = 0; i < n_slots; i++)
            ours = ours || (slot[i].o && slot[i].p.pid == pid);
        if (ours)
            continue;
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    if (f)
        fclose(f);
}

/* True while some process runs. */
static bool collect(struct ftk__conform_run *r, struct slot *slot, uint32_t n_slots)
{
    bool busy = false;
    for (uint32_t i = 0; i < n_slots; i++) {
        int status;
        if (!slot[i].o)
            continue;
        if (!ftk__process_poll(&slot[i].p, ftk__process_now(), &status)) {
            busy = true;
            continue;
        }
        settle_process(r, slot[i].o, &slot[i].p, status);
        ftk__process_done(&slot[i].p);
        slot[i].o = NULL;
        end_orphans(slot, n_slots);
    }
    return busy;
}

static ftk_status run_all(struct ftk__conform_run *r, struct ftk_error *reterr)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t n_slots = r->jobs > 0 ? r->jobs : (uint32_t)(processors > 0 ? processors : 1);
    n_slots = n_slots < MAX_JOBS ? n_slots : MAX_JOBS;
    struct slot *slot = ftk__alloc_array(n_slots, sizeof(*slot));
    bool *started = ftk__alloc_array(r->n, sizeof(*started));
    uint32_t left = r->n;
    bool busy = false;
    ftk_status st = slot && started ? FTK_OK : no_memory(reterr);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    while (st >= 0 && (left > 0 || busy)) {
        st = fill_slots(r, slot, n_slots, started, &left, reterr);
        busy = collect(r, slot, n_slots);
        if (busy)
            wait_a_little();
    }
    for (uint32_t i = 0; slot && i < n_slots; i++)
        if (slot[i].o)
            ftk__process_done(&slot[i].p);
    ftk__free(slot);
    ftk__free(started);
    return st;
}

/* The loader may refuse a file that broke no rule: then that is what ABI-01 saw. */
static void blame(struct ftk__conform_run *r, uint32_t file)
{
    const struct ftk__conform_file *f = &r->file[file];
    struct ftk__outcome *o = NULL;
    if (!f->reason)
        return;
    for (uint32_t i = f->first; i < f->first + f->n; i++) {
        if (is_bad(r->outcome[i].verdict))
            return;
        if (strcmp(r->outcome[i].rule->id, "ABI-01") == 0)
            o = &r->outcome[i];
    }
    if (!o || o->verdict == FTK__WAIVED)
        return;
    ftk__free(o->message);
    ftk__free(o->note);
    r->count[o->verdict]--;
    settle(r, o, FTK__FAILED, f->reason, "");
    if (f->refused)
        o->fix = ftk__cause_fix(o->rule, FTK__CAUSE_DESCRIPTOR);
}

ftk_status ftk__conform(struct ftk__conform_run *r, const char *const *path, uint32_t n,
                        struct ftk_error *reterr)
{
    r->file = ftk__alloc_array(n, sizeof(*r->file));
    if (!r->file)
        return no_memory(reterr);
    r->n_files = n;
    ftk_status st = FTK_OK;
    for (uint32_t i = 0; i < n && st >= 0; i++) {
        r->file[i].path = path[i];
        r->file[i].first = r->n;
        r->file[i].real = ftk__path_real(path[i]); /* NULL where there is none */
        if (!r->file[i].real)
            r->file[i].real = ftk__strdup(path[i]);
        if (!r->file[i].real)
            return no_memory(reterr);
        st = census(r, &r->file[i], reterr);
        if (st >= 0)
            st = list_outcomes(r, i, FILE_ITSELF, reterr);
        for (uint32_t a = 0; a < r->file[i].n_algos && st >= 0; a++)
            if (!r->algo || strcmp(r->algo, r->file[i].algo[a]) == 0)
                st = list_outcomes(r, i, a, reterr);
        r->file[i].n = r->n - r->file[i].first;
    }
    if (st >= 0 && r->n == 0)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE, "no rule is left to run: %s",
                              r->o->only ? r->o->only : "--algo names none of the file's");
    if (st >= 0)
        st = run_all(r, reterr);
    for (uint32_t i = 0; i < n && st >= 0; i++)
        blame(r, i);
    return st;
}

void ftk__conform_done(struct ftk__conform_run *r)
{
    for (uint32_t i = 0; i < r->n; i++) {
        ftk__free(r->outcome[i].message);
        ftk__free(r->outcome[i].note);
        ftk__free(r->outcome[i].output);
    }
    for (uint32_t i = 0; r->file && i < r->n_files; i++) {
        for (uint32_t a = 0; a < r->file[i].n_algos; a++)
            ftk__free(r->file[i].algo[a]);
        ftk__free(r->file[i].algo);
        ftk__free(r->file[i].bit);
        ftk__free(r->file[i].stamp);
        ftk__free(r->file[i].real);
        ftk__free(r->file[i].reason);
    }
    ftk__free(r->file);
    ftk__free(r->outcome);
    *r = (struct ftk__conform_run){ 0 };
}
