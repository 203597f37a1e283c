/* SPDX-License-Identifier: MIT
 * conform/backend_calls.h - an opened backend under test, or the oracle, and the calls that rules
 * make of it.
 *
 * What a rule asks for in vain is the plugin's failure, with the call and its reason; so these
 * functions return only where it went well.  Memory is the case's.
 */
#ifndef FTK__BACKEND_CALLS_H
#define FTK__BACKEND_CALLS_H
#include "conform/backend_graph.h"
#include "conform/kit_host.h"

struct ftk__bk {
    struct ftk__case *c;
    const ftk_algo *algo;
    const ftk_backend_ops *ops;
    struct ftk__kit_host *host;
    const void *params;
    ftk_dev *dev;
    uint32_t caps, precision;
    bool oracle; /* named "ref": judged by PyTorch's arrays      */
};

/* A call whose status the rule judges; one that must succeed; one that must be refused. */
#define FTK__TRY(bk, op, ...)                                                                      \
    (ftk__kit_begin((bk)->host),                                                                   \
     ftk__kit_end((bk)->c, (bk)->host, #op, false, (bk)->ops->op(__VA_ARGS__)))
#define FTK__MUST(bk, op, ...) ftk__bk_must(bk, #op, FTK__TRY(bk, op, __VA_ARGS__))
#define FTK__REFUSED(bk, op, ...)                                                                  \
    ftk__kit_must_refuse((bk)->c, (bk)->host, #op, FTK__TRY(bk, op, __VA_ARGS__))
void ftk__bk_must(struct ftk__bk *bk, const char *call, ftk_status st);

#define FTK__BK_AS_SET UINT32_MAX
/* What --set says of the core's own keys of the `backend` group: device, threads, precision, isa,
 * tune. */
ftk_open ftk__bk_options(struct ftk__case *c);
/* The backend without a device: tables and host only. */
void ftk__bk_loaded(struct ftk__case *c, struct ftk__bk *ret);
/* Opened with `threads`, or as --set says.  Skips the rule, with probe's reason, where there is no
 * device. */
void ftk__bk_open(struct ftk__case *c, uint32_t threads, struct ftk__bk *ret);
/* --ref, else backend_ref.so beside the program's plugins; one thread.  Skips without it. */
void ftk__bk_open_oracle(struct ftk__case *c, struct ftk__bk *ret);
void ftk__bk_close(struct ftk__bk *bk);
bool ftk__bk_under_test(const struct ftk__bk *bk); /* else it is the oracle     */
/* FTK_ENOTSUP with a reason, from a backend that may say so: true.  Anything else below 0 fails. */
bool ftk__bk_not_supported(struct ftk__bk *bk, const char *call, ftk_status st, bool allowed);
/* Whether it has all ops of a network. */
bool ftk__bk_supports(struct ftk__bk *bk, const struct ftk__bk_graph *g);
/* Whether it computes on the host: then only bind, select and several members may be missing. */
bool ftk__bk_is_cpu(const struct ftk__bk *bk);

/* SGD, all three channels, one member; `flags` are FTK_BUILD_*. */
ftk_build ftk__bk_build(const struct ftk__bk_graph *g, uint32_t max_batch, uint32_t flags);
ftk_prog *ftk__bk_compile(struct ftk__bk *bk, const struct ftk__bk_graph *g, uint32_t max_batch,
                          uint32_t flags);
/* Step 1; beta2 0.999, eps 1e-8. */
ftk_hyper ftk__bk_hyper(double lr, double momentum, double weight_decay, uint32_t flags);

struct ftk__bk_batch {
    ftk_batch b;
    const ftk_batch *list[1]; /* what step() takes                            */
    float *x;                 // [count][c][h][w]
    int32_t *y;               // [count]
};
/* Normal x and uniform labels by `seed`; the dropout stream is keyed by it too. */
struct ftk__bk_batch *ftk__bk_batch(struct ftk__case *c, const struct ftk__bk_graph *g,
                                    uint32_t count, uint64_t seed);
/* One step with such a batch. */
void ftk__bk_step(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g, uint32_t count,
                  const ftk_hyper *hy, uint64_t seed);
/* `n` steps of `count` and count - 1 samples in turn, batches by seed, seed + 1, ... */
void ftk__bk_steps(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g, uint32_t count,
                   uint32_t n, uint64_t seed);
float *ftk__bk_predict(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g,
                       const struct ftk__bk_batch *b); // [count][classes]
ftk_stats ftk__bk_sync(struct ftk__bk *bk, ftk_prog *p);
/* Mean loss and hits of logits[count][classes] by the text of graph.h, in double. */
double ftk__bk_loss(const struct ftk__bk_graph *g, const struct ftk__bk_batch *b,
                    const float *logit, uint64_t *ret_correct);

/* All positions of one state in a layer. */
struct ftk__bk_list {
    uint64_t n;
    uint64_t *index;                 // [n]
    float *weight, *grad, *momentum; // [n]; NULL where not asked for
};
/* Read `cap` at a time; order, range, counts and channels are checked on the way.  `layer` counts
 * through the members. */
void ftk__bk_read(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g, uint32_t layer,
                  uint32_t which, uint32_t channels, uint64_t cap, struct ftk__bk_list *ret);
/* The kept gradient of a layer, dense. */
float *ftk__bk_gradient(struct ftk__bk *bk, ftk_prog *p, const struct ftk__bk_graph *g,
                        uint32_t layer);
#endif
