/* SPDX-License-Identifier: MIT
 * cli/progress_bar.c - drawing, wiping, and keeping out of the log's way.
 */
#include "cli/progress_bar.h"

#include "base/log.h"
#include "base/str.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BAR = 20, FALLBACK_COLUMNS = 80 };

static int columns_of_terminal(void)
{
    struct winsize w;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0)
        return w.ws_col;
    return FALLBACK_COLUMNS;
}

static void time_text(double seconds, char ret[16])
{
    unsigned long s = seconds > 0 && seconds < 1e9 ? (unsigned long)seconds : 0;
    if (s >= 3600)
        ftk__format(ret, 16, "%luh%02lum", s / 3600, s / 60 % 60);
    else
        ftk__format(ret, 16, "%lum%02lus", s / 60, s % 60);
}

void ftk__progress_text(const struct ftk__progress_state *s, int columns, bool colour, char *ret,
                        size_t cap)
{
    double share = s->total ? (double)s->done / (double)s->total : 1;
    int filled = (int)(share * BAR);
    char bar[BAR + 1];
    char eta[16];
    char loss[32] = "";
    char text[200];
    for (int i = 0; i < BAR; i++)
        bar[i] = i < filled ? '#' : '.';
    bar[BAR] = 0;
    time_text(s->eta_s, eta);
    if (!isnan(s->loss))
        ftk__format(loss, sizeof(loss), "  loss %.3f", s->loss);
    ftk__format(text, sizeof(text), "[%s] %3.0f%%  eta %s%s  d %.3f  %.0f img/s  %s", bar,
                floor(share * 100), eta, loss, s->density, s->images_per_s, s->label);
    if (columns > 1 && (int)strlen(text) > columns - 1)
        text[columns - 1] = 0; /* a wrapped line could not be wiped */
    ftk__format(ret, cap, "%s%s%s", colour ? "\033[36m" : "", text, colour ? "\033[0m" : "");
}

static void draw(const struct ftk__progress_bar *b)
{
    fprintf(stderr, "\r\033[K%s", b->line);
    fflush(stderr);
}

static void wipe(void)
{
    fputs("\r\033[K", stderr);
    fflush(stderr);
}

static void step(void *arg, const struct ftk__progress_state *s)
{
    struct ftk__progress_bar *b = arg;
    ftk__progress_text(s, columns_of_terminal(), b->colour, b->line, sizeof(b->line));
    draw(b);
}

static void around_log_line(void *arg, bool before)
{
    const struct ftk__progress_bar *b = arg;
    if (!b->line[0])
        return; /* nothing was drawn yet */
    if (before)
        wipe();
    else
        draw(b);
}

void ftk__progress_bar_start(struct ftk__progress_bar *b, bool quiet)
{
    const char *term = getenv("TERM");
    const char *no_colour = getenv("NO_COLOR");
    bool dumb = !term || strcmp(term, "dumb") == 0;
    *b = (struct ftk__progress_bar){ 0 };
    b->on = !quiet && !dumb && isatty(STDERR_FILENO);
    b->colour = !(no_colour && no_colour[0]);
    if (b->on)
        ftk__log_set_line_hook(around_log_line, b);
}

struct ftk__progress ftk__progress_of(struct ftk__progress_bar *b)
{
    return (struct ftk__progress){ .arg = b, .step = b->on ? step : NULL };
}

void ftk__progress_bar_stop(struct ftk__progress_bar *b)
{
    if (!b->on)
        return;
    ftk__log_set_line_hook(NULL, NULL);
    wipe();
    b->on = false;
}
