/* SPDX-License-Identifier: MIT
 * stamped.c - a stamp with one mistake; that it was asked to register all the same would show in
 * the environment.
 */
#include <freetickets/plugin.h>
#include <stdlib.h>

#ifndef STAMP_MAGIC
#define STAMP_MAGIC FTK_MAGIC
#endif
#ifndef STAMP_MAJOR
#define STAMP_MAJOR FTK_ABI_MAJOR
#endif
#ifndef STAMP_MINOR
#define STAMP_MINOR FTK_ABI_MINOR
#endif
#ifndef STAMP_NAME
#define STAMP_NAME "org.example.stamped"
#endif
#ifndef STAMP_VERSION
#define STAMP_VERSION "1.0.0"
#endif

const ftk_stamp *ftk_plugin_stamp(void)
{
#ifdef STAMP_NULL
    return NULL;
#else
    static const ftk_stamp stamp = {
        STAMP_MAGIC, sizeof(ftk_stamp), STAMP_MAJOR, STAMP_MINOR,    0,
        STAMP_NAME,  STAMP_VERSION,     "MIT",       FTK_BUILT_WITH,
    };
    return &stamp;
#endif
}

ftk_status ftk_plugin_register(const ftk_registry *r)
{
    (void)r;
    setenv("FTK_TEST_REGISTERED", "1", 1);
    return FTK_OK;
}
