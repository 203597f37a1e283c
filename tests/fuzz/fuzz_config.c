/* SPDX-License-Identifier: MIT
 * fuzz_config.c - libFuzzer on configuration text: prescan, tree, overrides, resolution.
 *
 * No plugin is known, so nothing but this text decides what happens.  Beside crashes it looks for
 * lines that lost their place: what libconfig reads must have the lines of the source.
 */
#include "config/cfgtree.h"
#include "config/load.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 itself forgets the text of a string that a syntax error follows. */
const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig.so\n";
}

struct toy_params {
    int64_t classes;
    double scale;
    const char *from;
    ftk_duration every;
    ftk_f64s widths;
    ftk_durations at;
};
static const ftk_param toy_params[] = {
    FTK_PARAM_I64(struct toy_params, classes, 10, 2, 1000, "", "how many"),
    FTK_PARAM_F64(struct toy_params, scale, 1.0, 0, 10, "", "how large"),
    FTK_PARAM_STR(struct toy_params, from, "", FTK_PF_PATH, "a file"),
    FTK_PARAM_DURATION(struct toy_params, every, "1ep", 0, 100, "how often"),
    FTK_PARAM_F64S(struct toy_params, widths, "3 2", 1, 100, "", "how wide"),
    FTK_PARAM_DURATIONS(struct toy_params, at, "0.5", 0, 100, "where"),
    FTK_PARAM_END,
};
#define BUILTIN(group_, name_)                                                                     \
    {                                                                                              \
        .group = group_, .name = name_, .summary = "", .reference = "", .params = toy_params,      \
        .params_size = sizeof(struct toy_params)                                                   \
    }
static const struct ftk__builtin data_toy = BUILTIN("data", "toy");
static const struct ftk__builtin model_toy = BUILTIN("model", "toy");
static const struct ftk__builtin sgd = {
    .group = "optim", .name = "sgd", .summary = "", .reference = ""
};
static const struct ftk__builtin *const builtins[] = { &data_toy, &model_toy, &sgd };

static void require(int fact, const char *what)
{
    if (fact)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static uint64_t lines_in(const struct ftk__str *s)
{
    uint64_t n = 1;
    for (uint64_t i = 0; i < s->len; i++)
        n += s->text[i] == '\n';
    return n;
}

static void check_places(const struct ftk__setting *s, uint64_t n_lines)
{
    require(s->line <= n_lines, "a setting beyond the last line");
    for (uint64_t i = 0; i < s->n; i++)
        check_places(s->child[i], n_lines);
}

static void parse(const char *text, size_t size)
{
    struct ftk__prescan p;
    struct ftk__arena arena = { 0 };
    struct ftk__setting *root;
    if (ftk__prescan_text(text, size, "fuzz.cfg", &p, NULL) == FTK_OK) {
        require(lines_in(&p.source) == p.n_lines, "the source has other lines than places");
        require(lines_in(&p.text) == p.n_lines, "the text has other lines than the source");
        if (ftk__tree_parse(&p, &arena, &root, NULL) == FTK_OK)
            check_places(root, p.n_lines);
    }
    ftk__prescan_done(&p);
    ftk__arena_done(&arena);
}

static void load(const char *text, size_t size, const char *override)
{
    char file[32];
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    require(fd >= 0 && write(fd, text, size) == (ssize_t)size, "no memory file");
    snprintf(file, sizeof file, "/proc/self/fd/%d", fd);
    const char *overrides[] = { override };
    const struct ftk__config_request q = {
        .file = file,
        .overrides = overrides,
        .n_overrides = override ? 1 : 0,
        .builtins = builtins,
        .n_builtins = sizeof builtins / sizeof builtins[0],
    };
    struct ftk__issues issues = { 0 };
    struct ftk__experiment *x = NULL;
    struct ftk_error err = { 0 };
    require(ftk__config_load(&q, &issues, &x, &err) != FTK_OK, "a run without a strategy");
    require(err.message[0] != 0, "an error without a message");
    json_t *doc = ftk__issues_json(&issues);
    require(doc != NULL, "issues that JSON cannot hold");
    json_decref(doc);
    ftk__issues_done(&issues);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char base[] = "schema = 1; epochs = 1; data = { use = \"toy\"; classes = 3; };\n"
                               "topology = { prune = { use = \"magnitude\"; }; rate = 0.5; };\n";
    char *text = malloc(size + 1);
    require(text != NULL, "no memory");
    memcpy(text, data, size);
    text[size] = 0;
    parse(text, size);
    load(text, size, NULL);
    text[strcspn(text, "\n")] = 0;
    load(base, sizeof base - 1, text);
    free(text);
    return 0;
}
