/* SPDX-License-Identifier: MIT
 * prints.c - says something while it is loaded: in a constructor to stdout, or on registering
 * to stderr.
 */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>
#include <stdio.h>

__attribute__((constructor)) static void greet(void)
{
    if (PRINT_EARLY)
        printf("hello from\na constructor\n");
}

static ftk_status score(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                        ftk_update *u, float *ret_score)
{
    (void)h;
    (void)self;
    (void)l;
    (void)u;
    for (uint64_t i = 0; i < c->count; i++)
        ret_score[i] = 0;
    return FTK_OK;
}

static const ftk_grow_ops ops = { .size = sizeof(ops), .score = score };

const ftk_stamp *ftk_plugin_stamp(void)
{
    static const ftk_stamp stamp = {
        FTK_MAGIC,
        sizeof(ftk_stamp),
        FTK_ABI_MAJOR,
        FTK_ABI_MINOR,
        0,
        "org.example.prints",
        "1.0.0",
        "MIT",
        FTK_BUILT_WITH,
    };
    return &stamp;
}

ftk_status ftk_plugin_register(const ftk_registry *r)
{
    static const ftk_algo algo = {
        .size = sizeof(algo),
        .kind = FTK_KIND_GROW,
        .name = "loud",
        .summary = "prints, which is its only fault",
        .reference = "",
        .ops = &ops,
    };
    if (!PRINT_EARLY)
        fprintf(stderr, "hello from register\n");
    return r->add(r, &algo);
}
