/* SPDX-License-Identifier: MIT
 * zoo_case.h - for tests of model families: one built by its parameters' names, and what all of
 * them promise.  Whatever goes wrong in here fails the running CMocka test.
 */
#ifndef TESTS_ZOO_CASE_H
#define TESTS_ZOO_CASE_H
#include "model/model.h"

struct zoo_case {
    struct ftk__model_request q;
    _Alignas(16) unsigned char params[64];
};
/* Defaults of all parameters; images of channels x side x side. */
void zoo_init(struct zoo_case *c, const char *family, uint32_t channels, uint32_t side,
              uint32_t classes);
void zoo_i64(struct zoo_case *c, const char *name, int64_t v);
void zoo_f64(struct zoo_case *c, const char *name, double v);
void zoo_choice(struct zoo_case *c, const char *name, const char *choice);
/* Builds and checks: inputs before users, unique names, one logit a class. */
struct ftk__model *zoo_build(const struct zoo_case *c);
/* The message of the refusal. */
void zoo_refused(const struct zoo_case *c, const char *message);
/* What the family's check of its parameters says. */
void zoo_bad_params(const struct zoo_case *c, const char *message);

uint32_t zoo_node(const struct ftk__model *m, const char *name);
void zoo_shape(const struct ftk__model *m, const char *name, uint32_t channels, uint32_t height,
               uint32_t width);
/* All maskable layers, in order, NULL-terminated. */
void zoo_layers(const struct ftk__model *m, const char *const *names);
/* Number of layers with a role, and whether `name` is one of them. */
uint32_t zoo_roles(const struct ftk__model *m, uint32_t role);
uint32_t zoo_role(const struct ftk__model *m, const char *name);

/* The fresh values of "conv1.weight" follow N(0, deviation^2), U(-bound, bound), are `value`. */
void zoo_normal(const struct ftk__model *m, const char *tensor, double deviation);
void zoo_uniform(const struct ftk__model *m, const char *tensor, double bound);
void zoo_constant(const struct ftk__model *m, const char *tensor, float value);
#endif
