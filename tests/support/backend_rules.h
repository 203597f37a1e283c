/* SPDX-License-Identifier: MIT
 * backend_rules.h - for tests of backends: what every backend must keep, as CMocka tests.
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

/* backend_rules_state.c: arrays, masks, edits, candidates. */
void rule_inactive_stays_zero(const struct bt_backend *backend, ftk_dev *dev);
void rule_read_lists_each_once(const struct bt_backend *backend, ftk_dev *dev);
void rule_edit_adds_and_drops(const struct bt_backend *backend, ftk_dev *dev);
void rule_edit_counts(const struct bt_backend *backend, ftk_dev *dev);
void rule_edit_refuses(const struct bt_backend *backend, ftk_dev *dev);
void rule_tensors_in_pieces(const struct bt_backend *backend, ftk_dev *dev);
void rule_mask_zeroes(const struct bt_backend *backend, ftk_dev *dev);
void rule_copy_goes_on(const struct bt_backend *backend, ftk_dev *dev);

/* backend_rules_stats.c: what is counted, and which node is called bad. */
void rule_stats(const struct bt_backend *backend, ftk_dev *dev);
void rule_first_wins(const struct bt_backend *backend, ftk_dev *dev);
void rule_bad_node(const struct bt_backend *backend, ftk_dev *dev);
void rule_bad_gradient(const struct bt_backend *backend, ftk_dev *dev);

/* backend_rules_step.c: what a step does and keeps. */
void rule_no_update(const struct bt_backend *backend, ftk_dev *dev);
void rule_keep_grad(const struct bt_backend *backend, ftk_dev *dev);
void rule_stats_only(const struct bt_backend *backend, ftk_dev *dev);
void rule_dense_momentum(const struct bt_backend *backend, ftk_dev *dev);
void rule_dropout_pattern(const struct bt_backend *backend, ftk_dev *dev);
void rule_grad_input_changes_nothing(const struct bt_backend *backend, ftk_dev *dev);
void rule_two_programs(const struct bt_backend *backend, ftk_dev *dev);

/* backend_rules_fail.c: refusals and lack of memory. */
void rule_refuses_graphs(const struct bt_backend *backend, ftk_dev *dev);
void rule_refuses_calls(const struct bt_backend *backend, ftk_dev *dev);
void rule_out_of_memory(const struct bt_backend *backend, ftk_dev *dev);

/* backend_rules_odd.c: what only odd sizes, orders and values bring out. */
void rule_reads_interleave(const struct bt_backend *backend, ftk_dev *dev);
void rule_nan_is_seen(const struct bt_backend *backend, ftk_dev *dev);
void rule_small_batch_stays_finite(const struct bt_backend *backend, ftk_dev *dev);
void rule_grad_input_evaluates(const struct bt_backend *backend, ftk_dev *dev);
#endif
