/* ledger.h: which names and which bytes a power loss would leave. The linker
 * sends the calls of os.h that make, rename, write and sync files to ledger.c,
 * which notes what is not on stable storage yet, lets one call fail, and asks
 * the test before a file goes. Calls of LMDB are not seen. */
#ifndef WARP_TEST_LEDGER_H
#define WARP_TEST_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

void ledger_begin(void (*before_unlink)(const char *path),
                  void (*before_rename)(const char *from, const char *to));
void ledger_end(void);

/* Of the names made below `dir` (itself included) those that are still there
 * and that a power loss would take, without those that may go (a function, or
 * NULL); the first goes to `path`, if not NULL. */
uint32_t ledger_unnamed(const char *dir, bool (*may_go)(const char *path),
                        char path[4500]);
/* Were bytes written to the file since its last sync? */
bool ledger_unsynced(const char *path);

/* The n-th call from now on, from 1, fails with -EIO and does nothing. */
void ledger_fail(uint32_t n);
bool ledger_failed(void); /* has it come? Disarms it. */

#endif
