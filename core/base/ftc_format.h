/* SPDX-License-Identifier: MIT
 * base/ftc_format.h - what the writer and the reader of checkpoints share (base/ftc.h).
 */
#ifndef FTK__FTC_FORMAT_H
#define FTK__FTC_FORMAT_H
#include "base/ftc.h"

enum {
    FTK__FTC_ALIGN = 64,
    FTK__FTC_NAME_MAX = 255,
    FTK__FTC_DIGEST = 32,
};

struct ftk__ftc_head {
    char magic[4];
    uint32_t version;
};
struct ftk__ftc_foot {
    uint64_t table_at, table_bytes, file_bytes;
    char magic[8];
    unsigned char sha256[FTK__FTC_DIGEST];
};
_Static_assert(sizeof(struct ftk__ftc_head) == 8, "no padding");
_Static_assert(sizeof(struct ftk__ftc_foot) == 64, "no padding");

extern const char ftk__ftc_end[8];
uint64_t ftk__ftc_dtype_bytes(enum ftk__ftc_dtype t);   /* 0: there is no such */
const char *ftk__ftc_dtype_name(enum ftk__ftc_dtype t); /* "F32"; NULL      */
void ftk__ftc_digest(const struct ftk__sha256 *h, unsigned char ret[FTK__FTC_DIGEST]);
#endif
