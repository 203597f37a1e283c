/* SPDX-License-Identifier: MIT
 * conform/families.c - the list of families: a new file of rules has its line here.
 */
#include "conform/families.h"
#include <string.h>

extern const struct ftk__rule_family ftk__family_abi, ftk__family_params, ftk__family_env,
    ftk__family_memory, ftk__family_life, ftk__family_same, ftk__family_state, ftk__family_threads,
    ftk__family_score, ftk__family_claims, ftk__family_fuzz, ftk__family_select, ftk__family_update,
    ftk__family_allot, ftk__family_init, ftk__family_ensemble, ftk__family_metric,
    ftk__family_bkd_open, ftk__family_bkd_math, ftk__family_bkd_step, ftk__family_bkd_update,
    ftk__family_bkd_state, ftk__family_bkd_edit, ftk__family_bkd_bits, ftk__family_bkd_select,
    ftk__family_bkd_members, ftk__family_bkd_bind, ftk__family_bkd_fuzz;

static const struct ftk__rule_family *const families[] = {
    &ftk__family_abi,        &ftk__family_params,      &ftk__family_env,      &ftk__family_memory,
    &ftk__family_life,       &ftk__family_same,        &ftk__family_state,    &ftk__family_threads,
    &ftk__family_score,      &ftk__family_claims,      &ftk__family_fuzz,     &ftk__family_select,
    &ftk__family_update,     &ftk__family_allot,       &ftk__family_init,     &ftk__family_ensemble,
    &ftk__family_metric,     &ftk__family_bkd_open,    &ftk__family_bkd_math, &ftk__family_bkd_step,
    &ftk__family_bkd_update, &ftk__family_bkd_state,   &ftk__family_bkd_edit, &ftk__family_bkd_bits,
    &ftk__family_bkd_select, &ftk__family_bkd_members, &ftk__family_bkd_bind, &ftk__family_bkd_fuzz,
};
enum { N_FAMILIES = sizeof(families) / sizeof(families[0]) };

const struct ftk__rule *ftk__rule_at(uint32_t i)
{
    for (int f = 0; f < N_FAMILIES; f++) {
        if (i < families[f]->n)
            return &families[f]->rules[i];
        i -= families[f]->n;
    }
    return NULL;
}

const struct ftk__rule *ftk__rule_named(const char *id)
{
    for (uint32_t i = 0; ftk__rule_at(i); i++)
        if (strcmp(ftk__rule_at(i)->id, id) == 0)
            return ftk__rule_at(i);
    return NULL;
}

bool ftk__rule_needs(const struct ftk__rule *r, const char *id)
{
    size_t n = strlen(id);
    for (const char *at = r->needs; at && *at != '\0';) {
        size_t word = strcspn(at, " ");
        if (word == n && strncmp(at, id, n) == 0)
            return true;
        at += word;
        at += strspn(at, " ");
    }
    return false;
}
