/* SPDX-License-Identifier: MIT
 * plugin/channels.c - channels as their authors write them.
 */
#include "plugin/channels.h"
#include "base/str.h"
#include <string.h>

static const char *const names[] = { "WEIGHT", "GRAD", "MOMENTUM", "AGE", "FIRED" };
enum { N_NAMES = sizeof(names) / sizeof(names[0]) };

const char *ftk__channel_names(uint32_t channels, char ret[FTK__CHANNEL_NAMES])
{
    size_t at = 0;
    ret[0] = '\0';
    for (uint32_t i = 0; i < N_NAMES; i++) {
        if (!(channels & (UINT32_C(1) << i)))
            continue;
        ftk__format(ret + at, FTK__CHANNEL_NAMES - at, "%s%s", at > 0 ? ", " : "", names[i]);
        at = strlen(ret);
    }
    uint32_t other = channels >> N_NAMES << N_NAMES;
    if (other)
        ftk__format(ret + at, FTK__CHANNEL_NAMES - at, "%s0x%x", at > 0 ? ", " : "", other);
    else if (at == 0)
        ftk__format(ret, FTK__CHANNEL_NAMES, "none");
    return ret;
}
