/* SPDX-License-Identifier: MIT
 * freetickets/plugin.h - what a plugin file contains and the two symbols it exports. */
#ifndef FTK_PLUGIN_H
#define FTK_PLUGIN_H
#include <freetickets/host.h>
#include <freetickets/param.h>
FTK_BEGIN
typedef enum ftk_kind {
    FTK_KIND_INIT = 1, FTK_KIND_PRUNE = 2, FTK_KIND_GROW = 3,
    FTK_KIND_ENSEMBLE = 4, FTK_KIND_METRIC = 5, FTK_KIND_BACKEND = 6,
    FTK_KIND_ALLOT = 7         /* shares regrown weights among layers              */
} ftk_kind;

/* One algorithm.  Every pointer is to static, constant storage. */
typedef struct ftk_algo {
    uint32_t size;
    uint32_t kind;             /* enum ftk_kind                                   */
    const char *name;          /* [a-z][a-z0-9_]*, unique within its kind         */
    const char *summary;       /* one line                                        */
    const char *reference;     /* paper or URL, "" if none                        */
    uint32_t flags;            /* FTK_ALGO_*                                      */
    uint32_t params_size;      /* sizeof the params struct; 0 if there are none   */
    uint32_t param_stride;     /* sizeof(ftk_param) as the plugin knew it         */
    uint32_t state_bytes;      /* of ftk_update.state: zeroed by a network's INIT,  */
                               /* kept and checkpointed by the core; usually 0      */
    const ftk_param *params;   /* FTK_PARAM_END-terminated, or NULL               */
    const void *ops;           /* ftk_prune_ops etc., by kind                     */
    /* Rules across fields; NULL if ranges say it all.                     [call] */
    ftk_status (*check)(const ftk_host *h, const void *params);
    /* `params` stays valid until destroy().  *ret_self may be left NULL.  Without a
     * create() self is `params`, and destroy() is not called.              [call] */
    ftk_status (*create)(const ftk_host *h, const void *params, void **ret_self);
    void (*destroy)(const ftk_host *h, void *self); /* accepts NULL        [call] */
    const void *(*get_extension)(const char *id);   /* "freetickets.name/1"; may be NULL  */
} ftk_algo;
enum { FTK_ALGO_REENTRANT = 1u << 0 }; /* one instance, several threads at once   */
#define FTK_PARAMS(T, table) \
    .params_size = sizeof(T), .param_stride = sizeof(ftk_param), .params = table
#ifdef __cplusplus
/* C++17 has no designated initialisers: a descriptor as a constant expression,
 *     static constexpr ftk_algo algo = FTK_CXX(ftk_algo, x.kind = FTK_KIND_PRUNE, ...);
 * with its size filled in, the members that are not named 0, later ones included. */
#define FTK_CXX(T, ...) [] { T x = {}; x.size = sizeof(T); __VA_ARGS__; return x; }()
#define FTK_PARAMS_CXX(T, table) \
    x.params_size = sizeof(T), x.param_stride = sizeof(ftk_param), x.params = table
#endif

/* Where a plugin puts its algorithms.  The core implements it with its registry,
 * `freetickets list` with a printer, the conformance kit with a recorder.                */
typedef struct ftk_registry ftk_registry;
struct ftk_registry {
    uint32_t size;
    uint16_t abi_major, abi_minor;
    void *self;
    ftk_status (*add)(const ftk_registry *r, const ftk_algo *algo); /* does not copy */
};

/* Read before any other code of the plugin runs. */
typedef struct ftk_stamp {
    uint32_t magic;            /* FTK_MAGIC                                       */
    uint32_t size;
    uint16_t abi_major;        /* FTK_ABI_MAJOR it was compiled with              */
    uint16_t abi_minor;        /* FTK_TARGET_MINOR: oldest core it can run on     */
    uint32_t reserved;
    const char *name;          /* "org.example.topk_variants"                     */
    const char *version;       /* semver                                          */
    const char *license;       /* SPDX                                            */
    const char *built_with;    /* for error reports                               */
} ftk_stamp;

/* The only two symbols.  Both are pure: no allocation beyond add(), no logging, no
 * threads, no device; called again they say the same thing.                [any] */
FTK_EXPORT const ftk_stamp *ftk_plugin_stamp(void);
FTK_EXPORT ftk_status ftk_plugin_register(const ftk_registry *r);

#ifndef FTK_BUILT_WITH
#define FTK_BUILT_WITH __VERSION__
#endif
#define FTK_PLUGIN(name_, version_, license_, ...)                                     \
    FTK_EXPORT const ftk_stamp *ftk_plugin_stamp(void)                                 \
    {                                                                                  \
        static const ftk_stamp s = { FTK_MAGIC,        sizeof(ftk_stamp),              \
                                     FTK_ABI_MAJOR,    FTK_TARGET_MINOR, 0,            \
                                     name_, version_,  license_, FTK_BUILT_WITH };     \
        return &s;                                                                     \
    }                                                                                  \
    FTK_EXPORT ftk_status ftk_plugin_register(const ftk_registry *r)                   \
    {                                                                                  \
        static const ftk_algo *const all[] = { __VA_ARGS__ };                          \
        ftk_status st = FTK_OK;                                                        \
        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && st == FTK_OK; i++)      \
            st = r->add(r, all[i]);                                                    \
        return st;                                                                     \
    }                                                                                  \
    typedef int ftk_semicolon_
FTK_END
#endif
