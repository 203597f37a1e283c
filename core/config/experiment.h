/* SPDX-License-Identifier: MIT
 * config/experiment.h - an experiment, checked and resolved: every default taken, every name found.
 *
 * Section structs are filled by the parameter engine, so their fields have its types: int32_t for
 * bool and enum, int64_t, double, const char *, ftk_duration, lists.  All memory is the
 * experiment's arena.
 */
#ifndef FTK__EXPERIMENT_H
#define FTK__EXPERIMENT_H
#include "base/builtin.h"
#include "base/setting.h"
#include "base/topology_options.h"
#include "plugin/host_table.h"

struct ftk__algo_use {              /* a `{ use = "..."; ... }` group of a plugin's */
    const struct ftk__entry *entry; /* NULL only for backend "auto" */
    void *params;                   /* filled; NULL where the algorithm has none */
    const char *use;                /* as asked for: "name" or "plugin:name" */
};
struct ftk__builtin_use {
    const struct ftk__builtin *builtin;
    void *params;
};

enum ftk__augment { FTK__AUGMENT_NONE, FTK__AUGMENT_FLIP, FTK__AUGMENT_STANDARD };
enum ftk__pad { FTK__PAD_REFLECT, FTK__PAD_ZERO };
struct ftk__data_section {
    const char *dir;       /* resolved; "" : the standing places */
    const char *normalise; /* "cifar10", ... or "" where mean, std are given */
    int64_t validation, batch, limit;
    int32_t validation_augmented, augment, pad;
    ftk_f64s mean, std; // [channels], or n = 0 for none
};
struct ftk__layer_density {
    const char *match; /* a name glob */
    double density;
};
struct ftk__sparsity_section {
    double density;           /* 0 where absent */
    const char *const *dense; // [n_dense] name globs
    uint64_t n_dense;
    const struct ftk__layer_density *layers; // [n_layers]
    uint64_t n_layers;
};
enum ftk__keep { FTK__KEEP_LAST, FTK__KEEP_BEST_VALIDATION };
enum ftk__lr_schedule { FTK__LR_STEP, FTK__LR_COSINE, FTK__LR_CONSTANT };
struct ftk__optim_section {
    double lr, gamma, momentum, weight_decay, label_smoothing, beta2, eps;
    int32_t schedule, nesterov, decay_bn, decay_bias;
    ftk_durations milestones; /* numbers: fractions of the TRAIN */
    ftk_duration warmup;
};
struct ftk__eval_section {
    const char *const *on; // [n_on]
    uint64_t n_on;
    const char *const *protocol; // [n_protocol]
    uint64_t n_protocol;
    int64_t limit;
    const char *trajectory; /* a duration, "" for none */
};
enum ftk__precision { FTK__PRECISION_FP32, FTK__PRECISION_TF32, FTK__PRECISION_BF16 };
struct ftk__backend_section {
    const char *use; /* "auto" or a name */
    const char *isa;
    int64_t threads;
    int32_t precision, tune;
};

struct ftk__experiment {
    struct ftk__arena arena;
    const char *file; /* as given */
    const char *name;
    const char *output; /* relative to the working directory */
    int64_t seed;
    double epochs;
    const char *const *plugins; // [n_plugins] folders or files, resolved
    uint64_t n_plugins;

    struct ftk__builtin_use data_set, model, optimiser;
    struct ftk__data_section data;
    const char *weights; /* model.weights, "" for fresh */
    struct ftk__sparsity_section sparsity;
    struct ftk__algo_use init, prune, grow, allot;
    const struct ftk__builtin *init_builtin; /* what `init` is where it is built in; else NULL */
    struct ftk__topology_options topology;
    struct ftk__algo_use strategy;
    int64_t members;
    int32_t keep; /* enum ftk__keep */
    struct ftk__optim_section optim;
    struct ftk__eval_section eval;
    const struct ftk__algo_use *metrics; // [n_metrics]
    uint64_t n_metrics;
    struct ftk__backend_section backend;
    struct ftk__algo_use engine;     /* entry NULL for "auto" */
    const char *source;              /* the text as read, includes spliced in */
    const struct ftk__setting *tree; /* what was given, `-s` included: for places in messages */
};
#endif
