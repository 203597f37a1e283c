/* SPDX-License-Identifier: MIT
 * cli/host_info.c - questions to the system.
 */
#include "cli/host_info.h"

#include "base/str.h"
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *ftk__compiler(void)
{
#if defined(__clang__)
    return __VERSION__; /* names clang itself */
#else
    return "gcc " __VERSION__;
#endif
}

void ftk__host_name(char *ret, size_t cap)
{
    if (gethostname(ret, cap) != 0)
        ret[0] = 0;
    ret[cap - 1] = 0;
}

void ftk__cpu_model(char *ret, size_t cap)
{
    char line[512];
    FILE *f = fopen("/proc/cpuinfo", "re");
    ret[0] = 0;
    if (!f)
        return;
    while (ret[0] == 0 && fgets(line, sizeof(line), f)) {
        const char *colon = strchr(line, ':');
        if (colon && strncmp(line, "model name", 10) == 0)
            ftk__format(ret, cap, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
    }
    fclose(f);
}

uint32_t ftk__thread_count(int64_t asked)
{
    cpu_set_t set;
    if (asked > 0)
        return (uint32_t)asked;
    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 1;
    return (uint32_t)CPU_COUNT(&set);
}

void ftk__time_now(char ret[32])
{
    struct tm utc;
    time_t now = time(NULL);
    gmtime_r(&now, &utc);
    strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
}
