/* SPDX-License-Identifier: MIT
 * conform/process.c - fork, exec of the program itself, a group of its own, a deadline.
 */
#include "conform/process.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { VERDICT_FD = 3, OUTPUT_SHOWN = 4096, VERDICT_MOST = 64 * 1024, FILE_MOST = 512 << 20 };

double ftk__process_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Arguments of the child: what it needs of the options. */
static const char **arguments(const struct ftk__kit_options *o, const char *spec, const char *path,
                              struct ftk__arena *arena)
{
    struct ftk__str seed = { 0 };
    uint64_t n = 0;
    const char **argv = ftk__arena_alloc(arena, (12 + 2 * (size_t)o->n_set) * sizeof(*argv));
    ftk__str_addf(&seed, "%llu", (unsigned long long)o->seed);
    char *seed_text = ftk__arena_strdup(arena, seed.text ? seed.text : "0");
    ftk__str_done(&seed);
    if (!argv || !seed_text)
        return NULL;
    argv[n++] = "freetickets";
    argv[n++] = "conform";
    argv[n++] = "--child";
    argv[n++] = spec;
    argv[n++] = "--seed";
    argv[n++] = seed_text;
    if (o->ref) {
        argv[n++] = "--ref";
        argv[n++] = o->ref;
    }
    for (uint32_t i = 0; i < o->n_set; i++) {
        struct ftk__str text = { 0 };
        ftk__str_addf(&text, "%s=%s", o->set[i].key, o->set[i].value);
        argv[n++] = "--set";
        argv[n++] = ftk__arena_strdup(arena, text.text ? text.text : "");
        ftk__str_done(&text);
    }
    argv[n++] = "--";
    argv[n++] = path;
    argv[n] = NULL;
    return argv;
}

static _Noreturn void become(const char **argv, int verdict, int output, uint64_t limit,
                             pid_t parent)
{
    const struct rlimit none = { 0, 0 };
    const struct rlimit space = { limit, limit };
    const struct rlimit file = { FILE_MOST, FILE_MOST };
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127); /* it died between fork and prctl */
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_FSIZE, &file); /* a plugin that prints without end fills no disk */
    if (limit > 0)
        setrlimit(RLIMIT_AS, &space);
    int null = open("/dev/null", O_RDONLY);
    /* Away from the numbers they go to: a pipe's end may be 0 to 3 itself. */
    int from[3] = { fcntl(null, F_DUPFD, 10), fcntl(output, F_DUPFD, 10),
                    fcntl(verdict, F_DUPFD, 10) };
    dup2(from[0], STDIN_FILENO);
    dup2(from[1], STDOUT_FILENO);
    dup2(from[1], STDERR_FILENO);
    dup2(from[2], VERDICT_FD);
    for (int i = 0; i < 3; i++)
        close(from[i]);
    execv("/proc/self/exe", (char *const *)argv);
    _exit(127);
}

static int nameless_file(void)
{
    FILE *f = tmpfile();
    int fd = f ? fcntl(fileno(f), F_DUPFD_CLOEXEC, 0) : -1;
    if (f)
        fclose(f);
    return fd;
}

ftk_status ftk__process_start(const struct ftk__kit_options *o, const char *spec, const char *path,
                              double timeout_s, uint64_t limit, struct ftk__process *ret,
                              struct ftk_error *reterr)
{
    struct ftk__arena arena = { 0 };
    int pipe_ends[2];
    pid_t parent = getpid();
    const char **argv = arguments(o, spec, path, &arena);
    if (!argv)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for a process");
    if (pipe2(pipe_ends, O_CLOEXEC) != 0) {
        ftk__arena_done(&arena);
        return ftk__fail(reterr, FTK_EINTERNAL, "no pipe: %s", strerror(errno));
    }
    *ret = (struct ftk__process){ .verdict = pipe_ends[0], .output = nameless_file() };
    fflush(NULL);
    ret->pid = ret->output >= 0 ? fork() : -1;
    if (ret->pid == 0)
        become(argv, pipe_ends[1], ret->output, limit, parent);
    int error = errno;
    close(pipe_ends[1]);
    ftk__arena_done(&arena);
    if (ret->pid < 0) {
        ret->pid = 0;
        ftk__process_done(ret);
        return ftk__fail(reterr, FTK_EINTERNAL, "no process: %s", strerror(error));
    }
    setpgid(ret->pid, ret->pid); /* in both, so that it is so whoever is first */
    fcntl(ret->verdict, F_SETFL, O_NONBLOCK);
    ret->started = ftk__process_now();
    ret->deadline = ret->started + timeout_s;
    return FTK_OK;
}

static void take(struct ftk__process *p)
{
    char part[1024];
    for (int i = 0; i < VERDICT_MOST / 1024; i++) { /* one who writes without end is left unread */
        ssize_t n = read(p->verdict, part, sizeof(part));
        if (n <= 0)
            return;
        if (p->line.len < VERDICT_MOST)
            ftk__str_add_n(&p->line, part, (uint64_t)n);
    }
}

bool ftk__process_poll(struct ftk__process *p, double now, int *ret_status)
{
    take(p);
    pid_t over = waitpid(p->pid, ret_status, WNOHANG);
    if (over == 0 && now < p->deadline)
        return false;
    if (over == 0) {
        p->late = true;
        kill(-p->pid, SIGKILL);
        waitpid(p->pid, ret_status, 0);
    }
    kill(-p->pid, SIGKILL); /* what it left behind; harmless where nothing is */
    take(p);
    p->pid = 0;
    return true;
}

char *ftk__process_output(struct ftk__process *p)
{
    char *text = ftk__alloc(OUTPUT_SHOWN + 1);
    ssize_t n = text ? pread(p->output, text, OUTPUT_SHOWN, 0) : 0;
    if (text)
        text[n > 0 ? n : 0] = '\0';
    return text;
}

void ftk__process_done(struct ftk__process *p)
{
    if (p->pid > 0) {
        kill(-p->pid, SIGKILL);
        waitpid(p->pid, NULL, 0);
    }
    close(p->verdict);
    if (p->output >= 0)
        close(p->output);
    ftk__str_done(&p->line);
    p->pid = 0;
}
