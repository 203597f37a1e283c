/* SPDX-License-Identifier: MIT
 * train/member.c - a network's state dict and masks to files, and back.
 */
#include "train/member.h"

#include "base/path.h"
#include "base/str.h"
#include "train/weights.h"
#include <string.h>

enum { NAME_CAP = 256 };

void ftk__member_name(uint32_t member, enum ftk__member_part part, char ret[FTK__MEMBER_NAME])
{
    ftk__format(ret, FTK__MEMBER_NAME, "member-%u%s.safetensors", member,
                part == FTK__MEMBER_MASKS ? ".masks" : "");
}

/* Arrays gathered for one file; names and data are owned. */
struct bundle {
    struct ftk__st_array *v; // [n]
    uint64_t n;
    struct ftk__arena names;
};

static void bundle_done(struct bundle *b)
{
    for (uint64_t i = 0; i < b->n; i++)
        ftk__free((void *)(uintptr_t)b->v[i].data);
    ftk__free(b->v);
    ftk__arena_done(&b->names);
}

/* Takes `data` over, also on failure. */
static ftk_status bundle_add(struct bundle *b, const char *name, const struct ftk__st_array *like,
                             void *data, struct ftk_error *reterr)
{
    struct ftk__st_array *more = ftk__realloc_array(b->v, b->n, b->n + 1, sizeof(*more));
    char *own = ftk__arena_strdup(&b->names, name);
    if (more)
        b->v = more;
    if (!more || !own) {
        ftk__free(data);
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for array %s", name);
    }
    b->v[b->n] = *like;
    b->v[b->n].name = own;
    b->v[b->n].data = data;
    b->n++;
    return FTK_OK;
}

/* Here and below `of` is a copy of the network to be written, or NULL for the live one. */
static ftk_status add_whole(struct ftk__network *n, const struct ftk__snapshot *of,
                            struct bundle *b, uint32_t node, uint32_t role, const char *name,
                            struct ftk_error *reterr)
{
    struct ftk__st_array a = { .dtype = FTK__F32 };
    float *v;
    uint64_t count;
    ftk_status st = of ? ftk__snapshot_dense_tensor(of, n, node, role, &v, &count, reterr)
                       : ftk__network_dense_tensor(n, node, role, &v, &count, reterr);
    if (st < 0)
        return st;
    a.n_dims = ftk__model_tensor_shape(n->model, node, role, a.dims);
    return bundle_add(b, name, &a, v, reterr);
}

static ftk_status add_mask(struct ftk__network *n, const struct ftk__snapshot *of, struct bundle *b,
                           uint32_t layer, const char *name, struct ftk_error *reterr)
{
    struct ftk__st_array a = { .dtype = FTK__U8 };
    uint64_t *own = NULL;
    const uint64_t *active;
    uint64_t n_active;
    ftk_status st = FTK_OK;
    if (!of)
        st = ftk__engine_active(n->engine, layer, &own, &n_active, reterr);
    if (st < 0)
        return st;
    active = of ? ftk__snapshot_active(of, layer, &n_active) : own;
    uint8_t *mask = ftk__alloc(n->model->layers[layer].n);
    for (uint64_t i = 0; mask && i < n_active; i++)
        mask[active[i]] = 1;
    ftk__free(own);
    if (!mask)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for the mask of %s", name);
    a.n_dims =
        ftk__model_tensor_shape(n->model, n->model->layer_node[layer], FTK_TENSOR_WEIGHT, a.dims);
    return bundle_add(b, name, &a, mask, reterr);
}

static ftk_status write_bundle(struct bundle *b, const char *dir, const char *file,
                               const struct ftk__st_meta *meta, uint64_t n_meta,
                               struct ftk_error *reterr)
{
    char *path = ftk__path_join(dir, file);
    if (!path)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for the name of %s", file);
    ftk_status st = ftk__st_write(path, b->v, b->n, meta, n_meta, reterr);
    ftk__free(path);
    return st;
}

static ftk_status save_masks(struct ftk__network *n, const struct ftk__snapshot *of,
                             const char *dir, uint32_t member, const struct ftk__st_meta *meta,
                             uint64_t n_meta, struct ftk_error *reterr)
{
    struct bundle b = { 0 };
    char name[NAME_CAP];
    ftk_status st = FTK_OK;
    for (uint32_t l = 0; l < n->model->n_layers && st >= 0; l++) {
        ftk__model_tensor_name(n->model, n->model->layer_node[l], FTK_TENSOR_WEIGHT, name,
                               sizeof(name));
        st = add_mask(n, of, &b, l, name, reterr);
    }
    ftk__member_name(member, FTK__MEMBER_MASKS, name);
    if (st >= 0)
        st = write_bundle(&b, dir, name, meta, n_meta, reterr);
    bundle_done(&b);
    return st;
}

/* Both files of a member, with all metadata. */
static ftk_status save_both(struct ftk__network *n, const struct ftk__snapshot *of, const char *dir,
                            uint32_t member, const struct ftk__st_meta *meta, uint64_t n_meta,
                            struct ftk_error *reterr)
{
    struct bundle b = { 0 };
    char name[NAME_CAP];
    uint32_t pos = 0;
    uint32_t node;
    uint32_t role;
    ftk_status st = save_masks(n, of, dir, member, meta, n_meta, reterr);
    while (st >= 0 && ftk__weights_next(n->model, &pos, &node, &role)) {
        ftk__model_tensor_name(n->model, node, role, name, sizeof(name));
        st = add_whole(n, of, &b, node, role, name, reterr);
    }
    ftk__member_name(member, FTK__MEMBER_WEIGHTS, name);
    if (st >= 0)
        st = write_bundle(&b, dir, name, meta, n_meta, reterr);
    bundle_done(&b);
    return st;
}

ftk_status ftk__member_save(struct ftk__network *n, const struct ftk__snapshot *of, const char *dir,
                            uint32_t member, const struct ftk__st_meta *meta, uint64_t n_meta,
                            struct ftk_error *reterr)
{
    char number[16];
    struct ftk__st_meta *all = ftk__alloc_array(n_meta + 1, sizeof(*all));
    if (!all)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for the metadata of member %u", member);
    ftk__format(number, sizeof(number), "%u", member);
    if (n_meta > 0)
        memcpy(all, meta, n_meta * sizeof(*all));
    all[n_meta] = (struct ftk__st_meta){ .key = "member", .value = number };
    ftk_status st = save_both(n, of, dir, member, all, n_meta + 1, reterr);
    ftk__free(all);
    return st;
}

/* One layer's mask from the file's bytes. */
static ftk_status put_mask(struct ftk__network *n, uint32_t layer, const struct ftk__st_file *f,
                           const char *path, struct ftk_error *reterr)
{
    char name[NAME_CAP];
    uint64_t count = n->model->layers[layer].n;
    ftk__model_tensor_name(n->model, n->model->layer_node[layer], FTK_TENSOR_WEIGHT, name,
                           sizeof(name));
    const struct ftk__st_array *a = ftk__st_find(f, name);
    if (!a || a->dtype != FTK__U8 || ftk__st_count(a) != count)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                              "%s: no U8 mask %s of %llu entries", path, name,
                              (unsigned long long)count);
    const uint8_t *mask = a->data;
    uint64_t *active = ftk__alloc_array(count, sizeof(*active));
    if (!active)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for the mask of %s", name);
    uint64_t n_active = 0;
    for (uint64_t i = 0; i < count; i++)
        if (mask[i])
            active[n_active++] = i;
    ftk__engine_begin(n->engine);
    ftk_status st = n->engine->ops->mask(n->engine->prog, layer, active, n_active);
    st = ftk__engine_end(n->engine, st, reterr);
    ftk__free(active);
    return st;
}

static ftk_status load_masks(struct ftk__network *n, const char *path, struct ftk_error *reterr)
{
    struct ftk__st_file f = { 0 };
    ftk_status st = ftk__st_open(path, &f, reterr);
    for (uint32_t l = 0; l < n->model->n_layers && st >= 0; l++)
        st = put_mask(n, l, &f, path, reterr);
    ftk__st_close(&f);
    return st;
}

static ftk_status load_arrays(struct ftk__network *n, const char *path, struct ftk_error *reterr)
{
    struct ftk__st_file f = { 0 };
    uint32_t pos = 0;
    uint32_t node;
    uint32_t role;
    char name[NAME_CAP];
    ftk_status st = ftk__weights_open(path, 0, n->model, &f, reterr);
    while (st >= 0 && ftk__weights_next(n->model, &pos, &node, &role)) {
        ftk__model_tensor_name(n->model, node, role, name, sizeof(name));
        st = ftk__network_put_dense(n, node, role, ftk__weights_find(&f, name)->data, reterr);
    }
    ftk__st_close(&f);
    return st;
}

static ftk_status load_part(struct ftk__network *n, const char *dir, uint32_t member,
                            enum ftk__member_part part, struct ftk_error *reterr)
{
    char name[FTK__MEMBER_NAME];
    ftk__member_name(member, part, name);
    char *path = ftk__path_join(dir, name);
    if (!path)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for the name of member %u", member);
    ftk_status st =
        part == FTK__MEMBER_MASKS ? load_masks(n, path, reterr) : load_arrays(n, path, reterr);
    ftk__free(path);
    return st;
}

ftk_status ftk__member_load(struct ftk__network *n, const char *dir, uint32_t member,
                            struct ftk_error *reterr)
{
    ftk_status st = load_part(n, dir, member, FTK__MEMBER_MASKS, reterr);
    return st < 0 ? st : load_part(n, dir, member, FTK__MEMBER_WEIGHTS, reterr);
}

static ftk_status add_active(struct ftk__network *n, struct bundle *b, uint32_t layer,
                             const char *name, struct ftk_error *reterr)
{
    char full[NAME_CAP + 8];
    struct ftk__st_array a = { .dtype = FTK__I64, .n_dims = 1 };
    uint64_t *active;
    uint32_t index;
    float *v;
    ftk_status st = ftk__engine_active(n->engine, layer, &active, &a.dims[0], reterr);
    if (st < 0)
        return st;
    ftk__format(full, sizeof(full), "%s.index", name);
    st = bundle_add(b, full, &a, active, reterr);
    uint64_t stored;
    if (st >= 0)
        st = ftk__engine_tensor(n->engine, n->model->layer_node[layer], FTK_TENSOR_WEIGHT, &index,
                                &stored, reterr);
    if (st >= 0)
        st = ftk__engine_get(n->engine, index, stored, &v, reterr);
    if (st < 0)
        return st;
    a.dtype = FTK__F32;
    ftk__format(full, sizeof(full), "%s.value", name);
    return bundle_add(b, full, &a, v, reterr);
}

ftk_status ftk__trajectory_save(struct ftk__network *n, const char *dir, uint32_t op,
                                uint32_t member, struct ftk_error *reterr)
{
    struct bundle b = { 0 };
    char name[NAME_CAP];
    uint32_t pos = 0;
    uint32_t node;
    uint32_t role;
    ftk_status st = FTK_OK;
    while (st >= 0 && ftk__weights_next(n->model, &pos, &node, &role)) {
        ftk__model_tensor_name(n->model, node, role, name, sizeof(name));
        uint32_t layer = ftk__network_layer_of(n, node, role);
        if (layer != UINT32_MAX)
            st = add_active(n, &b, layer, name, reterr);
        else
            st = add_whole(n, NULL, &b, node, role, name, reterr);
    }
    ftk__format(name, sizeof(name), "t-%09llu-op-%u-member-%u.safetensors",
                (unsigned long long)n->t, op, member);
    if (st >= 0)
        st = write_bundle(&b, dir, name, NULL, 0, reterr);
    bundle_done(&b);
    return st;
}
