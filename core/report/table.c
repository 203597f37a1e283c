/* SPDX-License-Identifier: MIT
 * report/table.c - the numbers of a run for people, and its cost beside a dense run's.
 */
#include "report/table.h"

#include <math.h>
#include <string.h>

enum { FIRST = 10, GAP = 2 }; /* "member 999" fits                            */

static int width_of(const char *name)
{
    int n = (int)strlen(name);
    return n > 7 ? n : 7; /* "-0.1234" */
}

static void print_cell(const json_t *value, int width, struct ftk__str *out)
{
    if (json_is_number(value))
        ftk__str_addf(out, "%*s%*.4f", GAP, "", width, json_number_value(value));
    else
        ftk__str_addf(out, "%*s%*s", GAP, "", width, "-");
}

/* `columns` is the object whose keys are the columns, so that all rows have the same. */
static void print_row(const char *name, const json_t *row, json_t *columns, struct ftk__str *out)
{
    const char *key;
    json_t *unused;
    ftk__str_addf(out, "%-*s", FIRST, name);
    json_object_foreach(columns, key, unused)
        print_cell(json_object_get(row, key), width_of(key), out);
    ftk__str_add(out, "\n");
}

static void print_diversity(json_t *diversity, struct ftk__str *out)
{
    const char *key;
    json_t *value;
    if (json_object_size(diversity) == 0)
        return;
    ftk__str_addf(out, "%-*s", FIRST, "diversity");
    json_object_foreach(diversity, key, value)
    {
        if (json_is_number(value))
            ftk__str_addf(out, "%*s%s %.4f", GAP, "", key, json_number_value(value));
        else
            ftk__str_addf(out, "%*s%s -", GAP, "", key);
    }
    ftk__str_add(out, "\n");
}

static void print_set(const char *name, const json_t *set, struct ftk__str *out)
{
    const char *key;
    json_t *unused;
    json_t *ensemble = json_object_get(set, "ensemble");
    const json_t *members = json_object_get(set, "members");
    if (json_object_size(ensemble) > 0) {
        ftk__str_addf(out, "%-*s", FIRST, name);
        json_object_foreach(ensemble, key, unused)
            ftk__str_addf(out, "%*s%*s", GAP, "", width_of(key), key);
        ftk__str_add(out, "\n");
        print_row("ensemble", ensemble, ensemble, out);
        for (size_t m = 0; m < json_array_size(members); m++) {
            char row[32];
            ftk__format(row, sizeof(row), "member %zu", m);
            print_row(row, json_array_get(members, m), ensemble, out);
        }
        print_row("mean", json_object_get(set, "mean"), ensemble, out);
    } else {
        ftk__str_addf(out, "%s\n", name);
    }
    print_diversity(json_object_get(set, "diversity"), out);
}

ftk_status ftk__table_print(const json_t *report, struct ftk__str *out)
{
    const char *name;
    json_t *set;
    bool first = true;
    json_object_foreach(json_object_get(report, "sets"), name, set)
    {
        if (!first)
            ftk__str_add(out, "\n");
        first = false;
        print_set(name, set, out);
    }
    return out->failed ? FTK_ENOMEM : FTK_OK;
}

/* Where there is no dense run of any length (`epochs` is 0) nothing can be divided. */
static void print_share(const char *name, double share, struct ftk__str *out)
{
    if (isfinite(share))
        ftk__str_addf(out, "  %s %.2fx", name, share);
    else
        ftk__str_addf(out, "  %s -", name);
}

static bool has_dense(const struct ftk__cost *c)
{
    return c->dense_run && c->dense_wall_s > 0;
}

void ftk__cost_print(const struct ftk__cost *c, struct ftk__str *out)
{
    ftk__str_add(out, "cost  ");
    for (const char *s = c->strategy; *s; s++) {
        char upper = *s >= 'a' && *s <= 'z' ? (char)(*s - 'a' + 'A') : *s;
        ftk__str_add_n(out, &upper, 1);
    }
    ftk__str_addf(out, " M=%llu", (unsigned long long)c->members);
    if (c->sparsity >= 0) /* counts are whole, so 0.8 may be 0.80003; close to 1 each digit tells */
        ftk__str_addf(out, c->sparsity < 0.99 ? " S=%.3g" : " S=%.5g", c->sparsity);
    print_share("theory", c->theory, out);
    print_share("executed", c->executed, out);
    ftk__str_addf(out,
                  c->wall_s < 1    ? "  wall %.2f s"
                  : c->wall_s < 10 ? "  wall %.1f s"
                                   : "  wall %.0f s",
                  c->wall_s);
    if (has_dense(c))
        ftk__str_addf(out, " (%.2fx of %s)", c->wall_s / c->dense_wall_s, c->dense_run);
    else
        ftk__str_add(out, " (no dense run to compare)");
    print_share("params", c->params, out);
    ftk__str_add(out, "\n");
}

static json_t *share_json(double share)
{
    return isfinite(share) ? json_real(share) : json_null();
}

json_t *ftk__cost_json(const struct ftk__cost *c)
{
    bool dense = has_dense(c);
    return json_pack("{s:o, s:o, s:f, s:o, s:o, s:o}", "theory", share_json(c->theory), "executed",
                     share_json(c->executed), "wall_s", c->wall_s, "wall",
                     dense ? json_real(c->wall_s / c->dense_wall_s) : json_null(), "dense_run",
                     dense ? json_string(c->dense_run) : json_null(), "params",
                     share_json(c->params));
}
