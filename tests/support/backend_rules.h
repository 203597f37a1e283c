/* SPDX-License-Identifier: MIT
 * backend_rules.h - for tests of backends: what ours keep beyond the rules of the conformance kit.
 *
 * Each function is one rule; `backend` is loaded, `dev` open.  A broken rule fails the running
 * test.
 */
#ifndef TESTS_BACKEND_RULES_H
#define TESTS_BACKEND_RULES_H
#include "graph_case.h"

typedef void (*backend_rule_fn)(const struct bt_backend *backend, ftk_dev *dev);

/* The network of the rules: convolutions, batch norm, pooling, dropout, three sparse layers and
 * a dense one; smaller where `random` is false: no dropout and no batch norm.         */
void rules_net(struct graph_case *g, bool random);

/* backend_rules_stats.c: what is counted, and which node is called bad. */
void rule_first_wins(const struct bt_backend *backend, ftk_dev *dev);
void rule_bad_gradient(const struct bt_backend *backend, ftk_dev *dev);

/* backend_rules_fail.c: refusals and lack of memory. */
void rule_refuses_graphs(const struct bt_backend *backend, ftk_dev *dev);
void rule_refuses_calls(const struct bt_backend *backend, ftk_dev *dev);

/* backend_rules_odd.c: what only odd sizes, orders and values bring out. */
void rule_nan_is_seen(const struct bt_backend *backend, ftk_dev *dev);
void rule_small_batch_stays_finite(const struct bt_backend *backend, ftk_dev *dev);
#endif
