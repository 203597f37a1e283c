/* SPDX-License-Identifier: MIT
 * cli/commands.c - which command was meant, and what to say where none was.
 */
#include "cli/commands.h"

#include "base/json.h"
#include "base/log.h"
#include <errno.h>
#include <string.h>

const struct ftk__command *const ftk__commands[] = {
    &ftk__command_run,      &ftk__command_check,   &ftk__command_plan,       &ftk__command_list,
    &ftk__command_describe, &ftk__command_new,     &ftk__command_conform,    &ftk__command_table,
    &ftk__command_data,     &ftk__command_version, &ftk__command_completion, NULL,
};
enum { N_COMMANDS = sizeof(ftk__commands) / sizeof(ftk__commands[0]) - 1 };

int ftk__cli_fail(const struct ftk_error *err)
{
    fflush(stdout); /* what was printed before stays before */
    ftk__error_print(stderr, err);
    return ftk__error_exit_code(err);
}

int ftk__cli_print(struct ftk__str *s)
{
    struct ftk_error err;
    bool failed = s->failed;
    if (!failed && s->text)
        fputs(s->text, stdout);
    ftk__str_done(s);
    if (!failed)
        return FTK__EXIT_OK;
    ftk__fail(&err, FTK_ENOMEM, "out of memory for the output");
    return ftk__cli_fail(&err);
}

static void print_commands(FILE *to)
{
    fputs("usage: freetickets COMMAND [arguments]\n"
          "Trains ensembles of sparse neural networks.\n\ncommands:\n",
          to);
    for (int i = 0; i < N_COMMANDS; i++)
        fprintf(to, "  %-10s  %s\n", ftk__commands[i]->name, ftk__commands[i]->summary);
    fputs("\n`freetickets help COMMAND` says what a command takes, as does COMMAND --help.\n", to);
}

static int unknown_command(const char *word)
{
    struct ftk_error err;
    const char *names[N_COMMANDS];
    for (int i = 0; i < N_COMMANDS; i++)
        names[i] = ftk__commands[i]->name;
    const char *nearest = ftk__str_nearest(word, names, N_COMMANDS);
    if (nearest)
        ftk__fail_exit(&err, FTK_EINVAL, FTK__EXIT_USAGE,
                       "there is no command '%s'; did you mean '%s'?", word, nearest);
    else
        ftk__fail_exit(&err, FTK_EINVAL, FTK__EXIT_USAGE, "there is no command '%s'", word);
    ftk__error_context(&err, "see: freetickets --help");
    return ftk__cli_fail(&err);
}

static int run_command(const struct ftk__command *c, int argc, char **argv)
{
    struct ftk__options o;
    struct ftk_error err;
    struct ftk__str usage = { 0 };
    int code;
    ftk_status st = ftk__options_parse(c, argc, argv, &o, &err);
    if (st >= 0 && o.help) {
        ftk__usage_print(c, &usage);
        code = ftk__cli_print(&usage);
    } else if (st >= 0) {
        ftk__log_setup(o.verbose ? FTK_DEBUG : FTK_INFO, o.quiet);
        code = c->run(&o);
    } else {
        code = ftk__cli_fail(&err);
    }
    ftk__options_done(&o);
    return code;
}

static const struct ftk__command *named(const char *word)
{
    for (int i = 0; i < N_COMMANDS; i++)
        if (strcmp(word, ftk__commands[i]->name) == 0)
            return ftk__commands[i];
    return NULL;
}

/* `help`, `help COMMAND`: as --help says. */
static int help(int argc, char **argv)
{
    struct ftk__str usage = { 0 };
    struct ftk_error err;
    if (argc > 2) {
        ftk__fail_exit(&err, FTK_EINVAL, FTK__EXIT_USAGE, "help: '%s' is one argument too many",
                       argv[2]);
        return ftk__cli_fail(&err);
    }
    const struct ftk__command *c = argc > 1 ? named(argv[1]) : NULL;
    if (argc > 1 && strcmp(argv[1], "help") != 0 && !c)
        return unknown_command(argv[1]);
    if (!c) {
        print_commands(stdout);
        return FTK__EXIT_OK;
    }
    ftk__usage_print(c, &usage);
    return ftk__cli_print(&usage);
}

/* Results that never reached their reader are a failure too; one that was told is enough. */
static int flush_output(int code)
{
    struct ftk_error err;
    errno = 0;
    if ((fflush(stdout) == 0 && !ferror(stdout)) || code != FTK__EXIT_OK)
        return code;
    ftk__fail(&err, FTK_EIO, "cannot write the output: %s", strerror(errno ? errno : EIO));
    return ftk__cli_fail(&err);
}

int ftk__cli_main(int argc, char **argv)
{
    ftk__json_setup();
    const char *word = argc > 1 ? argv[1] : "";
    if (argc < 2) {
        print_commands(stderr);
        return FTK__EXIT_USAGE;
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        print_commands(stdout);
        return flush_output(FTK__EXIT_OK);
    }
    if (strcmp(word, "--version") == 0)
        word = "version";
    if (strcmp(word, "help") == 0)
        return flush_output(help(argc - 1, argv + 1));
    const struct ftk__command *c = named(word);
    return c ? flush_output(run_command(c, argc - 1, argv + 1)) : unknown_command(word);
}
