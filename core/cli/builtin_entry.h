/* SPDX-License-Identifier: MIT
 * cli/builtin_entry.h - built-ins dressed as plugins' algorithms, so that one code lists and
 * describes both.
 */
#ifndef FTK__BUILTIN_ENTRY_H
#define FTK__BUILTIN_ENTRY_H
#include "plugin/registry.h"

struct ftk__builtin_entry {
    ftk_algo algo;              /* of its group's kind; no ops                  */
};
/* The i-th; false past the last. */
bool ftk__builtin_entry(uint32_t i, struct ftk__builtin_entry *ret);
/* An entry without a file that points into `b`. */
struct ftk__entry ftk__entry_of(const struct ftk__builtin_entry *b);
#endif
