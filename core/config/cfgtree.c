/* SPDX-License-Identifier: MIT
 * config/cfgtree.c - from libconfig's settings to ours, by each setting's own type: libconfig's
 * look-ups by type convert what they should refuse and miss what they should widen.
 */
#include "config/cfgtree.h"
#include <libconfig.h>
#include <string.h>

enum { SHOWN = 60 };

struct builder {
    const struct ftk__prescan *p;
    struct ftk__arena *arena;
};

static const struct ftk__place *place_of(const struct ftk__prescan *p, unsigned line)
{
    uint64_t i = line > 0 ? line - 1 : 0;
    return &p->place[i < p->n_lines ? i : p->n_lines - 1];
}

static enum ftk__setting_type type_of(const config_setting_t *from)
{
    switch (config_setting_type(from)) {
    case CONFIG_TYPE_BOOL:
        return FTK__SET_BOOL;
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        return FTK__SET_INT;
    case CONFIG_TYPE_FLOAT:
        return FTK__SET_FLOAT;
    case CONFIG_TYPE_STRING:
        return FTK__SET_STRING;
    case CONFIG_TYPE_ARRAY:
        return FTK__SET_ARRAY;
    case CONFIG_TYPE_LIST:
        return FTK__SET_LIST;
    default:
        return FTK__SET_GROUP;
    }
}

static bool copy_scalar(const struct builder *b, const config_setting_t *from,
                        struct ftk__setting *to)
{
    switch (config_setting_type(from)) {
    case CONFIG_TYPE_BOOL:
        to->b = config_setting_get_bool(from) != 0;
        return true;
    case CONFIG_TYPE_INT:
        to->i = config_setting_get_int(from);
        to->f = (double)to->i;
        return true;
    case CONFIG_TYPE_INT64:
        to->i = config_setting_get_int64(from);
        to->f = (double)to->i;
        return true;
    case CONFIG_TYPE_FLOAT:
        to->f = config_setting_get_float(from);
        return true;
    default: {
        const char *s = config_setting_get_string(from);
        to->s = ftk__arena_strdup(b->arena, s ? s : "");
        return to->s != NULL;
    }
    }
}

/* NULL without memory.  Recursion is as deep as the nesting that the prescan allows. */
static struct ftk__setting *copy(const struct builder *b, const config_setting_t *from)
{
    struct ftk__setting *to = ftk__arena_alloc(b->arena, sizeof *to);
    if (!to)
        return NULL;
    const struct ftk__place *place = place_of(b->p, config_setting_source_line(from));
    to->type = type_of(from);
    to->file = place->file;
    to->line = place->line;
    if (config_setting_name(from)) {
        to->name = ftk__arena_strdup(b->arena, config_setting_name(from));
        if (!to->name)
            return NULL;
    }
    if (to->type < FTK__SET_ARRAY)
        return copy_scalar(b, from, to) ? to : NULL;
    to->n = (uint64_t)config_setting_length(from);
    struct ftk__setting **child = ftk__arena_alloc(b->arena, to->n * sizeof(*child));
    to->child = child;
    if (!child)
        return NULL;
    for (unsigned i = 0; i < to->n; i++) {
        child[i] = copy(b, config_setting_get_elem(from, i));
        if (!child[i])
            return NULL;
    }
    return to;
}

static ftk_status parse_error(const struct ftk__prescan *p, const config_t *cfg,
                              struct ftk_error *reterr)
{
    unsigned line = config_error_line(cfg) > 0 ? (unsigned)config_error_line(cfg) : 1;
    const struct ftk__place *place = place_of(p, line);
    const char *text = p->source.text ? p->source.text : "";
    for (unsigned i = 1; i < line && strchr(text, '\n'); i++)
        text = strchr(text, '\n') + 1;
    text += strspn(text, " \t");
    int shown = (int)strcspn(text, "\r\n");
    if (shown == 0) /* nothing stands there: something opened earlier was not closed */
        return ftk__config_fail(reterr, place->file, place->line,
                                "syntax error: the file ends inside a group, list or setting");
    return ftk__config_fail(reterr, place->file, place->line, "%s: %.*s",
                            config_error_text(cfg) ? config_error_text(cfg) : "syntax error",
                            shown < SHOWN ? shown : SHOWN, text);
}

ftk_status ftk__tree_parse(const struct ftk__prescan *p, struct ftk__arena *arena,
                           struct ftk__setting **ret_root, struct ftk_error *reterr)
{
    config_t cfg;
    config_init(&cfg);
    ftk_status st = FTK_OK;
    if (config_read_string(&cfg, p->text.text) != CONFIG_TRUE) {
        st = parse_error(p, &cfg, reterr);
    } else {
        struct builder b = { p, arena };
        struct ftk__setting *root = copy(&b, config_root_setting(&cfg));
        if (root) {
            root->line = 0;
            *ret_root = root;
        } else {
            st = ftk__fail(reterr, FTK_ENOMEM, "out of memory for the settings of %s",
                           p->place[0].file);
        }
    }
    config_destroy(&cfg);
    return st;
}

bool ftk__tree_put(struct ftk__arena *arena, struct ftk__setting *group, struct ftk__setting *child)
{
    struct ftk__setting **all = ftk__arena_alloc(arena, (group->n + 1) * sizeof(*all));
    if (!all)
        return false;
    uint64_t at = 0;
    while (at < group->n && strcmp(group->child[at]->name, child->name) != 0)
        at++;
    if (group->n > 0)
        memcpy(all, group->child, group->n * sizeof(*all));
    all[at] = child;
    group->n += at == group->n;
    group->child = all;
    return true;
}

void ftk__tree_remove(struct ftk__setting *group, const char *name)
{
    /* The array came from an arena of ours and is ours to change. */
    struct ftk__setting **all = (struct ftk__setting **)(uintptr_t)group->child;
    uint64_t kept = 0;
    for (uint64_t i = 0; i < group->n; i++) {
        if (strcmp(all[i]->name, name) != 0)
            all[kept++] = all[i];
    }
    group->n = kept;
}
