/* SPDX-License-Identifier: MIT
 * cli/host_info.h - the machine and the build, as run.json and `version` tell them.
 */
#ifndef FTK__HOST_INFO_H
#define FTK__HOST_INFO_H
#include <stddef.h>
#include <stdint.h>

const char *ftk__compiler(void);                 /* "gcc 12.2.0"                  */
void ftk__host_name(char *ret, size_t cap);
void ftk__cpu_model(char *ret, size_t cap);      /* "" where the system tells none */
/* What `backend.threads` comes to: 0 is every processor that this process may use. */
uint32_t ftk__thread_count(int64_t asked);
void ftk__time_now(char ret[32]);                /* "2025-01-31T14:02:11Z"        */
#endif
