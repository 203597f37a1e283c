/* SPDX-License-Identifier: MIT
 * backend_host.c - the small host table and the loader of backend tests.
 */
#include "backend_host.h"

#include <dlfcn.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BLOCK_ALIGN = 64 };

/* In front of every scratch block; a whole alignment unit long, so the block stays aligned. */
struct bt_scratch {
    struct bt_scratch *next;
    unsigned char fill[BLOCK_ALIGN - sizeof(struct bt_scratch *)];
};

FTK_PRINTF(3, 4)
static ftk_status host_fail(const ftk_host *h, ftk_status st, const char *fmt, ...)
{
    struct bt_host *host = h->self;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(host->message, sizeof(host->message), fmt, args);
    va_end(args);
    host->last = st;
    host->failures++;
    return st;
}

FTK_PRINTF(3, 4)
static void host_log(const ftk_host *h, ftk_level level, const char *fmt, ...)
{
    (void)h;
    (void)level;
    (void)fmt;
}

/* Zeroed and aligned, or NULL; counts the request. */
static void *block_new(struct bt_host *host, size_t bytes)
{
    host->requests++;
    if (host->requests == host->fail_at || bytes > SIZE_MAX - BLOCK_ALIGN) {
        return NULL;
    }
    size_t rounded = (bytes + BLOCK_ALIGN - 1) / BLOCK_ALIGN * BLOCK_ALIGN;
    void *p = NULL;
    if (posix_memalign(&p, BLOCK_ALIGN, rounded == 0 ? BLOCK_ALIGN : rounded) != 0) {
        return NULL;
    }
    return memset(p, 0, rounded);
}

static void *host_alloc(const ftk_host *h, size_t bytes)
{
    struct bt_host *host = h->self;
    void *p = block_new(host, bytes);
    if (p != NULL) {
        host->live++;
    }
    return p;
}

static void host_free(const ftk_host *h, void *p)
{
    struct bt_host *host = h->self;
    if (p != NULL) {
        host->live--;
        free(p);
    }
}

static void *host_scratch(const ftk_host *h, size_t bytes)
{
    struct bt_host *host = h->self;
    struct bt_scratch *s = block_new(host, bytes + sizeof(struct bt_scratch));
    if (s == NULL) {
        return NULL;
    }
    s->next = host->scratch;
    host->scratch = s;
    return s + 1;
}

/* Philox 4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC11). */
static void philox(const uint64_t counter[2], uint64_t key, uint32_t ret_word[4])
{
    uint32_t c[4] = { (uint32_t)counter[0], (uint32_t)(counter[0] >> 32), (uint32_t)counter[1],
                      (uint32_t)(counter[1] >> 32) };
    uint32_t k0 = (uint32_t)key;
    uint32_t k1 = (uint32_t)(key >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = UINT64_C(0xD2511F53) * c[0];
        uint64_t p1 = UINT64_C(0xCD9E8D57) * c[2];
        uint32_t next[4] = { (uint32_t)(p1 >> 32) ^ c[1] ^ k0, (uint32_t)p1,
                             (uint32_t)(p0 >> 32) ^ c[3] ^ k1, (uint32_t)p0 };
        memcpy(c, next, sizeof(c));
        k0 += UINT32_C(0x9E3779B9);
        k1 += UINT32_C(0xBB67AE85);
    }
    memcpy(ret_word, c, sizeof(c));
}

uint64_t bt_rng_u64(ftk_rng *rng)
{
    const uint64_t counter[2] = { rng->counter / 2, rng->key[1] };
    uint32_t word[4];
    philox(counter, rng->key[0], word);
    uint32_t half = (uint32_t)(rng->counter % 2) * 2;
    rng->counter++;
    return (uint64_t)word[half + 1] << 32 | word[half];
}

double bt_rng_uniform(ftk_rng *rng)
{
    return (double)(bt_rng_u64(rng) >> 11) * 0x1p-53;
}

double bt_rng_normal(ftk_rng *rng)
{
    double u = bt_rng_uniform(rng);
    double v = bt_rng_uniform(rng);
    return sqrt(-2.0 * log(1.0 - u)) * cos(6.283185307179586 * v);
}

uint64_t bt_rng_below(ftk_rng *rng, uint64_t n)
{
    uint64_t rest = (UINT64_MAX % n + 1) % n; /* 2^64 mod n */
    uint64_t u = bt_rng_u64(rng);
    while (rest != 0 && u >= UINT64_MAX - rest + 1) {
        u = bt_rng_u64(rng);
    }
    return u % n;
}

/* Plain selection: the best of what is left, k times.  Good enough for small tests. */
static ftk_status select_k(const ftk_host *h, const float *score, uint64_t n, uint64_t k,
                           float sign, uint64_t *ret_pos)
{
    uint8_t *taken = host_scratch(h, n);
    if (taken == NULL) {
        return host_fail(h, FTK_ENOMEM, "no memory to select of %llu", (unsigned long long)n);
    }
    if (k > n) {
        return host_fail(h, FTK_ERANGE, "cannot select %llu of %llu", (unsigned long long)k,
                         (unsigned long long)n);
    }
    for (uint64_t i = 0; i < n; i++) {
        if (isnan(score[i])) {
            return host_fail(h, FTK_ENUMERIC, "score %llu is NaN", (unsigned long long)i);
        }
    }
    for (uint64_t j = 0; j < k; j++) {
        uint64_t best = n;
        for (uint64_t i = 0; i < n; i++) {
            if (!taken[i] && (best == n || sign * score[i] < sign * score[best])) {
                best = i;
            }
        }
        taken[best] = 1;
    }
    uint64_t at = 0;
    for (uint64_t i = 0; i < n; i++) {
        if (taken[i]) {
            ret_pos[at++] = i;
        }
    }
    return FTK_OK;
}

static ftk_status host_select_low(const ftk_host *h, const float *score, uint64_t n, uint64_t k,
                                  uint64_t *ret_pos)
{
    return select_k(h, score, n, k, 1.0f, ret_pos);
}

static ftk_status host_select_high(const ftk_host *h, const float *score, uint64_t n, uint64_t k,
                                   uint64_t *ret_pos)
{
    return select_k(h, score, n, k, -1.0f, ret_pos);
}

static const void *host_get_extension(const ftk_host *h, const char *id)
{
    (void)h;
    (void)id;
    return NULL;
}

void bt_host_init(struct bt_host *host)
{
    memset(host, 0, sizeof(*host));
    host->table = (ftk_host){
        .size = sizeof(ftk_host),
        .abi_major = FTK_ABI_MAJOR,
        .abi_minor = FTK_ABI_MINOR,
        .self = host,
        .fail = host_fail,
        .log = host_log,
        .alloc = host_alloc,
        .free = host_free,
        .scratch = host_scratch,
        .rng_u64 = bt_rng_u64,
        .rng_uniform = bt_rng_uniform,
        .rng_normal = bt_rng_normal,
        .rng_below = bt_rng_below,
        .select_low = host_select_low,
        .select_high = host_select_high,
        .get_extension = host_get_extension,
    };
}

void bt_host_call_done(struct bt_host *host)
{
    while (host->scratch != NULL) {
        struct bt_scratch *next = host->scratch->next;
        free(host->scratch);
        host->scratch = next;
    }
}

void bt_host_done(struct bt_host *host)
{
    bt_host_call_done(host);
}

static ftk_status take_algo(const ftk_registry *r, const ftk_algo *algo)
{
    struct bt_backend *backend = r->self;
    if (algo->kind != FTK_KIND_BACKEND || backend->algo != NULL) {
        return FTK_EINVAL;
    }
    backend->algo = algo;
    backend->ops = algo->ops;
    return FTK_OK;
}

/* dlsym() returns an object pointer; ISO C has no cast from it to a function's. */
static bool symbol(void *file, const char *name, void *ret_function)
{
    void *address = dlsym(file, name);
    memcpy(ret_function, &address, sizeof(address));
    return address != NULL;
}

/* Fills in the defaults of a table of enums and booleans; false where there are others. */
static bool default_params(struct bt_backend *backend)
{
    const ftk_algo *algo = backend->algo;
    if (algo->params_size > sizeof(backend->params)) {
        return false;
    }
    for (const ftk_param *p = algo->params; p != NULL && p->name != NULL; p++) {
        if (p->type != FTK_P_ENUM && p->type != FTK_P_BOOL) {
            return false;
        }
        backend->params[p->offset / sizeof(int32_t)] = (int32_t)p->def;
    }
    return true;
}

bool bt_backend_load(struct bt_host *host, const char *name, struct bt_backend *ret_backend)
{
    const char *folder = getenv("FTK_TEST_PLUGINS");
    char path[4096];
    int length =
        snprintf(path, sizeof(path), "%s/backend_%s.so", folder == NULL ? "" : folder, name);
    if (folder == NULL || length < 0 || (size_t)length >= sizeof(path)) {
        fprintf(stderr, "FTK_TEST_PLUGINS does not name a folder\n");
        return false;
    }
    struct bt_backend backend = { .host = host };
    backend.file = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (backend.file == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return false;
    }
    const ftk_stamp *(*stamp)(void) = NULL;
    ftk_status (*fill)(const ftk_registry *) = NULL;
    if (!symbol(backend.file, "ftk_plugin_stamp", &stamp) ||
        !symbol(backend.file, "ftk_plugin_register", &fill)) {
        fprintf(stderr, "%s: not a plugin\n", path);
        return false;
    }
    backend.stamp = stamp();
    ftk_registry registry = { .size = sizeof(ftk_registry),
                              .abi_major = FTK_ABI_MAJOR,
                              .abi_minor = FTK_ABI_MINOR,
                              .self = &backend,
                              .add = take_algo };
    if (backend.stamp->magic != FTK_MAGIC || fill(&registry) != FTK_OK || backend.ops == NULL ||
        !default_params(&backend)) {
        fprintf(stderr, "%s: not one backend with parameters that are choices\n", path);
        return false;
    }
    *ret_backend = backend;
    return true;
}

ftk_dev *bt_backend_open(const struct bt_backend *backend, uint32_t threads, const char *isa)
{
    const ftk_open how = { .size = sizeof(ftk_open),
                           .threads = threads,
                           .precision = FTK_FP32,
                           .isa = isa == NULL ? "auto" : isa };
    ftk_dev *dev = NULL;
    ftk_status st = backend->ops->open(&backend->host->table, backend->params, &how, &dev);
    if (st != FTK_OK) {
        fail_msg("open: status %d: %s", (int)st, backend->host->message);
    }
    return dev;
}
