/* scratch.h: a directory of a test's own, gone when the test ends. */
#ifndef WARP_TEST_SCRATCH_H
#define WARP_TEST_SCRATCH_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static char scratch_path[256];

static inline const char *scratch(void)
{
    const char *root = getenv("TMPDIR");
    snprintf(scratch_path, sizeof scratch_path, "%s/warp_XXXXXX",
             root ? root : P_tmpdir);
    ck_assert_ptr_nonnull(mkdtemp(scratch_path));
    return scratch_path;
}

static inline void scratch_remove(void)
{
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", scratch_path);
    ck_assert_int_eq(system(command), 0);
}

/* A random number; the same sequence for the same seed. */
static inline uint64_t scratch_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

#endif
