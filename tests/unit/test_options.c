/* SPDX-License-Identifier: MIT
 * test_options.c - cli/options.c: what is typed, and what is said where it makes no sense.
 */
#include "cli/commands.h"
#include "oom.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_ARGS = 16 };

/* Parses "run a.cfg --json"; the words live in `words`. */
struct typed {
    char words[256];
    char *argv[MAX_ARGS + 1];
    int argc;
    struct ftk__options o;
    struct ftk_error err;
};

static ftk_status type(struct typed *t, const struct ftk__command *c, const char *line)
{
    memset(t, 0, sizeof(*t));
    assert_true(ftk__format(t->words, sizeof(t->words), "%s", line));
    for (char *at = t->words; *at && t->argc < MAX_ARGS;) {
        t->argv[t->argc++] = at;
        at += strcspn(at, " ");
        if (*at)
            *at++ = 0;
    }
    return ftk__options_parse(c, t->argc, t->argv, &t->o, &t->err);
}

static void all_of_run(void **state)
{
    (void)state;
    struct typed t;
    assert_int_equal(type(&t, &ftk__command_run,
                          "run a.cfg -s x.y=1 --json b.cfg --set=z=2 -qv --out d --dense e --new "
                          "--dry-run"),
                     FTK_OK);
    assert_int_equal(t.o.n_set, 2);
    assert_string_equal(t.o.set[0], "x.y=1");
    assert_string_equal(t.o.set[1], "z=2");
    assert_true(t.o.json && t.o.quiet && t.o.verbose && t.o.fresh && t.o.dry_run);
    assert_false(t.o.help || t.o.cfg);
    assert_string_equal(t.o.out, "d");
    assert_string_equal(t.o.dense, "e");
    assert_int_equal(t.o.n_args, 2);
    assert_string_equal(t.o.args[0], "a.cfg");
    assert_string_equal(t.o.args[1], "b.cfg");
    ftk__options_done(&t.o);
}

static void interruptions_of_run(void **state)
{
    (void)state;
    struct typed t;
    assert_int_equal(type(&t, &ftk__command_run,
                          "run a.cfg --max-time 2h --checkpoint-every=0s --verify-resume 3"),
                     FTK_OK);
    assert_string_equal(t.o.max_time, "2h");
    assert_string_equal(t.o.checkpoint_every, "0s");
    assert_string_equal(t.o.verify_resume, "3");
    ftk__options_done(&t.o);
}

static void only_what_the_command_takes(void **state)
{
    (void)state;
    struct typed t;
    assert_int_equal(type(&t, &ftk__command_check, "check a.cfg --new"), FTK_EINVAL);
    assert_int_equal(ftk__error_exit_code(&t.err), FTK__EXIT_USAGE);
    assert_string_equal(t.err.message, "check has no option --new");
    ftk__options_done(&t.o);
    assert_int_equal(type(&t, &ftk__command_list, "list -- --json"), FTK_OK);
    assert_string_equal(t.o.args[0], "--json");
    ftk__options_done(&t.o);
}

struct bad {
    const char *line, *message;
};

static void mistakes(void **state)
{
    (void)state;
    static const struct bad bad[] = {
        { "run --jsno a", "run has no option --jsno; did you mean --json?" },
        { "run --frobnicate", "run has no option --frobnicate" },
        { "run -qx a", "run has no option -x" },
        { "run a --out", "--out needs DIR" },
        { "run a -s", "--set needs KEY=VALUE" },
        { "run", "run needs CFG..." },
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct typed t;
        assert_int_equal(type(&t, &ftk__command_run, bad[i].line), FTK_EINVAL);
        assert_int_equal(ftk__error_exit_code(&t.err), FTK__EXIT_USAGE);
        assert_string_equal(t.err.message, bad[i].message);
        assert_string_equal(t.err.context[0], "see: freetickets run --help");
        ftk__options_done(&t.o);
    }
    struct typed t;
    assert_int_equal(type(&t, &ftk__command_plan, "plan a b"), FTK_EINVAL);
    assert_string_equal(t.err.message, "plan: 'b' is one argument too many");
    ftk__options_done(&t.o);
}

/* --help asks for nothing else, and each command has a usage with each of its options. */
static void help_of_every_command(void **state)
{
    (void)state;
    for (int i = 0; ftk__commands[i]; i++) {
        const struct ftk__command *c = ftk__commands[i];
        struct typed t;
        struct ftk__str usage = { 0 };
        bool value;
        char line[64];
        ftk__format(line, sizeof(line), "%s -h", c->name);
        assert_int_equal(type(&t, c, line), FTK_OK);
        assert_true(t.o.help);
        ftk__options_done(&t.o);
        ftk__usage_print(c, &usage);
        assert_non_null(strstr(usage.text, c->summary));
        for (uint32_t k = 0; ftk__option_name(c, k, &value); k++) {
            ftk__format(line, sizeof(line), "--%s%s", ftk__option_name(c, k, &value),
                        value ? " " : "");
            assert_non_null(strstr(usage.text, line));
        }
        ftk__str_done(&usage);
    }
}

static ftk_status parse(void *arg)
{
    struct typed t;
    (void)arg;
    ftk_status st = type(&t, &ftk__command_run, "run a.cfg -s x=1");
    ftk__options_done(&t.o);
    return st;
}

static void memory_failures_are_reported(void **state)
{
    (void)state;
    assert_int_equal(ftk_oom_sweep(parse, NULL, 1), 2); /* -s and --skip */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_run),
        cmocka_unit_test(interruptions_of_run),
        cmocka_unit_test(only_what_the_command_takes),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(help_of_every_command),
        cmocka_unit_test(memory_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
