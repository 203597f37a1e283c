/* SPDX-License-Identifier: MIT
 * data/catalogue.c - the table of named sets.
 *
 * Checksums are those of the sets' own pages; Fashion-MNIST's are of the files that Debian's
 * package holds, decompressed.  CIFAR-100 publishes none for its extracted training file.
 */
#include "data/catalogue.h"
#include "base/str.h"
#include <string.h>

#define COUNT(a) ((uint32_t)(sizeof(a) / sizeof *(a)))

static const struct ftk__set_file fashion_files[] = {
    { "train-images-idx3-ubyte", 47040016, "md5:f4a8712d7a061bf5bd6d2ca38dc4d50a" },
    { "train-labels-idx1-ubyte", 60008, "md5:9018921c3c673c538a1fc5bad174d6f9" },
    { "t10k-images-idx3-ubyte", 7840016, "md5:8181f5470baa50b63fa0f6fddb340f0a" },
    { "t10k-labels-idx1-ubyte", 10008, "md5:15d484375f8d13e6eb1aabb0c3f46965" },
};

const struct ftk__catalogue ftk__catalogue_fashion_mnist = {
    .name = "fashion_mnist",
    .place = { .title = "Fashion-MNIST",
               .folder = "fashion-mnist",
               .package_folder = "/usr/share/datasets/fashion-mnist",
               .get = "apt-get install dataset-fashion-mnist" },
    .files = fashion_files,
    .n_files = COUNT(fashion_files),
    .terms = "MIT licence",
};

static const struct ftk__set_file cifar10_files[] = {
    { "data_batch_1.bin", 30730000, "md5:5dd7e06a14cb22eb9f671a540d1b7c25" },
    { "data_batch_2.bin", 30730000, "md5:5ea93a67294ea407fff1d09f752e9692" },
    { "data_batch_3.bin", 30730000, "md5:942cd6a4bcdd0dd3c604fbe906cb4421" },
    { "data_batch_4.bin", 30730000, "md5:ae636b3ba5c66a11e91e8cb52e771fcb" },
    { "data_batch_5.bin", 30730000, "md5:53f37980c15c3d472c316c40844f3f0d" },
    { "test_batch.bin", 30730000, "md5:803d5f7f4d78ea53de84dbe85f74fb6d" },
};
static const struct ftk__set_source cifar10_sources[] = {
    { "cifar-10-binary.tar.gz", "https://www.cs.toronto.edu/~kriz",
      "md5:c32a1d4ab5d03f1284b67883e8d13530", true },
};

const struct ftk__catalogue ftk__catalogue_cifar10 = {
    .name = "cifar10",
    .place = { .title = "CIFAR-10",
               .folder = "cifar-10-batches-bin",
               .get = "freetickets data fetch cifar10" },
    .files = cifar10_files,
    .n_files = COUNT(cifar10_files),
    .sources = cifar10_sources,
    .n_sources = COUNT(cifar10_sources),
    .terms = "no licence stated; cite Krizhevsky 2009",
};

static const struct ftk__set_file cifar100_files[] = {
    { "train.bin", 153700000, "" },
    { "test.bin", 30740000, "md5:4499cfba6c016c1be1438163640a0898" },
};
static const struct ftk__set_source cifar100_sources[] = {
    { "cifar-100-binary.tar.gz", "https://www.cs.toronto.edu/~kriz",
      "md5:03b5dce01913d631647c71ecec9e9cb8", true },
};

const struct ftk__catalogue ftk__catalogue_cifar100 = {
    .name = "cifar100",
    .place = { .title = "CIFAR-100",
               .folder = "cifar-100-binary",
               .get = "freetickets data fetch cifar100" },
    .files = cifar100_files,
    .n_files = COUNT(cifar100_files),
    .sources = cifar100_sources,
    .n_sources = COUNT(cifar100_sources),
    .terms = "no licence stated; cite Krizhevsky 2009",
};

static const struct ftk__set_file svhn_files[] = {
    { "train_32x32.mat", 0, "md5:e26dedcc434d2e4c54c9b2d4a06d8373" },
    { "test_32x32.mat", 0, "md5:eb5a983be6a315427106f1b164d9cef3" },
};
static const struct ftk__set_source svhn_sources[] = {
    { "train_32x32.mat", "http://ufldl.stanford.edu/housenumbers",
      "md5:e26dedcc434d2e4c54c9b2d4a06d8373", false },
    { "test_32x32.mat", "http://ufldl.stanford.edu/housenumbers",
      "md5:eb5a983be6a315427106f1b164d9cef3", false },
};

const struct ftk__catalogue ftk__catalogue_svhn = {
    .name = "svhn",
    .place = { .title = "SVHN", .folder = "svhn", .get = "freetickets data fetch svhn" },
    .files = svhn_files,
    .n_files = COUNT(svhn_files),
    .sources = svhn_sources,
    .n_sources = COUNT(svhn_sources),
    .terms = "for non-commercial use only; cite Netzer et al. 2011",
};

const struct ftk__catalogue *const ftk__catalogue[] = {
    &ftk__catalogue_fashion_mnist,
    &ftk__catalogue_cifar10,
    &ftk__catalogue_cifar100,
    &ftk__catalogue_svhn,
    NULL,
};
enum { N_SETS = sizeof ftk__catalogue / sizeof *ftk__catalogue - 1 };

ftk_status ftk__catalogue_find(const char *name, const struct ftk__catalogue **ret,
                               struct ftk_error *reterr)
{
    const char *names[N_SETS];
    for (size_t i = 0; i < N_SETS; i++) {
        names[i] = ftk__catalogue[i]->name;
        if (strcmp(names[i], name) == 0) {
            *ret = ftk__catalogue[i];
            return FTK_OK;
        }
    }
    const char *nearest = ftk__str_nearest(name, names, N_SETS);
    ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE, "there is no set '%s' with files%s%s%s",
                   name, nearest ? "; did you mean '" : "", nearest ? nearest : "",
                   nearest ? "'?" : "");
    ftk__error_context(reterr, "see: freetickets data list");
    return FTK_EINVAL;
}
