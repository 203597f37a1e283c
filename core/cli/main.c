/* SPDX-License-Identifier: MIT
 * cli/main.c - the program's entry; all else is in the library, where tests reach it.
 */
#include "cli/commands.h"

int main(int argc, char **argv)
{
    return ftk__cli_main(argc, argv);
}
