/* SPDX-License-Identifier: MIT
 * train/mask_file.c - which weights of a member are active, from its masks or from its weights.
 */
#include "train/mask_file.h"

#include "base/io.h"
#include "base/stformat.h"
#include "base/str.h"
#include "train/checkpoint_impl.h"
#include "train/netfile.h"
#include "train/weights.h"
#include <math.h>
#include <stddef.h>
#include <string.h>

enum { NAME_CAP = 256 };
#define DENSITY_SLACK 1e-6 /* between what is written in an experiment and what a file holds */

static const char member_ending[] = ".safetensors";
static const char masks_ending[] = ".masks.safetensors";

struct file_params {
    const char *path;
};
static const ftk_param params[] = {
    FTK_PARAM_STR(struct file_params, path, "", FTK_PF_REQUIRED | FTK_PF_PATH,
                  "a member's masks, the member, or a checkpoint"),
    FTK_PARAM_END,
};
static const struct ftk__builtin file = {
    .group = "init",
    .name = "file",
    .summary = "the masks of a member that was trained before, or of a checkpoint",
    .reference = "",
    .params = params,
    .params_size = sizeof(struct file_params),
};
const struct ftk__builtin *const ftk__init_builtins[] = { &file, NULL };

static void mask_name(const struct ftk__model *m, uint32_t layer, char name[NAME_CAP])
{
    ftk__model_tensor_name(m, m->layer_node[layer], FTK_TENSOR_WEIGHT, name, NAME_CAP);
}

static void check_values(const struct ftk__st_array *a, struct ftk__str *wrong)
{
    const uint8_t *v = a->data;
    uint64_t n = ftk__st_count(a);
    uint64_t i = ftk__bool_bad(v, n);
    if (i < n)
        ftk__str_addf(wrong, "; %s holds %u at %llu, a mask only 0 and 1", a->name, v[i],
                      (unsigned long long)i);
}

static bool is_layer(const struct ftk__model *m, const char *array)
{
    char name[NAME_CAP];
    for (uint32_t l = 0; l < m->n_layers; l++) {
        mask_name(m, l, name);
        if (strcmp(name, array) == 0)
            return true;
    }
    return false;
}

static ftk_status check_masks(const struct ftk__st_file *f, const struct ftk__model *m,
                              const char *path, struct ftk_error *reterr)
{
    struct ftk__str wrong = { 0 };
    for (uint32_t l = 0; l < m->n_layers; l++) {
        char name[NAME_CAP];
        uint64_t dims[4];
        uint32_t n_dims = ftk__model_tensor_shape(m, m->layer_node[l], FTK_TENSOR_WEIGHT, dims);
        mask_name(m, l, name);
        const struct ftk__st_array *a = ftk__st_find(f, name);
        uint64_t before = wrong.len;
        ftk__weights_judge(a, name, FTK__U8, dims, n_dims, &wrong);
        if (a && wrong.len == before)
            check_values(a, &wrong);
    }
    for (uint64_t i = 0; i < f->n; i++)
        if (!is_layer(m, f->arrays[i].name))
            ftk__str_addf(&wrong, "; %s is no maskable weight of model %s", f->arrays[i].name,
                          m->name);
    ftk_status st = FTK_OK;
    if (wrong.failed)
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory to check %s", path);
    else if (wrong.len)
        st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA, "%s: %s", path, wrong.text + 2);
    ftk__str_done(&wrong);
    return st;
}

static bool is_active(const struct ftk__st_array *a, uint64_t i)
{
    if (a->dtype == FTK__U8)
        return ((const uint8_t *)a->data)[i] != 0;
    float w = ((const float *)a->data)[i];
    return w < 0 || w > 0 || isnan(w);
}

static ftk_status take_layer(const struct ftk__st_array *a, struct ftk__topology_mask *ret,
                             struct ftk_error *reterr)
{
    uint64_t n = ftk__st_count(a);
    ret->index = ftk__alloc_array(n, sizeof(*ret->index));
    if (!ret->index)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for the mask of %s", a->name);
    for (uint64_t i = 0; i < n; i++)
        if (is_active(a, i))
            ret->index[ret->n++] = i;
    return FTK_OK;
}

/* Of a checked file. */
static ftk_status take_masks(const struct ftk__st_file *f, const struct ftk__model *m,
                             struct ftk__mask_file *ret, struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    uint64_t active = 0;
    ret->n_layers = m->n_layers;
    ret->mask = ftk__alloc_array(m->n_layers, sizeof(*ret->mask));
    if (!ret->mask)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for %u masks", m->n_layers);
    for (uint32_t l = 0; l < m->n_layers && st >= 0; l++) {
        char name[NAME_CAP];
        mask_name(m, l, name);
        st = take_layer(ftk__weights_find(f, name), &ret->mask[l], reterr);
        active += ret->mask[l].n;
    }
    ret->density = m->n_maskable ? (double)active / (double)m->n_maskable : 1;
    return st;
}

/* "x.safetensors" -> "x.masks.safetensors" where there is such a file, else the path itself. */
static ftk_status masks_beside(const char *path, struct ftk__str *ret, struct ftk_error *reterr)
{
    if (ftk__str_ends(path, member_ending) && !ftk__str_ends(path, masks_ending)) {
        ftk__str_add_n(ret, path, strlen(path) - strlen(member_ending));
        ftk__str_add(ret, masks_ending);
        if (!ret->failed && !ftk__file_exists(ret->text))
            ftk__str_done(ret);
    }
    if (!ret->failed && !ret->text)
        ftk__str_add(ret, path);
    return ret->failed ? ftk__fail(reterr, FTK_ENOMEM, "no memory for the name of %s", path)
                       : FTK_OK;
}

static bool holds_masks(const struct ftk__st_file *f, const char *path)
{
    bool any = ftk__str_ends(path, masks_ending);
    for (uint64_t i = 0; i < f->n; i++)
        any = any || f->arrays[i].dtype == FTK__U8;
    return any;
}

/* By its first bytes; what cannot be read is left to others to complain of. */
static bool is_checkpoint(const char *path)
{
    char head[sizeof(ftk__ftc_magic)] = { 0 };
    FILE *f = fopen(path, "rbe");
    if (!f)
        return false;
    bool whole = fread(head, 1, sizeof(head), f) == sizeof(head);
    fclose(f);
    return whole && memcmp(head, ftk__ftc_magic, sizeof(head)) == 0;
}

/* The masks of the network that was live when the checkpoint was written. */
static ftk_status read_checkpoint(const char *path, const struct ftk__model *m,
                                  struct ftk__mask_file *ret, struct ftk_error *reterr)
{
    struct ftk__ftc_file f;
    uint64_t active = 0;
    ftk_status st = ftk__ftc_open(path, &f, reterr);
    if (st < 0)
        return st;
    st = ftk__checkpoint_check_layers(&f, m, reterr);
    ret->n_layers = m->n_layers;
    ret->mask = ftk__alloc_array(m->n_layers, sizeof(*ret->mask));
    if (st >= 0 && !ret->mask)
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory for %u masks", m->n_layers);
    for (uint32_t l = 0; l < m->n_layers && st >= 0; l++) {
        struct ftk__topology_mask *mask = &ret->mask[l];
        st = ftk__netfile_mask(m, FTK__CHECKPOINT_LIVE, &f, l, &mask->index, &mask->n, reterr);
        active += mask->n;
    }
    ret->density = m->n_maskable ? (double)active / (double)m->n_maskable : 1;
    ftk__ftc_close(&f);
    return st;
}

static ftk_status read_safetensors(const char *path, const struct ftk__model *m,
                                   struct ftk__mask_file *ret, struct ftk_error *reterr)
{
    struct ftk__st_file f = { 0 };
    ftk_status st = ftk__st_open(path, &f, reterr);
    if (st < 0)
        return st;
    if (holds_masks(&f, path))
        st = check_masks(&f, m, path, reterr);
    else
        st = ftk__weights_check(&f, m, path, reterr);
    if (st >= 0)
        st = take_masks(&f, m, ret, reterr);
    ftk__st_close(&f);
    return st;
}

/* `path` is the file itself. */
static ftk_status read_file(const char *path, const struct ftk__model *m,
                            struct ftk__mask_file *ret, struct ftk_error *reterr)
{
    ftk_status st = is_checkpoint(path) ? read_checkpoint(path, m, ret, reterr)
                                        : read_safetensors(path, m, ret, reterr);
    if (st >= 0 && !(ret->density > 0))
        st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA, "%s: no weight is active", path);
    return st;
}

ftk_status ftk__mask_file_read(const char *path, const struct ftk__model *m,
                               struct ftk__mask_file *ret, struct ftk_error *reterr)
{
    struct ftk__mask_file f = { 0 };
    struct ftk__str from = { 0 };
    ftk_status st = masks_beside(path, &from, reterr);
    if (st >= 0)
        st = read_file(from.text, m, &f, reterr);
    ftk__str_done(&from);
    if (st < 0)
        ftk__mask_file_done(&f);
    else
        *ret = f;
    return st;
}

void ftk__mask_file_done(struct ftk__mask_file *f)
{
    for (uint32_t l = 0; f->mask && l < f->n_layers; l++)
        ftk__free(f->mask[l].index);
    ftk__free(f->mask);
    *f = (struct ftk__mask_file){ 0 };
}

bool ftk__init_is_file(const struct ftk__experiment *x)
{
    return x->init_builtin == &file;
}

ftk_status ftk__init_file_read(const struct ftk__experiment *x, const struct ftk__model *m,
                               double density, struct ftk__mask_file *ret, struct ftk_error *reterr)
{
    const struct file_params *p = x->init.params;
    struct ftk__mask_file f;
    ftk_status st = ftk__mask_file_read(p->path, m, &f, reterr);
    if (st < 0)
        return st;
    if (density > 0 && fabs(density - f.density) > DENSITY_SLACK) {
        st = ftk__fail(reterr, FTK_ERANGE,
                       "sparsity.density %.9g is not that of the masks in %s, which is %.9g",
                       density, p->path, f.density);
        ftk__mask_file_done(&f);
        return st;
    }
    *ret = f;
    return FTK_OK;
}

ftk_status ftk__init_densities(const struct ftk__experiment *x, const struct ftk__model *m,
                               struct ftk__topology *t, double density, double *ret_density,
                               struct ftk_error *reterr)
{
    struct ftk__mask_file f = { 0 };
    if (!ftk__init_is_file(x) || !(density > 0))
        return ftk__topology_densities(t, density, ret_density, reterr);
    ftk_status st = ftk__init_file_read(x, m, density, &f, reterr);
    if (st < 0)
        return st;
    for (uint32_t l = 0; l < m->n_layers; l++)
        ret_density[l] = (double)f.mask[l].n / (double)m->layers[l].n;
    ftk__mask_file_done(&f);
    return FTK_OK;
}
