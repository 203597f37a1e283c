/* SPDX-License-Identifier: MIT
 * cli/scaffold.c - reads a template, replaces its words, writes the project.
 */
#include "cli/scaffold.h"

#include "base/io.h"
#include "base/mem.h"
#include "base/path.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEMPLATE_LIMIT = 1024 * 1024 };

struct word {
    const char *mark, *text;
};
struct scaffold {
    const struct ftk__scaffold *s;
    struct ftk__str sources; /* "grow_mine.c" */
    struct ftk__str *files;
};

static ftk_status no_memory(struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "no memory for a plugin project");
}

/* The group of a config file that names a plugin of this kind. */
static const char *group_of(const char *kind)
{
    static const struct word groups[] = {
        { "prune", "topology.prune" }, { "grow", "topology.grow" }, { "allot", "topology.allot" },
        { "init", "sparsity.init" },   { "metric", "metrics" },
    };
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
        if (strcmp(groups[i].mark, kind) == 0)
            return groups[i].text;
    return kind; /* ensemble, backend */
}

static void replace(const struct scaffold *w, const char *text, struct ftk__str *out)
{
    const struct word words[] = {
        { "@NAME@", w->s->name },
        { "@KIND@", w->s->kind },
        { "@USE@", group_of(w->s->kind) },
        { "@PREFIX@", w->s->prefix },
        { "@SELECTS@", "" }, /* tells file names of level 2 from those of level 1 */
        { "@SOURCES@", w->sources.text ? w->sources.text : "" },
    };
    ftk__str_add(out, "");
    while (*text != '\0') {
        size_t plain = strcspn(text, "@");
        ftk__str_add_n(out, text, plain);
        text += plain;
        size_t skip = 0;
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && skip == 0; i++) {
            if (!ftk__str_starts(text, words[i].mark))
                continue;
            ftk__str_add(out, words[i].text);
            skip = strlen(words[i].mark);
        }
        if (skip == 0 && *text != '\0') {
            ftk__str_add_n(out, text, 1);
            skip = 1;
        }
        text += skip;
    }
}

static ftk_status write_file(struct scaffold *w, const char *from, const char *name,
                             struct ftk_error *reterr)
{
    struct ftk__str as = { 0 };
    struct ftk__str body = { 0 };
    char *text = NULL;
    char *to = NULL;
    uint64_t bytes;
    replace(w, name, &as);
    ftk_status st = ftk__file_read(from, TEMPLATE_LIMIT, &text, &bytes, reterr);
    if (st >= 0) {
        replace(w, text, &body);
        to = as.failed ? NULL : ftk__path_join(w->s->dir, as.text);
        st = body.failed || !to ? no_memory(reterr) : FTK_OK;
    }
    if (st >= 0)
        st = ftk__file_write(to, body.text, body.len, reterr);
    if (st >= 0)
        ftk__str_addf(w->files, "%s\n", to);
    ftk__free(text);
    ftk__free(to);
    ftk__str_done(&as);
    ftk__str_done(&body);
    return st;
}

/* What the cc line of the README compiles: every .c file but tests. */
static void note_source(struct scaffold *w, const char *name)
{
    if (!ftk__str_ends(name, ".c") || ftk__str_starts(name, "test_"))
        return;
    if (w->sources.len > 0)
        ftk__str_add(&w->sources, " ");
    replace(w, name, &w->sources);
}

/* Each plain file of a template folder, in the order of names: written, or only noted. */
static ftk_status each_file(struct scaffold *w, const char *folder, bool write,
                            struct ftk_error *reterr)
{
    struct dirent **list = NULL;
    char *dir = ftk__path_join(w->s->templates, folder);
    ftk_status st = dir ? FTK_OK : no_memory(reterr);
    int n = st < 0 ? 0 : scandir(dir, &list, NULL, alphasort);
    if (n < 0)
        st = ftk__fail(reterr, FTK_ENOENT, "there is no template %s: %s", dir, strerror(errno));
    for (int i = 0; i < n; i++) {
        const char *name = list[i]->d_name;
        if (st >= 0 && name[0] != '.' && !write)
            note_source(w, name);
        else if (st >= 0 && name[0] != '.') {
            char *from = ftk__path_join(dir, name);
            st = from ? write_file(w, from, name, reterr) : no_memory(reterr);
            ftk__free(from);
        }
        free(list[i]);
    }
    free(list);
    ftk__free(dir);
    return st;
}

/* Removes the files listed and the folder. */
static void undo(const struct scaffold *w)
{
    char *text = ftk__strdup(w->files->text ? w->files->text : "");
    for (char *line = text; line && *line != '\0';) {
        size_t n = strcspn(line, "\n");
        line[n] = '\0';
        unlink(line);
        line += n + 1;
    }
    ftk__free(text);
    rmdir(w->s->dir);
}

ftk_status ftk__scaffold_write(const struct ftk__scaffold *s, struct ftk__str *ret_files,
                               struct ftk_error *reterr)
{
    struct scaffold w = { .s = s, .files = ret_files };
    ftk_status st = each_file(&w, s->folder[0], false, reterr);
    if (st >= 0 && mkdir(s->dir, 0777) != 0)
        st = errno == EEXIST
                 ? ftk__fail_exit(reterr, FTK_EEXIST, FTK__EXIT_IN_USE, "%s is there already",
                                  s->dir)
                 : ftk__fail(reterr, FTK_EIO, "cannot make %s: %s", s->dir, strerror(errno));
    else if (st >= 0) {
        for (int i = 0; i < 3 && s->folder[i] && st >= 0; i++)
            st = each_file(&w, s->folder[i], true, reterr);
        if (st < 0)
            undo(&w);
    }
    ftk__str_done(&w.sources);
    return st;
}
