/* SPDX-License-Identifier: MIT
 * data/records.h - CIFAR's binary format: records of one or two label bytes and the image's planes.
 * https://www.cs.toronto.edu/~kriz/cifar.html
 *
 * Every byte is checked that can be wrong; an error is FTK_EINVAL (65) and names the file and the
 * offset, in its content, of the first bad byte.
 */
#ifndef FTK__RECORDS_H
#define FTK__RECORDS_H
#include "data/sets.h"

enum { FTK__RECORD_LABELS = 2, FTK__RECORD_PIXELS = 3 * 32 * 32 };

struct ftk__record_format {
    uint32_t n_labels;          /* bytes before the pixels; the last is the class */
    uint32_t classes[FTK__RECORD_LABELS]; /* each label is below it               */
};
/* Exactly `n` records, plain or gzip, into images `first`.. of the store, which has room. */
ftk_status ftk__records_read(const char *path, const struct ftk__record_format *f, uint64_t n,
                             uint64_t first, const struct ftk__store *to,
                             struct ftk_error *reterr);
#endif
