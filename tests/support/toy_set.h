/* SPDX-License-Identifier: MIT
 * toy_set.h - for tests of fetching: a small set in an archive, and a web server that has it.
 *
 * Whatever goes wrong in here fails the running CMocka test.
 */
#ifndef TESTS_TOY_SET_H
#define TESTS_TOY_SET_H
#include "data/fetch.h"
#include "scratch_dir.h"
#include <stdio.h>
#include <sys/types.h>

enum { TOY_FILES = 2, TOY_BYTES = 60000 };

struct toy_entry {              /* of an archive                                */
    const char *name;
    char type;                  /* 'f' file, 'd' folder, 's' symbolic, 'h' hard link, 'p' pipe */
    const void *data;           /* bytes, or a link's target                    */
    size_t n;
};
/* A tar archive, compressed where its name ends in ".gz". */
void toy_archive(const char *path, const struct toy_entry *entries, size_t n);

/* "toy.tar.gz" in `dir`: toy-bin/a.bin and toy-bin/b.bin; does not move once made. */
struct toy_set {
    struct ftk__catalogue set;
    struct ftk__set_file files[TOY_FILES];
    struct ftk__set_source sources[TOY_FILES];
    char checksum[TOY_FILES + 1][80];
    unsigned char data[TOY_FILES][TOY_BYTES];
};
void toy_set_init(struct toy_set *t, const struct scratch_dir *dir);
/* The same files, each to be downloaded by itself. */
void toy_set_by_file(struct toy_set *t, const struct scratch_dir *dir);

struct toy_server {
    FILE *out;
    pid_t pid;
    char url[64];               /* "http://127.0.0.1:port"                      */
    char log[300];              /* a line a request                             */
};
/* `options` as support/range_server.py takes them. */
void toy_server_open(struct toy_server *s, const struct scratch_dir *dir, const char *options);
void toy_server_close(struct toy_server *s);
/* The requests so far; the caller's (free). */
char *toy_server_log(const struct toy_server *s);
#endif
