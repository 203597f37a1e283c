/* SPDX-License-Identifier: MIT
 * cli/commands.h - the table of commands, and the program's main function.
 */
#ifndef FTK__COMMANDS_H
#define FTK__COMMANDS_H
#include "cli/options.h"

extern const struct ftk__command *const ftk__commands[]; /* NULL-terminated      */

/* One file a command. */
extern const struct ftk__command ftk__command_run, ftk__command_check, ftk__command_plan,
    ftk__command_list, ftk__command_describe, ftk__command_conform, ftk__command_new,
    ftk__command_table, ftk__command_data, ftk__command_version, ftk__command_completion;

/* Runs `freetickets ARGS` and returns what the shell sees. */
int ftk__cli_main(int argc, char **argv);

/* Prints an error to stderr and gives its exit code. */
int ftk__cli_fail(const struct ftk_error *err);
/* Prints `s` to stdout, frees it and gives an exit code: 0, or 70 where memory ran out. */
int ftk__cli_print(struct ftk__str *s);
#endif
