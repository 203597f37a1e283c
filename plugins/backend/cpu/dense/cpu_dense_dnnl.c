/* SPDX-License-Identifier: MIT
 * dense/cpu_dense_dnnl.c - passes of a dense layer on oneDNN 2.6's C API.
 *
 * A slice's images are copied from lanes to [image][pixel][channel], which the library computes on
 * without reordering, and back.  Its primitives keep the thread count they were made with, so both
 * making and running happen with OpenMP limited to one thread; scratchpads are ours, a slice each,
 * because the library's own belong to the thread that made the primitive.
 */
#include "dense/cpu_dense.h"
#include <dnnl.h>
#include <omp.h>

enum pass { PASS_FORWARD, PASS_BACKWARD, PASS_DWEIGHT, PASS_N };

/* Workspace of one slice. */
struct room {
    float *src, *dst, *dw;
    char *pad;
    size_t src_n, dst_n, dw_n, pad_n;
};

struct cpu_dense_lib {
    const ftk_host *host;
    const struct cpu_kernels *kern;
    dnnl_engine_t engine;
    dnnl_stream_t stream[CPU_MAX_SLICES];
    struct room room[CPU_MAX_SLICES];
};

/* The primitives for slices of so many images. */
struct set {
    struct set *next;
    uint32_t images;
    dnnl_primitive_desc_t desc[PASS_N];
    dnnl_primitive_t run[PASS_N];
    dnnl_primitive_t order[PASS_N]; /* canonical -> forward, backward; dweight -> canonical */
    float *weight[2];               /* in the library's layout, for forward and backward   */
};

struct cpu_dense {
    struct cpu_dense_lib *lib;
    const struct cpu_geom *geom;
    struct set *sets;
    dnnl_memory_desc_t canonical;
};

int cpu_dense_available(void)
{
    return 1;
}

static int limit_threads(void)
{
    const int old = omp_get_max_threads();
    omp_set_num_threads(1);
    return old;
}

static ftk_status status_of(dnnl_status_t st)
{
    if (st == dnnl_success)
        return FTK_OK;
    return st == dnnl_out_of_memory ? FTK_ENOMEM : FTK_EINTERNAL;
}

/* Without this the library takes the best of the machine, and a run on `portable` or `avx2` would
 * have other bits on another machine.  It is one choice a process, made before the library is used
 * first: a process that opens devices of several instruction sets keeps the first. */
static void limit_isa(const struct cpu_kernels *kern)
{
    const dnnl_cpu_isa_t isa = kern->lanes == 16  ? dnnl_cpu_isa_avx512_core
                               : kern->lanes == 8 ? dnnl_cpu_isa_avx2
                                                  : dnnl_cpu_isa_sse41;
    (void)dnnl_set_max_cpu_isa(isa);
}

ftk_status cpu_dense_open(const ftk_host *host, const struct cpu_kernels *kern,
                          struct cpu_dense_lib **ret)
{
    struct cpu_dense_lib *lib = host->alloc(host, sizeof(*lib));
    if (!lib)
        return FTK_ENOMEM;
    lib->host = host;
    lib->kern = kern;
    limit_isa(kern);
    dnnl_status_t st = dnnl_engine_create(&lib->engine, dnnl_cpu, 0);
    for (uint32_t i = 0; i < CPU_MAX_SLICES && st == dnnl_success; i++)
        st = dnnl_stream_create(&lib->stream[i], lib->engine, dnnl_stream_default_flags);
    if (st != dnnl_success) {
        cpu_dense_close(lib);
        return status_of(st);
    }
    *ret = lib;
    return FTK_OK;
}

void cpu_dense_close(struct cpu_dense_lib *lib)
{
    if (!lib)
        return;
    const ftk_host *h = lib->host;
    for (uint32_t i = 0; i < CPU_MAX_SLICES; i++) {
        dnnl_stream_destroy(lib->stream[i]);
        h->free(h, lib->room[i].src);
        h->free(h, lib->room[i].dst);
        h->free(h, lib->room[i].dw);
        h->free(h, lib->room[i].pad);
    }
    dnnl_engine_destroy(lib->engine);
    h->free(h, lib);
}

static void describe(const struct cpu_dense *d, uint32_t images, dnnl_format_tag_t tag_image,
                     dnnl_memory_desc_t ret[3])
{
    const struct cpu_geom *g = d->geom;
    const int dims = g->linear ? 2 : 4;
    const dnnl_dims_t src = { images, g->in_c, g->in[CPU_Y], g->in[CPU_X] };
    const dnnl_dims_t dst = { images, g->out_c, g->out[CPU_Y], g->out[CPU_X] };
    const dnnl_dims_t weight = { g->out_c, g->in_c, g->kernel[CPU_Y], g->kernel[CPU_X] };
    dnnl_memory_desc_init_by_tag(&ret[0], dims, src, dnnl_f32, tag_image);
    dnnl_memory_desc_init_by_tag(&ret[1], dims, weight, dnnl_f32, dnnl_format_tag_any);
    dnnl_memory_desc_init_by_tag(&ret[2], dims, dst, dnnl_f32, tag_image);
}

static dnnl_status_t make_linear(const dnnl_memory_desc_t md[3], enum pass pass,
                                 dnnl_engine_t engine, const_dnnl_primitive_attr_t attr,
                                 const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *ret)
{
    dnnl_inner_product_desc_t op;
    dnnl_status_t st;
    if (pass == PASS_FORWARD)
        st = dnnl_inner_product_forward_desc_init(&op, dnnl_forward_training, &md[0], &md[1], NULL,
                                                  &md[2]);
    else
        st = dnnl_inner_product_backward_data_desc_init(&op, &md[0], &md[1], &md[2]);
    if (st != dnnl_success)
        return st;
    return dnnl_primitive_desc_create(ret, &op, attr, engine, hint);
}

/* Padding after the last row that makes the library agree on the output size; it may be negative
 * where a stride leaves rows unused. */
static void padding_after(const struct cpu_geom *g, dnnl_dims_t ret)
{
    for (int a = 0; a < 2; a++)
        ret[a] = (dnnl_dim_t)(g->out[a] - 1) * g->stride[a] + g->kernel[a] - g->in[a] - g->pad[a];
}

static dnnl_status_t make_conv(const struct cpu_geom *g, const dnnl_memory_desc_t md[3],
                               enum pass pass, dnnl_engine_t engine,
                               const_dnnl_primitive_attr_t attr, const_dnnl_primitive_desc_t hint,
                               dnnl_primitive_desc_t *ret)
{
    const dnnl_dims_t stride = { g->stride[CPU_Y], g->stride[CPU_X] };
    const dnnl_dims_t before = { g->pad[CPU_Y], g->pad[CPU_X] };
    const dnnl_alg_kind_t direct = dnnl_convolution_direct;
    dnnl_dims_t after = { 0 };
    dnnl_convolution_desc_t op;
    dnnl_status_t st;
    padding_after(g, after);
    if (pass == PASS_FORWARD)
        st = dnnl_convolution_forward_desc_init(&op, dnnl_forward_training, direct, &md[0], &md[1],
                                                NULL, &md[2], stride, before, after);
    else if (pass == PASS_BACKWARD)
        st = dnnl_convolution_backward_data_desc_init(&op, direct, &md[0], &md[1], &md[2], stride,
                                                      before, after);
    else
        st = dnnl_convolution_backward_weights_desc_init(&op, direct, &md[0], &md[1], NULL, &md[2],
                                                         stride, before, after);
    if (st != dnnl_success)
        return st;
    return dnnl_primitive_desc_create(ret, &op, attr, engine, hint);
}

static const dnnl_memory_desc_t *weight_desc(const struct set *s, enum pass pass)
{
    const dnnl_query_t q =
        pass == PASS_DWEIGHT ? dnnl_query_diff_weights_md : dnnl_query_weights_md;
    return dnnl_primitive_desc_query_md(s->desc[pass], q, 0);
}

static dnnl_status_t make_order(struct cpu_dense *d, struct set *s, enum pass pass)
{
    const dnnl_memory_desc_t *theirs = weight_desc(s, pass);
    const dnnl_memory_desc_t *from = pass == PASS_DWEIGHT ? theirs : &d->canonical;
    const dnnl_memory_desc_t *to = pass == PASS_DWEIGHT ? &d->canonical : theirs;
    dnnl_primitive_desc_t desc;
    dnnl_status_t st =
        dnnl_reorder_primitive_desc_create(&desc, from, d->lib->engine, to, d->lib->engine, NULL);
    if (st != dnnl_success)
        return st;
    st = dnnl_primitive_create(&s->order[pass], desc);
    dnnl_primitive_desc_destroy(desc);
    return st;
}

static void set_free(struct cpu_dense *d, struct set *s)
{
    const ftk_host *h = d->lib->host;
    for (int p = 0; p < PASS_N; p++) {
        dnnl_primitive_destroy(s->run[p]);
        dnnl_primitive_destroy(s->order[p]);
        dnnl_primitive_desc_destroy(s->desc[p]);
    }
    h->free(h, s->weight[0]);
    h->free(h, s->weight[1]);
    h->free(h, s);
}

/* The weight gradient of a linear layer is a plain product: cpu_dense_product.c. */
static int passes_of(const struct cpu_dense *d)
{
    return d->geom->linear ? PASS_DWEIGHT : PASS_N;
}

static dnnl_status_t set_fill(struct cpu_dense *d, struct set *s, const_dnnl_primitive_attr_t attr)
{
    dnnl_memory_desc_t md[3];
    dnnl_status_t st = dnnl_success;
    describe(d, s->images, d->geom->linear ? dnnl_ab : dnnl_acdb, md);
    for (int p = 0; p < passes_of(d) && st == dnnl_success; p++) {
        const_dnnl_primitive_desc_t hint = p == PASS_FORWARD ? NULL : s->desc[PASS_FORWARD];
        if (d->geom->linear)
            st = make_linear(md, (enum pass)p, d->lib->engine, attr, hint, &s->desc[p]);
        else
            st = make_conv(d->geom, md, (enum pass)p, d->lib->engine, attr, hint, &s->desc[p]);
        if (st == dnnl_success)
            st = dnnl_primitive_create(&s->run[p], s->desc[p]);
        if (st == dnnl_success)
            st = make_order(d, s, (enum pass)p);
    }
    return st;
}

static ftk_status set_new(struct cpu_dense *d, uint32_t images, struct set **ret)
{
    const ftk_host *h = d->lib->host;
    struct set *s = h->alloc(h, sizeof(*s));
    dnnl_primitive_attr_t attr = NULL;
    if (!s)
        return FTK_ENOMEM;
    s->images = images;
    const int threads = limit_threads();
    dnnl_status_t st = dnnl_primitive_attr_create(&attr);
    if (st == dnnl_success)
        st = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
    if (st == dnnl_success)
        st = set_fill(d, s, attr);
    dnnl_primitive_attr_destroy(attr);
    omp_set_num_threads(threads);
    for (int p = 0; p < 2 && st == dnnl_success; p++) {
        s->weight[p] = h->alloc(h, dnnl_memory_desc_get_size(weight_desc(s, (enum pass)p)));
        st = s->weight[p] ? dnnl_success : dnnl_out_of_memory;
    }
    if (st != dnnl_success) {
        set_free(d, s);
        return status_of(st);
    }
    *ret = s;
    return FTK_OK;
}

ftk_status cpu_dense_new(struct cpu_dense_lib *lib, const struct cpu_geom *g,
                         struct cpu_dense **ret)
{
    struct cpu_dense *d = lib->host->alloc(lib->host, sizeof(*d));
    const dnnl_dims_t dims = { g->out_c, g->in_c, g->kernel[CPU_Y], g->kernel[CPU_X] };
    if (!d)
        return FTK_ENOMEM;
    d->lib = lib;
    d->geom = g;
    dnnl_memory_desc_init_by_tag(&d->canonical, g->linear ? 2 : 4, dims, dnnl_f32,
                                 g->linear ? dnnl_ab : dnnl_abcd);
    *ret = d;
    return FTK_OK;
}

void cpu_dense_free(struct cpu_dense *d)
{
    if (!d)
        return;
    while (d->sets) {
        struct set *s = d->sets;
        d->sets = s->next;
        set_free(d, s);
    }
    d->lib->host->free(d->lib->host, d);
}

static uint32_t images_of(const struct cpu_dense *d, const struct cpu_slices *s, uint32_t i)
{
    return (s->first[i + 1] - s->first[i]) * d->lib->kern->lanes;
}

static struct set *set_of(struct cpu_dense *d, uint32_t images)
{
    struct set *s = d->sets;
    while (s && s->images != images)
        s = s->next;
    return s;
}

static ftk_status grow(const ftk_host *h, void **p, size_t *size, size_t need)
{
    if (need <= *size)
        return FTK_OK;
    void *q = h->alloc(h, need);
    if (!q)
        return FTK_ENOMEM;
    h->free(h, *p);
    *p = q;
    *size = need;
    return FTK_OK;
}

static ftk_status room_fit(struct cpu_dense *d, const struct set *s, struct room *r)
{
    const struct cpu_geom *g = d->geom;
    const ftk_host *h = d->lib->host;
    const size_t in = (size_t)g->in_c * g->in[CPU_Y] * g->in[CPU_X];
    const size_t out = (size_t)g->out_c * g->out[CPU_Y] * g->out[CPU_X];
    size_t pad = 64;
    size_t dw = 0;
    for (int p = 0; p < passes_of(d); p++) {
        const dnnl_memory_desc_t *md =
            dnnl_primitive_desc_query_md(s->desc[p], dnnl_query_scratchpad_md, 0);
        const size_t n = dnnl_memory_desc_get_size(md);
        pad = n > pad ? n : pad;
    }
    if (!g->linear)
        dw = dnnl_memory_desc_get_size(weight_desc(s, PASS_DWEIGHT));
    ftk_status st = grow(h, (void **)&r->src, &r->src_n, s->images * in * sizeof(float));
    if (st == FTK_OK)
        st = grow(h, (void **)&r->dst, &r->dst_n, s->images * out * sizeof(float));
    if (st == FTK_OK)
        st = grow(h, (void **)&r->dw, &r->dw_n, dw);
    if (st == FTK_OK)
        st = grow(h, (void **)&r->pad, &r->pad_n, pad);
    return st;
}

ftk_status cpu_dense_prepare(struct cpu_dense *d, const struct cpu_slices *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        struct set *set = set_of(d, images_of(d, s, i));
        if (!set) {
            const ftk_status st = set_new(d, images_of(d, s, i), &set);
            if (st != FTK_OK)
                return st;
            set->next = d->sets;
            d->sets = set;
        }
        const ftk_status st = room_fit(d, set, &d->lib->room[i]);
        if (st != FTK_OK)
            return st;
    }
    return FTK_OK;
}

/* Run a primitive on n buffers: arguments, descriptors and memory side by side. */
struct bound {
    int arg;
    const dnnl_memory_desc_t *desc;
    const void *data;
};

static dnnl_status_t execute(dnnl_primitive_t p, dnnl_engine_t engine, dnnl_stream_t stream,
                             const struct bound *b, int n)
{
    dnnl_exec_arg_t args[4];
    dnnl_status_t st = dnnl_success;
    int made = 0;
    for (; made < n && st == dnnl_success; made++) {
        args[made].arg = b[made].arg;
        st = dnnl_memory_create(&args[made].memory, b[made].desc, engine, (void *)b[made].data);
    }
    if (st == dnnl_success) {
        const int threads = limit_threads();
        st = dnnl_primitive_execute(p, stream, n, args);
        if (st == dnnl_success)
            st = dnnl_stream_wait(stream);
        omp_set_num_threads(threads);
    } else {
        made--;
    }
    while (made > 0)
        dnnl_memory_destroy(args[--made].memory);
    return st;
}

ftk_status cpu_dense_weights(struct cpu_dense *d, const struct cpu_slices *s, const float *w)
{
    for (uint32_t i = 0; i < s->n; i++) {
        const uint32_t images = images_of(d, s, i);
        if (i && images == images_of(d, s, i - 1))
            continue;
        struct set *set = set_of(d, images);
        for (int p = 0; p < 2; p++) {
            const struct bound b[] = {
                { DNNL_ARG_FROM, &d->canonical, w },
                { DNNL_ARG_TO, weight_desc(set, (enum pass)p), set->weight[p] },
            };
            const dnnl_status_t st =
                execute(set->order[p], d->lib->engine, d->lib->stream[0], b, 2);
            if (st != dnnl_success)
                return status_of(st);
        }
    }
    return FTK_OK;
}

static size_t area_of(const uint32_t size[2])
{
    return (size_t)size[CPU_Y] * size[CPU_X];
}

static void load_slice(const struct cpu_dense *d, const struct cpu_slices *s, uint32_t i,
                       const float *x, int out, float *to)
{
    const struct cpu_geom *g = d->geom;
    const size_t c = out ? g->out_c : g->in_c;
    const size_t hw = area_of(out ? g->out : g->in);
    const size_t block = c * hw * d->lib->kern->lanes;
    for (uint32_t b = s->first[i]; b < s->first[i + 1]; b++, to += block)
        d->lib->kern->to_images(x + b * block, c, hw, to);
}

static int store_slice(const struct cpu_dense *d, const struct cpu_slices *s, uint32_t i,
                       const float *from, int out, const float *bias, int relu, float *y)
{
    const struct cpu_geom *g = d->geom;
    const size_t c = out ? g->out_c : g->in_c;
    const size_t hw = area_of(out ? g->out : g->in);
    const size_t block = c * hw * d->lib->kern->lanes;
    int bad = 0;
    for (uint32_t b = s->first[i]; b < s->first[i + 1]; b++, from += block)
        bad |= d->lib->kern->from_images(from, c, hw, bias, relu, y + b * block);
    return bad;
}

static ftk_status run_pass(struct cpu_dense *d, const struct set *set, uint32_t i, enum pass pass,
                           struct bound b[4])
{
    const struct room *r = &d->lib->room[i];
    const_dnnl_primitive_desc_t desc = set->desc[pass];
    static const dnnl_query_t query[PASS_N][3] = {
        { dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md },
        { dnnl_query_diff_src_md, dnnl_query_weights_md, dnnl_query_diff_dst_md },
        { dnnl_query_src_md, dnnl_query_diff_weights_md, dnnl_query_diff_dst_md },
    };
    for (int k = 0; k < 3; k++)
        b[k].desc = dnnl_primitive_desc_query_md(desc, query[pass][k], 0);
    b[3].arg = DNNL_ARG_SCRATCHPAD;
    b[3].desc = dnnl_primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0);
    b[3].data = r->pad;
    return status_of(execute(set->run[pass], d->lib->engine, d->lib->stream[i], b, 4));
}

ftk_status cpu_dense_forward(struct cpu_dense *d, const struct cpu_slices *s, uint32_t i,
                             const float *x, const float *bias, int relu, float *y,
                             atomic_int *ret_bad)
{
    const struct set *set = set_of(d, images_of(d, s, i));
    const struct room *r = &d->lib->room[i];
    struct bound b[4] = { { .arg = DNNL_ARG_SRC, .data = r->src },
                          { .arg = DNNL_ARG_WEIGHTS, .data = set->weight[PASS_FORWARD] },
                          { .arg = DNNL_ARG_DST, .data = r->dst } };
    load_slice(d, s, i, x, 0, r->src);
    const ftk_status st = run_pass(d, set, i, PASS_FORWARD, b);
    if (st == FTK_OK && store_slice(d, s, i, r->dst, 1, bias, relu, y))
        atomic_store(ret_bad, 1);
    return st;
}

ftk_status cpu_dense_backward(struct cpu_dense *d, const struct cpu_slices *s, uint32_t i,
                              const float *dy, float *dx)
{
    const struct set *set = set_of(d, images_of(d, s, i));
    const struct room *r = &d->lib->room[i];
    struct bound b[4] = { { .arg = DNNL_ARG_DIFF_SRC, .data = r->src },
                          { .arg = DNNL_ARG_WEIGHTS, .data = set->weight[PASS_BACKWARD] },
                          { .arg = DNNL_ARG_DIFF_DST, .data = r->dst } };
    load_slice(d, s, i, dy, 1, r->dst);
    const ftk_status st = run_pass(d, set, i, PASS_BACKWARD, b);
    if (st == FTK_OK)
        store_slice(d, s, i, r->src, 0, NULL, 0, dx);
    return st;
}

ftk_status cpu_dense_dweight(struct cpu_dense *d, const struct cpu_slices *s, uint32_t i,
                             const float *x, const float *dy, float *dw)
{
    const struct set *set = set_of(d, images_of(d, s, i));
    const struct room *r = &d->lib->room[i];
    struct bound b[4] = { { .arg = DNNL_ARG_SRC, .data = r->src },
                          { .arg = DNNL_ARG_DIFF_WEIGHTS, .data = r->dw },
                          { .arg = DNNL_ARG_DIFF_DST, .data = r->dst } };
    load_slice(d, s, i, x, 0, r->src);
    load_slice(d, s, i, dy, 1, r->dst);
    const ftk_status st = run_pass(d, set, i, PASS_DWEIGHT, b);
    if (st != FTK_OK)
        return st;
    const struct bound back[] = { { DNNL_ARG_FROM, weight_desc(set, PASS_DWEIGHT), r->dw },
                                  { DNNL_ARG_TO, &d->canonical, dw } };
    return status_of(execute(set->order[PASS_DWEIGHT], d->lib->engine, d->lib->stream[i], back, 2));
}
