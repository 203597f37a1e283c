/* SPDX-License-Identifier: MIT
 * scratch_dir.h - for tests: a folder of their own for files.
 */
#ifndef TESTS_SCRATCH_DIR_H
#define TESTS_SCRATCH_DIR_H
#include <stddef.h>

struct scratch_dir {
    char path[256];             /* "/tmp/freetickets-XXXXXX", below $TMPDIR if set */
};

void scratch_dir_init(struct scratch_dir *d);
void scratch_dir_done(struct scratch_dir *d); /* removes it with all in it           */
/* "<path>/<name>" in `buf`; returns buf. */
char *scratch_dir_file(const struct scratch_dir *d, const char *name, char *buf, size_t cap);
/* Writes the bytes to such a file, without any code under test. */
void scratch_dir_put(const struct scratch_dir *d, const char *name, const void *data, size_t n);
#endif
