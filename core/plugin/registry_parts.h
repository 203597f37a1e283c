/* SPDX-License-Identifier: MIT
 * plugin/registry_parts.h - what registry.c (finding by name) and discover.c (finding files) share.
 */
#ifndef FTK__REGISTRY_PARTS_H
#define FTK__REGISTRY_PARTS_H
#include "base/mem.h"
#include "plugin/registry.h"

struct ftk__file_slot {
    struct ftk__file file;
    const char *backend; /* "cpu" of backend_cpu.so; NULL: another file  */
};

struct ftk__registry {
    struct ftk__arena arena;       /* files, entries and their strings             */
    struct ftk__file_slot **files; // [n_files]
    uint64_t n_files, cap_files;
    struct ftk__entry **entries; // [n_entries]
    uint64_t n_entries, cap_entries;
};

/* Appends; false without memory. */
bool ftk__registry_add_entry(struct ftk__registry *r, const ftk_algo *algo,
                             const struct ftk__file *file);
#endif
