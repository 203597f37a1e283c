/* SPDX-License-Identifier: MIT
 * test_mask_file.c - masks and weights of a member's files, matched with a model by name and shape.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "scratch_dir.h"
#include "train/mask_file.h"
#include "train/weights.h"
#include "zoo_case.h"
#include <math.h>
#include <string.h>

enum { CAP = 64, N_CONV1 = 20 * 25, N_ALL = 430500 };

/* lenet5 with a file's worth of arrays: its four masks, or its whole state dict. */
struct files_case {
    struct scratch_dir dir;
    struct zoo_case zoo;
    struct ftk__model *m;
    struct ftk__st_array array[CAP]; // [n]
    char name[CAP][64];
    uint64_t n;
    struct ftk__arena arena;
    struct ftk__mask_file masks;
    struct ftk__st_file weights;
    struct ftk_error err;
    char path[300];
};

static void add(struct files_case *c, uint32_t node, uint32_t role, enum ftk__dtype dtype)
{
    struct ftk__st_array *a = &c->array[c->n];
    *a = (struct ftk__st_array){ .name = c->name[c->n], .dtype = dtype };
    assert_true(ftk__model_tensor_name(c->m, node, role, c->name[c->n], sizeof c->name[0]));
    a->n_dims = ftk__model_tensor_shape(c->m, node, role, a->dims);
    a->data = ftk__arena_alloc(&c->arena, ftk__st_count(a) * ftk__dtype_bytes(dtype));
    assert_non_null(a->data);
    c->n++;
}

static void start_case(struct files_case *c)
{
    *c = (struct files_case){ 0 };
    scratch_dir_init(&c->dir);
}

static void fill_case(struct files_case *c, enum ftk__dtype dtype)
{
    uint32_t pos = 0, node, role;
    c->m = zoo_build(&c->zoo);
    while (ftk__weights_next(c->m, &pos, &node, &role)) {
        if (dtype == FTK__F32 || role == FTK_TENSOR_WEIGHT)
            add(c, node, role, dtype);
    }
}

static void open_case(struct files_case *c, enum ftk__dtype dtype)
{
    start_case(c);
    zoo_init(&c->zoo, "lenet5", 1, 28, 10);
    fill_case(c, dtype);
}

static void open_norms(struct files_case *c)
{
    start_case(c);
    zoo_init(&c->zoo, "wrn", 3, 8, 10);
    zoo_i64(&c->zoo, "depth", 10);
    zoo_i64(&c->zoo, "width", 1);
    fill_case(c, FTK__F32);
}

static void close_case(struct files_case *c)
{
    ftk__mask_file_done(&c->masks);
    ftk__st_close(&c->weights);
    ftk__model_free(c->m);
    ftk__arena_done(&c->arena);
    scratch_dir_done(&c->dir);
}

static void put(struct files_case *c, const char *name)
{
    scratch_dir_file(&c->dir, name, c->path, sizeof c->path);
    assert_int_equal(ftk__st_write(c->path, c->array, c->n, NULL, 0, &c->err), FTK_OK);
}

/* Makes entry i of an array active. */
static void set(struct files_case *c, uint64_t array, uint64_t i)
{
    void *v = (void *)(uintptr_t)c->array[array].data;
    if (c->array[array].dtype == FTK__U8)
        ((uint8_t *)v)[i] = 1;
    else
        ((float *)v)[i] = -1e-30f;
}

static void expect_mask(const struct files_case *c)
{
    const struct ftk__topology_mask *mask = c->masks.mask;
    assert_int_equal(c->masks.n_layers, 4);
    assert_int_equal(mask[0].n, 2);
    assert_int_equal(mask[0].index[0], 3);
    assert_int_equal(mask[0].index[1], N_CONV1 - 1);
    assert_int_equal(mask[1].n, 0);
    assert_int_equal(mask[3].n, 1);
    assert_int_equal(mask[3].index[0], 0);
    assert_true(c->masks.density == 3.0 / N_ALL);
}

static ftk_status read_masks(struct files_case *c)
{
    return ftk__mask_file_read(c->path, c->m, &c->masks, &c->err);
}

static void masks_are_read(void **state)
{
    (void)state;
    struct files_case c;
    open_case(&c, FTK__U8);
    set(&c, 0, 3);
    set(&c, 0, N_CONV1 - 1);
    set(&c, 3, 0);
    put(&c, "any.safetensors");
    assert_int_equal(read_masks(&c), FTK_OK);
    expect_mask(&c);
    close_case(&c);
}

/* Weight arrays of a state dict are every other one: biases lie between. */
static void weights_that_are_not_0_are_active(void **state)
{
    (void)state;
    struct files_case c;
    open_case(&c, FTK__F32);
    set(&c, 0, 3);
    set(&c, 0, N_CONV1 - 1);
    set(&c, 1, 0);
    set(&c, 6, 0);
    ((float *)(uintptr_t)c.array[0].data)[4] = -0.0f;
    put(&c, "member-0.safetensors");
    assert_int_equal(read_masks(&c), FTK_OK);
    expect_mask(&c);
    close_case(&c);
}

static void masks_beside_a_member_are_taken(void **state)
{
    (void)state;
    struct files_case c;
    open_case(&c, FTK__U8);
    set(&c, 0, 3);
    set(&c, 0, N_CONV1 - 1);
    set(&c, 3, 0);
    put(&c, "member-0.masks.safetensors");
    scratch_dir_put(&c.dir, "member-0.safetensors", "not looked at", 13);
    scratch_dir_file(&c.dir, "member-0.safetensors", c.path, sizeof c.path);
    assert_int_equal(read_masks(&c), FTK_OK);
    expect_mask(&c);
    close_case(&c);
}

static void all_wrong_masks_are_named(void **state)
{
    (void)state;
    struct files_case c;
    open_case(&c, FTK__U8);
    ftk__format(c.name[0], sizeof c.name[0], "conv9.weight");
    c.array[1].dims[0] = 25;
    c.array[1].dims[1] = 40;
    c.array[2].n_dims = 1;
    c.array[2].dims[0] *= c.array[2].dims[1];
    ((uint8_t *)(uintptr_t)c.array[3].data)[7] = 2;
    put(&c, "bad.safetensors");
    assert_int_equal(read_masks(&c), FTK_EINVAL);
    assert_int_equal(ftk__error_exit_code(&c.err), FTK__EXIT_DATA);
    assert_non_null(strstr(c.err.message, "conv1.weight is missing"));
    assert_non_null(
        strstr(c.err.message, "conv2.weight is U8 (25, 40, 5, 5), not U8 (50, 20, 5, 5)"));
    assert_non_null(strstr(c.err.message, "fc3.weight is U8 (400000), not U8 (500, 800)"));
    assert_non_null(strstr(c.err.message, "fc4.weight holds 2 at 7"));
    assert_non_null(strstr(c.err.message, "conv9.weight is no maskable weight of model lenet5"));
    close_case(&c);
}

static void empty_masks_are_refused(void **state)
{
    (void)state;
    struct files_case c;
    open_case(&c, FTK__U8);
    put(&c, "empty.safetensors");
    assert_int_equal(read_masks(&c), FTK_EINVAL);
    assert_int_equal(ftk__error_exit_code(&c.err), FTK__EXIT_DATA);
    assert_non_null(strstr(c.err.message, "no weight is active"));
    assert_null(c.masks.mask);
    scratch_dir_file(&c.dir, "none.safetensors", c.path, sizeof c.path);
    assert_true(read_masks(&c) < 0);
    assert_int_equal(ftk__error_exit_code(&c.err), FTK__EXIT_NO_DATA);
    close_case(&c);
}

/* Puts "module." before names from..n-1. */
static void wrap_names(struct files_case *c, uint64_t from)
{
    for (uint64_t i = from; i < c->n; i++) {
        char plain[64];
        ftk__format(plain, sizeof plain, "%s", c->name[i]);
        ftk__format(c->name[i], sizeof c->name[i], "module.%.50s", plain);
    }
}

static ftk_status open_weights(struct files_case *c)
{
    return ftk__weights_open(c->path, 0, c->m, &c->weights, &c->err);
}

static void a_module_prefix_is_stripped(void **state)
{
    (void)state;
    struct files_case c;
    float bias[20];
    open_case(&c, FTK__F32);
    set(&c, 1, 5);
    wrap_names(&c, 0);
    put(&c, "parallel.safetensors");
    assert_int_equal(open_weights(&c), FTK_OK);
    uint32_t conv1 = zoo_node(c.m, "conv1");
    assert_int_equal(ftk__weights_copy(&c.weights, c.m, conv1, FTK_TENSOR_BIAS, bias, 20, &c.err),
                     FTK_OK);
    assert_true(bias[5] == -1e-30f && bias[4] == 0);
    assert_non_null(ftk__weights_find(&c.weights, "conv1.bias"));
    assert_null(ftk__weights_find(&c.weights, "module.conv1.bias.weight"));
    close_case(&c);
}

static void names_stay_strict(void **state)
{
    (void)state;
    struct files_case c;
    open_case(&c, FTK__F32);
    wrap_names(&c, 1);
    wrap_names(&c, 7);
    c.array[c.n] = c.array[1];
    c.array[c.n++].name = "conv1.bias";
    put(&c, "odd.safetensors");
    assert_int_equal(open_weights(&c), FTK_EINVAL);
    assert_int_equal(ftk__error_exit_code(&c.err), FTK__EXIT_DATA);
    assert_non_null(strstr(c.err.message, "fc4.bias is missing"));
    assert_non_null(strstr(c.err.message, "module.module.fc4.bias is not of model lenet5"));
    assert_non_null(strstr(c.err.message, "conv1.bias is there twice, once as module.conv1.bias"));
    close_case(&c);
}

static float *values_of(struct files_case *c, const char *name)
{
    for (uint64_t i = 0; i < c->n; i++)
        if (strcmp(c->name[i], name) == 0)
            return (float *)(uintptr_t)c->array[i].data;
    fail_msg("no array %s", name);
    return NULL;
}

/* The run would otherwise end at its first logit, which tells nothing of the file. */
static void values_that_are_no_numbers_are_named(void **state)
{
    (void)state;
    struct files_case c;
    open_norms(&c);
    values_of(&c, "conv1.weight")[7] = NAN;
    values_of(&c, "fc.bias")[9] = -INFINITY;
    values_of(&c, "bn1.running_var")[3] = -0.5f;
    values_of(&c, "block2.layer.0.bn1.running_var")[0] = INFINITY;
    values_of(&c, "bn1.running_mean")[3] = -0.5f;
    put(&c, "odd.safetensors");
    assert_int_equal(open_weights(&c), FTK_EINVAL);
    assert_int_equal(ftk__error_exit_code(&c.err), FTK__EXIT_DATA);
    assert_non_null(strstr(c.err.message, "conv1.weight holds nan at 7, not a finite number"));
    assert_non_null(strstr(c.err.message, "fc.bias holds -inf at 9, not a finite number"));
    assert_non_null(strstr(c.err.message, "bn1.running_var holds -0.5 at 3"));
    assert_non_null(strstr(c.err.message, "block2.layer.0.bn1.running_var holds inf at 0"));
    assert_null(strstr(c.err.message, "running_mean"));
    close_case(&c);
}

/* Another code's prefix: what the model lacks must not drown what the file calls it. */
static void a_long_list_shows_both_sides(void **state)
{
    (void)state;
    struct files_case c;
    open_norms(&c);
    for (uint64_t i = 0; i < c.n; i++) {
        char plain[64];
        ftk__format(plain, sizeof plain, "%s", c.name[i]);
        ftk__format(c.name[i], sizeof c.name[i], "net.%.50s", plain);
    }
    put(&c, "prefix.safetensors");
    assert_int_equal(open_weights(&c), FTK_EINVAL);
    assert_non_null(strstr(c.err.message, ": conv1.weight is missing; "));
    assert_non_null(strstr(c.err.message, "; net.conv1.weight is not of model wrn; "));
    const char *more = strstr(c.err.message, " more; net.");
    assert_non_null(more);
    more = strstr(more, "; and ");
    assert_non_null(more);
    assert_string_equal(more + strlen(more) - 5, " more");
    close_case(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_are_read),
        cmocka_unit_test(weights_that_are_not_0_are_active),
        cmocka_unit_test(masks_beside_a_member_are_taken),
        cmocka_unit_test(all_wrong_masks_are_named),
        cmocka_unit_test(empty_masks_are_refused),
        cmocka_unit_test(a_module_prefix_is_stripped),
        cmocka_unit_test(names_stay_strict),
        cmocka_unit_test(values_that_are_no_numbers_are_named),
        cmocka_unit_test(a_long_list_shows_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
