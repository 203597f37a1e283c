/* SPDX-License-Identifier: MIT
 * eval/pred_index.c - digests of cached predictions, kept beside them.
 */
#include "eval/pred_index.h"

#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include <string.h>

enum { INDEX_BYTES = 16 << 20 };

static ftk_status no_memory(const struct ftk__pred_index *ix, struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "no memory for the index of %s", ix->dir);
}

/* NULL: no memory, of which json_pack takes no notice where it is to make a "{}" itself. */
static json_t *no_entries(const char *data)
{
    json_t *members = json_object();
    if (!members)
        return NULL;
    return json_pack("{s:s, s:s, s:o}", "data", data, "labels", "", "members", members);
}

ftk_status ftk__pred_index_open(struct ftk__pred_index *ix, const char *dir,
                                struct ftk_error *reterr)
{
    struct ftk_error err;
    *ix = (struct ftk__pred_index){ .dir = dir };
    char *path = ftk__path_join(dir, "index.json");
    if (!path)
        return no_memory(ix, reterr);
    ftk_status st = ftk__json_read_file(path, INDEX_BYTES, &ix->doc, &err);
    ftk__free(path);
    if (st >= 0 && json_is_object(ix->doc) && json_is_object(json_object_get(ix->doc, "members")))
        return FTK_OK;
    if (st == FTK_ENOMEM || st == FTK_EIO) {
        if (reterr)
            *reterr = err;
        return st;
    }
    if (st != FTK_ENOENT)
        ftk__log(FTK_WARN, "predict", "what=\"%s/index.json is made anew: %s\"", dir,
                 st < 0 ? err.message : "it is no index");
    json_decref(st >= 0 ? ix->doc : NULL);
    ix->doc = no_entries("");
    return ix->doc ? FTK_OK : no_memory(ix, reterr);
}

void ftk__pred_index_close(struct ftk__pred_index *ix)
{
    json_decref(ix->doc);
    *ix = (struct ftk__pred_index){ 0 };
}

/* The digests that are entered; "" for none. */
static void entered(const struct ftk__pred_index *ix, int64_t member, const char **ret_file,
                    const char **ret_weights)
{
    char key[32];
    ftk__format(key, sizeof(key), "%lld", (long long)member);
    const json_t *row = json_object_get(json_object_get(ix->doc, "members"), key);
    *ret_file = member < 0 ? ftk__json_string(ix->doc, "labels") : ftk__json_string(row, "logits");
    *ret_weights = ftk__json_string(row, "weights");
}

ftk_status ftk__pred_index_has(const struct ftk__pred_index *ix, int64_t member, const char *file,
                               const struct ftk__sha256 *weights, bool *ret,
                               struct ftk_error *reterr)
{
    struct ftk__sha256 hash;
    const char *of_file;
    const char *of_weights;
    entered(ix, member, &of_file, &of_weights);
    *ret = false;
    if (!of_file[0] || (weights && strcmp(of_weights, weights->hex) != 0))
        return FTK_OK;
    ftk_status st = ftk__sha256_file_in(ix->dir, file, &hash, reterr);
    if (st == FTK_ENOENT)
        return FTK_OK;
    if (st >= 0)
        *ret = strcmp(of_file, hash.hex) == 0;
    return st;
}

bool ftk__pred_index_is_of(const struct ftk__pred_index *ix, const struct ftk__sha256 *data)
{
    return strcmp(ftk__json_string(ix->doc, "data"), data->hex) == 0;
}

static ftk_status write_index(const struct ftk__pred_index *ix, struct ftk_error *reterr)
{
    char *path = ftk__path_join(ix->dir, "index.json");
    if (!path)
        return no_memory(ix, reterr);
    ftk_status st = ftk__json_write_file(path, ix->doc, reterr);
    ftk__free(path);
    return st;
}

/* Of predictions that are there; a set that is predicted for the first time is no news. */
static void tell_other(const struct ftk__pred_index *ix, const struct ftk__sha256 *data)
{
    const char *there = ftk__json_string(ix->doc, "data");
    if (there[0])
        ftk__log(FTK_WARN, "predict",
                 "what=\"%s is made again: it is of other images or labels, SHA-256 %.8s... there, "
                 "%.8s... here\"",
                 ix->dir, there, data->hex);
    else if (ftk__json_string(ix->doc, "labels")[0])
        ftk__log(FTK_WARN, "predict",
                 "what=\"%s is made again: of which images and labels it is, nothing says\"",
                 ix->dir);
}

ftk_status ftk__pred_index_begin(struct ftk__pred_index *ix, const struct ftk__sha256 *data,
                                 struct ftk_error *reterr)
{
    if (ftk__pred_index_is_of(ix, data))
        return FTK_OK;
    tell_other(ix, data);
    json_t *doc = no_entries(data->hex);
    if (!doc)
        return no_memory(ix, reterr);
    json_decref(ix->doc);
    ix->doc = doc;
    return write_index(ix, reterr);
}

static bool enter_labels(struct ftk__pred_index *ix, const struct ftk__sha256 *hash)
{
    bool same = strcmp(ftk__json_string(ix->doc, "labels"), hash->hex) == 0;
    if (!same && json_object_clear(json_object_get(ix->doc, "members")) != 0)
        return false;
    return same || json_object_set_new(ix->doc, "labels", json_string(hash->hex)) == 0;
}

static bool enter_member(struct ftk__pred_index *ix, int64_t member, const struct ftk__sha256 *hash,
                         const struct ftk__sha256 *weights)
{
    char key[32];
    ftk__format(key, sizeof(key), "%lld", (long long)member);
    json_t *row =
        json_pack("{s:s, s:s}", "weights", weights ? weights->hex : "", "logits", hash->hex);
    return json_object_set_new(json_object_get(ix->doc, "members"), key, row) == 0;
}

ftk_status ftk__pred_index_enter(struct ftk__pred_index *ix, int64_t member, const char *file,
                                 const struct ftk__sha256 *weights, struct ftk_error *reterr)
{
    struct ftk__sha256 hash;
    ftk_status st = ftk__sha256_file_in(ix->dir, file, &hash, reterr);
    if (st < 0)
        return st;
    bool ok = member < 0 ? enter_labels(ix, &hash) : enter_member(ix, member, &hash, weights);
    return ok ? write_index(ix, reterr) : no_memory(ix, reterr);
}
