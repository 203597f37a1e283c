/* SPDX-License-Identifier: MIT
 * test_layout.c - sizes and offsets of the public structs against sdk/abi/layout-0.txt.
 *
 * Plugins are compiled elsewhere: a member that moves is a new interface.  When one does on
 * purpose, `test_layout --print > sdk/abi/layout-0.txt` writes the file anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "layout_members.h"
#include <freetickets/freetickets.h>

/* A struct (member NULL: bytes is its size) or one of its members. */
struct entry {
    const char *type, *member;
    size_t offset, bytes;
};

static const struct entry entries[] = {
#define S(type)         { #type, NULL, 0, sizeof(type) },
#define M(type, member) { #type, #member, offsetof(type, member), sizeof(((type *)0)->member) },
    LAYOUT_MEMBERS(S, M)
#undef S
#undef M
};
enum { N_ENTRIES = sizeof(entries) / sizeof(entries[0]) };

/* "ftk_rng 24" or "ftk_rng.counter 16 8": name, offset of a member, bytes. */
static void entry_line(const struct entry *e, char *text, size_t size)
{
    if (e->member == NULL)
        (void)snprintf(text, size, "%s %zu", e->type, e->bytes);
    else
        (void)snprintf(text, size, "%s.%s %zu %zu", e->type, e->member, e->offset, e->bytes);
}

static void test_golden(void **state)
{
    (void)state;
    const char *source = getenv("FTK_SOURCE_DIR");
    char path[4096];
    char want[256];
    char got[256];
    int matched = 0;
    assert_non_null(source);
    (void)snprintf(path, sizeof(path), "%s/sdk/abi/layout-0.txt", source);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        fail_msg("cannot open %s", path);
    while (fgets(want, sizeof(want), f) != NULL) {
        want[strcspn(want, "\n")] = '\0';
        if (want[0] == '#')
            continue;
        if (matched == N_ENTRIES)
            fail_msg("'%s' of %s is gone", want, path);
        entry_line(&entries[matched], got, sizeof(got));
        assert_string_equal(got, want);
        matched++;
    }
    assert_int_equal(fclose(f), 0);
    assert_int_equal(matched, N_ENTRIES);
}

/* Where the ABI has four bytes of padding in front of an eight-byte member. */
static const char *const padded[] = { "ftk_layer.n", "ftk_node.name", "ftk_pred.count",
                                      "ftk_build.nodes" };

static size_t padding_before(const struct entry *e)
{
    char name[256];
    (void)snprintf(name, sizeof(name), "%s.%s", e->type, e->member);
    for (size_t i = 0; i < sizeof(padded) / sizeof(padded[0]); i++) {
        if (strcmp(name, padded[i]) == 0)
            return 4;
    }
    return 0;
}

/* No other hole and no tail: nothing is missing in the list, and no new padding creeps in. */
static void test_no_holes(void **state)
{
    (void)state;
    size_t end = 0;
    size_t size = 0;
    for (int i = 0; i < N_ENTRIES; i++) {
        const struct entry *e = &entries[i];
        if (e->member == NULL) {
            end = 0;
            size = e->bytes;
            continue;
        }
        if (e->offset != end + padding_before(e))
            fail_msg("%s.%s lies at %zu, what is listed before it ends at %zu", e->type, e->member,
                     e->offset, end);
        end = e->offset + e->bytes;
        if (i + 1 == N_ENTRIES || entries[i + 1].member == NULL)
            assert_int_equal(end, size);
    }
}

static void print_layout(void)
{
    char text[256];
    printf("# ABI %u.%u, LP64: struct and its size, or struct.member, its offset and size.\n",
           FTK_ABI_MAJOR, FTK_ABI_MINOR);
    for (int i = 0; i < N_ENTRIES; i++) {
        entry_line(&entries[i], text, sizeof(text));
        printf("%s\n", text);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_no_holes),
    };
    if (argc > 1 && strcmp(argv[1], "--print") == 0) {
        print_layout();
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
