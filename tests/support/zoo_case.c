/* SPDX-License-Identifier: MIT
 * zoo_case.c - building families, looking up layers, testing what is drawn.
 */
#include "zoo_case.h"
#include "base/rng.h"
#include "base/str.h"
#include "builtin_case.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const ftk_param *param_named(const struct zoo_case *c, const char *name, uint32_t type)
{
    for (const ftk_param *p = c->q.model->params; p && p->name; p++) {
        if (strcmp(p->name, name) != 0)
            continue;
        assert_int_equal(p->type, type);
        return p;
    }
    fail_msg("'%s' has no parameter '%s'", c->q.model->name, name);
    return NULL;
}

void zoo_i64(struct zoo_case *c, const char *name, int64_t v)
{
    const ftk_param *p = param_named(c, name, FTK_P_I64);
    memcpy(c->params + p->offset, &v, sizeof v);
}

void zoo_f64(struct zoo_case *c, const char *name, double v)
{
    const ftk_param *p = param_named(c, name, FTK_P_F64);
    memcpy(c->params + p->offset, &v, sizeof v);
}

void zoo_choice(struct zoo_case *c, const char *name, const char *choice)
{
    const ftk_param *p = param_named(c, name, FTK_P_ENUM);
    for (int32_t i = 0; p->choices[i]; i++) {
        if (strcmp(p->choices[i], choice) != 0)
            continue;
        memcpy(c->params + p->offset, &i, sizeof i);
        return;
    }
    fail_msg("'%s' has no choice '%s'", name, choice);
}

void zoo_init(struct zoo_case *c, const char *family, uint32_t channels, uint32_t side,
              uint32_t classes)
{
    *c = (struct zoo_case){ 0 };
    c->q = (struct ftk__model_request){
        .model = builtin_named(ftk__model_builtins, family),
        .shape = { channels, side, side },
        .classes = classes,
        .decay_bn = true,
        .decay_bias = true,
    };
    assert_true(c->q.model->params_size <= sizeof c->params);
    for (const ftk_param *p = c->q.model->params; p && p->name; p++) {
        int32_t index = (int32_t)p->def;
        if (p->type == FTK_P_I64)
            zoo_i64(c, p->name, (int64_t)p->def);
        else if (p->type == FTK_P_F64)
            zoo_f64(c, p->name, p->def);
        else
            zoo_choice(c, p->name, p->choices[index]);
    }
}

static void assert_well_formed(const struct ftk__model *m)
{
    const ftk_node *loss = m->nodes[m->n_nodes - 1];
    assert_int_equal(m->nodes[0]->op, FTK_NODE_INPUT);
    assert_int_equal(loss->op, FTK_NODE_XENT);
    assert_int_equal(loss->out_shape[0], m->classes);
    assert_int_equal(loss->out_shape[1] * loss->out_shape[2], 1);
    for (uint32_t i = 1; i < m->n_nodes; i++) {
        assert_true(m->nodes[i]->in[0] < i);
        assert_true(m->nodes[i]->in[1] < i || m->nodes[i]->in[1] == UINT32_MAX);
        for (uint32_t j = 0; j < i; j++)
            assert_string_not_equal(m->nodes[i]->name, m->nodes[j]->name);
    }
}

struct ftk__model *zoo_build(const struct zoo_case *c)
{
    struct ftk__model_request q = c->q;
    struct ftk__model *m = NULL;
    struct ftk_error err;
    q.params = c->params;
    if (q.model->check && q.model->check(c->params, &err) != FTK_OK)
        fail_msg("%s", err.message);
    if (ftk__model_build(&q, &m, &err) != FTK_OK)
        fail_msg("%s", err.message);
    assert_well_formed(m);
    return m;
}

void zoo_refused(const struct zoo_case *c, const char *message)
{
    struct ftk__model_request q = c->q;
    struct ftk__model *m = NULL;
    struct ftk_error err;
    q.params = c->params;
    assert_int_equal(ftk__model_build(&q, &m, &err), FTK_EINVAL);
    assert_string_equal(err.message, message);
    assert_null(m);
}

void zoo_bad_params(const struct zoo_case *c, const char *message)
{
    struct ftk_error err;
    assert_int_equal(c->q.model->check(c->params, &err), FTK_EINVAL);
    assert_string_equal(err.message, message);
}

uint32_t zoo_node(const struct ftk__model *m, const char *name)
{
    for (uint32_t i = 0; i < m->n_nodes; i++)
        if (strcmp(m->nodes[i]->name, name) == 0)
            return i;
    fail_msg("no node '%s'", name);
    return 0;
}

void zoo_shape(const struct ftk__model *m, const char *name, uint32_t channels, uint32_t height,
               uint32_t width)
{
    const uint32_t expected[3] = { channels, height, width };
    assert_memory_equal(m->nodes[zoo_node(m, name)]->out_shape, expected, sizeof expected);
}

void zoo_layers(const struct ftk__model *m, const char *const *names)
{
    uint32_t n = 0;
    for (; names[n]; n++) {
        assert_true(n < m->n_layers);
        assert_string_equal(m->layers[n].name, names[n]);
    }
    assert_int_equal(m->n_layers, n);
}

uint32_t zoo_roles(const struct ftk__model *m, uint32_t role)
{
    uint32_t n = 0;
    for (uint32_t l = 0; l < m->n_layers; l++)
        n += (m->layers[l].role & role) != 0;
    return n;
}

uint32_t zoo_role(const struct ftk__model *m, const char *name)
{
    for (uint32_t l = 0; l < m->n_layers; l++)
        if (strcmp(m->layers[l].name, name) == 0)
            return m->layers[l].role;
    fail_msg("no layer '%s'", name);
    return 0;
}

/* Fresh values of a tensor, to be freed. */
static float *draw(const struct ftk__model *m, const char *tensor, uint64_t *ret_n)
{
    static const uint32_t roles[] = { FTK_TENSOR_WEIGHT, FTK_TENSOR_BIAS, FTK_TENSOR_BN_MEAN,
                                      FTK_TENSOR_BN_VAR };
    char name[96];
    for (uint32_t i = 0; i < m->n_nodes * 4; i++) {
        uint32_t node = i / 4;
        uint32_t role = roles[i % 4];
        uint64_t dims[4];
        uint64_t n = 1;
        if (!ftk__model_tensor_name(m, node, role, name, sizeof name) || strcmp(name, tensor) != 0)
            continue;
        uint32_t n_dims = ftk__model_tensor_shape(m, node, role, dims);
        for (uint32_t d = 0; d < n_dims; d++)
            n *= dims[d];
        float *v = malloc(n * sizeof *v);
        ftk_rng rng = ftk__rng_stream(7, FTK__FOR_WEIGHTS, 0, node, role);
        ftk__model_init_tensor(m, node, role, &rng, v, n);
        *ret_n = n;
        return v;
    }
    fail_msg("no tensor '%s'", tensor);
    return NULL;
}

/* Mean 0 and variance `var` to 5 standard errors; `spread`: that of v^2, over var^2.  Returns the
 * largest |v|. */
static double check_moments(const float *v, uint64_t n, double var, double spread)
{
    double sum = 0.0;
    double squares = 0.0;
    double most = 0.0;
    for (uint64_t i = 0; i < n; i++) {
        sum += v[i];
        squares += (double)v[i] * v[i];
        most = fmax(most, fabs(v[i]));
    }
    assert_true(fabs(sum / (double)n) < 5.0 * sqrt(var / (double)n));
    assert_true(fabs(squares / (double)n / var - 1.0) < 5.0 * sqrt(spread / (double)n));
    return most;
}

void zoo_normal(const struct ftk__model *m, const char *tensor, double deviation)
{
    uint64_t n;
    float *v = draw(m, tensor, &n);
    double most = check_moments(v, n, deviation * deviation, 2.0);
    assert_true(most > 2.0 * deviation); /* no uniform numbers of that variance */
    free(v);
}

void zoo_uniform(const struct ftk__model *m, const char *tensor, double bound)
{
    uint64_t n;
    float *v = draw(m, tensor, &n);
    double most = check_moments(v, n, bound * bound / 3.0, 0.8);
    assert_true(most <= (float)bound);
    free(v);
}

void zoo_constant(const struct ftk__model *m, const char *tensor, float value)
{
    uint64_t n;
    float *v = draw(m, tensor, &n);
    for (uint64_t i = 0; i < n; i++)
        assert_true(v[i] == value);
    free(v);
}
