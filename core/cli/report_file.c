/* SPDX-License-Identifier: MIT
 * cli/report_file.c - metrics of a run, kept from one evaluation to the next.
 */
#include "cli/report_file.h"

#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/report_merge.h"

enum { REPORT_BYTES = 64 << 20 };

/* The report as it stands; an empty one where there is none, or none that can be read. */
static ftk_status read_report(const char *path, json_t **ret, struct ftk_error *reterr)
{
    struct ftk_error err;
    json_t *doc = NULL;
    ftk_status st = ftk__json_read_file(path, REPORT_BYTES, &doc, &err);
    if (st == FTK_ENOMEM || st == FTK_EIO) {
        *reterr = err;
        return st;
    }
    if (st < 0 && st != FTK_ENOENT)
        ftk__log(FTK_WARN, "report", "what=\"%s is made anew: %s\"", path, err.message);
    *ret = st >= 0 ? doc : json_object();
    return *ret ? FTK_OK : ftk__fail(reterr, FTK_ENOMEM, "no memory for the report");
}

ftk_status ftk__report_write(const char *run_dir, const json_t *sets, struct ftk_error *reterr)
{
    char *dir = ftk__path_join(run_dir, "eval");
    char *path = dir ? ftk__path_join(dir, "report.json") : NULL;
    json_t *doc = NULL;
    ftk_status st = FTK_OK;
    if (!path)
        st = ftk__fail(reterr, FTK_ENOMEM, "no memory for the name of the report");
    if (st >= 0)
        st = ftk__mkdirs(dir, reterr);
    if (st >= 0)
        st = read_report(path, &doc, reterr);
    if (st >= 0) {
        json_t *fresh = json_pack("{s:O}", "sets", sets);
        if (!fresh || !ftk__report_merge(doc, fresh))
            st = ftk__fail(reterr, FTK_ENOMEM, "no memory for the report");
        json_decref(fresh);
    }
    if (st >= 0)
        st = ftk__json_write_file(path, doc, reterr);
    json_decref(doc);
    ftk__free(path);
    ftk__free(dir);
    return st;
}

ftk_status ftk__report_forget(const char *run_dir, const char *set, struct ftk_error *reterr)
{
    json_t *doc = NULL;
    char *path = ftk__path_join(run_dir, "eval/report.json");
    if (!path)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for the name of the report");
    ftk_status st = read_report(path, &doc, reterr);
    if (st >= 0 && json_object_del(json_object_get(doc, "sets"), set) == 0)
        st = ftk__json_write_file(path, doc, reterr);
    json_decref(doc);
    ftk__free(path);
    return st;
}
