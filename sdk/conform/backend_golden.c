/* SPDX-License-Identifier: MIT
 * conform/backend_golden.c - a backend against PyTorch's arrays.
 */
#include "conform/backend_golden.h"
#include "base/path.h"
#include <math.h>
#include <string.h>

static const double tolerance = 1e-5;

const char *const ftk__bk_golden_names[] = {
    "adam",
    "adam_masked",
    "adamw",
    "adamw_masked",
    "add",
    "avgpool",
    "avgpool_global",
    "concat",
    "conv_point",
    "conv_rectangle",
    "conv_whole",
    "conv_wide_pad",
    "dropout",
    "linear",
    "maxpool",
    "maxpool_gaps",
    "norm_conv",
    "norm_linear",
    "pad_channels",
    "sgd_dense_momentum",
    "sgd_masked",
    "sgd_masked_nesterov",
    "sgd_momentum",
    "sgd_nesterov",
    "shared",
    "xent_smoothing",
    NULL,
};

/* The numbers of `run`, and of `adam`. */
enum { RUN_LR, RUN_MOMENTUM, RUN_DECAY, RUN_NESTEROV, RUN_DENSE, RUN_KEY0, RUN_KEY1 };
enum { ADAM_OPTIMISER, ADAM_BETA2, ADAM_EPS };
enum { NODE_NUMBERS = 14, STEP_KEYS = 100 };

/* A file of the kit that is not as it was written is the kit's own failure. */
static const void *array(const struct ftk__bk_golden *c, const char *name, enum ftk__dtype type,
                         uint64_t *ret_n)
{
    const struct ftk__st_array *a = ftk__st_find(&c->file, name);
    if (!a || a->dtype != type)
        ftk__kit_broken("conform/ops/%s: no array '%s' of the right type", c->name, name);
    if (ret_n)
        *ret_n = ftk__st_count(a);
    return a->data;
}

/* "<when>.<node>.<role>", e.g. start.3.weight; NULL if there is none. */
static const float *node_array(const struct ftk__bk_golden *c, const char *when, uint32_t node,
                               const char *role, uint64_t *ret_n)
{
    char name[64];
    ftk__format(name, sizeof(name), "%s.%u.%s", when, node, role);
    return ftk__st_find(&c->file, name) ? array(c, name, FTK__F32, ret_n) : NULL;
}

static void read_graph(struct ftk__bk_golden *c)
{
    uint64_t numbers = 0;
    const int32_t *row = array(c, "nodes", FTK__I32, &numbers);
    const float *scalar = array(c, "scalars", FTK__F32, NULL);
    struct ftk__bk_graph *g = &c->g;
    g->n_nodes = (uint32_t)(numbers / NODE_NUMBERS);
    if (g->n_nodes > FTK__BK_NODES)
        ftk__kit_broken("conform/ops/%s: %u nodes", c->name, g->n_nodes);
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        uint32_t v[NODE_NUMBERS];
        for (uint32_t k = 0; k < NODE_NUMBERS; k++)
            v[k] = (uint32_t)row[NODE_NUMBERS * i + k];
        ftk__format(g->name[i], sizeof(g->name[i]), "node%u", i);
        g->node[i] = (ftk_node){
            .size = sizeof(ftk_node),
            .op = v[0],
            .in = { v[1], v[2] },
            .out_shape = { v[3], v[4], v[5] },
            .kernel = { v[6], v[7] },
            .stride = { v[8], v[9] },
            .pad = { v[10], v[11] },
            .flags = v[12],
            .scalar = { scalar[2 * i], scalar[2 * i + 1] },
            .sparse = v[13],
            .name = g->name[i],
        };
        g->list[i] = &g->node[i];
        g->n_sparse += v[13];
    }
}

static char *join(char *dir, const char *name)
{
    char *path = dir ? ftk__path_join(dir, name) : NULL;
    ftk__free(dir);
    if (!path)
        ftk__kit_broken("no memory for a path");
    return path;
}

void ftk__bk_golden_open(struct ftk__bk *bk, const char *name, struct ftk__bk_golden *ret)
{
    char file[64];
    struct ftk_error err;
    struct ftk__bk_golden *c = ret;
    *c = (struct ftk__bk_golden){ .bk = bk, .name = name };
    ftk__format(file, sizeof(file), "%s.safetensors", name);
    char *exe = ftk__path_real("/proc/self/exe");
    char *bin = exe ? ftk__path_dir(exe) : NULL;
    char *path = join(join(bin, "../share/freetickets/conform/ops"), file);
    ftk__free(exe);
    if (ftk__st_open(path, &c->file, &err) < 0)
        ftk__kit_skip(bk->c, "PyTorch's arrays are not there: %s", err.message);
    ftk__free(path);
    read_graph(c);
    c->run = array(c, "run", FTK__F64, NULL);
    c->adam = ftk__st_find(&c->file, "adam") ? array(c, "adam", FTK__F64, NULL) : NULL;
    c->counts = array(c, "counts", FTK__I32, &c->steps);
    for (uint64_t i = 0; i < c->steps; i++) {
        uint32_t count = (uint32_t)c->counts[i];
        c->max_batch = count > c->max_batch ? count : c->max_batch;
    }
}

void ftk__bk_golden_close(struct ftk__bk_golden *c)
{
    ftk__st_close(&c->file);
}

static void compare(const struct ftk__bk_golden *c, const char *what, const float *a,
                    const float *b, uint64_t n)
{
    char text[96];
    ftk__format(text, sizeof(text), "PyTorch's %s, %s", c->name, what);
    ftk__bk_close_to(c->bk, text, a, b, n, tolerance);
}

/* ---- states ------------------------------------------------------------------------------------ */

static const struct {
    uint32_t role;
    const char *name;
} roles[] = { { FTK_TENSOR_WEIGHT, "weight" },
              { FTK_TENSOR_BIAS, "bias" },
              { FTK_TENSOR_BN_MEAN, "mean" },
              { FTK_TENSOR_BN_VAR, "var" } };
enum { ROLES = sizeof(roles) / sizeof(roles[0]), ROLES_TRAINED = 2 };

/* Mask of a sparse node, NULL if it is dense. */
static const uint8_t *mask_of(const struct ftk__bk_golden *c, uint32_t node)
{
    char name[64];
    ftk__format(name, sizeof(name), "mask.%u", node);
    return c->g.node[node].sparse ? array(c, name, FTK__U8, NULL) : NULL;
}

/* A copy of v[0..n) without its inactive entries. */
static float *compact(const struct ftk__bk_golden *c, const uint8_t *mask, const float *v,
                      uint64_t n, uint64_t *ret_n)
{
    float *few = ftk__kit_alloc(c->bk->c, n, sizeof(*few));
    *ret_n = 0;
    for (uint64_t i = 0; i < n; i++)
        if (!mask || mask[i] != 0)
            few[(*ret_n)++] = v[i];
    return few;
}

static void put_mask(const struct ftk__bk_golden *c, ftk_prog *p, uint32_t node)
{
    uint64_t n = ftk__bk_weights(&c->g, node);
    const uint8_t *mask = mask_of(c, node);
    uint64_t *active = ftk__kit_alloc(c->bk->c, n, sizeof(*active));
    uint64_t nnz = 0;
    for (uint64_t i = 0; i < n; i++)
        if (mask[i] != 0)
            active[nnz++] = i;
    FTK__MUST(c->bk, mask, p, ftk__bk_layer(&c->g, node), active, nnz);
}

/* NULL where the optimiser is not supported; SGD must be. */
static ftk_prog *compile(const struct ftk__bk_golden *c)
{
    uint32_t flags = c->run[RUN_DENSE] != 0.0 ? FTK_BUILD_DENSE_MOMENTUM : 0;
    if (!c->adam)
        return ftk__bk_compile(c->bk, &c->g, c->max_batch, flags);
    ftk_build b = ftk__bk_build(&c->g, c->max_batch, flags);
    b.optimiser = (uint32_t)c->adam[ADAM_OPTIMISER];
    ftk_prog *p = NULL;
    ftk_status st = FTK__TRY(c->bk, compile, c->bk->dev, &b, &p);
    return ftk__bk_not_supported(c->bk, "compile", st, true) ? NULL : p;
}

/* Moments are 0 before the first step; a mask() that leaves others behind fails its own rule. */
static void clear_moments(const struct ftk__bk_golden *c, ftk_prog *p)
{
    struct ftk__bk_snap s;
    ftk__bk_snap(c->bk, p, &c->g, 1, &s);
    for (uint32_t i = 0; i < s.n; i++) {
        const struct ftk__bk_array *a = &s.array[i];
        if ((a->role & (FTK_TENSOR_MOMENT1 | FTK_TENSOR_MOMENT2)) == 0)
            continue;
        const float *zeros = ftk__kit_alloc(c->bk->c, a->n, sizeof(*zeros));
        ftk__bk_put(c->bk, p, &c->g, a->node, a->role, zeros, a->n);
    }
}

/* A new program in the state before the first step; NULL as compile() says. */
static ftk_prog *start(const struct ftk__bk_golden *c)
{
    ftk_prog *p = compile(c);
    for (uint32_t node = 0; p && node < c->g.n_nodes; node++) {
        if (c->g.node[node].sparse)
            put_mask(c, p, node);
        for (uint32_t r = 0; r < ROLES; r++) {
            uint64_t n = 0;
            uint64_t few = 0;
            const float *v = node_array(c, "start", node, roles[r].name, &n);
            if (!v)
                continue;
            const float *put = compact(c, r == 0 ? mask_of(c, node) : NULL, v, n, &few);
            ftk__bk_put(c->bk, p, &c->g, node, roles[r].role, put, few);
        }
    }
    if (p)
        clear_moments(c, p);
    return p;
}

/* Samples of a step. */
static ftk_batch batch_of(const struct ftk__bk_golden *c, uint64_t step)
{
    uint64_t first = 0;
    for (uint64_t i = 0; i < step; i++)
        first += (uint64_t)c->counts[i];
    const float *x = array(c, "x", FTK__F32, NULL);
    const int32_t *y = array(c, "y", FTK__I32, NULL);
    uint64_t key1 = (uint64_t)c->run[RUN_KEY1] + STEP_KEYS * step;
    return (ftk_batch){
        .size = sizeof(ftk_batch),
        .count = (uint32_t)c->counts[step],
        .heads = 1,
        .x = x + first * ftk__bk_floats(&c->g.node[0]),
        .y = y + first,
        .rng = { .key = { (uint64_t)c->run[RUN_KEY0], key1 } },
    };
}

/* ---- what is compared -------------------------------------------------------------------------- */

static void check_logits(struct ftk__bk_golden *c, ftk_prog *p, const char *logits)
{
    const ftk_batch b = batch_of(c, 0);
    const ftk_batch *const list[1] = { &b };
    uint64_t n = 0;
    const float *want = array(c, logits, FTK__F32, &n);
    float *got = ftk__kit_alloc(c->bk->c, n, sizeof(*got));
    FTK__MUST(c->bk, predict, p, list, got);
    compare(c, logits, got, want, n);
}

static void step_once(struct ftk__bk_golden *c, ftk_prog *p, uint64_t step, const ftk_hyper *hy)
{
    const ftk_batch b = batch_of(c, step);
    const ftk_batch *const list[1] = { &b };
    const double *loss = array(c, "loss", FTK__F64, NULL);
    FTK__MUST(c->bk, step, p, list, hy);
    ftk_stats stats = ftk__bk_sync(c->bk, p);
    ftk__kit_expect(c->bk->c, fabs(stats.loss_sum - loss[step]) <= tolerance * fabs(loss[step]),
                    "PyTorch's %s: loss %.9g of step %u, %.9g was due", c->name, stats.loss_sum,
                    (unsigned)step + 1, loss[step]);
}

void ftk__bk_golden_forward(struct ftk__bk_golden *c)
{
    const ftk_hyper hy = ftk__bk_hyper(0.0, 0.0, 0.0, 0);
    ftk_prog *p = start(c);
    if (!p)
        return;
    check_logits(c, p, "logits");
    step_once(c, p, 0, &hy);
    c->bk->ops->release(p);
}

/* After a first step without momentum and decay the velocity is the gradient; of inactive weights
 * only a kept gradient tells. */
void ftk__bk_golden_gradients(struct ftk__bk_golden *c)
{
    ftk_prog *p = start(c);
    const ftk_hyper hy = ftk__bk_hyper(0.0, 0.0, 0.0, FTK_STEP_KEEP_GRAD);
    if (!p)
        return;
    step_once(c, p, 0, &hy);
    for (uint32_t i = 0; i < c->g.n_nodes * ROLES_TRAINED; i++) {
        uint32_t node = i / ROLES_TRAINED;
        uint32_t r = i % ROLES_TRAINED;
        uint64_t n = 0;
        uint64_t have = 0;
        const float *want = node_array(c, "grad", node, roles[r].name, &n);
        if (!want)
            continue;
        bool sparse = r == 0 && c->g.node[node].sparse != 0;
        const float *got =
            sparse ? ftk__bk_gradient(c->bk, p, &c->g, ftk__bk_layer(&c->g, node))
                   : ftk__bk_get(c->bk, p, &c->g, node, FTK_TENSOR_MOMENT1 | roles[r].role, &have);
        ftk__kit_expect(c->bk->c, sparse || have == n, "PyTorch's %s: %llu floats, %llu were due",
                        c->name, (unsigned long long)have, (unsigned long long)n);
        char what[64];
        ftk__format(what, sizeof(what), "gradient of %s of node %u", roles[r].name, node);
        compare(c, what, got, want, n);
    }
    c->bk->ops->release(p);
}

void ftk__bk_golden_grad_input(struct ftk__bk_golden *c)
{
    ftk_prog *p = start(c);
    const ftk_batch b = batch_of(c, 0);
    const ftk_batch *const list[1] = { &b };
    uint64_t n = 0;
    const float *want = array(c, "grad_input", FTK__F32, &n);
    float *got = ftk__kit_alloc(c->bk->c, n, sizeof(*got));
    if (!p)
        return;
    FTK__MUST(c->bk, grad_input, p, list, got);
    compare(c, "gradient of the input", got, want, n);
    c->bk->ops->release(p);
}

static void check_array(struct ftk__bk_golden *c, ftk_prog *p, const char *when, uint32_t node,
                        uint32_t r)
{
    uint64_t n = 0;
    uint64_t few = 0;
    uint64_t have = 0;
    const float *dense = node_array(c, when, node, roles[r].name, &n);
    if (!dense)
        return;
    bool velocity = strcmp(when, "velocity") == 0;
    bool square = strcmp(when, "square") == 0;
    bool all = r != 0 || (velocity && c->run[RUN_DENSE] != 0.0);
    const float *want = compact(c, all ? NULL : mask_of(c, node), dense, n, &few);
    uint32_t role = roles[r].role | (velocity ? (uint32_t)FTK_TENSOR_MOMENT1 : 0u) |
                    (square ? (uint32_t)FTK_TENSOR_MOMENT2 : 0u);
    const float *got = ftk__bk_get(c->bk, p, &c->g, node, role, &have);
    ftk__kit_expect(c->bk->c, have == few, "PyTorch's %s: %s of node %u has %llu floats, not %llu",
                    c->name, roles[r].name, node, (unsigned long long)have,
                    (unsigned long long)few);
    char what[64];
    ftk__format(what, sizeof(what), "%s of node %u, %s", roles[r].name, node, when);
    compare(c, what, got, want, few);
}

void ftk__bk_golden_train(struct ftk__bk_golden *c)
{
    ftk_prog *p = start(c);
    ftk_hyper hy = ftk__bk_hyper(c->run[RUN_LR], c->run[RUN_MOMENTUM], c->run[RUN_DECAY],
                                 c->run[RUN_NESTEROV] != 0.0 ? FTK_STEP_NESTEROV : 0u);
    if (!p)
        return;
    if (c->adam) {
        hy.beta2 = c->adam[ADAM_BETA2];
        hy.eps = c->adam[ADAM_EPS];
    }
    for (uint64_t step = 0; step < c->steps; step++) {
        hy.step = step + 1;
        step_once(c, p, step, &hy);
    }
    for (uint32_t node = 0; node < c->g.n_nodes; node++) {
        for (uint32_t r = 0; r < ROLES; r++) {
            check_array(c, p, "end", node, r);
            check_array(c, p, "velocity", node, r);
            check_array(c, p, "square", node, r);
        }
    }
    check_logits(c, p, "end_logits");
    c->bk->ops->release(p);
}
