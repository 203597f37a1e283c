/* SPDX-License-Identifier: MIT
 * layout_members.h - every member of every public struct, in order, for test_layout.c.
 *
 * S(struct) opens a struct, M(struct, member) names a member.  A member that is missing
 * here shows as a hole in the layout.
 */
#ifndef TESTS_LAYOUT_MEMBERS_H
#define TESTS_LAYOUT_MEMBERS_H

#define LAYOUT_MEMBERS(S, M) \
    /* host.h */ \
    S(ftk_rng) \
    M(ftk_rng, key) M(ftk_rng, counter) \
    S(ftk_host) \
    M(ftk_host, size) M(ftk_host, abi_major) M(ftk_host, abi_minor) M(ftk_host, self) \
    M(ftk_host, fail) M(ftk_host, log) M(ftk_host, alloc) M(ftk_host, free) M(ftk_host, scratch) \
    M(ftk_host, rng_u64) M(ftk_host, rng_uniform) M(ftk_host, rng_normal) M(ftk_host, rng_below) \
    M(ftk_host, select_low) M(ftk_host, select_high) M(ftk_host, get_extension) \
    /* param.h */ \
    S(ftk_duration) \
    M(ftk_duration, value) M(ftk_duration, unit) M(ftk_duration, reserved) \
    S(ftk_f64s) \
    M(ftk_f64s, v) M(ftk_f64s, n) \
    S(ftk_durations) \
    M(ftk_durations, v) M(ftk_durations, n) \
    S(ftk_param) \
    M(ftk_param, name) M(ftk_param, help) M(ftk_param, unit) M(ftk_param, choices) \
    M(ftk_param, def_str) M(ftk_param, def) M(ftk_param, min) M(ftk_param, max) \
    M(ftk_param, type) M(ftk_param, flags) M(ftk_param, offset) M(ftk_param, reserved) \
    /* plugin.h */ \
    S(ftk_algo) \
    M(ftk_algo, size) M(ftk_algo, kind) M(ftk_algo, name) M(ftk_algo, summary) \
    M(ftk_algo, reference) M(ftk_algo, flags) M(ftk_algo, params_size) M(ftk_algo, param_stride) \
    M(ftk_algo, state_bytes) M(ftk_algo, params) M(ftk_algo, ops) M(ftk_algo, check) \
    M(ftk_algo, create) M(ftk_algo, destroy) M(ftk_algo, get_extension) \
    S(ftk_registry) \
    M(ftk_registry, size) M(ftk_registry, abi_major) M(ftk_registry, abi_minor) \
    M(ftk_registry, self) M(ftk_registry, add) \
    S(ftk_stamp) \
    M(ftk_stamp, magic) M(ftk_stamp, size) M(ftk_stamp, abi_major) M(ftk_stamp, abi_minor) \
    M(ftk_stamp, reserved) M(ftk_stamp, name) M(ftk_stamp, version) M(ftk_stamp, license) \
    M(ftk_stamp, built_with) \
    /* sparse.h */ \
    S(ftk_layer) \
    M(ftk_layer, size) M(ftk_layer, type) M(ftk_layer, index) M(ftk_layer, shape) \
    M(ftk_layer, n) M(ftk_layer, nnz) M(ftk_layer, role) M(ftk_layer, reserved) \
    M(ftk_layer, density_target) M(ftk_layer, name) \
    S(ftk_cand) \
    M(ftk_cand, size) M(ftk_cand, channels) M(ftk_cand, count) M(ftk_cand, index) \
    M(ftk_cand, weight) M(ftk_cand, grad) M(ftk_cand, momentum) M(ftk_cand, age) \
    M(ftk_cand, fired) \
    S(ftk_update) \
    M(ftk_update, size) M(ftk_update, member) M(ftk_update, step) M(ftk_update, nth) \
    M(ftk_update, rate) M(ftk_update, rng) M(ftk_update, state) \
    S(ftk_net) \
    M(ftk_net, size) M(ftk_net, n_layers) M(ftk_net, layers) M(ftk_net, impl) M(ftk_net, read) \
    S(ftk_edit) \
    M(ftk_edit, size) M(ftk_edit, n_layers) M(ftk_edit, budget) M(ftk_edit, impl) \
    M(ftk_edit, take) \
    S(ftk_prune_ops) \
    M(ftk_prune_ops, size) M(ftk_prune_ops, channels) M(ftk_prune_ops, count) \
    M(ftk_prune_ops, props) M(ftk_prune_ops, formula) M(ftk_prune_ops, reserved) \
    M(ftk_prune_ops, score) M(ftk_prune_ops, select) \
    S(ftk_grow_ops) \
    M(ftk_grow_ops, size) M(ftk_grow_ops, channels) M(ftk_grow_ops, count) \
    M(ftk_grow_ops, props) M(ftk_grow_ops, formula) M(ftk_grow_ops, reserved) \
    M(ftk_grow_ops, score) M(ftk_grow_ops, select) \
    S(ftk_allot_ops) \
    M(ftk_allot_ops, size) M(ftk_allot_ops, channels) M(ftk_allot_ops, allot) \
    S(ftk_init_ops) \
    M(ftk_init_ops, size) M(ftk_init_ops, channels) M(ftk_init_ops, density) \
    M(ftk_init_ops, select) \
    /* graph.h */ \
    S(ftk_node) \
    M(ftk_node, size) M(ftk_node, op) M(ftk_node, in) M(ftk_node, out_shape) M(ftk_node, kernel) \
    M(ftk_node, stride) M(ftk_node, pad) M(ftk_node, flags) M(ftk_node, scalar) \
    M(ftk_node, sparse) M(ftk_node, name) \
    S(ftk_sample) \
    M(ftk_sample, index) M(ftk_sample, dx) M(ftk_sample, dy) M(ftk_sample, flip) \
    M(ftk_sample, reserved) \
    S(ftk_batch) \
    M(ftk_batch, size) M(ftk_batch, count) M(ftk_batch, heads) M(ftk_batch, set) \
    M(ftk_batch, flags) M(ftk_batch, reserved) M(ftk_batch, x) M(ftk_batch, sample) \
    M(ftk_batch, y) M(ftk_batch, rng) \
    /* ensemble.h */ \
    S(ftk_lr) \
    M(ftk_lr, kind) M(ftk_lr, n_milestones) M(ftk_lr, base) M(ftk_lr, gamma) \
    M(ftk_lr, final_fraction) M(ftk_lr, warmup_epochs) M(ftk_lr, from_epoch) \
    M(ftk_lr, of_epochs) M(ftk_lr, milestones) \
    S(ftk_op) \
    M(ftk_op, size) M(ftk_op, code) M(ftk_op, flags) M(ftk_op, member) M(ftk_op, slot) \
    M(ftk_op, reserved) M(ftk_op, epochs) M(ftk_op, rate) M(ftk_op, density) \
    M(ftk_op, ramp_from) M(ftk_op, ramp_to) M(ftk_op, ramp_density) M(ftk_op, lr) \
    M(ftk_op, label) \
    S(ftk_result) \
    M(ftk_result, size) M(ftk_result, op) M(ftk_result, train_loss) M(ftk_result, val_loss) \
    M(ftk_result, val_accuracy) \
    S(ftk_history) \
    M(ftk_history, size) M(ftk_history, n) M(ftk_history, results) \
    S(ftk_run) \
    M(ftk_run, size) M(ftk_run, members) M(ftk_run, steps_per_epoch) M(ftk_run, reserved) \
    M(ftk_run, epochs) M(ftk_run, density) M(ftk_run, lr) \
    S(ftk_ensemble_ops) \
    M(ftk_ensemble_ops, size) M(ftk_ensemble_ops, flags) M(ftk_ensemble_ops, op) \
    /* metric.h */ \
    S(ftk_pred) \
    M(ftk_pred, size) M(ftk_pred, members) M(ftk_pred, classes) M(ftk_pred, count) \
    M(ftk_pred, ensemble) M(ftk_pred, member) M(ftk_pred, log_ensemble) M(ftk_pred, log_member) \
    M(ftk_pred, label) M(ftk_pred, group) \
    S(ftk_metric_value) \
    M(ftk_metric_value, name) M(ftk_metric_value, unit) M(ftk_metric_value, min) \
    M(ftk_metric_value, max) M(ftk_metric_value, better) M(ftk_metric_value, reserved) \
    S(ftk_metric_ops) \
    M(ftk_metric_ops, size) M(ftk_metric_ops, flags) M(ftk_metric_ops, n_values) \
    M(ftk_metric_ops, reserved) M(ftk_metric_ops, values) M(ftk_metric_ops, state_bytes) \
    M(ftk_metric_ops, add) M(ftk_metric_ops, merge) M(ftk_metric_ops, finish) \
    /* backend.h */ \
    S(ftk_device) \
    M(ftk_device, size) M(ftk_device, score) M(ftk_device, memory_free) M(ftk_device, caps) \
    M(ftk_device, reserved) M(ftk_device, name) M(ftk_device, reason) \
    S(ftk_build) \
    M(ftk_build, size) M(ftk_build, n_nodes) M(ftk_build, max_batch) M(ftk_build, optimiser) \
    M(ftk_build, channels) M(ftk_build, members) M(ftk_build, flags) M(ftk_build, nodes) \
    M(ftk_build, kernels) \
    S(ftk_hyper) \
    M(ftk_hyper, size) M(ftk_hyper, flags) M(ftk_hyper, step) M(ftk_hyper, lr) \
    M(ftk_hyper, momentum) M(ftk_hyper, beta2) M(ftk_hyper, eps) M(ftk_hyper, weight_decay) \
    S(ftk_stats) \
    M(ftk_stats, size) M(ftk_stats, bad_node) M(ftk_stats, bad_step) M(ftk_stats, samples) \
    M(ftk_stats, correct) M(ftk_stats, loss_sum) \
    S(ftk_change) \
    M(ftk_change, size) M(ftk_change, flags) M(ftk_change, drop) M(ftk_change, add) \
    M(ftk_change, n_drop) M(ftk_change, n_add) M(ftk_change, value) \
    S(ftk_tensor) \
    M(ftk_tensor, size) M(ftk_tensor, role) M(ftk_tensor, node) M(ftk_tensor, member) \
    M(ftk_tensor, n) \
    S(ftk_open) \
    M(ftk_open, size) M(ftk_open, device) M(ftk_open, threads) M(ftk_open, precision) \
    M(ftk_open, flags) M(ftk_open, reserved) M(ftk_open, isa) \
    S(ftk_backend_ops) \
    M(ftk_backend_ops, size) M(ftk_backend_ops, flags) M(ftk_backend_ops, probe) \
    M(ftk_backend_ops, open) M(ftk_backend_ops, close) M(ftk_backend_ops, supports) \
    M(ftk_backend_ops, compile) M(ftk_backend_ops, release) M(ftk_backend_ops, kernels) \
    M(ftk_backend_ops, bind) M(ftk_backend_ops, step) M(ftk_backend_ops, predict) \
    M(ftk_backend_ops, grad_input) M(ftk_backend_ops, sync) M(ftk_backend_ops, read_active) \
    M(ftk_backend_ops, read_inactive) M(ftk_backend_ops, edit) M(ftk_backend_ops, select) \
    M(ftk_backend_ops, tensor) M(ftk_backend_ops, get) M(ftk_backend_ops, put) \
    M(ftk_backend_ops, mask)

#endif
