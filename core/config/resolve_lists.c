/* SPDX-License-Identifier: MIT
 * config/resolve_lists.c - the keys whose values are lists of names or groups.
 */
#include "base/io.h"
#include "base/path.h"
#include "config/resolve.h"
#include <inttypes.h>
#include <string.h>

enum { CHANNELS_MAX = 4, MILESTONES_MAX = 8 };

static uint64_t count_names(const char *const *names)
{
    uint64_t n = 0;
    while (names[n])
        n++;
    return n;
}

static bool is_among(const char *s, const char *const *names, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        if (strcmp(names[i], s) == 0)
            return true;
    }
    return false;
}

/* An array or a list; anything else is reported. */
static bool is_sequence(struct ftk__resolver *r, const struct ftk__setting *s, const char *path,
                        const char *limit)
{
    if (!s)
        return false;
    if (s->type == FTK__SET_ARRAY || s->type == FTK__SET_LIST)
        return true;
    ftk__issues_add(r->issues, s, path, limit, NULL, "%s is %s", path,
                    ftk__setting_type_name(s->type));
    return false;
}

/* Where one name is wrong, says so. */
static bool good_name(struct ftk__resolver *r, const struct ftk__setting *at, const char *path,
                      const char *const *known, const char *const *earlier, uint64_t n)
{
    if (at->type != FTK__SET_STRING) {
        ftk__issues_add(r->issues, at, path, "strings", NULL, "an entry is %s",
                        ftk__setting_type_name(at->type));
        return false;
    }
    if (known && !is_among(at->s, known, count_names(known))) {
        ftk__resolve_unknown(r, at, path, known, count_names(known), at->s, "unknown name");
        return false;
    }
    if (is_among(at->s, earlier, n)) {
        ftk__issues_add(r->issues, at, path, "each name once", NULL, "'%.60s' stands there twice",
                        at->s);
        return false;
    }
    return true;
}

void ftk__resolve_names(struct ftk__resolver *r, const struct ftk__setting *s, const char *path,
                        const char *const *known, const char *const **ret, uint64_t *ret_n)
{
    if (!is_sequence(r, s, path, "an array of strings [\"...\"]"))
        return;
    const char **names = ftk__arena_alloc(&r->x->arena, s->n * sizeof(*names));
    uint64_t n = 0;
    if (!names) {
        r->issues->failed = true;
        return;
    }
    for (uint64_t i = 0; i < s->n; i++) {
        if (good_name(r, s->child[i], path, known, names, n))
            names[n++] = s->child[i]->s;
    }
    *ret = names;
    *ret_n = n;
}

/* A file or folder of `plugins` as the config means it, in the arena; NULL where there is none, so
 * that all other places are looked at nevertheless. */
static const char *plugin_place(struct ftk__resolver *r, const struct ftk__setting *at)
{
    char *seen = ftk__path_relative_to(at->file, at->s);
    bool there = seen && ftk__file_exists(seen);
    bool fits = there && (ftk__is_dir(seen) || ftk__str_ends(seen, ".so"));
    char *real = fits ? ftk__path_real(seen) : NULL;
    const char *kept = real ? ftk__arena_strdup(&r->x->arena, real) : NULL;
    if (!seen || (fits && !kept))
        r->issues->failed = true;
    else if (!fits)
        ftk__issues_add(r->issues, at, "plugins", "a folder or a *.so file", NULL, "%s %s", seen,
                        there ? "is neither" : "does not exist");
    ftk__free(real);
    ftk__free(seen);
    return kept;
}

void ftk__resolve_plugins(struct ftk__resolver *r)
{
    struct ftk__experiment *x = r->x;
    const struct ftk__setting *s = ftk__setting_get(r->root, "plugins");
    const char **places = ftk__arena_alloc(&x->arena, (s ? s->n : 0) * sizeof(*places));
    if (!places) {
        r->issues->failed = true;
        return;
    }
    bool listed = is_sequence(r, s, "plugins", "an array of folders [\"...\"]");
    for (uint64_t i = 0; listed && i < s->n; i++) {
        if (!good_name(r, s->child[i], "plugins", NULL, places, x->n_plugins))
            continue;
        const char *place = plugin_place(r, s->child[i]);
        if (place)
            places[x->n_plugins++] = place;
    }
    x->plugins = places;
    if (!r->q->registry)
        return;
    struct ftk_error err = { 0 };
    ftk_status st = ftk__registry_scan(r->q->registry, x->plugins, x->n_plugins, &err);
    if (st == FTK_ENOMEM)
        r->issues->failed = true;
    else if (st != FTK_OK)
        ftk__issues_add(r->issues, s ? s : r->root, "plugins", NULL, NULL, "%s", err.message);
}

static void given_mean_and_std(struct ftk__resolver *r, const struct ftk__setting *group)
{
    struct ftk__normalise_section n = { { NULL, 0 }, { NULL, 0 } };
    struct ftk__part part = { ftk__schema_table(FTK__TABLE_NORMALISE), &n };
    uint64_t before = r->issues->n;
    ftk__parts_fill(r, group, "data.normalise", &part, 1, ftk__schema_extra(FTK__TABLE_NORMALISE),
                    false);
    if (r->issues->n == before && (n.mean.n != n.std.n || n.mean.n == 0 || n.mean.n > CHANNELS_MAX))
        ftk__issues_add(r->issues, group, "data.normalise", "one number a channel in both, 1 to 4",
                        NULL, "%" PRIu64 " means and %" PRIu64 " deviations", n.mean.n, n.std.n);
    r->x->data.mean = n.mean;
    r->x->data.std = n.std;
}

void ftk__resolve_normalise(struct ftk__resolver *r, const struct ftk__setting *data)
{
    const struct ftk__setting *s = ftk__setting_get(data, "normalise");
    r->x->data.normalise = "";
    if (!s)
        return;
    if (s->type == FTK__SET_GROUP) {
        given_mean_and_std(r, s);
    } else if (s->type != FTK__SET_STRING) {
        ftk__issues_add(r->issues, s, "data.normalise", "a name, or { mean = []; std = []; }", NULL,
                        "normalise is %s", ftk__setting_type_name(s->type));
    } else if (s->s[0] != 0) {
        uint64_t n = count_names(ftk__normalise_names);
        if (is_among(s->s, ftk__normalise_names, n))
            r->x->data.normalise = s->s;
        else
            ftk__resolve_unknown(r, s, "data.normalise", ftk__normalise_names, n, s->s,
                                 "unknown normalisation");
    }
}

void ftk__resolve_layers(struct ftk__resolver *r, const struct ftk__setting *layers)
{
    if (!is_sequence(r, layers, "sparsity.layers",
                     "a list ( { match = \"...\"; density = ...; } )"))
        return;
    struct ftk__layer_density *v = ftk__arena_alloc(&r->x->arena, layers->n * sizeof(*v));
    if (!v) {
        r->issues->failed = true;
        return;
    }
    for (uint64_t i = 0; i < layers->n; i++) {
        char path[64];
        ftk__format(path, sizeof path, "sparsity.layers[%" PRIu64 "]", i);
        struct ftk__part part = { ftk__schema_table(FTK__TABLE_LAYER), &v[i] };
        const struct ftk__setting *at = layers->child[i];
        if (at->type == FTK__SET_GROUP)
            ftk__parts_fill(r, at, path, &part, 1, NULL, false);
        else
            ftk__issues_add(r->issues, at, path, "a group { match = \"...\"; density = ...; }",
                            NULL, "an entry is %s", ftk__setting_type_name(at->type));
    }
    r->x->sparsity.layers = v;
    r->x->sparsity.n_layers = layers->n;
}

static void one_metric(struct ftk__resolver *r, const struct ftk__setting *at, uint64_t i,
                       struct ftk__algo_use *v)
{
    static const char *const extra[] = { "use", NULL };
    char path[64];
    ftk__format(path, sizeof path, "metrics[%" PRIu64 "]", i);
    if (at->type == FTK__SET_STRING) {
        ftk__resolve_named(r, path, at, FTK_KIND_METRIC, &v[i]);
    } else if (at->type == FTK__SET_GROUP) {
        struct ftk__use_group u = { .path = path, .group = at, .extra = extra };
        ftk__resolve_algo(r, &u, FTK_KIND_METRIC, &v[i]);
    } else {
        ftk__issues_add(r->issues, at, path, "a name or { use = \"...\"; }", NULL, "an entry is %s",
                        ftk__setting_type_name(at->type));
    }
    for (uint64_t k = 0; k < i && v[i].entry; k++) {
        if (v[k].entry == v[i].entry) {
            ftk__issues_add(r->issues, at, path, "each metric once", NULL,
                            "metric '%s' stands there twice", v[i].use);
            return;
        }
    }
}

void ftk__resolve_metrics(struct ftk__resolver *r)
{
    static const char *const names[] = { "accuracy", "nll", "ece" };
    enum { N_DEFAULT = 3 };
    const struct ftk__setting *s = ftk__setting_get(r->root, "metrics");
    if (s && !is_sequence(r, s, "metrics", "a list ( { use = \"...\"; }, ... )"))
        return;
    uint64_t n = s ? s->n : N_DEFAULT;
    struct ftk__algo_use *v = ftk__arena_alloc(&r->x->arena, n * sizeof(*v));
    if (!v) {
        r->issues->failed = true;
        return;
    }
    for (uint64_t i = 0; i < n; i++) {
        struct ftk__setting name = { .type = FTK__SET_STRING, .file = r->root->file };
        name.s = s ? NULL : names[i];
        one_metric(r, s ? s->child[i] : &name, i, v);
    }
    r->x->metrics = v;
    r->x->n_metrics = n;
}

/* Each milestone against the first, which gives the unit, and the one before. */
static const char *milestone_mistake(const ftk_durations *m, uint64_t i)
{
    if (m->v[i].unit != m->v[0].unit)
        return "one unit a list";
    if (i > 0 && !(m->v[i].value > m->v[i - 1].value))
        return "strictly ascending";
    if (m->v[i].unit == FTK_UNIT_TRAIN && m->v[i].value > 1)
        return "fractions of the TRAIN, 0 to 1";
    return NULL;
}

void ftk__resolve_milestones(struct ftk__resolver *r)
{
    static const char path[] = "optim.milestones";
    const ftk_durations *m = &r->x->optim.milestones;
    const struct ftk__setting *at = ftk__setting_find(r->root, path);
    if (m->n > MILESTONES_MAX) {
        ftk__issues_add(r->issues, at, path, "at most 8", NULL, "%" PRIu64 " milestones", m->n);
        return;
    }
    for (uint64_t i = 0; i < m->n; i++) {
        const char *limit = milestone_mistake(m, i);
        if (!limit)
            continue;
        ftk__issues_add(r->issues, at, path, limit, NULL, "milestones[%" PRIu64 "] = %g", i,
                        m->v[i].value);
        return;
    }
}
