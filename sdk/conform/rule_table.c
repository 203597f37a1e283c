/* SPDX-License-Identifier: MIT
 * conform/rule_table.c - the rules themselves, for `--list`, as JSON and as sdk/docs/rules.md.
 */
#include "conform/families.h"
#include "conform/kit_reports.h"
#include <string.h>

static const struct kind_word {
    uint32_t bits;
    const char *word;
} words[] = {
    { FTK__ON_ALL, "all" },
    { FTK__ON_ALL_BUT_BACKEND, "all but backend" },
    { FTK__ON_SPARSE, "init, prune, grow, allot" },
    { FTK__ON_PRUNE, "prune" },
    { FTK__ON_GROW, "grow" },
    { FTK__ON_INIT, "init" },
    { FTK__ON_PRUNE1, "prune (scores)" },
    { FTK__ON_PRUNE2, "prune (selects)" },
    { FTK__ON_GROW1, "grow (scores)" },
    { FTK__ON_GROW2, "grow (selects)" },
    { FTK__ON_INIT1, "init (density)" },
    { FTK__ON_INIT2, "init (selects)" },
    { FTK__ON_ALLOT, "allot" },
    { FTK__ON_ENSEMBLE, "ensemble" },
    { FTK__ON_METRIC, "metric" },
    { FTK__ON_BACKEND, "backend" },
};
enum { N_WORDS = sizeof(words) / sizeof(words[0]) };

/* "prune, grow (scores)": each word stands for kinds that are all among the rule's. */
static void add_kinds(uint32_t kinds, struct ftk__str *out)
{
    bool first = true;
    if (kinds == 0)
        ftk__str_add(out, "the host");
    for (int i = 0; i < N_WORDS && kinds != 0; i++) {
        if ((words[i].bits & kinds) != words[i].bits)
            continue;
        ftk__str_addf(out, "%s%s", first ? "" : ", ", words[i].word);
        kinds &= ~words[i].bits;
        first = false;
    }
}

void ftk__rules_print(struct ftk__str *out)
{
    for (uint32_t i = 0; ftk__rule_at(i); i++) {
        const struct ftk__rule *r = ftk__rule_at(i);
        ftk__str_addf(out, "%s  %d  %s  [", r->id, r->level, r->title);
        add_kinds(r->kinds, out);
        ftk__str_add(out, r->flags & FTK__RULE_WARN ? ", warns]\n" : "]\n");
    }
}

static json_t *needs_json(const char *needs)
{
    json_t *list = json_array();
    for (const char *at = needs ? needs : ""; *at != '\0' && list;) {
        size_t n = strcspn(at, " ");
        if (n > 0 && json_array_append_new(list, json_stringn(at, n)) != 0) {
            json_decref(list);
            return NULL;
        }
        at += n;
        at += strspn(at, " ");
    }
    return list;
}

json_t *ftk__rules_json(void)
{
    json_t *list = json_array();
    int failed = !list;
    for (uint32_t i = 0; ftk__rule_at(i) && !failed; i++) {
        const struct ftk__rule *r = ftk__rule_at(i);
        struct ftk__str kinds = { 0 };
        add_kinds(r->kinds, &kinds);
        json_t *row =
            json_pack("{s:s, s:i, s:s, s:b, s:b, s:o, s:s, s:s, s:s}", "rule", r->id, "level",
                      r->level, "kinds", kinds.text ? kinds.text : "", "of_file",
                      (int)((r->flags & FTK__RULE_FILE) != 0), "warns",
                      (int)((r->flags & FTK__RULE_WARN) != 0), "needs", needs_json(r->needs),
                      "title", r->title, "why", r->why, "fix", r->fix);
        failed = kinds.failed || json_array_append_new(list, row) != 0;
        ftk__str_done(&kinds);
    }
    if (!failed)
        return list;
    json_decref(list);
    return NULL;
}

ftk_status ftk__rules_hash(struct ftk__sha256 *ret, struct ftk_error *reterr)
{
    struct ftk__str all = { 0 };
    for (uint32_t i = 0; ftk__rule_at(i); i++) {
        const struct ftk__rule *r = ftk__rule_at(i);
        ftk__str_addf(&all, "%s\t%d\t%x\t%x\t%s\t%s\n", r->id, r->level, r->kinds, r->flags,
                      r->needs ? r->needs : "", r->title);
    }
    ftk_status st = all.failed ? ftk__fail(reterr, FTK_ENOMEM, "no memory for the rules")
                               : ftk__sha256_buffer(all.text, all.len, ret, reterr);
    ftk__str_done(&all);
    return st;
}

/* In a cell of a table. */
static void add_cell(const char *text, struct ftk__str *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '|' || *text == '<' || *text == '*')
            ftk__str_add(out, "\\");
        ftk__str_add_n(out, text, 1);
    }
}

void ftk__rules_markdown(struct ftk__str *out)
{
    ftk__str_add(
        out, "# Rules of the conformance kit\n\n"
             "Written by `freetickets conform --rules-md`.  Level 1: loads safely; 2: keeps the "
             "contract; 3: survives faults, fuzz and threads.\nA rule runs once the rules it "
             "needs have passed; `warns` marks rules of speed and taste.\n\n"
             "| Rule | Level | Kinds | What holds | Why | Likely fix | Needs |\n"
             "|---|---|---|---|---|---|---|\n");
    for (uint32_t i = 0; ftk__rule_at(i); i++) {
        const struct ftk__rule *r = ftk__rule_at(i);
        ftk__str_addf(out, "| %s | %d%s | ", r->id, r->level,
                      r->flags & FTK__RULE_WARN ? ", warns" : "");
        add_kinds(r->kinds, out);
        ftk__str_add(out, " | ");
        add_cell(r->title, out);
        ftk__str_add(out, " | ");
        add_cell(r->why, out);
        ftk__str_add(out, " | ");
        add_cell(r->fix, out);
        ftk__str_addf(out, " | %s |\n", r->needs ? r->needs : "");
    }
}
