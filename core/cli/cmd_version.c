/* SPDX-License-Identifier: MIT
 * cli/cmd_version.c - `freetickets version`: version, compiler, plugin interface, libraries.
 */
#include "cli/commands.h"

#include "base/json.h"
#include "base/path.h"
#include "base/mem.h"
#include "cli/host_info.h"
#include "cli/json_text.h"

static int print_json(const char *plugins)
{
    struct ftk_error err;
    json_t *doc = json_pack("{s:s, s:s, s:s, s:[i,i], s:s, s:o}", "name", "freetickets", "version",
                            FTK_VERSION, "compiler", ftk__compiler(), "abi", (int)FTK_ABI_MAJOR,
                            (int)FTK_ABI_MINOR, "jansson", JANSSON_VERSION, "plugins",
                            ftk__json_text(plugins));
    int code = FTK__EXIT_OK;
    if (!doc)
        ftk__fail(&err, FTK_ENOMEM, "no memory for the version");
    if (!doc || ftk__json_print(stdout, doc, &err) < 0)
        code = ftk__cli_fail(&err);
    json_decref(doc);
    return code;
}

static int run(const struct ftk__options *o)
{
    char *plugins = ftk__path_plugins();
    int code = FTK__EXIT_OK;
    if (o->json)
        code = print_json(plugins);
    else
        printf("freetickets %s\ncompiler  %s\nabi       %u.%u\nplugins   %s\njansson   %s\n",
               FTK_VERSION, ftk__compiler(), FTK_ABI_MAJOR, FTK_ABI_MINOR,
               plugins ? plugins : "none", JANSSON_VERSION);
    ftk__free(plugins);
    return code;
}

const struct ftk__command ftk__command_version = {
    .name = "version",
    .args = "",
    .summary = "Prints version, compiler and plugin interface",
    .details = "",
    .takes = FTK__OPT_JSON,
    .min_args = 0,
    .max_args = 0,
    .run = run,
};
