/* SPDX-License-Identifier: MIT
 * cli/leftovers.c - temporary files of atomic writes (base/io.h) that ended half way.
 */
#include "cli/leftovers.h"

#include "base/str.h"
#include <ftw.h>
#include <stddef.h>
#include <unistd.h>

enum { TREE_FDS = 16 };

/* What a run writes atomically, and no other file that somebody may keep there. */
static int remove_ours(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    static const char *const endings[] = { ".ftc.tmp",  ".safetensors.tmp", ".npy.tmp",
                                           ".json.tmp", ".cfg.tmp",         "/plan.txt.tmp" };
    (void)st;
    (void)at;
    for (size_t i = 0; kind == FTW_F && i < sizeof(endings) / sizeof(endings[0]); i++) {
        if (ftk__str_ends(path, endings[i])) {
            unlink(path);
            break;
        }
    }
    return 0;
}

void ftk__leftovers_remove(const char *run_dir)
{
    nftw(run_dir, remove_ours, TREE_FDS, FTW_PHYS);
}
