/* folder.c: see folder.h. */
#include "folder.h"

#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* nftw has no argument for its callback */
static uint64_t found_bytes, found_text_bytes;

static int count_file(const char *path, const struct stat *st, int type,
                      struct FTW *at)
{
    (void)path, (void)at;
    if (type == FTW_F)
        found_bytes += (uint64_t)st->st_blocks * 512;
    if (type == FTW_F)
        found_text_bytes += (uint64_t)st->st_size;
    return 0;
}

static int remove_file(const char *path, const struct stat *st, int type,
                       struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

const char *folder_base(void)
{
    const char *base = getenv("TMPDIR");
    return base != NULL && *base != 0 ? base : "/var/tmp";
}

int folder_make(const char *base, char path[FOLDER_PATH_BYTES])
{
    if (base == NULL)
        base = folder_base();
    if (snprintf(path, FOLDER_PATH_BYTES, "%s/warp-bench.XXXXXX", base) >=
            FOLDER_PATH_BYTES ||
        mkdtemp(path) == NULL) {
        fprintf(stderr, "warp-bench: cannot make a folder in %s\n", base);
        return -1;
    }
    return 0;
}

double folder_bytes(const char *path)
{
    found_bytes = 0;
    nftw(path, count_file, 16, FTW_PHYS);
    return (double)found_bytes;
}

double folder_text_bytes(const char *path)
{
    found_text_bytes = 0;
    nftw(path, count_file, 16, FTW_PHYS);
    return (double)found_text_bytes;
}

void folder_remove(const char *path)
{
    nftw(path, remove_file, 16, FTW_DEPTH | FTW_PHYS);
}
