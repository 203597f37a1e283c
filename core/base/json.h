/* SPDX-License-Identifier: MIT
 * base/json.h - jansson with our allocator, and whole documents as files.
 */
#ifndef FTK__JSON_H
#define FTK__JSON_H
#include "base/error.h"
#include <jansson.h>

void ftk__json_setup(void);     /* installs base/mem.c as jansson's allocator; call once first   */
/* Steals nothing; numbers with 17 digits, key order kept, 2 spaces, a final newline. */
ftk_status ftk__json_write_file(const char *path, const json_t *doc, struct ftk_error *reterr);
ftk_status ftk__json_print(FILE *to, const json_t *doc, struct ftk_error *reterr);
/* FTK_EINVAL names line, column and reason; duplicate keys are refused.                         */
ftk_status ftk__json_read_file(const char *path, uint64_t limit, json_t **ret,
                               struct ftk_error *reterr);
ftk_status ftk__json_parse(const char *text, uint64_t bytes, const char *what, json_t **ret,
                           struct ftk_error *reterr);
/* The string at `key` of an object; "" where there is none.  Valid as long as the object is.     */
const char *ftk__json_string(const json_t *object, const char *key);
#endif
