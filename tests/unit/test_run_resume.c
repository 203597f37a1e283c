/* SPDX-License-Identifier: MIT
 * test_run_resume.c - cli/run_resume.c: what of an unfinished run has to be as it was, and what is
 * only noted.
 */
#include "base/json.h"
#include "base/mem.h"
#include "cli/run_resume.h"
#include "oom.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct ftk__prepared p;
    struct ftk__experiment x;
    struct ftk__planned_op ops[3];
    json_t *then, *now;
    struct ftk__str notes;
    struct ftk_error err;
};

static const char manifest[] =
    "{\"config_hash\": \"c0\", \"seed\": 5, \"identity\": [\"a=1\", \"b=2\"], \"host\": \"h\","
    " \"version\": \"0.1.0\", \"compiler\": \"gcc\", \"data\": {\"set\": \"toy\", \"sha256\": "
    "\"d0\"},"
    " \"backend\": {\"name\": \"cpu\", \"device\": \"x\", \"isa\": \"avx2\", \"precision\": "
    "\"fp32\","
    "   \"threads\": 4, \"tune\": false, \"plugin\": {\"sha256\": \"b0\"}},"
    " \"plugins\": [{\"kind\": \"ensemble\", \"name\": \"dst\", \"sha256\": \"e0\", \"path\": "
    "\"e.so\"},"
    "   {\"kind\": \"prune\", \"name\": \"magnitude\", \"sha256\": \"p0\", \"path\": \"p.so\"},"
    "   {\"kind\": \"metric\", \"name\": \"nll\", \"sha256\": \"m0\", \"path\": \"m.so\"}]}";

static json_t *parse(const char *text)
{
    json_t *doc = json_loads(text, 0, NULL);
    assert_non_null(doc);
    return doc;
}

static int setup(void **state)
{
    static struct fixture f;
    ftk__json_setup();
    memset(&f, 0, sizeof(f));
    f.x.topology.enabled = true;
    f.p.x = &f.x;
    f.ops[0].op.code = FTK_OP_INIT;
    f.ops[1].op.code = FTK_OP_TRAIN;
    f.ops[1].op.flags = FTK_TRAIN_DST;
    f.ops[2].op.code = FTK_OP_SAVE;
    f.p.ops.v = f.ops;
    f.p.ops.n = 3;
    f.then = parse(manifest);
    f.now = parse(manifest);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    json_decref(f->then);
    json_decref(f->now);
    ftk__str_done(&f->notes);
    return 0;
}

static ftk_status check(struct fixture *f)
{
    ftk__str_done(&f->notes);
    return ftk__resume_check(&f->p, "runs/x", f->then, f->now, &f->notes, &f->err);
}

/* path: "backend.isa", "plugins.1.sha256". */
static void put(json_t *doc, const char *path, json_t *value)
{
    char key[64];
    size_t n = strcspn(path, ".");
    assert_true(n < sizeof(key));
    memcpy(key, path, n);
    key[n] = 0;
    if (path[n]) {
        json_t *in = json_is_array(doc) ? json_array_get(doc, (size_t)(key[0] - '0'))
                                        : json_object_get(doc, key);
        put(in, path + n + 1, value);
        return;
    }
    if (json_is_array(doc))
        assert_int_equal(json_array_set_new(doc, (size_t)(key[0] - '0'), value), 0);
    else
        assert_int_equal(json_object_set_new(doc, key, value), 0);
}

static void the_same(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(check(f), FTK_OK);
    assert_int_equal(f->notes.len, 0);
    put(f->now, "backend.threads", json_integer(9)); /* does not matter at all  */
    put(f->now, "host", json_string("elsewhere"));
    put(f->now, "plugins.2.sha256", json_string("m1")); /* a metric            */
    put(f->now, "plugins.1.path", json_string("/moved/p.so"));
    assert_int_equal(check(f), FTK_OK);
    assert_int_equal(f->notes.len, 0);
}

static void refused(struct fixture *f, int code, const char *part)
{
    assert_int_equal(check(f), FTK_EINVAL);
    assert_int_equal(ftk__error_exit_code(&f->err), code);
    assert_non_null(strstr(f->err.message, "runs/x"));
    for (unsigned i = 0; i < f->err.n_context; i++)
        if (strstr(f->err.context[i], part))
            return;
    assert_non_null(strstr(f->err.message, part));
}

static void another_config(void **state)
{
    struct fixture *f = *state;
    put(f->then, "identity.1", json_string("b=3"));
    refused(f, FTK__EXIT_CONFIG, "b: 3 there, 2 here");
    put(f->now, "seed", json_integer(6));
    refused(f, FTK__EXIT_CONFIG, "seed: 5 there, 6 here");
}

static void other_data(void **state)
{
    struct fixture *f = *state;
    put(f->now, "data.sha256", json_string("d1"));
    refused(f, FTK__EXIT_DATA, "SHA-256 d0");
    json_object_del(f->then, "data");
    refused(f, FTK__EXIT_DATA, "unknown");
}

static void another_file_of_a_rule(void **state)
{
    struct fixture *f = *state;
    put(f->now, "plugins.1.sha256", json_string("p1"));
    refused(f, FTK__EXIT_UNAVAILABLE, "prune plugin 'magnitude'");
    refused(f, FTK__EXIT_UNAVAILABLE, "p.so");
    f->ops[1].op.flags = 0; /* nothing prunes any more                         */
    assert_int_equal(check(f), FTK_OK);
    assert_string_equal(f->notes.text,
                        "prune plugin 'magnitude' has changed, which this run does not use\n");
    f->ops[1].op.ramp_density = 0.5; /* a ramp does                            */
    refused(f, FTK__EXIT_UNAVAILABLE, "'magnitude'");
    f->ops[1].op.ramp_density = 0;
    f->ops[1].op.code = FTK_OP_PRUNE;
    refused(f, FTK__EXIT_UNAVAILABLE, "'magnitude'");
    f->ops[1].op.code = FTK_OP_ESCAPE;
    refused(f, FTK__EXIT_UNAVAILABLE, "'magnitude'");
    f->x.topology.enabled = false; /* then it is off                            */
    assert_int_equal(check(f), FTK_OK);
}

static void the_strategy_is_always_used(void **state)
{
    struct fixture *f = *state;
    put(f->now, "plugins.0.sha256", json_string("e1"));
    f->p.ops.n = 1;
    refused(f, FTK__EXIT_UNAVAILABLE, "ensemble plugin 'dst'");
}

static void noted(struct fixture *f, const char *path, const char *value, const char *note)
{
    put(f->now, path, json_string(value));
    assert_int_equal(check(f), FTK_OK);
    assert_string_equal(f->notes.text, note);
    json_decref(f->now);
    f->now = parse(manifest);
}

static void what_may_change_bits_is_noted(void **state)
{
    struct fixture *f = *state;
    noted(f, "backend.isa", "sse2", "resumed on another ISA, sse2 after avx2: bits may differ\n");
    noted(f, "backend.name", "ref", "resumed on another backend, ref after cpu: bits may differ\n");
    noted(f, "backend.plugin.sha256", "b1",
          "resumed with another build of backend cpu: bits may differ\n");
    noted(f, "compiler", "clang",
          "resumed with another compiler of the program, clang after gcc: bits may differ\n");
    noted(f, "version", "0.2.0",
          "resumed with another version of the program, 0.2.0 after 0.1.0: bits may differ\n");
}

static void a_checkpoint_keeps_what_is_compared(void **state)
{
    struct fixture *f = *state;
    json_t *kept = ftk__resume_identity(f->now);
    assert_non_null(kept);
    json_decref(f->then);
    f->then = json_deep_copy(kept); /* it shares parts with what it was made of */
    json_decref(kept);
    assert_non_null(f->then);
    the_same(state);
    other_data(state);
}

static ftk_status sweep(void *arg)
{
    struct fixture *f = arg;
    struct ftk__str notes = { 0 };
    json_t *kept = ftk__resume_identity(f->now);
    ftk_status st = kept ? FTK_OK : FTK_ENOMEM;
    if (st >= 0)
        st = ftk__resume_check(&f->p, "runs/x", kept, f->now, &notes, &f->err);
    json_decref(kept);
    ftk__str_done(&notes);
    return st;
}

static void memory_failures_are_reported(void **state)
{
    struct fixture *f = *state;
    put(f->now, "plugins.2.sha256", json_string("m1"));
    assert_true(ftk_oom_sweep(sweep, f, 1) > 5);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_same),
        TEST(another_config),
        TEST(other_data),
        TEST(another_file_of_a_rule),
        TEST(the_strategy_is_always_used),
        TEST(what_may_change_bits_is_noted),
        TEST(a_checkpoint_keeps_what_is_compared),
        TEST(memory_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
