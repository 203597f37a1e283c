/* SPDX-License-Identifier: MIT
 * base/str.h - bounded and growing strings, numbers from text, nearest names.
 */
#ifndef FTK__STR_H
#define FTK__STR_H
#include <freetickets/abi.h>
#include <stdarg.h>
#include <stdbool.h>

/* Grows as needed.  After a failed allocation `failed` stays set and appends do nothing, so a
 * writer checks once at its end.  `text` is NULL until something was appended.             */
struct ftk__str {
    char *text;
    uint64_t len, cap;
    bool failed;
};
void ftk__str_add(struct ftk__str *s, const char *text);
void ftk__str_add_n(struct ftk__str *s, const char *text, uint64_t n);
void ftk__str_addf(struct ftk__str *s, const char *fmt, ...) FTK_PRINTF(2, 3);
void ftk__str_vaddf(struct ftk__str *s, const char *fmt, va_list args);
void ftk__str_done(struct ftk__str *s);

/* snprintf that always terminates; returns false where the text was cut. */
bool ftk__format(char *buf, size_t cap, const char *fmt, ...) FTK_PRINTF(3, 4);

bool ftk__str_starts(const char *s, const char *prefix);
bool ftk__str_ends(const char *s, const char *suffix);
/* `*` any run, `?` one character; the whole of `name` must match. */
bool ftk__glob_match(const char *glob, const char *name);

/* Bytes of the UTF-8 character that text[n] starts with, 0 where it is none (overlong, surrogate,
 * cut, stray).  n > 0. */
uint64_t ftk__utf8_char(const char *text, uint64_t n);
bool ftk__utf8_valid(const char *s);

/* The whole of `s` must be the number. */
bool ftk__parse_f64(const char *s, double *ret);
bool ftk__parse_i64(const char *s, int64_t *ret);
bool ftk__parse_u64(const char *s, uint64_t *ret);

/* The entry of `names` with the least edit distance to `word`, if that is at most a third of its
 * length (at least 1, at most 3); else NULL.                                                */
const char *ftk__str_nearest(const char *word, const char *const *names, uint64_t n);
#endif
