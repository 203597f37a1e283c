/* SPDX-License-Identifier: MIT
 * test_cfgtree.c - libconfig's result as a tree of ours, and overrides of it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "config/cfgtree.h"
#include <stdlib.h>
#include <string.h>

struct tree {
    struct ftk__arena arena;
    struct ftk__setting *root;
    struct ftk_error err;
};

static int make(void **state)
{
    *state = calloc(1, sizeof(struct tree));
    return *state ? 0 : -1;
}

static int clean(void **state)
{
    struct tree *t = *state;
    ftk__arena_done(&t->arena);
    free(t);
    return 0;
}

static ftk_status parse(struct tree *t, const char *text)
{
    struct ftk__prescan p;
    t->err = (struct ftk_error){ 0 };
    ftk_status st = ftk__prescan_text(text, strlen(text), "t.cfg", &p, &t->err);
    if (st == FTK_OK)
        st = ftk__tree_parse(&p, &t->arena, &t->root, &t->err);
    ftk__prescan_done(&p);
    return st;
}

static const struct ftk__setting *at(const struct tree *t, const char *path)
{
    const struct ftk__setting *s = ftk__setting_find(t->root, path);
    if (!s)
        fail_msg("no %s", path);
    return s;
}

static void values_keep_their_type(void **state)
{
    struct tree *t = *state;
    assert_int_equal(parse(t, "a = 1; b = 1.0; c = true; d = \"x\"; e = 3000000000;\n"
                              "f = [0.5, 1]; g = ( 1, \"y\", { h = -2; } ); i = 0xFFFFFFFFF;"),
                     FTK_OK);
    assert_int_equal(at(t, "a")->type, FTK__SET_INT);
    assert_true(at(t, "a")->i == 1 && at(t, "a")->f == 1.0);
    assert_int_equal(at(t, "b")->type, FTK__SET_FLOAT);
    assert_int_equal(at(t, "c")->type, FTK__SET_BOOL);
    assert_true(at(t, "c")->b);
    assert_string_equal(at(t, "d")->s, "x");
    assert_true(at(t, "e")->i == 3000000000 && at(t, "e")->f == 3e9);
    assert_int_equal(at(t, "f")->type, FTK__SET_ARRAY);
    assert_true(at(t, "f")->child[0]->f == 0.5 && at(t, "f")->child[1]->f == 1.0);
    assert_int_equal(at(t, "g")->type, FTK__SET_LIST);
    assert_int_equal(at(t, "g")->n, 3);
    assert_true(ftk__setting_get(at(t, "g")->child[2], "h")->i == -2);
    assert_true(at(t, "i")->i == 68719476735);
    assert_null(ftk__setting_find(t->root, "g.h"));
}

static void every_setting_knows_its_line(void **state)
{
    struct tree *t = *state;
    assert_int_equal(parse(t, "a = 1;\n/* b\n = 2; */\n\ng = {\n  h = [1,\n 0.5];\n};\n"), FTK_OK);
    assert_int_equal(at(t, "a")->line, 1);
    assert_int_equal(at(t, "g")->line, 5);
    assert_int_equal(at(t, "g.h")->line, 6);
    assert_int_equal(at(t, "g.h")->child[1]->line, 7);
    assert_string_equal(at(t, "g.h")->file, "t.cfg");
    assert_int_equal(t->root->line, 0);
}

static void expect_error(struct tree *t, const char *text, const char *want)
{
    assert_int_equal(parse(t, text), FTK_EINVAL);
    assert_int_equal(ftk__error_exit_code(&t->err), FTK__EXIT_CONFIG);
    assert_string_equal(t->err.message, want);
}

static void the_first_syntax_error_is_reported(void **state)
{
    struct tree *t = *state;
    expect_error(t, "a = 1;\nb = ;\nc = ;\n", "t.cfg:2: syntax error: b = ;");
    expect_error(t, "a = {\n  b = 1;\n",
                 "t.cfg:3: syntax error: the file ends inside a group, list or setting");
    expect_error(t, "a = 1;\n  a = 2;\n", "t.cfg:2: duplicate setting name: a = 2;");
    expect_error(t, "a = [1, \"x\"];",
                 "t.cfg:1: mismatched element type in array: a = [1, \"x\"];");
    expect_error(t, "a = [1, [2]];", "t.cfg:1: syntax error: a = [1, [2]];");
    expect_error(t, "a = nan;", "t.cfg:1: syntax error: a = nan;");
    assert_int_equal(parse(t, ""), FTK_OK);
    assert_int_equal(t->root->n, 0);
}

/* The exit status of one override of "seed = 1; g = { use = "one"; own = 2; members = 3; };". */
static ftk_status override(struct tree *t, const char *a, const char *b)
{
    const char *all[] = { a, b };
    assert_int_equal(parse(t, "seed = 1; data = { dir = \"d\"; };\n"
                              "ensemble = { use = \"one\"; own = 2; members = 3; };\n"
                              "topology = { prune = { own = 1; }; rate = 0.5; };\n"),
                     FTK_OK);
    t->err = (struct ftk_error){ 0 };
    return ftk__tree_override(t->root, all, b ? 2 : 1, &t->arena, &t->err);
}

static void overrides_are_values_as_in_a_file(void **state)
{
    struct tree *t = *state;
    assert_int_equal(override(t, "seed=5", NULL), FTK_OK);
    assert_int_equal(at(t, "seed")->i, 5);
    assert_int_equal(at(t, "seed")->line, 0);
    assert_string_equal(at(t, "seed")->file, "-s");
    assert_int_equal(override(t, "seed = 3000000000", NULL), FTK_EINVAL);
    assert_int_equal(override(t, "seed=3000000000", "topology.rate=1e-1"), FTK_OK);
    assert_true(at(t, "seed")->i == 3000000000);
    assert_true(at(t, "topology.rate")->f == 0.1);
    assert_int_equal(override(t, "optim.milestones=[0.5, 1]", "backend.tune=true"), FTK_OK);
    assert_true(at(t, "optim.milestones")->child[1]->f == 1.0);
    assert_true(at(t, "backend.tune")->b);
    assert_int_equal(override(t, "metrics=( { use = \"ece\"; bins = 3; } )", NULL), FTK_OK);
    assert_int_equal(ftk__setting_get(at(t, "metrics")->child[0], "bins")->i, 3);
    assert_int_equal(override(t, "seed=1", "seed=2"), FTK_OK);
    assert_int_equal(at(t, "seed")->i, 2);
    assert_int_equal(t->root->n, 4);
}

static void quotes_may_be_left_out(void **state)
{
    struct tree *t = *state;
    const char *same[] = { "data.dir=\"/x/y\"", "data.dir=/x/y" };
    for (int i = 0; i < 2; i++) {
        assert_int_equal(override(t, same[i], NULL), FTK_OK);
        assert_string_equal(at(t, "data.dir")->s, "/x/y");
    }
    assert_int_equal(override(t, "ensemble.explore=150ep", "name=a=b c"), FTK_OK);
    assert_string_equal(at(t, "ensemble.explore")->s, "150ep");
    assert_string_equal(at(t, "name")->s, "a=b c");
    assert_int_equal(override(t, "topology.prune.use=org.example.topk:magnitude", NULL), FTK_OK);
    assert_string_equal(at(t, "topology.prune.use")->s, "org.example.topk:magnitude");
}

static void malformed_overrides_are_usage_errors(void **state)
{
    struct tree *t = *state;
    static const struct {
        const char *text, *message;
    } bad[] = {
        { "seed", "-s seed: not path.to.key=value" },
        { "=1", "-s =1: not path.to.key=value" },
        { "a..b=1", "-s a..b=1: not path.to.key=value" },
        { "a.=1", "-s a.=1: not path.to.key=value" },
        { "1a=1", "-s 1a=1: not path.to.key=value" },
        { "seed=", "-s seed=: no value (\"\" is empty text)" },
        { "seed=1e400", "-s seed=1e400: 1e400 is not finite as a number (at most 1.797e308)" },
        { "seed=1; b = 2", "-s seed=1; b = 2: more than one value" },
        { "seed=[1, \"x\"]", "-s seed=[1, \"x\"]: mismatched element type in array" },
        { "seed=\"x", "-s seed=\"x: a string is not closed on its line" },
        { "seed.x=1", "-s seed.x=1: 'seed' is an integer, not a group" },
        { "seed=@include \"x\"; y = 1", "-s seed=@include \"x\"; y = 1: unexpected '@'" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(override(t, bad[i].text, NULL), FTK_EINVAL);
        assert_int_equal(ftk__error_exit_code(&t->err), FTK__EXIT_USAGE);
        assert_string_equal(t->err.message, bad[i].message);
    }
}

static void another_use_drops_the_keys_of_the_former(void **state)
{
    struct tree *t = *state;
    assert_int_equal(override(t, "ensemble.use=two", NULL), FTK_OK);
    assert_null(ftk__setting_find(t->root, "ensemble.own"));
    assert_int_equal(at(t, "ensemble.members")->i, 3);
    assert_string_equal(at(t, "ensemble.use")->s, "two");
    /* The same name keeps them, and what was given beside it stays in any order. */
    assert_int_equal(override(t, "ensemble.use=one", NULL), FTK_OK);
    assert_int_equal(at(t, "ensemble.own")->i, 2);
    assert_int_equal(override(t, "ensemble.mine=7", "ensemble.use=two"), FTK_OK);
    assert_int_equal(at(t, "ensemble.mine")->i, 7);
    assert_null(ftk__setting_find(t->root, "ensemble.own"));
    /* A group without `use` holds keys of the default. */
    assert_int_equal(override(t, "topology.prune.use=magnitude", NULL), FTK_OK);
    assert_int_equal(at(t, "topology.prune.own")->i, 1);
    assert_int_equal(override(t, "topology.prune.use=set", NULL), FTK_OK);
    assert_null(ftk__setting_find(t->root, "topology.prune.own"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_keep_their_type, make, clean),
        cmocka_unit_test_setup_teardown(every_setting_knows_its_line, make, clean),
        cmocka_unit_test_setup_teardown(the_first_syntax_error_is_reported, make, clean),
        cmocka_unit_test_setup_teardown(overrides_are_values_as_in_a_file, make, clean),
        cmocka_unit_test_setup_teardown(quotes_may_be_left_out, make, clean),
        cmocka_unit_test_setup_teardown(malformed_overrides_are_usage_errors, make, clean),
        cmocka_unit_test_setup_teardown(another_use_drops_the_keys_of_the_former, make, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
