/* SPDX-License-Identifier: MIT
 * test_plugins_allot.c - how the redistribution rules share what is to grow among layers.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backend_host.h"
#include "plugin_load.h"
#include "plugin_net.h"

enum { LAYERS = 3 };

static void assert_shares(const uint64_t *got, uint64_t a, uint64_t b, uint64_t c)
{
    assert_int_equal(got[0], a);
    assert_int_equal(got[1], b);
    assert_int_equal(got[2], c);
}

static ftk_status share_none(const uint64_t *lost, const uint64_t *room, uint64_t total,
                             uint64_t *ret)
{
    const ftk_allot_ops *ops = plugin_load("allot_none", FTK_KIND_ALLOT)->ops;
    const ftk_net net = { .size = sizeof(net), .n_layers = LAYERS };
    ftk_update u = { .size = sizeof(u) };
    struct bt_host host;
    bt_host_init(&host);
    ftk_status st = ops->allot(&host.table, NULL, &net, &u, lost, room, total, ret);
    assert_int_equal(st < 0, host.message[0] != '\0');
    bt_host_done(&host);
    return st;
}

static void test_allot_none(void **state)
{
    (void)state;
    const uint64_t lost[LAYERS] = { 5, 0, 7 };
    uint64_t got[LAYERS];
    assert_int_equal(share_none(lost, (const uint64_t[]){ 9, 9, 9 }, 12, got), FTK_OK);
    assert_shares(got, 5, 0, 7);
    // Where the last has room for 2 only, its other 5 go to the first layers with room.
    assert_int_equal(share_none(lost, (const uint64_t[]){ 6, 9, 2 }, 12, got), FTK_OK);
    assert_shares(got, 6, 4, 2);
    assert_int_equal(share_none(lost, (const uint64_t[]){ 0, UINT64_MAX, 0 }, 12, got), FTK_OK);
    assert_shares(got, 0, 12, 0);
    assert_int_equal(share_none(lost, (const uint64_t[]){ UINT64_MAX, UINT64_MAX, 0 }, 12, got),
                     FTK_OK);
    assert_shares(got, 12, 0, 0);
    assert_int_equal(
        share_none((const uint64_t[]){ 0, 0, 0 }, (const uint64_t[]){ 0, 0, 0 }, 0, got), FTK_OK);
    assert_shares(got, 0, 0, 0);
}

static void test_allot_none_full(void **state)
{
    (void)state;
    const uint64_t lost[LAYERS] = { 5, 0, 7 };
    uint64_t got[LAYERS] = { 1, 2, 3 };
    assert_int_equal(share_none(lost, (const uint64_t[]){ 4, 4, 3 }, 12, got), FTK_ERANGE);
    assert_shares(got, 1, 2, 3);
}

/* ---- by worth -------------------------------------------------------------------------------- */

/* momentum and magnitude: the mean size over a layer's active weights (Dettmers and Zettlemoyer
 * 2019, arXiv:1907.04840); nonzeros: their number (Mostafa and Wang 2019, arXiv:1902.05967). */

static const uint64_t first[8] = { 0, 1, 2, 3, 4, 5, 6, 7 };

static ftk_status share(const char *file, struct plugin_net *n, const uint64_t *room,
                        uint64_t total, uint64_t *ret)
{
    const ftk_allot_ops *ops = plugin_load(file, FTK_KIND_ALLOT)->ops;
    const uint64_t lost[PN_LAYERS] = { 0 }; /* what they lost is nothing to these rules */
    ftk_update u = { .size = sizeof(u) };
    struct bt_host host;
    bt_host_init(&host);
    n->channels = 0;
    ftk_status st = ops->allot(&host.table, NULL, &n->net, &u, lost, room, total, ret);
    assert_int_equal(st < 0, host.message[0] != '\0');
    assert_int_equal(n->channels & ~ops->channels, 0);
    bt_host_done(&host);
    return st;
}

static const uint64_t ample[LAYERS] = { 100, 100, 100 };

/* Mean sizes 2, 0.5 and 1.5 of one channel, 1, 1 and 6 of the other: of 8, 4 : 1 : 3 or 1 : 1 : 6.
 * */
static void net_means(struct plugin_net *n)
{
    static const float a[] = { 1.0f, -3.0f };
    static const float b[] = { 0.5f, 0.5f, -0.5f, -0.5f };
    static const float c[] = { -1.5f };
    static const float d[] = { 1.0f, -1.0f, 1.0f, -1.0f };
    static const float e[] = { 6.0f };
    plugin_net_init(n);
    plugin_net_add(n, &(const struct pn_layer){ 100, 2, first, a, d });
    plugin_net_add(n, &(const struct pn_layer){ 100, 4, first, b, d });
    plugin_net_add(n, &(const struct pn_layer){ 100, 1, first, c, e });
}

static void test_allot_means(void **state)
{
    (void)state;
    static struct plugin_net n;
    uint64_t got[LAYERS];
    for (uint64_t most = 1; most < 5; most++) {
        net_means(&n);
        n.most = most; /* the mean is over all pieces of a layer */
        assert_int_equal(share("allot_magnitude", &n, ample, 8, got), FTK_OK);
        assert_shares(got, 4, 1, 3);
        net_means(&n);
        n.most = most;
        assert_int_equal(share("allot_momentum", &n, ample, 8, got), FTK_OK);
        assert_shares(got, 1, 1, 6);
    }
}

/* 2 : 4 : 1 active weights, whatever they are. */
static void test_allot_nonzeros(void **state)
{
    (void)state;
    static struct plugin_net n;
    uint64_t got[LAYERS];
    net_means(&n);
    assert_int_equal(share("allot_nonzeros", &n, ample, 14, got), FTK_OK);
    assert_shares(got, 4, 8, 2);
    assert_int_equal(n.channels, 0);
    /* Of 5: 1.43, 2.86, 0.71; the two that are left go to the largest fractions. */
    assert_int_equal(share("allot_nonzeros", &n, ample, 5, got), FTK_OK);
    assert_shares(got, 1, 3, 1);
    assert_int_equal(share("allot_nonzeros", &n, ample, 0, got), FTK_OK);
    assert_shares(got, 0, 0, 0);
}

/* Of equal fractions the lower layer's comes first: 10 by thirds is 4, 3, 3; 11 is 4, 4, 3. */
static void test_allot_ties(void **state)
{
    (void)state;
    static struct plugin_net n;
    static const float one[] = { 1.0f };
    uint64_t got[LAYERS];
    plugin_net_init(&n);
    for (int l = 0; l < LAYERS; l++)
        plugin_net_add(&n, &(const struct pn_layer){ 100, 1, first, one, one });
    assert_int_equal(share("allot_momentum", &n, ample, 10, got), FTK_OK);
    assert_shares(got, 4, 3, 3);
    assert_int_equal(share("allot_nonzeros", &n, ample, 11, got), FTK_OK);
    assert_shares(got, 4, 4, 3);
}

/* A full layer's rest is shared by the others' worth: 7 by 0.5 to 1.5 is 1.75 and 5.25.  With room
 * for 5 in the last the second gets 2; all of it is filled where the total is all the room there
 * is. */
static void test_allot_room(void **state)
{
    (void)state;
    static struct plugin_net n;
    uint64_t got[LAYERS];
    net_means(&n);
    assert_int_equal(share("allot_magnitude", &n, (const uint64_t[]){ 1, 100, 100 }, 8, got),
                     FTK_OK);
    assert_shares(got, 1, 2, 5);
    assert_int_equal(share("allot_magnitude", &n, (const uint64_t[]){ 1, 100, 4 }, 8, got), FTK_OK);
    assert_shares(got, 1, 3, 4);
    assert_int_equal(share("allot_magnitude", &n, (const uint64_t[]){ 0, 100, 0 }, 8, got), FTK_OK);
    assert_shares(got, 0, 8, 0);
    assert_int_equal(share("allot_magnitude", &n, (const uint64_t[]){ 3, 0, 5 }, 8, got), FTK_OK);
    assert_shares(got, 3, 0, 5);
    assert_int_equal(share("allot_magnitude", &n, (const uint64_t[]){ 3, 0, 4 }, 8, got),
                     FTK_ERANGE);
}

/* A layer without active weights, or of zeros, is worth nothing: it gets the rest once others are
 * full. Where none is worth anything the first layers with room get it all. */
static void test_allot_worthless(void **state)
{
    (void)state;
    static struct plugin_net n;
    static const float zero[] = { 0.0f, -0.0f };
    static const float one[] = { 1.0f, 1.0f };
    static const char *const files[] = { "allot_magnitude", "allot_momentum" };
    uint64_t got[LAYERS];
    for (int f = 0; f < 2; f++) {
        plugin_net_init(&n);
        plugin_net_add(&n, &(const struct pn_layer){ 100, 0, first, zero, zero });
        plugin_net_add(&n, &(const struct pn_layer){ 100, 2, first, zero, zero });
        plugin_net_add(&n, &(const struct pn_layer){ 100, 2, first, one, one });
        assert_int_equal(share(files[f], &n, ample, 7, got), FTK_OK);
        assert_shares(got, 0, 0, 7);
        assert_int_equal(share(files[f], &n, (const uint64_t[]){ 2, 9, 3 }, 7, got), FTK_OK);
        assert_shares(got, 2, 2, 3);
        n.data[2].nnz = 0;
        assert_int_equal(share(files[f], &n, (const uint64_t[]){ 2, 2, 9 }, 5, got), FTK_OK);
        assert_shares(got, 2, 2, 1);
    }
}

/* No share follows from a momentum that is not finite. */
static void test_allot_not_finite(void **state)
{
    (void)state;
    static struct plugin_net n;
    static const float bad[] = { INFINITY };
    static const float nan[] = { NAN };
    uint64_t got[LAYERS];
    net_means(&n);
    n.data[2].momentum = bad;
    assert_int_equal(share("allot_momentum", &n, ample, 8, got), FTK_ENUMERIC);
    n.data[2].momentum = nan;
    assert_int_equal(share("allot_momentum", &n, ample, 8, got), FTK_ENUMERIC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allot_none),      cmocka_unit_test(test_allot_none_full),
        cmocka_unit_test(test_allot_means),     cmocka_unit_test(test_allot_nonzeros),
        cmocka_unit_test(test_allot_ties),      cmocka_unit_test(test_allot_room),
        cmocka_unit_test(test_allot_worthless), cmocka_unit_test(test_allot_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
