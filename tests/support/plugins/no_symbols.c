/* SPDX-License-Identifier: MIT
 * no_symbols.c - a shared object that is no plugin at all.
 */
int some_other_library(void);

int some_other_library(void)
{
    return 42;
}
