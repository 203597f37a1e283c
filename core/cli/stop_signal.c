/* SPDX-License-Identifier: MIT
 * cli/stop_signal.c - handlers that set a flag, and the clock.
 */
#include "cli/stop_signal.h"

#include "train/session.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t asked; /* the number of the first signal           */
static volatile sig_atomic_t interrupts;
static double deadline;

static void on_signal(int number)
{
    if (number == SIGINT && ++interrupts > 1)
        _exit(FTK__EXIT_INTERRUPTED);
    if (!asked)
        asked = number;
}

ftk_status ftk__stop_setup(double max_s, struct ftk_error *reterr)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGUSR2 };
    /* Restarted: no read or write of a file is to fail for a signal whose effect comes later. */
    struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    struct sigaction old;
    sigemptyset(&act.sa_mask);
    deadline = max_s >= 0 ? ftk__now() + max_s : 0;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        int failed = sigaction(numbers[i], NULL, &old);
        if (!failed && numbers[i] == SIGINT && old.sa_handler == SIG_IGN)
            continue;
        if (failed || sigaction(numbers[i], &act, NULL) != 0)
            return ftk__fail(reterr, FTK_EINTERNAL, "cannot handle signal %d: %s", numbers[i],
                             strerror(errno));
    }
    /* A file that may not grow is an error of that write like any other, not the end. */
    signal(SIGXFSZ, SIG_IGN);
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
    switch (asked) {
    case SIGINT:
        return "SIGINT";
    case SIGTERM:
        return "SIGTERM";
    case SIGUSR2:
        return "SIGUSR2";
    default:
        return "--max-time";
    }
}
