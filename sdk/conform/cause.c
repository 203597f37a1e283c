/* SPDX-License-Identifier: MIT
 * conform/cause.c - advice by what happened.
 */
#include "conform/cause.h"
#include <string.h>

static const struct cause {
    const char *word;
    const char *rules; /* which are about it: their own advice is better        */
    const char *fix;
} causes[] = {
    { FTK__CAUSE_BOUNDS, "MEM-01 MEM-02",
      "compare each index with the count or the bytes that this very buffer was made for; "
      "scratch() "
      "and alloc() give no byte more than was asked for" },
    { FTK__CAUSE_INPUT, "MEM-01 MEM-02",
      "what comes in is lent to be read: copy what is to be changed into scratch()" },
    { FTK__CAUSE_KEPT, "MEM-03",
      "nothing that a call or read() lends outlives it: copy what must last into the state" },
    { FTK__CAUSE_NULL, "OOM-01",
      "a pointer is NULL: a channel that ops.channels (or the read) does not name, u->state "
      "without "
      "state_bytes, or scratch() that was not checked" },
    { FTK__CAUSE_EXCEPTION, "",
      "let no exception leave a call: catch (const std::exception &e) { return h->fail(h, "
      "FTK_EINTERNAL, \"%s\", e.what()); }" },
    { FTK__CAUSE_DESCRIPTOR, "",
      "mend the field of the descriptor that is named: the loader refuses the file as it is" },
};

bool ftk__cause_is_exception(const char *output)
{
    /* libstdc++; libc++. */
    return strstr(output, "terminate called") || strstr(output, "uncaught exception");
}

const char *ftk__cause_fix(const struct ftk__rule *rule, const char *cause)
{
    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
        if (strcmp(causes[i].word, cause) != 0)
            continue;
        return strstr(causes[i].rules, rule->id) ? rule->fix : causes[i].fix;
    }
    return rule->fix;
}
