/* SPDX-License-Identifier: MIT
 * report/run_table.c - columns from the rows of a table's document, and its three printed forms.
 */
#include "report/run_table.h"

#include "base/mem.h"
#include <string.h>

enum kind {
    KIND_TEXT,
    KIND_COUNT,
    KIND_SPARSITY,
    KIND_METRIC,
    KIND_SHARE, /* of a dense run: "0.57x"                                    */
    KIND_SECONDS
};

struct column {
    const char *head;
    const char *group; /* the object of a row that holds it; NULL: the row      */
    const char *key;
    enum kind kind;
};

static const struct column before_metrics[] = {
    { "run", NULL, "run_dir", KIND_TEXT },
    { "strategy", NULL, "strategy", KIND_TEXT },
    { "members", NULL, "members", KIND_COUNT },
    { "sparsity", NULL, "sparsity", KIND_SPARSITY },
    { "train_images", NULL, "train_images", KIND_COUNT },
    { "keep", NULL, "keep", KIND_TEXT },
};
static const struct column after_metrics[] = {
    { "theory", "cost", "theory", KIND_SHARE },
    { "executed", "cost", "executed", KIND_SHARE },
    { "wall_s", "cost", "wall_s", KIND_SECONDS },
    { "wall", "cost", "wall", KIND_SHARE },
    { "params", "cost", "params", KIND_SHARE },
    { "train_runs", NULL, "train_runs", KIND_COUNT },
    { "test_passes", NULL, "test_passes", KIND_COUNT },
    { "dense_run", "cost", "dense_run", KIND_TEXT },
};
enum {
    N_BEFORE = sizeof(before_metrics) / sizeof(before_metrics[0]),
    N_AFTER = sizeof(after_metrics) / sizeof(after_metrics[0])
};

struct table {
    const json_t *rows;
    const char *set;
    enum ftk__table_format format;
    struct column *columns; // [n]
    uint64_t n;
};

/* ---- columns --------------------------------------------------------------------------------- */

static json_t *group_of(const struct table *t, const json_t *row, const char *group)
{
    if (strcmp(group, "cost") == 0)
        return json_object_get(row, group);
    const json_t *sets = json_object_get(row, "sets");
    return json_object_get(json_object_get(sets, t->set), group);
}

static bool has_column(const struct table *t, const char *group, const char *key)
{
    for (uint64_t i = N_BEFORE; i < t->n; i++) {
        if (strcmp(t->columns[i].group, group) == 0 && strcmp(t->columns[i].key, key) == 0)
            return true;
    }
    return false;
}

/* Adds what any row has in the group; without room for it, counts only. */
static uint64_t add_metrics(struct table *t, const char *group)
{
    uint64_t n = 0;
    for (size_t r = 0; r < json_array_size(t->rows); r++) {
        const char *key;
        json_t *unused;
        json_object_foreach(group_of(t, json_array_get(t->rows, r), group), key, unused)
        {
            n++;
            if (t->columns && !has_column(t, group, key))
                t->columns[t->n++] = (struct column){ key, group, key, KIND_METRIC };
        }
    }
    return n;
}

static bool make_columns(struct table *t)
{
    uint64_t metrics = add_metrics(t, "ensemble") + add_metrics(t, "diversity");
    t->columns = ftk__alloc_array(N_BEFORE + metrics + N_AFTER, sizeof(*t->columns));
    if (!t->columns)
        return false;
    memcpy(t->columns, before_metrics, sizeof(before_metrics));
    t->n = N_BEFORE;
    add_metrics(t, "ensemble");
    add_metrics(t, "diversity");
    memcpy(t->columns + t->n, after_metrics, sizeof(after_metrics));
    t->n += N_AFTER;
    return true;
}

/* ---- cells ----------------------------------------------------------------------------------- */

/* Names of folders are anyone's: what would break the form they stand in is escaped. */
static void add_text(const char *text, enum ftk__table_format format, struct ftk__str *out)
{
    bool quoted = format == FTK__TABLE_CSV && strpbrk(text, ",\"\r\n");
    if (quoted)
        ftk__str_add(out, "\"");
    for (const char *s = text; *s; s++) {
        bool control = (unsigned char)*s < ' ' || *s == 0x7f;
        if (format == FTK__TABLE_CSV && *s == '"')
            ftk__str_add(out, "\"\"");
        else if (format == FTK__TABLE_MARKDOWN && (*s == '|' || *s == '\\'))
            ftk__str_addf(out, "\\%c", *s);
        else if (format != FTK__TABLE_CSV && control)
            ftk__str_add(out, "?");
        else
            ftk__str_add_n(out, s, 1);
    }
    if (quoted)
        ftk__str_add(out, "\"");
}

static void add_number(double v, enum kind kind, struct ftk__str *out)
{
    if (kind == KIND_SPARSITY) /* as in the cost line */
        ftk__str_addf(out, v < 0.99 ? "%.3g" : "%.5g", v);
    else if (kind == KIND_SHARE)
        ftk__str_addf(out, "%.2fx", v);
    else if (kind == KIND_SECONDS)
        ftk__str_addf(out, v < 1 ? "%.2f" : v < 10 ? "%.1f" : "%.0f", v);
    else if (kind == KIND_COUNT)
        ftk__str_addf(out, "%.0f", v);
    else
        ftk__str_addf(out, "%.4f", v);
}

static void add_cell(const struct table *t, const json_t *row, const struct column *c,
                     struct ftk__str *out)
{
    const json_t *from = c->group ? group_of(t, row, c->group) : row;
    const json_t *value = json_object_get(from, c->key);
    bool csv = t->format == FTK__TABLE_CSV;
    if (c->kind == KIND_TEXT && json_is_string(value))
        add_text(json_string_value(value), t->format, out);
    else if (c->kind != KIND_TEXT && json_is_integer(value) && csv)
        ftk__str_addf(out, "%lld", (long long)json_integer_value(value));
    else if (c->kind != KIND_TEXT && json_is_number(value) && csv)
        ftk__str_addf(out, "%.17g", json_number_value(value));
    else if (c->kind != KIND_TEXT && json_is_number(value))
        add_number(json_number_value(value), c->kind, out);
    else if (!csv)
        ftk__str_add(out, "-");
}

static void add_head(const struct table *t, const struct column *c, struct ftk__str *out)
{
    add_text(c->head, t->format, out);
}

/* ---- the three forms ------------------------------------------------------------------------- */

static void print_csv(const struct table *t, struct ftk__str *out)
{
    for (uint64_t i = 0; i < t->n; i++) {
        ftk__str_add(out, i ? "," : "");
        add_head(t, &t->columns[i], out);
    }
    ftk__str_add(out, "\n");
    for (size_t r = 0; r < json_array_size(t->rows); r++) {
        for (uint64_t i = 0; i < t->n; i++) {
            ftk__str_add(out, i ? "," : "");
            add_cell(t, json_array_get(t->rows, r), &t->columns[i], out);
        }
        ftk__str_add(out, "\n");
    }
}

static void print_markdown(const struct table *t, struct ftk__str *out)
{
    ftk__str_add(out, "|");
    for (uint64_t i = 0; i < t->n; i++) {
        ftk__str_add(out, " ");
        add_head(t, &t->columns[i], out);
        ftk__str_add(out, " |");
    }
    ftk__str_add(out, "\n|");
    for (uint64_t i = 0; i < t->n; i++)
        ftk__str_add(out, t->columns[i].kind == KIND_TEXT ? " --- |" : " ---: |");
    ftk__str_add(out, "\n");
    for (size_t r = 0; r < json_array_size(t->rows); r++) {
        ftk__str_add(out, "|");
        for (uint64_t i = 0; i < t->n; i++) {
            ftk__str_add(out, " ");
            add_cell(t, json_array_get(t->rows, r), &t->columns[i], out);
            ftk__str_add(out, " |");
        }
        ftk__str_add(out, "\n");
    }
}

/* Characters, not bytes: names may be UTF-8. */
static int width_of(const struct ftk__str *s)
{
    int n = 0;
    for (uint64_t i = 0; i < s->len; i++)
        n += ((unsigned char)s->text[i] & 0xc0) != 0x80;
    return n;
}

/* The head (row NULL) or a cell: its own width; printed to `out` unless `width` is MEASURE. */
enum { MEASURE = -1 };
static int print_aligned(const struct table *t, const json_t *row, uint64_t i, int width,
                         struct ftk__str *out)
{
    struct ftk__str cell = { 0 };
    const struct column *c = &t->columns[i];
    if (row)
        add_cell(t, row, c, &cell);
    else
        add_head(t, c, &cell);
    int own = width_of(&cell);
    out->failed = out->failed || cell.failed;
    if (width != MEASURE) {
        bool text = c->kind == KIND_TEXT;
        int pad = width - own;
        const char *gap = i ? "  " : "";
        ftk__str_addf(out, "%s%*s%s", gap, text ? 0 : pad, "", cell.text ? cell.text : "");
        if (text && i + 1 < t->n) /* no blanks at the end of a line */
            ftk__str_addf(out, "%*s", pad, "");
    }
    ftk__str_done(&cell);
    return own;
}

static void print_text(const struct table *t, struct ftk__str *out)
{
    size_t n = json_array_size(t->rows);
    int *width = ftk__alloc_array(t->n, sizeof(*width));
    if (!width) {
        out->failed = true;
        return;
    }
    for (uint64_t i = 0; i < t->n; i++) {
        width[i] = print_aligned(t, NULL, i, MEASURE, out);
        for (size_t r = 0; r < n; r++) {
            int own = print_aligned(t, json_array_get(t->rows, r), i, MEASURE, out);
            width[i] = own > width[i] ? own : width[i];
        }
    }
    for (size_t r = 0; r <= n; r++) {
        const json_t *row = r ? json_array_get(t->rows, r - 1) : NULL;
        for (uint64_t i = 0; i < t->n; i++)
            print_aligned(t, row, i, width[i], out);
        ftk__str_add(out, "\n");
    }
    ftk__free(width);
}

ftk_status ftk__run_table_print(const json_t *doc, enum ftk__table_format format,
                                struct ftk__str *out)
{
    const char *set = json_string_value(json_object_get(doc, "set"));
    struct table t = { .rows = json_object_get(doc, "rows"),
                       .set = set ? set : "test",
                       .format = format };
    if (!make_columns(&t))
        return FTK_ENOMEM;
    if (format == FTK__TABLE_CSV)
        print_csv(&t, out);
    else if (format == FTK__TABLE_MARKDOWN)
        print_markdown(&t, out);
    else
        print_text(&t, out);
    ftk__free(t.columns);
    return out->failed ? FTK_ENOMEM : FTK_OK;
}
