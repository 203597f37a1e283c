/* SPDX-License-Identifier: MIT
 * config/rewrite.c - integers get the suffix they need, numbers of an array one type; comments go,
 * settings are counted.
 */
#include "config/rewrite.h"
#include <inttypes.h>
#include <string.h>

enum width { WIDTH_INT, WIDTH_INT64, WIDTH_FLOAT };

struct rewriter {
    struct ftk__prescan *p;
    struct ftk__lexer lx;
    char open[FTK__CONFIG_NESTING]; /* brackets, outermost first */
    unsigned depth;
    bool element;     /* the next value begins an entry of a list */
    enum width width; /* of the numbers in the present array */
};

/* The places of all lines are known, so errors of this pass name them. */
static ftk_status fail_here(const struct rewriter *r, unsigned line, const char *what,
                            struct ftk_error *reterr)
{
    const struct ftk__place *at = &r->p->place[line - 1];
    return ftk__config_fail(reterr, at->file, at->line, "%s", what);
}

static enum width width_of(const struct ftk__token *tok)
{
    if (tok->type == FTK__TOK_FLOAT)
        return WIDTH_FLOAT;
    return tok->i > INT32_MAX || tok->i < INT32_MIN ? WIDTH_INT64 : WIDTH_INT;
}

/* The widest number up to the end of the array that starts at `lx`.  Stops at what cannot stand
 * in an array, so that no text is looked at more than twice. */
static enum width array_width(struct ftk__lexer lx)
{
    enum width widest = WIDTH_INT;
    struct ftk__token tok;
    while (ftk__lexer_next(&lx, &tok, NULL) == FTK_OK && tok.type != FTK__TOK_END) {
        if (tok.type == FTK__TOK_PUNCT && tok.text[0] != ',')
            break;
        bool number = tok.type == FTK__TOK_INT || tok.type == FTK__TOK_FLOAT;
        if (number && width_of(&tok) > widest)
            widest = width_of(&tok);
    }
    return widest;
}

static void put_number(struct rewriter *r, const struct ftk__token *tok)
{
    bool in_array = r->depth > 0 && r->open[r->depth - 1] == '[';
    enum width width = in_array ? r->width : width_of(tok);
    struct ftk__str *out = &r->p->text;
    if (tok->type == FTK__TOK_FLOAT)
        ftk__str_add_n(out, tok->text, tok->len);
    else if (width == WIDTH_FLOAT)
        ftk__str_addf(out, "%" PRId64 ".0", tok->i);
    else
        ftk__str_addf(out, "%" PRId64 "%s", tok->i, width == WIDTH_INT64 ? "L" : "");
}

static ftk_status count(struct rewriter *r, unsigned line, struct ftk_error *reterr)
{
    char text[64];
    if (++r->p->settings <= FTK__CONFIG_SETTINGS)
        return FTK_OK;
    ftk__format(text, sizeof text, "more than %d settings", (int)FTK__CONFIG_SETTINGS);
    return fail_here(r, line, text, reterr);
}

/* An entry of an array or list is a setting of its own. */
static ftk_status count_element(struct rewriter *r, unsigned line, struct ftk_error *reterr)
{
    if (!r->element)
        return FTK_OK;
    r->element = false;
    return count(r, line, reterr);
}

static ftk_status open_bracket(struct rewriter *r, char c, unsigned line, struct ftk_error *reterr)
{
    ftk_status st = count_element(r, line, reterr);
    if (st != FTK_OK)
        return st;
    if (r->depth == FTK__CONFIG_NESTING) {
        char text[64];
        ftk__format(text, sizeof text, "brackets more than %d deep", (int)FTK__CONFIG_NESTING);
        return fail_here(r, line, text, reterr);
    }
    r->open[r->depth++] = c;
    r->element = c != '{';
    if (c == '[')
        r->width = array_width(r->lx);
    return FTK_OK;
}

static ftk_status punctuation(struct rewriter *r, char c, unsigned line, struct ftk_error *reterr)
{
    switch (c) {
    case '=':
    case ':':
        return count(r, line, reterr);
    case '[':
    case '(':
    case '{':
        return open_bracket(r, c, line, reterr);
    case ',':
        r->element = r->depth > 0 && r->open[r->depth - 1] != '{';
        return FTK_OK;
    case ']':
    case ')':
    case '}':
        /* Whether they match is libconfig's to say. */
        r->depth -= r->depth > 0;
        r->element = false;
        return FTK_OK;
    default:
        return FTK_OK;
    }
}

/* Comments and carriage returns leave only blanks and line ends. */
static void put_blank(struct rewriter *r, const struct ftk__token *tok)
{
    for (uint64_t i = 0; i < tok->len; i++) {
        if (tok->text[i] == '\n')
            ftk__str_add(&r->p->text, "\n");
    }
    ftk__str_add(&r->p->text, " ");
}

static ftk_status rewrite_token(struct rewriter *r, const struct ftk__token *tok, unsigned line,
                                struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    switch (tok->type) {
    case FTK__TOK_SPACE:
    case FTK__TOK_COMMENT:
        put_blank(r, tok);
        return FTK_OK;
    case FTK__TOK_PUNCT:
        st = punctuation(r, tok->text[0], line, reterr);
        break;
    default:
        st = count_element(r, line, reterr);
        break;
    }
    if (st != FTK_OK)
        return st;
    if (tok->type == FTK__TOK_INT || tok->type == FTK__TOK_FLOAT)
        put_number(r, tok);
    else
        ftk__str_add_n(&r->p->text, tok->text, tok->len);
    return FTK_OK;
}

ftk_status ftk__rewrite(struct ftk__prescan *p, struct ftk_error *reterr)
{
    const char *source = p->source.text ? p->source.text : "";
    struct rewriter r = { .p = p, .lx = { source, source + p->source.len, p->place[0].file, 1 } };
    ftk__str_add(&p->text, "");
    for (;;) {
        struct ftk__token tok;
        unsigned line = r.lx.line;
        ftk_status st = ftk__lexer_next(&r.lx, &tok, reterr);
        if (st == FTK_OK && tok.type != FTK__TOK_END)
            st = rewrite_token(&r, &tok, line, reterr);
        if (st != FTK_OK || tok.type == FTK__TOK_END)
            return st;
    }
}
