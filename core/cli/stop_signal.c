/* SPDX-License-Identifier: MIT
 * cli/stop_signal.c - handlers that set a flag, and the clock.
 */
#include "cli/stop_signal.h"

#include "train/session.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* SIGHUP: the terminal is gone; SIGXCPU, SIGUSR2: batch systems give notice by them. */
static const struct {
    int number;
    const char *name;
} signals[] = {
    { SIGINT, "SIGINT" }, { SIGTERM, "SIGTERM" }, { SIGUSR2, "SIGUSR2" },
    { SIGHUP, "SIGHUP" }, { SIGXCPU, "SIGXCPU" },
};
enum { N_SIGNALS = sizeof(signals) / sizeof(signals[0]) };
enum { FIRST_FREE = 3 }; /* behind the standard descriptors              */

static volatile sig_atomic_t asked; /* the number of the first signal           */
static volatile sig_atomic_t interrupts;
static double deadline;
/* A copy of standard error: while a plugin is loaded, what goes to descriptor 2 is taken for its own. */
static int own_stderr = -1;

/* Of the calls that a handler may make.  What cannot be written is not missed. */
static void say(const char *text)
{
    if (write(own_stderr, text, strlen(text)) < 0)
        return;
}

static void on_signal(int number)
{
    const int kept = errno;
    if (number == SIGINT && ++interrupts > 1) {
        say("stopped at once: what was done since the last checkpoint is done again\n");
        _exit(FTK__EXIT_INTERRUPTED);
    }
    if (!asked) {
        asked = number;
        say(number == SIGINT
                ? "stopping, what is under way is finished first; a second Ctrl-C ends it at once\n"
                : "stopping, what is under way is finished first\n");
    }
    errno = kept;
}

ftk_status ftk__stop_setup(double max_s, struct ftk_error *reterr)
{
    /* Restarted: no read or write of a file is to fail for a signal whose effect comes later. */
    struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    struct sigaction old;
    sigemptyset(&act.sa_mask);
    deadline = max_s >= 0 ? ftk__now() + max_s : 0;
    own_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, FIRST_FREE);
    for (int i = 0; i < N_SIGNALS; i++) {
        const int number = signals[i].number;
        int failed = sigaction(number, NULL, &old);
        if (!failed && old.sa_handler == SIG_IGN)
            continue;
        if (failed || sigaction(number, &act, NULL) != 0)
            return ftk__fail(reterr, FTK_EINTERNAL, "cannot handle %s: %s", signals[i].name,
                             strerror(errno));
    }
    /* A file that may not grow is an error of that write like any other, not the end; and training
     * goes on where nobody reads its log any more. */
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    return FTK_OK;
}

const volatile sig_atomic_t *ftk__stop_flag(void)
{
    return &asked;
}

double ftk__stop_deadline(void)
{
    return deadline;
}

bool ftk__stop_asked(void)
{
    return asked || (deadline > 0 && ftk__now() >= deadline);
}

const char *ftk__stop_reason(void)
{
    for (int i = 0; i < N_SIGNALS; i++) {
        if (signals[i].number == asked)
            return signals[i].name;
    }
    return "--max-time";
}
