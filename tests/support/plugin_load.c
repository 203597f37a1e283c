/* SPDX-License-Identifier: MIT
 * plugin_load.c - loads a plugin or a golden file for a test.
 */
#include "plugin_load.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The path of `file` in the folder that the variable names, to be freed. */
static char *path_in(const char *variable, const char *file, const char *suffix)
{
    const char *folder = getenv(variable);
    char *path = NULL;
    if (folder == NULL)
        fail_msg("%s does not name a folder", variable);
    if (asprintf(&path, "%s/%s%s", folder, file, suffix) < 0)
        fail_msg("no memory for the path of %s", file);
    return path;
}

static ftk_status keep(const ftk_registry *r, const ftk_algo *algo)
{
    const ftk_algo **only = r->self;
    if (*only != NULL)
        return FTK_EEXIST;
    *only = algo;
    return FTK_OK;
}

/* dlsym() returns an object pointer; ISO C has no cast from it to a function's. */
static void symbol(void *file, const char *name, void *ret_function)
{
    void *address = dlsym(file, name);
    assert_non_null(address);
    memcpy(ret_function, &address, sizeof(address));
}

const ftk_algo *plugin_load(const char *file, ftk_kind kind)
{
    char *path = path_in("FTK_TEST_PLUGINS", file, ".so");
    const ftk_stamp *(*stamp)(void) = NULL;
    ftk_status (*fill)(const ftk_registry *) = NULL;
    const ftk_algo *algo = NULL;
    const ftk_registry registry = { .size = sizeof(registry),
                                    .abi_major = FTK_ABI_MAJOR,
                                    .abi_minor = FTK_ABI_MINOR,
                                    .self = &algo,
                                    .add = keep };
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        fail_msg("%s", dlerror());
    free(path);
    symbol(handle, "ftk_plugin_stamp", &stamp);
    symbol(handle, "ftk_plugin_register", &fill);
    assert_int_equal(stamp()->magic, FTK_MAGIC);
    assert_int_equal(stamp()->abi_major, FTK_ABI_MAJOR);
    assert_int_equal(stamp()->abi_minor, FTK_ABI_MINOR);
    assert_int_equal(fill(&registry), FTK_OK);
    assert_non_null(algo);
    assert_int_equal(algo->size, sizeof(ftk_algo));
    assert_int_equal(algo->kind, kind);
    return algo;
}

char *golden_read(const char *file)
{
    char *path = path_in("FTK_TEST_GOLDEN", file, "");
    FILE *f = fopen(path, "rb");
    long length = 0;
    if (f == NULL)
        fail_msg("cannot open %s", path);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    length = ftell(f);
    assert_true(length >= 0);
    rewind(f);
    char *text = malloc((size_t)length + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)length, f), (size_t)length);
    text[length] = '\0';
    assert_int_equal(fclose(f), 0);
    free(path);
    return text;
}
