/* SPDX-License-Identifier: MIT
 * freetickets/freetickets.h - all of the SDK; a simple plugin needs plugin.h and sparse.h. */
#ifndef FTK_ALL_H
#define FTK_ALL_H
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <freetickets/ensemble.h>
#include <freetickets/metric.h>
#include <freetickets/backend.h>
#endif
