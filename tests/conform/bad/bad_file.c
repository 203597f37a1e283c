/* SPDX-License-Identifier: MIT
 * tests/conform/bad - the file, its stamp, its descriptor, its names: a define takes one of them a
 * line away from right.
 */
#include <freetickets/ensemble.h>
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A right answer to each question; below, a define replaces one. */
#define MAGIC       FTK_MAGIC
#define STAMP_SIZE  sizeof(ftk_stamp)
#define MAJOR       FTK_ABI_MAJOR
#define MINOR       FTK_ABI_MINOR
#define PLUGIN      "org.freetickets.zoo.file"
#define VERSION     "1.0.0"
#define LICENSE     "MIT"
#define ALGO_SIZE   sizeof(ftk_algo)
#define KIND        FTK_KIND_PRUNE
#define NAME        "square"
#define SUMMARY     "square of the weight"
#define REFERENCE   ""
#define FLAGS       0
#define STATE_BYTES 0
#define OPS_SIZE    sizeof(ftk_prune_ops)
#define CHANNELS    FTK_CH_WEIGHT
#define COUNT       FTK_COUNT_EXACT
#define PROPS       FTK_PROP_ELEMENTWISE
#define FORMULA     0
#define SCORE       score
#define SELECT      NULL

#if defined(BAD_ABI_02)
#if defined(BAD_VARIANT_MINOR)
#undef MINOR
#define MINOR (FTK_ABI_MINOR + 1)
#elif defined(BAD_VARIANT_MAJOR)
#undef MAJOR
#define MAJOR (FTK_ABI_MAJOR + 1)
#elif defined(BAD_VARIANT_SIZE)
#undef STAMP_SIZE
#define STAMP_SIZE (sizeof(ftk_stamp) - 8)
#elif defined(BAD_VARIANT_NAME)
#undef PLUGIN
#define PLUGIN "file"
#elif defined(BAD_VARIANT_VERSION)
#undef VERSION
#define VERSION "1.0"
#elif defined(BAD_VARIANT_LICENSE)
#undef LICENSE
#define LICENSE ""
#elif !defined(BAD_VARIANT_MOVES)
#undef MAGIC
#define MAGIC 0x4b544631u
#endif
#endif

#if defined(BAD_ABI_05)
#if defined(BAD_VARIANT_KIND)
#undef KIND
#define KIND 77
#elif defined(BAD_VARIANT_FLAGS)
#undef FLAGS
#define FLAGS 0x80u
#elif defined(BAD_VARIANT_OPS)
#undef OPS_SIZE
#define OPS_SIZE (sizeof(ftk_prune_ops) + 8)
#elif defined(BAD_VARIANT_CHANNELS)
#undef CHANNELS
#define CHANNELS (FTK_CH_WEIGHT | 1u << 20)
#elif defined(BAD_VARIANT_COUNT)
#undef COUNT
#define COUNT 9
#elif !defined(BAD_VARIANT_HEAP) && !defined(BAD_VARIANT_NULL) && !defined(BAD_VARIANT_RESERVED)
#undef ALGO_SIZE
#define ALGO_SIZE (sizeof(ftk_algo) - 8)
#endif
#endif

#if defined(BAD_ABI_06)
#if defined(BAD_VARIANT_BOTH)
#undef SELECT
#define SELECT choose
#elif defined(BAD_VARIANT_COUNT)
#undef COUNT
#define COUNT FTK_COUNT_FREE
#elif defined(BAD_VARIANT_FORMULA)
#undef FORMULA
#define FORMULA FTK_FORMULA_ABS_GRAD
#elif !defined(BAD_VARIANT_EXTENSION) && !defined(BAD_VARIANT_STATE)
#undef SCORE
#define SCORE NULL
#endif
#endif

#if defined(BAD_NAM_01)
#if defined(BAD_VARIANT_SUMMARY)
#undef SUMMARY
#define SUMMARY "square\nof the weight"
#elif defined(BAD_VARIANT_REFERENCE)
#undef REFERENCE
#define REFERENCE NULL
#elif defined(BAD_VARIANT_NULL)
#undef NAME
#define NAME NULL
#elif !defined(BAD_VARIANT_TWICE) && !defined(BAD_VARIANT_BUILTIN)
#undef NAME
#define NAME "Square"
#endif
#endif

#if defined(BAD_ABI_01)
extern float not_in_any_library(float w);
#define SQUARE(w) not_in_any_library(w)
#else
#define SQUARE(w) ((w) * (w))
#endif
#if defined(BAD_ABI_03) && defined(BAD_VARIANT_NEEDS)
extern int ftk__log_level __attribute__((weak));
#elif defined(BAD_ABI_03)
FTK_EXPORT int helper_of_the_plugin(void);
FTK_EXPORT int helper_of_the_plugin(void)
{
    return 1;
}
#endif

static ftk_status score(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                        ftk_update *u, float *score)
{
    (void)h, (void)self, (void)l, (void)u;
    for (uint64_t i = 0; i < c->count; i++)
        score[i] = SQUARE(c->weight[i]);
#if defined(BAD_ABI_03) && defined(BAD_VARIANT_NEEDS)
    if (&ftk__log_level)
        score[0] = (float)ftk__log_level;
#endif
    return FTK_OK;
}

static ftk_status choose(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                         const ftk_edit *edit)
{
    (void)self, (void)net, (void)u, (void)edit;
    return h->fail(h, FTK_ENOTSUP, "never called");
}

static const void *extension(const char *id)
{
#if defined(BAD_ABI_06) && defined(BAD_VARIANT_EXTENSION)
    return id;
#else
    (void)id;
    return NULL;
#endif
}

static const ftk_prune_ops ops = { .size = OPS_SIZE,
                                   .channels = CHANNELS,
                                   .count = COUNT,
                                   .props = PROPS,
                                   .formula = FORMULA,
                                   .score = SCORE,
                                   .select = SELECT };

#if defined(BAD_ABI_05) && defined(BAD_VARIANT_RESERVED)
static const ftk_prune_ops odd_ops = {
    .size = sizeof(odd_ops), .channels = FTK_CH_WEIGHT, .reserved = 1, .score = score
};
#define OPS odd_ops
#else
#define OPS ops
#endif

static const ftk_algo square = { .size = ALGO_SIZE,
                                 .kind = KIND,
                                 .name = NAME,
                                 .summary = SUMMARY,
                                 .reference = REFERENCE,
                                 .flags = FLAGS,
                                 .ops = &OPS,
                                 .get_extension = extension };

#if defined(BAD_NAM_01) && defined(BAD_VARIANT_BUILTIN)
static ftk_status density(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                          double target, double *ret_density)
{
    (void)h, (void)self, (void)u;
    for (uint32_t l = 0; l < net->n_layers; l++)
        ret_density[l] = target;
    return FTK_OK;
}
static const ftk_init_ops init_ops = { .size = sizeof(init_ops), .density = density };
static const ftk_algo other = { .size = sizeof(other),
                                .kind = FTK_KIND_INIT,
                                .name = "file",
                                .summary = "the same density everywhere",
                                .reference = "",
                                .ops = &init_ops };
#elif defined(BAD_ABI_06) && defined(BAD_VARIANT_STATE)
static ftk_status op(const ftk_host *h, void *self, const ftk_run *run, uint32_t i,
                     const ftk_history *hist, ftk_op *ret)
{
    (void)self, (void)run, (void)i, (void)hist, (void)ret;
    return h->fail(h, FTK_ENOTSUP, "never called");
}
static const ftk_ensemble_ops ensemble_ops = { .size = sizeof(ensemble_ops), .op = op };
static const ftk_algo other = { .size = sizeof(other),
                                .kind = FTK_KIND_ENSEMBLE,
                                .name = "keeper",
                                .summary = "an ensemble with state",
                                .reference = "",
                                .state_bytes = 8,
                                .ops = &ensemble_ops };
#elif defined(BAD_NAM_01) && defined(BAD_VARIANT_TWICE)
#define other square
#endif

const ftk_stamp *ftk_plugin_stamp(void)
{
    static ftk_stamp s[2];
    static int asked;
    const ftk_stamp filled = { MAGIC,  STAMP_SIZE, MAJOR,   MINOR,         0,
                               PLUGIN, VERSION,    LICENSE, FTK_BUILT_WITH };
    s[asked] = filled;
#if defined(BAD_ABI_02) && defined(BAD_VARIANT_MOVES)
    asked = 1 - asked;
    return &s[1 - asked];
#else
    return &s[asked];
#endif
}

ftk_status ftk_plugin_register(const ftk_registry *r)
{
#if defined(BAD_ABI_08)
    nanosleep(&(struct timespec){ .tv_nsec = 130 * 1000 * 1000 }, NULL);
#endif
#if defined(BAD_ABI_04) && defined(BAD_VARIANT_NOTHING)
    (void)r;
    return FTK_OK;
#elif defined(BAD_ABI_04) && defined(BAD_VARIANT_ONCE)
    static int asked;
    return asked++ ? FTK_OK : r->add(r, &square);
#elif defined(BAD_ABI_04) && defined(BAD_VARIANT_STATUS)
    (void)r->add(r, &square);
    return FTK_DONE;
#elif defined(BAD_ABI_05) && defined(BAD_VARIANT_NULL)
    return r->add(r, NULL);
#elif defined(BAD_ABI_04)
    (void)r->add(r, &square);
    return FTK_OK; /* whatever add() said */
#elif defined(BAD_ABI_05) && defined(BAD_VARIANT_HEAP)
    static ftk_algo *copy;
    if (!copy)
        copy = malloc(sizeof(*copy));
    memcpy(copy, &square, sizeof(*copy));
    return r->add(r, copy);
#else
    ftk_status st = r->add(r, &square);
#if (defined(BAD_NAM_01) && (defined(BAD_VARIANT_TWICE) || defined(BAD_VARIANT_BUILTIN))) ||       \
    (defined(BAD_ABI_06) && defined(BAD_VARIANT_STATE))
    if (st == FTK_OK)
        st = r->add(r, &other);
#endif
    return st;
#endif
}
