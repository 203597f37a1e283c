/* SPDX-License-Identifier: MIT
 * plugin/describe_parts.h - what text and JSON descriptions share.
 */
#ifndef FTK__DESCRIBE_PARTS_H
#define FTK__DESCRIBE_PARTS_H
#include "plugin/describe.h"

/* In the order in which kinds are listed, ended by 0. */
extern const uint32_t ftk__listed_kinds[];

struct ftk__param_table ftk__table_of(const ftk_algo *a);
/* A struct with every default of `a`, of at least one byte; strings and lists are in `arena`. NULL
 * without memory.  Free with ftk__free.                                                    */
void *ftk__defaults_of(const ftk_algo *a, struct ftk__arena *arena);
/* "magnitude" of a file that was not opened, "backend_magnitude.so": where the name starts and how
 * long it is.                                                                              */
const char *ftk__deferred_name(const struct ftk__file *f, int *ret_len);
/* Another file that offers the same name; NULL: none. */
const struct ftk__file *ftk__other_offer(const struct ftk__registry *r, const struct ftk__entry *e);
const char *ftk__file_status(const struct ftk__file *f); /* "loaded", "refused", "deferred"    */
#endif
