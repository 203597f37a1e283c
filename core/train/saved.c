/* SPDX-License-Identifier: MIT
 * train/saved.c - SHA-256 of members' files, taken and compared.
 */
#include "train/saved.h"

#include "base/hash.h"
#include "base/str.h"
#include "train/member.h"
#include <string.h>

static ftk_status no_memory(struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_ENOMEM, "no memory for the record of saved members");
}

ftk_status ftk__saved_add(json_t *saved, const char *run_dir, uint32_t member,
                          struct ftk_error *reterr)
{
    ftk_status st = FTK_OK;
    for (int part = 0; part < FTK__MEMBER_PARTS && st >= 0; part++) {
        char name[FTK__MEMBER_NAME];
        char file[FTK__MEMBER_NAME + 8];
        struct ftk__sha256 hash;
        ftk__member_name(member, (enum ftk__member_part)part, name);
        ftk__format(file, sizeof(file), "members/%s", name);
        st = ftk__sha256_file_in(run_dir, file, &hash, reterr);
        if (st >= 0 && json_object_set_new(saved, file, json_string(hash.hex)) != 0)
            st = no_memory(reterr);
    }
    return st;
}

static ftk_status check_file(const char *run_dir, const char *file, const char *then,
                             struct ftk_error *reterr)
{
    struct ftk__sha256 now;
    ftk_status st = ftk__sha256_file_in(run_dir, file, &now, reterr);
    if (st == FTK_ENOENT)
        st = ftk__fail_exit(reterr, FTK_ENOENT, FTK__EXIT_NO_DATA,
                            "%s/%s is missing, which the run saved before", run_dir, file);
    else if (st >= 0 && strcmp(now.hex, then) != 0)
        st = ftk__fail_exit(reterr, FTK_EINVAL, FTK__EXIT_DATA,
                            "%s/%s is damaged: SHA-256 %.12s... when it was saved, %.12s... now",
                            run_dir, file, then, now.hex);
    if (st == FTK_ENOENT || st == FTK_EINVAL)
        ftk__error_context(reterr, "put it back as it was, or start anew with --new");
    return st;
}

ftk_status ftk__saved_check(const json_t *saved, const char *run_dir, struct ftk_error *reterr)
{
    const char *file;
    json_t *value;
    ftk_status st = FTK_OK;
    json_object_foreach((json_t *)(uintptr_t)saved, file, value)
    {
        const char *then = json_string_value(value);
        if (st >= 0)
            st = check_file(run_dir, file, then ? then : "unknown", reterr);
    }
    return st;
}
