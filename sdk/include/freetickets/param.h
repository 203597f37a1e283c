/* SPDX-License-Identifier: MIT
 * freetickets/param.h - a plugin's parameters, declared as data.
 *
 * The core reads the libconfig group, checks it against this table (unknown
 * key, type, range, choice, finite), fills defaults, and hands the plugin a
 * finished struct of its own type.  No plugin ever parses configuration.
 */
#ifndef FTK_PARAM_H
#define FTK_PARAM_H
#include <freetickets/abi.h>

typedef enum ftk_ptype {
    FTK_P_BOOL = 1,  /* int32_t, 0 or 1: no bool crosses the ABI, its size is not ours */
    FTK_P_I64 = 2,   /* int64_t; bounds and default within +-2^53 */
    FTK_P_F64 = 3,   /* double, finite */
    FTK_P_ENUM = 4,  /* int32_t, index into choices */
    FTK_P_STR = 5,   /* const char *, owned by the core, outlives the instance */
    FTK_P_DURATION = 6, /* ftk_duration; "12.5ep", "1000it", "0.75x" in the file */
    FTK_P_F64S = 7,  /* ftk_f64s, finite, each within min..max */
    FTK_P_DURATIONS = 8 /* ftk_durations; in the file strings, or numbers: FTK_UNIT_TRAIN */
} ftk_ptype;

enum { FTK_PF_REQUIRED = 1u << 0, FTK_PF_OPEN_MIN = 1u << 1, FTK_PF_OPEN_MAX = 1u << 2,
       FTK_PF_DEPRECATED = 1u << 3,
       FTK_PF_PATH = 1u << 4 }; /* a file: relative to the config, hashed into run.json */

enum { FTK_UNIT_STEP = 1, FTK_UNIT_EPOCH = 2, FTK_UNIT_RUN = 3,
       FTK_UNIT_TRAIN = 4 };    /* a bare number: a fraction of its TRAIN   */
typedef struct ftk_duration {
    double value;
    uint32_t unit;              /* FTK_UNIT_*                               */
    uint32_t reserved;
} ftk_duration;
typedef struct ftk_f64s {
    const double *v;            /* [n], owned by the core                   */
    uint64_t n;
} ftk_f64s;
typedef struct ftk_durations {
    const ftk_duration *v;      /* [n], owned by the core                   */
    uint64_t n;
} ftk_durations;

typedef struct ftk_param {
    const char *name;           /* [a-z][a-z0-9_]*                          */
    const char *help;           /* one sentence, no trailing full stop      */
    const char *unit;           /* "" | "step" | "epoch" | "fraction" ...   */
    const char *const *choices; /* NULL-terminated; FTK_P_ENUM only         */
    const char *def_str;        /* of STR, DURATION(S), F64S: "0.5 0.75"     */
    double def, min, max;       /* min <= def <= max; a duration: as written */
    uint32_t type;              /* enum ftk_ptype                           */
    uint32_t flags;
    uint32_t offset;            /* of the field inside the params struct    */
    uint32_t reserved;          /* 0                                        */
} ftk_param;

#define FTK_PARAM_(T, f, type_, choices_, def_, min_, max_, unit_, help_)         \
    { #f, help_, unit_, choices_, NULL, def_, min_, max_, type_, 0,               \
      (uint32_t)offsetof(T, f), 0 }
#define FTK_PARAM_F64(T, f, def_, min_, max_, unit_, help_) \
    FTK_PARAM_(T, f, FTK_P_F64, NULL, def_, min_, max_, unit_, help_)
#define FTK_PARAM_I64(T, f, def_, min_, max_, unit_, help_) \
    FTK_PARAM_(T, f, FTK_P_I64, NULL, def_, min_, max_, unit_, help_)
#define FTK_PARAM_BOOL(T, f, def_, help_) \
    FTK_PARAM_(T, f, FTK_P_BOOL, NULL, def_, 0, 1, "", help_)
#define FTK_PARAM_ENUM(T, f, def_, choices_, help_) \
    FTK_PARAM_(T, f, FTK_P_ENUM, choices_, def_, 0, INT32_MAX, "", help_)
#define FTK_PARAM_STR(T, f, def_, flags_, help_) \
    { #f, help_, "", NULL, def_, 0, 0, 0, FTK_P_STR, flags_, (uint32_t)offsetof(T, f), 0 }
#define FTK_PARAM_DURATION(T, f, def_, min_, max_, help_) \
    { #f, help_, "duration", NULL, def_, 0, min_, max_, FTK_P_DURATION, 0, \
      (uint32_t)offsetof(T, f), 0 }
#define FTK_PARAM_F64S(T, f, def_, min_, max_, unit_, help_) \
    { #f, help_, unit_, NULL, def_, 0, min_, max_, FTK_P_F64S, 0, (uint32_t)offsetof(T, f), 0 }
#define FTK_PARAM_DURATIONS(T, f, def_, min_, max_, help_) \
    { #f, help_, "duration", NULL, def_, 0, min_, max_, FTK_P_DURATIONS, 0, \
      (uint32_t)offsetof(T, f), 0 }
#define FTK_PARAM_END { NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, 0 }
#endif
