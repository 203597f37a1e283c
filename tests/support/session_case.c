/* SPDX-License-Identifier: MIT
 * session_case.c - trainings in folders, unit by unit.
 */
#include "session_case.h"
#include "base/io.h"
#include "base/json.h"
#include "cli/evaluate.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char text[] =
    "schema = 1; name = \"tiny\"; seed = 5; epochs = 1.0;\n"
    "data = { use = \"synthetic\"; shape = [1, 8, 8]; classes = 4; train = 128; test = 16;\n"
    "         batch = 16; validation = 32; augment = \"standard\"; };\n"
    "model = { use = \"mlp\"; widths = [12]; };\n"
    "sparsity = { density = 0.3; };\n"
    "topology = { interval = \"2it\"; };\n"
    "ensemble = { use = \"edst\"; members = 2; explore = \"0.7ep\"; refine = \"0.7ep\"; };\n"
    "backend = { use = \"cpu\"; threads = 1; };\n";

void session_case_open(struct session_case *c, const char *const *set)
{
    struct ftk__options o = { 0 };
    struct ftk__issues issues = { 0 };
    const char *plugins = getenv("FTK_TEST_PLUGINS");
    const char *all[32];
    memset(c, 0, sizeof(*c));
    ftk__json_setup();
    assert_non_null(plugins);
    setenv("FREETICKETS_PLUGIN_PATH", plugins, 1);
    for (; set && set[o.n_set]; o.n_set++)
        all[o.n_set] = set[o.n_set];
    o.set = all;
    if (ftk__prepare_text("tiny.cfg", text, &o, &issues, &c->p, &c->err) < 0)
        fail_msg("%s %s", c->err.message, issues.n ? issues.v[0].message : "");
    ftk__issues_done(&issues);
    assert_int_equal(ftk__dataset_open(&c->p.request, &c->data, NULL), FTK_OK);
    assert_int_equal(ftk__run_engine(&c->p, &c->engine, NULL), FTK_OK);
}

void session_case_close(struct session_case *c)
{
    ftk__engine_close(&c->engine);
    ftk__dataset_close(c->data);
    ftk__prepared_done(&c->p);
}

void session_case_backend(struct session_case *c, const char *use, uint32_t threads)
{
    const ftk_open open = { .size = sizeof(open), .threads = threads, .isa = "auto" };
    struct ftk__arena *arena = &c->p.x->arena;
    ftk__engine_close(&c->engine);
    if (ftk__engine_open(c->p.registry, use, NULL, &open, arena, &c->engine, &c->err) < 0)
        fail_msg("%s", c->err.message);
}

const char *session_case_path(const char *dir, const char *name)
{
    static char paths[64][SESSION_PATH]; /* more than any test holds at once */
    static unsigned at;
    char *path = paths[at++ % 64];
    int n = snprintf(path, SESSION_PATH, "%s/%s", dir, name);
    assert_in_range(n, 1, SESSION_PATH - 1);
    return path;
}

ftk_status session_case_train(struct session_case *c, const char *dir, bool resume,
                              const struct ftk__checkpoints *how, struct ftk__train_report *ret)
{
    char checkpoints[SESSION_PATH + 16];
    struct ftk__ftc_file f = { .fd = -1 };
    struct ftk__str note = { 0 };
    struct ftk__trainer tr = {
        .x = c->p.x,
        .model = c->p.model,
        .data = c->data,
        .engine = &c->engine,
        .run_dir = dir,
        .checkpoints = *how,
    };
    (void)snprintf(checkpoints, sizeof(checkpoints), "%s/checkpoint", dir);
    ftk_status st = ftk__mkdirs(dir, &c->err);
    if (st >= 0 && resume)
        st = ftk__checkpoint_find(checkpoints, &f, &note, &c->err);
    if (how->dir)
        tr.checkpoints.dir = checkpoints;
    tr.checkpoints.from = resume ? &f : NULL;
    if (st >= 0)
        st = ftk__train(&tr, ret, &c->err);
    ftk__str_done(&note);
    ftk__ftc_close(&f);
    return st;
}

void session_case_whole(struct session_case *c, const char *dir, bool resume)
{
    const struct ftk__checkpoints none = { 0 };
    struct ftk__train_report report;
    ftk_status st = session_case_train(c, dir, resume, &none, &report);
    if (st != FTK_OK)
        fail_msg("%s: %d %s", dir, (int)st, c->err.message);
    ftk__train_report_done(&report);
}

bool session_case_unit(struct session_case *c, const char *dir, bool resume)
{
    static const volatile sig_atomic_t stop = 1;
    const struct ftk__checkpoints how = { .dir = "", .interval_s = 1e9, .stop = &stop };
    struct ftk__train_report report;
    ftk_status st = session_case_train(c, dir, resume, &how, &report);
    if (st < 0)
        fail_msg("%s: %s%s%s", dir, c->err.message, c->err.n_context ? ", " : "",
                 c->err.n_context ? c->err.context[0] : "");
    if (st == FTK_DONE && report.checkpoints.count != 1)
        fail_msg("%s: stopped with %d checkpoints", dir, (int)report.checkpoints.count);
    ftk__train_report_done(&report);
    return st == FTK_DONE;
}

static void shell(const char *what, const char *a, const char *b)
{
    char command[3 * SESSION_PATH];
    int n = snprintf(command, sizeof(command), "%s '%s' '%s'", what, a, b);
    assert_in_range(n, 1, sizeof(command) - 1);
    if (system(command) != 0)
        fail_msg("%s", command);
}

void session_case_same(const char *a, const char *b)
{
    static const char *const names[] = { "members", "metrics.csv", "metrics.jsonl", "trajectory" };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (ftk__file_exists(session_case_path(a, names[i])))
            shell("diff -r", session_case_path(a, names[i]), session_case_path(b, names[i]));
    }
    assert_true(ftk__file_exists(session_case_path(a, "metrics.csv")));
    assert_true(ftk__file_exists(session_case_path(a, "members/member-0.safetensors")));
}

void session_case_copy(const char *from, const char *to)
{
    shell("cp -r", from, to);
}
