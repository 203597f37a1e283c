/* SPDX-License-Identifier: MIT
 * cli/builtin_entry.c - the built-ins of all groups, one after another.
 */
#include "cli/builtin_entry.h"

#include "cli/prepare.h"
#include "plugin/builtin_algo.h"

bool ftk__builtin_entry(uint32_t i, struct ftk__builtin_entry *ret)
{
    const struct ftk__builtin *b = ftk__builtin_at(i);
    return b && ftk__builtin_algo(b, &ret->algo);
}

struct ftk__entry ftk__entry_of(const struct ftk__builtin_entry *b)
{
    return (struct ftk__entry){ .algo = &b->algo };
}
