/* SPDX-License-Identifier: MIT
 * cli/verify_resume.c - two trainings in child processes, one of them interrupted.
 */
#include "cli/verify_resume.h"

#include "base/io.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/rng.h"
#include "cli/commands.h"
#include "cli/run_compare.h"
#include "cli/run_folder.h"
#include "cli/stop_signal.h"
#include "train/session.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Moments lie between these shares of the whole run's time; checkpoints come 50 times in it, unless
 * the user says how often. */
static const double first_moment = 0.05, last_moment = 0.85, checkpoints_a_run = 50;

enum { POLL_NS = 5 * 1000 * 1000 };

struct verification {
    const struct ftk__prepared *p;
    const struct ftk__options *o;
    char *dir, *whole, *broken, *words; /* folder; the two runs; what the second said */
    double whole_s, broken_s;
    char every[32];   /* --checkpoint-every of the interrupted run */
    double *moment;   // [n] ascending, seconds
    uint64_t n, fell; /* interruptions asked for, and that came before the end */
};

static ftk_status no_memory(struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "no memory to verify a resumption");
}

/* ---- children -------------------------------------------------------------------------------- */

/* [..] ends with NULL; what it points to is borrowed. */
static const char **arguments(const struct verification *v, bool interrupted)
{
    const struct ftk__options *o = v->o;
    uint64_t k = 0;
    const char **a = ftk__alloc_array(2 * o->n_set + 16, sizeof(*a));
    if (!a)
        return NULL;
    a[k++] = "freetickets";
    a[k++] = "run";
    a[k++] = o->args[0];
    a[k++] = "--out";
    a[k++] = interrupted ? v->broken : v->whole;
    for (uint64_t i = 0; i < o->n_set; i++) {
        a[k++] = "-s";
        a[k++] = o->set[i];
    }
    if (interrupted) {
        a[k++] = "--checkpoint-every";
        a[k++] = v->every;
    }
    if (interrupted || o->quiet)
        a[k++] = "--quiet";
    if (o->verbose)
        a[k++] = "--verbose";
    return a;
}

/* Its table goes nowhere; what the interrupted ones say, to a file. */
static ftk_status start(const struct verification *v, bool interrupted, pid_t *ret,
                        struct ftk_error *reterr)
{
    posix_spawn_file_actions_t files;
    const char **a = arguments(v, interrupted);
    if (!a)
        return no_memory(reterr);
    int failed = posix_spawn_file_actions_init(&files);
    if (failed) {
        ftk__free((void *)a);
        return no_memory(reterr);
    }
    failed = posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (!failed && interrupted)
        failed = posix_spawn_file_actions_addopen(&files, STDERR_FILENO, v->words,
                                                  O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (!failed)
        failed =
            posix_spawn(ret, "/proc/self/exe", &files, NULL, (char *const *)(uintptr_t)a, environ);
    posix_spawn_file_actions_destroy(&files);
    ftk__free((void *)a);
    return failed ? ftk__fail(reterr, FTK_EINTERNAL, "cannot start a process to train: %s",
                              strerror(failed))
                  : FTK_OK;
}

/* Waits for the child, or until `limit` seconds went by (below 0: no limit) and then sends `number`
 * and waits on.  *ret_status as by waitpid. */
static ftk_status wait_for(pid_t pid, double limit, int number, int *ret_status,
                           struct ftk_error *reterr)
{
    const struct timespec nap = { .tv_nsec = POLL_NS };
    double from = ftk__now();
    bool sent = limit < 0;
    for (;;) {
        pid_t got = waitpid(pid, ret_status, WNOHANG);
        if (got == pid)
            return FTK_OK;
        if (got < 0 && errno != EINTR)
            return ftk__fail(reterr, FTK_EINTERNAL, "cannot wait for process %ld: %s", (long)pid,
                             strerror(errno));
        if (ftk__stop_asked()) {
            kill(pid, SIGKILL);
            waitpid(pid, ret_status, 0);
            return ftk__fail_exit(reterr, FTK_EIO, FTK__EXIT_INTERRUPTED,
                                  "the verification was interrupted, and cannot be continued");
        }
        if (!sent && ftk__now() - from >= limit) {
            kill(pid, number);
            sent = true;
        }
        nanosleep(&nap, NULL);
    }
}

static ftk_status failed_child(const struct verification *v, bool interrupted, int status,
                               struct ftk_error *reterr)
{
    if (WIFSIGNALED(status))
        ftk__fail_exit(reterr, FTK_EINTERNAL, FTK__EXIT_INTERNAL,
                       "the %s run was ended by signal %d", interrupted ? "interrupted" : "whole",
                       WTERMSIG(status));
    else
        ftk__fail_exit(reterr, FTK_EINTERNAL, (enum ftk__exit)WEXITSTATUS(status),
                       "the %s run ended with status %d", interrupted ? "interrupted" : "whole",
                       WEXITSTATUS(status));
    if (interrupted)
        ftk__error_context(reterr, "what it said is in %s", v->words);
    return FTK_EINTERNAL;
}

/* ---- the two runs ---------------------------------------------------------------------------- */

static ftk_status run_whole(struct verification *v, struct ftk_error *reterr)
{
    pid_t pid;
    int status = 0;
    double from = ftk__now();
    ftk_status st = start(v, false, &pid, reterr);
    if (st >= 0)
        st = wait_for(pid, -1, 0, &status, reterr);
    v->whole_s = ftk__now() - from;
    if (st >= 0 && status != 0)
        st = failed_child(v, false, status, reterr);
    return st;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static ftk_status draw_moments(struct verification *v, struct ftk_error *reterr)
{
    ftk_rng rng = ftk__rng_stream((uint64_t)v->p->x->seed, FTK__FOR_INTERRUPTIONS, 0, 0, 0);
    v->moment = ftk__alloc_array(v->n, sizeof(*v->moment));
    if (!v->moment)
        return no_memory(reterr);
    for (uint64_t i = 0; i < v->n; i++)
        v->moment[i] =
            v->whole_s * (first_moment + (last_moment - first_moment) * ftk__rng_uniform(&rng));
    qsort(v->moment, v->n, sizeof(*v->moment), ascending);
    if (v->o->checkpoint_every)
        ftk__format(v->every, sizeof(v->every), "%s", v->o->checkpoint_every);
    else
        ftk__format(v->every, sizeof(v->every), "%.3fs", v->whole_s / checkpoints_a_run);
    return FTK_OK;
}

static int signal_of(uint64_t i)
{
    return i % 2 ? SIGTERM : SIGKILL;
}

/* The i-th process of the interrupted run: the last one, i = n, runs to the end. */
static ftk_status run_piece(struct verification *v, uint64_t i, bool *ret_ended,
                            struct ftk_error *reterr)
{
    pid_t pid;
    int status = 0;
    int number = i < v->n ? signal_of(i) : 0;
    double length = i < v->n ? v->moment[i] - (i > 0 ? v->moment[i - 1] : 0) : -1;
    ftk_status st = start(v, true, &pid, reterr);
    if (st >= 0)
        st = wait_for(pid, length, number, &status, reterr);
    if (st < 0)
        return st;
    *ret_ended = status == 0;
    if (status == 0)
        return FTK_OK;
    bool as_asked = number == SIGKILL
                        ? WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL
                        : WIFEXITED(status) && WEXITSTATUS(status) == FTK__EXIT_STOPPED;
    /* A SIGTERM before the handler is there ends a process as any other. */
    as_asked |= number == SIGTERM && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
    if (!as_asked || i == v->n)
        return failed_child(v, true, status, reterr);
    v->fell++;
    if (!v->o->quiet)
        printf("interrupted  by %s %.2f s after its start\n",
               number == SIGKILL ? "SIGKILL" : "SIGTERM", length);
    fflush(stdout);
    return FTK_OK;
}

static ftk_status run_interrupted(struct verification *v, struct ftk_error *reterr)
{
    double from = ftk__now();
    bool ended = false;
    ftk_status st = FTK_OK;
    for (uint64_t i = 0; i <= v->n && st >= 0 && !ended; i++)
        st = run_piece(v, i, &ended, reterr);
    v->broken_s = ftk__now() - from;
    if (st >= 0 && v->fell == 0)
        st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_FAILED,
                            "the run ended before the first interruption: nothing is proved");
    return st;
}

/* ---- what came of it ------------------------------------------------------------------------- */

static void print_steps(const struct verification *v)
{
    json_t *manifest = NULL;
    if (ftk__manifest_read(v->broken, &manifest, NULL) < 0)
        return;
    const json_t *list = json_object_get(manifest, "resumptions");
    printf("went on      from step");
    for (size_t i = 0; i < json_array_size(list); i++)
        printf("%s %lld", i ? "," : "",
               (long long)json_integer_value(json_object_get(json_array_get(list, i), "step")));
    printf(" of %llu\n", (unsigned long long)v->p->ops.total_steps);
    json_decref(manifest);
}

static ftk_status compare(const struct verification *v, int *ret_code, struct ftk_error *reterr)
{
    struct ftk__run_comparison sum;
    struct ftk__str differences = { 0 };
    ftk_status st = ftk__runs_compare(v->whole, v->broken, &sum, &differences, reterr);
    if (st >= 0) {
        print_steps(v);
        printf("seconds      %.1f whole, %.1f in %llu pieces, checkpoints every %s\n", v->whole_s,
               v->broken_s, (unsigned long long)v->fell + 1, v->every);
        printf("compared     members, masks, predictions, metrics: %llu files, %llu bytes\n",
               (unsigned long long)sum.files, (unsigned long long)sum.bytes);
        if (sum.differences)
            printf("DIFFERENT    %llu files; both runs are kept in %s\n%s",
                   (unsigned long long)sum.differences, v->dir, differences.text);
        else
            printf("the same     every byte\n");
        *ret_code = sum.differences ? FTK__EXIT_FAILED : FTK__EXIT_OK;
    }
    ftk__str_done(&differences);
    return st;
}

static ftk_status make_folders(struct verification *v, struct ftk_error *reterr)
{
    char *beside = v->o->out ? ftk__path_dir(v->o->out) : ftk__strdup(v->p->x->output);
    ftk_status st = beside ? ftk__mkdirs(beside, reterr) : no_memory(reterr);
    if (st >= 0) {
        v->dir = ftk__path_join(beside, "verify-XXXXXX");
        if (!v->dir)
            st = no_memory(reterr);
        else if (!mkdtemp(v->dir))
            st = ftk__fail(reterr, FTK_EIO, "cannot make a folder in %s: %s", beside,
                           strerror(errno));
    }
    ftk__free(beside);
    if (st < 0) {
        v->dir = ftk__free(v->dir); /* it was not made */
        return st;
    }
    v->whole = ftk__path_join(v->dir, "whole");
    v->broken = ftk__path_join(v->dir, "interrupted");
    v->words = ftk__path_join(v->dir, "interrupted.txt");
    return v->whole && v->broken && v->words ? FTK_OK : no_memory(reterr);
}

int ftk__verify_resume(const struct ftk__prepared *p, const struct ftk__options *o, uint64_t n)
{
    struct verification v = { .p = p, .o = o, .n = n };
    struct ftk_error err = { 0 };
    int code = FTK__EXIT_OK;
    ftk_status st = make_folders(&v, &err);
    if (st >= 0)
        st = run_whole(&v, &err);
    if (st >= 0)
        st = draw_moments(&v, &err);
    if (st >= 0)
        st = run_interrupted(&v, &err);
    if (st >= 0)
        st = compare(&v, &code, &err);
    bool keep = code != FTK__EXIT_OK || (st < 0 && err.exit_code != FTK__EXIT_INTERRUPTED);
    if (v.dir && !keep)
        ftk__remove_tree(v.dir);
    if (st < 0) {
        if (v.dir && keep)
            ftk__error_context(&err, "the folder %s is kept", v.dir);
        code = ftk__cli_fail(&err);
    }
    ftk__free(v.moment);
    ftk__free(v.dir);
    ftk__free(v.whole);
    ftk__free(v.broken);
    ftk__free(v.words);
    return code;
}
