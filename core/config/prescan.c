/* SPDX-License-Identifier: MIT
 * config/prescan.c - files into one text with a place for each line.
 */
#include "config/prescan.h"
#include "base/io.h"
#include "base/path.h"
#include "config/rewrite.h"
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct source_file { /* the files that are being read, innermost first */
    const char *name;
    char *real;
    const struct source_file *includer;
    unsigned depth; /* 0: the file asked for */
};
struct splice {
    struct ftk__prescan *out;
    struct ftk__arena *names; /* NULL: includes are refused */
};

static ftk_status no_memory(const char *file, struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "out of memory while reading %s", file);
}

static bool add_line(struct ftk__prescan *p, const char *file, unsigned line)
{
    if (p->n_lines == p->cap) {
        uint64_t cap = p->cap > 0 ? 2 * p->cap : 128;
        struct ftk__place *place = ftk__realloc_array(p->place, p->cap, cap, sizeof *place);
        if (!place)
            return false;
        p->place = place;
        p->cap = cap;
    }
    p->place[p->n_lines++] = (struct ftk__place){ file, line };
    return true;
}

/* Bytes of the UTF-8 sequence at `s`; 0 where there is none. */
static uint64_t utf8_length(const unsigned char *s, uint64_t left)
{
    if (s[0] < 0x80)
        return 1;
    uint64_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || n > left)
        return 0;
    for (uint64_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    }
    return n;
}

/* Anything that is not text is refused before it can reach libconfig. */
static ftk_status check_text(const char *data, uint64_t bytes, const char *file,
                             struct ftk_error *reterr)
{
    const unsigned char *s = (const unsigned char *)data;
    unsigned line = 1;
    uint64_t i = 0;
    while (i < bytes) {
        uint64_t n = utf8_length(s + i, bytes - i);
        bool control = (s[i] < 0x20 && !strchr("\t\n\r\f", s[i])) || s[i] == 0x7f || s[i] == 0;
        if (n == 0 || control)
            return ftk__config_fail(reterr, file, line,
                                    "byte 0x%02x at offset %" PRIu64 " is not text", (unsigned)s[i],
                                    i);
        line += s[i] == '\n';
        i += n;
    }
    return FTK_OK;
}

/* By which cycles are found; NULL where there is none, as for a pipe.  False without memory. */
static bool real_name(const char *file, char **ret)
{
    char real[PATH_MAX];
    *ret = NULL;
    if (!realpath(file, real))
        return true;
    *ret = ftk__strdup(real);
    return *ret != NULL;
}

static ftk_status splice_text(struct splice *sp, const struct source_file *from, const char *data,
                              uint64_t bytes, struct ftk_error *reterr);

static ftk_status check_include(const struct source_file *from, const char *name, const char *real,
                                unsigned line, struct ftk_error *reterr)
{
    for (const struct source_file *f = from; f; f = f->includer) {
        if (real && f->real && strcmp(real, f->real) == 0)
            return ftk__config_fail(reterr, from->name, line,
                                    "@include \"%s\" is cyclic: %s is being read already", name,
                                    f->name);
    }
    if (from->depth >= FTK__CONFIG_INCLUDES)
        return ftk__config_fail(reterr, from->name, line, "@include \"%s\" is more than %d deep",
                                name, (int)FTK__CONFIG_INCLUDES);
    return FTK_OK;
}

static ftk_status read_file(struct splice *sp, const struct source_file *file,
                            struct ftk_error *reterr)
{
    char *data = NULL;
    uint64_t bytes = 0;
    uint64_t left = FTK__CONFIG_BYTES - sp->out->bytes;
    ftk_status st = ftk__file_read(file->name, left, &data, &bytes, reterr);
    if (st == FTK_ERANGE)
        return ftk__config_fail(reterr, file->name, 0,
                                "a configuration above %d bytes, includes counted, is refused",
                                (int)FTK__CONFIG_BYTES);
    if (st != FTK_OK)
        return st;
    sp->out->bytes += bytes;
    st = splice_text(sp, file, data, bytes, reterr);
    ftk__free(data);
    return st;
}

static ftk_status include(struct splice *sp, const struct source_file *from, const char *name,
                          unsigned line, struct ftk_error *reterr)
{
    char *path = ftk__path_relative_to(from->name, name);
    const char *kept = path ? ftk__arena_strdup(sp->names, path) : NULL;
    ftk__free(path);
    struct source_file file = { kept, NULL, from, from->depth + 1 };
    if (!kept || !real_name(kept, &file.real))
        return no_memory(from->name, reterr);
    ftk_status st = check_include(from, name, file.real, line, reterr);
    if (st == FTK_OK) {
        /* The line that held the directive now starts with the file's first. */
        sp->out->place[sp->out->n_lines - 1] = (struct ftk__place){ kept, 1 };
        st = read_file(sp, &file, reterr);
        if (st != FTK_OK)
            ftk__error_context(reterr, "included from %s:%u", from->name, line);
    }
    ftk__free(file.real);
    if (st != FTK_OK)
        return st;
    ftk__str_add(&sp->out->source, "\n");
    return add_line(sp->out, from->name, line) ? FTK_OK : no_memory(from->name, reterr);
}

/* `@include "name"`, first on its line; `lx` stands behind the word. */
static ftk_status directive(struct splice *sp, const struct source_file *from,
                            struct ftk__lexer *lx, const struct ftk__token *word,
                            bool first_on_line, struct ftk_error *reterr)
{
    unsigned line = lx->line;
    struct ftk__token blank;
    struct ftk__token name = { 0 };
    bool known = word->len == strlen("@include") && memcmp(word->text, "@include", word->len) == 0;
    if (!known || !first_on_line || !sp->names)
        return ftk__config_fail(reterr, from->name, line, "unexpected '@'%s",
                                sp->names ? " (a line may start with "
                                            "@include \"FILE\")"
                                          : "");
    ftk_status st = ftk__lexer_next(lx, &blank, reterr);
    if (st == FTK_OK && blank.type == FTK__TOK_SPACE && lx->line == line)
        st = ftk__lexer_next(lx, &name, reterr);
    if (st != FTK_OK)
        return st;
    char text[FTK__ERROR_TEXT];
    if (name.type != FTK__TOK_STRING || name.len < 3 || name.len - 2 >= sizeof text ||
        memchr(name.text, '\\', name.len))
        return ftk__config_fail(reterr, from->name, line, "@include wants a file name in quotes");
    memcpy(text, name.text + 1, name.len - 2);
    text[name.len - 2] = 0;
    return include(sp, from, text, line, reterr);
}

/* Copies a token and notes a place for each line that it begins. */
static bool copy_token(struct splice *sp, const struct source_file *from, unsigned line,
                       const struct ftk__token *tok)
{
    ftk__str_add_n(&sp->out->source, tok->text, tok->len);
    for (uint64_t i = 0; i < tok->len; i++) {
        if (tok->text[i] == '\n' && !add_line(sp->out, from->name, ++line))
            return false;
    }
    return !sp->out->source.failed;
}

static ftk_status splice_text(struct splice *sp, const struct source_file *from, const char *data,
                              uint64_t bytes, struct ftk_error *reterr)
{
    static const char bom[] = "\xef\xbb\xbf";
    if (bytes >= 3 && memcmp(data, bom, 3) == 0) {
        data += 3;
        bytes -= 3;
    }
    ftk_status st = check_text(data, bytes, from->name, reterr);
    struct ftk__lexer lx = { data, data + bytes, from->name, 1 };
    bool first_on_line = true;
    while (st == FTK_OK && lx.at < lx.end) {
        struct ftk__token tok;
        unsigned line = lx.line;
        st = ftk__lexer_next(&lx, &tok, reterr);
        if (st == FTK_OK && tok.type == FTK__TOK_AT)
            st = directive(sp, from, &lx, &tok, first_on_line, reterr);
        else if (st == FTK_OK && !copy_token(sp, from, line, &tok))
            st = no_memory(from->name, reterr);
        if (tok.type != FTK__TOK_SPACE)
            first_on_line = false;
        else if (lx.line > line)
            first_on_line = true;
    }
    return st;
}

static ftk_status finish(struct ftk__prescan *p, struct ftk_error *reterr)
{
    ftk_status st = ftk__rewrite(p, reterr);
    if (st == FTK_OK && (p->source.failed || p->text.failed))
        st = no_memory(p->place[0].file, reterr);
    return st;
}

ftk_status ftk__prescan_file(const char *file, struct ftk__arena *names, struct ftk__prescan *ret,
                             struct ftk_error *reterr)
{
    *ret = (struct ftk__prescan){ 0 };
    struct splice sp = { ret, names };
    struct source_file top = { file, NULL, NULL, 0 };
    if (ftk__is_dir(file))
        return ftk__config_fail(reterr, file, 0, "is a folder, not a configuration");
    bool ready = real_name(file, &top.real) && add_line(ret, file, 1);
    ftk_status st = ready ? FTK_OK : no_memory(file, reterr);
    if (st == FTK_OK)
        st = read_file(&sp, &top, reterr);
    ftk__free(top.real);
    return st == FTK_OK ? finish(ret, reterr) : st;
}

ftk_status ftk__prescan_text(const char *text, uint64_t bytes, const char *file,
                             struct ftk__prescan *ret, struct ftk_error *reterr)
{
    *ret = (struct ftk__prescan){ 0 };
    struct splice sp = { ret, NULL };
    struct source_file top = { file, NULL, NULL, 0 };
    if (bytes > FTK__CONFIG_BYTES)
        return ftk__config_fail(reterr, file, 0, "above %d bytes", (int)FTK__CONFIG_BYTES);
    ftk_status st = add_line(ret, file, 1) ? FTK_OK : no_memory(file, reterr);
    if (st == FTK_OK)
        st = splice_text(&sp, &top, text, bytes, reterr);
    return st == FTK_OK ? finish(ret, reterr) : st;
}

void ftk__prescan_done(struct ftk__prescan *p)
{
    ftk__str_done(&p->source);
    ftk__str_done(&p->text);
    ftk__free(p->place);
    *p = (struct ftk__prescan){ 0 };
}
