/* SPDX-License-Identifier: MIT
 * plugin/load_guard.c - saves, compares and restores what loading a plugin must not change.
 */
#include "plugin/load_guard.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

enum { FIRST_FREE = 3 }; /* our descriptors stay off 0, 1 and 2          */
enum { SHOWN = 60 };     /* characters of what was printed               */

/* Rounding, flush-to-zero and trap masks; not the sticky flags, which any arithmetic may set. */
static uint32_t floating_mode(void)
{
#if defined(__SSE__)
    fenv_t env;
    fegetenv(&env);
    return (_mm_getcsr() & 0xffc0u) | (uint32_t)env.__control_word << 16;
#elif defined(__aarch64__)
    fenv_t env;
    fegetenv(&env);
    return env.__fpcr;
#else
    return (uint32_t)fegetround();
#endif
}

/* `fd` or a copy of it from 3 on. */
static int move_up(int fd)
{
    if (fd < 0 || fd >= FIRST_FREE)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE);
    close(fd);
    return moved;
}

static void put_back(int saved, int fd)
{
    if (saved < 0) {
        close(fd);
        return;
    }
    dup2(saved, fd);
    close(saved);
}

ftk_status ftk__load_guard_begin(struct ftk__load_guard *g, struct ftk_error *reterr)
{
    /* What is pending is ours, and must not be taken for the plugin's. */
    if (fflush(stdout) != 0 || fflush(stderr) != 0)
        return ftk__fail(reterr, FTK_EIO, "cannot write standard output: %s", strerror(errno));
    g->capture = move_up(memfd_create("freetickets-load", MFD_CLOEXEC));
    if (g->capture < 0)
        return ftk__fail(reterr, FTK_EIO, "cannot make a temporary file: %s", strerror(errno));
    g->out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, FIRST_FREE);
    g->err = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, FIRST_FREE);
    dup2(g->capture, STDOUT_FILENO);
    dup2(g->capture, STDERR_FILENO);
    fegetenv(&g->env);
    g->mode = floating_mode();
    return FTK_OK;
}

ftk_status ftk__load_guard_check(struct ftk__load_guard *g, struct ftk_error *reterr)
{
    uint32_t mode = floating_mode();
    if (mode != g->mode) {
        fesetenv(&g->env);
        return ftk__fail(reterr, FTK_EINVAL,
                         "changes the floating-point mode while loading: "
                         "0x%08x became 0x%08x (linked with -ffast-math?)",
                         g->mode, mode);
    }
    fflush(stdout);
    fflush(stderr);
    char text[SHOWN + 1];
    ssize_t n = pread(g->capture, text, SHOWN, 0);
    if (n <= 0)
        return FTK_OK;
    text[n] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return ftk__fail(reterr, FTK_EINVAL, "prints while loading: '%s'", text);
}

void ftk__load_guard_end(struct ftk__load_guard *g)
{
    fesetenv(&g->env);
    fflush(stdout);
    fflush(stderr);
    put_back(g->out, STDOUT_FILENO);
    put_back(g->err, STDERR_FILENO);
    close(g->capture);
}
