/* SPDX-License-Identifier: MIT
 * freetickets/abi.h - version stamp, export macro, status codes and the one struct rule.
 *
 * The one struct rule.  Every struct passed by pointer starts with `uint32_t
 * size`, filled by its writer with sizeof.  Members are only ever appended, and
 * zero means what was done before they existed.  A reader touches a member only
 * where FTK_HAS() says it is there; bytes beyond what the reader knows must be
 * zero, and unknown flags and codes are errors.  Structs used by value or as
 * array elements (ftk_rng, ftk_sample, ftk_lr, ftk_duration, ftk_durations, ftk_f64s,
 * ftk_metric_value) are frozen for the major; ftk_param grows by its stride.  What
 * may grow is passed one by one, or as an array of pointers.
 * No struct holds an enum, bool, long, size_t or bit-field.
 */
#ifndef FTK_ABI_H
#define FTK_ABI_H
#include <stddef.h>
#include <stdint.h>

#define FTK_ABI_MAJOR 0u  /* 0: any minor may break; both numbers must match  */
#define FTK_ABI_MINOR 1u
#define FTK_MAGIC 0x314B5446u /* "FTK1" little-endian                        */
/* Define it lower before including to run on older cores: members added after
 * that minor are then not declared, so they can be neither read nor written.  */
#ifndef FTK_TARGET_MINOR
#define FTK_TARGET_MINOR FTK_ABI_MINOR
#endif

#if defined(__GNUC__)
#define FTK_EXPORT __attribute__((visibility("default")))
#define FTK_PRINTF(a, b) __attribute__((format(printf, a, b)))
#define FTK_CHECK_RESULT __attribute__((warn_unused_result))
#else
#define FTK_EXPORT
#define FTK_PRINTF(a, b)
#define FTK_CHECK_RESULT
#endif
#ifdef __cplusplus
#define FTK_BEGIN extern "C" {
#define FTK_END }
#else
#define FTK_BEGIN
#define FTK_END
#endif

#define FTK_HAS(p, member) \
    ((p)->size >= ftk_offsetof_end_(p, member) && (p)->member)
#define ftk_offsetof_end_(p, member)                               \
    ((size_t)((const char *)&(p)->member - (const char *)(p)) +    \
     sizeof((p)->member))

/* One list; the enum, the names and the messages are generated from it. */
#define FTK_STATUS_MAP(X)                                              \
    X(OK, 0, "success")                                                \
    X(DONE, 1, "generator finished")                                   \
    X(EINVAL, -1, "invalid argument or configuration")                 \
    X(ENOMEM, -2, "out of memory")                                     \
    X(ENOTSUP, -3, "not supported here")                               \
    X(EABI, -4, "incompatible plugin interface")                       \
    X(ENOENT, -5, "no such plugin, file or slot")                      \
    X(EEXIST, -6, "name already taken")                                \
    X(EIO, -7, "input/output error")                                   \
    X(ERANGE, -8, "count or index out of range")                       \
    X(ENUMERIC, -9, "non-finite value")                                \
    X(ENODEV, -10, "no usable device")                                 \
    X(ESTATE, -11, "called in the wrong state")                        \
    X(EINTERNAL, -12, "internal error")

typedef enum ftk_status {
#define X(name, value, text) FTK_##name = (value),
    FTK_STATUS_MAP(X)
#undef X
    FTK_STATUS_FORCE_I32 = INT32_MAX
} ftk_status;
#endif
