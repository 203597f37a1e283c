/* SPDX-License-Identifier: MIT
 * conform/process_state.c - read from the system, so that no wrapper can be evaded.
 */
#include "conform/process_state.h"
#include <dirent.h>
#include <errno.h>
#include <fenv.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

extern char **environ;

/* FNV-1a: only equality matters. */
static uint64_t hash(uint64_t h, const void *data, size_t bytes)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < bytes; i++)
        h = (h ^ p[i]) * UINT64_C(1099511628211);
    return h;
}
static const uint64_t HASH0 = UINT64_C(14695981039346656037);

static uint32_t control_word(void)
{
    uint32_t word = (uint32_t)fegetround();
#if defined(__SSE__)
    word |= (_mm_getcsr() & ~UINT32_C(0x3f)) << 12; /* without the sticky flags */
#endif
    return word;
}

static uint64_t hash_handlers(uint64_t *ret_mask)
{
    uint64_t h = HASH0;
    sigset_t mask;
    *ret_mask = 0;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    for (int s = 1; s <= FTK__STATE_SIGNALS; s++) {
        struct sigaction a;
        if (sigismember(&mask, s) == 1)
            *ret_mask |= UINT64_C(1) << (s - 1);
        if (sigaction(s, NULL, &a) == 0)
            h = hash(h, &a.sa_handler, sizeof(a.sa_handler));
    }
    return h;
}

/* Names in a folder of /proc, in any order; the folder's own descriptor is not counted. */
static uint64_t list_folder(const char *path, uint32_t *ret_n)
{
    uint64_t sum = 0;
    DIR *d = opendir(path);
    *ret_n = 0;
    if (!d)
        return 0;
    for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
        char own[16];
        ftk__format(own, sizeof(own), "%d", dirfd(d));
        if (e->d_name[0] == '.' || strcmp(e->d_name, own) == 0)
            continue;
        sum += hash(HASH0, e->d_name, strlen(e->d_name));
        (*ret_n)++;
    }
    closedir(d);
    return sum;
}

static uint32_t count_children(void)
{
    uint32_t n = 0;
    char path[64];
    ftk__format(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    FILE *f = fopen(path, "r");
    if (f) {
        int pid;
        while (fscanf(f, "%d", &pid) == 1)
            n++;
        fclose(f);
        return n;
    }
    siginfo_t info = { 0 };
    bool some = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
    return some ? 1 : 0;
}

static int64_t bytes_printed(void)
{
    struct stat s;
    fflush(NULL);
    if (fstat(STDOUT_FILENO, &s) != 0 || !S_ISREG(s.st_mode))
        return -1;
    return s.st_size;
}

void ftk__process_state_take(struct ftk__process_state *ret)
{
    char cwd[4096] = "";
    uint32_t ignored;
    *ret = (struct ftk__process_state){ .fp_control = control_word() };
    const char *locale = setlocale(LC_ALL, NULL);
    ret->locale = hash(HASH0, locale, strlen(locale));
    if (getcwd(cwd, sizeof(cwd)))
        ret->cwd = hash(HASH0, cwd, strlen(cwd));
    ret->environment = HASH0;
    for (char **e = environ; e && *e; e++)
        ret->environment = hash(ret->environment, *e, strlen(*e) + 1);
    ret->handlers = hash_handlers(&ret->signal_mask);
    ret->umask = umask(0);
    umask(ret->umask);
    ret->descriptors = list_folder("/proc/self/fd", &ignored);
    list_folder("/proc/self/task", &ret->threads);
    ret->children = count_children();
    ret->printed = bytes_printed();
}

void ftk__process_state_check(struct ftk__case *c, const struct ftk__process_state *before,
                              const char *after_what)
{
    struct ftk__process_state now;
    ftk__process_state_take(&now);
    const struct {
        bool differs;
        const char *what;
    } parts[] = {
        { now.fp_control != before->fp_control, "the floating-point mode is another" },
        { now.locale != before->locale, "the locale is another" },
        { now.cwd != before->cwd, "the working directory is another" },
        { now.environment != before->environment, "the environment is another" },
        { now.handlers != before->handlers, "signal handlers are others" },
        { now.signal_mask != before->signal_mask, "the mask of blocked signals is another" },
        { now.umask != before->umask, "the umask is another" },
        { now.descriptors != before->descriptors, "file descriptors were opened or closed" },
        { now.threads > before->threads, "a thread was left running" },
        { now.children != before->children, "a child process was left" },
        { now.printed != before->printed, "something was printed" },
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (parts[i].differs)
            ftk__kit_fail(c, "after %s %s", after_what, parts[i].what);
}
