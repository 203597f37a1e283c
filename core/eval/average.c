/* SPDX-License-Identifier: MIT
 * eval/average.c - softmax averaging over members.
 */
#include "eval/average.h"

#include "base/mem.h"
#include <math.h>
#include <stdbool.h>

/* One block: ensemble, log_ensemble, then per member prob and log, [cap][classes] each. */
ftk_status ftk__prediction_init(struct ftk__prediction *p, uint32_t members, uint32_t classes,
                                uint64_t cap, struct ftk_error *reterr)
{
    uint64_t each = cap * classes;
    struct ftk__prediction q = { .cap = cap };
    q.block = ftk__alloc_array(each * (2 + 2 * (uint64_t)members), sizeof(double));
    q.member = ftk__alloc_array(members, sizeof(*q.member));
    q.log_member = ftk__alloc_array(members, sizeof(*q.log_member));
    if (!q.block || !q.member || !q.log_member) {
        ftk__prediction_done(&q);
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for the predictions of %u members",
                         members);
    }
    for (uint32_t m = 0; m < members; m++) {
        q.member[m] = q.block + each * (2 + 2 * (uint64_t)m);
        q.log_member[m] = q.member[m] + each;
    }
    q.pred = (ftk_pred){
        .size = sizeof(q.pred),
        .members = members,
        .classes = classes,
        .ensemble = q.block,
        .member = q.member,
        .log_ensemble = q.block + each,
        .log_member = q.log_member,
    };
    *p = q;
    return FTK_OK;
}

void ftk__prediction_done(struct ftk__prediction *p)
{
    ftk__free(p->block);
    ftk__free((void *)p->member);
    ftk__free((void *)p->log_member);
    *p = (struct ftk__prediction){ 0 };
}

/* Softmax and its log; false where a logit is not finite. */
static bool softmax(const float *z, uint32_t classes, double *prob, double *log_prob)
{
    double top = -INFINITY;
    double sum = 0;
    for (uint32_t c = 0; c < classes; c++) {
        if (!isfinite(z[c]))
            return false;
        top = fmax(top, (double)z[c]);
    }
    for (uint32_t c = 0; c < classes; c++)
        sum += exp((double)z[c] - top);
    double log_sum = log(sum) + top;
    for (uint32_t c = 0; c < classes; c++) {
        log_prob[c] = (double)z[c] - log_sum;
        prob[c] = exp(log_prob[c]);
    }
    return true;
}

/* mean_m p_m and log mean_m exp(log p_m). */
static void average(const struct ftk__prediction *p, uint64_t at)
{
    uint32_t members = p->pred.members;
    double *prob = p->block + at;
    double *log_prob = p->block + p->cap * p->pred.classes + at;
    double top = -INFINITY;
    double sum = 0;
    double log_sum = 0;
    for (uint32_t m = 0; m < members; m++) {
        sum += p->member[m][at];
        top = fmax(top, p->log_member[m][at]);
    }
    for (uint32_t m = 0; m < members; m++)
        log_sum += exp(p->log_member[m][at] - top);
    *prob = sum / members;
    *log_prob = log(log_sum / members) + top;
}

ftk_status ftk__prediction_fill(struct ftk__prediction *p, const float *const *logits,
                                const int32_t *label, uint64_t from, uint64_t count,
                                struct ftk_error *reterr)
{
    uint32_t classes = p->pred.classes;
    for (uint32_t m = 0; m < p->pred.members; m++) {
        double *prob = p->block + p->cap * classes * (2 + 2 * (uint64_t)m);
        double *log_prob = prob + p->cap * classes;
        for (uint64_t i = 0; i < count; i++) {
            const float *z = logits[m] + (from + i) * classes;
            if (!softmax(z, classes, prob + i * classes, log_prob + i * classes))
                return ftk__fail(reterr, FTK_ENUMERIC,
                                 "member %u has a logit that is not finite on sample %llu", m,
                                 (unsigned long long)(from + i));
        }
    }
    for (uint64_t at = 0; at < count * classes; at++)
        average(p, at);
    p->pred.count = count;
    p->pred.label = label + from;
    return FTK_OK;
}
