/* SPDX-License-Identifier: MIT
 * train/paper_flops.c - the rows of the paper's FLOPs column.
 *
 * A dense run is 250 epochs on CIFAR (45,000 images, batches of 128) and 150 on ImageNet.  The
 * paper multiplies epochs by a rounded fraction (33.7 %, 16.7 %, 42 %) and leaves out the dense
 * gradients of topology updates, which are here.  ResNet-50's first layer counts its true 112x112
 * outputs; RigL's published counter pads twice and counts 115x115: no printed digit changes.
 */
#include "train/paper_flops.h"

struct ftk__paper_setup {
    uint32_t side, classes, n_train, n_validation;
    const char *model;
    const char *topology; /* keys of the group                            */
    double epochs;        /* of a dense run                               */
};

static const char wrn[] = "use = \"wrn\"; depth = 28; width = 10;";
static const char cifar_topology[] = "rate = 0.5; interval = \"1000it\";";
static const struct ftk__paper_setup cifar10 = { 32, 10, 50000, 5000, wrn, cifar_topology, 250 };
static const struct ftk__paper_setup cifar100 = { 32, 100, 50000, 5000, wrn, cifar_topology, 250 };
static const struct ftk__paper_setup imagenet = {
    224,
    1000,
    1281167,
    0,
    "use = \"resnet\"; depth = 50;",
    "rate = 0.5; schedule = \"cosine\"; interval = \"4000it\";",
    150,
};

#define DST3    "use = \"dst\"; members = 3;"
#define STATIC3 "use = \"static\"; members = 3;"
#define EDST3   "use = \"edst\"; members = 3; explore = \"150ep\"; refine = \"100ep\";"
#define EDST7   "use = \"edst\"; members = 7; explore = \"150ep\"; refine = \"100ep\";"
#define LTR3    "use = \"ltr\"; members = 3;"

const struct ftk__paper_row ftk__paper_rows[] = {
    { "1 CIFAR-10", "DST M=3 S=0.8", 0.337, 1.01, DST3, 0.2, &cifar10 },
    { "1 CIFAR-10", "static M=3 S=0.8", 0.337, 1.01, STATIC3, 0.2, &cifar10 },
    { "1 CIFAR-10", "EDST M=3 S=0.8", 0.337, 0.61, EDST3, 0.2, &cifar10 },
    { "1 CIFAR-10", "EDST M=7 S=0.9", 0.167, 0.57, EDST7, 0.1, &cifar10 },
    { "1 CIFAR-10", "LTR M=3 S=0.8", 0, 1.75, LTR3, 0.2, &cifar10 },
    { "2 CIFAR-100", "DST M=3 S=0.8", 0.337, 1.01, DST3, 0.2, &cifar100 },
    { "2 CIFAR-100", "static M=3 S=0.8", 0.337, 1.01, STATIC3, 0.2, &cifar100 },
    { "2 CIFAR-100", "EDST M=3 S=0.8", 0.337, 0.61, EDST3, 0.2, &cifar100 },
    { "2 CIFAR-100", "EDST M=7 S=0.9", 0.167, 0.57, EDST7, 0.1, &cifar100 },
    { "2 CIFAR-100", "LTR M=3 S=0.8", 0, 1.75, LTR3, 0.2, &cifar100 },
    { "3 ImageNet", "DST M=2 S=0.8", 0.42, 1.12, "use = \"dst\"; members = 2; train = \"200ep\";",
      0.2, &imagenet },
    { "3 ImageNet", "EDST M=2 S=0.8", 0.42, 0.48,
      "use = \"edst\"; members = 2; explore = \"30ep\"; refine = \"70ep\";", 0.2, &imagenet },
    { "3 ImageNet", "EDST M=4 S=0.8", 0.42, 0.87,
      "use = \"edst\"; members = 4; explore = \"30ep\"; refine = \"70ep\";", 0.2, &imagenet },
};
const uint32_t ftk__paper_n_rows = sizeof(ftk__paper_rows) / sizeof(ftk__paper_rows[0]);

void ftk__paper_config(const struct ftk__paper_row *row, struct ftk__str *out)
{
    const struct ftk__paper_setup *s = row->setup;
    ftk__str_addf(out, "schema = 1;\nepochs = %.1f;\n", s->epochs);
    ftk__str_addf(out,
                  "data = { use = \"synthetic\"; shape = [3, %u, %u]; classes = %u; train = %u; "
                  "validation = %u; batch = 128; };\n",
                  s->side, s->side, s->classes, s->n_train, s->n_validation);
    ftk__str_addf(out, "model = { %s };\ntopology = { %s };\n", s->model, s->topology);
    ftk__str_addf(out, "sparsity = { density = %g; };\nensemble = { %s };\n", row->density,
                  row->strategy);
}

ftk_status ftk__paper_count(const struct ftk__paper_row *row, const struct ftk__experiment *x,
                            const struct ftk__model *m, uint64_t n_train,
                            struct ftk__paper_count *ret, struct ftk_error *reterr)
{
    struct ftk__plan p;
    ftk_status st = ftk__plan_make(x, m, n_train, 0, &p, reterr);
    if (st < 0)
        return st;
    *ret = (struct ftk__paper_count){
        .counted = p.ledger.sum.theory / p.flops_dense_run,
        .rounded = p.epochs_total / x->epochs * row->fraction,
        .dense_run = p.flops_dense_run,
        .approximate = p.approximate,
    };
    ftk__plan_done(&p);
    return FTK_OK;
}
