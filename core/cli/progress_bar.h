/* SPDX-License-Identifier: MIT
 * cli/progress_bar.h - one line at the end of a terminal that follows a run.
 */
#ifndef FTK__PROGRESS_BAR_H
#define FTK__PROGRESS_BAR_H
#include "train/progress.h"
#include <stdbool.h>
#include <stddef.h>

struct ftk__progress_bar {
    bool on, colour;
    char line[256];             /* what stands there now                        */
};
/* On where stderr is a terminal that can rewrite a line, unless `quiet`; log lines go above it.  At
 * most one at a time, for it owns the log's hook. */
void ftk__progress_bar_start(struct ftk__progress_bar *b, bool quiet);
struct ftk__progress ftk__progress_of(struct ftk__progress_bar *b);
void ftk__progress_bar_stop(struct ftk__progress_bar *b); /* wipes it             */
/* "[#####.....]  50% refine 1/3 ..." of at most `columns` characters. */
void ftk__progress_text(const struct ftk__progress_state *s, int columns, bool colour, char *ret,
                        size_t cap);
#endif
