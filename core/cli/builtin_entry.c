/* SPDX-License-Identifier: MIT
 * cli/builtin_entry.c - from struct ftk__builtin to ftk_algo.
 */
#include "cli/builtin_entry.h"

#include "cli/prepare.h"

bool ftk__builtin_entry(uint32_t i, struct ftk__builtin_entry *ret)
{
    const struct ftk__builtin *b = ftk__builtin_at(i);
    ftk_kind kind;
    if (!b || !ftk__kind_parse(b->group, &kind))
        return false;
    ret->algo = (ftk_algo){
        .size = sizeof(ret->algo),
        .kind = (uint32_t)kind,
        .name = b->name,
        .summary = b->summary,
        .reference = b->reference,
        .params_size = b->params_size,
        .param_stride = sizeof(ftk_param),
        .params = b->params,
    };
    return true;
}

struct ftk__entry ftk__entry_of(const struct ftk__builtin_entry *b)
{
    return (struct ftk__entry){ .algo = &b->algo };
}
