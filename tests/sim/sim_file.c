/* sim_file.c: files and directories, each with what the kernel holds and what
 * the disk holds.
 *
 * A page has a volatile and a durable content and a bit for each sector that
 * was changed and not written. Names are durable in the order in which they
 * were changed, directory by directory: after a power loss a prefix of what was
 * done to a directory since its last sync is there. */
#include "sim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 160, NAMES_MAX = 2048, CHANGES_MAX = 4096 };

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
    char path[PATH_BYTES]; /* of a directory */
    uint8_t *flat;
    size_t flat_bytes;
    struct sim_file *next;
};

struct name {
    char path[PATH_BYTES];
    struct sim_file *file;
};
struct names {
    struct name *list;
    uint32_t count;
};
enum change_kind { CHANGE_ADD, CHANGE_REMOVE, CHANGE_RENAME };
struct change {
    enum change_kind kind;
    char dir[PATH_BYTES], path[PATH_BYTES], from[PATH_BYTES];
    struct sim_file *file;
};

SIM_STATE static struct names now, disk;
SIM_STATE static struct change *changes;
SIM_STATE static uint32_t change_count, next_number;
SIM_STATE static struct sim_file *all, root;
SIM_STATE static uint64_t limit;
SIM_STATE static uint8_t *spare_pages;

void sim_files_start(uint64_t disk_bytes)
{
    now.list = sim_own(NAMES_MAX * sizeof *now.list);
    disk.list = sim_own(NAMES_MAX * sizeof *disk.list);
    changes = sim_own(CHANGES_MAX * sizeof *changes);
    root.is_dir = true;
    strcpy(root.path, ".");
    limit = disk_bytes;
}

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

static struct sim_file *file_new(bool is_dir, const char *path)
{
    struct sim_file *f = sim_own(sizeof *f);
    f->is_dir = is_dir;
    f->number = ++next_number;
    snprintf(f->path, sizeof f->path, "%s", path);
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

/* ---- names ---- */

static const char *plain(const char *path, char *to)
{
    size_t n = 0;
    while (path[0] == '.' && path[1] == '/')
        path += 2;
    for (; *path && n + 1 < PATH_BYTES; path++)
        if (*path != '/' || (n > 0 && to[n - 1] != '/'))
            to[n++] = *path;
    while (n > 0 && to[n - 1] == '/')
        n--;
    if (n == 0)
        to[n++] = '.';
    to[n] = 0;
    return to;
}

static void dir_of(const char *path, char *to)
{
    snprintf(to, PATH_BYTES, "%s", path);
    char *slash = strrchr(to, '/');
    if (slash)
        *slash = 0;
    else
        strcpy(to, ".");
}

static struct name *find(struct names *names, const char *path)
{
    for (uint32_t i = 0; i < names->count; i++)
        if (strcmp(names->list[i].path, path) == 0)
            return &names->list[i];
    return NULL;
}

static void put(struct names *names, const char *path, struct sim_file *f)
{
    struct name *n = find(names, path);
    if (!n) {
        if (names->count == NAMES_MAX)
            sim_finding("the simulator has no room for another name");
        n = &names->list[names->count++];
        snprintf(n->path, sizeof n->path, "%s", path);
    }
    n->file = f;
    if (f->is_dir && names == &now)
        snprintf(f->path, sizeof f->path, "%s", path);
}

static void take(struct names *names, const char *path)
{
    struct name *n = find(names, path);
    if (n)
        *n = names->list[--names->count];
}

static void apply(const struct change *c)
{
    if (c->kind == CHANGE_REMOVE)
        take(&disk, c->path);
    if (c->kind == CHANGE_RENAME)
        take(&disk, c->from);
    if (c->kind != CHANGE_REMOVE)
        put(&disk, c->path, c->file);
}

static void note(enum change_kind kind, const char *path, const char *from,
                 struct sim_file *f)
{
    if (change_count == CHANGES_MAX)
        sim_finding("the simulator has no room for another change");
    struct change *c = &changes[change_count++];
    c->kind = kind;
    c->file = f;
    snprintf(c->path, sizeof c->path, "%s", path);
    snprintf(c->from, sizeof c->from, "%s", from ? from : "");
    dir_of(path, c->dir);
}

/* The first so many changes of a directory are durable. */
static void settle(const char *dir, uint32_t first)
{
    uint32_t kept = 0, n = 0;
    for (uint32_t i = 0; i < change_count; i++) {
        if (strcmp(changes[i].dir, dir) == 0 && n++ < first)
            apply(&changes[i]);
        else
            changes[kept++] = changes[i];
    }
    change_count = kept;
}

int sim_dir_sync(struct sim_file *dir)
{
    settle(dir->path, UINT32_MAX);
    return 0;
}

struct sim_file *sim_path_find(const char *path)
{
    char p[PATH_BYTES];
    plain(path, p);
    if (strcmp(p, ".") == 0)
        return &root;
    struct name *n = find(&now, p);
    return n ? n->file : NULL;
}

static bool parent_is_there(const char *p)
{
    char dir[PATH_BYTES];
    dir_of(p, dir);
    struct sim_file *f = sim_path_find(dir);
    return f && f->is_dir;
}

int sim_path_open(const char *path, bool create, bool excl, bool trunc,
                  struct sim_file **file)
{
    char p[PATH_BYTES];
    struct sim_file *f = sim_path_find(path);
    plain(path, p);
    if (f && create && excl)
        return -EEXIST;
    if (!f && (!create || !parent_is_there(p)))
        return -ENOENT;
    if (!f) {
        f = file_new(false, "");
        put(&now, p, f);
        note(CHANGE_ADD, p, NULL, f);
    } else if (trunc) {
        sim_file_truncate(f, 0);
    }
    *file = f;
    return 0;
}

int sim_path_mkdir(const char *path)
{
    char p[PATH_BYTES];
    plain(path, p);
    if (sim_path_find(p))
        return -EEXIST;
    if (!parent_is_there(p))
        return -ENOENT;
    struct sim_file *f = file_new(true, p);
    put(&now, p, f);
    note(CHANGE_ADD, p, NULL, f);
    return 0;
}

int sim_path_remove(const char *path, bool dir)
{
    char p[PATH_BYTES];
    struct sim_file *f = sim_path_find(path);
    plain(path, p);
    if (!f)
        return -ENOENT;
    if (dir != f->is_dir)
        return dir ? -ENOTDIR : -EISDIR;
    if (dir && sim_dir_name(f, 0))
        return -ENOTEMPTY;
    take(&now, p);
    note(CHANGE_REMOVE, p, NULL, f);
    return 0;
}

int sim_path_rename(const char *from, const char *to)
{
    char a[PATH_BYTES], b[PATH_BYTES];
    struct sim_file *f = sim_path_find(from);
    plain(from, a);
    plain(to, b);
    if (!f || !parent_is_there(b))
        return -ENOENT;
    take(&now, a);
    put(&now, b, f);
    note(CHANGE_RENAME, b, a, f);
    size_t n = strlen(a);
    for (uint32_t i = 0; f->is_dir && i < now.count; i++) {
        char rest[PATH_BYTES];
        if (strncmp(now.list[i].path, a, n) != 0 || now.list[i].path[n] != '/')
            continue;
        snprintf(rest, sizeof rest, "%s", now.list[i].path + n);
        if (strlen(b) + strlen(rest) >= PATH_BYTES)
            return -ENAMETOOLONG;
        memcpy(now.list[i].path, b, strlen(b));
        strcpy(now.list[i].path + strlen(b), rest);
    }
    return 0;
}

int sim_path_link(const char *from, const char *to)
{
    char b[PATH_BYTES];
    struct sim_file *f = sim_path_find(from);
    plain(to, b);
    if (!f || !parent_is_there(b))
        return -ENOENT;
    if (sim_path_find(b))
        return -EEXIST;
    put(&now, b, f);
    note(CHANGE_ADD, b, NULL, f);
    return 0;
}

const char *sim_dir_name(const struct sim_file *dir, uint32_t n)
{
    char parent[PATH_BYTES];
    for (uint32_t i = 0; i < now.count; i++) {
        dir_of(now.list[i].path, parent);
        if (strcmp(parent, dir->path) != 0 || n-- > 0)
            continue;
        const char *slash = strrchr(now.list[i].path, '/');
        return slash ? slash + 1 : now.list[i].path;
    }
    return NULL;
}

/* ---- space ---- */

void sim_disk_limit(uint64_t bytes)
{
    limit = bytes;
}

uint64_t sim_disk_free(void)
{
    uint64_t used = 0, whole = limit ? limit : UINT64_C(1) << 30;
    for (uint32_t i = 0; i < now.count; i++)
        used += now.list[i].file->bytes;
    return used < whole ? whole - used : 0;
}

bool sim_file_room(const struct sim_file *f, uint64_t end)
{
    return end <= f->bytes || !limit || end - f->bytes <= sim_disk_free();
}

/* ---- what an end of the process leaves ---- */

void sim_files_kill(void)
{
    for (struct sim_file *f = all; f; f = f->next)
        f->held = 0;
}

void sim_files_back(void)
{
    if (now.count == 0)
        return;
    struct sim_file *f = now.list[sim_below(now.count)].file;
    if (f->page_count == 0)
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

/* What reaches the disk of all that waits for it. */
enum loss {
    LOSS_ALL,
    LOSS_NONE,
    LOSS_PAGES,
    LOSS_SECTORS,
    LOSS_FEW_SECTORS,
    LOSS_KINDS
};

static void lose(struct sim_file *f, enum loss loss)
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

static bool orphan(const struct name *n)
{
    char dir[PATH_BYTES];
    dir_of(n->path, dir);
    if (strcmp(dir, ".") == 0)
        return false;
    struct name *parent = find(&disk, dir);
    return !parent || !parent->file->is_dir;
}

void sim_files_power_loss(void)
{
    enum loss loss = (enum loss)sim_below(LOSS_KINDS);
    sim_trace("power loss of kind %d", (int)loss);
    while (change_count > 0) {
        char dir[PATH_BYTES];
        uint32_t count = 0;
        strcpy(dir, changes[0].dir);
        for (uint32_t i = 0; i < change_count; i++)
            count += strcmp(changes[i].dir, dir) == 0;
        uint32_t first = loss == LOSS_ALL    ? 0
                         : loss == LOSS_NONE ? count
                                             : sim_below(count + 1);
        settle(dir, first);
        uint32_t kept = 0;
        for (uint32_t i = 0; i < change_count; i++)
            if (strcmp(changes[i].dir, dir) != 0)
                changes[kept++] = changes[i];
        change_count = kept;
    }
    for (bool again = true; again;) {
        again = false;
        for (uint32_t i = 0; i < disk.count; i++)
            if (orphan(&disk.list[i])) {
                disk.list[i--] = disk.list[--disk.count];
                again = true;
            }
    }
    memcpy(now.list, disk.list, disk.count * sizeof *disk.list);
    now.count = disk.count;
    for (struct sim_file *f = all; f; f = f->next)
        lose(f, loss);
    for (uint32_t i = 0; i < now.count; i++)
        if (now.list[i].file->is_dir)
            strcpy(now.list[i].file->path, now.list[i].path);
}
