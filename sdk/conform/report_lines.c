/* SPDX-License-Identifier: MIT
 * conform/report_lines.c - verdicts for people, and as TAP 14 with YAML diagnostics.
 */
#include "conform/kit_reports.h"
#include <ctype.h>
#include <string.h>

static bool told(enum ftk__verdict v)
{
    return v == FTK__FAILED || v == FTK__CRASHED || v == FTK__TIMED_OUT || v == FTK__WARNED;
}

/* A word of a shell command. */
static void add_word(const char *word, struct ftk__str *out)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_./=:,+-@%";
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        ftk__str_add(out, word);
        return;
    }
    ftk__str_add(out, "'");
    for (; *word != '\0'; word++)
        if (*word == '\'')
            ftk__str_add(out, "'\\''");
        else
            ftk__str_add_n(out, word, 1);
    ftk__str_add(out, "'");
}

void ftk__verdict_command(const struct ftk__conform_run *r, const struct ftk__outcome *o,
                          struct ftk__str *out)
{
    const char *algo = ftk__outcome_algo(r, o);
    ftk__str_addf(out, "freetickets conform --in-process --only %s --seed %llu", o->rule->id,
                  (unsigned long long)r->o->seed);
    if (algo[0] != '\0')
        ftk__str_addf(out, " --algo %s", algo);
    for (uint32_t i = 0; i < r->o->n_set; i++) {
        struct ftk__str pair = { 0 };
        ftk__str_addf(&pair, "%s=%s", r->o->set[i].key, r->o->set[i].value);
        ftk__str_add(out, " --set ");
        add_word(pair.text ? pair.text : "", out);
        ftk__str_done(&pair);
    }
    if (r->o->ref) {
        ftk__str_add(out, " --ref ");
        add_word(r->o->ref, out);
    }
    ftk__str_add(out, " ");
    add_word(r->file[o->file].path, out);
}

/* ---- for people ------------------------------------------------------------------------------- */

static void add_output(const char *text, const char *indent, struct ftk__str *out)
{
    while (*text != '\0') {
        size_t n = strcspn(text, "\n");
        ftk__str_add(out, indent);
        for (size_t i = 0; i < n; i++) {
            char c = isprint((unsigned char)text[i]) || text[i] == '\t' ? text[i] : '?';
            ftk__str_add_n(out, &c, 1);
        }
        ftk__str_add(out, "\n");
        text += n + (text[n] == '\n');
    }
}

static void add_details(const struct ftk__conform_run *r, const struct ftk__outcome *o,
                        struct ftk__str *out)
{
    static const char indent[] = "                   ";
    if (o->message[0] != '\0')
        ftk__str_addf(out, "%s%s\n", indent, o->message);
    if (!told(o->verdict))
        return;
    if (o->note[0] != '\0')
        ftk__str_addf(out, "%sat: %s\n", indent, o->note);
    ftk__str_addf(out, "%swhy: %s\n%sfix: %s\n%srun: ", indent, o->rule->why, indent, o->fix,
                  indent);
    ftk__verdict_command(r, o, out);
    ftk__str_add(out, "\n");
    if (o->output[0] != '\0') {
        ftk__str_addf(out, "%sit printed:\n", indent);
        add_output(o->output, "                     | ", out);
    }
}

static void add_counts(const uint32_t count[FTK__VERDICTS], struct ftk__str *out)
{
    bool first = true;
    for (int v = 0; v < FTK__VERDICTS; v++) {
        if (count[v] == 0 && v != FTK__PASS && v != FTK__FAILED)
            continue;
        ftk__str_addf(out, "%s%u %s", first ? "" : ", ", count[v],
                      ftk__verdict_name((enum ftk__verdict)v));
        first = false;
    }
}

static void add_file(const struct ftk__conform_run *r, uint32_t file, struct ftk__str *out)
{
    uint32_t count[FTK__VERDICTS] = { 0 };
    const char *group = NULL;
    const struct ftk__conform_file *f = &r->file[file];
    ftk__str_addf(out, "%s: %s\n", f->path, f->stamp ? f->stamp : "no plugin that loads");
    for (uint32_t i = f->first; i < f->first + f->n; i++) {
        const struct ftk__outcome *o = &r->outcome[i];
        const char *algo = ftk__outcome_algo(r, o);
        if (!group || strcmp(group, algo) != 0)
            ftk__str_addf(out, "  %s\n", algo[0] != '\0' ? algo : "the file");
        group = algo;
        ftk__str_addf(out, "    %-8s %-6s  %s\n", ftk__verdict_name(o->verdict), o->rule->id,
                      o->rule->title);
        add_details(r, o, out);
        count[o->verdict]++;
    }
    ftk__str_add(out, "  ");
    add_counts(count, out);
    int level = ftk__level_reached(r, file);
    if (r->o->only || r->algo)
        ftk__str_add(out, "\n");
    else if (level > 0)
        ftk__str_addf(out, ": level %d\n", level);
    else
        ftk__str_add(out, ": no level\n");
}

void ftk__report_human(const struct ftk__conform_run *r, struct ftk__str *out)
{
    for (uint32_t f = 0; f < r->n_files; f++)
        add_file(r, f, out);
    if (r->n_files < 2)
        return;
    ftk__str_addf(out, "%u files: ", r->n_files);
    add_counts(r->count, out);
    ftk__str_add(out, "\n");
}

/* ---- TAP -------------------------------------------------------------------------------------- */

/* A YAML scalar in double quotes. */
static void add_yaml(const char *key, const char *text, struct ftk__str *out)
{
    ftk__str_addf(out, "  %s: \"", key);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            ftk__str_addf(out, "\\%c", c);
        else if (c == '\n')
            ftk__str_add(out, "\\n");
        else if (c < 0x20 || c == 0x7f)
            ftk__str_addf(out, "\\x%02x", c);
        else
            ftk__str_add_n(out, (const char *)text, 1);
    }
    ftk__str_add(out, "\"\n");
}

static void add_diagnostics(const struct ftk__conform_run *r, const struct ftk__outcome *o,
                            struct ftk__str *out)
{
    struct ftk__str command = { 0 };
    ftk__verdict_command(r, o, &command);
    ftk__str_add(out, "  ---\n");
    add_yaml("verdict", ftk__verdict_name(o->verdict), out);
    add_yaml("message", o->message, out);
    if (o->note[0] != '\0')
        add_yaml("at", o->note, out);
    add_yaml("why", o->rule->why, out);
    add_yaml("fix", o->fix, out);
    add_yaml("command", command.text ? command.text : "", out);
    if (o->output[0] != '\0')
        add_yaml("output", o->output, out);
    ftk__str_addf(out, "  seed: %llu\n  duration_ms: %.1f\n  ...\n", (unsigned long long)r->o->seed,
                  o->ms);
    ftk__str_done(&command);
}

/* `#` begins a directive, so it is written with a backslash before it. */
static void add_tap_text(const char *text, struct ftk__str *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '#' || *text == '\\')
            ftk__str_add(out, "\\");
        ftk__str_add_n(out, *text == '\n' ? " " : text, 1);
    }
}

void ftk__report_tap(const struct ftk__conform_run *r, struct ftk__str *out)
{
    ftk__str_addf(out, "TAP version 14\n1..%u\n", r->n);
    for (uint32_t i = 0; i < r->n; i++) {
        const struct ftk__outcome *o = &r->outcome[i];
        const char *algo = ftk__outcome_algo(r, o);
        bool bad = told(o->verdict) && o->verdict != FTK__WARNED;
        bool skipped =
            o->verdict == FTK__SKIPPED || o->verdict == FTK__BLOCKED || o->verdict == FTK__WAIVED;
        ftk__str_addf(out, "%sok %u - ", bad ? "not " : "", i + 1);
        add_tap_text(r->file[o->file].path, out);
        ftk__str_addf(out, " %s%s%s ", algo, algo[0] != '\0' ? " " : "", o->rule->id);
        add_tap_text(o->rule->title, out);
        if (skipped)
            ftk__str_addf(out, " # SKIP %s%s",
                          o->verdict == FTK__SKIPPED ? "" : ftk__verdict_name(o->verdict),
                          o->verdict == FTK__SKIPPED ? "" : ": ");
        if (skipped)
            add_tap_text(o->message, out);
        ftk__str_add(out, "\n");
        if (told(o->verdict))
            add_diagnostics(r, o, out);
    }
}
