/* SPDX-License-Identifier: MIT
 * test_params.c - the parameter engine: filling, printing back, identity, durations.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "oom.h"
#include "plugin/params.h"
#include "scratch_dir.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct all {
    double rate;
    int64_t bins, wide;
    int32_t on, mode;
    const char *note, *file;
    ftk_duration wait;
    ftk_f64s weights;
    ftk_durations marks;
};

static const char *const modes[] = { "paper", "rigl", "itop", NULL };
static const ftk_param all_params[] = {
    FTK_PARAM_F64(struct all, rate, 0.5, 0, 1, "fraction", "share of weights"),
    FTK_PARAM_I64(struct all, bins, 15, 1, 64, "", "number of bins"),
    FTK_PARAM_I64(struct all, wide, 0, -9007199254740992.0, 9007199254740992.0, "", "any number"),
    FTK_PARAM_BOOL(struct all, on, 1, "whether it is on"),
    FTK_PARAM_ENUM(struct all, mode, 1, modes, "how it is done"),
    FTK_PARAM_STR(struct all, note, "none", 0, "a remark"),
    FTK_PARAM_STR(struct all, file, "", FTK_PF_PATH, "a file"),
    FTK_PARAM_DURATION(struct all, wait, "12.5ep", 0, 1e6, "how long"),
    FTK_PARAM_F64S(struct all, weights, "0.25 1", 0, 1, "", "one for each"),
    FTK_PARAM_DURATIONS(struct all, marks, "0.5 0.75", 0, 1e6, "when"),
    FTK_PARAM_END,
};
static const struct ftk__param_table all_table = { all_params, sizeof(ftk_param),
                                                   sizeof(struct all) };

/* Groups of settings, made by hand. */
enum { MAX_CHILDREN = 12 };
struct group {
    struct ftk__setting self;
    struct ftk__setting v[MAX_CHILDREN];
    const struct ftk__setting *child[MAX_CHILDREN];
    uint64_t n;
};

static struct ftk__setting *add(struct group *g, const char *name, enum ftk__setting_type type)
{
    assert_true(g->n < MAX_CHILDREN);
    struct ftk__setting *s = &g->v[g->n];
    *s = (struct ftk__setting){
        .type = type, .name = name, .file = "dir/a.cfg", .line = (unsigned)g->n + 2
    };
    g->child[g->n] = s;
    g->n++;
    g->self = (struct ftk__setting){
        .type = FTK__SET_GROUP, .name = "prune", .file = "dir/a.cfg", .line = 1, .n = g->n
    };
    g->self.child = (struct ftk__setting *const *)(void *)g->child;
    return s;
}

static void add_bool(struct group *g, const char *name, bool v)
{
    add(g, name, FTK__SET_BOOL)->b = v;
}

static void add_int(struct group *g, const char *name, int64_t v)
{
    struct ftk__setting *s = add(g, name, FTK__SET_INT);
    s->i = v;
    s->f = (double)v;
}

static void add_float(struct group *g, const char *name, double v)
{
    add(g, name, FTK__SET_FLOAT)->f = v;
}

static void add_string(struct group *g, const char *name, const char *v)
{
    add(g, name, FTK__SET_STRING)->s = v;
}

static void add_list(struct group *g, const char *name, const struct group *entries)
{
    struct ftk__setting *s = add(g, name, FTK__SET_ARRAY);
    s->child = (struct ftk__setting *const *)(void *)entries->child;
    s->n = entries->n;
}

struct filled {
    struct all values;
    struct ftk__arena arena;
    struct ftk__issues issues;
};

static void fill_with(struct filled *f, const struct ftk__setting *s)
{
    static const char *const skip[] = { "use", "members", NULL };
    *f = (struct filled){ 0 };
    ftk__params_fill(&all_table, s, skip, "topology.prune", &f->arena, &f->values, &f->issues);
    assert_false(f->issues.failed);
}

static void done(struct filled *f)
{
    ftk__issues_done(&f->issues);
    ftk__arena_done(&f->arena);
}

static void expect_issue(const struct filled *f, uint64_t i, const char *path, unsigned line,
                         const char *message, const char *limit, const char *nearest)
{
    assert_true(i < f->issues.n);
    const struct ftk__issue *is = &f->issues.v[i];
    assert_string_equal(is->path, path);
    assert_int_equal(is->line, line);
    assert_string_equal(is->message, message);
    if (limit)
        assert_string_equal(is->limit, limit);
    else
        assert_null(is->limit);
    if (nearest)
        assert_string_equal(is->nearest, nearest);
    else
        assert_null(is->nearest);
}

static void expect_no_issue(const struct filled *f)
{
    for (uint64_t i = 0; i < f->issues.n; i++)
        print_error("%s: %s\n", f->issues.v[i].path, f->issues.v[i].message);
    assert_int_equal(f->issues.n, 0);
}

static void test_defaults(void **state)
{
    (void)state;
    struct filled f;
    fill_with(&f, NULL);
    expect_no_issue(&f);
    assert_true(f.values.rate == 0.5);
    assert_int_equal(f.values.bins, 15);
    assert_int_equal(f.values.on, 1);
    assert_int_equal(f.values.mode, 1);
    assert_string_equal(f.values.note, "none");
    assert_string_equal(f.values.file, "");
    assert_true(f.values.wait.value == 12.5);
    assert_int_equal(f.values.wait.unit, FTK_UNIT_EPOCH);
    assert_int_equal(f.values.weights.n, 2);
    assert_true(f.values.weights.v[0] == 0.25 && f.values.weights.v[1] == 1);
    assert_int_equal(f.values.marks.n, 2);
    assert_true(f.values.marks.v[1].value == 0.75);
    assert_int_equal(f.values.marks.v[1].unit, FTK_UNIT_TRAIN);
    done(&f);
}

static void test_values(void **state)
{
    (void)state;
    struct group g = { 0 }, weights = { 0 }, marks = { 0 };
    add_float(&weights, NULL, 0.5);
    add_int(&weights, NULL, 1);
    add_string(&marks, NULL, "125ep");
    add_float(&marks, NULL, 0.75);
    add_string(&marks, NULL, "9000it");
    add_string(&g, "use", "x"); /* the core's, not the table's                    */
    add_int(&g, "rate", 1);     /* an integer for a float                         */
    add_int(&g, "bins", 64);
    add_int(&g, "wide", 9007199254740992);
    add_bool(&g, "on", false);
    add_string(&g, "mode", "itop");
    add_string(&g, "note", "said");
    add_string(&g, "wait", "0.75x");
    add_list(&g, "weights", &weights);
    add_list(&g, "marks", &marks);
    struct filled f;
    fill_with(&f, &g.self);
    expect_no_issue(&f);
    assert_true(f.values.rate == 1);
    assert_int_equal(f.values.bins, 64);
    assert_true(f.values.wide == 9007199254740992);
    assert_int_equal(f.values.on, 0);
    assert_int_equal(f.values.mode, 2);
    assert_string_equal(f.values.note, "said");
    assert_ptr_not_equal(f.values.note, g.v[6].s); /* a copy                       */
    assert_int_equal(f.values.wait.unit, FTK_UNIT_RUN);
    assert_int_equal(f.values.weights.n, 2);
    assert_true(f.values.weights.v[1] == 1);
    assert_int_equal(f.values.marks.n, 3);
    assert_int_equal(f.values.marks.v[0].unit, FTK_UNIT_EPOCH);
    assert_int_equal(f.values.marks.v[1].unit, FTK_UNIT_TRAIN);
    assert_int_equal(f.values.marks.v[2].unit, FTK_UNIT_STEP);
    assert_true(f.values.marks.v[2].value == 9000);
    done(&f);
}

/* One value where a list is wanted, and lists of none. */
static void test_short_lists(void **state)
{
    (void)state;
    struct group g = { 0 }, none = { 0 };
    add_int(&g, "weights", 1);
    add_string(&g, "marks", "3ep");
    struct filled f;
    fill_with(&f, &g.self);
    expect_no_issue(&f);
    assert_int_equal(f.values.weights.n, 1);
    assert_true(f.values.weights.v[0] == 1);
    assert_int_equal(f.values.marks.n, 1);
    assert_int_equal(f.values.marks.v[0].unit, FTK_UNIT_EPOCH);
    done(&f);
    struct group h = { 0 };
    add_list(&h, "weights", &none);
    add_list(&h, "marks", &none);
    fill_with(&f, &h.self);
    expect_no_issue(&f);
    assert_int_equal(f.values.weights.n, 0);
    assert_int_equal(f.values.marks.n, 0);
    done(&f);
}

/* All mistakes of a group at once; what is wrong keeps its default. */
static void test_ranges(void **state)
{
    (void)state;
    struct group g = { 0 }, weights = { 0 };
    add_float(&weights, NULL, 0.5);
    add_float(&weights, NULL, 1.5);
    add_float(&g, "rate", 1.5);
    add_int(&g, "bins", 0);
    add_int(&g, "wide", 9007199254740993); /* as a double it would be 2^53          */
    add_string(&g, "mode", "itp");
    add_string(&g, "wait", "-1ep");
    add_list(&g, "weights", &weights);
    add_float(&g, "marks", INFINITY);
    struct filled f;
    fill_with(&f, &g.self);
    assert_int_equal(f.issues.n, 7);
    expect_issue(&f, 0, "topology.prune.rate", 2, "rate = 1.5", "0 to 1", NULL);
    expect_issue(&f, 1, "topology.prune.bins", 3, "bins = 0", "1 to 64", NULL);
    expect_issue(&f, 2, "topology.prune.wide", 4, "wide = 9007199254740993",
                 "-9007199254740992 to 9007199254740992", NULL);
    expect_issue(&f, 3, "topology.prune.mode", 5, "mode = \"itp\"", "paper, rigl or itop", "itop");
    expect_issue(&f, 4, "topology.prune.wait", 6, "wait = \"-1ep\"", "0 to 1e+06", NULL);
    expect_issue(&f, 5, "topology.prune.weights", 3, "weights[1] = 1.5", "0 to 1", NULL);
    expect_issue(&f, 6, "topology.prune.marks", 8, "marks = inf", "a finite number", NULL);
    assert_string_equal(f.issues.v[0].file, "dir/a.cfg");
    assert_true(f.values.rate == 0.5);
    assert_int_equal(f.values.weights.n, 2);
    assert_int_equal(f.values.marks.n, 2);
    done(&f);
}

static void test_types(void **state)
{
    (void)state;
    struct group g = { 0 }, inner = { 0 };
    add_string(&g, "rate", "high");
    add_float(&g, "bins", 2.0);
    add_int(&g, "on", 1);
    add_int(&g, "mode", 1);
    add_bool(&g, "note", true);
    add_int(&g, "wait", 12); /* a length needs its unit                        */
    add_list(&g, "wide", &inner);
    add_string(&g, "weights", "1");
    add_string(&g, "marks", "12.5 ep");
    struct filled f;
    fill_with(&f, &g.self);
    assert_int_equal(f.issues.n, 9);
    expect_issue(&f, 0, "topology.prune.rate", 2, "rate = \"high\" is a string", "a number, 0 to 1",
                 NULL);
    expect_issue(&f, 1, "topology.prune.bins", 3, "bins = 2.0 is a number",
                 "a whole number, 1 to 64", NULL);
    expect_issue(&f, 2, "topology.prune.wide", 8, "wide is an array",
                 "a whole number, -9007199254740992 to 9007199254740992", NULL);
    expect_issue(&f, 3, "topology.prune.on", 4, "on = 1 is an integer", "true or false", NULL);
    expect_issue(&f, 4, "topology.prune.mode", 5, "mode = 1 is an integer", "paper, rigl or itop",
                 NULL);
    expect_issue(&f, 5, "topology.prune.note", 6, "note = true is a boolean", "a string", NULL);
    expect_issue(&f, 6, "topology.prune.wait", 7, "wait = 12 is an integer",
                 "a duration such as \"250ep\", \"1000it\" or \"0.75x\", 0 to 1e+06", NULL);
    expect_issue(&f, 7, "topology.prune.weights", 9, "weights = \"1\" is a string",
                 "numbers, each 0 to 1", NULL);
    expect_issue(&f, 8, "topology.prune.marks", 10, "marks = \"12.5 ep\"",
                 "a number and ep, it or x, as in \"12.5ep\"", NULL);
    done(&f);
}

static void test_unknown_keys(void **state)
{
    (void)state;
    struct group g = { 0 };
    add_float(&g, "rat", 0.5);
    add_int(&g, "member", 3); /* the nearest name may be the core's             */
    add_int(&g, "something", 3);
    struct filled f;
    fill_with(&f, &g.self);
    assert_int_equal(f.issues.n, 3);
    expect_issue(&f, 0, "topology.prune.rat", 2, "unknown key 'rat'", NULL, "rate");
    expect_issue(&f, 1, "topology.prune.member", 3, "unknown key 'member'", NULL, "members");
    expect_issue(&f, 2, "topology.prune.something", 4, "unknown key 'something'", NULL, NULL);
    done(&f);
}

static void test_no_group(void **state)
{
    (void)state;
    struct group g = { 0 };
    add_string(&g, "prune", "magnitude");
    struct filled f;
    fill_with(&f, &g.v[0]);
    assert_int_equal(f.issues.n, 1);
    expect_issue(&f, 0, "topology.prune", 2, "topology.prune is a string", "a group", NULL);
    assert_true(f.values.rate == 0.5);
    done(&f);
}

struct edge {
    double low, high;
    int64_t whole;
    const char *must;
};
static const ftk_param edge_params[] = {
    { .name = "low",
      .help = "h",
      .unit = "",
      .def = 0.5,
      .min = 0,
      .max = 1,
      .type = FTK_P_F64,
      .flags = FTK_PF_OPEN_MIN,
      .offset = offsetof(struct edge, low) },
    { .name = "high",
      .help = "h",
      .unit = "",
      .def = 0.5,
      .min = 0,
      .max = 1,
      .type = FTK_P_F64,
      .flags = FTK_PF_OPEN_MAX,
      .offset = offsetof(struct edge, high) },
    { .name = "whole",
      .help = "h",
      .unit = "",
      .def = 2,
      .min = 1,
      .max = 3,
      .type = FTK_P_I64,
      .flags = FTK_PF_OPEN_MIN | FTK_PF_OPEN_MAX,
      .offset = offsetof(struct edge, whole) },
    { .name = "must",
      .help = "h",
      .unit = "",
      .type = FTK_P_STR,
      .flags = FTK_PF_REQUIRED,
      .offset = offsetof(struct edge, must) },
    FTK_PARAM_END,
};
static const struct ftk__param_table edge_table = { edge_params, sizeof(ftk_param),
                                                    sizeof(struct edge) };

static void test_open_bounds(void **state)
{
    (void)state;
    struct ftk_error err;
    assert_int_equal(ftk__params_check(&edge_table, &err), FTK_OK);
    struct group g = { 0 };
    add_float(&g, "low", 0);
    add_float(&g, "high", 1);
    add_int(&g, "whole", 1);
    struct filled f = { 0 };
    struct edge e = { 0 };
    ftk__params_fill(&edge_table, &g.self, NULL, "", &f.arena, &e, &f.issues);
    assert_int_equal(f.issues.n, 4);
    expect_issue(&f, 0, "low", 2, "low = 0.0", "above 0, at most 1", NULL);
    expect_issue(&f, 1, "high", 3, "high = 1.0", "at least 0, below 1", NULL);
    expect_issue(&f, 2, "whole", 4, "whole = 1", "above 1, below 3", NULL);
    expect_issue(&f, 3, "must", 1, "must is missing", "a string", NULL);
    assert_string_equal(e.must, "");
    done(&f);
    struct group h = { 0 };
    add_float(&h, "low", 1);
    add_float(&h, "high", 0);
    add_string(&h, "must", "given");
    f = (struct filled){ 0 };
    ftk__params_fill(&edge_table, &h.self, NULL, "", &f.arena, &e, &f.issues);
    expect_no_issue(&f);
    assert_true(e.low == 1 && e.high == 0);
    assert_string_equal(e.must, "given");
    done(&f);
}

/* Relative to the file that names it, and absolute, so that it means the same elsewhere. */
static void test_paths(void **state)
{
    (void)state;
    char here[3000], wanted[3100];
    assert_non_null(getcwd(here, sizeof(here)));
    struct group g = { 0 };
    add_string(&g, "file", "masks.bin");
    struct filled f;
    fill_with(&f, &g.self);
    snprintf(wanted, sizeof(wanted), "%s/dir/masks.bin", here);
    assert_string_equal(f.values.file, wanted);
    done(&f);
    g.v[0].s = "/abs/masks.bin";
    fill_with(&f, &g.self);
    assert_string_equal(f.values.file, "/abs/masks.bin");
    done(&f);
    g.v[0].s = "masks.bin";
    g.v[0].file = "-s";
    fill_with(&f, &g.self);
    snprintf(wanted, sizeof(wanted), "%s/masks.bin", here);
    assert_string_equal(f.values.file, wanted);
    done(&f);
}

static bool parse(const char *s, uint32_t bare, double value, uint32_t unit)
{
    ftk_duration d;
    const char *end;
    return ftk__duration_parse(s, bare, &d, &end) && *end == '\0' && d.value == value &&
           d.unit == unit;
}

static void test_durations(void **state)
{
    (void)state;
    assert_true(parse("12.5ep", 0, 12.5, FTK_UNIT_EPOCH));
    assert_true(parse("1ep", 0, 1, FTK_UNIT_EPOCH)); /* the e is no exponent        */
    assert_true(parse("1e3it", 0, 1000, FTK_UNIT_STEP));
    assert_true(parse("1e3ep", 0, 1000, FTK_UNIT_EPOCH));
    assert_true(parse(".5x", 0, 0.5, FTK_UNIT_RUN));
    assert_true(parse("0x", 0, 0, FTK_UNIT_RUN)); /* not the start of 0x1          */
    assert_true(parse("0.75", FTK_UNIT_TRAIN, 0.75, FTK_UNIT_TRAIN));
    static const char *const bad[] = { "",      "ep",    "12",  "x",    "1e400ep", "0x1ep", "nanep",
                                       "infep", "--1ep", ".ep", " 1ep", "1 ep",    "1epp",  "1 x" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ftk_duration d;
        const char *end = "";
        bool whole = ftk__duration_parse(bad[i], 0, &d, &end) && *end == '\0';
        if (whole)
            print_error("'%s' was accepted\n", bad[i]);
        assert_false(whole);
    }
    struct ftk__str out = { 0 };
    ftk__duration_print((ftk_duration){ 12.5, FTK_UNIT_EPOCH, 0 }, &out);
    assert_string_equal(out.text, "12.5ep");
    ftk__str_done(&out);
}

static void test_print(void **state)
{
    (void)state;
    struct filled f;
    fill_with(&f, NULL);
    const ftk_duration mixed[] = { { 125, FTK_UNIT_EPOCH, 0 }, { 0.75, FTK_UNIT_TRAIN, 0 } };
    f.values.rate = 0.1;
    f.values.wide = 3000000000;
    f.values.note = "a \"b\\c\"\n\t";
    struct ftk__str out = { 0 };
    ftk__params_print(&all_table, &f.values, 4, &out);
    assert_string_equal(out.text, "    rate = 0.10000000000000001;\n"
                                  "    bins = 15;\n"
                                  "    wide = 3000000000L;\n"
                                  "    on = true;\n"
                                  "    mode = \"rigl\";\n"
                                  "    note = \"a \\\"b\\\\c\\\"\\n\\x09\";\n"
                                  "    file = \"\";\n"
                                  "    wait = \"12.5ep\";\n"
                                  "    weights = [0.25, 1.0];\n"
                                  "    marks = [0.5, 0.75];\n");
    ftk__str_done(&out);
    f.values.rate = -0.0;
    f.values.marks = (ftk_durations){ mixed, 2 };
    f.values.weights = (ftk_f64s){ NULL, 0 };
    ftk__params_print(&all_table, &f.values, 0, &out);
    assert_non_null(strstr(out.text, "rate = -0.0;\n"));
    assert_non_null(strstr(out.text, "weights = [];\n"));
    assert_non_null(strstr(out.text, "marks = ( \"125ep\", 0.75 );\n"));
    ftk__str_done(&out);
    done(&f);
}

static void test_identity(void **state)
{
    (void)state;
    struct scratch_dir dir;
    char path[512];
    struct ftk_error err;
    scratch_dir_init(&dir);
    scratch_dir_put(&dir, "masks", "text\n", 5);
    struct filled f;
    fill_with(&f, NULL);
    f.values.file = scratch_dir_file(&dir, "masks", path, sizeof(path));
    struct ftk__str out = { 0 };
    assert_int_equal(ftk__params_identity(&all_table, &f.values, "p", &out, &err), FTK_OK);
    assert_string_equal(
        out.text, "p.bins=15\n"
                  "p.file=sha256:b9e68e1bea3e5b19ca6b2f98b73a54b73daafaa250484902e09982e07a12e733\n"
                  "p.marks=[0.5, 0.75]\n"
                  "p.mode=\"rigl\"\n"
                  "p.note=\"none\"\n"
                  "p.on=true\n"
                  "p.rate=0.5\n"
                  "p.wait=\"12.5ep\"\n"
                  "p.weights=[0.25, 1.0]\n"
                  "p.wide=0\n");
    ftk__str_done(&out);
    f.values.file = "/no/such/file";
    assert_true(ftk__params_identity(&all_table, &f.values, "p", &out, &err) < 0);
    assert_non_null(strstr(err.message, "/no/such/file"));
    ftk__str_done(&out);
    done(&f);
    scratch_dir_done(&dir);
}

static ftk_status fill_all(void *arg)
{
    const struct ftk__setting *group = arg;
    struct filled f = { 0 };
    ftk__params_fill(&all_table, group, NULL, "p", &f.arena, &f.values, &f.issues);
    bool failed = f.issues.failed;
    struct ftk__str out = { 0 };
    if (!failed) {
        ftk__params_print(&all_table, &f.values, 0, &out);
        failed = out.failed;
    }
    if (!failed) {
        struct ftk_error err;
        failed = ftk__params_identity(&all_table, &f.values, "p", &out, &err) != FTK_OK;
    }
    ftk__str_done(&out);
    done(&f);
    return failed ? FTK_ENOMEM : FTK_OK;
}

static void test_out_of_memory(void **state)
{
    (void)state;
    struct group g = { 0 }, weights = { 0 };
    add_float(&weights, NULL, 0.5);
    add_float(&weights, NULL, 2);
    add_list(&g, "weights", &weights);
    add_string(&g, "note", "text");
    add_string(&g, "mode", "itp");
    add_string(&g, "marks", "3ep");
    add_float(&g, "unknown", 1);
    assert_true(ftk_oom_sweep(fill_all, &g.self, 1) > 10);
    struct group h = { 0 }; /* without issues, with a path                    */
    add_string(&h, "file", "");
    assert_true(ftk_oom_sweep(fill_all, &h.self, 1) > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),      cmocka_unit_test(test_values),
        cmocka_unit_test(test_short_lists),   cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_types),         cmocka_unit_test(test_unknown_keys),
        cmocka_unit_test(test_no_group),      cmocka_unit_test(test_open_bounds),
        cmocka_unit_test(test_paths),         cmocka_unit_test(test_durations),
        cmocka_unit_test(test_print),         cmocka_unit_test(test_identity),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
