/* SPDX-License-Identifier: MIT
 * config/load.h - from libconfig files to an experiment.
 */
#ifndef FTK__LOAD_H
#define FTK__LOAD_H
#include "base/json.h"
#include "config/experiment.h"

struct ftk__config_request {
    const char *file;
    const char *text;           /* the file's text, without includes; NULL: read it */
    const char *const *overrides; // [n_overrides] "path.to.key=value"
    uint64_t n_overrides;
    struct ftk__registry *registry; /* fresh; scanned here, the config's `plugins` first;
                                 * NULL: no plugin is known, nothing is opened */
    const struct ftk__builtin *const *builtins; // [n_builtins]
    uint64_t n_builtins;
};
/* A file that cannot be read or parsed is an error at once (exit 78; 66 where it is missing, 2 for
 * a malformed override); every semantic error of all files goes to `issues`, and FTK_EINVAL (78) is
 * returned if there is any.  Issues stay valid when the load has failed. */
ftk_status ftk__config_load(const struct ftk__config_request *q, struct ftk__issues *issues,
                            struct ftk__experiment **ret, struct ftk_error *reterr);
void ftk__experiment_free(struct ftk__experiment *x);

/* The whole resolved experiment in libconfig's syntax, numbers %.17g; loading it gives the same. */
ftk_status ftk__config_write(const struct ftk__experiment *x, struct ftk__str *out);
/* Sorted "path=value" lines of all that decides results, and the first 8 hex digits of their
 * hash. */
ftk_status ftk__config_identity(const struct ftk__experiment *x, struct ftk__str *ret_lines,
                                char ret_hash8[9], struct ftk_error *reterr);
/* "FILE:LINE: path: message (limit; did you mean 'x'?)", a line each; sorted by file and line. */
void ftk__issues_print(const struct ftk__issues *is, FILE *to);
json_t *ftk__issues_json(const struct ftk__issues *is);
#endif
