/* SPDX-License-Identifier: MIT
 * test_augment.c - data/augment.c and order.c: what is drawn, and what crop, flip and padding do.
 */
#include "data/augment.h"
#include "data/order.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { C = 2, H = 6, W = 7, N = 3, FLOATS = C * H * W };

static uint8_t pixels[N * FLOATS];
static const int32_t label[N] = { 0, 1, 0 };

static struct ftk__images some_images(void)
{
    for (uint32_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(37 * i + 11);
    return (struct ftk__images){
        .shape = { C, H, W },
        .classes = 2,
        .n = N,
        .pixels = pixels,
        .label = label,
        .mean = { 0.25f, 0.5f },
        .std = { 0.5f, 2.0f },
    };
}

static float value(const struct ftk__images *im, uint32_t c, uint8_t v)
{
    return ((float)v / 255.0f - im->mean[c]) / im->std[c];
}

/* Written apart from the code under test: builds the padded image, crops it, flips it. */
static void naive(const struct ftk__images *im, uint32_t fill, const ftk_sample *s, float *ret)
{
    for (uint32_t c = 0; c < C; c++) {
        uint8_t padded[H + 8][W + 8];
        for (int y = 0; y < H + 8; y++) {
            for (int x = 0; x < W + 8; x++) {
                int fy = y < 4 ? 4 - y : y - 4;
                int fx = x < 4 ? 4 - x : x - 4;
                if (fy >= H)
                    fy = 2 * H - 2 - fy;
                if (fx >= W)
                    fx = 2 * W - 2 - fx;
                int outside = y < 4 || x < 4 || y >= H + 4 || x >= W + 4;
                uint8_t v = im->pixels[((s->index * C + c) * H + (uint32_t)fy) * W + (uint32_t)fx];
                padded[y][x] = outside && fill == FTK__FILL_ZERO ? 0 : v;
            }
        }
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                int from = s->flip ? W - 1 - x : x;
                ret[(c * H + (uint32_t)y) * W + (uint32_t)x] =
                    value(im, c, padded[4 + y + s->dy][4 + from + s->dx]);
            }
    }
}

static void every_crop_and_flip(void **state)
{
    (void)state;
    struct ftk__images im = some_images();
    struct ftk__scale scale;
    ftk__scale_set(&scale, &im);
    for (uint32_t fill = 0; fill < 2; fill++)
        for (int dy = -4; dy <= 4; dy++)
            for (int dx = -4; dx <= 4; dx++)
                for (int flip = 0; flip < 2; flip++) {
                    ftk_sample s = { 2, (int8_t)dx, (int8_t)dy, (uint8_t)flip, 0 };
                    float got[FLOATS];
                    float expected[FLOATS];
                    ftk__augment_apply(&im, fill, &s, &scale, got);
                    naive(&im, fill, &s, expected);
                    assert_memory_equal(got, expected, sizeof got);
                }
}

static void corners_by_hand(void **state)
{
    (void)state;
    struct ftk__images im = some_images();
    struct ftk__scale scale;
    ftk__scale_set(&scale, &im);
    float x[FLOATS];
    ftk_sample s = { .index = 0, .dx = -1, .dy = -2 };
    ftk__augment_apply(&im, FTK__FILL_REFLECT, &s, &scale, x);
    assert_true(x[0] == value(&im, 0, pixels[2 * W + 1]));
    ftk__augment_apply(&im, FTK__FILL_ZERO, &s, &scale, x);
    assert_true(x[0] == -0.5f); /* black: (0 - 0.25) / 0.5 */
    assert_true(x[H * W] == -0.25f);
    assert_true(x[2 * W + 1] == value(&im, 0, pixels[0]));
    s = (ftk_sample){ .index = 1, .flip = 1 };
    ftk__augment_apply(&im, FTK__FILL_ZERO, &s, &scale, x);
    assert_true(x[0] == value(&im, 0, pixels[FLOATS + W - 1]));
}

static void fill_copies_as_they_are(void **state)
{
    (void)state;
    struct ftk__images im = some_images();
    float x[2 * FLOATS];
    int32_t y[2];
    ftk__images_fill(&im, 1, 2, x, y);
    assert_int_equal(y[0], 1);
    assert_int_equal(y[1], 0);
    for (uint32_t i = 0; i < 2 * FLOATS; i++)
        assert_true(x[i] == value(&im, i / (H * W) % C, pixels[FLOATS + i]));
}

static ftk_sample draw(uint32_t mode, uint64_t seed, uint32_t member, uint64_t pass,
                       uint64_t sample)
{
    struct ftk__augment a = { .mode = mode, .seed = seed };
    ftk_sample s = { .index = 5 };
    ftk__augment_draw(&a, member, pass, sample, &s);
    assert_int_equal(s.index, 5);
    return s;
}

static void draws_are_even(void **state)
{
    (void)state;
    enum { DRAWS = 9 * 9 * 2 * 100 };
    uint32_t count[9][9][2] = { { { 0 } } };
    for (uint32_t i = 0; i < DRAWS; i++) {
        ftk_sample s = draw(FTK__MODE_STANDARD, 1, 0, 0, i);
        assert_in_range(s.dx + 4, 0, 8);
        assert_in_range(s.dy + 4, 0, 8);
        count[s.dx + 4][s.dy + 4][s.flip]++;
    }
    double chi = 0.0;
    for (uint32_t i = 0; i < 162; i++) {
        double d = (double)(&count[0][0][0])[i] - 100.0;
        chi += d * d / 100.0;
    }
    assert_true(chi > 100.0 && chi < 240.0); /* 161 degrees of freedom: 161 +- 18 */
}

static void draws_depend_on_the_key(void **state)
{
    (void)state;
    uint32_t same[4] = { 0 };
    for (uint32_t i = 0; i < 1000; i++) {
        ftk_sample s = draw(FTK__MODE_STANDARD, 1, 0, 0, i);
        ftk_sample again = draw(FTK__MODE_STANDARD, 1, 0, 0, i);
        assert_memory_equal(&s, &again, sizeof s);
        ftk_sample other[4] = {
            draw(FTK__MODE_STANDARD, 2, 0, 0, i),
            draw(FTK__MODE_STANDARD, 1, 1, 0, i),
            draw(FTK__MODE_STANDARD, 1, 0, 1, i),
            draw(FTK__MODE_STANDARD, 1, 0, 0, i + 1000),
        };
        for (uint32_t k = 0; k < 4; k++)
            same[k] += memcmp(&s, &other[k], sizeof s) == 0;
    }
    for (uint32_t k = 0; k < 4; k++)
        assert_true(same[k] < 30); /* 1000 / 162 expected */
}

static void modes_draw_what_they_say(void **state)
{
    (void)state;
    uint32_t flips = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        ftk_sample none = draw(FTK__MODE_NONE, 1, 0, 0, i);
        ftk_sample flip = draw(FTK__MODE_FLIP, 1, 0, 0, i);
        ftk_sample standard = draw(FTK__MODE_STANDARD, 1, 0, 0, i);
        assert_true(none.dx == 0 && none.dy == 0 && none.flip == 0);
        assert_true(flip.dx == 0 && flip.dy == 0);
        assert_int_equal(flip.flip, standard.flip);
        flips += flip.flip;
    }
    assert_in_range(flips, 420, 580);
}

static void order_is_a_permutation(void **state)
{
    (void)state;
    enum { MANY = 1000 };
    for (uint32_t n = 0; n <= MANY; n = n < 5 ? n + 1 : 10 * n) {
        uint32_t order[MANY];
        uint8_t seen[MANY] = { 0 };
        ftk__order_draw(3, 1, 2, n, order);
        for (uint32_t i = 0; i < n; i++) {
            assert_true(order[i] < n);
            assert_false(seen[order[i]]++);
        }
    }
}

static void order_depends_on_the_key(void **state)
{
    (void)state;
    enum { MANY = 100 };
    uint32_t order[5][MANY];
    ftk__order_draw(3, 1, 2, MANY, order[0]);
    ftk__order_draw(4, 1, 2, MANY, order[1]);
    ftk__order_draw(3, 2, 2, MANY, order[2]);
    ftk__order_draw(3, 1, 3, MANY, order[3]);
    ftk__order_draw(3, 1, 2, MANY, order[4]);
    for (uint32_t i = 0; i < 4; i++)
        for (uint32_t j = 0; j < i; j++)
            assert_memory_not_equal(order[i], order[j], sizeof order[0]);
    assert_memory_equal(order[0], order[4], sizeof order[0]);
}

/* Each of the 6 orders of 3 in a sixth of the passes. */
static void orders_are_even(void **state)
{
    (void)state;
    uint32_t count[27] = { 0 };
    for (uint32_t pass = 0; pass < 6000; pass++) {
        uint32_t order[3];
        ftk__order_draw(1, 0, pass, 3, order);
        count[order[0] * 9 + order[1] * 3 + order[2]]++;
    }
    uint32_t seen = 0;
    for (uint32_t i = 0; i < 27; i++) {
        if (count[i] == 0)
            continue;
        assert_in_range(count[i], 850, 1150);
        seen++;
    }
    assert_int_equal(seen, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_crop_and_flip),     cmocka_unit_test(corners_by_hand),
        cmocka_unit_test(fill_copies_as_they_are), cmocka_unit_test(draws_are_even),
        cmocka_unit_test(draws_depend_on_the_key), cmocka_unit_test(modes_draw_what_they_say),
        cmocka_unit_test(order_is_a_permutation),  cmocka_unit_test(order_depends_on_the_key),
        cmocka_unit_test(orders_are_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
