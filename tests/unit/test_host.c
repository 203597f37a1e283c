/* SPDX-License-Identifier: MIT
 * test_host.c - what the core offers to plugins while it calls them, and instances.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#undef fail /* CMocka's macro would stand in for the host's member                    */

#include "base/log.h"
#include "base/mem.h"
#include "oom.h"
#include "plugin/host_table.h"
#include "scratch_dir.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const ftk_stamp stamp = {
    FTK_MAGIC, sizeof(ftk_stamp),    FTK_ABI_MAJOR, FTK_ABI_MINOR,
    0,         "org.example.taylor", "1.0.0",       "MIT",
    "",
};
static char path[] = "lib/prune_taylor.so";
static const struct ftk__file file = { .path = path, .stamp = &stamp };

/* An algorithm whose create() does what its parameter says. */
struct wish {
    ftk_status check, create;
    const char *reason;
    uint32_t destroyed;
};

static ftk_status check(const ftk_host *h, const void *params)
{
    const struct wish *w = params;
    return w->check < 0 && w->reason ? h->fail(h, w->check, "%s", w->reason) : w->check;
}

static ftk_status create(const ftk_host *h, const void *params, void **ret_self)
{
    const struct wish *w = params;
    if (w->create != FTK_OK)
        return w->reason ? h->fail(h, w->create, "%s", w->reason) : w->create;
    const struct wish **self = h->alloc(h, sizeof(*self));
    if (!self)
        return h->fail(h, FTK_ENOMEM, "out of memory");
    *self = w;
    *ret_self = self;
    return FTK_OK;
}

static void destroy(const ftk_host *h, void *self)
{
    struct wish **wish = self;
    if (wish)
        (*wish)->destroyed++;
    h->free(h, self);
}

static const ftk_algo algo = {
    .size = sizeof(algo),
    .kind = FTK_KIND_PRUNE,
    .name = "taylor",
    .summary = "s",
    .reference = "",
    .params_size = sizeof(struct wish),
    .check = check,
    .create = create,
    .destroy = destroy,
};
static const struct ftk__entry entry = { &algo, &file };

static int new_host(void **state)
{
    *state = ftk__host_new();
    return *state ? 0 : -1;
}

static int free_host(void **state)
{
    ftk__host_free(*state);
    return 0;
}

static void test_table(void **state)
{
    const ftk_host *h = ftk__host_table(*state);
    assert_int_equal(h->size, sizeof(*h));
    assert_int_equal(h->abi_major, FTK_ABI_MAJOR);
    assert_int_equal(h->abi_minor, FTK_ABI_MINOR);
    assert_null(h->get_extension(h, "none/9"));
    ftk_rng r = { { 0, 0 }, 0 };
    assert_true(h->rng_u64(&r) == 0xe169c58d6627e8d5u); /* the answer in host.h      */
    assert_int_equal(r.counter, 1);
    double u = h->rng_uniform(&r);
    assert_true(u >= 0 && u < 1);
    assert_true(isfinite(h->rng_normal(&r)));
    assert_int_equal(r.counter, 4);
    assert_true(h->rng_below(&r, 1) == 0);
}

static void test_memory(void **state)
{
    struct ftk__host *host = *state;
    const ftk_host *h = ftk__host_table(host);
    uint64_t before = ftk__mem_stats().alive;
    unsigned char *a = h->alloc(h, 100);
    assert_non_null(a);
    assert_int_equal((uintptr_t)a % 64, 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(a[i], 0);
    assert_int_equal(ftk__mem_stats().alive, before + 1);
    h->free(h, a);
    h->free(h, NULL);
    assert_int_equal(ftk__mem_stats().alive, before);

    ftk__host_begin(host);
    for (int i = 0; i < 3; i++) {
        unsigned char *s = h->scratch(h, 100000);
        assert_non_null(s);
        assert_int_equal((uintptr_t)s % 64, 0);
        assert_int_equal(s[99999], 0);
        memset(s, 0xff, 100000);
    }
    assert_true(ftk__mem_stats().alive > before);
    assert_int_equal(ftk__host_end(host, FTK_OK, &entry, NULL), FTK_OK);
    assert_int_equal(ftk__mem_stats().alive, before);
}

static void test_fail(void **state)
{
    struct ftk__host *host = *state;
    const ftk_host *h = ftk__host_table(host);
    struct ftk_error err = { 0 };
    ftk__host_begin(host);
    ftk_status st = h->fail(h, FTK_ERANGE, "layer '%s': %d above %d", "fc", 7, 3);
    assert_int_equal(st, FTK_ERANGE);
    assert_int_equal(ftk__host_end(host, st, &entry, &err), FTK_ERANGE);
    assert_int_equal(err.status, FTK_ERANGE);
    assert_string_equal(err.message, "layer 'fc': 7 above 3");
    assert_int_equal(err.n_context, 1);
    assert_string_equal(err.context[0], "in prune plugin 'taylor' (lib/prune_taylor.so, "
                                        "org.example.taylor 1.0.0)");
    /* The next call starts without that record. */
    ftk__host_begin(host);
    assert_int_equal(ftk__host_end(host, FTK_EINVAL, &entry, &err), FTK_EINVAL);
    assert_string_equal(err.message,
                        "gave no reason for EINVAL (invalid argument or configuration)");
    ftk__host_begin(host);
    assert_int_equal(ftk__host_end(host, (ftk_status)-77, &entry, &err), FTK_EINTERNAL);
    assert_string_equal(err.message, "returned -77, which is no status");
    assert_int_equal(ftk__host_end(host, (ftk_status)2, &entry, &err), FTK_EINTERNAL);
    const struct ftk__entry built_in = { &algo, NULL };
    assert_int_equal(ftk__host_end(host, FTK_EIO, &built_in, &err), FTK_EIO);
    assert_string_equal(err.context[0], "in prune 'taylor' (built in)");
}

static void test_no_failure(void **state)
{
    struct ftk__host *host = *state;
    const ftk_host *h = ftk__host_table(host);
    struct ftk_error err = { 0 };
    ftk__host_begin(host);
    (void)h->fail(h, FTK_EINVAL, "tried one way, then another");
    assert_int_equal(ftk__host_end(host, FTK_OK, &entry, &err), FTK_OK);
    assert_int_equal(ftk__host_end(host, FTK_DONE, &entry, &err), FTK_DONE);
    assert_int_equal(err.message[0], 0);
}

/* A sentence longer than the record, and one of two lines, stay one line. */
static void test_long_reason(void **state)
{
    struct ftk__host *host = *state;
    const ftk_host *h = ftk__host_table(host);
    struct ftk_error err = { 0 };
    char text[3000];
    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    ftk__host_begin(host);
    ftk_status st = h->fail(h, FTK_EINVAL, "two\nlines %s", text);
    ftk__host_end(host, st, &entry, &err);
    assert_null(strchr(err.message, '\n'));
    assert_memory_equal(err.message, "two lines aaa", 13);
    assert_true(strlen(err.message) < FTK__ERROR_TEXT);
}

static void test_select(void **state)
{
    struct ftk__host *host = *state;
    const ftk_host *h = ftk__host_table(host);
    struct ftk_error err = { 0 };
    float score[] = { 3, 1, 2, 1, -0.0f, 0 };
    uint64_t pos[6];
    ftk__host_begin(host);
    assert_int_equal(h->select_low(h, score, 6, 3, pos), FTK_OK);
    assert_int_equal(pos[0], 1); /* of the two ones the lower index               */
    assert_int_equal(pos[1], 4);
    assert_int_equal(pos[2], 5);
    assert_int_equal(h->select_high(h, score, 6, 2, pos), FTK_OK);
    assert_int_equal(pos[0], 0);
    assert_int_equal(pos[1], 2);
    score[2] = NAN;
    ftk_status st = h->select_high(h, score, 6, 2, pos);
    assert_int_equal(st, FTK_ENUMERIC);
    ftk__host_end(host, st, &entry, &err);
    assert_null(strstr(err.message, "gave no reason"));
    ftk__host_begin(host);
    st = h->select_low(h, score, 6, 7, pos);
    assert_int_equal(ftk__host_end(host, st, &entry, &err), FTK_ERANGE);
    assert_null(strstr(err.message, "gave no reason"));
}

/* Lines carry the plugin's name, and a quote in a message cannot end its field. */
static void test_log(void **state)
{
    struct ftk__host *host = *state;
    const ftk_host *h = ftk__host_table(host);
    struct scratch_dir dir;
    struct ftk_error err;
    char name[512], text[2000];
    scratch_dir_init(&dir);
    ftk__log_setup(FTK_ERROR, true);
    assert_int_equal(ftk__log_open(dir.path, &err), FTK_OK);
    ftk__host_set_owner(host, &entry);
    h->log(h, FTK_WARN, "score %d of\n\"%s\"", 3, "fc");
    ftk__log_close();
    FILE *f = fopen(scratch_dir_file(&dir, "log.txt", name, sizeof(name)), "r");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    text[n] = '\0';
    assert_non_null(strstr(text, "warn plugin kind=prune name=taylor message=\"score 3 of 'fc'\""));
    scratch_dir_done(&dir);
}

static void test_instance(void **state)
{
    (void)state;
    uint64_t before = ftk__mem_stats().alive;
    struct wish w = { FTK_OK, FTK_OK, NULL, 0 };
    struct ftk__instance i = { 0 };
    struct ftk_error err = { 0 };
    assert_int_equal(ftk__instance_new(&entry, &w, &i, &err), FTK_OK);
    assert_ptr_equal(i.entry, &entry);
    assert_ptr_equal(i.params, &w);
    assert_non_null(i.self);
    ftk__instance_done(&i);
    assert_int_equal(w.destroyed, 1);
    assert_null(i.self);
    ftk__instance_done(&i); /* a zeroed one is fine                           */
    assert_int_equal(w.destroyed, 1);
    assert_int_equal(ftk__mem_stats().alive, before);

    static const ftk_algo plain = { .size = sizeof(plain), .kind = FTK_KIND_GROW, .name = "g" };
    const struct ftk__entry plain_entry = { &plain, NULL };
    assert_int_equal(ftk__instance_new(&plain_entry, NULL, &i, &err), FTK_OK);
    assert_null(i.self);
    ftk__instance_done(&i);
    assert_int_equal(ftk__mem_stats().alive, before);
}

static void test_instance_refused(void **state)
{
    (void)state;
    uint64_t before = ftk__mem_stats().alive;
    struct wish w = { FTK_ERANGE, FTK_OK, "low 3 is above high 2", 0 };
    struct ftk__instance i = { 0 };
    struct ftk_error err = { 0 };
    assert_int_equal(ftk__instance_new(&entry, &w, &i, &err), FTK_ERANGE);
    assert_string_equal(err.message, "low 3 is above high 2");
    assert_null(i.host);
    w = (struct wish){ FTK_OK, FTK_EINVAL, NULL, 0 };
    assert_int_equal(ftk__instance_new(&entry, &w, &i, &err), FTK_EINVAL);
    assert_non_null(strstr(err.message, "gave no reason"));
    w = (struct wish){ FTK_OK, FTK_DONE, NULL, 0 };
    assert_int_equal(ftk__instance_new(&entry, &w, &i, &err), FTK_EINTERNAL);
    assert_string_equal(err.message, "create() returned 1, not FTK_OK");
    assert_int_equal(w.destroyed, 0);
    assert_int_equal(ftk__mem_stats().alive, before);
}

static ftk_status make_instance(void *arg)
{
    struct ftk__instance i = { 0 };
    ftk_status st = ftk__instance_new(&entry, arg, &i, NULL);
    ftk__instance_done(&i);
    return st;
}

static void test_out_of_memory(void **state)
{
    (void)state;
    struct wish w = { FTK_OK, FTK_OK, NULL, 0 };
    assert_int_equal(ftk_oom_sweep(make_instance, &w, 1), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_table, new_host, free_host),
        cmocka_unit_test_setup_teardown(test_memory, new_host, free_host),
        cmocka_unit_test_setup_teardown(test_fail, new_host, free_host),
        cmocka_unit_test_setup_teardown(test_no_failure, new_host, free_host),
        cmocka_unit_test_setup_teardown(test_long_reason, new_host, free_host),
        cmocka_unit_test_setup_teardown(test_select, new_host, free_host),
        cmocka_unit_test_setup_teardown(test_log, new_host, free_host),
        cmocka_unit_test(test_instance),
        cmocka_unit_test(test_instance_refused),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
