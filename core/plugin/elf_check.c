/* SPDX-License-Identifier: MIT
 * plugin/elf_check.c - reads the ELF header and the program headers of a plugin file.
 */
#include "plugin/elf_check.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Machines that are named in messages; the one this program was built for comes from here too. */
static const struct machine {
    uint16_t number;
    const char *name;
} machines[] = {
    { EM_X86_64, "x86-64" },    { EM_386, "x86 (32 bit)" }, { EM_AARCH64, "AArch64" },
    { EM_ARM, "ARM (32 bit)" }, { EM_RISCV, "RISC-V" },     { EM_PPC64, "POWER" },
    { EM_S390, "S/390" },
};
enum { N_MACHINES = sizeof(machines) / sizeof(machines[0]) };

#if defined(__x86_64__)
enum { OWN_MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { OWN_MACHINE = EM_AARCH64 };
#elif defined(__riscv)
enum { OWN_MACHINE = EM_RISCV };
#elif defined(__powerpc64__)
enum { OWN_MACHINE = EM_PPC64 };
#elif defined(__s390x__)
enum { OWN_MACHINE = EM_S390 };
#else
enum { OWN_MACHINE = EM_NONE }; /* unknown: dlopen() will judge                  */
#endif
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
enum { OWN_ORDER = ELFDATA2LSB };
#else
enum { OWN_ORDER = ELFDATA2MSB };
#endif
enum { OWN_CLASS = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32 };

static const char *machine_name(uint16_t number)
{
    for (uint32_t i = 0; i < N_MACHINES; i++) {
        if (machines[i].number == number)
            return machines[i].name;
    }
    return "an unknown machine";
}

/* Of e_machine, which stands at the same place in every class, in the file's byte order. */
static uint16_t machine_of(const unsigned char *header)
{
    const unsigned char *at = header + offsetof(ElfW(Ehdr), e_machine);
    if (header[EI_DATA] == ELFDATA2MSB)
        return (uint16_t)(at[0] << 8 | at[1]);
    return (uint16_t)(at[1] << 8 | at[0]);
}

static bool read_at(int fd, void *ret, size_t bytes, uint64_t offset)
{
    return pread(fd, ret, bytes, (off_t)offset) == (ssize_t)bytes;
}

static ftk_status cut_short(uint64_t size, uint64_t needed, struct ftk_error *reterr)
{
    return ftk__fail(reterr, FTK_EINVAL, "cut short: %llu bytes of at least %llu",
                     (unsigned long long)size, (unsigned long long)needed);
}

static ftk_status check_ident(const unsigned char *header, uint64_t size, struct ftk_error *reterr)
{
    if (size < SELFMAG || memcmp(header, ELFMAG, SELFMAG) != 0)
        return ftk__fail(reterr, FTK_EINVAL, "not a shared object: no ELF header");
    if (size < sizeof(ElfW(Ehdr)))
        return cut_short(size, sizeof(ElfW(Ehdr)), reterr);
    uint16_t machine = machine_of(header);
    if (header[EI_CLASS] != OWN_CLASS || header[EI_DATA] != OWN_ORDER ||
        (OWN_MACHINE != EM_NONE && machine != OWN_MACHINE))
        return ftk__fail(reterr, FTK_EABI,
                         "built for %s (machine %u, ELF class %u), this program "
                         "for %s (machine %u, ELF class %u)",
                         machine_name(machine), machine, header[EI_CLASS],
                         machine_name(OWN_MACHINE), (unsigned)OWN_MACHINE, (unsigned)OWN_CLASS);
    return FTK_OK;
}

/* End of a table of `n` entries, saturating: the numbers are the file's. */
static uint64_t table_end(uint64_t offset, uint64_t n, uint64_t entry)
{
    uint64_t bytes, end;
    if (__builtin_mul_overflow(n, entry, &bytes) || __builtin_add_overflow(offset, bytes, &end))
        return UINT64_MAX;
    return end;
}

static ftk_status check_extent(int fd, const ElfW(Ehdr) * header, uint64_t size,
                               struct ftk_error *reterr)
{
    if (header->e_type == ET_REL)
        return ftk__fail(reterr, FTK_EINVAL, "an object file: link it with -shared");
    if (header->e_type != ET_DYN)
        return ftk__fail(reterr, FTK_EINVAL, "not a shared object: ELF type %u", header->e_type);
    if (header->e_phnum == 0 || header->e_phentsize != sizeof(ElfW(Phdr)))
        return ftk__fail(reterr, FTK_EINVAL, "damaged: no program headers");
    uint64_t needed = table_end(header->e_phoff, header->e_phnum, header->e_phentsize);
    uint64_t sections =
        header->e_shnum > 0 ? table_end(header->e_shoff, header->e_shnum, header->e_shentsize) : 0;
    needed = sections > needed ? sections : needed;
    if (needed > size)
        return cut_short(size, needed, reterr);
    for (uint64_t i = 0; i < header->e_phnum; i++) {
        ElfW(Phdr) segment;
        if (!read_at(fd, &segment, sizeof(segment), header->e_phoff + i * sizeof(segment)))
            return ftk__fail(reterr, FTK_EIO, "cannot be read: %s", strerror(errno));
        uint64_t end = table_end(segment.p_offset, 1, segment.p_filesz);
        if (segment.p_type == PT_LOAD && end > size)
            return cut_short(size, end, reterr);
    }
    return FTK_OK;
}

static ftk_status check_open_file(int fd, struct ftk_error *reterr)
{
    struct stat about;
    if (fstat(fd, &about) != 0)
        return ftk__fail(reterr, FTK_EIO, "cannot be read: %s", strerror(errno));
    if (!S_ISREG(about.st_mode))
        return ftk__fail(reterr, FTK_EINVAL, "not a regular file");
    if (about.st_size == 0)
        return ftk__fail(reterr, FTK_EINVAL, "an empty file");
    union {
        ElfW(Ehdr) header;
        unsigned char bytes[sizeof(ElfW(Ehdr))];
    } start = { 0 };
    uint64_t size = (uint64_t)about.st_size;
    size_t present = size < sizeof(start) ? (size_t)size : sizeof(start);
    if (!read_at(fd, &start, present, 0))
        return ftk__fail(reterr, FTK_EIO, "cannot be read: %s", strerror(errno));
    ftk_status st = check_ident(start.bytes, size, reterr);
    if (st != FTK_OK)
        return st;
    return check_extent(fd, &start.header, size, reterr);
}

ftk_status ftk__elf_check(const char *path, struct ftk_error *reterr)
{
    /* O_NONBLOCK: a FIFO called x.so must not hold the program. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return ftk__fail(reterr, FTK_ENOENT, "cannot be opened: %s", strerror(errno));
    ftk_status st = check_open_file(fd, reterr);
    close(fd);
    return st;
}
