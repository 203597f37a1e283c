/* SPDX-License-Identifier: MIT
 * config/cfglex.c - tokens of libconfig's language, stricter where libconfig 1.5 accepts nonsense:
 * integers that do not fit, 1e400, a lone ".", comments and strings that never end.
 */
#include "config/cfglex.h"
#include "base/str.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 400, SHOWN = 40 };

ftk_status ftk__config_fail(struct ftk_error *reterr, const char *file, unsigned line,
                            const char *fmt, ...)
{
    char text[FTK__ERROR_TEXT];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (line == 0)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_CONFIG, "%s: %s", file, text);
    return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_CONFIG, "%s:%u: %s", file, line, text);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word_start(char c)
{
    return isalpha((unsigned char)c) || c == '*' || c == '_';
}

static bool is_word(char c)
{
    return is_word_start(c) || is_digit(c) || c == '-';
}

static bool starts_number(const char *s, const char *end)
{
    if (s < end && (*s == '+' || *s == '-'))
        s++;
    if (s < end && *s == '.')
        s++;
    return s < end && is_digit(*s);
}

/* Digits, letters, dots and the sign of an exponent: more than a number, so that "250ep" is one
 * mistake and not a number and a name. */
static const char *number_end(const char *s, const char *end)
{
    bool hex = end - s > 1 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
    if (*s == '+' || *s == '-')
        s++;
    for (; s < end; s++) {
        bool sign = (*s == '+' || *s == '-') && !hex && (s[-1] == 'e' || s[-1] == 'E');
        if (!isalnum((unsigned char)*s) && *s != '.' && *s != '_' && !sign)
            break;
    }
    return s;
}

enum number_kind { NUMBER_NOT, NUMBER_INT, NUMBER_FLOAT, NUMBER_INT_RANGE, NUMBER_FLOAT_RANGE };

static const char *skip_digits(const char *s)
{
    while (is_digit(*s))
        s++;
    return s;
}

static enum number_kind classify_int(const char *text, const char *digits_end, int base,
                                     int64_t *ret)
{
    if (strcmp(digits_end, "") != 0 && strcmp(digits_end, "L") != 0 &&
        strcmp(digits_end, "LL") != 0)
        return NUMBER_NOT;
    errno = 0;
    long long v = strtoll(text, NULL, base);
    if (errno == ERANGE)
        return NUMBER_INT_RANGE;
    *ret = v;
    return NUMBER_INT;
}

static enum number_kind classify_float(const char *text)
{
    const char *s = text + (*text == '+' || *text == '-');
    const char *whole = skip_digits(s);
    const char *at = whole;
    bool any = whole > s;
    if (*at == '.') {
        const char *fraction = skip_digits(at + 1);
        any = any || fraction > at + 1;
        at = fraction;
    }
    if (any && (*at == 'e' || *at == 'E')) {
        const char *exponent = at + 1;
        exponent += *exponent == '+' || *exponent == '-';
        if (!is_digit(*exponent))
            return NUMBER_NOT;
        at = skip_digits(exponent);
    }
    if (!any || *at != 0)
        return NUMBER_NOT;
    return isfinite(strtod(text, NULL)) ? NUMBER_FLOAT : NUMBER_FLOAT_RANGE;
}

/* `text` is the whole token, terminated. */
static enum number_kind classify(const char *text, int64_t *ret)
{
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X') && isxdigit((unsigned char)text[2])) {
        const char *at = text + 2;
        while (isxdigit((unsigned char)*at))
            at++;
        return classify_int(text, at, 16, ret);
    }
    const char *s = text + (*text == '+' || *text == '-');
    const char *whole = skip_digits(s);
    if (whole > s && *whole != '.' && *whole != 'e' && *whole != 'E')
        return classify_int(text, whole, 10, ret);
    return classify_float(text);
}

bool ftk__looks_numeric(const char *s)
{
    int64_t i;
    return starts_number(s, s + strlen(s)) && classify(s, &i) != NUMBER_NOT;
}

static ftk_status lex_number(struct ftk__lexer *lx, struct ftk__token *tok,
                             struct ftk_error *reterr)
{
    char text[NUMBER_MAX + 1];
    const char *end = number_end(lx->at, lx->end);
    size_t n = (size_t)(end - lx->at);
    if (n > NUMBER_MAX)
        return ftk__config_fail(reterr, lx->file, lx->line,
                                "a number of %zu characters, at most %d", n, (int)NUMBER_MAX);
    memcpy(text, lx->at, n);
    text[n] = 0;
    tok->len = n;
    switch (classify(text, &tok->i)) {
    case NUMBER_INT:
        tok->type = FTK__TOK_INT;
        return FTK_OK;
    case NUMBER_FLOAT:
        tok->type = FTK__TOK_FLOAT;
        return FTK_OK;
    case NUMBER_INT_RANGE:
        return ftk__config_fail(reterr, lx->file, lx->line,
                                "%.*s does not fit a whole number (-2^63 to 2^63 - 1)", (int)SHOWN,
                                text);
    case NUMBER_FLOAT_RANGE:
        return ftk__config_fail(reterr, lx->file, lx->line,
                                "%.*s is not finite as a number (at most 1.797e308)", (int)SHOWN,
                                text);
    case NUMBER_NOT:
        break;
    }
    return ftk__config_fail(reterr, lx->file, lx->line,
                            "%.*s is no number (a duration is a string: \"%.*s\")", (int)SHOWN,
                            text, (int)SHOWN, text);
}

static ftk_status lex_string(struct ftk__lexer *lx, struct ftk__token *tok,
                             struct ftk_error *reterr)
{
    const char *s = lx->at + 1;
    while (s < lx->end && *s != '"' && *s != '\n') {
        if (*s == '\\' && s + 1 < lx->end) {
            /* libconfig would end the string there without a word */
            bool zero =
                lx->end - s >= 4 && (s[1] == 'x' || s[1] == 'X') && s[2] == '0' && s[3] == '0';
            if (zero)
                return ftk__config_fail(reterr, lx->file, lx->line,
                                        "\\x00 cannot stand in a string");
            s++;
            if (*s == '\n')
                break;
        }
        s++;
    }
    if (s >= lx->end || *s != '"')
        return ftk__config_fail(reterr, lx->file, lx->line, "a string is not closed on its line");
    tok->type = FTK__TOK_STRING;
    tok->len = (uint64_t)(s + 1 - lx->at);
    return FTK_OK;
}

static ftk_status lex_comment(struct ftk__lexer *lx, struct ftk__token *tok,
                              struct ftk_error *reterr)
{
    tok->type = FTK__TOK_COMMENT;
    uint64_t left = (uint64_t)(lx->end - lx->at);
    const char *stop;
    if (lx->at[0] == '/' && lx->at[1] == '*') {
        stop = memmem(lx->at + 2, left - 2, "*/", 2);
        if (!stop)
            return ftk__config_fail(reterr, lx->file, lx->line, "a comment is not closed");
        stop += 2;
    } else {
        stop = memchr(lx->at, '\n', left);
        if (!stop)
            stop = lx->end;
    }
    tok->len = (uint64_t)(stop - lx->at);
    return FTK_OK;
}

static bool starts_comment(const struct ftk__lexer *lx)
{
    if (*lx->at == '#')
        return true;
    return lx->end - lx->at > 1 && lx->at[0] == '/' && (lx->at[1] == '/' || lx->at[1] == '*');
}

/* The longest run of characters that `member` accepts. */
static uint64_t run_length(const struct ftk__lexer *lx, bool (*member)(char c))
{
    const char *s = lx->at;
    while (s < lx->end && member(*s))
        s++;
    return (uint64_t)(s - lx->at);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool is_directive(char c)
{
    return c == '@' || isalpha((unsigned char)c);
}

static ftk_status lex_simple(struct ftk__lexer *lx, struct ftk__token *tok,
                             struct ftk_error *reterr)
{
    char c = *lx->at;
    if (is_space(c)) {
        tok->type = FTK__TOK_SPACE;
        tok->len = run_length(lx, is_space);
    } else if (is_word_start(c)) {
        tok->type = FTK__TOK_WORD;
        tok->len = run_length(lx, is_word);
    } else if (c == '@') {
        tok->type = FTK__TOK_AT;
        tok->len = run_length(lx, is_directive);
    } else if (strchr("=:;,[](){}", c)) {
        tok->type = FTK__TOK_PUNCT;
        tok->len = 1;
    } else if (c > ' ' && c <= '~') {
        return ftk__config_fail(reterr, lx->file, lx->line, "unexpected '%c'", c);
    } else {
        return ftk__config_fail(reterr, lx->file, lx->line, "unexpected byte 0x%02x",
                                (unsigned)(unsigned char)c);
    }
    return FTK_OK;
}

ftk_status ftk__lexer_next(struct ftk__lexer *lx, struct ftk__token *ret, struct ftk_error *reterr)
{
    *ret = (struct ftk__token){ .text = lx->at };
    if (lx->at >= lx->end)
        return FTK_OK;
    ftk_status st;
    if (*lx->at == '"')
        st = lex_string(lx, ret, reterr);
    else if (starts_comment(lx))
        st = lex_comment(lx, ret, reterr);
    else if (starts_number(lx->at, lx->end))
        st = lex_number(lx, ret, reterr);
    else
        st = lex_simple(lx, ret, reterr);
    if (st != FTK_OK)
        return st;
    for (uint64_t i = 0; i < ret->len; i++)
        lx->line += ret->text[i] == '\n';
    lx->at += ret->len;
    return FTK_OK;
}
