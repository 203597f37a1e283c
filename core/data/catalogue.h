/* SPDX-License-Identifier: MIT
 * data/catalogue.h - the named sets: their files and checksums, where they are published.
 */
#ifndef FTK__CATALOGUE_H
#define FTK__CATALOGUE_H
#include "data/places.h"
#include <stdbool.h>

/* Of the content: where only "<name>.gz" lies there, of what it decompresses to. */
struct ftk__set_file {
    const char *name;
    uint64_t bytes;             /* 0: not known                                 */
    const char *checksum;       /* "md5:..." as published, "" where none is     */
};
/* What is downloaded: an archive of the set's folder, or one of its files. */
struct ftk__set_source {
    const char *name;           /* "cifar-10-binary.tar.gz"                     */
    const char *url;            /* the folder it lies in, without the last '/'  */
    const char *checksum;       /* of the bytes as downloaded                   */
    bool is_archive;
};
struct ftk__catalogue {
    const char *name;           /* as in data.use                               */
    struct ftk__place place;
    const struct ftk__set_file *files;     // [n_files]
    const struct ftk__set_source *sources; // [n_sources], 0: a package
    uint32_t n_files, n_sources;
    const char *terms;          /* what its authors say about its use           */
};
extern const struct ftk__catalogue ftk__catalogue_fashion_mnist, ftk__catalogue_cifar10,
    ftk__catalogue_cifar100, ftk__catalogue_svhn;

extern const struct ftk__catalogue *const ftk__catalogue[]; /* NULL-terminated   */
/* FTK_EINVAL (2) names the nearest. */
ftk_status ftk__catalogue_find(const char *name, const struct ftk__catalogue **ret,
                               struct ftk_error *reterr);
#endif
