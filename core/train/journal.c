/* SPDX-License-Identifier: MIT
 * train/journal.c - metrics.csv, metrics.jsonl, timing.csv.
 */
#include "train/journal.h"

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/resource.h>
#include <zlib.h>

static const char csv_head[] = "op,member,epoch,step,lr,rate,density,r_s,train_loss,"
                               "train_accuracy,val_loss,val_accuracy,flops,flops_executed\n";
static const char timing_head[] =
    "op,member,epoch,step,train_s,data_s,eval_s,images_per_s,mem_peak_bytes\n";

uint64_t ftk__peak_memory(void)
{
    struct rusage u;
    if (getrusage(RUSAGE_SELF, &u) != 0)
        return 0;
    return (uint64_t)u.ru_maxrss * 1024; /* Linux counts KiB */
}

enum { CSV, JSONL, TIMING };
enum { PIECE = 16 * 1024 };
static const struct {
    const char *name, *head;
} files[FTK__JOURNAL_FILES] = {
    [CSV] = { "metrics.csv", csv_head },
    [JSONL] = { "metrics.jsonl", "" },
    [TIMING] = { "timing.csv", timing_head },
};

static void append(struct ftk__journal *j, uint32_t i, const char *text)
{
    ftk__appender_printf(&j->file[i], "%s", text);
    j->crc[i] = (uint32_t)crc32(j->crc[i], (const Bytef *)text, (uInt)strlen(text));
}

/* The caller frees it; NULL: no memory. */
static char *path_of(const char *dir, uint32_t i, struct ftk_error *reterr)
{
    char *path = ftk__path_join(dir, files[i].name);
    if (!path)
        ftk__fail(reterr, FTK_ENOMEM, "no memory for the name of %s", files[i].name);
    return path;
}

/* ---- opened, synced -------------------------------------------------------------------------- */

static ftk_status open_all(struct ftk__journal *j, const char *run_dir, bool fresh,
                           struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    *j = (struct ftk__journal){ 0 };
    for (uint32_t i = 0; i < FTK__JOURNAL_FILES && st >= 0; i++) {
        char *path = path_of(run_dir, i, reterr);
        st = path ? ftk__appender_open(&j->file[i], path, fresh, reterr) : FTK_ENOMEM;
        if (st >= 0 && fresh)
            append(j, i, files[i].head);
        ftk__free(path);
    }
    if (st < 0)
        ftk__journal_close(j, NULL);
    return st;
}

ftk_status ftk__journal_open(struct ftk__journal *j, const char *run_dir, struct ftk_error *reterr)
{
    return open_all(j, run_dir, true, reterr);
}

ftk_status ftk__journal_sync(struct ftk__journal *j, struct ftk__journal_mark *ret,
                             struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    for (uint32_t i = 0; i < FTK__JOURNAL_FILES && st >= 0; i++) {
        st = ftk__appender_sync(&j->file[i], &ret->bytes[i], reterr);
        ret->crc[i] = j->crc[i];
    }
    return st;
}

/* ---- gone on in ------------------------------------------------------------------------------ */

/* Of the first `bytes`, or of all where there are fewer; *ret_bytes: of how many. */
static ftk_status crc_of(const char *path, uint64_t bytes, uint32_t *ret, uint64_t *ret_bytes,
                         struct ftk_error *reterr)
{
    unsigned char piece[PIECE];
    FILE *file = fopen(path, "rbe");
    if (!file && errno == ENOENT)
        return ftk__fail_exit(reterr, FTK_ENOENT, FTK__EXIT_NO_DATA, "%s is missing", path);
    if (!file)
        return ftk__fail(reterr, FTK_EIO, "cannot read %s: %s", path, strerror(errno));
    uint64_t at = 0;
    size_t n = 1;
    uLong crc = 0;
    while (n > 0 && at < bytes) {
        n = fread(piece, 1, bytes - at < PIECE ? (size_t)(bytes - at) : PIECE, file);
        crc = crc32(crc, piece, (uInt)n);
        at += n;
    }
    bool failed = ferror(file);
    fclose(file);
    *ret = (uint32_t)crc;
    *ret_bytes = at;
    return failed ? ftk__fail(reterr, FTK_EIO, "cannot read %s", path) : FTK_OK;
}

static ftk_status check_file(const char *path, uint64_t bytes, uint64_t crc,
                             struct ftk_error *reterr)
{
    uint32_t now;
    uint64_t here;
    ftk_status st = crc_of(path, bytes, &now, &here, reterr);
    if (st >= 0 && here < bytes)
        st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                            "%s has %llu bytes, but %llu when the checkpoint was written", path,
                            (unsigned long long)here, (unsigned long long)bytes);
    else if (st >= 0 && now != crc)
        st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                            "%s was changed: CRC-32 %08llx of its first %llu bytes when the "
                            "checkpoint was written, %08x now",
                            path, (unsigned long long)crc, (unsigned long long)bytes, now);
    if (st == FTK_ENOENT || st == FTK_EINVAL)
        ftk__error_context(reterr, "put it back as it was, or start anew with --new");
    return st;
}

ftk_status ftk__journal_check(const char *run_dir, const struct ftk__journal_mark *at,
                              struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    for (uint32_t i = 0; i < FTK__JOURNAL_FILES && st >= 0; i++) {
        char *path = path_of(run_dir, i, reterr);
        st = path ? check_file(path, at->bytes[i], at->crc[i], reterr) : FTK_ENOMEM;
        ftk__free(path);
    }
    return st;
}

ftk_status ftk__journal_resume(struct ftk__journal *j, const char *run_dir,
                               const struct ftk__journal_mark *at, struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    for (uint32_t i = 0; i < FTK__JOURNAL_FILES && st >= 0; i++) {
        char *path = path_of(run_dir, i, reterr);
        st = path ? ftk__file_cut(path, at->bytes[i], reterr) : FTK_ENOMEM;
        ftk__free(path);
    }
    if (st >= 0)
        st = open_all(j, run_dir, false, reterr);
    for (uint32_t i = 0; i < FTK__JOURNAL_FILES && st >= 0; i++)
        j->crc[i] = (uint32_t)at->crc[i];
    return st;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static void csv_number(struct ftk__str *s, double v)
{
    if (isnan(v))
        ftk__str_add(s, ",");
    else
        ftk__str_addf(s, ",%.9g", v);
}

static void json_number(struct ftk__str *s, const char *name, double v)
{
    if (isnan(v))
        ftk__str_addf(s, ", \"%s\": null", name);
    else
        ftk__str_addf(s, ", \"%s\": %.9g", name, v);
}

struct named {
    const char *name;
    double value;
};

static void add_timing(struct ftk__str *s, const struct ftk__epoch_row *row,
                       const struct ftk__epoch_timing *timing)
{
    ftk__str_addf(s, "%u,%u,%llu,%llu,%.3f,%.3f,%.3f,%.1f,%llu\n", row->op, row->member,
                  (unsigned long long)row->epoch, (unsigned long long)row->step, timing->train_s,
                  timing->data_s, timing->eval_s, timing->images_per_s,
                  (unsigned long long)ftk__peak_memory());
}

ftk_status ftk__journal_epoch(struct ftk__journal *j, const struct ftk__epoch_row *row,
                              const struct ftk__epoch_timing *timing, struct ftk_error *reterr)
{
    const struct named fields[] = {
        { "lr", row->lr },
        { "rate", row->rate },
        { "density", row->density },
        { "r_s", row->explored },
        { "train_loss", row->train_loss },
        { "train_accuracy", row->train_accuracy },
        { "val_loss", row->val_loss },
        { "val_accuracy", row->val_accuracy },
        { "flops", row->flops },
        { "flops_executed", row->flops_executed },
    };
    unsigned long long epoch = row->epoch;
    unsigned long long step = row->step;
    struct ftk__str csv = { 0 };
    struct ftk__str json = { 0 };
    struct ftk__str seconds = { 0 };
    ftk__str_addf(&csv, "%u,%u,%llu,%llu", row->op, row->member, epoch, step);
    ftk__str_addf(&json, "{\"op\": %u, \"member\": %u, \"epoch\": %llu, \"step\": %llu", row->op,
                  row->member, epoch, step);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        csv_number(&csv, fields[i].value);
        json_number(&json, fields[i].name, fields[i].value);
    }
    ftk__str_add(&csv, "\n");
    ftk__str_add(&json, "}\n");
    add_timing(&seconds, row, timing);
    ftk_status st = FTK_OK;
    if (csv.failed || json.failed || seconds.failed) {
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory for a line of metrics.csv");
    } else {
        append(j, CSV, csv.text);
        append(j, JSONL, json.text);
        append(j, TIMING, seconds.text);
    }
    for (uint32_t i = 0; i < FTK__JOURNAL_FILES && st >= 0; i++)
        st = ftk__appender_check(&j->file[i], reterr);
    ftk__str_done(&csv);
    ftk__str_done(&json);
    ftk__str_done(&seconds);
    return st;
}

ftk_status ftk__journal_close(struct ftk__journal *j, struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    for (uint32_t i = 0; i < FTK__JOURNAL_FILES; i++) {
        ftk_status closed = ftk__appender_close(&j->file[i], st < 0 ? NULL : reterr);
        st = st < 0 ? st : closed;
    }
    return st;
}
