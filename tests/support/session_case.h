/* SPDX-License-Identifier: MIT
 * session_case.h - for tests of train/: whole trainings of a tiny network, stopped and gone on with.
 *
 * Whatever goes wrong in here fails the running CMocka test.
 */
#ifndef TESTS_SESSION_CASE_H
#define TESTS_SESSION_CASE_H
#include "cli/prepare.h"
#include "scratch_dir.h"
#include "train/trainer.h"

enum { SESSION_PATH = 512 };

/* An experiment with its data, and a backend of its own. */
struct session_case {
    struct ftk__prepared p;
    struct ftk__dataset *data;
    struct ftk__engine engine;
    struct ftk_error err; /* of the last training                         */
};
/* The 0.1 s experiment of session_case.c, with overrides as after -s, NULL-terminated. */
void session_case_open(struct session_case *c, const char *const *set);
void session_case_close(struct session_case *c);
/* Another number of threads, or another backend, from now on. */
void session_case_backend(struct session_case *c, const char *use, uint32_t threads);

/* Trains in `dir`, which is made, from the beginning, or from its last checkpoint if `resume`. */
ftk_status session_case_train(struct session_case *c, const char *dir, bool resume,
                              const struct ftk__checkpoints *how, struct ftk__train_report *ret);
/* The same to the end, with no checkpoint; the report is done with. */
void session_case_whole(struct session_case *c, const char *dir, bool resume);
/* One unit of work: from the beginning if that is where `dir` stands.  False: it was the last. */
bool session_case_unit(struct session_case *c, const char *dir, bool resume);

/* Members, metrics.csv, metrics.jsonl, trajectory: byte by byte. */
void session_case_same(const char *a, const char *b);
/* cp -r */
void session_case_copy(const char *from, const char *to);
/* "<dir>/<name>" in one of 64 buffers. */
const char *session_case_path(const char *dir, const char *name);
#endif
