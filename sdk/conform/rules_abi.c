/* SPDX-License-Identifier: MIT
 * conform/rules_abi.c - what a file must be before anything else of it is looked at.
 */
#include "conform/kit.h"
#include "plugin/loader.h"

static ftk_status ignore(const ftk_registry *r, const ftk_algo *a)
{
    (void)r;
    (void)a;
    return FTK_OK;
}

/* ABI-01: the loader's own judgement. */
static void loads(struct ftk__case *c)
{
    const ftk_registry reg = {
        .size = sizeof(reg),
        .abi_major = FTK_ABI_MAJOR,
        .abi_minor = FTK_ABI_MINOR,
        .add = ignore,
    };
    struct ftk_error err;
    const ftk_stamp *stamp;
    if (ftk__plugin_load(c->path, &reg, &stamp, &err) < 0)
        ftk__kit_fail(c, "%s", err.message);
}

static const struct ftk__rule rules[] = {
    { .id = "ABI-01",
      .level = 1,
      .kinds = FTK__ON_ALL,
      .flags = FTK__RULE_FILE | FTK__RULE_RAW,
      .needs = "",
      .title = "the file loads and every symbol resolves",
      .why = "the program loads a plugin with RTLD_NOW | RTLD_LOCAL and nothing beside it",
      .fix = "link what the plugin uses; build with the SDK's flags",
      .run = loads },
};
const struct ftk__rule_family ftk__family_abi = { rules, sizeof(rules) / sizeof(rules[0]) };
