/* SPDX-License-Identifier: MIT
 * conform/again.c - the rule in another process: the program executed anew, so that the file lies
 * elsewhere in memory and nothing is left of what was done here.
 */
#include "conform/blob.h"
#include "conform/verdict.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A file without a name that holds the blob, to be read from its start. */
static int as_file(const struct ftk__blob *b)
{
    FILE *f = tmpfile();
    if (!f)
        ftk__kit_broken("no temporary file: %s", strerror(errno));
    int fd = dup(fileno(f));
    fclose(f);
    if (fd < 0)
        ftk__kit_broken("no descriptor: %s", strerror(errno));
    if (b)
        ftk__blob_write(b, fd);
    if (lseek(fd, 0, SEEK_SET) != 0)
        ftk__kit_broken("a temporary file cannot be rewound: %s", strerror(errno));
    return fd;
}

static _Noreturn void execute(const struct ftk__case *c, uint32_t role, int in, int out)
{
    char child[256];
    char seed[32];
    const struct ftk__kit_options *o = c->o;
    const char **argv = ftk__alloc_array(16 + 2 * (uint64_t)o->n_set, sizeof(*argv));
    uint32_t n = 0;
    if (!argv)
        ftk__kit_broken("no memory for arguments");
    const char *kind = c->algo ? ftk__kind_name((ftk_kind)c->algo->kind) : "";
    ftk__format(child, sizeof(child), "%s:%s%s%s:%u:%d:%d", c->rule->id, kind, c->algo ? "." : "",
                c->algo ? c->algo->name : "", role, in, out);
    ftk__format(seed, sizeof(seed), "%llu", (unsigned long long)o->seed);
    argv[n++] = "freetickets";
    argv[n++] = "conform";
    argv[n++] = "--child";
    argv[n++] = child;
    argv[n++] = "--seed";
    argv[n++] = seed;
    if (o->ref) {
        argv[n++] = "--ref";
        argv[n++] = o->ref;
    }
    for (uint32_t i = 0; i < o->n_set; i++) {
        struct ftk__str text = { 0 };
        ftk__str_addf(&text, "%s=%s", o->set[i].key, o->set[i].value);
        argv[n++] = "--set";
        argv[n++] = text.text;
    }
    argv[n++] = "--";
    argv[n++] = c->path;
    execv("/proc/self/exe", (char *const *)argv);
    _exit(127);
}

void ftk__kit_again(struct ftk__case *c, uint32_t role, const struct ftk__blob *in,
                    struct ftk__blob *ret)
{
    int input = as_file(in);
    int output = as_file(NULL);
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        ftk__kit_broken("no process: %s", strerror(errno));
    if (pid == 0)
        execute(c, role, input, output);
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            ftk__kit_broken("waitpid: %s", strerror(errno));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        /* A verdict of its own stands in the output instead of a blob. */
        char line[1024] = "";
        ssize_t n = pread(output, line, sizeof(line) - 1, 0);
        line[n > 0 ? n : 0] = '\0';
        ftk__kit_fail(c, "in another process: %s", line[0] ? line : "it died without a verdict");
    }
    if (lseek(output, 0, SEEK_SET) != 0)
        ftk__kit_broken("the results cannot be rewound: %s", strerror(errno));
    ftk__blob_read(ret, output);
    close(input);
    close(output);
}

void ftk__kit_input(struct ftk__case *c, struct ftk__blob *ret)
{
    ftk__blob_read(ret, c->in);
}

_Noreturn void ftk__kit_hand_back(struct ftk__case *c, const struct ftk__blob *b)
{
    ftk__blob_write(b, c->out);
    _exit(0);
}
