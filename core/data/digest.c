/* SPDX-License-Identifier: MIT
 * data/digest.c - MD5 and SHA-256 of files through libcrypto's EVP interface.  MD5 only because
 * that is what CIFAR and SVHN publish: it tells damage, not malice.
 */
#include "data/digest.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/gzip.h"
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

enum { PIECE = 64 * 1024 };

static const char sha256[] = "sha256:";

static ftk_status no_memory(const char *path, struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "out of memory for a checksum of %s", path);
}

static bool add(EVP_MD_CTX *md, const void *data, uint64_t n)
{
    return n == 0 || EVP_DigestUpdate(md, data, (size_t)n) == 1;
}

static ftk_status add_bytes(EVP_MD_CTX *md, const char *path, uint8_t *piece, uint64_t *ret_bytes,
                            bool *ret_good, struct ftk_error *reterr)
{
    FILE *file = fopen(path, "rbe");
    if (!file && errno == ENOENT)
        return ftk__fail_exit(reterr, FTK_ENOENT, FTK__EXIT_NO_DATA, "%s: no such file", path);
    if (!file)
        return ftk__fail(reterr, FTK_EIO, "cannot read %s: %s", path, strerror(errno));
    size_t n;
    errno = 0;
    while ((n = fread(piece, 1, PIECE, file)) > 0) {
        *ret_good = *ret_good && add(md, piece, n);
        *ret_bytes += n;
    }
    ftk_status st = FTK_OK;
    if (ferror(file))
        st = ftk__fail(reterr, FTK_EIO, "cannot read %s: %s", path, strerror(errno));
    fclose(file);
    return st;
}

static ftk_status add_content(EVP_MD_CTX *md, const char *path, uint8_t *piece, uint64_t *ret_bytes,
                              bool *ret_good, struct ftk_error *reterr)
{
    struct ftk__gzip *z;
    ftk_status st = ftk__gzip_open(path, &z, reterr);
    if (st != FTK_OK)
        return st;
    uint64_t n = PIECE;
    while (st == FTK_OK && n == PIECE) {
        st = ftk__gzip_read(z, piece, PIECE, &n, reterr);
        if (st == FTK_OK) {
            *ret_good = *ret_good && add(md, piece, n);
            *ret_bytes += n;
        }
    }
    ftk__gzip_close(z);
    return st;
}

static void print(struct ftk__digest *d, const char *name, const unsigned char *hash, unsigned n)
{
    ftk__format(d->text, sizeof d->text, "%s", name);
    size_t at = strlen(d->text);
    for (unsigned i = 0; i < n; i++, at += 2)
        ftk__format(d->text + at, sizeof d->text - at, "%02x", hash[i]);
}

ftk_status ftk__digest_file(const char *path, const char *like, bool content,
                            struct ftk__digest *ret, struct ftk_error *reterr)
{
    bool is_sha = ftk__str_starts(like, sha256);
    struct ftk__digest d = { .bytes = 0 };
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    uint8_t *piece = ftk__alloc(PIECE);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool good = true;
    ftk_status st = FTK_OK;
    if (!piece || !md)
        st = no_memory(path, reterr);
    else
        good = EVP_DigestInit_ex(md, is_sha ? EVP_sha256() : EVP_md5(), NULL) == 1;
    if (st == FTK_OK && content)
        st = add_content(md, path, piece, &d.bytes, &good, reterr);
    else if (st == FTK_OK)
        st = add_bytes(md, path, piece, &d.bytes, &good, reterr);
    if (st == FTK_OK && (!good || EVP_DigestFinal_ex(md, hash, &n) != 1))
        st = ftk__fail(reterr, FTK_EINTERNAL, "libcrypto cannot compute the checksum of %s", path);
    EVP_MD_CTX_free(md);
    ftk__free(piece);
    if (st != FTK_OK)
        return st;
    print(&d, is_sha ? sha256 : "md5:", hash, n);
    *ret = d;
    return FTK_OK;
}

ftk_status ftk__digest_check(const char *path, const char *checksum, struct ftk_error *reterr)
{
    struct ftk__digest d;
    ftk_status st = ftk__digest_file(path, checksum, false, &d, reterr);
    if (st != FTK_OK || strcmp(d.text, checksum) == 0)
        return st;
    return ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                          "%s: wrong checksum %s of %llu bytes, expected %s", path, d.text,
                          (unsigned long long)d.bytes, checksum);
}
