/* SPDX-License-Identifier: MIT
 * golden_case.h - for tests of backends: one network whose arrays PyTorch has written down.
 *
 * tests/golden/make_ops.py says what is in a file.  Whatever goes wrong in here, and every array
 * that is too far off, fails the running CMocka test and names the array.
 */
#ifndef TESTS_GOLDEN_CASE_H
#define TESTS_GOLDEN_CASE_H
#include "graph_case.h"

/* $FTK_TEST_GOLDEN/ops/<name>.safetensors on a device: logits, input gradient, gradients of the
 * first step, losses, and weights, biases, statistics, velocities and logits after the last
 * step; all within `tolerance` as array_close() takes it.                                */
void golden_check(const struct bt_backend *backend, ftk_dev *dev, const char *name,
                  double tolerance);

/* The names of all files, NULL-terminated. */
extern const char *const golden_names[];
#endif
