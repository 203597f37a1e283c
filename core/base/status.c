/* SPDX-License-Identifier: MIT
 * base/status.c - names, sentences and exit codes of statuses, from the one list in abi.h.
 */
#include "base/error.h"

const char *ftk__status_name(ftk_status st)
{
    switch (st) {
#define X(name, value, text)                                                                       \
    case FTK_##name:                                                                               \
        return #name;
        FTK_STATUS_MAP(X)
#undef X
    case FTK_STATUS_FORCE_I32:
        break;
    }
    return "unknown status"; /* a plugin may return any number */
}

const char *ftk__status_text(ftk_status st)
{
    switch (st) {
#define X(name, value, text)                                                                       \
    case FTK_##name:                                                                               \
        return text;
        FTK_STATUS_MAP(X)
#undef X
    case FTK_STATUS_FORCE_I32:
        break;
    }
    return "unknown status";
}

int ftk__error_exit_code(const struct ftk_error *err)
{
    if (err->exit_code != 0)
        return err->exit_code;
    switch (err->status) {
    case FTK_OK:
    case FTK_DONE:
        return FTK__EXIT_OK;
    case FTK_EINVAL:
    case FTK_ENOTSUP:
    case FTK_EABI:
    case FTK_EEXIST:
        return FTK__EXIT_CONFIG;
    case FTK_ENOENT:
    case FTK_ENODEV:
        return FTK__EXIT_UNAVAILABLE;
    case FTK_EIO:
        return FTK__EXIT_IO;
    case FTK_ENUMERIC:
        return FTK__EXIT_DIVERGED;
    case FTK_ENOMEM:
    case FTK_ERANGE:
    case FTK_ESTATE:
    case FTK_EINTERNAL:
    case FTK_STATUS_FORCE_I32:
        break;
    }
    return FTK__EXIT_INTERNAL;
}
