/* SPDX-License-Identifier: MIT
 * conform/rules_params.c - declared parameters: the table itself, and what the plugin makes of values.
 */
#include "base/rng.h"
#include "conform/driver.h"
#include "conform/params_case.h"
#include "conform/raw_file.h"
#include "plugin/loader.h"
#include "plugin/params_parts.h"
#include <math.h>
#include <string.h>

static struct ftk__param_table table_of(const ftk_algo *a)
{
    return (struct ftk__param_table){ a->params, a->param_stride, a->params_size };
}

/* ---- the table -------------------------------------------------------------------------------- */

/* The first field that lies outside of the struct, is not aligned or overlaps; false: none. */
static bool misplaced(const ftk_algo *a, char *text, size_t cap)
{
    const struct ftk__param_table t = table_of(a);
    for (uint32_t i = 0; ftk__param_at(&t, i); i++) {
        const ftk_param *p = ftk__param_at(&t, i);
        uint32_t bytes = ftk__ptype_bytes(p->type);
        const char *what = NULL;
        if (bytes == 0)
            continue; /* PAR-01's */
        if ((uint64_t)p->offset + bytes > a->params_size)
            what = "ends behind the struct";
        else if (p->offset % ftk__ptype_align(p->type) != 0)
            what = "is not aligned for its type";
        for (uint32_t k = 0; k < i && !what; k++) {
            const ftk_param *q = ftk__param_at(&t, k);
            if (p->offset < q->offset + ftk__ptype_bytes(q->type) && q->offset < p->offset + bytes)
                what = "overlaps another";
        }
        if (!what)
            continue;
        ftk__format(text, cap, "%s: parameter '%s' at byte %u of %u %s", a->name, p->name,
                    p->offset, a->params_size, what);
        return true;
    }
    return false;
}

static void table_is_right(struct ftk__case *c)
{
    struct ftk__raw_file f;
    struct ftk_error err;
    char text[256];
    ftk__raw_open(c, &f);
    ftk__raw_register(&f);
    for (uint32_t i = 0; i < f.n; i++)
        if (ftk__algo_check_part(f.algo[i], FTK__ALGO_TABLE, &err) < 0 &&
            !misplaced(f.algo[i], text, sizeof(text)))
            ftk__kit_fail(c, "%s: %s", f.algo[i]->name, err.message);
}

static void fields_in_place(struct ftk__case *c)
{
    struct ftk__raw_file f;
    char text[256];
    ftk__raw_open(c, &f);
    ftk__raw_register(&f);
    for (uint32_t i = 0; i < f.n; i++)
        if (misplaced(f.algo[i], text, sizeof(text)))
            ftk__kit_fail(c, "%s", text);
}

static void no_core_keys(struct ftk__case *c)
{
    struct ftk__raw_file f;
    struct ftk_error err;
    ftk__raw_open(c, &f);
    ftk__raw_register(&f);
    for (uint32_t i = 0; i < f.n; i++)
        if (ftk__algo_check_part(f.algo[i], FTK__ALGO_KEYS, &err) < 0)
            ftk__kit_fail(c, "%s: %s", f.algo[i]->name, err.message);
}

/* ---- values ----------------------------------------------------------------------------------- */

/* "key=value" of each line "key = value;" that the parameter engine prints. */
static uint64_t split_lines(struct ftk__case *c, char *text, const char **pair)
{
    uint64_t n = 0;
    for (char *line = text; line && *line != '\0';) {
        char *next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        char *equals = strstr(line, " = ");
        size_t len = strlen(line);
        if (equals && len > 0 && line[len - 1] == ';') {
            struct ftk__str s = { 0 };
            line[len - 1] = '\0';
            *equals = '\0';
            ftk__str_addf(&s, "%s=%s", line, equals + 3);
            pair[n++] = s.text;
        }
        line = next;
    }
    (void)c;
    return n;
}

static void stanza_parses_back(struct ftk__case *c)
{
    enum { MOST_PARAMS = 512 };
    const struct ftk__param_table t = table_of(c->algo);
    struct ftk__str printed = { 0 };
    struct ftk__str again = { 0 };
    const char *pair[MOST_PARAMS];
    struct ftk_error err;
    void *params;
    ftk__params_print(&t, c->params, 0, &printed);
    char *text = ftk__strdup(printed.text ? printed.text : "");
    uint64_t n = split_lines(c, text, pair);
    if (ftk__params_case(c->algo, pair, n, &c->arena, &params, &err) < 0)
        ftk__kit_fail(c, "the stanza of its defaults does not parse: %s", err.message);
    ftk__params_print(&t, params, 0, &again);
    if (strcmp(printed.text ? printed.text : "", again.text ? again.text : "") != 0)
        ftk__kit_fail(c, "the stanza of its defaults parses to other values");
}

static void defaults_work(struct ftk__case *c)
{
    struct ftk__subject s;
    ftk__subject_new(c, NULL, &s);
    ftk__subject_done(c, &s);
    if (c->params)
        stanza_parses_back(c);
}

/* PAR-06: calls with a writable copy; not one byte of it may change. */
static void params_stay(struct ftk__case *c)
{
    struct ftk__subject s;
    if (!c->params)
        ftk__kit_skip(c, "it has no parameters");
    void *copy = ftk__guard_new("params", c->algo->params_size, 8, FTK__ROOMY, 0);
    memcpy(copy, c->params, c->algo->params_size);
    struct ftk__kit_host *host = ftk__kit_host_new(0);
    const struct ftk__how how = {
        .side = FTK__ROOMY, .tolerant = true, .may_fail = true, .keep = true
    };
    if (ftk__subject_try(c, copy, host, &s) < 0)
        return; /* PAR-03's */
    ftk__driver_of(c)->act(c, &s, &how, NULL);
    for (uint32_t i = 0; i < c->algo->params_size; i++)
        if (((const char *)copy)[i] != ((const char *)c->params)[i])
            ftk__kit_fail(c, "byte %u of the parameters is not what it was before the calls", i);
}

/* An instance with these values, or a reason. */
static void instance_or_reason(struct ftk__case *c, const char *const *pair, uint64_t n)
{
    struct ftk__subject s;
    struct ftk_error err;
    void *params;
    if (ftk__params_case(c->algo, pair, n, &c->arena, &params, &err) < 0)
        return; /* the engine has refused it already */
    struct ftk__kit_host *host = ftk__kit_host_new(0);
    ftk_status st = ftk__subject_try(c, params, host, &s);
    if (st < 0) {
        ftk__kit_must_refuse(c, host, "check() or create", st);
        ftk__kit_host_free(host);
        return;
    }
    ftk__subject_done(c, &s);
}

enum { TEXT = 2048 };

static void list_text(const ftk_param *p, uint32_t n, char *text)
{
    const char *item = p->type == FTK_P_F64S ? "0.5" : "\"1ep\"";
    uint64_t at = 0;
    ftk__format(text, TEXT, "%s=[", p->name);
    at = strlen(text);
    for (uint32_t i = 0; i < n; i++) {
        char one[32];
        if (i % 3 == 2) /* unsorted, and units mixed */
            item = p->type == FTK_P_F64S ? "0.25" : "\"7it\"";
        ftk__format(one, sizeof(one), "%s%s", i ? ", " : "", item);
        ftk__format(text + at, TEXT - at, "%s", one);
        at += strlen(one);
    }
    ftk__format(text + at, TEXT - at, "]");
}

/* Text i of a parameter's edges; false past the last. */
static bool edge_text(const ftk_param *p, uint32_t i, char *text)
{
    static const char *const units[] = { "it", "ep", "x" };
    static const uint32_t lengths[] = { 0, 1, 8, 9, 64 };
    double v = i % 2 ? p->max : p->min;
    switch (p->type) {
    case FTK_P_BOOL:
        ftk__format(text, TEXT, "%s=%s", p->name, i ? "true" : "false");
        return i < 2;
    case FTK_P_I64:
        ftk__format(text, TEXT, "%s=%.0f", p->name, v);
        return i < 2;
    case FTK_P_F64:
        ftk__format(text, TEXT, "%s=%.17g", p->name, v);
        return i < 2;
    case FTK_P_DURATION:
        ftk__format(text, TEXT, "%s=\"%.17g%s\"", p->name, v, units[i / 2 % 3]);
        return i < 6;
    case FTK_P_ENUM:
        if (!p->choices || i >= ftk__param_choices(p))
            return false;
        ftk__format(text, TEXT, "%s=\"%s\"", p->name, p->choices[i]);
        return true;
    case FTK_P_F64S:
    case FTK_P_DURATIONS:
        if (i >= sizeof(lengths) / sizeof(lengths[0]))
            return false;
        list_text(p, lengths[i], text);
        return true;
    default:
        return false; /* a string's values are the user's */
    }
}

static void edges(struct ftk__case *c)
{
    const struct ftk__param_table t = table_of(c->algo);
    char *text[2] = { ftk__kit_alloc(c, TEXT, 1), ftk__kit_alloc(c, TEXT, 1) };
    const char *const pair[2] = { text[0], text[1] };
    for (uint32_t p = 0; ftk__param_at(&t, p); p++)
        for (uint32_t i = 0; edge_text(ftk__param_at(&t, p), i, text[0]); i++) {
            ftk__kit_note(c, "%s", text[0]);
            instance_or_reason(c, pair, 1);
            if (!ftk__param_at(&t, p + 1))
                continue;
            for (uint32_t k = 0; edge_text(ftk__param_at(&t, p + 1), k, text[1]); k++) {
                ftk__kit_note(c, "%s, %s", text[0], text[1]);
                instance_or_reason(c, pair, 2);
            }
        }
}

/* ---- PAR-05 ----------------------------------------------------------------------------------- */

static bool random_text(const ftk_param *p, ftk_rng *r, char *text)
{
    double u = ftk__rng_uniform(r);
    double low = fmax(p->min, -1e6);
    double high = fmin(p->max, 1e6);
    switch (p->type) {
    case FTK_P_I64:
        ftk__format(text, TEXT, "%s=%.0f", p->name, floor(low + u * (high - low)));
        return true;
    case FTK_P_F64:
        ftk__format(text, TEXT, "%s=%.17g", p->name, low + u * (high - low));
        return true;
    case FTK_P_DURATION:
        /* Of some epochs: longer ones make no other plans. */
        ftk__format(text, TEXT, "%s=\"%.17gep\"", p->name, low + u * (fmin(high, 50) - low));
        return true;
    default:
        return edge_text(p, (uint32_t)ftk__rng_below(r, 3), text);
    }
}

static void random_sets(struct ftk__case *c)
{
    enum { SETS = 200, MOST = 64 };
    const struct ftk__param_table t = table_of(c->algo);
    char *text[MOST];
    const char *pair[MOST];
    ftk_rng r = { { c->seed, 21 }, 0 };
    if (!c->params)
        ftk__kit_skip(c, "it has no parameters");
    for (int i = 0; i < MOST; i++)
        text[i] = ftk__kit_alloc(c, TEXT, 1);
    for (uint32_t set = 0; set < SETS; set++) {
        struct ftk__case mine = *c;
        struct ftk__subject s;
        struct ftk_error err;
        void *params;
        uint64_t n = 0;
        mine.arena = (struct ftk__arena){ 0 };
        for (uint32_t p = 0; ftk__param_at(&t, p) && n < MOST; p++)
            if (random_text(ftk__param_at(&t, p), &r, text[n])) {
                pair[n] = text[n];
                n++;
            }
        ftk__kit_note(c, "random parameters %u of seed %llu: %s ...", set,
                      (unsigned long long)c->seed, n ? pair[0] : "");
        uint32_t mark = ftk__guard_mark();
        struct ftk__kit_host *host = ftk__kit_host_new(0);
        if (ftk__params_case(c->algo, pair, n, &mine.arena, &params, &err) >= 0) {
            ftk_status st = ftk__subject_try(&mine, params, host, &s);
            if (st >= 0)
                st =
                    ftk__driver_of(c)->act(&mine, &s, &(struct ftk__how){ .may_fail = true }, NULL);
            if (st < 0)
                ftk__kit_must_refuse(c, host, "the call", st);
        }
        ftk__guard_release(mark);
        ftk__arena_done(&mine.arena);
    }
}

static const struct ftk__rule rules[] = {
    { .id = "PAR-01",
      .level = 1,
      .kinds = FTK__ON_ALL,
      .flags = FTK__RULE_FILE | FTK__RULE_RAW,
      .needs = "ABI-04 ABI-05",
      .title = "the table of parameters is well formed: names, types, bounds, defaults",
      .why = "the core reads a config by it and prints it in `describe`",
      .fix = "use the FTK_PARAM_ macros and end with FTK_PARAM_END",
      .run = table_is_right },
    { .id = "PAR-02",
      .level = 1,
      .kinds = FTK__ON_ALL,
      .flags = FTK__RULE_FILE | FTK__RULE_RAW,
      .needs = "ABI-04 ABI-05",
      .title = "fields lie inside the struct, aligned, and do not overlap",
      .why = "the core writes values at these offsets",
      .fix = "use FTK_PARAMS(struct, table) and the macros with the same struct",
      .run = fields_in_place },
    { .id = "PAR-07",
      .level = 1,
      .kinds = FTK__ON_ALL,
      .flags = FTK__RULE_FILE | FTK__RULE_RAW,
      .needs = "PAR-01",
      .title = "no key of the core's own is declared",
      .why = "use, members, keep, threads, precision, isa and tune are read by the core",
      .fix = "rename the parameter",
      .run = no_core_keys },
    { .id = "PAR-06",
      .level = 2,
      .kinds = FTK__ON_ALL_BUT_BACKEND,
      .needs = "ABI-01",
      .title = "parameters are not written",
      .why = "they belong to the core and outlive the instance",
      .fix = "copy in create() what is to change",
      .run = params_stay },
    { .id = "PAR-03",
      .level = 2,
      .kinds = FTK__ON_ALL,
      .needs = "ABI-01 PAR-01 PAR-06",
      .title = "defaults make an instance, and their stanza parses back",
      .why = "`describe --cfg` prints what a config may hold",
      .fix = "let check() accept the defaults",
      .run = defaults_work },
    { .id = "PAR-04",
      .level = 2,
      .kinds = FTK__ON_ALL_BUT_BACKEND,
      .needs = "PAR-03",
      .title = "bounds, units, and lists of any length make an instance or a reason",
      .why = "a config may hold every value that the table allows",
      .fix = "check() across fields, with a sentence",
      .run = edges },
    { .id = "PAR-05",
      .level = 3,
      .kinds = FTK__ON_ALL_BUT_BACKEND,
      .needs = "PAR-04 MEM-03 ERR-01 ENS-01",
      .title = "200 random sets of parameters work or give a reason",
      .why = "a sweep tries combinations nobody thought of",
      .fix = "check() what the calls rely on",
      .timeout_ms = 30000,
      .run = random_sets },
};
const struct ftk__rule_family ftk__family_params = { rules, sizeof(rules) / sizeof(rules[0]) };
