/* SPDX-License-Identifier: MIT
 * cli/cmd_completion.c - `freetickets completion SHELL`: a script for bash, zsh or fish, made from
 * the table of commands.
 */
#include "cli/commands.h"
#include <string.h>

static void add_options(const struct ftk__command *c, struct ftk__str *out)
{
    const char *name;
    bool value;
    for (uint32_t i = 0; (name = ftk__option_name(c, i, &value)) != NULL; i++)
        ftk__str_addf(out, "%s--%s", i ? " " : "", name);
}

static void add_commands(struct ftk__str *out)
{
    for (int i = 0; ftk__commands[i]; i++)
        ftk__str_addf(out, "%s%s", i ? " " : "", ftk__commands[i]->name);
}

static void bash(struct ftk__str *out)
{
    ftk__str_add(out, "_freetickets() {\n"
                      "    local word=${COMP_WORDS[COMP_CWORD]} words= arguments=\n"
                      "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                      "        COMPREPLY=($(compgen -W \"");
    add_commands(out);
    ftk__str_add(out, "\" -- \"$word\"))\n"
                      "        return\n"
                      "    fi\n"
                      "    case ${COMP_WORDS[1]} in\n");
    for (int i = 0; ftk__commands[i]; i++) {
        ftk__str_addf(out, "    %s) words=\"", ftk__commands[i]->name);
        add_options(ftk__commands[i], out);
        ftk__str_addf(out, "\" arguments=\"%s\" ;;\n",
                      ftk__commands[i]->words ? ftk__commands[i]->words : "");
    }
    ftk__str_add(out, "    esac\n"
                      "    case $word in\n"
                      "    -*) COMPREPLY=($(compgen -W \"$words\" -- \"$word\")) ;;\n"
                      "    *)\n"
                      "        if [ -n \"$arguments\" ]; then\n"
                      "            COMPREPLY=($(compgen -W \"$arguments\" -- \"$word\"))\n"
                      "        else\n"
                      "            COMPREPLY=($(compgen -f -- \"$word\"))\n"
                      "        fi\n"
                      "        ;;\n"
                      "    esac\n"
                      "}\n"
                      "complete -o filenames -F _freetickets freetickets\n");
}

static void zsh(struct ftk__str *out)
{
    ftk__str_add(out, "#compdef freetickets\n"
                      "autoload -U bashcompinit\n"
                      "bashcompinit\n");
    bash(out);
}

static void fish(struct ftk__str *out)
{
    for (int i = 0; ftk__commands[i]; i++) {
        const struct ftk__command *c = ftk__commands[i];
        const char *name;
        bool value;
        ftk__str_addf(out, "complete -c freetickets -n __fish_use_subcommand -f -a %s -d \"%s\"\n",
                      c->name, c->summary);
        if (c->words)
            ftk__str_addf(out,
                          "complete -c freetickets -n \"__fish_seen_subcommand_from %s\" "
                          "-a \"%s\"\n",
                          c->name, c->words);
        for (uint32_t k = 0; (name = ftk__option_name(c, k, &value)) != NULL; k++)
            ftk__str_addf(out,
                          "complete -c freetickets -n \"__fish_seen_subcommand_from %s\" -l %s%s\n",
                          c->name, name, value ? " -r" : "");
    }
}

static int run(const struct ftk__options *o)
{
    struct ftk__str out = { 0 };
    struct ftk_error err;
    const char *shell = o->args[0];
    if (strcmp(shell, "bash") == 0)
        bash(&out);
    else if (strcmp(shell, "zsh") == 0)
        zsh(&out);
    else if (strcmp(shell, "fish") == 0)
        fish(&out);
    else {
        ftk__fail_exit(&err, FTK_EINVAL, FTK__EXIT_USAGE,
                       "no completion for '%s': bash, zsh or fish", shell);
        return ftk__cli_fail(&err);
    }
    return ftk__cli_print(&out);
}

const struct ftk__command ftk__command_completion = {
    .name = "completion",
    .args = "bash|zsh|fish",
    .summary = "Prints a completion script for a shell",
    .details = "bash: freetickets completion bash > "
               "~/.local/share/bash-completion/completions/freetickets",
    .takes = 0,
    .min_args = 1,
    .max_args = 1,
    .run = run,
    .words = "bash zsh fish",
};
