/* SPDX-License-Identifier: MIT
 * parity_case.h - for test_step_parity.c: a masked WRN-10-1 in a backend, and what PyTorch wrote
 * down of it.
 *
 * tests/golden/make_step_parity.py says what is in the files.  Whatever goes wrong in here fails
 * the running CMocka test.
 */
#ifndef TESTS_PARITY_CASE_H
#define TESTS_PARITY_CASE_H
#include "base/safetensors.h"
#include "cli/prepare.h"
#include "train/network.h"
#include "train/trainer.h"

enum { PARITY_BATCH = 16, PARITY_FLOATS = 3 * 32 * 32, PARITY_TENSORS = 96 };

struct parity_set { /* images and batches                           */
    const char *name;
    struct ftk__st_file run;   /* <name>_run                                   */
    struct ftk__dataset *data; /* NULL: the images are in the file             */
    float x[PARITY_BATCH * PARITY_FLOATS];
    int32_t y[PARITY_BATCH];
};
/* False where the images are not on this machine. */
bool parity_set_open(struct parity_set *s, const char *name, const struct ftk__prepared *p);
void parity_set_close(struct parity_set *s);
/* The batch of step 1 .. 50, normalised; valid until the next call. */
ftk_batch parity_batch(struct parity_set *s, uint32_t step);

struct parity_net {
    struct ftk__prepared p;
    struct ftk__rules rules;
    struct ftk__arena arena;
    struct ftk__engine own; /* opened unless an engine was given            */
    struct ftk__network net;
};
/* By the backend of that name (NULL: only the model and its rules), compiled; a topology of ERK,
 * density 0.2, preset paper, of which INIT is done. */
void parity_net_open(struct parity_net *n, const char *backend);
/* A topology over `e`, INIT done. */
void parity_net_init(struct parity_net *n, struct ftk__engine *e);
void parity_net_close(struct parity_net *n);

/* <set>_<what>.safetensors */
struct ftk__st_file parity_open(const struct parity_set *s, const char *what);
/* Array "<when>.<name><after>"; `n` elements unless 0. */
const void *parity_array(const struct ftk__st_file *f, enum ftk__dtype type, uint64_t n,
                         const char *when, const char *name, const char *after);
/* Active positions of a layer by "mask.<its weight>", ascending, to be freed with free(). */
uint64_t *parity_active(const struct parity_net *n, const struct ftk__st_file *f, uint32_t layer,
                        uint64_t *ret_n);

/* Masks of `f`, and the whole state of "<when>.". */
void parity_load(struct parity_net *n, const struct ftk__st_file *f, const char *when);
/* The state alone, masks being right. */
void parity_put(struct parity_net *n, const struct ftk__st_file *f, const char *when);
/* Every array against "<when>."; the largest error as a share of an array's norm, and whose. */
double parity_worst(struct parity_net *n, const struct ftk__st_file *f, const char *when,
                    char ret_name[PARITY_TENSORS]);
/* A step by the experiment's momentum and decay; its mean loss. */
double parity_step(struct parity_net *n, const ftk_batch *b, double lr, uint32_t flags);
#endif
