/* SPDX-License-Identifier: MIT
 * train/journal.c - metrics.csv, metrics.jsonl, timing.csv.
 */
#include "train/journal.h"

#include "base/str.h"
#include <math.h>
#include <sys/resource.h>

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

enum { N_FILES = 3 };
static const struct {
    const char *name, *head;
} files[N_FILES] = {
    { "metrics.csv", csv_head },
    { "metrics.jsonl", "" },
    { "timing.csv", timing_head },
};

static struct ftk__appender *appender(struct ftk__journal *j, uint32_t i)
{
    return i == 0 ? &j->csv : i == 1 ? &j->jsonl : &j->timing;
}

static ftk_status path_of(const char *dir, uint32_t i, struct ftk__str *ret,
                          struct ftk_error *reterr)
{
    ftk__str_addf(ret, "%s/%s", dir, files[i].name);
    return ret->failed
               ? ftk__fail(reterr, FTK_ENOMEM, "no memory for the name of %s", files[i].name)
               : FTK_OK;
}

static ftk_status open_all(struct ftk__journal *j, const char *run_dir, bool fresh,
                           struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    *j = (struct ftk__journal){ 0 };
    for (uint32_t i = 0; i < N_FILES && st >= 0; i++) {
        struct ftk__str path = { 0 };
        st = path_of(run_dir, i, &path, reterr);
        if (st >= 0)
            st = ftk__appender_open(appender(j, i), path.text, fresh, reterr);
        if (st >= 0 && fresh)
            ftk__appender_printf(appender(j, i), "%s", files[i].head);
        ftk__str_done(&path);
    }
    if (st < 0)
        ftk__journal_close(j, NULL);
    return st;
}

ftk_status ftk__journal_open(struct ftk__journal *j, const char *run_dir, struct ftk_error *reterr)
{
    return open_all(j, run_dir, true, reterr);
}

ftk_status ftk__journal_sync(struct ftk__journal *j, struct ftk__journal_lengths *ret,
                             struct ftk_error *reterr)
{
    ftk_status st = ftk__appender_sync(&j->csv, &ret->csv, reterr);
    if (st >= 0)
        st = ftk__appender_sync(&j->jsonl, &ret->jsonl, reterr);
    if (st >= 0)
        st = ftk__appender_sync(&j->timing, &ret->timing, reterr);
    return st;
}

/* Looks at the length of each file, or cuts it. */
static ftk_status each_length(const char *run_dir, const struct ftk__journal_lengths *at, bool cut,
                              struct ftk_error *reterr)
{
    const uint64_t length[N_FILES] = { at->csv, at->jsonl, at->timing };
    ftk_status st = FTK_OK;
    for (uint32_t i = 0; i < N_FILES && st >= 0; i++) {
        struct ftk__str path = { 0 };
        uint64_t bytes = 0;
        st = path_of(run_dir, i, &path, reterr);
        if (st >= 0 && cut)
            st = ftk__file_cut(path.text, length[i], reterr);
        else if (st >= 0)
            st = ftk__file_size(path.text, &bytes, reterr);
        if (st >= 0 && !cut && bytes < length[i])
            st =
                ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                               "%s has %llu bytes, but %llu when the checkpoint was written",
                               path.text, (unsigned long long)bytes, (unsigned long long)length[i]);
        ftk__str_done(&path);
    }
    return st;
}

ftk_status ftk__journal_resume(struct ftk__journal *j, const char *run_dir,
                               const struct ftk__journal_lengths *at, struct ftk_error *reterr)
{
    ftk_status st = each_length(run_dir, at, false, reterr);
    if (st >= 0)
        st = each_length(run_dir, at, true, reterr);
    if (st >= 0)
        st = open_all(j, run_dir, false, reterr);
    return st;
}

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
    ftk__str_addf(&csv, "%u,%u,%llu,%llu", row->op, row->member, epoch, step);
    ftk__str_addf(&json, "{\"op\": %u, \"member\": %u, \"epoch\": %llu, \"step\": %llu", row->op,
                  row->member, epoch, step);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        csv_number(&csv, fields[i].value);
        json_number(&json, fields[i].name, fields[i].value);
    }
    ftk_status st = FTK_OK;
    if (csv.failed || json.failed) {
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory for a line of metrics.csv");
    } else {
        ftk__appender_printf(&j->csv, "%s\n", csv.text);
        ftk__appender_printf(&j->jsonl, "%s}\n", json.text);
        ftk__appender_printf(&j->timing, "%u,%u,%llu,%llu,%.3f,%.3f,%.3f,%.1f,%llu\n", row->op,
                             row->member, epoch, step, timing->train_s, timing->data_s,
                             timing->eval_s, timing->images_per_s,
                             (unsigned long long)ftk__peak_memory());
        st = ftk__appender_check(&j->csv, reterr);
    }
    if (st >= 0)
        st = ftk__appender_check(&j->jsonl, reterr);
    if (st >= 0)
        st = ftk__appender_check(&j->timing, reterr);
    ftk__str_done(&csv);
    ftk__str_done(&json);
    return st;
}

ftk_status ftk__journal_close(struct ftk__journal *j, struct ftk_error *reterr)
{
    ftk_status csv = ftk__appender_close(&j->csv, reterr);
    ftk_status jsonl = ftk__appender_close(&j->jsonl, csv < 0 ? NULL : reterr);
    ftk_status timing = ftk__appender_close(&j->timing, csv < 0 || jsonl < 0 ? NULL : reterr);
    if (csv < 0)
        return csv;
    return jsonl < 0 ? jsonl : timing;
}
