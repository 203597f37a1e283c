/* SPDX-License-Identifier: MIT
 * dispatch/cpu_threads.h - the threads of a device and their parallel loops.
 *
 * Threads are started once, with all signals blocked.  A loop does not wait for a thread that has
 * nothing to do in it, and waiting turns into sleep soon, so that a busy machine costs little.
 */
#ifndef CPU_THREADS_H
#define CPU_THREADS_H
#include <freetickets/host.h>

struct cpu_threads;

/* Work item `item` of a loop, on thread `thread` (0..n-1; 0 is the caller). */
typedef void (*cpu_work_fn)(void *arg, uint32_t item, uint32_t thread);

/* n threads counting the caller; FTK_ENOMEM, FTK_EIO if the system starts no more. */
ftk_status cpu_threads_start(const ftk_host *host, uint32_t n, struct cpu_threads **ret);
void cpu_threads_stop(struct cpu_threads *t);

/* Items 0..n-1 in any order on any thread: an item writes only what is its own. */
void cpu_parallel(struct cpu_threads *t, uint32_t n, cpu_work_fn fn, void *arg);

/* Processors this process may run on. */
uint32_t cpu_threads_all(void);
#endif
