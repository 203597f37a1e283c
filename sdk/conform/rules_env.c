/* SPDX-License-Identifier: MIT
 * conform/rules_env.c - loading and calls leave the process as it was.
 */
#include "conform/driver.h"
#include "conform/process_state.h"
#include "plugin/loader.h"
#include <dlfcn.h>
#include <string.h>

static ftk_status ignore(const ftk_registry *r, const ftk_algo *a)
{
    (void)r;
    (void)a;
    return FTK_OK;
}

/* dlopen and both functions, without the loader's own guard. */
static void loading(struct ftk__case *c)
{
    const ftk_registry reg = {
        .size = sizeof(reg),
        .abi_major = FTK_ABI_MAJOR,
        .abi_minor = FTK_ABI_MINOR,
        .add = ignore,
    };
    struct ftk__process_state before;
    const ftk_stamp *(*stamp)(void);
    ftk_status (*offer)(const ftk_registry *);
    ftk__process_state_take(&before);
    void *file = dlopen(c->path, RTLD_NOW | RTLD_LOCAL);
    if (!file)
        ftk__kit_fail(c, "does not load: %s", dlerror());
    ftk__process_state_check(c, &before, "loading");
    void *symbol[2] = { dlsym(file, "ftk_plugin_stamp"), dlsym(file, "ftk_plugin_register") };
    if (!symbol[0] || !symbol[1])
        ftk__kit_fail(c, "one of the two functions is missing");
    memcpy(&stamp, &symbol[0], sizeof(stamp));
    memcpy(&offer, &symbol[1], sizeof(offer));
    (void)stamp();
    (void)offer(&reg);
    ftk__process_state_check(c, &before, "registering");
}

static void calls(struct ftk__case *c)
{
    struct ftk__process_state before;
    struct ftk__subject s;
    if (c->algo->kind == FTK_KIND_BACKEND)
        ftk__kit_skip(c, "a backend may own threads and descriptors");
    ftk__process_state_take(&before);
    ftk__subject_new(c, NULL, &s);
    ftk__process_state_check(c, &before, "create()");
    ftk__driver_of(c)->act(c, &s, &(struct ftk__how){ 0 }, NULL);
    ftk__process_state_check(c, &before, "the calls");
    ftk__subject_done(c, &s);
    ftk__process_state_check(c, &before, "destroy()");
}

static const struct ftk__rule rules[] = {
    { .id = "ENV-01",
      .level = 1,
      .kinds = FTK__ON_ALL,
      .flags = FTK__RULE_FILE | FTK__RULE_RAW,
      .needs = "ABI-01",
      .title = "loading leaves the process as it was",
      .why = "a plugin file is opened by every command that lists plugins",
      .fix = "use no constructors and no libraries that change the process when they load",
      .run = loading },
    { .id = "ENV-02",
      .level = 2,
      .kinds = FTK__ON_ALL_BUT_BACKEND,
      .needs = "ABI-01 ENV-01 MEM-03",
      .title = "calls leave the process as it was and print nothing",
      .why = "standard output carries results, and the process is not the plugin's",
      .fix = "use host->log for messages; change no process-wide setting",
      .run = calls },
};
const struct ftk__rule_family ftk__family_env = { rules, sizeof(rules) / sizeof(rules[0]) };
