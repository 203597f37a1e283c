/* SPDX-License-Identifier: MIT
 * conform/report_json.c - verdicts as JSON, and the level that a file has reached.
 */
#include "conform/families.h"
#include "conform/kit_reports.h"
#include <string.h>
#include <sys/stat.h>

static bool kept(enum ftk__verdict v)
{
    return v == FTK__PASS || v == FTK__WARNED || v == FTK__SKIPPED;
}

int ftk__level_reached(const struct ftk__conform_run *r, uint32_t file)
{
    int level = r->o->level;
    const struct ftk__conform_file *f = &r->file[file];
    if (f->n_algos == 0)
        return 0;
    for (uint32_t i = f->first; i < f->first + f->n; i++) {
        const struct ftk__outcome *o = &r->outcome[i];
        if (!kept(o->verdict) && o->rule->level <= level)
            level = o->rule->level - 1;
    }
    return level;
}

/* What a process printed may be no UTF-8, which JSON has no place for. */
static json_t *text_json(const char *text)
{
    struct ftk__str clean = { 0 };
    uint64_t n = strlen(text);
    for (uint64_t i = 0; i < n;) {
        uint64_t len = ftk__utf8_char(text + i, n - i);
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

static json_t *outcome_json(const struct ftk__conform_run *r, const struct ftk__outcome *o)
{
    struct ftk__str command = { 0 };
    ftk__verdict_command(r, o, &command);
    json_t *row = json_object();
    int failed = !row || command.failed;
    failed |= json_object_set_new(row, "rule", json_string(o->rule->id));
    failed |= json_object_set_new(row, "algorithm", json_string(ftk__outcome_algo(r, o)));
    failed |= json_object_set_new(row, "level", json_integer(o->rule->level));
    failed |= json_object_set_new(row, "verdict", json_string(ftk__verdict_name(o->verdict)));
    failed |= json_object_set_new(row, "message", text_json(o->message));
    failed |= json_object_set_new(row, "note", text_json(o->note));
    failed |= json_object_set_new(row, "title", json_string(o->rule->title));
    if (!kept(o->verdict) || o->verdict == FTK__WARNED) {
        failed |= json_object_set_new(row, "why", json_string(o->rule->why));
        failed |= json_object_set_new(row, "fix", json_string(o->fix));
        failed |= json_object_set_new(row, "output", text_json(o->output));
    }
    failed |= json_object_set_new(row, "seed", json_integer((json_int_t)r->o->seed));
    failed |= json_object_set_new(row, "command", text_json(command.text ? command.text : ""));
    failed |= json_object_set_new(row, "ms", json_real(o->ms));
    ftk__str_done(&command);
    if (!failed)
        return row;
    json_decref(row);
    return NULL;
}

static json_t *counts_json(const uint32_t count[FTK__VERDICTS])
{
    json_t *j = json_object();
    int failed = !j;
    for (int v = 0; v < FTK__VERDICTS; v++)
        failed |= json_object_set_new(j, ftk__verdict_name((enum ftk__verdict)v),
                                      json_integer((json_int_t)count[v]));
    if (!failed)
        return j;
    json_decref(j);
    return NULL;
}

static json_t *kit_json(void)
{
    struct ftk__sha256 rules;
    uint32_t n = 0;
    if (ftk__rules_hash(&rules, NULL) < 0)
        return NULL;
    while (ftk__rule_at(n))
        n++;
    char interface[32];
    ftk__format(interface, sizeof(interface), "%u.%u", FTK_ABI_MAJOR, FTK_ABI_MINOR);
    return json_pack("{s:s, s:s, s:i, s:s}", "version", FTK_VERSION, "interface", interface,
                     "rules", (int)n, "rules_sha256", rules.hex);
}

json_t *ftk__report_json(const struct ftk__conform_run *r, uint32_t file)
{
    const struct ftk__conform_file *f = &r->file[file];
    uint32_t count[FTK__VERDICTS] = { 0 };
    struct ftk__sha256 hash;
    json_t *doc = json_object();
    json_t *rows = json_array();
    struct stat about; /* a FIFO would be waited for */
    bool readable = stat(f->path, &about) == 0 && S_ISREG(about.st_mode) &&
                    ftk__sha256_file(f->path, &hash, NULL) >= 0;
    int failed = !doc || !rows;
    for (uint32_t i = f->first; i < f->first + f->n && !failed; i++) {
        failed = json_array_append_new(rows, outcome_json(r, &r->outcome[i]));
        count[r->outcome[i].verdict]++;
    }
    failed |= json_object_set_new(doc, "file", text_json(f->path));
    failed |= json_object_set_new(doc, "sha256", readable ? json_string(hash.hex) : json_null());
    failed |= json_object_set_new(doc, "stamp", f->stamp ? text_json(f->stamp) : json_null());
    failed |= json_object_set_new(doc, "kit", kit_json());
    failed |= json_object_set_new(doc, "tested_level", json_integer(r->o->level));
    failed |= json_object_set_new(doc, "level", json_integer(ftk__level_reached(r, file)));
    failed |= json_object_set_new(doc, "seed", json_integer((json_int_t)r->o->seed));
    failed |= json_object_set(doc, "verdicts", rows);
    failed |= json_object_set_new(doc, "counts", counts_json(count));
    json_decref(rows);
    if (!failed)
        return doc;
    json_decref(doc);
    return NULL;
}
