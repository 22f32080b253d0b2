/* sim_map.c: mappings of files that the program stores to, each with memory of
 * its own: a store goes to the file and to all its mappings. */
#include "sim.h"

#include <string.h>

enum { MAPS_MAX = 256 };

SIM_STATE static struct {
    struct sim_file *file;
    char *at;
    size_t bytes;
} maps[MAPS_MAX];
SIM_STATE static uint32_t map_count;

void sim_map_add(struct sim_file *f, void *at, size_t bytes)
{
    if (map_count == MAPS_MAX)
        sim_finding("the simulator has no room for another mapping");
    maps[map_count].file = f;
    maps[map_count].at = at;
    maps[map_count++].bytes = bytes;
    sim_file_hold(f, 1);
    char page[SIM_PAGE];
    for (size_t done = 0; done < bytes; done += SIM_PAGE) {
        memset(page, 0, sizeof page);
        sim_file_read(f, page, SIM_PAGE, done);
        if (page[0] || memcmp(page, page + 1, SIM_PAGE - 1) != 0)
            memcpy((char *)at + done, page, SIM_PAGE);
    }
}

void sim_map_remove(const void *at, size_t bytes)
{
    for (uint32_t i = 0; i < map_count; i++)
        if (maps[i].at >= (const char *)at &&
            maps[i].at < (const char *)at + bytes) {
            sim_file_hold(maps[i].file, -1);
            maps[i--] = maps[--map_count];
        }
}

void sim_maps_drop(void)
{
    map_count = 0;
}

static void store_at(uint32_t m, size_t offset, const char *from, size_t bytes)
{
    struct sim_file *f = maps[m].file;
    sim_file_write(f, from, bytes, offset);
    for (uint32_t i = 0; i < map_count; i++)
        if (maps[i].file == f)
            memcpy(maps[i].at + offset, from, bytes);
}

static void store(char *to, const char *from, size_t bytes)
{
    while (bytes > 0) {
        uint32_t m = 0;
        while (m < map_count &&
               (to < maps[m].at || to >= maps[m].at + maps[m].bytes))
            m++;
        if (m == map_count)
            sim_finding("os_map_store() to memory that no file backs");
        size_t offset = (size_t)(to - maps[m].at);
        size_t n = maps[m].bytes - offset;
        if (n > bytes)
            n = bytes;
        store_at(m, offset, from, n);
        to += n;
        from += n;
        bytes -= n;
    }
}

void os_sim_store(void *to, const void *from, size_t bytes)
{
    if (!sim_inside()) {
        memcpy(to, from, bytes);
        return;
    }
    sim_event(SIM_STORE, bytes, 0);
    /* A copy takes many stores: the process may die between two words. */
    size_t first =
        bytes > 8 && sim_one_in(8) ? 8 * sim_below((uint32_t)(bytes / 8)) : 0;
    if (first > 0) {
        store(to, from, first);
        sim_event(SIM_STORE, bytes - first, 1);
    }
    store((char *)to + first, (const char *)from + first, bytes - first);
}

void os_sim_point(void)
{
    if (sim_inside())
        sim_event(SIM_LOCK, 0, 0);
}
