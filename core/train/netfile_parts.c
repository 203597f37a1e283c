/* SPDX-License-Identifier: MIT
 * train/netfile_parts.c - names, masks and exact arrays of a network in a checkpoint, which the live
 * one and copies share.
 */
#include "train/netfile.h"

#include "base/str.h"
#include "sparse/bits.h"
#include <string.h>

ftk_status ftk__netfile_refuse(const struct ftk__ftc_file *f, const char *name, const char *what,
                               struct ftk_error *reterr)
{
    return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA, "%s: array '%s' %s", f->path, name,
                          what);
}

static ftk_status no_memory(struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "no memory for a checkpoint");
}

/* ---- names ----------------------------------------------------------------------------------- */

ftk_status ftk__netfile_name(const struct ftk__model *m, const char *prefix, const ftk_tensor *t,
                             char ret[FTK__NETFILE_NAME], struct ftk_error *reterr)
{
    const uint32_t moments = FTK_TENSOR_MOMENT1 | FTK_TENSOR_MOMENT2;
    const char *ending = t->role & FTK_TENSOR_MOMENT1   ? ".moment1"
                         : t->role & FTK_TENSOR_MOMENT2 ? ".moment2"
                                                        : "";
    char name[FTK__NETFILE_NAME];
    if (ftk__model_tensor_name(m, t->node, t->role & ~moments, name, sizeof(name)) &&
        ftk__format(ret, FTK__NETFILE_NAME, "%s/%s%s", prefix, name, ending))
        return FTK_OK;
    return ftk__fail(reterr, FTK_EINVAL, "array %u of node %u has no name for a checkpoint",
                     t->role, t->node);
}

static ftk_status mask_name(const struct ftk__model *m, const char *prefix, uint32_t layer,
                            const char *ending, char ret[FTK__NETFILE_NAME],
                            struct ftk_error *reterr)
{
    const ftk_tensor t = { .node = m->layer_node[layer], .role = FTK_TENSOR_WEIGHT };
    char name[FTK__NETFILE_NAME];
    ftk_status st = ftk__netfile_name(m, prefix, &t, name, reterr);
    if (st >= 0 && !ftk__format(ret, FTK__NETFILE_NAME, "%s%s", name, ending))
        st = ftk__fail(reterr, FTK_EINVAL, "%s is too long a name for a checkpoint", name);
    return st;
}

void ftk__netfile_put(struct ftk__ftc_writer *w, const char *prefix, const char *what,
                      enum ftk__ftc_dtype dtype, uint64_t n, uint64_t bytes, const void *data)
{
    char name[FTK__NETFILE_NAME];
    ftk__format(name, sizeof(name), "%s/%s", prefix, what);
    ftk__ftc_begin(w, name, dtype, n);
    ftk__ftc_put(w, data, bytes);
}

ftk_status ftk__netfile_exact(const struct ftk__ftc_file *f, const char *prefix, const char *what,
                              enum ftk__ftc_dtype dtype, uint64_t n, void *ret,
                              struct ftk_error *reterr)
{
    char name[FTK__NETFILE_NAME];
    ftk__format(name, sizeof(name), "%s/%s", prefix, what);
    const struct ftk__ftc_array *a = ftk__ftc_find(f, name);
    if (!a)
        return ftk__netfile_refuse(f, name, "is missing", reterr);
    if (a->dtype != dtype || a->n != n)
        return ftk__netfile_refuse(f, name, "has another type or length than this run's", reterr);
    return ftk__ftc_read(f, a, 0, n, ret, reterr);
}

/* ---- masks out ------------------------------------------------------------------------------- */

ftk_status ftk__mask_out_begin(struct ftk__mask_out *o, const struct ftk__network *n,
                               const char *prefix, uint32_t layer, uint64_t nnz,
                               struct ftk__ftc_writer *w, struct ftk_error *reterr)
{
    char name[FTK__NETFILE_NAME];
    uint64_t all = n->model->layers[layer].n;
    bool wide = all > UINT32_MAX;
    memset(o, 0, sizeof(*o));
    o->w = w;
    o->dtype = wide ? FTK__FTC_U64 : FTK__FTC_U32;
    o->words = ftk__bits_words(all);
    o->bits = 8 * o->words <= nnz * (wide ? 8 : 4);
    ftk_status st = mask_name(n->model, prefix, layer, o->bits ? ".bits" : ".index", name, reterr);
    if (st >= 0)
        ftk__ftc_begin(w, name, o->bits ? FTK__FTC_U64 : o->dtype, o->bits ? o->words : nnz);
    return st;
}

/* Puts the words of the bitmap up to `word`. */
static void flush_words(struct ftk__mask_out *o, uint64_t word)
{
    while (o->at < word) {
        uint64_t n = word - o->at < FTK__MASK_BUFFER ? word - o->at : FTK__MASK_BUFFER;
        ftk__ftc_put(o->w, o->buffer, n * sizeof(*o->buffer));
        memset(o->buffer, 0, sizeof(o->buffer));
        o->at += n;
    }
}

static void add_bits(struct ftk__mask_out *o, const uint64_t *index, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        uint64_t word = index[i] / 64;
        if (word >= o->at + FTK__MASK_BUFFER)
            flush_words(o, word);
        ftk__bits_set(o->buffer, index[i] - 64 * o->at);
    }
}

static void add_narrow(struct ftk__mask_out *o, const uint64_t *index, uint64_t n)
{
    uint32_t narrow[FTK__MASK_BUFFER];
    for (uint64_t i = 0; i < n;) {
        uint64_t k = 0;
        while (k < FTK__MASK_BUFFER && i < n)
            narrow[k++] = (uint32_t)index[i++];
        ftk__ftc_put(o->w, narrow, k * sizeof(*narrow));
    }
}

void ftk__mask_out_add(struct ftk__mask_out *o, const uint64_t *index, uint64_t n)
{
    if (o->bits)
        add_bits(o, index, n);
    else if (o->dtype == FTK__FTC_U32)
        add_narrow(o, index, n);
    else
        ftk__ftc_put(o->w, index, n * sizeof(*index));
}

void ftk__mask_out_end(struct ftk__mask_out *o)
{
    if (o->bits)
        flush_words(o, o->words);
}

/* ---- masks in -------------------------------------------------------------------------------- */

static ftk_status mask_of_bits(const struct ftk__ftc_file *f, const struct ftk__ftc_array *a,
                               uint64_t all, uint64_t **ret, uint64_t *ret_n,
                               struct ftk_error *reterr)
{
    if (a->dtype != FTK__FTC_U64 || a->n != ftk__bits_words(all))
        return ftk__netfile_refuse(f, a->name, "is no bitmap of this layer", reterr);
    uint64_t *bits = ftk__alloc_array(a->n, sizeof(*bits));
    if (!bits)
        return no_memory(reterr);
    ftk_status st = ftk__ftc_read(f, a, 0, a->n, bits, reterr);
    if (st >= 0 && all % 64 && bits[a->n - 1] >> (all % 64))
        st = ftk__netfile_refuse(f, a->name, "marks weights that the layer has not", reterr);
    uint64_t n = st >= 0 ? ftk__bits_count(bits, all) : 0;
    uint64_t *index = st >= 0 ? ftk__alloc_array(n, sizeof(*index)) : NULL;
    if (st >= 0 && !index)
        st = no_memory(reterr);
    if (st >= 0) {
        uint64_t at = ftk__bits_next(bits, 0, all);
        for (uint64_t i = 0; i < n; i++) {
            index[i] = at;
            at = ftk__bits_next(bits, at + 1, all);
        }
        *ret = index;
        *ret_n = n;
    }
    ftk__free(bits);
    return st;
}

/* Positions as they are read, u32 or u64, in place to u64. */
static void widen(uint64_t *index, uint64_t n)
{
    const unsigned char *from = (const unsigned char *)index;
    for (uint64_t i = n; i-- > 0;) {
        uint32_t v;
        memcpy(&v, from + i * sizeof(v), sizeof(v));
        index[i] = v;
    }
}

static ftk_status mask_of_index(const struct ftk__ftc_file *f, const struct ftk__ftc_array *a,
                                uint64_t all, uint64_t **ret, uint64_t *ret_n,
                                struct ftk_error *reterr)
{
    if ((a->dtype != FTK__FTC_U32 && a->dtype != FTK__FTC_U64) || a->n > all)
        return ftk__netfile_refuse(f, a->name, "is no list of this layer's weights", reterr);
    uint64_t *index = ftk__alloc_array(a->n, sizeof(*index));
    if (!index)
        return no_memory(reterr);
    ftk_status st = ftk__ftc_read(f, a, 0, a->n, index, reterr);
    if (st >= 0 && a->dtype == FTK__FTC_U32)
        widen(index, a->n);
    for (uint64_t i = 0; i < a->n && st >= 0; i++) {
        if (index[i] >= all || (i > 0 && index[i] <= index[i - 1]))
            st = ftk__netfile_refuse(f, a->name, "is not ascending below the layer's weights",
                                     reterr);
    }
    if (st < 0) {
        ftk__free(index);
        return st;
    }
    *ret = index;
    *ret_n = a->n;
    return st;
}

ftk_status ftk__netfile_mask(const struct ftk__model *m, const char *prefix,
                             const struct ftk__ftc_file *f, uint32_t layer, uint64_t **ret,
                             uint64_t *ret_n, struct ftk_error *reterr)
{
    char name[FTK__NETFILE_NAME];
    uint64_t all = m->layers[layer].n;
    ftk_status st = mask_name(m, prefix, layer, ".bits", name, reterr);
    if (st < 0)
        return st;
    const struct ftk__ftc_array *a = ftk__ftc_find(f, name);
    if (a)
        return mask_of_bits(f, a, all, ret, ret_n, reterr);
    st = mask_name(m, prefix, layer, ".index", name, reterr);
    if (st < 0)
        return st;
    a = ftk__ftc_find(f, name);
    return a ? mask_of_index(f, a, all, ret, ret_n, reterr)
             : ftk__netfile_refuse(f, name, "is missing", reterr);
}

ftk_status ftk__netfile_find(const struct ftk__model *m, const char *prefix,
                             const struct ftk__ftc_file *f, const ftk_tensor *t,
                             const struct ftk__ftc_array **ret, struct ftk_error *reterr)
{
    char name[FTK__NETFILE_NAME];
    ftk_status st = ftk__netfile_name(m, prefix, t, name, reterr);
    if (st < 0)
        return st;
    *ret = ftk__ftc_find(f, name);
    if (!*ret)
        return ftk__netfile_refuse(f, name, "is missing", reterr);
    if ((*ret)->dtype != FTK__FTC_F32)
        return ftk__netfile_refuse(f, name, "is not F32", reterr);
    return FTK_OK;
}
