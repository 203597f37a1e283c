/* SPDX-License-Identifier: MIT
 * eval/suite.c - cached logits: predicted once, scored as often as wanted.
 */
#include "eval/suite.h"

#include "base/io.h"
#include "base/log.h"
#include "base/npy.h"
#include "base/str.h"
#include "eval/pred_index.h"
#include <string.h>

static ftk_status path_of(struct ftk__str *ret, const struct ftk__suite *s, const char *set,
                          const char *file, struct ftk_error *reterr)
{
    ftk__str_addf(ret, "%s/preds/%s%s%s", s->run_dir, set, file[0] ? "/" : "", file);
    if (ret->failed)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for the name of %s", file);
    return FTK_OK;
}

static ftk_status write_array(const struct ftk__suite *s, const char *set, const char *file,
                              const struct ftk__st_array *a, struct ftk_error *reterr)
{
    struct ftk__str path = { 0 };
    ftk_status st = path_of(&path, s, set, file, reterr);
    if (st >= 0)
        st = ftk__npy_write(path.text, a, reterr);
    ftk__str_done(&path);
    return st;
}

/* Whether the file is an array of `n` samples: `eval.limit` may have been another. */
static ftk_status has_samples(const struct ftk__suite *s, const char *set, const char *file,
                              uint64_t n, bool *ret, struct ftk_error *reterr)
{
    struct ftk__str path = { 0 };
    struct ftk__st_array a = { 0 };
    ftk_status st = path_of(&path, s, set, file, reterr);
    if (st >= 0)
        st = ftk__npy_read_shape(path.text, &a, reterr);
    if (st >= 0)
        *ret = a.n_dims > 0 && a.dims[0] == n;
    ftk__str_done(&path);
    return st;
}

/* `weights`: as ftk__pred_index_has takes it. */
static ftk_status is_there(const struct ftk__suite *s, const struct ftk__pred_index *ix,
                           const char *set, int64_t member, const char *file, uint64_t n,
                           const struct ftk__sha256 *weights, bool *ret, struct ftk_error *reterr)
{
    ftk_status st = ftk__pred_index_has(ix, member, file, weights, ret, reterr);
    if (st >= 0 && *ret)
        st = has_samples(s, set, file, n, ret, reterr);
    return st;
}

/* *ret_weights: the member's digest, in `hash`, or NULL where its files are gone. */
static ftk_status digest_of(const struct ftk__suite *s, uint32_t member, struct ftk__sha256 *hash,
                            const struct ftk__sha256 **ret_weights, struct ftk_error *reterr)
{
    ftk_status st = s->digest(s->load_arg, member, hash, reterr);
    *ret_weights = st >= 0 ? hash : NULL;
    return st == FTK_ENOENT ? FTK_OK : st;
}

static void member_file(uint32_t member, char ret[64])
{
    ftk__format(ret, 64, "member-%u.npy", member);
}

/* One member's logits, their file's name in `file`. */
static ftk_status has_member(const struct ftk__suite *s, const struct ftk__pred_index *ix,
                             const char *set, uint32_t member, uint64_t n, const char *file,
                             bool *ret, struct ftk_error *reterr)
{
    struct ftk__sha256 hash;
    const struct ftk__sha256 *weights;
    ftk_status st = digest_of(s, member, &hash, &weights, reterr);
    if (st < 0)
        return st;
    return is_there(s, ix, set, member, file, n, weights, ret, reterr);
}

ftk_status ftk__suite_has(const struct ftk__suite *s, const char *set, uint64_t n, bool *ret,
                          struct ftk_error *reterr)
{
    char file[64];
    struct ftk__str dir = { 0 };
    struct ftk__pred_index ix = { 0 };
    bool all = false;
    ftk_status st = path_of(&dir, s, set, "", reterr);
    if (st >= 0)
        st = ftk__pred_index_open(&ix, dir.text, reterr);
    if (st >= 0)
        st = is_there(s, &ix, set, -1, "labels.npy", n, NULL, &all, reterr);
    for (uint32_t m = 0; m < s->members && st >= 0 && all; m++) {
        member_file(m, file);
        st = has_member(s, &ix, set, m, n, file, &all, reterr);
    }
    ftk__pred_index_close(&ix);
    ftk__str_done(&dir);
    if (st >= 0)
        *ret = all;
    return st;
}

ftk_status ftk__suite_is_of(const struct ftk__suite *s, const char *set,
                            const struct ftk__sha256 *data, bool *ret, struct ftk_error *reterr)
{
    struct ftk__str dir = { 0 };
    struct ftk__pred_index ix = { 0 };
    ftk_status st = path_of(&dir, s, set, "", reterr);
    if (st >= 0)
        st = ftk__pred_index_open(&ix, dir.text, reterr);
    if (st >= 0)
        *ret = ftk__pred_index_is_of(&ix, data);
    ftk__pred_index_close(&ix);
    ftk__str_done(&dir);
    return st;
}

static ftk_status write_logits(const struct ftk__suite *s, struct ftk__pred_index *ix,
                               const char *set, uint32_t member, const struct ftk__images *im,
                               const float *logits, struct ftk_error *reterr)
{
    char file[64];
    struct ftk__sha256 hash;
    const struct ftk__sha256 *weights = NULL;
    const struct ftk__st_array a = {
        .dtype = FTK__F32, .n_dims = 2, .dims = { im->n, im->classes }, .data = logits
    };
    member_file(member, file);
    ftk_status st = digest_of(s, member, &hash, &weights, reterr);
    if (st >= 0)
        st = write_array(s, set, file, &a, reterr);
    if (st >= 0)
        st = ftk__pred_index_enter(ix, member, file, weights, reterr);
    return st;
}

static ftk_status predict_member(const struct ftk__suite *s, struct ftk__pred_index *ix,
                                 const char *set, uint32_t member, const struct ftk__images *im,
                                 struct ftk_error *reterr)
{
    char file[64];
    struct ftk__scores scores;
    bool there = false;
    member_file(member, file);
    ftk_status st = has_member(s, ix, set, member, im->n, file, &there, reterr);
    if (st < 0 || there)
        return st;
    float *logits = ftk__alloc_array(im->n * im->classes, sizeof(*logits));
    if (!logits)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for the predictions of member %u", member);
    st = s->load(s->load_arg, member, reterr);
    if (st >= 0)
        st = ftk__validate_images(s->engine, im, logits, &scores, reterr);
    if (st >= 0)
        st = write_logits(s, ix, set, member, im, logits, reterr);
    if (st >= 0)
        ftk__log(FTK_INFO, "predict", "set=%s member=%u acc=%.4f nll=%.4f", set, member,
                 scores.accuracy, scores.nll);
    ftk__free(logits);
    return st;
}

static ftk_status write_labels(const struct ftk__suite *s, struct ftk__pred_index *ix,
                               const char *set, const struct ftk__images *im,
                               struct ftk_error *reterr)
{
    const struct ftk__st_array labels = {
        .dtype = FTK__I32, .n_dims = 1, .dims = { im->n }, .data = im->label
    };
    ftk_status st = write_array(s, set, "labels.npy", &labels, reterr);
    if (st >= 0)
        st = ftk__pred_index_enter(ix, -1, "labels.npy", NULL, reterr);
    return st;
}

ftk_status ftk__suite_predict(const struct ftk__suite *s, const char *set,
                              const struct ftk__images *im, const struct ftk__sha256 *data,
                              struct ftk_error *reterr)
{
    struct ftk__str dir = { 0 };
    struct ftk__pred_index ix = { 0 };
    bool stopped = false;
    ftk_status st = path_of(&dir, s, set, "", reterr);
    if (st >= 0)
        st = ftk__mkdirs(dir.text, reterr);
    if (st >= 0)
        st = ftk__pred_index_open(&ix, dir.text, reterr);
    if (st >= 0)
        st = ftk__pred_index_begin(&ix, data, reterr);
    if (st >= 0)
        st = write_labels(s, &ix, set, im, reterr);
    for (uint32_t m = 0; m < s->members && st >= 0 && !stopped; m++) {
        stopped = s->stopped && s->stopped();
        if (!stopped)
            st = predict_member(s, &ix, set, m, im, reterr);
    }
    ftk__pred_index_close(&ix);
    ftk__str_done(&dir);
    return st >= 0 && stopped ? FTK_DONE : st;
}

struct cached {
    struct ftk__st_array labels;
    struct ftk__st_array *member; // [members]
    const float **logits;         // [members]
};

static void free_cached(struct cached *c, uint32_t members)
{
    for (uint32_t m = 0; c->member && m < members; m++)
        ftk__free((void *)(uintptr_t)c->member[m].data);
    ftk__free((void *)(uintptr_t)c->labels.data);
    ftk__free(c->member);
    ftk__free((void *)c->logits);
}

static ftk_status read_array(const struct ftk__suite *s, const char *set, const char *file,
                             enum ftk__dtype dtype, uint32_t n_dims, struct ftk__st_array *ret,
                             struct ftk_error *reterr)
{
    struct ftk__str path = { 0 };
    ftk_status st = path_of(&path, s, set, file, reterr);
    if (st >= 0)
        st = ftk__npy_read(path.text, ret, reterr);
    if (st >= 0 && (ret->dtype != dtype || ret->n_dims != n_dims))
        st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                            "%s holds another kind of array than a run writes", path.text);
    ftk__str_done(&path);
    return st;
}

static ftk_status read_cached(const struct ftk__suite *s, const char *set, struct cached *c,
                              struct ftk_error *reterr)
{
    char file[64];
    c->member = ftk__alloc_array(s->members, sizeof(*c->member));
    c->logits = ftk__alloc_array(s->members, sizeof(*c->logits));
    if (!c->member || !c->logits)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for %u members", s->members);
    ftk_status st = read_array(s, set, "labels.npy", FTK__I32, 1, &c->labels, reterr);
    for (uint32_t m = 0; m < s->members && st >= 0; m++) {
        ftk__format(file, sizeof(file), "member-%u.npy", m);
        st = read_array(s, set, file, FTK__F32, 2, &c->member[m], reterr);
        if (st >= 0 && (c->member[m].dims[0] != c->labels.dims[0] ||
                        c->member[m].dims[1] != c->member[0].dims[1]))
            st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                                "preds/%s/%s does not match labels.npy", set, file);
        c->logits[m] = c->member[m].data;
    }
    return st;
}

static ftk_status check_labels(const struct cached *c, const char *set, struct ftk_error *reterr)
{
    const int32_t *label = c->labels.data;
    int64_t classes = (int64_t)c->member[0].dims[1];
    for (uint64_t i = 0; i < c->labels.dims[0]; i++)
        if (label[i] < -1 || label[i] >= classes)
            return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                                  "preds/%s/labels.npy: label %d of sample %llu, of %lld classes",
                                  set, label[i], (unsigned long long)i, (long long)classes);
    return FTK_OK;
}

ftk_status ftk__suite_score(const struct ftk__suite *s, const char *set, json_t **ret,
                            struct ftk_error *reterr)
{
    struct cached c = { 0 };
    ftk_status st = read_cached(s, set, &c, reterr);
    if (st >= 0)
        st = check_labels(&c, set, reterr);
    if (st >= 0)
        st =
            ftk__metrics_report(s->metrics, s->n_metrics, s->members, (uint32_t)c.member[0].dims[1],
                                c.labels.dims[0], c.logits, c.labels.data, ret, reterr);
    free_cached(&c, s->members);
    return st;
}
