/* SPDX-License-Identifier: MIT
 * config/prescan.h - the text of a configuration before libconfig reads it.
 *
 * libconfig 1.5 needs quadratic time, reads 3000000000 as a negative number and 1e400 as infinity,
 * takes [0.5, 1] for a mistake and includes relative to the working directory.  So limits are
 * checked, includes spliced in and numbers rewritten first; lines stay where they were.
 */
#ifndef FTK__PRESCAN_H
#define FTK__PRESCAN_H
#include "base/mem.h"
#include "base/str.h"
#include "config/cfglex.h"

enum {
    FTK__CONFIG_BYTES = 256 * 1024, /* of all files together */
    FTK__CONFIG_SETTINGS = 10000,
    FTK__CONFIG_INCLUDES = 8, /* deep */
    FTK__CONFIG_NESTING = 64
};

struct ftk__place { /* where a line of the whole text came from */
    const char *file;
    unsigned line;
};
struct ftk__prescan {
    struct ftk__str source;   /* as read, includes spliced in */
    struct ftk__str text;     /* for libconfig: no comments, numbers rewritten; the same lines */
    struct ftk__place *place; // [n_lines]
    uint64_t n_lines, cap;
    uint64_t bytes; /* read so far */
    uint64_t settings;
};
/* Names of included files live in `names`.  `ret` is to be done in any case. */
ftk_status ftk__prescan_file(const char *file, struct ftk__arena *names, struct ftk__prescan *ret,
                             struct ftk_error *reterr);
/* The same for a text in memory, which cannot include. */
ftk_status ftk__prescan_text(const char *text, uint64_t bytes, const char *file,
                             struct ftk__prescan *ret, struct ftk_error *reterr);
void ftk__prescan_done(struct ftk__prescan *p);
#endif
