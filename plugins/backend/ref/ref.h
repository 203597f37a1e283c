/* SPDX-License-Identifier: MIT
 * ref.h - what the files of the ref backend share.
 *
 * The oracle: the shortest plain loops that are right, one thread, sums in double.  Arrays are
 * dense; a sparse layer has a byte a weight that says whether it is active, and an inactive
 * weight is exactly 0, so no product has to look at the mask.
 */
#ifndef REF_H
#define REF_H
#include <freetickets/backend.h>
#include <stdbool.h>

struct ftk_dev {
    const ftk_host *host;
};

/* The weights or the biases of one node. */
struct ref_param {
    uint64_t n;                /* floats; 0: the node has none                       */
    uint64_t nnz;              /* active ones; n if there is no mask                  */
    float *value, *grad;       /* [n]; grad: of the mean loss of the last step       */
    float *moment;             /* [n], SGD's velocity, Adam's mean gradient          */
    float *moment2;            /* [n], Adam's mean square; NULL with SGD              */
    uint8_t *mask;             /* [n], 1: active; NULL: not a sparse layer           */
    bool decay;                /* weight decay applies                               */
};

struct ref_node {
    ftk_node n;
    char name[64];             /* a copy: the caller's may go after compile()        */
    uint32_t index;            /* in the list                                        */
    uint64_t floats;           /* of one sample's output                             */
    float *out, *dout;         /* [max_batch][c][h][w]; dout: d mean loss / d out    */
    struct ref_param weight, bias;     /* batch norm: gamma, beta                    */
    float *run_mean, *run_var;         /* [c], batch norm's running statistics       */
    double *mean, *scale;      /* [c], of the last pass; scale = 1 / sqrt(var + eps) */
    uint32_t *choice;          /* max pool: [max_batch][c][h][w], place in the plane */
    uint8_t *keep;             /* dropout: [max_batch][c][h][w], 1: kept             */
};

struct ftk_prog {
    const ftk_host *host;
    struct ref_node *node;     /* [n_nodes]                                          */
    uint32_t n_nodes, n_layers;        /* n_layers: sparse ones                      */
    uint32_t max_batch, channels;
    uint32_t optimiser;        /* FTK_OPT_*                                          */
    bool dense_momentum;
    bool has_grad;             /* the last step had KEEP_GRAD                        */
    double *plane;             /* scratch sums: the largest output of a sample       */
    double loss_sum;           /* of the last pass, over its samples                 */
    uint64_t correct;
    ftk_stats stats;           /* since the last sync                                */
    uint64_t *cand_index;      /* what read_*() lends: [cand_cap]                    */
    float *cand_weight, *cand_grad, *cand_moment;
    uint64_t cand_cap;
};

/* How one pass through the graph is run. */
struct ref_pass {
    const ftk_batch *batch;
    uint32_t count;
    bool batch_stats;          /* batch norm by this batch's statistics              */
    bool move_stats;           /* and these move the running ones                    */
    bool dropout;
    bool weight_grad;          /* backward: gradients of weights and biases          */
    bool dense_grad;           /* those of inactive weights too                      */
    bool input_grad;           /* backward: gradient of the input                    */
};

/* Forward fills node->out from the inputs' out.  Backward ADDS to the inputs' dout, since a
 * node may have several users, and SETS the gradients of its own weights.            */
typedef void (*ref_run_fn)(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass);

void ref_linear_forward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass);
void ref_linear_backward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass);
void ref_conv_forward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass);
void ref_conv_backward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass);
void ref_norm_forward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass);
void ref_norm_backward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass);
void ref_maxpool_forward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass);
void ref_maxpool_backward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass);
void ref_avgpool_forward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass);
void ref_avgpool_backward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass);
void ref_relu_forward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass);
void ref_relu_backward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass);
void ref_add_forward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass);
void ref_add_backward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass);
void ref_dropout_forward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass);
void ref_dropout_backward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass);
void ref_flatten_forward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass);
void ref_flatten_backward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass);
void ref_concat_forward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass);
void ref_concat_backward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass);
void ref_pad_forward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass);
void ref_pad_backward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass);
void ref_xent_forward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass);
void ref_xent_backward(ftk_prog *p, struct ref_node *n, const struct ref_pass *pass);

static inline struct ref_node *ref_in(ftk_prog *p, const struct ref_node *n, uint32_t k)
{
    return &p->node[n->n.in[k]];
}

/* Height times width of a node's output. */
static inline uint64_t ref_area(const struct ref_node *n)
{
    return (uint64_t)n->n.out_shape[1] * n->n.out_shape[2];
}

/* False if nobody wants d loss / d (output of `in`): it is the network's input. */
static inline bool ref_wants_grad(const struct ref_node *in, const struct ref_pass *pass)
{
    return pass->input_grad || in->n.op != FTK_NODE_INPUT;
}

/* Errors through host->fail(). */
ftk_status ref_check_node(const ftk_host *h, const ftk_node *n, uint32_t index);
ftk_status ref_check_graph(const ftk_host *h, const ftk_build *b);
/* Product, or false where it does not fit.  */
bool ref_mul(uint64_t a, uint64_t b, uint64_t *ret_product);

/* The node of a sparse layer, or NULL with the failure recorded. */
struct ref_node *ref_layer(ftk_prog *p, uint32_t layer);
/* Fails unless index[0..count) ascends strictly and lies in the layer; `what`: "dropped". */
ftk_status ref_check_ascending(const ftk_prog *p, const struct ref_node *n, const char *what,
                               const uint64_t *index, uint64_t count);

/* The members of ftk_backend_ops. */
ftk_status ref_supports(ftk_dev *d, const ftk_node *n);
ftk_status ref_compile(ftk_dev *d, const ftk_build *b, ftk_prog **ret);
void ref_release(ftk_prog *p);
ftk_status ref_step(ftk_prog *p, const ftk_batch *const *b, const ftk_hyper *hy);
ftk_status ref_predict(ftk_prog *p, const ftk_batch *const *b, float *ret_logit);
ftk_status ref_grad_input(ftk_prog *p, const ftk_batch *const *b, float *ret_dx);
ftk_status ref_sync(ftk_prog *p, ftk_stats *const *ret);
ftk_status ref_read_active(ftk_prog *p, uint32_t layer, uint32_t channels, uint64_t cap,
                           uint64_t *cursor, ftk_cand *ret);
ftk_status ref_read_inactive(ftk_prog *p, uint32_t layer, uint32_t channels, uint64_t cap,
                             uint64_t *cursor, ftk_cand *ret);
ftk_status ref_edit(ftk_prog *p, uint32_t layer, const ftk_change *c);
ftk_status ref_tensor(ftk_prog *p, uint32_t i, ftk_tensor *ret);
ftk_status ref_get(ftk_prog *p, uint32_t i, uint64_t from, uint64_t n, float *ret);
ftk_status ref_put(ftk_prog *p, uint32_t i, uint64_t from, uint64_t n, const float *v);
ftk_status ref_mask(ftk_prog *p, uint32_t layer, const uint64_t *active, uint64_t n);

/* ref_update.c: after backward(); the second checks what only Adam needs. */
void ref_update(ftk_prog *p, const ftk_hyper *hy);
ftk_status ref_check_adam(const ftk_prog *p, const ftk_hyper *hy);
#endif
