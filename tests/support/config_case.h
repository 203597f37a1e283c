/* SPDX-License-Identifier: MIT
 * config_case.h - for tests of config/: experiments from text, with built-ins made for the purpose.
 */
#ifndef TESTS_CONFIG_CASE_H
#define TESTS_CONFIG_CASE_H
#include "config/load.h"
#include "scratch_dir.h"

/* data `toy` (classes, scale, from: a path), `cifar100` (no keys), model `stack` (widths, depth; a
 * rule: depth at most the number of widths), optim `sgd`, `adam`, init `kept` (from: a path, required). */
extern const struct ftk__builtin *const config_case_builtins[];
extern const uint64_t config_case_n_builtins;

struct config_case {
    struct scratch_dir dir;
    char path[512]; /* of the file that is loaded */
    struct ftk__registry *registry;
    struct ftk__issues issues;
    struct ftk__experiment *x; /* NULL where loading failed */
    struct ftk_error err;
    ftk_status st;
};
/* An empty folder; plugins are found in $FTK_TEST_PLUGINS. */
void config_case_init(struct config_case *c);
void config_case_done(struct config_case *c);
/* Writes `text` as <name> in the folder. */
void config_case_put(struct config_case *c, const char *name, const char *text);
/* Loads <name> with overrides (NULL-terminated, or NULL), dropping what was loaded before. */
ftk_status config_case_load(struct config_case *c, const char *name, const char *const *overrides);
/* The same for a text, written as "case.cfg"; fails the test unless it loads. */
struct ftk__experiment *config_case_text(struct config_case *c, const char *text,
                                         const char *const *overrides);
/* The issue at a path, which must be there just once, or NULL. */
const struct ftk__issue *config_case_issue(const struct config_case *c, const char *path);

/* Every required key, on lines 1 to 5: schema, epochs 10 | data | model | sparsity 0.2 | edst, 2
 * members. */
extern const char config_case_base[];
#endif
