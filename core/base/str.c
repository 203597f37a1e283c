/* SPDX-License-Identifier: MIT
 * base/str.c - growing strings, patterns, numbers from text, nearest names.
 */
#include "base/str.h"
#include "base/mem.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 64, NEAREST_MAX = 63 };

/* Room for n more characters and the final 0. */
static bool reserve(struct ftk__str *s, uint64_t n)
{
    if (s->failed)
        return false;
    uint64_t need;
    if (__builtin_add_overflow(s->len, n, &need) || need > UINT64_MAX / 4) {
        s->failed = true;
        return false;
    }
    if (need + 1 <= s->cap)
        return true;
    uint64_t cap = s->cap > 0 ? s->cap : FIRST_CAP;
    while (cap < need + 1)
        cap *= 2;
    char *text = ftk__realloc_array(s->text, s->cap, cap, 1);
    if (!text) {
        s->failed = true;
        return false;
    }
    s->text = text;
    s->cap = cap;
    return true;
}

void ftk__str_add(struct ftk__str *s, const char *text)
{
    ftk__str_add_n(s, text, strlen(text));
}

void ftk__str_add_n(struct ftk__str *s, const char *text, uint64_t n)
{
    if (!reserve(s, n))
        return;
    memcpy(s->text + s->len, text, (size_t)n);
    s->len += n;
    s->text[s->len] = 0;
}

void ftk__str_addf(struct ftk__str *s, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    ftk__str_vaddf(s, fmt, args);
    va_end(args);
}

void ftk__str_vaddf(struct ftk__str *s, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    if (n < 0)
        s->failed = true;
    else if (reserve(s, (uint64_t)n)) {
        vsnprintf(s->text + s->len, (size_t)n + 1, fmt, again);
        s->len += (uint64_t)n;
    }
    va_end(again);
}

void ftk__str_done(struct ftk__str *s)
{
    ftk__free(s->text);
    *s = (struct ftk__str){ 0 };
}

bool ftk__format(char *buf, size_t cap, const char *fmt, ...)
{
    if (cap == 0)
        return false;
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(buf, cap, fmt, args);
    va_end(args);
    if (n < 0)
        buf[0] = 0;
    return n >= 0 && (size_t)n < cap;
}

bool ftk__str_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool ftk__str_ends(const char *s, const char *suffix)
{
    size_t n = strlen(s);
    size_t m = strlen(suffix);
    return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

bool ftk__glob_match(const char *glob, const char *name)
{
    /* Only the last star ever needs another try, so this is at most quadratic. */
    const char *star = NULL;
    const char *star_name = NULL;
    while (*name) {
        if (*glob == '*') {
            star = glob++;
            star_name = name;
        } else if (*glob == '?' || *glob == *name) {
            glob++;
            name++;
        } else if (star) {
            glob = star + 1;
            name = ++star_name;
        } else {
            return false;
        }
    }
    while (*glob == '*')
        glob++;
    return *glob == 0;
}

uint64_t ftk__utf8_char(const char *text, uint64_t n)
{
    const unsigned char *b = (const unsigned char *)text;
    if (b[0] < 0x80)
        return 1;
    uint64_t len = b[0] >= 0xf0 ? 4 : b[0] >= 0xe0 ? 3 : 2;
    if (b[0] < 0xc2 || b[0] > 0xf4 || len > n)
        return 0;
    for (uint64_t i = 1; i < len; i++)
        if ((b[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xf0 && b[1] < 0x90);
    bool surrogate = b[0] == 0xed && b[1] >= 0xa0;
    bool above = b[0] == 0xf4 && b[1] >= 0x90;
    return overlong || surrogate || above ? 0 : len;
}

bool ftk__utf8_valid(const char *s)
{
    uint64_t n = strlen(s);
    while (n > 0) {
        uint64_t len = ftk__utf8_char(s, n);
        if (len == 0)
            return false;
        s += len;
        n -= len;
    }
    return true;
}

bool ftk__parse_f64(const char *s, double *ret)
{
    if (*s == 0 || isspace((unsigned char)*s))
        return false;
    char *end;
    errno = 0;
    double v = strtod(s, &end);
    bool overflow = errno == ERANGE && (v > 1.0 || v < -1.0); /* underflow is a small number */
    if (end == s || *end != 0 || overflow)
        return false;
    *ret = v;
    return true;
}

bool ftk__parse_i64(const char *s, int64_t *ret)
{
    if (*s == 0 || isspace((unsigned char)*s))
        return false;
    char *end;
    errno = 0;
    long long v = strtoll(s, &end, 10);
    if (end == s || *end != 0 || errno == ERANGE)
        return false;
    *ret = v;
    return true;
}

bool ftk__parse_u64(const char *s, uint64_t *ret)
{
    /* strtoull takes "-1" for 2^64 - 1 */
    if (!isdigit((unsigned char)*s) && !(*s == '+' && isdigit((unsigned char)s[1])))
        return false;
    char *end;
    errno = 0;
    unsigned long long v = strtoull(s, &end, 10);
    if (*end != 0 || errno == ERANGE)
        return false;
    *ret = v;
    return true;
}

static unsigned min2(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours, each 1; both at most
 * NEAREST_MAX long. */
static unsigned edit_distance(const char *a, size_t n, const char *b, size_t m)
{
    unsigned row[3][NEAREST_MAX + 1] = { { 0 } }; /* distances of prefixes of a[0..i) to b[0..j) */
    for (size_t j = 0; j <= m; j++)
        row[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned *now = row[i % 3];
        const unsigned *up = row[(i - 1) % 3];
        const unsigned *up2 = row[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned cost = a[i - 1] != b[j - 1];
            now[j] = min2(up[j - 1] + cost, min2(up[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = min2(now[j], up2[j - 2] + 1);
        }
    }
    return row[n % 3][m];
}

const char *ftk__str_nearest(const char *word, const char *const *names, uint64_t n)
{
    size_t len = strlen(word);
    if (len > NEAREST_MAX)
        return NULL;
    unsigned limit = min2((unsigned)len / 3, 3);
    if (limit == 0)
        limit = 1;
    const char *best = NULL;
    for (uint64_t i = 0; i < n; i++) {
        size_t m = strlen(names[i]);
        if (m > NEAREST_MAX)
            continue;
        unsigned d = edit_distance(word, len, names[i], m);
        if (d <= limit && (!best || d < edit_distance(word, len, best, strlen(best))))
            best = names[i];
    }
    return best;
}
