/* SPDX-License-Identifier: MIT
 * config/cfgschema.c - the tables, and what presets change in them.
 */
#include "config/cfgschema.h"
#include <string.h>

#define COUNT_MAX 9007199254740992.0 /* 2^53: every integer up to it is a double too */

static const char *const augments[] = { "none", "flip", "standard", NULL };
static const char *const pads[] = { "reflect", "zero", NULL };
const char *const ftk__preset_names[] = { "paper", "freetickets", "rigl", "itop", NULL };
static const char *const scopes[] = { "layer", "network", NULL };
static const char *const rate_schedules[] = { "constant", "cosine", NULL };
static const char *const countings[] = { "exact", "bernoulli", NULL };
static const char *const tie_rules[] = { "index", "threshold", NULL };
static const char *const roundings[] = { "ceil", "floor", "nearest", NULL };
static const char *const regrowths[] = { "allowed", "forbidden", NULL };
static const char *const grown_values[] = { "zero", "keep_if_regrown", NULL };
static const char *const grown_momenta[] = { "zero", "keep", NULL };
static const char *const inactive_momenta[] = { "zero", "accumulate", NULL };
static const char *const update_steps[] = { "after_optimizer", "replaces", NULL };
static const char *const dense_rules[] = { "exempt", "updated", NULL };
static const char *const escape_gradients[] = { "fresh", "last_batch", NULL };
static const char *const keeps[] = { "last", "best_validation", NULL };
static const char *const lr_schedules[] = { "step", "cosine", "constant", NULL };
static const char *const precisions[] = { "fp32", "tf32", "bf16", NULL };

const char *const ftk__eval_sets[] = { "test", "validation", NULL };
const char *const ftk__eval_protocols[] = { "paper", "ub", "standard", NULL };
const char *const ftk__normalise_names[] = { "cifar10",       "cifar100", "imagenet", "svhn",
                                             "fashion_mnist", "none",     NULL };

/* A parameter with flags: the public macros have none for numbers. */
#define FLAGGED(T, f, type_, def_, min_, max_, flags_, help_)                                      \
    {                                                                                              \
        .name = #f, .help = help_, .unit = "", .def = def_, .min = min_, .max = max_,              \
        .type = type_, .flags = flags_, .offset = (uint32_t)offsetof(T, f)                         \
    }
#define FLAGGED_DURATION(T, f, def_, min_, max_, flags_, help_)                                    \
    {                                                                                              \
        .name = #f, .help = help_, .unit = "duration", .def_str = def_, .min = min_, .max = max_,  \
        .type = FTK_P_DURATION, .flags = flags_, .offset = (uint32_t)offsetof(T, f)                \
    }

#define TOP struct ftk__top_section
static const ftk_param top_params[] = {
    FLAGGED(TOP, schema, FTK_P_I64, 1, 1, 1, FTK_PF_REQUIRED, "version of these keys"),
    FTK_PARAM_STR(TOP, name, "", 0, "what the run's folder is called; else the file's name"),
    FTK_PARAM_I64(TOP, seed, 17, 0, COUNT_MAX, "", "of every random number"),
    FLAGGED(TOP, epochs, FTK_P_F64, 0, 0, 1e6, FTK_PF_REQUIRED, "length of one dense run"),
    FTK_PARAM_STR(TOP, output, "runs", 0, "folder of run folders"),
    FTK_PARAM_END,
};

#define DATA struct ftk__data_section
static const ftk_param data_params[] = {
    FTK_PARAM_I64(DATA, validation, 0, 0, COUNT_MAX, "", "last training images held back"),
    FTK_PARAM_BOOL(DATA, validation_augmented, 0, "augment the validation images too"),
    FTK_PARAM_ENUM(DATA, augment, FTK__AUGMENT_NONE, augments, "crop and flip while training"),
    FTK_PARAM_ENUM(DATA, pad, FTK__PAD_REFLECT, pads, "what lies around an image to be cropped"),
    FTK_PARAM_I64(DATA, batch, 128, 1, 1e6, "", "images a step"),
    FTK_PARAM_I64(DATA, limit, 0, 0, COUNT_MAX, "", "first training images kept; 0 for all"),
    FTK_PARAM_END,
};
static const ftk_param data_place_params[] = {
    FTK_PARAM_STR(DATA, dir, "", FTK_PF_PATH, "folder of the files; else the standing places"),
    FTK_PARAM_END,
};

#define NORMALISE struct ftk__normalise_section
static const ftk_param normalise_params[] = {
    FTK_PARAM_F64S(NORMALISE, mean, "", -1e6, 1e6, "", "of each channel, of v / 255"),
    { "std", "of each channel, of v / 255", "", NULL, "", 0, 0, 1e6, FTK_P_F64S, FTK_PF_OPEN_MIN,
      (uint32_t)offsetof(NORMALISE, std), 0 },
    FTK_PARAM_END,
};

static const ftk_param model_params[] = {
    FTK_PARAM_STR(struct ftk__weights_section, weights, "", FTK_PF_PATH,
                  "weights to start from; %d is the member's number"),
    FTK_PARAM_END,
};

static const ftk_param sparsity_params[] = {
    FLAGGED(struct ftk__density_section, density, FTK_P_F64, 1, 0, 1, FTK_PF_OPEN_MIN,
            "share of the maskable weights that are active"),
    FTK_PARAM_END,
};
static const ftk_param layer_params[] = {
    FTK_PARAM_STR(struct ftk__layer_density, match, "", FTK_PF_REQUIRED, "a layer's name, * and ?"),
    FLAGGED(struct ftk__layer_density, density, FTK_P_F64, 0, 0, 1, FTK_PF_REQUIRED,
            "share of its weights that are active"),
    FTK_PARAM_END,
};

#define TOPOLOGY struct ftk__topology_options
static const ftk_param topology_params[] = {
    FTK_PARAM_BOOL(TOPOLOGY, enabled, 1, "false: updates and escapes change nothing"),
    FTK_PARAM_ENUM(TOPOLOGY, preset, FTK__PRESET_PAPER, ftk__preset_names,
                   "the codebase whose silent choices are the defaults"),
    FTK_PARAM_ENUM(TOPOLOGY, scope, FTK__SCOPE_LAYER, scopes, "where candidates compete"),
    FTK_PARAM_F64(TOPOLOGY, rate, 0.5, 0, 1, "fraction", "active weights replaced per update"),
    FTK_PARAM_F64(TOPOLOGY, rate_min, 0, 0, 1, "fraction", "where the cosine schedule ends"),
    FTK_PARAM_ENUM(TOPOLOGY, schedule, FTK__RATE_CONSTANT, rate_schedules, "of the rate"),
    FLAGGED_DURATION(TOPOLOGY, interval, "1000it", 0, 1e12, FTK_PF_OPEN_MIN, "between two updates"),
    FTK_PARAM_DURATION(TOPOLOGY, stop, "1.0x", 0, 1e12, "no update later in a TRAIN"),
    FTK_PARAM_BOOL(TOPOLOGY, quiet_end, 1, "no update in the last interval before a save"),
    FTK_PARAM_BOOL(TOPOLOGY, strict, 1, "refuse rules that choose their own count"),
    FTK_PARAM_ENUM(TOPOLOGY, count, FTK__COUNTING_EXACT, countings, "of masks and random growth"),
    FTK_PARAM_ENUM(TOPOLOGY, regrow, FTK__REGROW_ALLOWED, regrowths, "of what was just dropped"),
    FTK_PARAM_ENUM(TOPOLOGY, grown_value, FTK__GROWN_ZERO, grown_values, "value of a new weight"),
    FTK_PARAM_ENUM(TOPOLOGY, grown_momentum, FTK__MOMENTUM_ZERO, grown_momenta,
                   "momentum of a new weight"),
    FTK_PARAM_ENUM(TOPOLOGY, inactive_momentum, FTK__INACTIVE_ZERO, inactive_momenta,
                   "momentum of inactive weights"),
    FTK_PARAM_ENUM(TOPOLOGY, update_step, FTK__UPDATE_AFTER_OPTIMIZER, update_steps,
                   "whether an update follows a step or replaces it"),
    FTK_PARAM_ENUM(TOPOLOGY, ties, FTK__TIES_INDEX, tie_rules, "which of equal scores are dropped"),
    FTK_PARAM_ENUM(TOPOLOGY, round, FTK__ROUND_CEIL, roundings, "of the number to replace"),
    FTK_PARAM_ENUM(TOPOLOGY, dense_layers, FTK__DENSE_EXEMPT, dense_rules,
                   "whether layers of density 1 are updated"),
    FTK_PARAM_ENUM(TOPOLOGY, escape_gradient, FTK__ESCAPE_FRESH, escape_gradients,
                   "the batch whose gradient grows an escape"),
    FTK_PARAM_END,
};

#define ENSEMBLE struct ftk__ensemble_section
static const ftk_param ensemble_params[] = {
    FTK_PARAM_I64(ENSEMBLE, members, 1, 1, 1000, "", "networks of the ensemble"),
    FTK_PARAM_ENUM(ENSEMBLE, keep, FTK__KEEP_LAST, keeps, "the state of a phase that is saved"),
    FTK_PARAM_END,
};

#define OPTIM struct ftk__optim_section
static const ftk_param optim_params[] = {
    FTK_PARAM_F64(OPTIM, lr, 0.1, 0, 1000, "", "learning rate"),
    FTK_PARAM_ENUM(OPTIM, schedule, FTK__LR_STEP, lr_schedules, "of the learning rate"),
    FTK_PARAM_DURATIONS(OPTIM, milestones, "0.5 0.75", 0, 1e12, "where the rate is cut"),
    FTK_PARAM_F64(OPTIM, gamma, 0.1, 0, 10, "", "factor of the rate at a milestone"),
    FTK_PARAM_DURATION(OPTIM, warmup, "0ep", 0, 1e12, "linear rise of the rate at the start"),
    FLAGGED(OPTIM, momentum, FTK_P_F64, 0.9, 0, 1, FTK_PF_OPEN_MAX, "Adam's beta1 too"),
    FTK_PARAM_BOOL(OPTIM, nesterov, 0, "look ahead by the momentum"),
    FTK_PARAM_F64(OPTIM, weight_decay, 5e-4, 0, 10, "", "times the weight, added to the gradient"),
    FTK_PARAM_BOOL(OPTIM, decay_bn, 1, "of batch norm's weights and biases too"),
    FTK_PARAM_BOOL(OPTIM, decay_bias, 1, "of biases too"),
    FLAGGED(OPTIM, label_smoothing, FTK_P_F64, 0, 0, 1, FTK_PF_OPEN_MAX,
            "share of the target spread over all classes"),
    FLAGGED(OPTIM, beta2, FTK_P_F64, 0.999, 0, 1, FTK_PF_OPEN_MAX, "Adam's"),
    FLAGGED(OPTIM, eps, FTK_P_F64, 1e-8, 0, 1, FTK_PF_OPEN_MIN, "Adam's"),
    FTK_PARAM_END,
};

#define EVAL struct ftk__eval_section
static const ftk_param eval_params[] = {
    FTK_PARAM_I64(EVAL, limit, 0, 0, COUNT_MAX, "", "first images of each set; 0 for all"),
    FTK_PARAM_STR(EVAL, trajectory, "", 0, "a duration: how often to keep a snapshot"),
    FTK_PARAM_END,
};

#define BACKEND struct ftk__backend_section
static const ftk_param backend_params[] = {
    FTK_PARAM_ENUM(BACKEND, precision, FTK__PRECISION_FP32, precisions, "of products and sums"),
    FTK_PARAM_END,
};
static const ftk_param backend_place_params[] = {
    FTK_PARAM_I64(BACKEND, threads, 0, 0, 1024, "", "0 for all"),
    FTK_PARAM_STR(BACKEND, isa, "auto", 0, "instruction set of the kernels"),
    FTK_PARAM_BOOL(BACKEND, tune, 0, "choose kernels by measuring"),
    FTK_PARAM_END,
};

static const char *const no_extra[] = { NULL };
static const char *const top_extra[] = { "plugins",  "data",     "model", "sparsity",
                                         "topology", "ensemble", "optim", "eval",
                                         "metrics",  "backend",  NULL };
static const char *const use_extra[] = { "use", NULL };
static const char *const data_extra[] = { "use", "normalise", NULL };
static const char *const sparsity_extra[] = { "init", "dense", "layers", NULL };
static const char *const topology_extra[] = { "prune", "grow", "allot", NULL };
static const char *const eval_extra[] = { "on", "protocol", NULL };

#define SECTION(params, T, extra)                                                                  \
    {                                                                                              \
        { params, sizeof(ftk_param), sizeof(T) }, extra                                            \
    }
static const struct section {
    struct ftk__param_table table;
    const char *const *extra;
} sections[] = {
    [FTK__TABLE_TOP] = SECTION(top_params, TOP, top_extra),
    [FTK__TABLE_DATA] = SECTION(data_params, DATA, data_extra),
    [FTK__TABLE_DATA_PLACE] = SECTION(data_place_params, DATA, no_extra),
    [FTK__TABLE_NORMALISE] = SECTION(normalise_params, NORMALISE, no_extra),
    [FTK__TABLE_MODEL] = SECTION(model_params, struct ftk__weights_section, use_extra),
    [FTK__TABLE_SPARSITY] = SECTION(sparsity_params, struct ftk__density_section, sparsity_extra),
    [FTK__TABLE_LAYER] = SECTION(layer_params, struct ftk__layer_density, no_extra),
    [FTK__TABLE_TOPOLOGY] = SECTION(topology_params, TOPOLOGY, topology_extra),
    [FTK__TABLE_ENSEMBLE] = SECTION(ensemble_params, ENSEMBLE, use_extra),
    [FTK__TABLE_OPTIM] = SECTION(optim_params, OPTIM, use_extra),
    [FTK__TABLE_EVAL] = SECTION(eval_params, EVAL, eval_extra),
    [FTK__TABLE_BACKEND] = SECTION(backend_params, BACKEND, use_extra),
    [FTK__TABLE_BACKEND_PLACE] = SECTION(backend_place_params, BACKEND, no_extra),
};

struct ftk__param_table ftk__schema_table(enum ftk__table_id id)
{
    return sections[id].table;
}

const char *const *ftk__schema_extra(enum ftk__table_id id)
{
    return sections[id].extra;
}

/* interface.md 1, the table of presets, where it differs from the first column. */
static const struct change {
    enum ftk__preset preset;
    enum ftk__table_id table;
    const char *name;
    double def;
    const char *def_str;
} changes[] = {
    { FTK__PRESET_FREETICKETS, FTK__TABLE_TOPOLOGY, "count", FTK__COUNTING_BERNOULLI, NULL },
    { FTK__PRESET_FREETICKETS, FTK__TABLE_TOPOLOGY, "ties", FTK__TIES_THRESHOLD, NULL },
    { FTK__PRESET_FREETICKETS, FTK__TABLE_TOPOLOGY, "grown_momentum", FTK__MOMENTUM_KEEP, NULL },
    { FTK__PRESET_FREETICKETS, FTK__TABLE_TOPOLOGY, "inactive_momentum", FTK__INACTIVE_ACCUMULATE,
      NULL },
    { FTK__PRESET_FREETICKETS, FTK__TABLE_TOPOLOGY, "dense_layers", FTK__DENSE_UPDATED, NULL },
    { FTK__PRESET_FREETICKETS, FTK__TABLE_TOPOLOGY, "quiet_end", 0, NULL },
    { FTK__PRESET_FREETICKETS, FTK__TABLE_TOPOLOGY, "escape_gradient", FTK__ESCAPE_LAST_BATCH,
      NULL },
    { FTK__PRESET_FREETICKETS, FTK__TABLE_ENSEMBLE, "keep", FTK__KEEP_BEST_VALIDATION, NULL },
    { FTK__PRESET_FREETICKETS, FTK__TABLE_DATA, "validation_augmented", 1, NULL },

    { FTK__PRESET_RIGL, FTK__TABLE_TOPOLOGY, "round", FTK__ROUND_FLOOR, NULL },
    { FTK__PRESET_RIGL, FTK__TABLE_TOPOLOGY, "grown_value", FTK__GROWN_KEEP_IF_REGROWN, NULL },
    { FTK__PRESET_RIGL, FTK__TABLE_TOPOLOGY, "update_step", FTK__UPDATE_REPLACES, NULL },
    { FTK__PRESET_RIGL, FTK__TABLE_TOPOLOGY, "schedule", FTK__RATE_COSINE, NULL },
    { FTK__PRESET_RIGL, FTK__TABLE_TOPOLOGY, "stop", 0, "0.75x" },
    { FTK__PRESET_RIGL, FTK__TABLE_OPTIM, "nesterov", 1, NULL },

    { FTK__PRESET_ITOP, FTK__TABLE_TOPOLOGY, "count", FTK__COUNTING_BERNOULLI, NULL },
    { FTK__PRESET_ITOP, FTK__TABLE_TOPOLOGY, "ties", FTK__TIES_THRESHOLD, NULL },
    { FTK__PRESET_ITOP, FTK__TABLE_TOPOLOGY, "grown_value", FTK__GROWN_KEEP_IF_REGROWN, NULL },
    { FTK__PRESET_ITOP, FTK__TABLE_TOPOLOGY, "dense_layers", FTK__DENSE_UPDATED, NULL },
    { FTK__PRESET_ITOP, FTK__TABLE_TOPOLOGY, "schedule", FTK__RATE_COSINE, NULL },
    { FTK__PRESET_ITOP, FTK__TABLE_TOPOLOGY, "rate_min", 0.005, NULL },
    { FTK__PRESET_ITOP, FTK__TABLE_TOPOLOGY, "quiet_end", 0, NULL },
    { FTK__PRESET_ITOP, FTK__TABLE_OPTIM, "nesterov", 1, NULL },
};
enum { N_CHANGES = sizeof changes / sizeof changes[0] };

static void change_default(ftk_param *params, const char *name, double def, const char *def_str)
{
    for (ftk_param *p = params; p->name; p++) {
        if (strcmp(p->name, name) != 0)
            continue;
        p->def = def;
        if (def_str)
            p->def_str = def_str;
    }
}

struct ftk__param_table ftk__schema_preset(enum ftk__table_id id,
                                           const struct ftk__schema_defaults *d,
                                           ftk_param room[FTK__TABLE_ROOM])
{
    _Static_assert(sizeof topology_params <= FTK__TABLE_ROOM * sizeof(ftk_param), "room");
    struct ftk__param_table t = sections[id].table;
    uint32_t n = 0;
    while (ftk__param_at(&t, n))
        n++;
    memcpy(room, t.params, (n + 1) * sizeof *room);
    for (unsigned i = 0; i < N_CHANGES; i++) {
        if (changes[i].preset == d->preset && changes[i].table == id)
            change_default(room, changes[i].name, changes[i].def, changes[i].def_str);
    }
    if (id == FTK__TABLE_DATA && d->pad_zero)
        change_default(room, "pad", FTK__PAD_ZERO, NULL);
    t.params = room;
    return t;
}

/* The groups that hold a `use`: which tables are the core's, and the default. */
static const struct owner {
    const char *path;
    const char *default_use;
    int table[2]; /* of enum ftk__table_id; -1: none */
} owners[] = {
    { "data", NULL, { FTK__TABLE_DATA, FTK__TABLE_DATA_PLACE } },
    { "model", NULL, { FTK__TABLE_MODEL, -1 } },
    { "sparsity.init", "erk", { -1, -1 } },
    { "topology.prune", "magnitude", { -1, -1 } },
    { "topology.grow", "gradient", { -1, -1 } },
    { "topology.allot", "none", { -1, -1 } },
    { "ensemble", NULL, { FTK__TABLE_ENSEMBLE, -1 } },
    { "optim", "sgd", { FTK__TABLE_OPTIM, -1 } },
    { "backend", "auto", { FTK__TABLE_BACKEND, FTK__TABLE_BACKEND_PLACE } },
};
enum { N_OWNERS = sizeof owners / sizeof owners[0] };

static const struct owner *owner_of(const char *path)
{
    for (unsigned i = 0; i < N_OWNERS; i++) {
        if (strcmp(owners[i].path, path) == 0)
            return &owners[i];
    }
    return NULL;
}

static bool table_owns(int id, const char *key)
{
    if (id < 0)
        return false;
    for (const char *const *extra = sections[id].extra; *extra; extra++) {
        if (strcmp(*extra, key) == 0)
            return true;
    }
    return ftk__param_named(&sections[id].table, key) != NULL;
}

bool ftk__schema_owns(const char *path, const char *key)
{
    const struct owner *o = owner_of(path);
    return !o || table_owns(o->table[0], key) || table_owns(o->table[1], key);
}

const char *ftk__schema_default_use(const char *path)
{
    const struct owner *o = owner_of(path);
    return o ? o->default_use : NULL;
}
