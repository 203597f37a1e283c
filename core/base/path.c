/* SPDX-License-Identifier: MIT
 * base/path.c - names of files and folders, and the places where things are looked for.
 */
#include "base/path.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The text of `s`, or NULL without memory. */
static char *take(struct ftk__str *s)
{
    if (s->failed)
        ftk__str_done(s);
    return s->text;
}

char *ftk__path_join(const char *dir, const char *name)
{
    struct ftk__str s = { 0 };
    if (name[0] != '/' && dir[0] != 0) {
        ftk__str_add(&s, dir);
        if (!ftk__str_ends(dir, "/"))
            ftk__str_add(&s, "/");
    }
    ftk__str_add(&s, name);
    return take(&s);
}

char *ftk__path_dir(const char *path)
{
    struct ftk__str s = { 0 };
    const char *base = ftk__path_base(path);
    uint64_t n = (uint64_t)(base - path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    if (n == 0)
        ftk__str_add(&s, ".");
    else
        ftk__str_add_n(&s, path, n);
    return take(&s);
}

const char *ftk__path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* $HOME, else what the system knows of this user. */
static const char *home(void)
{
    const char *h = getenv("HOME");
    if (h && h[0] != 0)
        return h;
    const struct passwd *user = getpwuid(getuid());
    return user ? user->pw_dir : "/";
}

char *ftk__path_relative_to(const char *config, const char *name)
{
    if (ftk__str_starts(name, "~/"))
        return ftk__path_join(home(), name + 2);
    if (name[0] == '/' || !strchr(config, '/'))
        return ftk__strdup(name);
    char *dir = ftk__path_dir(config);
    if (!dir)
        return NULL;
    char *path = ftk__path_join(dir, name);
    ftk__free(dir);
    return path;
}

char *ftk__path_real(const char *path)
{
    char real[PATH_MAX];
    return realpath(path, real) ? ftk__strdup(real) : NULL;
}

char *ftk__path_data(void)
{
    const char *ours = getenv("FREETICKETS_DATA");
    if (ours && ours[0] != 0)
        return ftk__strdup(ours);
    const char *xdg = getenv("XDG_DATA_HOME");
    if (xdg && xdg[0] == '/') /* the XDG specification ignores relative names */
        return ftk__path_join(xdg, "freetickets");
    return ftk__path_join(home(), ".local/share/freetickets");
}

/* `path` without symbolic links if it is there, else itself; NULL without memory.  Frees `path`. */
static char *settle(char *path)
{
    char real[PATH_MAX];
    if (!path || !realpath(path, real))
        return path;
    ftk__free(path);
    return ftk__strdup(real);
}

char *ftk__path_plugins(void)
{
    static const char installed[] = "../lib/freetickets/plugins"; /* seen from bin/ */
    static const char built[] = "../plugins";
    char *exe = ftk__path_real("/proc/self/exe");
    char *bin = exe ? ftk__path_dir(exe) : NULL;
    char *path = bin ? ftk__path_join(bin, installed) : NULL;
    char *other = bin ? ftk__path_join(bin, built) : NULL;
    if (path && other && !ftk__is_dir(path) && ftk__is_dir(other)) {
        char *swapped = path;
        path = other;
        other = swapped;
    }
    if (!other) /* which of the two it is cannot be known           */
        path = ftk__free(path);
    ftk__free(other);
    ftk__free(bin);
    ftk__free(exe);
    return settle(path);
}

char *ftk__path_share(const char *name)
{
    char *exe = ftk__path_real("/proc/self/exe");
    char *bin = exe ? ftk__path_dir(exe) : NULL;
    char *share = bin ? ftk__path_join(bin, "../share/freetickets") : NULL;
    char *path = share ? ftk__path_join(share, name) : NULL;
    ftk__free(share);
    ftk__free(bin);
    ftk__free(exe);
    return settle(path);
}
