/* SPDX-License-Identifier: MIT
 * base/hash.c - SHA-256 of buffers, files and pieces.
 */
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { PIECE = 64 * 1024 };

struct ftk__hasher {
    EVP_MD_CTX *context;
    bool failed;
};

struct ftk__hasher *ftk__hasher_new(void)
{
    struct ftk__hasher *h = ftk__alloc(sizeof *h);
    if (!h)
        return NULL;
    h->context = EVP_MD_CTX_new();
    if (!h->context || EVP_DigestInit_ex(h->context, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(h->context);
        return ftk__free(h);
    }
    return h;
}

void ftk__hasher_add(struct ftk__hasher *h, const void *data, uint64_t bytes)
{
    if (bytes > 0 && EVP_DigestUpdate(h->context, data, (size_t)bytes) != 1)
        h->failed = true;
}

ftk_status ftk__hasher_end(struct ftk__hasher *h, struct ftk__sha256 *ret, struct ftk_error *reterr)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    bool good = EVP_DigestFinal_ex(h->context, hash, &n) == 1 && n == 32 && !h->failed;
    EVP_MD_CTX_free(h->context);
    ftk__free(h);
    if (!good)
        return ftk__fail(reterr, FTK_EINTERNAL, "libcrypto cannot compute a SHA-256");
    for (unsigned i = 0; i < n; i++) {
        ret->hex[2 * i] = digits[hash[i] >> 4];
        ret->hex[2 * i + 1] = digits[hash[i] & 15];
    }
    ret->hex[2 * n] = 0;
    return FTK_OK;
}

ftk_status ftk__sha256_buffer(const void *data, uint64_t bytes, struct ftk__sha256 *ret,
                              struct ftk_error *reterr)
{
    struct ftk__hasher *h = ftk__hasher_new();
    if (!h)
        return ftk__fail(reterr, FTK_ENOMEM, "out of memory for a SHA-256");
    ftk__hasher_add(h, data, bytes);
    return ftk__hasher_end(h, ret, reterr);
}

/* Adds the whole file; returns errno. */
static int add_file(struct ftk__hasher *h, FILE *file)
{
    char piece[PIECE];
    size_t n;
    errno = 0;
    while ((n = fread(piece, 1, sizeof piece, file)) > 0)
        ftk__hasher_add(h, piece, n);
    return ferror(file) ? errno : 0;
}

ftk_status ftk__sha256_file(const char *path, struct ftk__sha256 *ret, struct ftk_error *reterr)
{
    FILE *file = fopen(path, "rbe");
    if (!file && errno == ENOENT)
        return ftk__fail_exit(reterr, FTK_ENOENT, FTK__EXIT_NO_DATA, "cannot read %s: %s", path,
                              strerror(errno));
    if (!file)
        return ftk__fail(reterr, FTK_EIO, "cannot read %s: %s", path, strerror(errno));
    struct ftk__hasher *h = ftk__hasher_new();
    if (!h) {
        fclose(file);
        return ftk__fail(reterr, FTK_ENOMEM, "out of memory for a SHA-256 of %s", path);
    }
    struct ftk__sha256 hash;
    int error = add_file(h, file);
    fclose(file);
    ftk_status st = ftk__hasher_end(h, &hash, reterr);
    if (st != FTK_OK)
        return st;
    if (error != 0)
        return ftk__fail(reterr, FTK_EIO, "cannot read %s: %s", path, strerror(error));
    *ret = hash;
    return FTK_OK;
}

ftk_status ftk__sha256_file_in(const char *dir, const char *name, struct ftk__sha256 *ret,
                               struct ftk_error *reterr)
{
    char *path = ftk__path_join(dir, name);
    if (!path)
        return ftk__fail(reterr, FTK_ENOMEM, "no memory for the name of %s", name);
    ftk_status st = ftk__sha256_file(path, ret, reterr);
    ftk__free(path);
    return st;
}
