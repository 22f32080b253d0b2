/* os_worker.h: processes that share memory with this one; beside os.h. */
#ifndef WARP_OS_WORKER_H
#define WARP_OS_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory with a descriptor, or -errno. */
int os_memfd(const char *name, uint64_t bytes);
int os_map_shared(int fd, size_t bytes, void **base);
/* Starts a program with descriptor `fd` as its descriptor 3. No fork: a
 * process that holds a GPU's context cannot. */
int os_spawn(const char *path, const char *const argv[], int fd, int *pid);
/* Has it ended? With `wait`, returns when it has. */
bool os_reap(int pid, bool wait);
void os_kill(int pid);
/* In the child: returns when its parent has ended, the process and not just
 * the thread that started it. */
void os_wait_for_end(int parent);
/* In the child: what the parent had open without saying that it is its own
 * goes: descriptors from `first` on. */
void os_close_from(int first);
/* As os_futex_wait and _wake, between processes. */
int os_shared_wait(_Atomic uint32_t *word, uint32_t seen, int64_t timeout_ns);
void os_shared_wake(_Atomic uint32_t *word);
/* Spins for at most so long until the word is no longer `seen`. */
bool os_shared_spin(const _Atomic uint32_t *word, uint32_t seen, int64_t ns);

#endif
