/* SPDX-License-Identifier: MIT
 * conform/verdict.c - how a rule's process ends.
 *
 * The note and the "sent" flag are the process's own: the fault handler has no argument to find
 * them by.
 */
#include "conform/verdict.h"
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 4096 };
static char note[1024];
static const char *cause = "";
static atomic_flag sent = ATOMIC_FLAG_INIT;

const char *ftk__verdict_name(enum ftk__verdict v)
{
    static const char *const names[FTK__VERDICTS] = { "pass", "fail", "crash",   "timeout",
                                                      "warn", "skip", "blocked", "waived" };
    return v < FTK__VERDICTS ? names[v] : "unknown";
}

void ftk__verdict_note(const char *text)
{
    size_t n = strnlen(text, sizeof(note) - 1);
    memcpy(note, text, n);
    note[n] = '\0';
}

void ftk__verdict_cause(const char *word)
{
    cause = word;
}

/* Appends `text` as the inside of a JSON string; what has no room is cut. */
static size_t add(char *line, size_t at, const char *text, bool escape)
{
    static const char hex[] = "0123456789abcdef";
    for (; *text != '\0' && at + 8 < LINE; text++) {
        unsigned char b = (unsigned char)*text;
        if (!escape || (b >= 0x20 && b < 0x7f && b != '"' && b != '\\')) {
            line[at++] = *text;
            continue;
        }
        if (b >= 0x80) {
            line[at++] = '?'; /* a plugin's bytes need not be UTF-8 */
            continue;
        }
        memcpy(line + at, "\\u00", 4);
        line[at + 4] = hex[b >> 4];
        line[at + 5] = hex[b & 15];
        at += 6;
    }
    return at;
}

/* Under a debugger there is no parent that reads JSON. */
static _Noreturn void tell(enum ftk__verdict v, const char *message)
{
    printf("%s%s%s\n", ftk__verdict_name(v), message[0] != '\0' ? ": " : "", message);
    if (note[0] != '\0')
        printf("at: %s\n", note);
    fflush(stdout);
    _exit(v == FTK__PASS || v == FTK__SKIPPED || v == FTK__WARNED ? 0 : 1);
}

_Noreturn void ftk__verdict_send(int out, enum ftk__verdict v, const char *message)
{
    char line[LINE];
    if (atomic_flag_test_and_set(&sent))
        for (;;)
            pause();
    if (out == STDOUT_FILENO)
        tell(v, message);
    size_t at = add(line, 0, "{\"verdict\": \"", false);
    at = add(line, at, ftk__verdict_name(v), false);
    at = add(line, at, "\", \"message\": \"", false);
    at = add(line, at, message, true);
    /* A long message leaves the note its room at the cost of nothing: LINE holds both. */
    at = add(line, at, "\", \"note\": \"", false);
    at = add(line, at, note, true);
    at = add(line, at, "\", \"cause\": \"", false);
    at = add(line, at, cause, true);
    at = add(line, at, "\"}\n", false);
    while (write(out, line, at) < 0)
        if (out == STDERR_FILENO)
            break;
        else
            out = STDERR_FILENO; /* in-process, or a plugin closed the descriptor */
    _exit(v == FTK__PASS || v == FTK__SKIPPED || v == FTK__WARNED ? 0 : 1);
}

/* ---- verdicts of a case ----------------------------------------------------------------------- */

static void format(char *buf, size_t cap, const char *fmt, va_list args)
{
    vsnprintf(buf, cap, fmt, args);
    for (char *c = buf; *c != '\0'; c++)
        if (*c == '\n' || *c == '\t')
            *c = ' ';
}

_Noreturn void ftk__kit_fail(struct ftk__case *c, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    format(text, sizeof(text), fmt, args);
    va_end(args);
    bool taste = c->rule->flags & FTK__RULE_WARN;
    ftk__verdict_send(c->out, taste ? FTK__WARNED : FTK__FAILED, text);
}

_Noreturn void ftk__kit_warn(struct ftk__case *c, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    format(text, sizeof(text), fmt, args);
    va_end(args);
    ftk__verdict_send(c->out, FTK__WARNED, text);
}

_Noreturn void ftk__kit_skip(struct ftk__case *c, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    format(text, sizeof(text), fmt, args);
    va_end(args);
    ftk__verdict_send(c->out, FTK__SKIPPED, text);
}

_Noreturn void ftk__kit_broken(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fputs("freetickets conform: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    _exit(FTK__EXIT_INTERNAL);
}

void ftk__kit_expect(struct ftk__case *c, bool ok, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    if (ok)
        return;
    va_start(args, fmt);
    format(text, sizeof(text), fmt, args);
    va_end(args);
    ftk__kit_fail(c, "%s", text);
}

void ftk__kit_note(struct ftk__case *c, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    (void)c;
    va_start(args, fmt);
    format(text, sizeof(text), fmt, args);
    va_end(args);
    ftk__verdict_note(text);
}

void *ftk__kit_alloc(struct ftk__case *c, uint64_t n, size_t size)
{
    uint64_t bytes;
    if (__builtin_mul_overflow(n, (uint64_t)size, &bytes))
        ftk__kit_broken("an array of %llu x %zu bytes", (unsigned long long)n, size);
    void *p = ftk__arena_alloc(&c->arena, bytes > 0 ? bytes : 1);
    if (!p)
        ftk__kit_broken("no memory for %llu bytes", (unsigned long long)bytes);
    return p;
}
