/* sample.c: see sample.h. */
#include "sample.h"

#include <dirent.h>
#include <ftw.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Thread_local uint64_t disk_bytes;
static _Thread_local uint32_t segments; /* files of the disk tier, of the log */

static bool is_segment(const char *path)
{
    size_t n = strlen(path);
    return n > 5 && (strcmp(path + n - 5, ".wseg") == 0 ||
                     strcmp(path + n - 5, ".wlog") == 0);
}

static int add_file(const char *path, const struct stat *st, int what,
                    struct FTW *at)
{
    (void)at;
    if (what == FTW_F)
        disk_bytes += (uint64_t)st->st_blocks * 512;
    segments += is_segment(path);
    return 0;
}

/* A store has one for each segment that there is, and there may be more than
 * before: those do not count. One too many of a segment does, and so does one
 * of a file that was removed, whose name has more behind it. */
static uint32_t count_descriptors(const char *store)
{
    DIR *dir = opendir("/proc/self/fd");
    uint32_t count = 0, open = 0;
    const struct dirent *e;
    while (dir && (e = readdir(dir))) {
        char path[4096];
        ssize_t n = readlinkat(dirfd(dir), e->d_name, path, sizeof path - 1);
        path[n > 0 ? n : 0] = 0;
        if (store && is_segment(path))
            open++;
        else
            count++;
    }
    if (dir)
        closedir(dir);
    if (store)
        (void)sample_disk_bytes(store);
    return count + (open > segments ? open - segments : 0);
}

static uint64_t anonymous_bytes(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    unsigned long long kib = 0;
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "RssAnon: %llu", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return kib * 1024;
}

void sample_take(struct sample *s, const char *store)
{
    s->descriptors = count_descriptors(store);
    s->anonymous_bytes = anonymous_bytes();
    s->allocated_bytes = mallinfo2().uordblks;
}

uint64_t sample_disk_bytes(const char *dir)
{
    disk_bytes = 0;
    segments = 0;
    nftw(dir, add_file, 16, FTW_PHYS);
    return disk_bytes;
}

void samples_add(struct samples *samples, const struct sample *sample)
{
    if (samples->count == samples->room) {
        samples->room = samples->room ? samples->room * 2 : 64;
        samples->list =
            realloc(samples->list, samples->room * sizeof *samples->list);
        if (!samples->list)
            abort();
    }
    samples->list[samples->count++] = *sample;
}

static void most_of(const struct samples *s, uint32_t from, uint32_t to,
                    struct sample *most)
{
    *most = (struct sample){0, 0, 0};
    for (uint32_t i = from; i < to; i++) {
        const struct sample *one = &s->list[i];
        if (one->anonymous_bytes > most->anonymous_bytes)
            most->anonymous_bytes = one->anonymous_bytes;
        if (one->allocated_bytes > most->allocated_bytes)
            most->allocated_bytes = one->allocated_bytes;
        if (one->descriptors > most->descriptors)
            most->descriptors = one->descriptors;
    }
}

static bool within(uint64_t late, uint64_t early, uint64_t slack)
{
    return late <= early + early / 20 + slack;
}

bool samples_flat(const struct samples *s, const char *name,
                  uint64_t anonymous_slack, uint64_t allocated_slack)
{
    struct sample early, late;
    uint32_t quarter = s->count / 4;
    if (quarter == 0) {
        printf("%s: %u samples are too few\n", name, s->count);
        return false;
    }
    most_of(s, quarter, 2 * quarter, &early);
    most_of(s, s->count - quarter, s->count, &late);
    bool flat =
        within(late.anonymous_bytes, early.anonymous_bytes, anonymous_slack) &&
        within(late.allocated_bytes, early.allocated_bytes, allocated_slack) &&
        late.descriptors <= early.descriptors;
    printf("%s, %u samples: anonymous %llu KiB, then %llu; allocated %llu KiB, "
           "then %llu; descriptors %u, then %u: %s\n",
           name, s->count, (unsigned long long)(early.anonymous_bytes >> 10),
           (unsigned long long)(late.anonymous_bytes >> 10),
           (unsigned long long)(early.allocated_bytes >> 10),
           (unsigned long long)(late.allocated_bytes >> 10), early.descriptors,
           late.descriptors, flat ? "flat" : "NOT FLAT");
    return flat;
}
