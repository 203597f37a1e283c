/* SPDX-License-Identifier: MIT
 * config/cfglex.h - configuration text as tokens, for what is done before libconfig sees it.
 */
#ifndef FTK__CFGLEX_H
#define FTK__CFGLEX_H
#include "base/error.h"
#include <stdbool.h>

enum ftk__token_type {
    FTK__TOK_END,
    FTK__TOK_SPACE,   /* blanks and line ends */
    FTK__TOK_COMMENT, /* #..., //..., or a closed block */
    FTK__TOK_STRING,  /* with its quotes, on one line */
    FTK__TOK_INT,     /* decimal or hexadecimal, L or not */
    FTK__TOK_FLOAT,
    FTK__TOK_WORD,  /* a name, true, false */
    FTK__TOK_PUNCT, /* one of = : ; , [ ] ( ) { } */
    FTK__TOK_AT     /* @ and what follows up to a blank */
};

struct ftk__token {
    enum ftk__token_type type;
    const char *text; // [len], into the text
    uint64_t len;
    int64_t i; /* of INT */
};

struct ftk__lexer {
    const char *at, *end;
    const char *file; /* for errors */
    unsigned line;    /* of `at`, from 1 */
};
/* "FILE:LINE: ..." as an error of the configuration (78); line 0 leaves the number out. */
ftk_status ftk__config_fail(struct ftk_error *reterr, const char *file, unsigned line,
                            const char *fmt, ...) FTK_PRINTF(4, 5);
/* The next token; errors: an open string or comment, a number that is none or does not fit, a
 * character with no meaning. */
ftk_status ftk__lexer_next(struct ftk__lexer *lx, struct ftk__token *ret, struct ftk_error *reterr);
/* Whether all of `s` reads as a number or as one that does not fit: not to be taken for a bare
 * string. */
bool ftk__looks_numeric(const char *s);
#endif
