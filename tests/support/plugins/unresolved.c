/* SPDX-License-Identifier: MIT
 * unresolved.c - needs a function that nobody has; RTLD_NOW finds out while loading.
 */
#include <freetickets/plugin.h>

ftk_status ftk_test_function_that_nobody_has(void);

const ftk_stamp *ftk_plugin_stamp(void)
{
    return NULL;
}

ftk_status ftk_plugin_register(const ftk_registry *r)
{
    (void)r;
    return ftk_test_function_that_nobody_has();
}
