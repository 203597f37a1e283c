/* SPDX-License-Identifier: MIT
 * data/fetch.c - gets a named set's files.
 */
#include "data/fetch.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "data/digest.h"
#include "data/unpack.h"
#include "data/verify.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 64 * 1024 };

static ftk_status no_memory(struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "out of memory for a file name");
}

static bool is_url(const char *from)
{
    return strstr(from, "://") != NULL;
}

/* "<from or url>/<name>"; `from` itself where it ends in the name. */
static char *url_of(const struct ftk__set_source *s, const char *from)
{
    const char *base = from ? from : s->url;
    if (strcmp(ftk__path_base(base), s->name) == 0)
        return ftk__strdup(base);
    return ftk__path_join(base, s->name);
}

/* Puts what has been checked where it belongs. */
static ftk_status install(const struct ftk__fetch *f, const struct ftk__set_source *s,
                          const char *path, const char *folder, struct ftk_error *reterr)
{
    if (s->is_archive)
        return ftk__unpack(path, f->set->place.folder, f->to, reterr);
    char *target = ftk__path_join(folder, s->name);
    if (!target)
        return no_memory(reterr);
    ftk_status st = FTK_OK;
    if (rename(path, target) != 0)
        st = ftk__fail(reterr, FTK_EIO, "cannot write %s: %s", target, strerror(errno));
    ftk__free(target);
    return st;
}

static ftk_status check_download(const struct ftk__set_source *s, const char *part,
                                 struct ftk_error *reterr)
{
    ftk_status st = ftk__digest_check(part, s->checksum, reterr);
    if (st == FTK_EINVAL) {
        unlink(part);
        ftk__error_context(reterr, "it is removed: the same command downloads it anew");
    }
    return st;
}

/* `part` is for the download while it is not all there, and for an archive until it is unpacked. */
static ftk_status get_source(const struct ftk__fetch *f, const struct ftk__set_source *s,
                             const char *folder, struct ftk_error *reterr)
{
    struct ftk__str part = { 0 };
    ftk__str_addf(&part, "%s/%s.part", f->to, s->name);
    char *url = url_of(s, f->from);
    ftk_status st = part.failed || !url ? no_memory(reterr) : FTK_OK;
    if (st == FTK_OK)
        st = ftk__download(url, part.text, &f->progress, reterr);
    if (st == FTK_OK)
        st = check_download(s, part.text, reterr);
    if (st == FTK_OK)
        st = install(f, s, part.text, folder, reterr);
    if (st == FTK_OK && s->is_archive && unlink(part.text) != 0)
        st = ftk__fail(reterr, FTK_EIO, "cannot remove %s: %s", part.text, strerror(errno));
    ftk__free(url);
    ftk__str_done(&part);
    return st;
}

/* A file that is a source by itself need not come again. */
static ftk_status is_good(const struct ftk__catalogue *set, const char *name, const char *folder,
                          bool *ret, struct ftk_error *reterr)
{
    *ret = false;
    for (uint32_t i = 0; i < set->n_files; i++) {
        struct ftk__file_verdict v;
        if (strcmp(set->files[i].name, name) != 0)
            continue;
        ftk_status st = ftk__verify_file(&set->files[i], folder, &v, reterr);
        *ret = st == FTK_OK && v.state == FTK__FILE_GOOD;
        return st;
    }
    return FTK_OK;
}

static ftk_status get_sources(const struct ftk__fetch *f, const char *folder,
                              struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    for (uint32_t i = 0; i < f->set->n_sources && st == FTK_OK; i++) {
        bool good;
        st = is_good(f->set, f->set->sources[i].name, folder, &good, reterr);
        if (st == FTK_OK && !good)
            st = get_source(f, &f->set->sources[i], folder, reterr);
    }
    return st;
}

static ftk_status copy(const char *from, const char *to, struct ftk_error *reterr)
{
    char piece[PIECE];
    struct ftk__writer w = { 0 };
    size_t n;
    FILE *file = fopen(from, "rbe");
    if (!file)
        return ftk__fail(reterr, FTK_EIO, "cannot read %s: %s", from, strerror(errno));
    ftk_status st = ftk__writer_open(&w, to, reterr);
    if (st != FTK_OK) {
        fclose(file);
        return st;
    }
    errno = 0;
    while ((n = fread(piece, 1, sizeof piece, file)) > 0)
        ftk__writer_put(&w, piece, n);
    if (ferror(file)) {
        st = ftk__fail(reterr, FTK_EIO, "cannot read %s: %s", from, strerror(errno));
        ftk__writer_abort(&w);
    } else {
        st = ftk__writer_commit(&w, reterr);
    }
    fclose(file);
    return st;
}

/* One file of the set, under the name that it has in `from`, with or without ".gz". */
static ftk_status copy_file(const struct ftk__place *place, const char *name, const char *from,
                            const char *folder, struct ftk_error *reterr)
{
    char *path;
    ftk_status st = ftk__place_file(place, from, name, &path, reterr);
    if (st != FTK_OK)
        return st;
    char *target = ftk__path_join(folder, ftk__path_base(path));
    st = target ? copy(path, target, reterr) : no_memory(reterr);
    ftk__free(target);
    ftk__free(path);
    return st;
}

/* The set's own files lie in the local folder, checked before any is copied. */
static ftk_status copy_files(const struct ftk__fetch *f, const char *folder,
                             struct ftk_error *reterr)
{
    const struct ftk__catalogue *set = f->set;
    char *from;
    ftk_status st = ftk__place_folder(&set->place, f->from, set->files[0].name, &from, reterr);
    if (st != FTK_OK)
        return st;
    st = ftk__verify_set(set, from, reterr);
    for (uint32_t i = 0; i < set->n_files && st == FTK_OK; i++)
        st = copy_file(&set->place, set->files[i].name, from, folder, reterr);
    ftk__free(from);
    return st;
}

/* From a local folder: the archive if it is there, else the files themselves. */
static ftk_status get_local(const struct ftk__fetch *f, const char *folder,
                            struct ftk_error *reterr)
{
    const struct ftk__set_source *s = f->set->sources;
    if (!ftk__is_dir(f->from))
        return ftk__fail_exit(reterr, FTK_ENOENT, FTK__EXIT_NO_DATA, "%s: no such folder", f->from);
    if (f->set->n_sources == 0 || !s->is_archive)
        return copy_files(f, folder, reterr);
    char *archive = ftk__path_join(f->from, s->name);
    if (!archive)
        return no_memory(reterr);
    ftk_status st;
    if (!ftk__file_exists(archive)) {
        st = copy_files(f, folder, reterr);
    } else {
        st = ftk__digest_check(archive, s->checksum, reterr);
        if (st == FTK_OK)
            st = install(f, s, archive, folder, reterr);
    }
    ftk__free(archive);
    return st;
}

static ftk_status get(const struct ftk__fetch *f, const char *folder, struct ftk_error *reterr)
{
    ftk_status st = ftk__mkdirs(folder, reterr);
    if (st == FTK_OK)
        st = f->from && !is_url(f->from) ? get_local(f, folder, reterr)
                                         : get_sources(f, folder, reterr);
    if (st == FTK_OK)
        st = ftk__verify_set(f->set, folder, reterr);
    return st;
}

/* A set that is a package: where it lies, or the command that installs it. */
static ftk_status find_package(const struct ftk__fetch *f, struct ftk__fetched *ret,
                               struct ftk_error *reterr)
{
    const struct ftk__catalogue *set = f->set;
    if (f->from)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE,
                              "%s is not downloaded: get it by `%s`, or from a local folder",
                              set->place.title, set->place.get);
    ret->was_there = true;
    return ftk__place_folder(&set->place, "", set->files[0].name, &ret->folder, reterr);
}

ftk_status ftk__fetch(const struct ftk__fetch *f, struct ftk__fetched *ret,
                      struct ftk_error *reterr)
{
    struct ftk__fetched done = { .was_there = true };
    ftk_status st;
    if (f->set->n_sources == 0 && (!f->from || is_url(f->from)))
        return find_package(f, ret, reterr);
    done.folder = ftk__path_join(f->to, f->set->place.folder);
    if (!done.folder)
        return no_memory(reterr);
    st = ftk__verify_set(f->set, done.folder, reterr);
    if (st == FTK_ENOENT || st == FTK_EINVAL) {
        done.was_there = false;
        st = get(f, done.folder, reterr);
    }
    if (st == FTK_OK)
        *ret = done;
    else
        ftk__free(done.folder);
    return st;
}
