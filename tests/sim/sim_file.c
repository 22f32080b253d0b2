/* sim_file.c: files, each with what the kernel holds and what the disk holds. A
 * page has a volatile and a durable content and a bit for each sector that was
 * changed and not written. Their names: sim_name.c. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

struct page {
    uint8_t *now, *disk; /* NULL: zeros */
    uint8_t dirty;       /* sectors to be written */
    bool differs;        /* may differ from the disk without being dirty */
};

struct sim_file {
    uint64_t bytes, disk_bytes;
    struct page *pages;
    uint32_t page_count, number;
    int held;
    bool is_dir;
    uint8_t *flat;
    size_t flat_bytes;
    struct sim_file *next;
};

SIM_STATE static struct sim_file *all;
SIM_STATE static uint32_t next_number;
SIM_STATE static uint8_t *spare_pages;

/* ---- pages ---- */

static uint8_t *page_new(void)
{
    uint8_t *p = spare_pages;
    if (p) {
        memcpy(&spare_pages, p, sizeof spare_pages);
        memset(p, 0, SIM_PAGE);
        return p;
    }
    enum { CHUNK = 64 };
    uint8_t *chunk = sim_own_pages(CHUNK * SIM_PAGE);
    for (int i = 1; i < CHUNK; i++) {
        memcpy(chunk + i * SIM_PAGE, &spare_pages, sizeof spare_pages);
        spare_pages = chunk + i * SIM_PAGE;
    }
    return chunk;
}

static void page_free(uint8_t *p)
{
    if (!p)
        return;
    memcpy(p, &spare_pages, sizeof spare_pages);
    spare_pages = p;
}

static struct page *page_at(struct sim_file *f, uint64_t index)
{
    if (index >= f->page_count) {
        uint32_t count = f->page_count ? f->page_count : 16;
        while (count <= index)
            count *= 2;
        f->pages = sim_own_more(f->pages, count * sizeof *f->pages);
        memset(f->pages + f->page_count, 0,
               (count - f->page_count) * sizeof *f->pages);
        f->page_count = count;
    }
    return &f->pages[index];
}

static bool in_flat(const struct sim_file *f, uint64_t index)
{
    return f->flat && (index + 1) * SIM_PAGE <= f->flat_bytes;
}

static uint8_t *now_for_write(struct sim_file *f, struct page *p,
                              uint64_t index)
{
    if (!p->now)
        p->now = in_flat(f, index) ? f->flat + index * SIM_PAGE : page_new();
    return p->now;
}

static void now_drop(struct sim_file *f, struct page *p, uint64_t index)
{
    if (p->now && in_flat(f, index))
        memset(p->now, 0, SIM_PAGE);
    else
        page_free(p->now);
    p->now = NULL;
}

static const uint8_t zeros[SIM_PAGE];

static const uint8_t *read_page(const uint8_t *p)
{
    return p ? p : zeros;
}

/* Some sectors of a page reach the disk. */
static void write_back(struct page *p, uint8_t sectors)
{
    sectors &= p->dirty;
    p->dirty &= (uint8_t)~sectors;
    if (!sectors || (!p->now && !p->disk))
        return;
    if (!p->disk)
        p->disk = page_new();
    for (int s = 0; s < SIM_SECTORS; s++)
        if (sectors >> s & 1)
            memcpy(p->disk + s * SIM_SECTOR, read_page(p->now) + s * SIM_SECTOR,
                   SIM_SECTOR);
}

struct sim_file *sim_file_new(bool is_dir)
{
    struct sim_file *f = sim_own(sizeof *f);
    f->is_dir = is_dir;
    f->number = ++next_number;
    f->next = all;
    all = f;
    return f;
}

uint64_t sim_file_bytes(const struct sim_file *f)
{
    return f->bytes;
}

uint32_t sim_file_number(const struct sim_file *f)
{
    return f->number;
}

bool sim_is_dir(const struct sim_file *f)
{
    return f->is_dir;
}

void sim_file_hold(struct sim_file *f, int by)
{
    f->held += by;
}

size_t sim_file_read(const struct sim_file *f, void *to, size_t bytes,
                     uint64_t at)
{
    size_t done = 0;
    if (at >= f->bytes)
        return 0;
    if (bytes > f->bytes - at)
        bytes = (size_t)(f->bytes - at);
    while (done < bytes) {
        uint64_t index = (at + done) / SIM_PAGE;
        size_t from = (at + done) % SIM_PAGE, n = SIM_PAGE - from;
        if (n > bytes - done)
            n = bytes - done;
        const uint8_t *page =
            index < f->page_count ? f->pages[index].now : NULL;
        memcpy((char *)to + done, read_page(page) + from, n);
        done += n;
    }
    return done;
}

static bool all_zero(const uint8_t *p, size_t n)
{
    return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

void sim_file_write(struct sim_file *f, const void *from, size_t bytes,
                    uint64_t at)
{
    const uint8_t *source = from;
    for (size_t done = 0; done < bytes;) {
        uint64_t index = (at + done) / SIM_PAGE;
        size_t first = (at + done) % SIM_PAGE, n = SIM_PAGE - first;
        if (n > bytes - done)
            n = bytes - done;
        struct page *p = page_at(f, index);
        if (p->now || !all_zero(source + done, n)) {
            memcpy(now_for_write(f, p, index) + first, source + done, n);
        }
        if (p->now || p->disk)
            for (size_t s = first / SIM_SECTOR;
                 s <= (first + n - 1) / SIM_SECTOR; s++)
                p->dirty |= (uint8_t)(1u << s);
        done += n;
    }
    if (at + bytes > f->bytes)
        f->bytes = at + bytes;
}

void sim_file_truncate(struct sim_file *f, uint64_t bytes)
{
    uint64_t keep = (bytes + SIM_PAGE - 1) / SIM_PAGE;
    for (uint64_t i = keep; i < f->page_count; i++) {
        now_drop(f, &f->pages[i], i);
        f->pages[i].dirty = f->pages[i].disk ? 0xff : 0;
    }
    if (bytes < f->bytes && bytes % SIM_PAGE && keep - 1 < f->page_count &&
        f->pages[keep - 1].now) {
        memset(f->pages[keep - 1].now + bytes % SIM_PAGE, 0,
               SIM_PAGE - bytes % SIM_PAGE);
        f->pages[keep - 1].dirty = 0xff;
    }
    f->bytes = bytes;
}

static uint64_t last_page(uint64_t at, uint64_t bytes)
{
    return bytes > UINT64_MAX - at ? UINT64_MAX : (at + bytes - 1) / SIM_PAGE;
}

void sim_file_sync(struct sim_file *f, uint64_t at, uint64_t bytes)
{
    uint64_t first = at / SIM_PAGE, last = last_page(at, bytes);
    for (uint64_t i = first; i < f->page_count && i <= last; i++)
        if (f->pages[i].dirty)
            write_back(&f->pages[i], 0xff);
    f->disk_bytes = f->bytes;
}

void sim_file_sync_fails(struct sim_file *f, uint64_t at, uint64_t bytes)
{
    bool evicted = sim_one_in(2);
    uint64_t last = last_page(at, bytes);
    for (uint64_t i = at / SIM_PAGE; i < f->page_count && i <= last; i++) {
        struct page *p = &f->pages[i];
        if (!p->dirty)
            continue;
        write_back(p, (uint8_t)sim_random());
        p->dirty = 0;
        p->differs = true;
        /* The kernel has marked it clean, so it may read it again. */
        if (evicted && sim_one_in(2)) {
            if (p->disk)
                memcpy(now_for_write(f, p, i), p->disk, SIM_PAGE);
            else
                now_drop(f, p, i);
        }
    }
}

void sim_file_clean(struct sim_file *f, uint64_t at, uint64_t bytes)
{
    uint64_t last = last_page(at, bytes);
    for (uint64_t i = at / SIM_PAGE; i < f->page_count && i <= last; i++) {
        f->pages[i].differs = f->pages[i].differs || f->pages[i].dirty;
        f->pages[i].dirty = 0;
    }
}

void sim_file_forget(struct sim_file *f)
{
    for (uint64_t i = 0; i < f->page_count; i++) {
        struct page *p = &f->pages[i];
        if (p->dirty || !p->differs)
            continue;
        p->differs = false;
        if (p->disk)
            memcpy(now_for_write(f, p, i), p->disk, SIM_PAGE);
        else
            now_drop(f, p, i);
    }
}

void *sim_file_flat(struct sim_file *f, size_t bytes)
{
    bytes = (bytes + SIM_PAGE - 1) & ~(size_t)(SIM_PAGE - 1);
    if (f->flat_bytes >= bytes)
        return f->flat;
    uint8_t *flat = sim_own_pages(bytes);
    for (uint64_t i = 0; i < f->page_count; i++) {
        struct page *p = &f->pages[i];
        if (!p->now || (i + 1) * SIM_PAGE > bytes)
            continue;
        memcpy(flat + i * SIM_PAGE, p->now, SIM_PAGE);
        if (!in_flat(f, i))
            page_free(p->now);
        p->now = flat + i * SIM_PAGE;
    }
    if (f->flat)
        sim_own_pages_free(f->flat, f->flat_bytes);
    f->flat = flat;
    f->flat_bytes = bytes;
    return flat;
}

/* ---- what an end of the process leaves ---- */

void sim_files_kill(void)
{
    for (struct sim_file *f = all; f; f = f->next)
        f->held = 0;
}

void sim_files_back(void)
{
    struct sim_file *f = sim_name_any();
    if (!f || f->page_count == 0)
        return;
    uint32_t first = sim_below(f->page_count);
    for (uint32_t i = first; i < f->page_count && i < first + 64; i++)
        if (f->pages[i].dirty) {
            write_back(&f->pages[i], 0xff);
            break;
        }
    if (sim_one_in(8))
        f->disk_bytes = f->bytes;
}

static void lose(struct sim_file *f, enum sim_loss loss)
{
    for (uint64_t i = 0; i < f->page_count; i++) {
        struct page *p = &f->pages[i];
        if (!p->dirty && !p->differs)
            continue;
        if (p->dirty && loss == LOSS_NONE)
            write_back(p, 0xff);
        else if (p->dirty && loss == LOSS_PAGES && sim_one_in(2))
            write_back(p, 0xff);
        else if (p->dirty && loss == LOSS_SECTORS)
            write_back(p, (uint8_t)sim_random());
        else if (p->dirty && loss == LOSS_FEW_SECTORS)
            write_back(p,
                       (uint8_t)(sim_random() | sim_random() | sim_random()));
        p->dirty = 0;
        p->differs = false;
        if (p->disk)
            memcpy(now_for_write(f, p, i), p->disk, SIM_PAGE);
        else
            now_drop(f, p, i);
    }
    if (f->disk_bytes != f->bytes && loss != LOSS_ALL && sim_one_in(2))
        f->disk_bytes = f->bytes;
    f->bytes = f->disk_bytes;
}

void sim_files_power_loss(void)
{
    enum sim_loss loss = (enum sim_loss)sim_below(LOSS_KINDS);
    sim_trace("power loss of kind %d", (int)loss);
    sim_names_lose(loss);
    for (struct sim_file *f = all; f; f = f->next)
        lose(f, loss);
}
