/* SPDX-License-Identifier: MIT
 * cli/run_identity.c - identity lines, as text, as JSON, compared.
 */
#include "cli/run_identity.h"

#include "base/mem.h"
#include "cli/json_text.h"
#include <string.h>

ftk_status ftk__identity_make(const struct ftk__experiment *x, struct ftk__identity *ret,
                              struct ftk_error *reterr)
{
    struct ftk__identity id = { .seed = x->seed };
    ftk_status st = ftk__config_identity(x, &id.lines, id.hash8, reterr);
    if (st >= 0 && id.lines.failed)
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory for the identity of %s", x->name);
    if (st >= 0)
        st = ftk__sha256_buffer(id.lines.text, id.lines.len, &id.hash, reterr);
    if (st < 0)
        ftk__identity_done(&id);
    else
        *ret = id;
    return st;
}

void ftk__identity_done(struct ftk__identity *id)
{
    ftk__str_done(&id->lines);
    *id = (struct ftk__identity){ 0 };
}

json_t *ftk__identity_json(const struct ftk__identity *id)
{
    json_t *list = json_array();
    int failed = list ? 0 : -1;
    const char *at = id->lines.text ? id->lines.text : "";
    while (*at && !failed) {
        size_t n = strcspn(at, "\n");
        struct ftk__str line = { 0 };
        ftk__str_add_n(&line, at, n);
        failed = line.failed ? -1 : json_array_append_new(list, ftk__json_text(line.text));
        ftk__str_done(&line);
        at += n + (at[n] == '\n');
    }
    if (!failed)
        return list;
    json_decref(list);
    return NULL;
}

/* The value of "path=value" where the path is that of `line`, in a list; NULL: it has none. */
static const char *value_in(const json_t *list, const char *line)
{
    size_t n = strcspn(line, "=") + 1;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *other = json_string_value(json_array_get(list, i));
        if (other && strncmp(other, line, n) == 0)
            return other + n;
    }
    return NULL;
}

static void add_difference(const char *line, const char *there, const char *here,
                           struct ftk__str *out)
{
    ftk__str_addf(out, "  %.*s: %s there, %s here\n", (int)strcspn(line, "="), line,
                  there ? there : "nothing", here ? here : "nothing");
}

ftk_status ftk__identity_diff(const struct ftk__identity *here, const json_t *manifest,
                              struct ftk__str *out, uint64_t *ret_n, struct ftk_error *reterr)
{
    json_t *ours = ftk__identity_json(here);
    const json_t *theirs = json_object_get(manifest, "identity");
    json_int_t seed = json_integer_value(json_object_get(manifest, "seed"));
    uint64_t n = 0;
    if (!ours)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory to compare two runs");
    for (size_t i = 0; i < json_array_size(ours); i++) {
        const char *line = json_string_value(json_array_get(ours, i));
        const char *there = value_in(theirs, line);
        const char *value = line + strcspn(line, "=") + 1;
        if (there && strcmp(there, value) == 0)
            continue;
        add_difference(line, there, value, out);
        n++;
    }
    for (size_t i = 0; i < json_array_size(theirs); i++) {
        const char *line = json_string_value(json_array_get(theirs, i));
        if (!line || value_in(ours, line))
            continue;
        add_difference(line, line + strcspn(line, "=") + 1, NULL, out);
        n++;
    }
    if (seed != here->seed) {
        ftk__str_addf(out, "  seed: %lld there, %lld here\n", (long long)seed,
                      (long long)here->seed);
        n++;
    }
    json_decref(ours);
    *ret_n = n;
    return out->failed ? ftk__fail(reterr, FTK_ENOMEM, "no memory to compare two runs") : FTK_OK;
}
