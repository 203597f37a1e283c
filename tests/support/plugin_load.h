/* SPDX-License-Identifier: MIT
 * plugin_load.h - for tests of plugins: loads one file, as the core would but without it.
 */
#ifndef TESTS_PLUGIN_LOAD_H
#define TESTS_PLUGIN_LOAD_H
#include <freetickets/plugin.h>

/* Loads $FTK_TEST_PLUGINS/<file>.so, which stays loaded, judges its stamp and returns its one
 * algorithm, of `kind`.  Anything else fails the running CMocka test.              */
const ftk_algo *plugin_load(const char *file, ftk_kind kind);

/* Reads a golden file: $FTK_TEST_GOLDEN/<file>, a text, to be freed with free(). */
char *golden_read(const char *file);
#endif
