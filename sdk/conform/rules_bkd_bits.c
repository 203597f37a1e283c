/* SPDX-License-Identifier: MIT
 * conform/rules_bkd_bits.c - the same bits for any number of threads, time that follows the active
 * weights, and kernels that are chosen by nothing else than they may be.
 */
#include "conform/rules_bkd.h"
#include <string.h>
#include <time.h>

enum { BATCH = 33, WIDTH = 1024, WIDE_BATCH = 32, ROUNDS = 5 };

struct stage {
    struct ftk__bk bk;
    struct ftk__bk_graph g;
    ftk_prog *p;
};

/* Convolution, batch norm, residual, wide and strided convolutions, dropout, linear. */
static void net(struct ftk__bk_graph *g)
{
    const uint32_t three[2] = { 3, 3 };
    const uint32_t five[2] = { 5, 5 };
    const uint32_t one[2] = { 1, 1 };
    const uint32_t two[2] = { 2, 2 };
    uint32_t n = ftk__bk_input(g, 2, 8, 9);
    const uint32_t stem = ftk__bk_conv(g, n, 16, three, one, one, 0, 1);
    n = ftk__bk_relu(g, ftk__bk_batchnorm(g, stem, 0.1f, 1e-5f, 0));
    n = ftk__bk_conv(g, n, 16, five, one, two, FTK_NODE_BIAS, 1);
    n = ftk__bk_relu(g, ftk__bk_add(g, n, stem));
    n = ftk__bk_conv(g, n, 11, three, two, one, FTK_NODE_BIAS, 1);
    n = ftk__bk_dropout(g, ftk__bk_relu(g, n), 0.25f);
    n = ftk__bk_linear(g, n, 40, FTK_NODE_BIAS, 1);
    ftk__bk_xent(g, ftk__bk_linear(g, ftk__bk_relu(g, n), 6, FTK_NODE_BIAS, 0), 0.1f);
}

/* Drops every `period`th active weight of a layer (0: none), grows as many or all inactive ones. */
static void edit(struct stage *s, uint32_t layer, uint64_t period)
{
    struct ftk__bk_list on, off;
    uint64_t drops = 0;
    ftk__bk_read(&s->bk, s->p, &s->g, layer, FTK_ACTIVE, 0, 37, &on);
    ftk__bk_read(&s->bk, s->p, &s->g, layer, FTK_INACTIVE, 0, 1000, &off);
    for (uint64_t i = 0; period > 0 && i < on.n; i += period)
        on.index[drops++] = on.index[i];
    uint64_t grow = period == 0 || drops > off.n ? off.n : drops;
    float *value = ftk__kit_alloc(s->bk.c, grow, sizeof(*value));
    for (uint64_t i = 0; i < grow; i++)
        value[i] = 0.25f;
    const ftk_change c = { .size = sizeof(c),
                           .drop = on.index,
                           .n_drop = drops,
                           .add = off.index,
                           .n_add = grow,
                           .value = value };
    FTK__MUST(&s->bk, edit, s->p, layer, &c);
}

static void step(struct stage *s, uint32_t count, uint32_t flags, uint64_t seed)
{
    const ftk_hyper hy = ftk__bk_hyper(0.01, 0.9, 1e-3, flags);
    ftk__bk_step(&s->bk, s->p, &s->g, count, &hy, seed);
}

struct outcome {
    struct ftk__bk_snap snap;
    const float *z;
    double loss;
};

/* Everything that may depend on threads, in one go. */
static void run_all(struct ftk__case *c, uint32_t threads, struct stage *s, struct outcome *ret)
{
    *s = (struct stage){ .p = NULL };
    ftk__bk_open(c, threads, &s->bk);
    net(&s->g);
    s->p = ftk__bk_compile(&s->bk, &s->g, BATCH, 0);
    ftk__bk_fill(&s->bk, s->p, &s->g, 0.3, 11);
    step(s, BATCH, 0, 1);
    step(s, 17, FTK_STEP_KEEP_GRAD, 2);
    for (uint32_t l = 0; l < s->g.n_sparse; l++)
        edit(s, l, 3);
    step(s, BATCH, FTK_STEP_NESTEROV, 3);
    edit(s, 1, 0);
    step(s, 19, 0, 4);
    ret->loss = ftk__bk_sync(&s->bk, s->p).loss_sum;
    ret->z = ftk__bk_predict(&s->bk, s->p, &s->g, ftk__bk_batch(c, &s->g, BATCH, 6));
    ftk__bk_snap(&s->bk, s->p, &s->g, 1, &ret->snap);
    s->bk.ops->release(s->p);
    ftk__bk_close(&s->bk);
}

static void expect_bits(struct stage *s, const struct outcome *a, const struct outcome *b,
                        uint32_t threads, bool again)
{
    char when[64];
    if (again)
        ftk__format(when, sizeof(when), "the same steps twice");
    else
        ftk__format(when, sizeof(when), "1 and %u threads", threads);
    ftk__bk_same(&s->bk, &s->g, &a->snap, &b->snap, when);
    uint64_t n = BATCH * (uint64_t)ftk__bk_classes(&s->g);
    ftk__kit_expect(s->bk.c, memcmp(a->z, b->z, n * sizeof(*a->z)) == 0, "%s: other logits", when);
    ftk__kit_expect(s->bk.c, memcmp(&a->loss, &b->loss, sizeof(a->loss)) == 0,
                    "%s: losses %.17g and %.17g", when, a->loss, b->loss);
}

static void same_bits(struct ftk__case *c, struct stage *s)
{
    static const uint32_t threads[] = { 1, 2, 3, 7 };
    struct outcome first, other;
    run_all(c, 1, s, &first);
    for (int i = 0; i < 4; i++) {
        run_all(c, threads[i], s, &other);
        expect_bits(s, &first, &other, threads[i], i == 0);
    }
}

/* ---- time -------------------------------------------------------------------------------------- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static ftk_prog *wide(struct stage *s, double density)
{
    ftk_prog *p = ftk__bk_compile(&s->bk, &s->g, WIDE_BATCH, 0);
    ftk__bk_fill(&s->bk, p, &s->g, density, 3);
    return p;
}

static double time_step(struct stage *s, ftk_prog *p, const struct ftk__bk_batch *b)
{
    const ftk_hyper hy = ftk__bk_hyper(0.01, 0.9, 0.0, 0);
    double start = now();
    FTK__MUST(&s->bk, step, p, b->list, &hy);
    (void)ftk__bk_sync(&s->bk, p);
    return now() - start;
}

/* The fastest of a few each, by turns, so that a busy machine slows both. */
static void follows_nnz(struct ftk__case *c, struct stage *s)
{
    double best[2] = { 1e9, 1e9 };
    *s = (struct stage){ .p = NULL };
    ftk__bk_open(c, 1, &s->bk);
    if (!(s->bk.caps & FTK_CAP_SPARSE_COMPUTE))
        return;
    uint32_t n = ftk__bk_linear(&s->g, ftk__bk_input(&s->g, WIDTH, 1, 1), WIDTH, 0, 1);
    ftk__bk_xent(&s->g, ftk__bk_linear(&s->g, n, 2, 0, 0), 0.0f);
    const struct ftk__bk_batch *b = ftk__bk_batch(c, &s->g, WIDE_BATCH, 1);
    ftk_prog *p[2] = { wide(s, 0.01), wide(s, 1.0) };
    for (int i = 0; i < 2 * ROUNDS + 2; i++) {
        double t = time_step(s, p[i % 2], b);
        if (i >= 2 && t < best[i % 2])
            best[i % 2] = t;
    }
    if (best[0] > 0.5 * best[1])
        ftk__kit_warn(c,
                      "SPARSE_COMPUTE: a step of a %dx%d layer takes %.2f ms at density 0.01 and "
                      "%.2f ms at 1",
                      WIDTH, WIDTH, 1e3 * best[0], 1e3 * best[1]);
}

static void bits_and_time(struct ftk__case *c)
{
    struct stage *s = ftk__kit_alloc(c, 1, sizeof(*s));
    ftk__bk_open(c, 1, &s->bk);
    uint32_t caps = s->bk.caps;
    ftk__bk_close(&s->bk);
    if (!(caps & (FTK_CAP_BITWISE | FTK_CAP_SPARSE_COMPUTE)))
        ftk__kit_skip(c, "it claims neither BITWISE nor SPARSE_COMPUTE");
    if (caps & FTK_CAP_BITWISE)
        same_bits(c, s);
    follows_nnz(c, s);
}

/* ---- BKD-22 ------------------------------------------------------------------------------------ */

static const char *kernels(struct stage *s, ftk_prog *p)
{
    ftk__kit_begin(s->bk.host);
    const char *text = s->bk.ops->kernels(p);
    ftk__kit_end(s->bk.c, s->bk.host, "kernels", false, FTK_OK);
    ftk__kit_expect(s->bk.c, text != NULL, "kernels() is NULL");
    char *copy = ftk__arena_strdup(&s->bk.c->arena, text);
    if (!copy)
        ftk__kit_broken("no memory for the text of kernels()");
    return copy;
}

/* "cpu avx2\n...": the name, one space, the ISA. */
static void expect_heading(struct stage *s, const char *text)
{
    const char *name = s->bk.algo->name;
    const char *isa = ftk__bk_options(s->bk.c).isa;
    size_t n = strlen(name);
    ftk__kit_expect(s->bk.c, strncmp(text, name, n) == 0 && text[n] == ' ',
                    "kernels() begins with '%.40s', not with the backend's name '%s'", text, name);
    size_t word = strcspn(text + n + 1, " \n");
    ftk__kit_expect(s->bk.c, word > 0, "kernels() names no ISA: '%.40s'", text);
    bool named =
        strcmp(isa, "auto") == 0 || (word == strlen(isa) && strncmp(text + n + 1, isa, word) == 0);
    ftk__kit_expect(s->bk.c, named, "kernels() begins with '%.40s', opened with isa '%s'", text,
                    isa);
}

static void expect_text(struct stage *s, const char *a, const char *b, const char *when)
{
    size_t i = 0;
    while (a[i] != '\0' && a[i] == b[i])
        i++;
    while (i > 0 && a[i - 1] != '\n')
        i--;
    ftk__kit_expect(s->bk.c, strcmp(a, b) == 0, "kernels() %s: '%.*s' and '%.*s'", when,
                    (int)strcspn(a + i, "\n"), a + i, (int)strcspn(b + i, "\n"), b + i);
}

static ftk_prog *compile_with(struct stage *s, const char *text)
{
    ftk_build b = ftk__bk_build(&s->g, BATCH, 0);
    ftk_prog *p = NULL;
    b.kernels = text;
    FTK__MUST(&s->bk, compile, s->bk.dev, &b, &p);
    ftk__bk_fill(&s->bk, p, &s->g, 0.3, 11);
    return p;
}

static void bits_after(struct stage *s, ftk_prog *p, struct ftk__bk_snap *ret)
{
    s->p = p;
    step(s, BATCH, 0, 1);
    step(s, 17, 0, 2);
    ftk__bk_snap(&s->bk, p, &s->g, 1, ret);
}

static void text_obeyed(struct stage *s, const char *first)
{
    static const char *const foreign[] = { "other z80\nconv1 magic\n", "", "\n\n" };
    struct ftk__bk_snap a, b;
    ftk_prog *p = compile_with(s, NULL);
    bits_after(s, p, &a);
    ftk_prog *q = compile_with(s, first);
    expect_text(s, first, kernels(s, q), "given to compile() changes");
    bits_after(s, q, &b);
    ftk__bkd_expect_same(&s->bk, &s->g, &a, &b, "compiled with the text of kernels()");
    for (int i = 0; i < 3; i++) {
        ftk_prog *r = compile_with(s, foreign[i]);
        ftk__kit_note(s->bk.c, "compile() with a foreign text, number %d", i + 1);
        expect_text(s, first, kernels(s, r), "with a foreign text changes");
        s->bk.ops->release(r);
    }
    ftk__kit_note(s->bk.c, "%s", "");
    s->bk.ops->release(p);
    s->bk.ops->release(q);
}

/* To the same counts by another way: another mask first, then an edit to the same number. */
static void by_another_way(struct stage *s, const char *first)
{
    s->p = ftk__bk_compile(&s->bk, &s->g, BATCH, 0);
    ftk__bk_fill(&s->bk, s->p, &s->g, 0.3, 11);
    step(s, BATCH, 0, 5);
    for (uint32_t l = 0; l < s->g.n_sparse; l++) {
        struct ftk__bk_list on, all;
        ftk__bk_read(&s->bk, s->p, &s->g, l, FTK_ACTIVE, 0, 1000, &on);
        edit(s, l, 0); /* full */
        ftk__bk_read(&s->bk, s->p, &s->g, l, FTK_ACTIVE, 0, 100000, &all);
        const ftk_change c = { .size = sizeof(c), .drop = all.index, .n_drop = all.n - on.n };
        FTK__MUST(&s->bk, edit, s->p, l, &c);
    }
    expect_text(s, first, kernels(s, s->p), "depends on how a layer came to its active weights");
    s->bk.ops->release(s->p);
}

static void choices(struct ftk__case *c)
{
    struct stage *s = ftk__kit_alloc(c, 1, sizeof(*s));
    struct stage *other = ftk__kit_alloc(c, 1, sizeof(*other));
    ftk__bk_open(c, FTK__BK_AS_SET, &s->bk);
    if (!s->bk.ops->kernels)
        ftk__kit_skip(c, "kernels is NULL");
    net(&s->g);
    ftk_prog *p = compile_with(s, NULL);
    const char *first = kernels(s, p);
    expect_heading(s, first);
    s->bk.ops->release(p);
    text_obeyed(s, first);
    if (ftk__bk_options(c).flags & FTK_OPEN_TUNE)
        return;
    by_another_way(s, first);
    ftk__bk_open(c, FTK__BK_AS_SET, &other->bk);
    net(&other->g);
    expect_text(s, first, kernels(other, compile_with(other, NULL)), "changes with another open()");
}

static const struct ftk__rule rules[] = {
    { .id = "BKD-10",
      .level = 3,
      .kinds = FTK__ON_BACKEND,
      .needs = "BKD-07 BKD-20",
      .title = "BITWISE: the same bits for any number of threads; SPARSE_COMPUTE: time follows nnz",
      .why = "a run is repeated on another machine; sparsity is meant to save time",
      .fix = "sum over slices that the batch alone fixes, in order; walk active weights only",
      .timeout_ms = 60000,
      .run = bits_and_time },
    { .id = "BKD-22",
      .level = 2,
      .kinds = FTK__ON_BACKEND,
      .needs = "BKD-07",
      .title = "kernels() says what was chosen, compile() obeys it, and nothing odd decides",
      .why = "a member is trained again with the kernels that its record names",
      .fix = "choose by nnz, shape, batch and ISA; parse the text, ignore another backend's",
      .timeout_ms = 60000,
      .run = choices },
};
const struct ftk__rule_family ftk__family_bkd_bits = { rules, sizeof(rules) / sizeof(rules[0]) };
