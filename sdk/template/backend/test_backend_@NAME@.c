/* SPDX-License-Identifier: MIT
 * The plugin file loads, offers one backend of its name, and that finds a device.
 */
#include <dlfcn.h>
#include <freetickets/backend.h>
#include <freetickets/plugin.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static ftk_status keep(const ftk_registry *r, const ftk_algo *a)
{
    *(const ftk_algo **)r->self = a;
    return FTK_OK;
}

static void it_finds_a_device(void **state)
{
    const ftk_algo *algo = NULL;
    const ftk_registry reg = { .size = sizeof(reg),
                               .abi_major = FTK_ABI_MAJOR,
                               .abi_minor = FTK_ABI_MINOR,
                               .self = &algo,
                               .add = keep };
    const ftk_host host = { .size = sizeof(host) };
    ftk_device device = { .size = sizeof(device) };
    ftk_status (*offer)(const ftk_registry *);
    (void)state;
    void *file = dlopen(PLUGIN_FILE, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(file);
    void *symbol = dlsym(file, "ftk_plugin_register");
    assert_non_null(symbol);
    memcpy(&offer, &symbol, sizeof(offer)); /* ISO C has no such cast */
    assert_int_equal(offer(&reg), FTK_OK);
    assert_string_equal(algo->name, "@NAME@");
    const ftk_backend_ops *ops = algo->ops;
    assert_int_equal(ops->probe(&host, 0, &device), FTK_OK);
    assert_true(device.score > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(it_finds_a_device) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
