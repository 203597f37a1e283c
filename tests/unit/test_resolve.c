/* SPDX-License-Identifier: MIT
 * test_resolve.c - defaults, presets, names and mistakes of a configuration.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "config/cfgschema.h"
#include "config_case.h"
#include "oom.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* The base, and `more` behind it. */
static ftk_status load_more(struct config_case *c, const char *more)
{
    char text[4096];
    snprintf(text, sizeof text, "%s%s", config_case_base, more);
    config_case_put(c, "case.cfg", text);
    return config_case_load(c, "case.cfg", NULL);
}

static struct ftk__experiment *good(struct config_case *c, const char *more)
{
    if (load_more(c, more) != FTK_OK) {
        ftk__issues_print(&c->issues, stderr);
        fail_msg("%s", c->err.message);
    }
    return c->x;
}

static void expect_duration(ftk_duration d, double value, uint32_t unit)
{
    assert_true(d.value == value);
    assert_int_equal(d.unit, unit);
}

static void the_tables_are_sound(void **state)
{
    (void)state;
    ftk_param room[FTK__TABLE_ROOM];
    struct ftk_error err = { 0 };
    for (int id = 0; id < FTK__TABLES; id++) {
        struct ftk__param_table t = ftk__schema_table((enum ftk__table_id)id);
        if (ftk__params_check(&t, &err) != FTK_OK)
            fail_msg("table %d: %s", id, err.message);
        for (int preset = FTK__PRESET_PAPER; preset <= FTK__PRESET_ITOP; preset++) {
            const struct ftk__schema_defaults d = { (enum ftk__preset)preset, true };
            t = ftk__schema_preset((enum ftk__table_id)id, &d, room);
            if (ftk__params_check(&t, &err) != FTK_OK)
                fail_msg("table %d, preset %d: %s", id, preset, err.message);
        }
    }
}

static void every_default_is_taken(void **state)
{
    const struct ftk__experiment *x = good(*state, "");
    assert_string_equal(x->name, "case");
    assert_string_equal(x->output, "runs");
    assert_int_equal(x->seed, 17);
    assert_true(x->epochs == 10);
    assert_int_equal(x->n_plugins, 0);
    assert_string_equal(x->data.dir, "");
    assert_string_equal(x->data.normalise, "");
    assert_int_equal(x->data.validation, 0);
    assert_int_equal(x->data.batch, 128);
    assert_int_equal(x->data.limit, 0);
    assert_int_equal(x->data.augment, FTK__AUGMENT_NONE);
    assert_int_equal(x->data.pad, FTK__PAD_REFLECT);
    assert_int_equal(x->data.validation_augmented, 0);
    assert_int_equal(x->data.mean.n, 0);
    assert_string_equal(x->weights, "");
    assert_true(x->sparsity.density == 0.2);
    assert_int_equal(x->sparsity.n_dense + x->sparsity.n_layers, 0);
    assert_string_equal(x->init.entry->algo->name, "erk");
    assert_null(x->init_builtin);
    assert_string_equal(x->prune.entry->algo->name, "magnitude");
    assert_string_equal(x->grow.entry->algo->name, "gradient");
    assert_string_equal(x->allot.entry->algo->name, "none");
    assert_string_equal(x->strategy.use, "edst");
    assert_int_equal(x->members, 2);
    assert_int_equal(x->keep, FTK__KEEP_LAST);
    assert_string_equal(x->optimiser.builtin->name, "sgd");
    assert_true(x->optim.lr == 0.1 && x->optim.gamma == 0.1 && x->optim.momentum == 0.9);
    assert_true(x->optim.weight_decay == 5e-4 && x->optim.label_smoothing == 0);
    assert_true(x->optim.beta2 == 0.999 && x->optim.eps == 1e-8);
    assert_int_equal(x->optim.schedule, FTK__LR_STEP);
    assert_int_equal(x->optim.milestones.n, 2);
    expect_duration(x->optim.milestones.v[1], 0.75, FTK_UNIT_TRAIN);
    expect_duration(x->optim.warmup, 0, FTK_UNIT_EPOCH);
    assert_true(x->optim.decay_bn && x->optim.decay_bias);
    assert_int_equal(x->eval.n_on, 1);
    assert_string_equal(x->eval.on[0], "test");
    assert_string_equal(x->eval.protocol[0], "standard");
    assert_string_equal(x->eval.trajectory, "");
    assert_int_equal(x->n_metrics, 3);
    assert_string_equal(x->metrics[0].entry->algo->name, "accuracy");
    assert_string_equal(x->metrics[2].entry->algo->name, "ece");
    assert_non_null(x->metrics[2].params);
    assert_string_equal(x->backend.use, "auto");
    assert_string_equal(x->backend.isa, "auto");
    assert_int_equal(x->backend.threads + x->backend.tune + x->backend.precision, 0);
    assert_null(x->engine.entry);
}

/* interface.md 1, the table of presets, column by column. */
struct expected_preset {
    const char *name;
    int32_t count, ties, round, regrow, grown_value, grown_momentum, inactive_momentum;
    int32_t update_step, dense_layers, schedule, quiet_end, escape_gradient;
    double rate_min, stop;
    int32_t nesterov, keep, validation_augmented;
};
static const struct expected_preset presets[] = {
    { "paper", 0, 0, FTK__ROUND_CEIL, 0, FTK__GROWN_ZERO, 0, 0, 0, FTK__DENSE_EXEMPT,
      FTK__RATE_CONSTANT, 1, FTK__ESCAPE_FRESH, 0, 1.0, 0, FTK__KEEP_LAST, 0 },
    { "freetickets", FTK__COUNTING_BERNOULLI, FTK__TIES_THRESHOLD, FTK__ROUND_CEIL, 0,
      FTK__GROWN_ZERO, FTK__MOMENTUM_KEEP, FTK__INACTIVE_ACCUMULATE, 0, FTK__DENSE_UPDATED,
      FTK__RATE_CONSTANT, 0, FTK__ESCAPE_LAST_BATCH, 0, 1.0, 0, FTK__KEEP_BEST_VALIDATION, 1 },
    { "rigl", 0, 0, FTK__ROUND_FLOOR, 0, FTK__GROWN_KEEP_IF_REGROWN, 0, 0, FTK__UPDATE_REPLACES,
      FTK__DENSE_EXEMPT, FTK__RATE_COSINE, 1, FTK__ESCAPE_FRESH, 0, 0.75, 1, FTK__KEEP_LAST, 0 },
    { "itop", FTK__COUNTING_BERNOULLI, FTK__TIES_THRESHOLD, FTK__ROUND_CEIL, 0,
      FTK__GROWN_KEEP_IF_REGROWN, 0, 0, 0, FTK__DENSE_UPDATED, FTK__RATE_COSINE, 0,
      FTK__ESCAPE_FRESH, 0.005, 1.0, 1, FTK__KEEP_LAST, 0 },
};

static void expect_preset(const struct ftk__experiment *x, const struct expected_preset *e)
{
    const struct ftk__topology_options *t = &x->topology;
    assert_int_equal(t->count, e->count);
    assert_int_equal(t->ties, e->ties);
    assert_int_equal(t->round, e->round);
    assert_int_equal(t->regrow, e->regrow);
    assert_int_equal(t->grown_value, e->grown_value);
    assert_int_equal(t->grown_momentum, e->grown_momentum);
    assert_int_equal(t->inactive_momentum, e->inactive_momentum);
    assert_int_equal(t->update_step, e->update_step);
    assert_int_equal(t->dense_layers, e->dense_layers);
    assert_int_equal(t->schedule, e->schedule);
    assert_int_equal(t->quiet_end, e->quiet_end);
    assert_int_equal(t->escape_gradient, e->escape_gradient);
    assert_true(t->rate_min == e->rate_min);
    expect_duration(t->stop, e->stop, FTK_UNIT_RUN);
    assert_int_equal(x->optim.nesterov, e->nesterov);
    assert_int_equal(x->keep, e->keep);
    assert_int_equal(x->data.validation_augmented, e->validation_augmented);
    /* the same in all of them */
    assert_true(t->rate == 0.5);
    expect_duration(t->interval, 1000, FTK_UNIT_STEP);
    assert_int_equal(t->enabled + t->strict, 2);
    assert_int_equal(t->scope, FTK__SCOPE_LAYER);
}

static void presets_set_what_codebases_leave_silent(void **state)
{
    expect_preset(good(*state, ""), &presets[0]);
    for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++) {
        char more[64];
        snprintf(more, sizeof more, "topology = { preset = \"%s\"; };", presets[i].name);
        const struct ftk__experiment *x = good(*state, more);
        assert_int_equal(x->topology.preset, i);
        expect_preset(x, &presets[i]);
    }
}

static void a_key_beside_a_preset_wins(void **state)
{
    const struct ftk__experiment *x = good(
        *state, "topology = { preset = \"rigl\"; schedule = \"constant\"; stop = \"5ep\"; "
                "round = \"nearest\"; quiet_end = false; };\noptim = { nesterov = false; };\n");
    assert_int_equal(x->topology.schedule, FTK__RATE_CONSTANT);
    assert_int_equal(x->topology.round, FTK__ROUND_NEAREST);
    assert_int_equal(x->topology.quiet_end, 0);
    expect_duration(x->topology.stop, 5, FTK_UNIT_EPOCH);
    assert_int_equal(x->optim.nesterov, 0);
    assert_int_equal(x->topology.update_step, FTK__UPDATE_REPLACES);
}

static void overrides_win_over_files_and_presets(void **state)
{
    const char *overrides[] = { "topology.preset=itop",
                                "topology.rate=0.25",
                                "ensemble.use=static",
                                "ensemble.train=7ep",
                                "seed=3",
                                NULL };
    const struct ftk__experiment *x = config_case_text(*state, config_case_base, overrides);
    assert_int_equal(x->topology.preset, FTK__PRESET_ITOP);
    assert_int_equal(x->topology.quiet_end, 0);
    assert_true(x->topology.rate == 0.25);
    assert_int_equal(x->seed, 3);
    /* `explore` and `refine` went with edst. */
    assert_string_equal(x->strategy.entry->algo->name, "static");
    assert_int_equal(x->members, 2);
}

static void padding_is_zero_for_cifar100(void **state)
{
    const char *use[] = { "data.use=cifar100", NULL, NULL };
    assert_int_equal(config_case_text(*state, config_case_base, use)->data.pad, FTK__PAD_ZERO);
    use[1] = "data.pad=reflect";
    assert_int_equal(config_case_text(*state, config_case_base, use)->data.pad, FTK__PAD_REFLECT);
}

static void numbers_are_widened_and_never_narrowed(void **state)
{
    struct config_case *c = *state;
    const struct ftk__experiment *x = good(c, "optim = { lr = 1; milestones = [0.5, 1]; };\n"
                                              "seed = 3000000000;\n");
    assert_true(x->optim.lr == 1.0);
    assert_true(x->optim.milestones.v[1].value == 1.0);
    assert_int_equal(x->seed, 3000000000);
    assert_int_equal(load_more(c, "seed = 1.0;"), FTK_EINVAL);
    const struct ftk__issue *is = config_case_issue(c, "seed");
    assert_non_null(is);
    assert_int_equal(is->line, 6);
    assert_int_equal(load_more(c, "seed = 9007199254740993;"), FTK_EINVAL);
    assert_non_null(config_case_issue(c, "seed"));
}

static void metrics_are_groups_or_names(void **state)
{
    struct config_case *c = *state;
    const char *same[] = { "metrics = ( { use = \"kl\"; }, { use = \"ece\"; bins = 7; } );",
                           "metrics = ( \"kl\", { use = \"ece\"; } );",
                           "metrics = [\"kl\", \"ece\"];" };
    for (int i = 0; i < 3; i++) {
        const struct ftk__experiment *x = good(c, same[i]);
        assert_int_equal(x->n_metrics, 2);
        assert_string_equal(x->metrics[0].entry->algo->name, "kl");
        assert_null(x->metrics[0].params);
        assert_int_equal(*(const int64_t *)x->metrics[1].params, i == 0 ? 7 : 15);
    }
    assert_int_equal(good(c, "metrics = ();")->n_metrics, 0);
    assert_int_equal(load_more(c, "metrics = ( \"kl\", \"nil\", 3, { use = \"kl\"; } );"),
                     FTK_EINVAL);
    assert_string_equal(config_case_issue(c, "metrics[1].use")->nearest, "nll");
    assert_string_equal(config_case_issue(c, "metrics[2]")->message, "an entry is an integer");
    assert_string_equal(config_case_issue(c, "metrics[3]")->message,
                        "metric 'kl' stands there twice");
    assert_int_equal(c->issues.n, 3);
}

static void lists_of_names_are_known_names(void **state)
{
    struct config_case *c = *state;
    const struct ftk__experiment *x =
        good(c, "eval = { on = [\"test\", \"validation\"]; protocol = (\"paper\", \"ub\"); };");
    assert_int_equal(x->eval.n_on, 2);
    assert_string_equal(x->eval.on[1], "validation");
    assert_string_equal(x->eval.protocol[1], "ub");
    assert_int_equal(load_more(c,
                               "eval = { on = [\"tset\", \"test\", \"test\"]; protocol = \"ub\"; "
                               "trajectory = \"often\"; limit = -1; };"),
                     FTK_EINVAL);
    assert_string_equal(config_case_issue(c, "eval.protocol")->limit,
                        "an array of strings [\"...\"]");
    assert_string_equal(config_case_issue(c, "eval.trajectory")->message, "trajectory = \"often\"");
    assert_non_null(config_case_issue(c, "eval.limit"));
    assert_int_equal(c->issues.n, 5);
}

static void sparsity_has_layers_and_globs(void **state)
{
    struct config_case *c = *state;
    static const char text[] =
        "schema = 1; epochs = 1; data = { use = \"toy\"; }; model = { use = \"stack\"; };\n"
        "ensemble = { use = \"dense\"; };\n"
        "sparsity = { density = %s; dense = [\"fc*\", \"conv1\"];\n"
        "  layers = ( { match = \"block1.*\"; density = 0.5; }, { match = \"x\"; density = 1; } ); "
        "};";
    char filled[1024];
    snprintf(filled, sizeof filled, text, "1e-1");
    const struct ftk__sparsity_section *s = &config_case_text(c, filled, NULL)->sparsity;
    assert_true(s->density == 0.1);
    assert_string_equal(s->dense[1], "conv1");
    assert_int_equal(s->n_layers, 2);
    assert_string_equal(s->layers[0].match, "block1.*");
    assert_true(s->layers[0].density == 0.5 && s->layers[1].density == 1.0);
    snprintf(filled, sizeof filled, text, "0");
    config_case_put(c, "case.cfg", filled);
    assert_int_equal(config_case_load(c, "case.cfg", NULL), FTK_EINVAL);
    assert_string_equal(config_case_issue(c, "sparsity.density")->limit, "above 0, at most 1");
    const char *bad[] = { "sparsity.layers=( { match = \"x\"; densty = 0.5; } )", NULL };
    config_case_put(c, "case.cfg", config_case_base);
    assert_int_equal(config_case_load(c, "case.cfg", bad), FTK_EINVAL);
    assert_string_equal(config_case_issue(c, "sparsity.layers[0].densty")->nearest, "density");
    assert_non_null(config_case_issue(c, "sparsity.layers[0].density"));
}

static void normalise_is_a_name_or_numbers(void **state)
{
    struct config_case *c = *state;
    const char *o[] = { "data.normalise=cifar10", NULL };
    assert_string_equal(config_case_text(c, config_case_base, o)->data.normalise, "cifar10");
    o[0] = "data.normalise={ mean = [0.5, 0, 1]; std = [1, 2, 0.25]; }";
    const struct ftk__data_section *d = &config_case_text(c, config_case_base, o)->data;
    assert_string_equal(d->normalise, "");
    assert_int_equal(d->mean.n, 3);
    assert_true(d->std.v[2] == 0.25);
    static const struct {
        const char *override, *message;
    } bad[] = {
        { "data.normalise=cifar11", "unknown normalisation 'cifar11'" },
        { "data.normalise={ mean = [0.5]; std = [1, 2]; }", "1 means and 2 deviations" },
        { "data.normalise={ }", "0 means and 0 deviations" },
        { "data.normalise=7", "normalise is an integer" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        o[0] = bad[i].override;
        assert_int_equal(config_case_load(c, "case.cfg", o), FTK_EINVAL);
        assert_string_equal(config_case_issue(c, "data.normalise")->message, bad[i].message);
    }
    o[0] = "data.normalise={ mean = [0.5]; std = [0]; }";
    assert_int_equal(config_case_load(c, "case.cfg", o), FTK_EINVAL);
    assert_non_null(config_case_issue(c, "data.normalise.std"));
}

static void paths_are_relative_to_their_file(void **state)
{
    struct config_case *c = *state;
    char sub[512];
    char want[1024];
    assert_int_equal(mkdir(scratch_dir_file(&c->dir, "sub", sub, sizeof sub), 0700), 0);
    config_case_put(c, "sub/data.cfg",
                    "data = { use = \"toy\"; dir = \"files\"; from = \"../x\"; };\n"
                    "plugins = [\".\", \"/\"];\n");
    config_case_put(c, "case.cfg",
                    "schema = 1; epochs = 1.0;\n@include \"sub/data.cfg\"\n"
                    "model = { use = \"stack\"; weights = \"w-%d\"; };\n"
                    "ensemble = { use = \"dense\"; };\n");
    assert_int_equal(config_case_load(c, "case.cfg", NULL), FTK_OK);
    snprintf(want, sizeof want, "%s/files", sub);
    assert_string_equal(c->x->data.dir, want);
    snprintf(want, sizeof want, "%s/w-%%d", c->dir.path);
    assert_string_equal(c->x->weights, want);
    assert_int_equal(c->x->n_plugins, 2);
    assert_string_equal(c->x->plugins[0], sub);
    assert_non_null(strstr(c->x->source, "dir = \"files\""));
}

static void a_missing_plugin_folder_is_a_mistake(void **state)
{
    struct config_case *c = *state;
    assert_int_equal(load_more(c, "plugins = ( \"nowhere\", 7 );"), FTK_EINVAL);
    assert_int_equal(c->issues.n, 2);
    assert_int_equal(c->issues.v[0].line, 6);
    assert_non_null(strstr(c->issues.v[0].message, "/nowhere does not exist"));
    assert_string_equal(c->issues.v[1].message, "an entry is an integer");
}

/* Ten different mistakes in one file, each with its line, limit and nearest name. */
static const char ten_mistakes[] = "schema = 2;\n"
                                   "epochs = \"250\";\n"
                                   "epoch = 1;\n"
                                   "data = { use = \"toi\"; };\n"
                                   "model = { use = \"stack\"; wdiths = [1, 2]; };\n"
                                   "sparsity = { density = 1.5; };\n"
                                   "topology = { prune = { use = \"magnitud\"; };\n"
                                   "  count = \"exakt\"; };\n"
                                   "ensemble = { use = \"edst\"; members = 0;\n"
                                   "  explore = \"4 epochs\"; };\n"
                                   "backend = { thread = 2; };\n";
static const struct {
    unsigned line;
    const char *path, *message, *limit, *nearest;
} ten[] = {
    { 1, "schema", "schema = 2", "1 to 1", NULL },
    { 2, "epochs", "epochs = \"250\" is a string", "a number, 0 to 1e+06", NULL },
    { 3, "epoch", "unknown key 'epoch'", NULL, "epochs" },
    { 4, "data.use", "unknown data 'toi'", "toy, cifar100", "toy" },
    { 5, "model.wdiths", "unknown key 'wdiths'", NULL, "widths" },
    { 6, "sparsity.density", "density = 1.5", "above 0, at most 1", NULL },
    { 7, "topology.prune.use", "unknown prune plugin 'magnitud'",
      "magnitude, random, set, taylor, threshold", "magnitude" },
    { 8, "topology.count", "count = \"exakt\"", "exact or bernoulli", "exact" },
    { 9, "ensemble.members", "members = 0", "1 to 1000", NULL },
    { 10, "ensemble.explore", "explore = \"4 epochs\"",
      "a number and ep, it or x, as in \"12.5ep\"", NULL },
    { 11, "backend.thread", "unknown key 'thread'", NULL, "threads" },
};
enum { N_TEN = sizeof ten / sizeof ten[0] };

static void mistakes_are_reported_together(void **state)
{
    struct config_case *c = *state;
    config_case_put(c, "case.cfg", ten_mistakes);
    assert_int_equal(config_case_load(c, "case.cfg", NULL), FTK_EINVAL);
    assert_int_equal(ftk__error_exit_code(&c->err), FTK__EXIT_CONFIG);
    assert_non_null(strstr(c->err.message, ": 11 mistakes"));
    assert_int_equal(c->issues.n, N_TEN);
    for (size_t i = 0; i < N_TEN; i++) {
        const struct ftk__issue *is = config_case_issue(c, ten[i].path);
        if (!is)
            fail_msg("no issue about %s", ten[i].path);
        assert_string_equal(is->file, c->path);
        assert_int_equal(is->line, ten[i].line);
        assert_string_equal(is->message, ten[i].message);
        assert_int_equal(is->limit != NULL, ten[i].limit != NULL);
        if (ten[i].limit)
            assert_string_equal(is->limit, ten[i].limit);
        assert_int_equal(is->nearest != NULL, ten[i].nearest != NULL);
        if (ten[i].nearest)
            assert_string_equal(is->nearest, ten[i].nearest);
    }
}

static void mistakes_are_printed_in_order(void **state)
{
    struct config_case *c = *state;
    config_case_put(c, "case.cfg", ten_mistakes);
    config_case_load(c, "case.cfg", NULL);
    char *text = NULL;
    size_t bytes = 0;
    FILE *to = open_memstream(&text, &bytes);
    ftk__issues_print(&c->issues, to);
    fclose(to);
    char want[8192] = "";
    for (size_t i = 0; i < N_TEN; i++) {
        size_t n = strlen(want);
        const char *limit = ten[i].limit ? ten[i].limit : "";
        snprintf(want + n, sizeof want - n, "%s:%u: %s: %s (%s%s%s%s%s)\n", c->path, ten[i].line,
                 ten[i].path, ten[i].message, limit, ten[i].limit && ten[i].nearest ? "; " : "",
                 ten[i].nearest ? "did you mean '" : "", ten[i].nearest ? ten[i].nearest : "",
                 ten[i].nearest ? "'?" : "");
    }
    assert_string_equal(text, want);
    free(text);
    json_t *all = ftk__issues_json(&c->issues);
    assert_int_equal(json_array_size(all), N_TEN);
    const json_t *third = json_array_get(all, 2);
    assert_string_equal(json_string_value(json_object_get(third, "path")), "epoch");
    assert_string_equal(json_string_value(json_object_get(third, "nearest")), "epochs");
    assert_int_equal(json_integer_value(json_object_get(third, "line")), 3);
    assert_true(json_is_null(json_object_get(third, "limit")));
    assert_non_null(json_object_get(third, "file"));
    assert_non_null(json_object_get(third, "message"));
    json_decref(all);
}

static void a_key_is_unknown_to_all_owners_of_a_group_once(void **state)
{
    struct config_case *c = *state;
    const char *o[] = { "ensemble.mebmers=2",
                        "ensemble.explroe=1ep",
                        "data.clases=3",
                        "data.bacth=4",
                        "topology.prune.x=1",
                        "optim.betta2=0.5",
                        NULL };
    static const char *const want[][2] = { { "ensemble.mebmers", "members" },
                                           { "ensemble.explroe", "explore" },
                                           { "data.clases", "classes" },
                                           { "data.bacth", "batch" },
                                           { "optim.betta2", "beta2" } };
    config_case_put(c, "case.cfg", config_case_base);
    assert_int_equal(config_case_load(c, "case.cfg", o), FTK_EINVAL);
    assert_int_equal(c->issues.n, 6);
    for (size_t i = 0; i < 5; i++) {
        const struct ftk__issue *is = config_case_issue(c, want[i][0]);
        assert_non_null(is);
        assert_string_equal(is->nearest, want[i][1]);
        assert_string_equal(is->file, "-s");
        assert_int_equal(is->line, 0);
    }
    assert_non_null(config_case_issue(c, "topology.prune.x"));
}

static void required_keys_are_asked_for(void **state)
{
    struct config_case *c = *state;
    static const char *const paths[] = { "schema", "epochs", "data.use", "model.use",
                                         "ensemble.use" };
    config_case_put(c, "case.cfg", "# nothing\n");
    assert_int_equal(config_case_load(c, "case.cfg", NULL), FTK_EINVAL);
    assert_int_equal(c->issues.n, 5);
    for (size_t i = 0; i < 5; i++)
        assert_non_null(config_case_issue(c, paths[i]));
}

static void sections_are_groups(void **state)
{
    struct config_case *c = *state;
    static const char *const paths[] = {
        "data",  "model", "sparsity", "topology.prune", "ensemble",
        "optim", "eval",  "metrics",  "backend",        "plugins"
    };
    config_case_put(
        c, "case.cfg",
        "schema = 1; epochs = 1; data = 1; model = []; sparsity = 0.5;\n"
        "topology = { prune = \"magnitude\"; }; ensemble = \"edst\"; optim = (); eval = \"x\";\n"
        "metrics = \"kl\"; backend = true; plugins = \".\";\n");
    assert_int_equal(config_case_load(c, "case.cfg", NULL), FTK_EINVAL);
    assert_int_equal(c->issues.n, 10);
    for (size_t i = 0; i < 10; i++)
        assert_non_null(config_case_issue(c, paths[i]));
}

static void rules_across_fields_are_checked(void **state)
{
    struct config_case *c = *state;
    const char *o[] = { "model.depth=3", NULL };
    config_case_put(c, "case.cfg", config_case_base);
    assert_int_equal(config_case_load(c, "case.cfg", o), FTK_EINVAL);
    assert_string_equal(config_case_issue(c, "model")->message, "depth 3 is above the 2 widths");
    o[0] = "ensemble.refine_milestones=[0.75, 0.5]";
    assert_int_equal(config_case_load(c, "case.cfg", o), FTK_EINVAL);
    assert_string_equal(config_case_issue(c, "ensemble")->message,
                        "refine_milestones: 0.5 does not lie after 0.75");
    static const char *const bad[][2] = {
        { "optim.milestones=[0.5, 0.5]", "strictly ascending" },
        { "optim.milestones=[0.5, 1.5]", "fractions of the TRAIN, 0 to 1" },
        { "optim.milestones=(0.5, \"8ep\")", "one unit a list" },
        { "optim.milestones=[0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9]", "at most 8" },
    };
    for (size_t i = 0; i < 4; i++) {
        o[0] = bad[i][0];
        assert_int_equal(config_case_load(c, "case.cfg", o), FTK_EINVAL);
        assert_string_equal(config_case_issue(c, "optim.milestones")->limit, bad[i][1]);
    }
    o[0] = "optim.milestones=[\"125ep\", \"187ep\"]";
    config_case_text(c, config_case_base, o);
}

static void names_can_be_folders(void **state)
{
    struct config_case *c = *state;
    const char *o[] = { "name=../x", NULL };
    config_case_put(c, "case.cfg", config_case_base);
    assert_int_equal(config_case_load(c, "case.cfg", o), FTK_EINVAL);
    assert_non_null(config_case_issue(c, "name"));
    o[0] = "name=ed st-3";
    assert_string_equal(config_case_text(c, config_case_base, o)->name, "ed st-3");
    config_case_put(c, "wide.v2.cfg", config_case_base);
    assert_int_equal(config_case_load(c, "wide.v2.cfg", NULL), FTK_OK);
    assert_string_equal(c->x->name, "wide.v2");
    config_case_put(c, ".cfg", config_case_base);
    assert_int_equal(config_case_load(c, ".cfg", NULL), FTK_OK);
    assert_string_equal(c->x->name, "experiment");
}

/* An included file's name outlives the experiment that failed. */
static void mistakes_in_included_files_name_them(void **state)
{
    struct config_case *c = *state;
    config_case_put(c, "optim.inc", "\noptim = { lr = -1.0; };\n");
    assert_int_equal(load_more(c, "@include \"optim.inc\"\nseed = -1;\n"), FTK_EINVAL);
    const struct ftk__issue *is = config_case_issue(c, "optim.lr");
    assert_non_null(is);
    assert_int_equal(is->line, 2);
    assert_string_equal(is->file + strlen(c->dir.path), "/optim.inc");
    assert_int_equal(config_case_issue(c, "seed")->line, 7);
}

static void backends_are_opened_only_by_name(void **state)
{
    struct config_case *c = *state;
    scratch_dir_put(&c->dir, "backend_odd.so", "text\n", 5);
    assert_int_equal(load_more(c, "plugins = [\".\"];\nbackend = { mine = 1; };"), FTK_EINVAL);
    assert_string_equal(config_case_issue(c, "backend.mine")->message, "unknown key 'mine'");
    for (uint64_t i = 0; i < ftk__registry_file_count(c->registry); i++) {
        const struct ftk__file *f = ftk__registry_file(c->registry, i);
        if (strstr(f->path, "backend_odd"))
            assert_true(f->deferred && !f->reason);
    }
    assert_int_equal(load_more(c, "plugins = [\".\"];\nbackend = { use = \"odd\"; mine = 1; };"),
                     FTK_EINVAL);
    assert_int_equal(c->issues.n, 1);
    assert_non_null(
        strstr(config_case_issue(c, "backend.use")->message, "backend plugin 'odd' was refused: "));
    assert_int_equal(load_more(c, "plugins = [\".\"];\nbackend = { use = \"od\"; threds = 1; };"),
                     FTK_EINVAL);
    assert_string_equal(config_case_issue(c, "backend.use")->nearest, "odd");
}

static void without_a_registry_no_plugin_is_known(void **state)
{
    struct config_case *c = *state;
    config_case_put(c, "case.cfg", config_case_base);
    scratch_dir_file(&c->dir, "case.cfg", c->path, sizeof c->path);
    const struct ftk__config_request q = { .file = c->path,
                                           .builtins = config_case_builtins,
                                           .n_builtins = config_case_n_builtins };
    assert_int_equal(ftk__config_load(&q, &c->issues, &c->x, &c->err), FTK_EINVAL);
    assert_string_equal(config_case_issue(c, "ensemble.use")->message,
                        "unknown ensemble plugin 'edst'");
    /* init, prune, grow, allot, ensemble and three metrics */
    assert_int_equal(c->issues.n, 8);
}

static ftk_status load_and_drop(void *arg)
{
    const struct config_case *c = arg;
    const char *overrides[] = { "seed=5", "ensemble.escape_rate=0.7", "name=bare" };
    struct ftk__issues issues = { 0 };
    struct ftk__experiment *x = NULL;
    struct ftk__registry *registry = ftk__registry_new();
    if (!registry)
        return FTK_ENOMEM;
    const struct ftk__config_request q = { .file = c->path,
                                           .overrides = overrides,
                                           .n_overrides = 3,
                                           .registry = registry,
                                           .builtins = config_case_builtins,
                                           .n_builtins = config_case_n_builtins };
    ftk_status st = ftk__config_load(&q, &issues, &x, NULL);
    ftk__experiment_free(x);
    ftk__issues_done(&issues);
    ftk__registry_free(registry);
    return st;
}

static void memory_may_run_out(void **state)
{
    struct config_case *c = *state;
    config_case_put(c, "case.cfg", config_case_base);
    scratch_dir_file(&c->dir, "case.cfg", c->path, sizeof c->path);
    assert_true(ftk_oom_sweep(load_and_drop, c, 1) >= 50);
}

/* Mistakes, too, may be found without memory to report them. */
static ftk_status report_mistakes(void *arg)
{
    const struct config_case *c = arg;
    struct ftk__issues issues = { 0 };
    struct ftk__experiment *x = NULL;
    const struct ftk__config_request q = { .file = c->path,
                                           .builtins = config_case_builtins,
                                           .n_builtins = config_case_n_builtins };
    ftk_status st = ftk__config_load(&q, &issues, &x, NULL);
    bool failed = issues.failed;
    ftk__issues_done(&issues);
    return st == FTK_EINVAL && !failed ? FTK_OK : FTK_ENOMEM;
}

static void memory_may_run_out_for_mistakes(void **state)
{
    struct config_case *c = *state;
    config_case_put(c, "case.cfg", ten_mistakes);
    scratch_dir_file(&c->dir, "case.cfg", c->path, sizeof c->path);
    assert_true(ftk_oom_sweep(report_mistakes, c, 1) >= 50);
}

#define IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tables_are_sound),
        IN_FOLDER(every_default_is_taken),
        IN_FOLDER(presets_set_what_codebases_leave_silent),
        IN_FOLDER(a_key_beside_a_preset_wins),
        IN_FOLDER(overrides_win_over_files_and_presets),
        IN_FOLDER(padding_is_zero_for_cifar100),
        IN_FOLDER(numbers_are_widened_and_never_narrowed),
        IN_FOLDER(metrics_are_groups_or_names),
        IN_FOLDER(lists_of_names_are_known_names),
        IN_FOLDER(sparsity_has_layers_and_globs),
        IN_FOLDER(normalise_is_a_name_or_numbers),
        IN_FOLDER(paths_are_relative_to_their_file),
        IN_FOLDER(a_missing_plugin_folder_is_a_mistake),
        IN_FOLDER(mistakes_are_reported_together),
        IN_FOLDER(mistakes_are_printed_in_order),
        IN_FOLDER(a_key_is_unknown_to_all_owners_of_a_group_once),
        IN_FOLDER(required_keys_are_asked_for),
        IN_FOLDER(sections_are_groups),
        IN_FOLDER(rules_across_fields_are_checked),
        IN_FOLDER(names_can_be_folders),
        IN_FOLDER(mistakes_in_included_files_name_them),
        IN_FOLDER(backends_are_opened_only_by_name),
        IN_FOLDER(without_a_registry_no_plugin_is_known),
        IN_FOLDER(memory_may_run_out),
        IN_FOLDER(memory_may_run_out_for_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
