/* SPDX-License-Identifier: MIT
 * test_log.c - base/log.c: lines on stderr, in log.txt and, as JSON, in log.jsonl.
 */
#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "scratch_dir.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct scratch_dir dir;

static int set_up(void **state)
{
    (void)state;
    scratch_dir_init(&dir);
    ftk__log_setup(FTK_INFO, false);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ftk__log_close();
    scratch_dir_done(&dir);
    return 0;
}

/* What `name` holds, to be freed. */
static char *contents(const char *name)
{
    char path[512];
    char *data = NULL;
    uint64_t n;
    scratch_dir_file(&dir, name, path, sizeof path);
    assert_int_equal(ftk__file_read(path, 10000000, &data, &n, NULL), FTK_OK);
    return data;
}

/* stderr goes to the file "stderr" between the two. */
static int stderr_away(void)
{
    char path[512];
    fflush(stderr);
    int kept = dup(STDERR_FILENO);
    assert_true(kept >= 0);
    FILE *to = fopen(scratch_dir_file(&dir, "stderr", path, sizeof path), "w");
    assert_non_null(to);
    assert_true(dup2(fileno(to), STDERR_FILENO) >= 0);
    fclose(to);
    return kept;
}

static void stderr_back(int kept)
{
    fflush(stderr);
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    close(kept);
}

/* The line of `text` without its time "hh:mm:ss ". */
static const char *after_time(const char *text)
{
    assert_true(strlen(text) > 9);
    assert_int_equal(text[2], ':');
    assert_int_equal(text[5], ':');
    assert_int_equal(text[8], ' ');
    return text + 9;
}

static void one_event_is_one_line_in_each(void **state)
{
    (void)state;
    assert_int_equal(ftk__log_open(dir.path, NULL), FTK_OK);
    int kept = stderr_away();
    ftk__log(FTK_INFO, "train", "member=%d loss=%.3f name=\"a b\" left=4.1s zero=007 bare", 1,
             0.412);
    stderr_back(kept);
    static const char line[] =
        "info train member=1 loss=0.412 name=\"a b\" left=4.1s zero=007 bare\n";
    char *text = contents("stderr");
    assert_string_equal(after_time(text), line);
    ftk__free(text);
    text = contents("log.txt");
    assert_string_equal(after_time(text), line);
    ftk__free(text);

    text = contents("log.jsonl");
    json_t *o = NULL;
    assert_int_equal(ftk__json_parse(text, strlen(text), "log.jsonl", &o, NULL), FTK_OK);
    ftk__free(text);
    assert_string_equal(json_string_value(json_object_get(o, "level")), "info");
    assert_string_equal(json_string_value(json_object_get(o, "event")), "train");
    assert_int_equal(json_string_length(json_object_get(o, "time")), 20);
    assert_int_equal(json_integer_value(json_object_get(o, "member")), 1);
    assert_true(json_real_value(json_object_get(o, "loss")) == 0.412);
    assert_string_equal(json_string_value(json_object_get(o, "name")), "a b");
    assert_string_equal(json_string_value(json_object_get(o, "left")), "4.1s");
    assert_string_equal(json_string_value(json_object_get(o, "zero")), "007");
    assert_true(json_is_true(json_object_get(o, "bare")));
    assert_int_equal(json_object_size(o), 9);
    json_decref(o);
}

static void levels(void **state)
{
    (void)state;
    assert_int_equal(ftk__log_open(dir.path, NULL), FTK_OK);
    int kept = stderr_away();
    ftk__log(FTK_DEBUG, "one", "%s", "");
    ftk__log_setup(FTK_DEBUG, false);
    ftk__log(FTK_DEBUG, "two", "%s", "");
    ftk__log_setup(FTK_INFO, true);
    ftk__log(FTK_INFO, "three", "%s", "");
    ftk__log(FTK_WARN, "four", "%s", "");
    stderr_back(kept);
    char *text = contents("stderr");
    assert_null(strstr(text, "one"));
    assert_non_null(strstr(text, "debug two\n"));
    assert_null(strstr(text, "three"));
    assert_non_null(strstr(text, "warn four\n"));
    ftk__free(text);
    text = contents("log.txt");
    assert_null(strstr(text, "two"));
    assert_non_null(strstr(text, "info three\n"));
    assert_non_null(strstr(text, "warn four\n"));
    ftk__free(text);
}

/* Every line of log.jsonl must parse; returns how many there are. */
static unsigned json_lines(void)
{
    unsigned n = 0;
    char *text = contents("log.jsonl");
    for (char *line = text; *line;) {
        char *end = strchr(line, '\n');
        assert_non_null(end);
        json_t *o = json_loadb(line, (size_t)(end - line), 0, NULL);
        if (!json_is_object(o))
            fail_msg("not an object: %.*s", (int)(end - line), line);
        json_decref(o);
        line = end + 1;
        n++;
    }
    ftk__free(text);
    return n;
}

static void odd_text_stays_one_valid_line(void **state)
{
    (void)state;
    char letters[3000];
    char quotes[3000];
    for (unsigned i = 0; i + 1 < sizeof letters; i++) {
        letters[i] = i % 2 ? ' ' : 'a';
        quotes[i] = '"';
    }
    letters[sizeof letters - 1] = 0;
    quotes[sizeof quotes - 1] = 0;
    const char *const odd[] = {
        "a=\"open",
        "a=\"",
        "a=\"x\"y\" b=2",
        "=",
        "= =",
        "a==b",
        "  a=1  b=2  ",
        "x\ny=\t1",
        "f=\xff\xc3",
        "p=a\\b",
        "e=1e e2=1e+ d=1. m=- k=-0",
        letters,
        quotes,
        "k=-1.5e-7",
    };
    assert_int_equal(ftk__log_open(dir.path, NULL), FTK_OK);
    int kept = stderr_away();
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        ftk__log(FTK_INFO, "odd", "%s", odd[i]);
    stderr_back(kept);
    assert_int_equal(json_lines(), sizeof odd / sizeof *odd);
    char *text = contents("log.txt");
    unsigned n = 0;
    for (char *c = text; *c; c++)
        n += *c == '\n';
    assert_int_equal(n, sizeof odd / sizeof *odd);
    ftk__free(text);
}

static void files_are_appended_to(void **state)
{
    (void)state;
    int kept = stderr_away();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ftk__log_open(dir.path, NULL), FTK_OK);
        ftk__log(FTK_INFO, "run", "i=%d", i);
    }
    ftk__log_close();
    ftk__log(FTK_INFO, "closed", "i=%d", 3);
    stderr_back(kept);
    assert_int_equal(json_lines(), 3);
    struct ftk_error err = { 0 };
    assert_int_equal(ftk__log_open("/no/such/folder", &err), FTK_EIO);
    assert_non_null(strstr(err.message, "/no/such/folder/log.txt"));
}

static void full_disk_is_said_once(void **state)
{
    (void)state;
    char path[512];
    assert_int_equal(symlink("/dev/full", scratch_dir_file(&dir, "log.txt", path, sizeof path)), 0);
    assert_int_equal(ftk__log_open(dir.path, NULL), FTK_OK);
    int kept = stderr_away();
    ftk__log(FTK_INFO, "one", "%s", "");
    ftk__log(FTK_INFO, "two", "%s", "");
    stderr_back(kept);
    char *text = contents("stderr");
    char *first = strstr(text, "warning: cannot write");
    assert_non_null(first);
    assert_non_null(strstr(first, "log.txt: No space left on device\n"));
    assert_null(strstr(first + 1, "warning:"));
    ftk__free(text);
    assert_int_equal(json_lines(), 2);
}

static void count_calls(void *arg, bool before)
{
    unsigned *calls = arg;
    calls[before ? 0 : 1]++;
}

static void hook_frames_each_line(void **state)
{
    (void)state;
    unsigned calls[2] = { 0 };
    int kept = stderr_away();
    ftk__log_set_line_hook(count_calls, calls);
    ftk__log(FTK_WARN, "one", "%s", "");
    ftk__log(FTK_INFO, "left to the bar", "%s", "");
    ftk__log_set_line_hook(NULL, NULL);
    ftk__log(FTK_INFO, "two", "%s", "");
    stderr_back(kept);
    assert_int_equal(calls[0], 1);
    assert_int_equal(calls[1], 1);
}

static void *log_many(void *arg)
{
    for (int i = 0; i < 200; i++)
        ftk__log(FTK_INFO, "thread", "who=%s i=%d", (const char *)arg, i);
    return NULL;
}

static void threads_do_not_mix_lines(void **state)
{
    (void)state;
    static char names[4][2] = { "a", "b", "c", "d" };
    pthread_t threads[4];
    assert_int_equal(ftk__log_open(dir.path, NULL), FTK_OK);
    int kept = stderr_away();
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_many, names[i]), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    stderr_back(kept);
    assert_int_equal(json_lines(), 800);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(one_event_is_one_line_in_each), TEST(levels),
        TEST(odd_text_stays_one_valid_line), TEST(files_are_appended_to),
        TEST(full_disk_is_said_once),        TEST(hook_frames_each_line),
        TEST(threads_do_not_mix_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
