/* SPDX-License-Identifier: MIT
 * builtin_case.h - for tests: built-ins with hand-set parameters, requests for synthetic data.
 *
 * Whatever goes wrong in here fails the running CMocka test.
 */
#ifndef TESTS_BUILTIN_CASE_H
#define TESTS_BUILTIN_CASE_H
#include "data/dataset.h"

const struct ftk__builtin *builtin_named(const struct ftk__builtin *const *table,
                                         const char *name);
/* Sets one declared parameter in a block of b->params_size bytes. */
void builtin_set_i64(const struct ftk__builtin *b, void *params, const char *name, int64_t v);
void builtin_set_str(const struct ftk__builtin *b, void *params, const char *name, const char *v);
/* `v` stays the caller's. */
void builtin_set_f64s(const struct ftk__builtin *b, void *params, const char *name,
                      const double *v, uint64_t n);

struct data_case {              /* does not move once set                       */
    struct ftk__data_request q; /* everything else 0 or ""                      */
    _Alignas(16) unsigned char params[256];
    double shape[3];
};
void data_case_synthetic(struct data_case *d, uint32_t channels, uint32_t height, uint32_t width,
                         uint32_t classes, uint32_t train, uint32_t test);
void data_case_idx(struct data_case *d, const char *train_images, const char *train_labels,
                   const char *test_images, const char *test_labels, uint32_t classes);
void data_case_npy(struct data_case *d, const char *train_images, const char *train_labels,
                   const char *test_images, const char *test_labels, uint32_t classes);
void data_case_named(struct data_case *d, const char *name, const char *dir);
void data_case_fashion(struct data_case *d, const char *dir);
#endif
