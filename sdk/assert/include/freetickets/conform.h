/* SPDX-License-Identifier: MIT
 * freetickets/conform.h - the conformance kit as an assertion of a CMocka test.
 *
 *     ftk_conform_assert(PLUGIN_FILE, "--level 3 --skip DET-06=wanted");
 *
 * runs `freetickets conform --json` on the file and fails the test that calls it unless every rule passes,
 * is skipped, waived or only warns.  What failed is printed, a rule in a few lines: what was seen, why it
 * matters, the likely fix, the command that shows it.  The program is $FREETICKETS if that is set, else the
 * one installed beside this library, else the one on PATH.
 *
 * Link with freetickets::conform (CMake package freetickets-sdk, component conform) or with pkg-config
 * freetickets-conform.  This is no part of the plugin interface: plugins neither need nor link it.
 */
#ifndef FTK_CONFORM_H
#define FTK_CONFORM_H
#ifdef __cplusplus
extern "C" {
#endif
/* `file`: the plugin's path.  `arguments`: words for the command, apart by blanks, a blank inside a word
 * behind a backslash; NULL: none.  Does not return where the test has failed. */
#define ftk_conform_assert(file, arguments)                                                        \
    ftk_conform_assert_at((file), (arguments), __FILE__, __LINE__)
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
void ftk_conform_assert_at(const char *file, const char *arguments, const char *source, int line);
#ifdef __cplusplus
}
#endif
#endif
