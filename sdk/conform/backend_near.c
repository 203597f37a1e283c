/* SPDX-License-Identifier: MIT
 * conform/backend_near.c - how far a backend's arrays lie from an oracle's.
 */
#include "conform/backend_snap.h"
#include <math.h>
#include <stdarg.h>
#include <string.h>

double ftk__bk_nmse(const float *a, const float *b, uint64_t n)
{
    double error = 0.0;
    double power = 0.0;
    for (uint64_t i = 0; i < n; i++) {
        double d = (double)a[i] - b[i];
        error += d * d;
        power += (double)b[i] * b[i];
    }
    if (error == 0.0)
        return 0.0;
    return power > 0.0 && isfinite(error) ? error / power : INFINITY;
}

void ftk__bk_tally(struct ftk__bk_tally *t, struct ftk__bk *bk)
{
    static const double limits[][2] = { { 1e-10, 1e-8 }, { 1e-6, 1e-5 }, { 1e-4, 1e-3 } };
    *t = (struct ftk__bk_tally){
        .bk = bk,
        .warn = limits[bk->precision][0],
        .fail = limits[bk->precision][1],
    };
}

void ftk__bk_where(struct ftk__bk_tally *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(t->where, sizeof(t->where), fmt, args);
    va_end(args);
}

void ftk__bk_near(struct ftk__bk_tally *t, const char *what, const float *a, const float *b,
                  uint64_t n)
{
    double nmse = ftk__bk_nmse(a, b, n);
    if (!(nmse <= t->fail)) {
        uint64_t worst = 0;
        for (uint64_t i = 0; i < n; i++)
            if (!(fabs((double)a[i] - b[i]) <= fabs((double)a[worst] - b[worst])))
                worst = i;
        ftk__kit_fail(
            t->bk->c,
            "%s: %s is off by NMSE %.3g, above %.0e; entry %llu is %.9g, in the oracle %.9g",
            t->where, what, nmse, t->fail, (unsigned long long)worst, (double)a[worst],
            (double)b[worst]);
    }
    if (nmse > t->worst) {
        t->worst = nmse;
        ftk__format(t->what, sizeof(t->what), "%s: %.80s", t->where, what);
    }
}

void ftk__bk_near_snaps(struct ftk__bk_tally *t, const struct ftk__bk_graph *g,
                        const struct ftk__bk_snap *a, const struct ftk__bk_snap *b)
{
    struct ftk__case *c = t->bk->c;
    for (uint32_t i = 0; i < b->n; i++) {
        const struct ftk__bk_array *y = &b->array[i];
        const struct ftk__bk_array *x = ftk__bk_array(a, y->node, y->role, y->member);
        const char *name = ftk__bk_array_name(c, g, y->node, y->role);
        ftk__kit_expect(c, x && x->n == y->n, "%s: tensor() lists no %s of %llu floats", t->where,
                        name, (unsigned long long)y->n);
        ftk__bk_near(t, name, x->v, y->v, y->n);
    }
}

void ftk__bk_tally_end(struct ftk__bk_tally *t)
{
    if (t->worst > t->warn)
        ftk__kit_warn(t->bk->c, "%s is off by NMSE %.3g, which passes, but is above %.0e", t->what,
                      t->worst, t->warn);
}

void ftk__bk_close_to(struct ftk__bk *bk, const char *what, const float *a, const float *b,
                      uint64_t n, double most)
{
    uint64_t worst = 0;
    double error = 0.0;
    double largest = 0.0;
    bool finite = true;
    for (uint64_t i = 0; i < n; i++) {
        double d = fabs((double)a[i] - b[i]);
        finite = finite && isfinite(a[i]);
        worst = d > error ? i : worst;
        error = fmax(error, d);
        largest = fmax(largest, fabs((double)b[i]));
    }
    if (finite && error <= most * largest && sqrt(ftk__bk_nmse(a, b, n)) <= most)
        return;
    ftk__kit_fail(bk->c, "%s, entry %llu: %.9g, %.9g was due (within %.0e of %.3g)", what,
                  (unsigned long long)worst, (double)a[worst], (double)b[worst], most, largest);
}
