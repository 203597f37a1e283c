/* SPDX-License-Identifier: MIT
 * train/weights.c - matching a file's arrays with a model's, by name and shape.
 */
#include "train/weights.h"

#include "base/stformat.h"
#include <float.h>
#include <string.h>

static const char data_parallel[] = "module."; /* before every name, by PyTorch's DataParallel */

enum { N_ROLES = 4, NAME_CAP = 256 };
static const uint32_t roles[N_ROLES] = { FTK_TENSOR_WEIGHT, FTK_TENSOR_BIAS, FTK_TENSOR_BN_MEAN,
                                         FTK_TENSOR_BN_VAR };

bool ftk__weights_next(const struct ftk__model *m, uint32_t *pos, uint32_t *ret_node,
                       uint32_t *ret_role)
{
    char name[NAME_CAP];
    for (; *pos < m->n_nodes * N_ROLES; ++*pos) {
        uint32_t node = *pos / N_ROLES;
        uint32_t role = roles[*pos % N_ROLES];
        if (!ftk__model_tensor_name(m, node, role, name, sizeof(name)))
            continue;
        *ret_node = node;
        *ret_role = role;
        ++*pos;
        return true;
    }
    return false;
}

/* The name of an array as the model has it. */
static const char *plain_name(const char *array)
{
    return ftk__str_starts(array, data_parallel) ? array + strlen(data_parallel) : array;
}

const struct ftk__st_array *ftk__weights_find(const struct ftk__st_file *f, const char *name)
{
    const struct ftk__st_array *a = ftk__st_find(f, name);
    for (uint64_t i = 0; !a && i < f->n; i++)
        if (strcmp(plain_name(f->arrays[i].name), name) == 0)
            a = &f->arrays[i];
    return a;
}

static bool shape_fits(const struct ftk__st_array *a, const uint64_t *dims, uint32_t n_dims)
{
    if (a->n_dims != n_dims)
        return false;
    for (uint32_t i = 0; i < n_dims; i++)
        if (a->dims[i] != dims[i])
            return false;
    return true;
}

static void add_shape(struct ftk__str *s, const uint64_t *dims, uint32_t n_dims)
{
    ftk__str_add(s, "(");
    for (uint32_t i = 0; i < n_dims; i++)
        ftk__str_addf(s, "%s%llu", i ? ", " : "", (unsigned long long)dims[i]);
    ftk__str_add(s, ")");
}

void ftk__weights_judge(const struct ftk__st_array *a, const char *name, enum ftk__dtype dtype,
                        const uint64_t *dims, uint32_t n_dims, struct ftk__str *wrong)
{
    if (!a) {
        ftk__str_addf(wrong, "; %s is missing", name);
        return;
    }
    if (a->dtype == dtype && shape_fits(a, dims, n_dims))
        return;
    ftk__str_addf(wrong, "; %s is %s ", name, ftk__st_dtype_name(a->dtype));
    add_shape(wrong, a->dims, a->n_dims);
    ftk__str_addf(wrong, ", not %s ", ftk__st_dtype_name(dtype));
    add_shape(wrong, dims, n_dims);
}

/* Appends the first value that no network computes with; of an array that was judged. */
static void check_values(const struct ftk__st_array *a, const char *name, uint32_t role,
                         struct ftk__str *wrong)
{
    const float *v = a->data;
    bool variance = role == FTK_TENSOR_BN_VAR;
    float least = variance ? 0.0f : -FLT_MAX;
    for (uint64_t i = 0; i < ftk__st_count(a); i++) {
        if (v[i] >= least && v[i] <= FLT_MAX)
            continue;
        ftk__str_addf(wrong, "; %s holds %g at %llu, %s", name, (double)v[i], (unsigned long long)i,
                      variance ? "not a finite number from 0 on" : "not a finite number");
        return;
    }
}

/* Appends what is missing, mis-shaped or not a number to `wrong`. */
static void check_arrays(const struct ftk__st_file *f, const struct ftk__model *m,
                         struct ftk__str *wrong)
{
    uint32_t pos = 0;
    uint32_t node;
    uint32_t role;
    char name[NAME_CAP];
    while (ftk__weights_next(m, &pos, &node, &role)) {
        uint64_t dims[4];
        uint32_t n_dims = ftk__model_tensor_shape(m, node, role, dims);
        ftk__model_tensor_name(m, node, role, name, sizeof(name));
        const struct ftk__st_array *a = ftk__weights_find(f, name);
        uint64_t before = wrong->len;
        ftk__weights_judge(a, name, FTK__F32, dims, n_dims, wrong);
        if (a && wrong->len == before)
            check_values(a, name, role, wrong);
    }
}

static bool in_model(const struct ftk__model *m, const char *array)
{
    uint32_t pos = 0;
    uint32_t node;
    uint32_t role;
    char name[NAME_CAP];
    while (ftk__weights_next(m, &pos, &node, &role)) {
        ftk__model_tensor_name(m, node, role, name, sizeof(name));
        if (strcmp(name, array) == 0)
            return true;
    }
    return false;
}

/* Appends what the model does not have, or has once only, to `extra`. */
static void check_extra(const struct ftk__st_file *f, const struct ftk__model *m,
                        struct ftk__str *extra)
{
    for (uint64_t i = 0; i < f->n; i++) {
        const char *name = f->arrays[i].name;
        const char *plain = plain_name(name);
        if (ftk__str_ends(name, "num_batches_tracked"))
            continue;
        if (!in_model(m, plain))
            ftk__str_addf(extra, "; %s is not of model %s", name, m->name);
        else if (ftk__weights_find(f, plain) != &f->arrays[i])
            ftk__str_addf(extra, "; %s is there twice, once as %s", plain, name);
    }
}

/* Appends as many whole entries of a list as fit into `room` bytes, at least one, and how many more
 * there are. */
static void add_some(struct ftk__str *s, const struct ftk__str *list, uint64_t room)
{
    uint64_t fit = 0;
    uint64_t more = 0;
    uint64_t next = 0;
    for (uint64_t at = 0; at < list->len; at = next) {
        const char *mark = strstr(list->text + at + 2, "; ");
        next = mark ? (uint64_t)(mark - list->text) : list->len;
        if (at == 0 || (more == 0 && next <= room))
            fit = next;
        else
            more++;
    }
    if (fit)
        ftk__str_add_n(s, list->text, fit);
    if (more)
        ftk__str_addf(s, "; and %llu more", (unsigned long long)more);
}

/* Both lists, shortened to what a message holds beside the path. */
static void join(const struct ftk__str *wrong, const struct ftk__str *extra, const char *path,
                 struct ftk__str *ret)
{
    uint64_t used = strlen(path) + 2 * sizeof("; and 4294967295 more");
    uint64_t room = used < FTK__ERROR_TEXT ? FTK__ERROR_TEXT - used : 0;
    add_some(ret, wrong, extra->len < room / 2 ? room - extra->len : room / 2);
    add_some(ret, extra, wrong->len < room / 2 ? room - wrong->len : room / 2);
    ret->failed = ret->failed || wrong->failed || extra->failed;
}

ftk_status ftk__weights_check(const struct ftk__st_file *f, const struct ftk__model *m,
                              const char *path, struct ftk_error *reterr)
{
    struct ftk__str wrong = { 0 };
    struct ftk__str extra = { 0 };
    struct ftk__str text = { 0 };
    check_arrays(f, m, &wrong);
    check_extra(f, m, &extra);
    join(&wrong, &extra, path, &text);
    ftk_status st = FTK_OK;
    if (text.failed)
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory to check %s", path);
    else if (text.len)
        st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA, "%s: %s", path, text.text + 2);
    ftk__str_done(&wrong);
    ftk__str_done(&extra);
    ftk__str_done(&text);
    return st;
}

static void expand_member(const char *path, uint32_t member, struct ftk__str *ret)
{
    const char *mark = strstr(path, "%d");
    if (!mark) {
        ftk__str_add(ret, path);
        return;
    }
    ftk__str_add_n(ret, path, (uint64_t)(mark - path));
    ftk__str_addf(ret, "%u%s", member, mark + 2);
}

ftk_status ftk__weights_open(const char *path, uint32_t member, const struct ftk__model *m,
                             struct ftk__st_file *ret, struct ftk_error *reterr)
{
    struct ftk__str full = { 0 };
    expand_member(path, member, &full);
    ftk_status st = FTK_OK;
    if (full.failed || !full.text)
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory for the name of %s", path);
    if (st >= 0)
        st = ftk__st_open(full.text, ret, reterr);
    if (st >= 0) {
        st = ftk__weights_check(ret, m, full.text, reterr);
        if (st < 0)
            ftk__st_close(ret);
    }
    ftk__str_done(&full);
    return st;
}

ftk_status ftk__weights_copy(const struct ftk__st_file *f, const struct ftk__model *m,
                             uint32_t node, uint32_t role, float *ret, uint64_t n,
                             struct ftk_error *reterr)
{
    char name[NAME_CAP];
    const struct ftk__st_array *a = NULL;
    if (ftk__model_tensor_name(m, node, role, name, sizeof(name)))
        a = ftk__weights_find(f, name);
    if (!a || ftk__st_count(a) != n)
        return ftk__fail(reterr, FTK_EINTERNAL, "array %u of node %u was not checked", role, node);
    memcpy(ret, a->data, n * sizeof(*ret));
    return FTK_OK;
}
