/* SPDX-License-Identifier: MIT
 * base/setting.h - a read-only tree of configuration values, each with the file and line it came
 * from.  config/ builds it from text; plugin/params.c and the core's schema read it.
 */
#ifndef FTK__SETTING_H
#define FTK__SETTING_H
#include "base/error.h"
#include <stdbool.h>

enum ftk__setting_type {
    FTK__SET_BOOL = 1,
    FTK__SET_INT,
    FTK__SET_FLOAT,
    FTK__SET_STRING,
    FTK__SET_ARRAY,             /* [ ... ] scalars                              */
    FTK__SET_LIST,              /* ( ... ) anything                             */
    FTK__SET_GROUP              /* { ... } named children                       */
};

struct ftk__setting {
    enum ftk__setting_type type;
    const char *name;           /* NULL inside arrays and lists                 */
    const char *file;           /* as given by the user; "-s" for overrides     */
    unsigned line;              /* from 1; 0 for overrides                      */
    bool b;
    int64_t i;
    double f;                   /* of FLOAT; of INT the same value              */
    const char *s;
    struct ftk__setting *const *child; // [n]
    uint64_t n;
};

/* A child by name; NULL where there is none. */
const struct ftk__setting *ftk__setting_get(const struct ftk__setting *group, const char *name);
/* "topology.prune.use" from `root`. */
const struct ftk__setting *ftk__setting_find(const struct ftk__setting *root, const char *path);
const char *ftk__setting_type_name(enum ftk__setting_type t); /* "a string", "a group", ...      */

/* All semantic errors of all files are gathered and reported together. */
struct ftk__issue {
    const char *file;           /* borrowed from the setting                    */
    unsigned line;
    char *path;                 /* "topology.rate"                              */
    char *message;              /* fact and value                               */
    char *limit;                /* what is allowed, or NULL                     */
    char *nearest;              /* the nearest known name, or NULL              */
};
struct ftk__issues {
    struct ftk__issue *v;       // [n]
    uint64_t n, cap;
    bool failed;                /* out of memory while gathering                */
};
void ftk__issues_add(struct ftk__issues *is, const struct ftk__setting *at, const char *path,
                     const char *limit, const char *nearest, const char *fmt, ...)
    FTK_PRINTF(6, 7);
void ftk__issues_done(struct ftk__issues *is);
#endif
