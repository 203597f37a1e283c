/* SPDX-License-Identifier: MIT
 * cli/json_text.c - replaces what is no UTF-8.
 */
#include "cli/json_text.h"

#include "base/str.h"
#include <string.h>

json_t *ftk__json_text(const char *text)
{
    struct ftk__str plain = { 0 };
    if (!text)
        return json_null();
    if (ftk__utf8_valid(text))
        return json_string(text);
    size_t left = strlen(text);
    while (left > 0) {
        uint64_t n = ftk__utf8_char(text, left);
        if (n > 0)
            ftk__str_add_n(&plain, text, n);
        else
            ftk__str_add(&plain, "?");
        n = n > 0 ? n : 1;
        text += n;
        left -= n;
    }
    json_t *j = plain.failed ? NULL : json_string(plain.text);
    ftk__str_done(&plain);
    return j;
}
