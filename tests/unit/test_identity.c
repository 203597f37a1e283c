/* SPDX-License-Identifier: MIT
 * test_identity.c - an experiment written out and read again, and what its hash depends on.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/hash.h"
#include "config_case.h"
#include "oom.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int make(void **state)
{
    struct config_case *c = calloc(1, sizeof *c);
    assert_non_null(c);
    config_case_init(c);
    *state = c;
    return 0;
}

static int clean(void **state)
{
    config_case_done(*state);
    free(*state);
    return 0;
}

struct identity {
    struct ftk__str lines;
    char hash8[9];
};

static struct identity identity_of(const struct ftk__experiment *x)
{
    struct identity id = { { 0 }, "" };
    struct ftk_error err = { 0 };
    if (ftk__config_identity(x, &id.lines, id.hash8, &err) != FTK_OK)
        fail_msg("%s", err.message);
    return id;
}

/* The hash of the base with up to two overrides. */
static struct identity with(struct config_case *c, const char *a, const char *b)
{
    const char *overrides[] = { a, b, NULL };
    return identity_of(config_case_text(c, config_case_base, overrides));
}

/* Everything away from its default, numbers that need 17 digits, strings that need escapes. */
static const char everything[] =
    "schema = 1; name = \"all \\\"of\\\" it\"; seed = 9007199254740992; epochs = 0.1;\n"
    "output = \"o\\\\x\\ny\"; plugins = [\".\"];\n"
    "data = { use = \"toy\"; classes = 7; scale = 0.30000000000000004; from = \"from.bin\";\n"
    "  dir = \"d\"; validation = 5; validation_augmented = true; augment = \"standard\";\n"
    "  pad = \"zero\"; batch = 3; limit = 4000000000; normalise = { mean = [0.1, 1]; std = [3, "
    "1e-300]; }; };\n"
    "model = { use = \"stack\"; widths = [1, 2.5, 3]; depth = 3; weights = \"w.bin\"; };\n"
    "sparsity = { density = 0.29999999999999999; init = { use = \"uniform\"; }; dense = [\"a*\", "
    "\"b\"];\n"
    "  layers = ( { match = \"c\"; density = 0.1; }, { match = \"d\"; density = 0; } ); };\n"
    "topology = { enabled = false; preset = \"itop\"; prune = { use = \"magnitude\"; };\n"
    "  grow = { use = \"random\"; }; scope = \"network\"; rate = 0.7; rate_min = 0.1;\n"
    "  schedule = \"constant\"; interval = \"1.1ep\"; stop = \"0.1x\"; strict = false;\n"
    "  regrow = \"forbidden\"; escape_gradient = \"last_batch\"; };\n"
    "ensemble = { use = \"edst\"; members = 2; keep = \"best_validation\"; explore = \"0.1x\";\n"
    "  refine = \"7it\"; escape_rate = 0.1; refine_milestones = [\"1ep\", \"2ep\"]; };\n"
    "optim = { use = \"adam\"; lr = 1e-3; schedule = \"cosine\"; milestones = [0.1, 1];\n"
    "  warmup = \"3it\"; nesterov = false; decay_bn = false; label_smoothing = 0.1; };\n"
    "eval = { on = [\"validation\", \"test\"]; protocol = []; limit = 5; trajectory = \"1ep\"; };\n"
    "metrics = ( { use = \"ece\"; bins = 3; closed = \"right\"; }, \"kl\" );\n"
    "backend = { threads = 3; precision = \"tf32\"; isa = \"avx2\"; tune = true; };\n";

static void put_files(struct config_case *c)
{
    config_case_put(c, "from.bin", "abc");
    config_case_put(c, "w.bin", "weights");
}

static void expect_round_trip(struct config_case *c, const char *text)
{
    struct ftk__str first = { 0 };
    struct ftk__str second = { 0 };
    put_files(c);
    struct identity before = identity_of(config_case_text(c, text, NULL));
    assert_int_equal(ftk__config_write(c->x, &first), FTK_OK);
    /* Somewhere else, to see that no path hangs on the place of the file. */
    char elsewhere[512];
    mkdir(scratch_dir_file(&c->dir, "elsewhere", elsewhere, sizeof elsewhere), 0700);
    config_case_put(c, "elsewhere/resolved.cfg", first.text);
    if (config_case_load(c, "elsewhere/resolved.cfg", NULL) != FTK_OK) {
        ftk__issues_print(&c->issues, stderr);
        fail_msg("%s\n%s", c->err.message, first.text);
    }
    struct identity after = identity_of(c->x);
    assert_int_equal(ftk__config_write(c->x, &second), FTK_OK);
    assert_string_equal(first.text, second.text);
    assert_string_equal(before.lines.text, after.lines.text);
    assert_string_equal(before.hash8, after.hash8);
    ftk__str_done(&first);
    ftk__str_done(&second);
    ftk__str_done(&before.lines);
    ftk__str_done(&after.lines);
}

static void what_is_written_reads_back_the_same(void **state)
{
    struct config_case *c = *state;
    expect_round_trip(c, config_case_base);
    expect_round_trip(c, everything);
    const struct ftk__experiment *x = c->x;
    assert_string_equal(x->name, "all \"of\" it");
    assert_string_equal(x->output, "o\\x\ny");
    assert_true(x->seed == 9007199254740992);
    assert_true(x->epochs == 0.1);
    assert_true(x->sparsity.density == 0.29999999999999999);
    assert_true(x->data.std.v[1] == 1e-300);
    assert_int_equal(x->data.limit, 4000000000);
    assert_int_equal(x->topology.schedule, FTK__RATE_CONSTANT);
    assert_true(x->topology.interval.value == 1.1);
    assert_true(x->optim.milestones.v[1].value == 1);
    assert_int_equal(x->eval.n_protocol, 0);
}

/* A strategy without sparse operations needs no density, and none is written. */
static void an_absent_density_stays_absent(void **state)
{
    expect_round_trip(*state, "schema = 1; epochs = 1; data = { use = \"toy\"; };\n"
                              "model = { use = \"stack\"; }; ensemble = { use = \"dense\"; };\n");
    assert_true(((struct config_case *)*state)->x->sparsity.density == 0);
}

static bool has_line(const struct identity *id, const char *line)
{
    char framed[256];
    snprintf(framed, sizeof framed, "\n%s\n", line);
    return strncmp(id->lines.text, framed + 1, strlen(framed) - 1) == 0 ||
           strstr(id->lines.text, framed) != NULL;
}

static void lines_are_sorted_paths_and_values(void **state)
{
    struct config_case *c = *state;
    put_files(c);
    struct identity id = identity_of(config_case_text(c, everything, NULL));
    static const char *const lines[] = {
        "backend.precision=\"tf32\"",
        "data.from=sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "data.scale=0.30000000000000004",
        "data.use=\"toy\"",
        "data.normalise.mean=[0.10000000000000001, 1.0]",
        "ensemble.members=2",
        "ensemble.refine=\"7it\"",
        "epochs=0.10000000000000001",
        ("model.weights=sha256:"
         "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c"),
        "optim.lr=0.001",
        "sparsity.dense=[\"a*\", \"b\"]",
        "sparsity.layers[1].density=0.0",
        "topology.grow.use=\"random\"",
        "topology.rate=0.69999999999999996",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (!has_line(&id, lines[i]))
            fail_msg("no line %s in\n%s", lines[i], id.lines.text);
    }
    static const char *const absent[] = {
        "seed",        "name",         "output",     "eval",
        "metrics",     "plugins",      "data.dir",   "backend.threads",
        "backend.isa", "backend.tune", "backend.use"
    };
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++) {
        char start[64];
        snprintf(start, sizeof start, "\n%s", absent[i]);
        assert_null(strstr(id.lines.text, start));
    }
    struct ftk__sha256 hash;
    assert_int_equal(ftk__sha256_buffer(id.lines.text, id.lines.len, &hash, NULL), FTK_OK);
    assert_memory_equal(hash.hex, id.hash8, 8);
    assert_int_equal(strlen(id.hash8), 8);
    /* Sorted byte by byte: each line after the one before it. */
    for (char *line = id.lines.text, *next; (next = strchr(line, '\n')) && next[1];
         line = next + 1) {
        size_t n = (size_t)(next - line);
        assert_true(strncmp(line, next + 1, n) <= 0);
    }
    ftk__str_done(&id.lines);
}

static void only_what_decides_results_counts(void **state)
{
    struct config_case *c = *state;
    struct identity base = with(c, NULL, NULL);
    static const char *const same[] = { "seed=5",
                                        "name=x",
                                        "output=elsewhere",
                                        "eval.limit=3",
                                        "metrics=(\"kl\")",
                                        "data.dir=/x",
                                        "plugins=[\"/\"]",
                                        "backend.threads=2",
                                        "backend.isa=portable",
                                        "backend.tune=true",
                                        "topology.rate=0.5",
                                        "sparsity.density=2e-1",
                                        "ensemble.keep=last",
                                        "eval.trajectory=1ep" };
    static const char *const different[] = { "data.batch=64",
                                             "data.validation=1",
                                             "data.augment=flip",
                                             "data.classes=9",
                                             "data.normalise=none",
                                             "data.limit=1000",
                                             "model.depth=1",
                                             "sparsity.density=0.21",
                                             "sparsity.init.use=uniform",
                                             "sparsity.dense=[\"x\"]",
                                             "sparsity.layers=( { match = \"x\"; density = 1; } )",
                                             "topology.rate=0.51",
                                             "topology.interval=\"999it\"",
                                             "topology.grow.use=random",
                                             "topology.strict=false",
                                             "ensemble.members=3",
                                             "ensemble.explore=5ep",
                                             "ensemble.keep=best_validation",
                                             "optim.lr=0.2",
                                             "optim.use=adam",
                                             "epochs=11",
                                             "backend.precision=bf16" };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        struct identity id = with(c, same[i], NULL);
        assert_string_equal(id.lines.text, base.lines.text);
        assert_string_equal(id.hash8, base.hash8);
        ftk__str_done(&id.lines);
    }
    for (size_t i = 0; i < sizeof different / sizeof different[0]; i++) {
        struct identity id = with(c, different[i], NULL);
        if (strcmp(id.hash8, base.hash8) == 0)
            fail_msg("%s does not count", different[i]);
        ftk__str_done(&id.lines);
    }
    ftk__str_done(&base.lines);
}

static void files_count_by_content(void **state)
{
    struct config_case *c = *state;
    char a[600], b[600];
    config_case_put(c, "a.bin", "same");
    config_case_put(c, "b.bin", "same");
    snprintf(a, sizeof a, "model.weights=%s/a.bin", c->dir.path);
    snprintf(b, sizeof b, "model.weights=%s/b.bin", c->dir.path);
    struct identity one = with(c, a, NULL);
    struct identity two = with(c, b, NULL);
    assert_string_equal(one.hash8, two.hash8);
    config_case_put(c, "b.bin", "other");
    struct identity three = with(c, b, NULL);
    assert_string_not_equal(one.hash8, three.hash8);
    ftk__str_done(&one.lines);
    ftk__str_done(&two.lines);
    ftk__str_done(&three.lines);
}

/* An init that is built in stands where a plugin's would. */
static void a_built_in_init_counts_by_content(void **state)
{
    struct config_case *c = *state;
    char a[600], b[600];
    config_case_put(c, "a.bin", "same");
    config_case_put(c, "b.bin", "same");
    snprintf(a, sizeof a, "sparsity.init={ use = \"kept\"; from = \"%s/a.bin\"; }", c->dir.path);
    snprintf(b, sizeof b, "sparsity.init={ use = \"kept\"; from = \"%s/b.bin\"; }", c->dir.path);
    struct identity plugin = with(c, NULL, NULL);
    struct identity one = with(c, a, NULL);
    struct identity two = with(c, b, NULL);
    assert_string_equal(one.hash8, two.hash8);
    assert_string_not_equal(one.hash8, plugin.hash8);
    assert_non_null(strstr(one.lines.text, "sparsity.init.use=\"kept\"\n"));
    config_case_put(c, "b.bin", "other");
    struct identity three = with(c, b, NULL);
    assert_string_not_equal(one.hash8, three.hash8);
    ftk__str_done(&plugin.lines);
    ftk__str_done(&one.lines);
    ftk__str_done(&two.lines);
    ftk__str_done(&three.lines);
}

static void a_built_in_init_is_written_out(void **state)
{
    expect_round_trip(*state, "schema = 1; epochs = 10.0; data = { use = \"toy\"; };\n"
                              "model = { use = \"stack\"; };\n"
                              "sparsity = { init = { use = \"kept\"; from = \"w.bin\"; }; };\n"
                              "ensemble = { use = \"static\"; members = 2; };\n");
}

/* "%d" is the member's number, and a file for each has to be there. */
static void weights_of_every_member_count(void **state)
{
    struct config_case *c = *state;
    char weights[600];
    const char *overrides[] = { weights, NULL };
    struct ftk__str lines = { 0 };
    char hash8[9];
    snprintf(weights, sizeof weights, "model.weights=%s/m-%%d.bin", c->dir.path);
    config_case_put(c, "m-0.bin", "zero");
    assert_int_equal(ftk__config_identity(config_case_text(c, config_case_base, overrides), &lines,
                                          hash8, &c->err),
                     FTK_ENOENT);
    assert_int_equal(ftk__error_exit_code(&c->err), FTK__EXIT_NO_DATA);
    assert_non_null(strstr(c->err.message, "m-1.bin"));
    config_case_put(c, "m-1.bin", "one");
    struct identity one = identity_of(c->x);
    config_case_put(c, "m-1.bin", "two");
    struct identity two = identity_of(c->x);
    assert_string_not_equal(one.hash8, two.hash8);
    ftk__str_done(&one.lines);
    ftk__str_done(&two.lines);
    ftk__str_done(&lines);
}

static ftk_status identify_and_write(void *arg)
{
    const struct config_case *c = arg;
    struct ftk__str lines = { 0 };
    struct ftk__str text = { 0 };
    char hash8[9];
    ftk_status st = ftk__config_identity(c->x, &lines, hash8, NULL);
    if (st == FTK_OK)
        st = ftk__config_write(c->x, &text);
    ftk__str_done(&lines);
    ftk__str_done(&text);
    return st;
}

static void memory_may_run_out(void **state)
{
    struct config_case *c = *state;
    put_files(c);
    config_case_text(c, everything, NULL);
    assert_true(ftk_oom_sweep(identify_and_write, c, 1) >= 20);
}

#define IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(what_is_written_reads_back_the_same),
        IN_FOLDER(an_absent_density_stays_absent),
        IN_FOLDER(lines_are_sorted_paths_and_values),
        IN_FOLDER(only_what_decides_results_counts),
        IN_FOLDER(files_count_by_content),
        IN_FOLDER(a_built_in_init_counts_by_content),
        IN_FOLDER(a_built_in_init_is_written_out),
        IN_FOLDER(weights_of_every_member_count),
        IN_FOLDER(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
