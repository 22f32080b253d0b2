/* sim_memory.c: the memory of the simulated process, in two ranges at fixed
 * addresses: blocks of malloc by size class, and pages that read zeros. All of
 * it is gone when the process dies, which no real allocator offers. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, bytes)   ((void)(at), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(at, bytes) ((void)(at), (void)(bytes))
#endif

#define HEAP_AT     ((char *)UINT64_C(0x200000000000))
#define PAGES_AT    ((char *)UINT64_C(0x210000000000))
#define HEAP_BYTES  (UINT64_C(4) << 30)
#define PAGES_BYTES (UINT64_C(1) << 40)
enum { CLASSES = 40, HEAD = 64, FILL_MOST = 1024 };

/* In front of each block; the size class and the bytes asked for. */
struct head {
    uint64_t bytes;
    uint32_t class, magic;
    struct head *next; /* while it is free */
};
enum { MAGIC_USED = 0x5eed600d, MAGIC_FREE = 0x5eedf4ee };

SIM_STATE static char *heap, *pages, *heap_end, *pages_end;
SIM_STATE static struct head *free_list[CLASSES];
SIM_STATE static uint64_t blocks;

static char *range(char *at, uint64_t bytes)
{
    void *p =
        mmap(at, bytes, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
             -1, 0);
    if (p != at)
        sim_finding("no address space for the simulated process");
    return p;
}

void sim_memory_start(void)
{
    heap = heap_end = range(HEAP_AT, HEAP_BYTES);
    pages = pages_end = range(PAGES_AT, PAGES_BYTES);
    /* A fault for 2 MiB costs far less than 512, and the heap is dense. */
    (void)madvise(heap, HEAP_BYTES, MADV_HUGEPAGE);
}

void sim_memory_drop(void)
{
    memset(free_list, 0, sizeof free_list);
    ASAN_UNPOISON_MEMORY_REGION(heap, (size_t)(heap_end - heap));
    if (pages_end > pages)
        sim_own_pages_clear(pages, (size_t)(pages_end - pages));
    heap_end = heap;
    pages_end = pages;
    blocks = 0;
}

uint64_t sim_memory_blocks(void)
{
    return blocks;
}

bool sim_memory_has(const void *at)
{
    return (const char *)at >= HEAP_AT &&
           (const char *)at < HEAP_AT + HEAP_BYTES;
}

static uint32_t class_of(size_t bytes, size_t *rounded)
{
    uint32_t c = 0;
    size_t n = 64;
    while (n < bytes) {
        n *= 2;
        c++;
    }
    *rounded = n;
    return c;
}

void *sim_malloc(size_t bytes, size_t align)
{
    size_t room;
    if (bytes > HEAP_BYTES / 4)
        return NULL;
    /* A block of a greater alignment has its head right in front of it. */
    uint32_t c = class_of(bytes, &room);
    struct head *h = align <= HEAD ? free_list[c] : NULL;
    if (h) {
        free_list[c] = h->next;
    } else {
        uintptr_t at = (uintptr_t)heap_end + HEAD;
        if (align > HEAD)
            at = (at + align - 1) & ~(uintptr_t)(align - 1);
        if (at + room > (uintptr_t)heap + HEAP_BYTES)
            return NULL;
        h = (struct head *)(at - HEAD);
        heap_end = (char *)at + room;
    }
    h->bytes = bytes;
    h->class = c;
    h->magic = MAGIC_USED;
    blocks++;
    char *block = (char *)h + HEAD;
    ASAN_POISON_MEMORY_REGION(block, room);
    ASAN_UNPOISON_MEMORY_REGION(block, bytes);
    memset(block, 0xa5, bytes < FILL_MOST ? bytes : FILL_MOST);
    return block;
}

static struct head *head_of(const void *at)
{
    struct head *h = (struct head *)((uintptr_t)at - HEAD);
    if (h->magic != MAGIC_USED)
        sim_finding("a block that is not allocated is freed or grown");
    return h;
}

size_t sim_block_bytes(const void *at)
{
    return head_of(at)->bytes;
}

void sim_free(void *at)
{
    struct head *h = head_of(at);
    memset(at, 0xdd, h->bytes < FILL_MOST ? h->bytes : FILL_MOST);
    ASAN_POISON_MEMORY_REGION(at, h->bytes);
    h->magic = MAGIC_FREE;
    h->next = free_list[h->class];
    free_list[h->class] = h;
    blocks--;
}

void *sim_pages(size_t bytes)
{
    bytes = (bytes + SIM_PAGE - 1) & ~(size_t)(SIM_PAGE - 1);
    if (bytes > PAGES_BYTES - (size_t)(pages_end - pages))
        return NULL;
    char *at = pages_end;
    pages_end += bytes;
    return at;
}

void sim_pages_free(void *at, size_t bytes)
{
    bytes = (bytes + SIM_PAGE - 1) & ~(size_t)(SIM_PAGE - 1);
    if ((char *)at < pages || (char *)at + bytes != pages_end)
        return;
    pages_end = at;
    sim_pages_clear(at, bytes);
}

void sim_pages_clear(void *at, size_t bytes)
{
    sim_own_pages_clear(at, bytes);
}
