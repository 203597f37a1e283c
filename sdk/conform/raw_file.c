/* SPDX-License-Identifier: MIT
 * conform/raw_file.c - dlopen without a guard, and the dynamic symbol table read from the file.
 */
#include "conform/raw_file.h"
#include "base/io.h"
#include "base/path.h"
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>

enum { FILE_LIMIT = 256 * 1024 * 1024 };

void ftk__raw_open(struct ftk__case *c, struct ftk__raw_file *ret)
{
    char *path = ftk__path_real(c->path); /* a bare name would be searched for elsewhere */
    void *file = dlopen(path ? path : c->path, RTLD_NOW | RTLD_LOCAL);
    if (!file)
        ftk__kit_fail(c, "does not load: %s", dlerror());
    void *symbol[2] = { dlsym(file, "ftk_plugin_stamp"), dlsym(file, "ftk_plugin_register") };
    if (!symbol[0] || !symbol[1])
        ftk__kit_fail(c, "not a plugin: it exports no %s",
                      symbol[0] ? "ftk_plugin_register" : "ftk_plugin_stamp");
    *ret = (struct ftk__raw_file){ .n = 0 };
    memcpy(&ret->stamp, &symbol[0], sizeof(ret->stamp)); /* ISO C has no such cast */
    memcpy(&ret->offer, &symbol[1], sizeof(ret->offer));
}

static ftk_status record(const ftk_registry *r, const ftk_algo *a)
{
    struct ftk__raw_file *f = r->self;
    if (f->n + 1 == f->refuse_at || f->n == FTK__RAW_ALGOS)
        return FTK_EEXIST;
    f->algo[f->n++] = a;
    return FTK_OK;
}

void ftk__raw_register(struct ftk__raw_file *f)
{
    const ftk_registry reg = {
        .size = sizeof(reg),
        .abi_major = FTK_ABI_MAJOR,
        .abi_minor = FTK_ABI_MINOR,
        .self = f,
        .add = record,
    };
    f->n = 0;
    f->given = f->offer(&reg);
}

struct search {
    uintptr_t file, pointer; /* an address of the file's, the one in question */
    bool found;
};

static bool within(const struct dl_phdr_info *o, uintptr_t at)
{
    for (int i = 0; i < o->dlpi_phnum; i++) {
        const ElfW(Phdr) *h = &o->dlpi_phdr[i];
        uintptr_t start = o->dlpi_addr + h->p_vaddr;
        if (h->p_type == PT_LOAD && at >= start && at < start + h->p_memsz)
            return true;
    }
    return false;
}

static int look(struct dl_phdr_info *o, size_t size, void *arg)
{
    struct search *s = arg;
    (void)size;
    if (!within(o, s->file))
        return 0;
    s->found = within(o, s->pointer);
    return 1;
}

bool ftk__raw_holds(const struct ftk__raw_file *f, const void *p)
{
    struct search s = { .pointer = (uintptr_t)p };
    memcpy(&s.file, &f->stamp, sizeof(s.file));
    dl_iterate_phdr(look, &s);
    return s.found;
}

/* ---- symbols ---------------------------------------------------------------------------------- */

void ftk__raw_symbols_open(struct ftk__case *c, struct ftk__raw_symbols *ret)
{
    struct ftk_error err;
    *ret = (struct ftk__raw_symbols){ 0 };
    if (ftk__file_read(c->path, FILE_LIMIT, &ret->data, &ret->bytes, &err) < 0)
        ftk__kit_fail(c, "%s", err.message);
}

/* Section header i, NULL where there is none. */
static const ElfW(Shdr) * section(const struct ftk__raw_symbols *s, uint32_t i)
{
    const ElfW(Ehdr) *head = (const void *)s->data;
    uint64_t at = head->e_shoff + (uint64_t)i * sizeof(ElfW(Shdr));
    if (s->bytes < sizeof(*head) || i >= head->e_shnum || at + sizeof(ElfW(Shdr)) > s->bytes)
        return NULL;
    return (const void *)(s->data + at);
}

static bool is_hidden(const ElfW(Sym) * sym)
{
    unsigned bind = ELF64_ST_BIND(sym->st_info);
    unsigned visibility = ELF64_ST_VISIBILITY(sym->st_other);
    return (bind != STB_GLOBAL && bind != STB_WEAK) || visibility == STV_HIDDEN ||
           visibility == STV_INTERNAL;
}

const char *ftk__raw_symbol(struct ftk__raw_symbols *s, bool defined)
{
    const ElfW(Shdr) *table = NULL;
    for (uint32_t i = 0; section(s, i) && !table; i++)
        if (section(s, i)->sh_type == SHT_DYNSYM)
            table = section(s, i);
    const ElfW(Shdr) *names = table ? section(s, table->sh_link) : NULL;
    if (!names || table->sh_offset + table->sh_size > s->bytes ||
        names->sh_offset + names->sh_size > s->bytes)
        return NULL;
    for (; s->at < table->sh_size / sizeof(ElfW(Sym)); s->at++) {
        const ElfW(Sym) *sym =
            (const void *)(s->data + table->sh_offset + s->at * sizeof(ElfW(Sym)));
        if (is_hidden(sym) || (sym->st_shndx != SHN_UNDEF) != defined ||
            sym->st_name >= names->sh_size)
            continue;
        s->at++;
        return s->data + names->sh_offset + sym->st_name;
    }
    return NULL;
}
