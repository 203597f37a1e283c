/* SPDX-License-Identifier: MIT
 * conform/drivers.c - the list of drivers, and what they share.
 */
#include "conform/driver.h"
#include <string.h>

extern const struct ftk__driver ftk__driver_score, ftk__driver_select, ftk__driver_density,
    ftk__driver_allot, ftk__driver_ensemble, ftk__driver_metric, ftk__driver_backend;

static const struct ftk__driver *const drivers[] = {
    &ftk__driver_score,    &ftk__driver_select, &ftk__driver_density, &ftk__driver_allot,
    &ftk__driver_ensemble, &ftk__driver_metric, &ftk__driver_backend, NULL,
};

const struct ftk__driver *ftk__driver_of(struct ftk__case *c)
{
    uint32_t bit = ftk__kit_kind_bit(c->algo);
    for (int i = 0; drivers[i]; i++)
        if (drivers[i]->kinds & bit)
            return drivers[i];
    ftk__kit_broken("no driver for kind %u", c->algo->kind);
}

void *ftk__kit_struct(const char *name, const void *from, uint32_t size, const struct ftk__how *how,
                      bool writable)
{
    uint32_t grown = size + how->grown;
    char *p = ftk__guard_new(name, grown, 8, how->side, 0);
    memcpy(p, from, size);
    memcpy(p, &grown, sizeof(grown)); /* every struct begins with its size */
    if (!writable)
        ftk__guard_read_only(p);
    return p;
}
