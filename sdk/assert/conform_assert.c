/* SPDX-License-Identifier: MIT
 * conform_assert.c - runs the kit, reads its JSON, fails the CMocka test.
 */
#include <freetickets/conform.h>
#include <dlfcn.h>
#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { MOST_WORDS = 256, PART = 64 * 1024 };
extern char **environ;

struct run {
    char *word[MOST_WORDS + 8]; /* NULL at the end                         */
    char *arguments;            /* what the words of the caller point into */
    char *program;
    char *output;
    size_t length;
    char problem[256]; /* why there is no report; "": there is one     */
};

static void done(struct run *r)
{
    free(r->arguments);
    free(r->program);
    free(r->output);
}

/* <prefix>/bin/freetickets where this library is <prefix>/<lib>/libfreetickets-conform.so; NULL if not. */
static char *beside_library(void)
{
    static const char there[] = "/../bin/freetickets";
    Dl_info info;
    void (*const here)(const char *, const char *, const char *, int) = ftk_conform_assert_at;
    void *address;
    memcpy(&address, &here, sizeof(address));
    if (!dladdr(address, &info) || !info.dli_fname)
        return NULL;
    const char *slash = strrchr(info.dli_fname, '/');
    size_t folder = slash ? (size_t)(slash - info.dli_fname) : 0;
    char *path = slash ? malloc(folder + sizeof(there)) : NULL;
    if (!path)
        return NULL;
    memcpy(path, info.dli_fname, folder);
    memcpy(path + folder, there, sizeof(there));
    if (access(path, X_OK) == 0)
        return path;
    free(path);
    return NULL;
}

static char *find_program(void)
{
    const char *named = getenv("FREETICKETS");
    if (named && named[0] != '\0')
        return strdup(named);
    char *path = beside_library();
    return path ? path : strdup("freetickets");
}

/* Cuts `text` into words in place; false where there are too many. */
static bool split(char *text, char **word, size_t *n)
{
    char *to = text;
    for (char *from = text; *from != '\0';) {
        while (*from == ' ' || *from == '\t' || *from == '\n')
            from++;
        if (*from == '\0')
            return true;
        if (*n == MOST_WORDS)
            return false;
        word[(*n)++] = to;
        while (*from != '\0' && *from != ' ' && *from != '\t' && *from != '\n') {
            from += from[0] == '\\' && from[1] != '\0';
            *to++ = *from++;
        }
        bool last = *from == '\0';
        *to++ = '\0'; /* at most where the blank was */
        if (last)
            return true;
        from++;
    }
    return true;
}

static bool prepare(struct run *r, const char *file, const char *arguments)
{
    static char command[] = "conform";
    static char json[] = "--json";
    static char end[] = "--";
    size_t n = 3;
    r->program = find_program();
    r->arguments = strdup(arguments ? arguments : "");
    if (!r->program || !r->arguments) {
        snprintf(r->problem, sizeof(r->problem), "no memory");
        return false;
    }
    r->word[0] = r->program;
    r->word[1] = command;
    r->word[2] = json;
    if (!split(r->arguments, r->word, &n)) {
        snprintf(r->problem, sizeof(r->problem), "more than %d words of arguments", MOST_WORDS - 3);
        return false;
    }
    r->word[n++] = end;
    r->word[n++] = (char *)(uintptr_t)file;
    r->word[n] = NULL;
    return true;
}

static void read_all(struct run *r, int fd)
{
    for (;;) {
        char *grown = realloc(r->output, r->length + PART);
        if (!grown) {
            snprintf(r->problem, sizeof(r->problem), "no memory for the report");
            return;
        }
        r->output = grown;
        ssize_t got = read(fd, r->output + r->length, PART);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return;
        r->length += (size_t)got;
    }
}

/* Starts the program with its output in a pipe: the pipe's end and the process, or a problem. */
static bool start(struct run *r, int *ret_fd, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    int ends[2];
    if (pipe(ends) != 0) {
        snprintf(r->problem, sizeof(r->problem), "no pipe: %s", strerror(errno));
        return false;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    if (ends[1] != STDOUT_FILENO) {
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        posix_spawn_file_actions_addclose(&actions, ends[1]);
    }
    int error = posix_spawnp(ret_pid, r->program, &actions, NULL, r->word, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    *ret_fd = ends[0];
    if (error == 0)
        return true;
    close(ends[0]);
    snprintf(r->problem, sizeof(r->problem), "%s: %s", r->program, strerror(error));
    return false;
}

static int run_kit(struct run *r)
{
    int fd, status;
    pid_t pid;
    if (!start(r, &fd, &pid))
        return -1;
    read_all(r, fd);
    close(fd);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) {
            snprintf(r->problem, sizeof(r->problem), "waitpid: %s", strerror(errno));
            return -1;
        }
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (code != 0 && code != 1 && r->problem[0] == '\0')
        snprintf(r->problem, sizeof(r->problem), "%s conform ended with status %d", r->program,
                 WIFEXITED(status) ? code : WTERMSIG(status));
    return code;
}

/* ---- the report ------------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static void print_part(const char *title, const char *text)
{
    if (text[0] != '\0')
        print_error("    %s: %s\n", title, text);
}

static void print_verdict(const json_t *v)
{
    print_error("%s %s %s: %s\n", text_of(v, "verdict"), text_of(v, "rule"),
                text_of(v, "algorithm"), text_of(v, "message"));
    print_part("rule", text_of(v, "title"));
    print_part("note", text_of(v, "note"));
    print_part("why", text_of(v, "why"));
    print_part("fix", text_of(v, "fix"));
    print_part("run", text_of(v, "command"));
}

struct tally {
    size_t failed, passed;
};

static void judge_file(const json_t *file, struct tally *t)
{
    static const char *const bad[] = { "fail", "crash", "timeout" };
    size_t i;
    const json_t *v;
    json_array_foreach(json_object_get(file, "verdicts"), i, v)
    {
        const char *verdict = text_of(v, "verdict");
        bool failed = false;
        for (size_t b = 0; b < sizeof(bad) / sizeof(bad[0]); b++)
            failed = failed || strcmp(verdict, bad[b]) == 0;
        t->failed += failed;
        t->passed += strcmp(verdict, "pass") == 0;
        if (failed || strcmp(verdict, "warn") == 0)
            print_verdict(v);
    }
}

static void judge(struct run *r, int code)
{
    struct tally t = { 0, 0 };
    json_error_t error;
    size_t i;
    const json_t *file;
    json_t *report = json_loadb(r->output, r->length, 0, &error);
    json_array_foreach(report, i, file)
    {
        judge_file(file, &t);
    }
    if (!json_is_array(report))
        snprintf(r->problem, sizeof(r->problem), "its report is no JSON array: %s",
                 report ? "something else" : error.text);
    else if (t.failed > 0)
        snprintf(r->problem, sizeof(r->problem), "rules that failed: %zu", t.failed);
    else if (code != 0)
        snprintf(r->problem, sizeof(r->problem), "it ended with status %d", code);
    else if (t.passed == 0)
        snprintf(r->problem, sizeof(r->problem), "no rule was run to its end");
    json_decref(report);
}

void ftk_conform_assert_at(const char *file, const char *arguments, const char *source, int line)
{
    struct run r = { .problem = "" };
    if (prepare(&r, file, arguments)) {
        int code = run_kit(&r);
        if (r.problem[0] == '\0')
            judge(&r, code);
    }
    bool failed = r.problem[0] != '\0';
    if (failed)
        print_error("freetickets conform %s %s: %s\n", arguments ? arguments : "", file, r.problem);
    done(&r);
    if (failed)
        _fail(source, line);
}
