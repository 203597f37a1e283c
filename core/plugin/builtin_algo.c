/* SPDX-License-Identifier: MIT
 * plugin/builtin_algo.c - from struct ftk__builtin to ftk_algo.
 */
#include "plugin/builtin_algo.h"

bool ftk__builtin_algo(const struct ftk__builtin *b, ftk_algo *ret)
{
    ftk_kind kind;
    if (!ftk__kind_parse(b->group, &kind))
        return false;
    *ret = (ftk_algo){
        .size = sizeof(*ret),
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
