/* SPDX-License-Identifier: MIT
 * plugin/describe_json.c - lists and descriptions as JSON documents.
 */
#include "plugin/describe.h"
#include "plugin/describe_parts.h"
#include "plugin/params_parts.h"
#include <string.h>

/* Text that a plugin wrote may be no UTF-8, which JSON has no place for: then `?` per odd byte. */
static json_t *text_json(const char *text, size_t n)
{
    struct ftk__str clean = { 0 };
    for (size_t i = 0; i < n;) {
        size_t len = (size_t)ftk__utf8_char(text + i, n - i);
        if (len > 0)
            ftk__str_add_n(&clean, text + i, len);
        else
            ftk__str_add(&clean, "?");
        i += len > 0 ? len : 1;
    }
    json_t *j = clean.failed ? NULL : json_string(clean.text ? clean.text : "");
    ftk__str_done(&clean);
    return j;
}

static json_t *string_json(const char *text)
{
    return text ? text_json(text, strlen(text)) : json_null();
}

static json_t *hash_json(const struct ftk__file *f)
{
    struct ftk__sha256 hash;
    ftk_status st = ftk__file_hash(f, &hash, NULL);
    if (st == FTK_ENOMEM)
        return NULL;
    if (st != FTK_OK)
        return json_null(); /* gone, or not a file                          */
    return json_string(hash.hex);
}

/* One row of a list; every member is stolen.  NULL without memory, then all are released. */
static json_t *row_json(json_t *kind, json_t *name, const struct ftk__file *f, json_t *reason)
{
    const ftk_stamp *stamp = f ? f->stamp : NULL;
    json_t *row = json_object();
    int failed = json_object_set_new(row, "kind", kind);
    failed |= json_object_set_new(row, "name", name);
    failed |= json_object_set_new(row, "plugin", string_json(stamp ? stamp->name : NULL));
    failed |= json_object_set_new(row, "version", string_json(stamp ? stamp->version : NULL));
    failed |= json_object_set_new(row, "path", string_json(f ? f->path : NULL));
    failed |= json_object_set_new(row, "sha256", f ? hash_json(f) : json_null());
    failed |= json_object_set_new(row, "status", string_json(f ? ftk__file_status(f) : "built in"));
    failed |= json_object_set_new(row, "reason", reason);
    if (failed) {
        json_decref(row);
        return NULL;
    }
    return row;
}

static json_t *entry_json(const struct ftk__registry *r, const struct ftk__entry *e)
{
    const struct ftk__file *other = ftk__other_offer(r, e);
    struct ftk__str note = { 0 };
    if (other)
        ftk__str_addf(&note, "%s offers the name too", other->path);
    json_t *reason = note.failed ? NULL : string_json(note.text);
    ftk__str_done(&note);
    return row_json(string_json(ftk__kind_name((ftk_kind)e->algo->kind)),
                    string_json(e->algo->name), e->file, reason);
}

static json_t *file_json(const struct ftk__file *f)
{
    if (!f->deferred)
        return row_json(json_null(), json_null(), f, string_json(f->reason));
    int n;
    const char *name = ftk__deferred_name(f, &n);
    return row_json(string_json("backend"), text_json(name, (size_t)n), f, json_null());
}

json_t *ftk__list_json(const struct ftk__registry *r, uint32_t kind)
{
    json_t *list = json_array();
    int failed = list == NULL;
    for (uint32_t k = 0; ftk__listed_kinds[k] != 0; k++) {
        if (kind != 0 && kind != ftk__listed_kinds[k])
            continue;
        for (uint64_t i = 0; i < ftk__registry_count(r) && !failed; i++) {
            const struct ftk__entry *e = ftk__registry_entry(r, i);
            if (e->algo->kind == ftk__listed_kinds[k])
                failed = json_array_append_new(list, entry_json(r, e));
        }
    }
    for (uint64_t i = 0; i < ftk__registry_file_count(r) && !failed; i++) {
        const struct ftk__file *f = ftk__registry_file(r, i);
        bool of_kind = kind == 0 || kind == FTK_KIND_BACKEND;
        if (f->reason || (f->deferred && of_kind))
            failed = json_array_append_new(list, file_json(f));
    }
    if (failed) {
        json_decref(list);
        return NULL;
    }
    return list;
}

static json_t *duration_json(ftk_duration d)
{
    if (d.unit == FTK_UNIT_TRAIN)
        return json_real(d.value);
    struct ftk__str text = { 0 };
    ftk__duration_print(d, &text);
    json_t *j = text.failed ? NULL : json_string(text.text);
    ftk__str_done(&text);
    return j;
}

static json_t *list_default_json(const ftk_param *p, const void *field)
{
    json_t *list = json_array();
    int failed = list == NULL;
    if (p->type == FTK_P_F64S) {
        ftk_f64s floats;
        memcpy(&floats, field, sizeof(floats));
        for (uint64_t i = 0; i < floats.n && !failed; i++)
            failed = json_array_append_new(list, json_real(floats.v[i]));
    } else {
        ftk_durations durations;
        memcpy(&durations, field, sizeof(durations));
        for (uint64_t i = 0; i < durations.n && !failed; i++)
            failed = json_array_append_new(list, duration_json(durations.v[i]));
    }
    if (failed) {
        json_decref(list);
        return NULL;
    }
    return list;
}

static json_t *default_json(const ftk_param *p, const void *values)
{
    const char *field = (const char *)values + p->offset;
    ftk_duration d;
    if (p->flags & FTK_PF_REQUIRED)
        return json_null();
    switch (p->type) {
    case FTK_P_BOOL:
        return json_boolean(p->def != 0);
    case FTK_P_I64:
        return json_integer((json_int_t)p->def);
    case FTK_P_F64:
        return json_real(p->def);
    case FTK_P_ENUM:
        return string_json(p->choices[(uint64_t)p->def]);
    case FTK_P_STR:
        return string_json(p->def_str);
    case FTK_P_DURATION:
        memcpy(&d, field, sizeof(d));
        return duration_json(d);
    default:
        return list_default_json(p, field);
    }
}

static json_t *bound_json(const ftk_param *p, double bound)
{
    if (p->type == FTK_P_BOOL || p->type == FTK_P_ENUM || p->type == FTK_P_STR)
        return json_null();
    return p->type == FTK_P_I64 ? json_integer((json_int_t)bound) : json_real(bound);
}

static json_t *choices_json(const ftk_param *p)
{
    if (p->type != FTK_P_ENUM)
        return json_null();
    json_t *list = json_array();
    int failed = list == NULL;
    for (uint64_t i = 0; i < ftk__param_choices(p) && !failed; i++)
        failed = json_array_append_new(list, string_json(p->choices[i]));
    if (failed) {
        json_decref(list);
        return NULL;
    }
    return list;
}

static json_t *param_json(const ftk_param *p, const void *values)
{
    json_t *row = json_object();
    int failed = json_object_set_new(row, "name", string_json(p->name));
    failed |= json_object_set_new(row, "type", string_json(ftk__ptype_name(p->type)));
    failed |= json_object_set_new(row, "default", default_json(p, values));
    failed |= json_object_set_new(row, "min", bound_json(p, p->min));
    failed |= json_object_set_new(row, "max", bound_json(p, p->max));
    failed |= json_object_set_new(row, "open_min", json_boolean(p->flags & FTK_PF_OPEN_MIN));
    failed |= json_object_set_new(row, "open_max", json_boolean(p->flags & FTK_PF_OPEN_MAX));
    failed |= json_object_set_new(row, "required", json_boolean(p->flags & FTK_PF_REQUIRED));
    failed |= json_object_set_new(row, "unit", string_json(p->unit));
    failed |= json_object_set_new(row, "choices", choices_json(p));
    failed |= json_object_set_new(row, "help", string_json(p->help));
    if (failed) {
        json_decref(row);
        return NULL;
    }
    return row;
}

static json_t *params_json(const ftk_algo *a)
{
    const struct ftk__param_table t = ftk__table_of(a);
    struct ftk__arena arena = { 0 };
    json_t *list = json_array();
    void *values = ftk__defaults_of(a, &arena);
    int failed = list == NULL || values == NULL;
    const ftk_param *p;
    for (uint32_t i = 0; !failed && (p = ftk__param_at(&t, i)) != NULL; i++)
        failed = json_array_append_new(list, param_json(p, values));
    ftk__free(values);
    ftk__arena_done(&arena);
    if (failed) {
        json_decref(list);
        return NULL;
    }
    return list;
}

json_t *ftk__describe_json(const struct ftk__entry *e)
{
    const ftk_algo *a = e->algo;
    const ftk_stamp *stamp = e->file ? e->file->stamp : NULL;
    json_t *doc = json_object();
    int failed = json_object_set_new(doc, "kind", string_json(ftk__kind_name((ftk_kind)a->kind)));
    failed |= json_object_set_new(doc, "name", string_json(a->name));
    failed |= json_object_set_new(doc, "summary", string_json(a->summary));
    failed |= json_object_set_new(doc, "reference", string_json(a->reference));
    failed |= json_object_set_new(doc, "plugin", string_json(stamp ? stamp->name : NULL));
    failed |= json_object_set_new(doc, "version", string_json(stamp ? stamp->version : NULL));
    failed |= json_object_set_new(doc, "path", string_json(e->file ? e->file->path : NULL));
    failed |= json_object_set_new(doc, "params", params_json(a));
    if (failed) {
        json_decref(doc);
        return NULL;
    }
    return doc;
}
