/* SPDX-License-Identifier: MIT
 * data/download.c - resumable downloads by libcurl.
 */
#include "data/download.h"
#include "base/path.h"
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* A connection that brings less than a byte a second for a minute is given up. */
enum { CONNECT_SECONDS = 30, STALLED_SECONDS = 60, MAX_REDIRECTS = 10 };
/* HTTP's answer to a range that begins at the file's end: all of it was there. */
enum { NOTHING_FOLLOWS = 416 };

struct transfer {
    const char *url, *part;
    const struct ftk__progress *progress;
    int fd;
    uint64_t had; /* bytes of `part` when the request went out    */
    int error;    /* errno of a failed write                      */
    char message[CURL_ERROR_SIZE];
};

/* libcurl's write callback. */
static size_t put(char *data, size_t one, size_t n, void *arg)
{
    struct transfer *t = arg;
    size_t done = 0;
    (void)one;
    while (done < n && t->error == 0) {
        ssize_t got = write(t->fd, data + done, n - done);
        if (got >= 0)
            done += (size_t)got;
        else if (errno != EINTR)
            t->error = errno;
    }
    return done;
}

/* libcurl's progress callback. */
static int tell(void *arg, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
    const struct transfer *t = arg;
    (void)up_total;
    (void)up_now;
    if (t->progress->fn && now > 0)
        t->progress->fn(t->progress->arg, ftk__path_base(t->url), t->had + (uint64_t)now,
                        total > 0 ? t->had + (uint64_t)total : 0);
    return 0;
}

static bool set_up(CURL *curl, struct transfer *t)
{
    bool ok = true;
    ok = ok && curl_easy_setopt(curl, CURLOPT_URL, t->url) == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https,file") == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https") == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS) == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS) == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALLED_SECONDS) == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_USERAGENT, "freetickets/" FTK_VERSION) == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, t->message) == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, put) == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_WRITEDATA, t) == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, tell) == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t) == CURLE_OK;
    ok = ok && curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)t->had) == CURLE_OK;
    return ok;
}

/* "not found" is another matter than a connection that broke. */
static ftk_status explain(const struct transfer *t, CURLcode code, long status,
                          struct ftk_error *reterr)
{
    const char *why = t->message[0] ? t->message : curl_easy_strerror(code);
    if (t->error != 0)
        return ftk__fail(reterr, FTK_EIO, "cannot write %s: %s", t->part, strerror(t->error));
    if (code == CURLE_FILE_COULDNT_READ_FILE || status == 404 || status == 410)
        return ftk__fail_exit(reterr, FTK_ENOENT, FTK__EXIT_NO_DATA,
                              "%s: there is no such file (%s)", t->url, why);
    if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT)
        return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_USAGE, "%s: %s", t->url, why);
    struct stat now;
    uint64_t have = fstat(t->fd, &now) == 0 ? (uint64_t)now.st_size : 0;
    ftk__fail(reterr, FTK_EIO, "%s: %s", t->url, why);
    if (have > 0)
        ftk__error_context(reterr, "%llu bytes are in %s; the same command continues there",
                           (unsigned long long)have, t->part);
    return FTK_EIO;
}

/* The server cannot continue where the file ends. */
static bool cannot_continue(const struct transfer *t, CURLcode code)
{
    return t->had > 0 && (code == CURLE_RANGE_ERROR || code == CURLE_BAD_DOWNLOAD_RESUME);
}

static ftk_status request(struct transfer *t, CURLcode *ret_code, struct ftk_error *reterr)
{
    CURL *curl = curl_easy_init();
    if (!curl || !set_up(curl, t)) {
        curl_easy_cleanup(curl);
        return ftk__fail(reterr, FTK_ENOMEM, "libcurl cannot be set up for %s", t->url);
    }
    long status = 0;
    t->message[0] = 0;
    *ret_code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    if (*ret_code == CURLE_OK || (status == NOTHING_FOLLOWS && t->had > 0))
        return FTK_OK;
    return explain(t, *ret_code, status, reterr);
}

static ftk_status run(struct transfer *t, struct ftk_error *reterr)
{
    CURLcode code;
    off_t end = lseek(t->fd, 0, SEEK_END);
    t->had = end > 0 ? (uint64_t)end : 0;
    ftk_status st = request(t, &code, reterr);
    if (st == FTK_OK || !cannot_continue(t, code))
        return st;
    if (ftruncate(t->fd, 0) != 0 || lseek(t->fd, 0, SEEK_SET) != 0)
        return ftk__fail(reterr, FTK_EIO, "cannot write %s: %s", t->part, strerror(errno));
    t->had = 0;
    return request(t, &code, reterr);
}

ftk_status ftk__download(const char *url, const char *part, const struct ftk__progress *progress,
                         struct ftk_error *reterr)
{
    struct transfer t = { .url = url, .part = part, .progress = progress };
    ftk_status st;
    t.fd = open(part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (t.fd < 0)
        return ftk__fail(reterr, FTK_EIO, "cannot write %s: %s", part, strerror(errno));
    if (flock(t.fd, LOCK_EX | LOCK_NB) != 0)
        st = ftk__fail_exit(reterr, FTK_EEXIST, FTK__EXIT_IN_USE,
                            "%s: another process is downloading it", part);
    else if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        st = ftk__fail(reterr, FTK_ENOMEM, "libcurl cannot be set up for %s", url);
    else {
        st = run(&t, reterr);
        curl_global_cleanup();
    }
    if (close(t.fd) != 0 && st == FTK_OK)
        st = ftk__fail(reterr, FTK_EIO, "cannot write %s: %s", part, strerror(errno));
    return st;
}
