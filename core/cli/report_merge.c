/* SPDX-License-Identifier: MIT
 * cli/report_merge.c - two reports, the newer wins.
 */
#include "cli/report_merge.h"

static bool both(const json_t *a, const json_t *b, json_type type)
{
    return a && b && json_typeof(a) == type && json_typeof(b) == type;
}

static bool mergeable(const json_t *a, const json_t *b)
{
    return both(a, b, JSON_OBJECT) ||
           (both(a, b, JSON_ARRAY) && json_array_size(a) == json_array_size(b));
}

static bool merge_list(json_t *into, const json_t *from)
{
    bool ok = true;
    for (size_t i = 0; i < json_array_size(from) && ok; i++) {
        json_t *old = json_array_get(into, i);
        json_t *fresh = json_array_get(from, i);
        if (mergeable(old, fresh))
            ok = ftk__report_merge(old, fresh);
        else
            ok = json_array_set(into, i, fresh) == 0;
    }
    return ok;
}

bool ftk__report_merge(json_t *into, const json_t *from)
{
    bool ok = true;
    if (both(into, from, JSON_ARRAY))
        return merge_list(into, from);
    void *it = json_object_iter((json_t *)(uintptr_t)from);
    while (it && ok) {
        json_t *old = json_object_get(into, json_object_iter_key(it));
        json_t *fresh = json_object_iter_value(it);
        if (mergeable(old, fresh))
            ok = ftk__report_merge(old, fresh);
        else
            ok = json_object_set(into, json_object_iter_key(it), fresh) == 0;
        it = json_object_iter_next((json_t *)(uintptr_t)from, it);
    }
    return ok;
}
