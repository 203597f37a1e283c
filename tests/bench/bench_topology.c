/* SPDX-License-Identifier: MIT
 * bench_topology.c - one topology update of WRN-28-10 at S = 0.9: seconds, and how often the
 * weights and gradients could be read in that time.
 *
 * The backend is flat arrays and a bitmap, so what is measured is the core's: reading candidates,
 * scores, selection, edit.  Forming the gradient is not part of it.  Bars: half a second on one
 * core, 12 reads for gradient growth, extra memory of 2 (k + 64 Ki) candidates a layer.
 */
#include "base/rng.h"
#include "conform/fake_backend.h"
#include "sparse/topology.h"
#include "topology_case.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LAYERS = 29, RUNS = 7, CANDIDATE_BYTES = 12 };

struct shape {
    uint32_t out, in, k; /* k x k filters                                */
    double density;      /* ERK at S = 0.9, 10 classes                   */
};

/* In the order of the model: conv1, then conv1, conv2 (and the shortcut) of 12 blocks, fc. */
static uint32_t wrn_28_10(struct shape ret[LAYERS])
{
    static const uint32_t width[4] = { 16, 160, 320, 640 };
    static const double first[4] = { 1, 1, 0.206219, 0.102473 };
    static const double other[4] = { 1, 0.276656, 0.137055, 0.068209 };
    static const double shortcut[4] = { 1, 1, 1, 0.918439 };
    uint32_t n = 0;
    ret[n++] = (struct shape){ 16, 3, 3, 1 };
    for (uint32_t g = 1; g <= 3; g++) {
        ret[n++] = (struct shape){ width[g], width[g - 1], 3, first[g] };
        ret[n++] = (struct shape){ width[g], width[g], 3, other[g] };
        ret[n++] = (struct shape){ width[g], width[g - 1], 1, shortcut[g] };
        for (uint32_t i = 0; i < 6; i++)
            ret[n++] = (struct shape){ width[g], width[g], 3, other[g] };
    }
    ret[n++] = (struct shape){ 10, 640, 1, 1 };
    return n;
}

/* Of this process's one thread, so that a busy machine disturbs less. */
static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A field of /proc/self/status in KiB; 0 where there is none. */
static uint64_t memory_kib(const char *field)
{
    char line[256];
    unsigned long long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof(line), f)) {
        if (strncmp(line, field, strlen(field)) == 0)
            (void)sscanf(line + strlen(field), "%llu", &kib);
    }
    if (f)
        fclose(f);
    return kib;
}

static void reset_peak(void)
{
    FILE *f = fopen("/proc/self/clear_refs", "w");
    if (!f)
        return;
    fputs("5", f);
    fclose(f);
}

static volatile uint64_t sink;

/* All weights and gradients once, as fast as memory gives them. */
static double time_read(const struct fake_backend *f)
{
    uint64_t sum[4] = { 0 };
    double start = seconds();
    for (uint32_t l = 0; l < f->n_layers; l++) {
        const float *array[2] = { f->layer[l].weight, f->layer[l].grad };
        for (unsigned a = 0; a < 2; a++) {
            for (uint64_t i = 0; i + 8 <= f->layer[l].n; i += 8) {
                uint64_t word[4];
                memcpy(word, array[a] + i, sizeof(word));
                for (unsigned j = 0; j < 4; j++)
                    sum[j] ^= word[j];
            }
        }
    }
    double taken = seconds() - start;
    sink = sum[0] ^ sum[1] ^ sum[2] ^ sum[3];
    return taken;
}

static double approximately_normal(ftk_rng *rng)
{
    uint64_t u = ftk__rng_u64(rng);
    double sum = 0;
    for (unsigned i = 0; i < 4; i++)
        sum += (double)(u >> (16 * i) & 0xffff) / 65536.0 - 0.5;
    return sum;
}

static void fill(struct fake_backend *f, uint64_t run, bool grad)
{
    for (uint32_t l = 0; l < f->n_layers; l++) {
        struct fake_layer *layer = &f->layer[l];
        ftk_rng rng = ftk__rng_stream(run, FTK__FOR_WEIGHTS, l, 0, 0);
        for (uint64_t i = 0; i < layer->n; i++) {
            if (fake_active(layer, i))
                layer->weight[i] = (float)approximately_normal(&rng);
            if (grad)
                layer->grad[i] = (float)approximately_normal(&rng);
        }
    }
}

static ftk_status erk(const ftk_host *h, void *self, const ftk_net *net, ftk_update *u,
                      double target, double *ret_density)
{
    struct shape shape[LAYERS];
    (void)h;
    (void)self;
    (void)u;
    (void)target;
    (void)wrn_28_10(shape);
    for (uint32_t l = 0; l < net->n_layers; l++)
        ret_density[l] = shape[l].density;
    return FTK_OK;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void die(const struct ftk_error *err)
{
    ftk__error_print(stderr, err);
    exit(1);
}

struct bench {
    struct fake_backend *fake;
    struct ftk__topology *t;
    struct ftk__topology_options options;
    uint64_t weights;
};

/* The bar on memory: sum over layers of 2 (k + 64 Ki) candidates. */
static double memory_bar(const struct bench *b)
{
    double bytes = 0;
    const ftk_layer *layers = ftk__topology_layers(b->t);
    for (uint32_t l = 0; l < LAYERS; l++) {
        if (layers[l].density_target < 1)
            bytes += 2 * (b->options.rate * (double)layers[l].nnz + 65536) * CANDIDATE_BYTES;
    }
    return bytes;
}

/* Whether all bars are kept. `reads` 0: no bar on it. */
static bool measure(struct bench *b, const char *name, double reads)
{
    double update[RUNS], read[RUNS];
    double extra = 0;
    struct ftk_error err;
    for (uint32_t run = 0; run < RUNS; run++) {
        const struct ftk__topology_event ev = { .step = 1000 * (run + 1), .rate = b->options.rate };
        struct ftk__topology_report report;
        fill(b->fake, run, run == 0);
        read[run] = time_read(b->fake);
        uint64_t before = memory_kib("VmRSS:");
        reset_peak();
        double start = seconds();
        if (ftk__topology_update(b->t, &b->fake->engine, &ev, &report, &err) < 0)
            die(&err);
        update[run] = seconds() - start;
        double more = 1024.0 * (double)(memory_kib("VmHWM:") - before);
        extra = more > extra ? more : extra;
        if (run == 0)
            printf("%s: %llu of %llu active weights replaced\n", name,
                   (unsigned long long)report.dropped, (unsigned long long)report.nnz);
    }
    qsort(update, RUNS, sizeof(*update), ascending);
    qsort(read, RUNS, sizeof(*read), ascending);
    double ratio = update[0] / read[0];
    printf("  update: median %.3f s, min %.3f s (bar 0.5)\n", update[RUNS / 2], update[0]);
    printf("  one read of weights and gradients: median %.4f s, min %.4f s\n", read[RUNS / 2],
           read[0]);
    printf("  ratio: of medians %.1f, of minima %.1f", update[RUNS / 2] / read[RUNS / 2], ratio);
    printf(reads > 0 ? " (bar %.0f)\n" : "\n", reads);
    printf("  peak extra memory %.1f MB (bar %.1f)\n", extra / 1e6, memory_bar(b) / 1e6);
    return update[0] <= 0.5 && (!(reads > 0) || ratio <= reads) && extra <= memory_bar(b);
}

static bool bench(const ftk_algo *grow, const char *name, double reads)
{
    static const ftk_init_ops init_ops = { .size = sizeof(init_ops), .density = erk };
    const ftk_algo init = { .size = sizeof(init),
                            .kind = FTK_KIND_INIT,
                            .name = "table",
                            .summary = "",
                            .reference = "",
                            .ops = &init_ops };
    struct shape shape[LAYERS];
    uint64_t n[LAYERS];
    ftk_layer layer[LAYERS];
    struct ftk_error err;
    struct ftk__entry entry[3] = { { .algo = &init },
                                   { .algo = &case_magnitude },
                                   { .algo = grow } };
    struct ftk__instance inst[3];
    struct bench b = { .options = case_preset(FTK__PRESET_PAPER) };
    double target = 0;
    (void)wrn_28_10(shape);
    for (uint32_t l = 0; l < LAYERS; l++) {
        n[l] = (uint64_t)shape[l].out * shape[l].in * shape[l].k * shape[l].k;
        layer[l] = (ftk_layer){ .size = sizeof(ftk_layer), .index = l, .n = n[l], .name = "layer" };
        b.weights += n[l];
        target += shape[l].density * (double)n[l];
    }
    for (uint32_t i = 0; i < 3; i++) {
        if (ftk__instance_new(&entry[i], NULL, &inst[i], &err) < 0)
            die(&err);
    }
    const struct ftk__topology_setup setup = { .layers = layer,
                                               .n_layers = LAYERS,
                                               .seed = 1,
                                               .options = &b.options,
                                               .init = &inst[0],
                                               .prune = &inst[1],
                                               .grow = &inst[2] };
    b.fake = fake_backend_new(n, LAYERS);
    if (!b.fake || ftk__topology_new(&setup, &b.t, &err) < 0 ||
        ftk__topology_init(b.t, &b.fake->engine, 0, target / (double)b.weights, &err) < 0)
        die(&err);
    bool good = measure(&b, name, reads);
    ftk__topology_free(b.t);
    fake_backend_free(b.fake);
    for (uint32_t i = 0; i < 3; i++)
        ftk__instance_done(&inst[i]);
    return good;
}

int main(void)
{
    bool good = bench(&case_gradient, "magnitude, then gradient", 12);
    good = bench(&case_uniform_grow, "magnitude, then random", 0) && good;
    printf("%s\n", good ? "all bars kept" : "a bar is missed");
    return good ? 0 : 1;
}
