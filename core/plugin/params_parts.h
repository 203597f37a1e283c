/* SPDX-License-Identifier: MIT
 * plugin/params_parts.h - what the files of the parameter engine share among themselves.
 */
#ifndef FTK__PARAMS_PARTS_H
#define FTK__PARAMS_PARTS_H
#include "plugin/params.h"

uint32_t ftk__ptype_bytes(uint32_t type); /* of the field; 0: no such type */
uint32_t ftk__ptype_align(uint32_t type);
const char *ftk__ptype_name(uint32_t type);      /* "float"; what `describe` calls it */
bool ftk__ptype_is_number(uint32_t type);        /* I64 or F64                    */
uint64_t ftk__param_choices(const ftk_param *p); /* how many                      */

/* Within min..max, the ends as OPEN_MIN and OPEN_MAX say; false for a NaN. */
bool ftk__param_within(const ftk_param *p, double v);
/* "0 to 1", "above 0, at most 1", ... */
void ftk__param_range_print(const ftk_param *p, struct ftk__str *out);
/* What the parameter takes: "a whole number, 1 to 64", "true or false", "a, b or c". */
void ftk__param_limit_print(const ftk_param *p, struct ftk__str *out);
/* The value in libconfig's syntax, numbers as %.17g. `values` is the whole struct. */
void ftk__param_value_print(const ftk_param *p, const void *values, struct ftk__str *out);
/* A number as a person would write it, as short as reads back to the same bits. */
void ftk__number_print(double v, struct ftk__str *out);
/* `text` in double quotes, escaped as libconfig wants it. */
void ftk__quoted_print(const char *text, struct ftk__str *out);

/* The next entry of a default such as "0.5 0.75" or "0ep 12.5ep". */
enum ftk__next { FTK__NEXT_END, FTK__NEXT_FOUND, FTK__NEXT_BAD };
enum ftk__next ftk__duration_next(const char **at, uint32_t bare, ftk_duration *ret);
/* Writes the default of `p` into its field, "" and empty where it is required or has none;
 * false without memory.                                                                 */
bool ftk__param_default(const ftk_param *p, struct ftk__arena *arena, void *ret_struct);
/* How many entries the def_str (not NULL) of a DURATION, DURATIONS or F64S has; false where it
 * is malformed.                                                                         */
bool ftk__param_default_count(const ftk_param *p, uint64_t *ret_n);
#endif
