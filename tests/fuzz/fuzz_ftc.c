/* SPDX-License-Identifier: MIT
 * fuzz_ftc.c - libFuzzer on checkpoint files: as they come, and with lengths and digests made right, so
 * that the table is what is judged.
 *
 * What is accepted must be safe to read: each array lies in the file, and has its own name.
 */
#include "base/ftc_format.h"
#include "base/json.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Before the table of a file that is made right: 'x' and zeros, whose digests the corpus knows. */
enum { TABLE_AT = 128 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    ftk__json_setup();
    return 0;
}

static void require(int fact, const char *what)
{
    if (fact)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static void read_all(const struct ftk__ftc_file *f)
{
    for (uint32_t i = 0; i < f->n_arrays; i++) {
        const struct ftk__ftc_array *a = &f->arrays[i];
        unsigned char *v = malloc(a->bytes + 1);
        require(v != NULL, "an array larger than memory was accepted");
        require(ftk__ftc_find(f, a->name) == a, "two arrays have one name");
        require(ftk__ftc_read(f, a, 0, a->n, v, NULL) == FTK_OK, "an array cannot be read");
        require(ftk__ftc_read(f, a, a->n, 1, v, NULL) != FTK_OK, "read beyond an array");
        free(v);
    }
}

static void open_bytes(const void *data, size_t size)
{
    char path[32];
    struct ftk__ftc_file f;
    struct ftk_error err = { 0 };
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    require(fd >= 0 && write(fd, data, size) == (ssize_t)size, "no memory file");
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (ftk__ftc_open(path, &f, &err) == FTK_OK) {
        read_all(&f);
        ftk__ftc_close(&f);
    } else {
        require(err.message[0] != 0, "an error without a message");
    }
    close(fd);
}

/* The same table in a file that is right in all else. */
static void open_table(const uint8_t *table, size_t size)
{
    struct ftk__ftc_head head = { .version = FTK__FTC_VERSION };
    struct ftk__ftc_foot foot = { .table_at = TABLE_AT, .table_bytes = size };
    struct ftk__sha256 hash;
    size_t body = TABLE_AT + size;
    unsigned char *file = calloc(1, body + sizeof foot);
    require(file != NULL, "no memory");
    memcpy(head.magic, ftk__ftc_magic, sizeof head.magic);
    memcpy(file, &head, sizeof head);
    file[64] = 'x';
    memcpy(file + TABLE_AT, table, size);
    foot.file_bytes = body + sizeof foot;
    memcpy(foot.magic, ftk__ftc_end, sizeof foot.magic);
    memcpy(file + body, &foot, sizeof foot);
    body += sizeof foot - FTK__FTC_DIGEST;
    require(ftk__sha256_buffer(file, body, &hash, NULL) == FTK_OK, "no digest");
    ftk__ftc_digest(&hash, file + body);
    open_bytes(file, body + FTK__FTC_DIGEST);
    free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    open_bytes(data, size);
    open_table(data, size);
    return 0;
}
