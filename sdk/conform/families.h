/* SPDX-License-Identifier: MIT
 * conform/families.h - all rules of the kit, in the order in which they are reported.
 */
#ifndef FTK__FAMILIES_H
#define FTK__FAMILIES_H
#include "conform/kit.h"

/* The i-th rule; NULL past the last. */
const struct ftk__rule *ftk__rule_at(uint32_t i);
const struct ftk__rule *ftk__rule_named(const char *id); /* NULL: none */
/* Whether `id` stands in a list such as a rule's needs. */
bool ftk__rule_needs(const struct ftk__rule *r, const char *id);
#endif
