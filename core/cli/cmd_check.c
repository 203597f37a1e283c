/* SPDX-License-Identifier: MIT
 * cli/cmd_check.c - `freetickets check CFG...`: every mistake of every file at once.
 */
#include "cli/commands.h"
#include "cli/foresee.h"
#include "cli/json_text.h"
#include "cli/prepare.h"
#include <limits.h>
#include <string.h>

/* Where the error that kept a file from being read begins with "FILE:LINE: ", the place; the text
 * behind it is returned. */
static const char *place_of(const char *message, const char *file, struct ftk__str *ret_file,
                            int *ret_line)
{
    for (const char *colon = strchr(message, ':'); colon; colon = strchr(colon + 1, ':')) {
        size_t digits = strspn(colon + 1, "0123456789");
        int64_t line;
        char number[12];
        if (digits == 0 || digits >= sizeof(number) || strncmp(colon + 1 + digits, ": ", 2) != 0)
            continue;
        ftk__format(number, sizeof(number), "%.*s", (int)digits, colon + 1);
        if (!ftk__parse_i64(number, &line) || line > INT_MAX)
            continue;
        ftk__str_add_n(ret_file, message, (uint64_t)(colon - message));
        *ret_line = (int)line;
        return colon + 1 + digits + 2;
    }
    ftk__str_add(ret_file, file);
    *ret_line = 0;
    return message;
}

static json_t *error_json(const struct ftk_error *err, const char *file)
{
    struct ftk__str where = { 0 };
    int line;
    const char *text = place_of(err->message, file, &where, &line);
    json_t *all = NULL;
    if (!where.failed)
        all = json_pack("[{s:o, s:o, s:n, s:o, s:n, s:n}]", "file", ftk__json_text(where.text),
                        "line", line > 0 ? json_integer(line) : json_null(), "path", "message",
                        ftk__json_text(text), "limit", "nearest");
    ftk__str_done(&where);
    return all;
}

/* Adds the file's mistakes, or the error that kept it from being read, to the list. */
static ftk_status add_json(json_t *list, const struct ftk__issues *issues,
                           const struct ftk_error *err, const char *file)
{
    json_t *more = issues->n ? ftk__issues_json(issues) : error_json(err, file);
    int failed = more ? json_array_extend(list, more) : -1;
    json_decref(more);
    return failed ? FTK_ENOMEM : FTK_OK;
}

/* A backend that is not to be had here may well be elsewhere; one that refuses may not. */
static ftk_status try_backend(struct ftk__prepared *p, struct ftk__issues *issues,
                              struct ftk_error *reterr)
{
    struct ftk_error err = { 0 };
    ftk_status st = ftk__foresee_backend(p, &err);
    if (st >= 0)
        return FTK_OK;
    if (ftk__error_exit_code(&err) == FTK__EXIT_UNAVAILABLE) {
        ftk__str_addf(&p->notes, "backend: %s\n", err.message);
        return FTK_OK;
    }
    if (ftk__error_exit_code(&err) != FTK__EXIT_CONFIG) {
        *reterr = err;
        return st;
    }
    const struct ftk__setting *at = ftk__setting_find(p->x->tree, "backend");
    ftk__issues_add(issues, at ? at : p->x->tree, "backend", NULL, NULL, "%s", err.message);
    return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_CONFIG, "%s: 1 mistake", p->x->file);
}

static void print_notes(const char *file, const struct ftk__str *notes)
{
    const char *at = notes->text ? notes->text : "";
    while (*at) {
        const char *end = at;
        while (*end && *end != '\n')
            end++;
        fprintf(stderr, "note: %s: %.*s\n", file, (int)(end - at), at);
        at = *end ? end + 1 : end;
    }
}

/* One file; the exit code it alone would have. */
static int check_file(const char *file, const struct ftk__options *o, json_t *list)
{
    struct ftk__prepared p;
    struct ftk__issues issues = { 0 };
    struct ftk_error err = { 0 };
    int code = FTK__EXIT_OK;
    ftk_status st = ftk__prepare(file, o, &issues, &p, &err);
    if (st >= 0)
        st = try_backend(&p, &issues, &err);
    if (st < 0)
        code = ftk__error_exit_code(&err);
    if (st < 0 && list) {
        if (add_json(list, &issues, &err, file) < 0)
            code = FTK__EXIT_INTERNAL;
    } else if (st < 0) {
        ftk__issues_print(&issues, stderr);
        if (issues.n == 0)
            ftk__cli_fail(&err);
    } else if (!list) {
        printf("OK %s\n", file);
        if (!o->quiet)
            print_notes(file, &p.notes);
    }
    ftk__prepared_done(&p);
    ftk__issues_done(&issues);
    return code;
}

static int run(const struct ftk__options *o)
{
    struct ftk_error err;
    json_t *list = NULL;
    int code = FTK__EXIT_OK;
    if (o->json)
        list = json_array();
    if (o->json && !list) {
        ftk__fail(&err, FTK_ENOMEM, "no memory for the mistakes");
        return ftk__cli_fail(&err);
    }
    for (int i = 0; i < o->n_args; i++) {
        int one = check_file(o->args[i], o, list);
        code = code ? code : one;
    }
    if (list && ftk__json_print(stdout, list, &err) < 0)
        code = ftk__cli_fail(&err);
    json_decref(list);
    return code;
}

const struct ftk__command ftk__command_check = {
    .name = "check",
    .args = "CFG...",
    .summary = "Says what is wrong with experiment files, all mistakes at once",
    .details = "Nothing is trained and nothing written.  A file without mistakes gives `OK FILE`;\n"
               "keys that the chosen strategy does not read are noted on stderr.",
    .takes = FTK__OPT_SET | FTK__OPT_JSON | FTK__OPT_QUIET,
    .min_args = 1,
    .max_args = 10000,
    .run = run,
};
