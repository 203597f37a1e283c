/* SPDX-License-Identifier: MIT
 * base/log.c - log lines to stderr, log.txt and log.jsonl.
 *
 * A line is built in buffers on the stack, so that logging works when memory is short; what is
 * longer is cut with "...".
 */
#include "base/log.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

enum { FIELDS = 1024, JSON_LINE = 8 * FIELDS };

static struct {
    pthread_mutex_t lock;
    ftk_level min; /* of stderr                                    */
    struct ftk__appender text, json;
    bool open;
    bool complained; /* about a log file that cannot be written      */
    void (*hook)(void *arg, bool before);
    void *hook_arg;
} state = { .lock = PTHREAD_MUTEX_INITIALIZER, .min = FTK_INFO };

static const char *level_name(ftk_level level)
{
    switch (level) {
    case FTK_DEBUG:
        return "debug";
    case FTK_INFO:
        return "info";
    case FTK_WARN:
        return "warn";
    case FTK_ERROR:
        return "error";
    }
    return "error"; /* a plugin may give any number                 */
}

void ftk__log_setup(ftk_level min, bool quiet)
{
    pthread_mutex_lock(&state.lock);
    state.min = quiet && min < FTK_WARN ? FTK_WARN : min;
    pthread_mutex_unlock(&state.lock);
}

void ftk__log_set_line_hook(void (*hook)(void *arg, bool before), void *arg)
{
    pthread_mutex_lock(&state.lock);
    state.hook = hook;
    state.hook_arg = arg;
    pthread_mutex_unlock(&state.lock);
}

static void close_files(void)
{
    if (!state.open)
        return;
    ftk__appender_close(&state.text, NULL);
    ftk__appender_close(&state.json, NULL);
    state.open = false;
}

static ftk_status open_in(struct ftk__appender *a, const char *dir, const char *name,
                          struct ftk_error *reterr)
{
    char *path = ftk__path_join(dir, name);
    if (!path)
        return ftk__fail(reterr, FTK_ENOMEM, "out of memory for %s/%s", dir, name);
    ftk_status st = ftk__appender_open(a, path, false, reterr);
    ftk__free(path);
    return st;
}

ftk_status ftk__log_open(const char *dir, struct ftk_error *reterr)
{
    pthread_mutex_lock(&state.lock);
    close_files();
    ftk_status st = open_in(&state.text, dir, "log.txt", reterr);
    if (st == FTK_OK) {
        st = open_in(&state.json, dir, "log.jsonl", reterr);
        if (st != FTK_OK)
            ftk__appender_close(&state.text, NULL);
    }
    state.open = st == FTK_OK;
    state.complained = false;
    pthread_mutex_unlock(&state.lock);
    return st;
}

void ftk__log_close(void)
{
    pthread_mutex_lock(&state.lock);
    close_files();
    pthread_mutex_unlock(&state.lock);
}

/* A JSON line in the making.  It grows most for words of one letter: "a " becomes 11 bytes. */
struct line {
    char text[JSON_LINE];
    size_t n;
};

static void add_char(struct line *l, char c)
{
    if (l->n + 1 < sizeof l->text)
        l->text[l->n++] = c;
}

static void add_raw(struct line *l, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        add_char(l, text[i]);
}

static void add_quoted(struct line *l, const char *text, size_t n)
{
    add_char(l, '"');
    for (size_t i = 0; i < n;) {
        size_t len = (size_t)ftk__utf8_char(text + i, n - i);
        if (text[i] == '"' || text[i] == '\\')
            add_char(l, '\\');
        if (len == 0) /* JSON is UTF-8; file names need not be        */
            add_char(l, '?');
        add_raw(l, text + i, len);
        i += len > 0 ? len : 1;
    }
    add_char(l, '"');
}

static size_t count_digits(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n && s[i] >= '0' && s[i] <= '9')
        i++;
    return i;
}

/* Whether text[n] is a number as JSON writes it: no leading zeros, no "inf", no "4.1s". */
static bool is_number(const char *s, size_t n)
{
    size_t i = n > 0 && s[0] == '-';
    size_t digits = count_digits(s + i, n - i);
    if (digits == 0 || (digits > 1 && s[i] == '0'))
        return false;
    i += digits;
    if (i < n && s[i] == '.') {
        digits = count_digits(s + i + 1, n - i - 1);
        if (digits == 0)
            return false;
        i += 1 + digits;
    }
    if (i < n && (s[i] == 'e' || s[i] == 'E')) {
        i++;
        i += i < n && (s[i] == '+' || s[i] == '-');
        digits = count_digits(s + i, n - i);
        if (digits == 0)
            return false;
        i += digits;
    }
    return i == n;
}

/* The length of the value at `s`: up to a space, or of a quoted one up to the quote that a space
 * or the end follows. */
static size_t value_length(const char *s)
{
    if (s[0] == '"')
        for (size_t i = 1; s[i]; i++)
            if (s[i] == '"' && (s[i + 1] == ' ' || s[i + 1] == 0))
                return i + 1;
    return strcspn(s, " ");
}

/* key=value key="a value" bare: bare words become "word": true. */
static void add_fields(struct line *l, const char *fields)
{
    for (const char *s = fields; *s;) {
        size_t skip = strspn(s, " ");
        s += skip;
        size_t word = strcspn(s, " ");
        size_t key = strcspn(s, "= ");
        if (word == 0)
            break;
        add_raw(l, ", ", 2);
        add_quoted(l, s, key);
        add_raw(l, ": ", 2);
        if (s[key] != '=') {
            add_raw(l, "true", 4);
            s += key;
            continue;
        }
        s += key + 1;
        size_t n = value_length(s);
        if (n >= 2 && s[0] == '"' && s[n - 1] == '"')
            add_quoted(l, s + 1, n - 2);
        else if (is_number(s, n))
            add_raw(l, s, n);
        else
            add_quoted(l, s, n);
        s += n;
    }
}

static void write_json(ftk_level level, const char *event, const char *fields, const struct tm *utc)
{
    struct line l = { .n = 0 };
    char when[32];
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", utc);
    add_raw(&l, "{\"time\": ", 9);
    add_quoted(&l, when, strlen(when));
    add_raw(&l, ", \"level\": ", 11);
    add_quoted(&l, level_name(level), strlen(level_name(level)));
    add_raw(&l, ", \"event\": ", 11);
    add_quoted(&l, event, strlen(event));
    add_fields(&l, fields);
    add_char(&l, '}');
    l.text[l.n] = 0;
    ftk__appender_printf(&state.json, "%s\n", l.text);
}

/* The log must not stop a run, but a full disk is said once. */
static void complain(void)
{
    struct ftk_error err;
    if (state.complained)
        return;
    if (ftk__appender_check(&state.text, &err) == FTK_OK &&
        ftk__appender_check(&state.json, &err) == FTK_OK)
        return;
    state.complained = true;
    fprintf(stderr, "warning: %s\n", err.message);
}

static void write_line(ftk_level level, const char *event, const char *fields)
{
    struct tm local;
    struct tm utc;
    time_t now = time(NULL);
    localtime_r(&now, &local);
    gmtime_r(&now, &utc);
    char when[16];
    strftime(when, sizeof when, "%H:%M:%S", &local);
    const char *space = fields[0] ? " " : "";

    ftk_level least = state.hook && state.min == FTK_INFO ? FTK_WARN : state.min;
    if (level >= least) {
        if (state.hook)
            state.hook(state.hook_arg, true);
        fprintf(stderr, "%s %s %s%s%s\n", when, level_name(level), event, space, fields);
        if (state.hook)
            state.hook(state.hook_arg, false);
    }
    if (state.open && level >= FTK_INFO) {
        ftk__appender_printf(&state.text, "%s %s %s%s%s\n", when, level_name(level), event, space,
                             fields);
        write_json(level, event, fields, &utc);
        complain();
    }
}

void ftk__log(ftk_level level, const char *event, const char *fmt, ...)
{
    char fields[FIELDS];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(fields, sizeof fields, fmt, args);
    va_end(args);
    if (n < 0)
        fields[0] = 0;
    if (n >= (int)sizeof fields)
        memcpy(fields + sizeof fields - 4, "...", 4);
    for (char *c = fields; *c; c++) /* one event is one line, and drives no terminal */
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    pthread_mutex_lock(&state.lock);
    write_line(level, event, fields);
    pthread_mutex_unlock(&state.lock);
}
