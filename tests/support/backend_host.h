/* SPDX-License-Identifier: MIT
 * backend_host.h - for tests of backends: a small host table, and a loader of one file.
 *
 * The host is written anew from the text of host.h, so that a backend's test does not
 * depend on the core; it counts blocks, can make an allocation fail and keeps the last
 * sentence given to fail().
 */
#ifndef TESTS_BACKEND_HOST_H
#define TESTS_BACKEND_HOST_H
#include <freetickets/backend.h>
#include <freetickets/plugin.h>
#include <stdbool.h>

struct bt_scratch;

struct bt_host {
    ftk_host table;             /* give &host.table to the plugin                     */
    _Atomic uint64_t live;      /* blocks of alloc() not yet freed                    */
    _Atomic uint64_t requests;  /* calls of alloc() and scratch() so far              */
    uint64_t fail_at;           /* this request, counted from 1, fails; 0: none       */
    uint64_t failures;          /* calls of fail()                                    */
    ftk_status last;            /* status of the last fail()                          */
    char message[512];          /* its sentence; "" before                            */
    struct bt_scratch *scratch; /* freed by bt_host_call_done() and bt_host_done()    */
};

/* `host` must not move between the two. */
void bt_host_init(struct bt_host *host);
void bt_host_done(struct bt_host *host);
/* What the core does after every call: scratch memory goes. */
void bt_host_call_done(struct bt_host *host);

/* The generators of the table, for the tests' own random numbers. */
uint64_t bt_rng_u64(ftk_rng *rng);
double bt_rng_uniform(ftk_rng *rng);
double bt_rng_normal(ftk_rng *rng);
uint64_t bt_rng_below(ftk_rng *rng, uint64_t n);

struct bt_backend {
    void *file;                 /* of dlopen; stays loaded, as in the core            */
    const ftk_stamp *stamp;
    const ftk_algo *algo;
    const ftk_backend_ops *ops;
    struct bt_host *host;
    int32_t params[16];         /* its parameters, all enums or booleans, at their defaults */
};

/* Loads $FTK_TEST_PLUGINS/backend_<name>.so, reads its stamp and registers it.  False, with
 * a line on stderr, if the variable, the file or its one backend is not there.     */
bool bt_backend_load(struct bt_host *host, const char *name, struct bt_backend *ret_backend);

/* Device 0 in FP32; isa NULL is "auto".  A failure fails the running CMocka test. */
ftk_dev *bt_backend_open(const struct bt_backend *backend, uint32_t threads, const char *isa);
#endif
