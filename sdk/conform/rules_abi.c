/* SPDX-License-Identifier: MIT
 * conform/rules_abi.c - the file, its stamp, its symbols, its descriptors.
 */
#include "conform/kit.h"
#include "conform/kit_host.h"
#include "conform/process.h"
#include "conform/raw_file.h"
#include "plugin/elf_check.h"
#include "plugin/loader.h"
#include <string.h>

static void loads(struct ftk__case *c)
{
    struct ftk__raw_file f;
    struct ftk_error err;
    if (ftk__elf_check(c->path, &err) < 0)
        ftk__kit_fail(c, "%s", err.message);
    ftk__raw_open(c, &f);
}

static void stamp(struct ftk__case *c)
{
    struct ftk__raw_file f;
    struct ftk_error err;
    ftk__raw_open(c, &f);
    const ftk_stamp *s = f.stamp();
    if (ftk__stamp_check(s, &err) < 0)
        ftk__kit_fail(c, "%s", err.message);
    if (f.stamp() != s)
        ftk__kit_fail(c, "ftk_plugin_stamp() gives another pointer when it is called again");
}

/* What linkers define by themselves. */
static bool is_linkers(const char *name)
{
    static const char *const names[] = { "_init",      "_fini",       "_edata",
                                         "_end",       "__bss_start", "__bss_start__",
                                         "_bss_end__", "__bss_end__", "__end__" };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    /* Sanitizers' own, and the anchors of C++ templates that must be one in a process. */
    return ftk__str_starts(name, "__asan") || ftk__str_starts(name, "__odr_asan") ||
           ftk__str_starts(name, "__ubsan") || ftk__str_starts(name, "__tsan");
}

static void symbols(struct ftk__case *c)
{
    struct ftk__raw_symbols s;
    const char *name;
    ftk__raw_symbols_open(c, &s);
    while ((name = ftk__raw_symbol(&s, true)) != NULL)
        if (strcmp(name, "ftk_plugin_stamp") != 0 && strcmp(name, "ftk_plugin_register") != 0 &&
            !is_linkers(name))
            ftk__kit_fail(c, "it exports '%s' beside its two symbols", name);
    s.at = 0;
    while ((name = ftk__raw_symbol(&s, false)) != NULL)
        if (ftk__str_starts(name, "ftk_"))
            ftk__kit_fail(c, "it needs '%s': a plugin links against nothing of the core", name);
}

static void registers(struct ftk__case *c)
{
    struct ftk__raw_file f;
    const ftk_algo *first[FTK__RAW_ALGOS];
    ftk__raw_open(c, &f);
    ftk__raw_register(&f);
    uint32_t n = f.n;
    if (f.given != FTK_OK)
        ftk__kit_fail(c, "ftk_plugin_register() returns %s", ftk__status_name(f.given));
    if (n == 0)
        ftk__kit_fail(c, "it registers no algorithm");
    memcpy(first, f.algo, sizeof(first));
    ftk__raw_register(&f);
    if (f.given != FTK_OK || f.n != n || memcmp(first, f.algo, n * sizeof(first[0])) != 0)
        ftk__kit_fail(c, "called again it registers %u algorithms, not the same %u", f.n, n);
    for (uint32_t i = 1; i <= n; i++) {
        f.refuse_at = i;
        ftk__raw_register(&f);
        if (f.given != FTK_EEXIST)
            ftk__kit_fail(c, "the registry refuses algorithm %u with EEXIST, it returns %s", i,
                          ftk__status_name(f.given));
    }
}

/* Every algorithm that the file adds, or nothing where it adds NULL. */
static void open_algos(struct ftk__case *c, struct ftk__raw_file *f)
{
    ftk__raw_open(c, f);
    ftk__raw_register(f);
    for (uint32_t i = 0; i < f->n; i++)
        if (!f->algo[i])
            ftk__kit_fail(c, "it registers NULL as an algorithm");
}

/* Among the mistakes of ops: those of layout, not of what is missing. */
static bool is_layout(ftk_status st, const struct ftk_error *err)
{
    return st == FTK_EABI || ftk__str_starts(err->message, "unknown ") ||
           strstr(err->message, "reserved");
}

static void in_mapping(struct ftk__case *c, const struct ftk__raw_file *f, const void *p,
                       const char *what)
{
    if (p && !ftk__raw_holds(f, p))
        ftk__kit_fail(c, "%s lies outside of the file's mapping: it must be static", what);
}

static void descriptors(struct ftk__case *c)
{
    struct ftk__raw_file f;
    struct ftk_error err;
    open_algos(c, &f);
    for (uint32_t i = 0; i < f.n; i++) {
        const ftk_algo *a = f.algo[i];
        in_mapping(c, &f, a, "a descriptor");
        if (ftk__algo_check_part(a, FTK__ALGO_HEAD, &err) < 0)
            ftk__kit_fail(c, "%s", err.message);
        if (a->params && a->param_stride != sizeof(ftk_param))
            ftk__kit_fail(c, "param_stride is %u, the SDK's is %zu", a->param_stride,
                          sizeof(ftk_param));
        if (a->flags & ~(uint32_t)FTK_ALGO_REENTRANT)
            ftk__kit_fail(c, "unknown flags 0x%x", a->flags);
        in_mapping(c, &f, a->name, "a name");
        in_mapping(c, &f, a->summary, "a summary");
        in_mapping(c, &f, a->reference, "a reference");
        in_mapping(c, &f, a->params, "a table of parameters");
        in_mapping(c, &f, a->ops, "ops");
        ftk_status st = ftk__algo_check_part(a, FTK__ALGO_OPS, &err);
        if (st < 0 && is_layout(st, &err))
            ftk__kit_fail(c, "%s: %s", a->name ? a->name : "", err.message);
    }
}

static void operations(struct ftk__case *c)
{
    struct ftk__raw_file f;
    struct ftk_error err;
    open_algos(c, &f);
    for (uint32_t i = 0; i < f.n; i++) {
        const ftk_algo *a = f.algo[i];
        bool stateless = a->kind == FTK_KIND_ENSEMBLE || a->kind == FTK_KIND_METRIC ||
                         a->kind == FTK_KIND_BACKEND;
        ftk_status st = ftk__algo_check_part(a, FTK__ALGO_OPS, &err);
        if (st < 0 && !is_layout(st, &err))
            ftk__kit_fail(c, "%s: %s", a->name ? a->name : "", err.message);
        if (stateless && a->state_bytes != 0)
            ftk__kit_fail(c, "state_bytes is %u, this kind has none", a->state_bytes);
        if (a->get_extension && a->get_extension("none/9"))
            ftk__kit_fail(c, "get_extension(\"none/9\") is not NULL");
    }
}

static void quick(struct ftk__case *c)
{
    struct ftk__raw_file f;
    double from = ftk__process_now();
    ftk__raw_open(c, &f);
    (void)f.stamp();
    ftk__raw_register(&f);
    double ms = 1e3 * (ftk__process_now() - from);
    if (ms > 100)
        ftk__kit_fail(c, "loading and registering took %.0f ms", ms);
}

static void names(struct ftk__case *c)
{
    struct ftk__raw_file f;
    struct ftk_error err;
    open_algos(c, &f);
    for (uint32_t i = 0; i < f.n; i++) {
        const ftk_algo *a = f.algo[i];
        if (ftk__algo_check_part(a, FTK__ALGO_HEAD, &err) < 0)
            return; /* ABI-05's */
        bool stateless =
            a->state_bytes != 0; /* ABI-06's, though the core checks it with the words */
        bool flags = a->flags & ~(uint32_t)FTK_ALGO_REENTRANT; /* ABI-05's */
        if (ftk__algo_check_part(a, FTK__ALGO_WORDS, &err) < 0 && !flags &&
            !(stateless && strstr(err.message, "state_bytes")))
            ftk__kit_fail(c, "%s", err.message);
        for (uint32_t k = 0; k < i; k++)
            if (f.algo[k]->kind == a->kind && strcmp(f.algo[k]->name, a->name) == 0)
                ftk__kit_fail(c, "%s '%s' is registered twice", ftk__kind_name((ftk_kind)a->kind),
                              a->name);
    }
}

#define FILE_RULE(id_, level_, flags_, needs_, title_, why_, fix_, run_)                           \
    {                                                                                              \
        .id = id_, .level = level_, .kinds = FTK__ON_ALL,                                          \
        .flags = FTK__RULE_FILE | FTK__RULE_RAW | (flags_), .needs = needs_, .title = title_,      \
        .why = why_, .fix = fix_, .run = run_                                                      \
    }

static const struct ftk__rule rules[] = {
    FILE_RULE("ABI-01", 1, 0, "", "the file loads and every symbol resolves",
              "the program loads a plugin with RTLD_NOW | RTLD_LOCAL and nothing beside it",
              "link what the plugin uses; build with the SDK's flags", loads),
    FILE_RULE("ABI-02", 1, 0, "ABI-01", "the stamp is of this interface and says who it is",
              "it is read before any other code of the plugin runs",
              "use FTK_PLUGIN(\"org.example.name\", \"1.0.0\", \"MIT\", ...) and rebuild", stamp),
    FILE_RULE("ABI-03", 1, 0, "ABI-01", "it exports its two symbols alone and needs none of ours",
              "two plugins must not see each other's names",
              "build with freetickets_add_plugin(), or the flags of pkg-config freetickets-sdk",
              symbols),
    FILE_RULE("ABI-04", 1, 0, "ABI-01 ABI-02",
              "it registers, twice the same, and passes refusals on",
              "the core, `list` and this kit are three registries", "use FTK_PLUGIN", registers),
    FILE_RULE("ABI-05", 1, 0, "ABI-04",
              "sizes are the SDK's, no unknown kind, code or flag, pointers are to static storage",
              "descriptors live for ever, and unknown bits may mean something tomorrow",
              "fill .size with sizeof; make descriptors static const", descriptors),
    FILE_RULE("ABI-06", 1, 0, "ABI-05", "required operations are there, exclusive ones exclude",
              "the core calls them without asking",
              "set exactly one of score and select, or of density and select", operations),
    FILE_RULE("ABI-08", 2, FTK__RULE_WARN, "ABI-04", "loading and registering take under 100 ms",
              "every command that lists plugins waits for it", "move work to create()", quick),
    FILE_RULE("NAM-01", 1, 0, "ABI-04 ABI-05",
              "names are [a-z][a-z0-9_]*, unique in their kind, not built in; one-line summaries",
              "names are what configs, logs and tables say", "rename", names),
};
const struct ftk__rule_family ftk__family_abi = { rules, sizeof(rules) / sizeof(rules[0]) };
