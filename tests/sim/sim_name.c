/* sim_name.c: directories, and the room of the disk. A name is durable in the
 * order in which names were changed, directory by directory: after a power loss
 * a first part of what was done to a directory since its last sync is there. */
#include "sim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 80, NAMES_MAX = 2048, CHANGES_MAX = 4096 };

struct name {
    struct sim_file *dir, *file;
    char leaf[NAME_BYTES];
};
struct names {
    struct name *list;
    uint32_t count;
};
enum change_kind { CHANGE_ADD, CHANGE_REMOVE, CHANGE_RENAME, CHANGE_EXCHANGE };
struct change {
    enum change_kind kind;
    struct name name, from;
};

SIM_STATE static struct names now, disk;
SIM_STATE static struct change *changes;
SIM_STATE static uint32_t change_count;
SIM_STATE static struct sim_file *root;
SIM_STATE static uint64_t limit;

void sim_files_start(uint64_t disk_bytes)
{
    now.list = sim_own(NAMES_MAX * sizeof *now.list);
    disk.list = sim_own(NAMES_MAX * sizeof *disk.list);
    changes = sim_own(CHANGES_MAX * sizeof *changes);
    root = sim_file_new(true);
    limit = disk_bytes;
}

/* ---- tables ---- */

static struct name *find(struct names *names, const struct sim_file *dir,
                         const char *leaf)
{
    for (uint32_t i = 0; i < names->count; i++)
        if (names->list[i].dir == dir && strcmp(names->list[i].leaf, leaf) == 0)
            return &names->list[i];
    return NULL;
}

static void put(struct names *names, const struct name *name)
{
    struct name *n = find(names, name->dir, name->leaf);
    if (!n) {
        if (names->count == NAMES_MAX)
            sim_finding("the simulator has no room for another name");
        n = &names->list[names->count++];
    }
    *n = *name;
}

static void take(struct names *names, const struct name *name)
{
    struct name *n = find(names, name->dir, name->leaf);
    if (n)
        *n = names->list[--names->count];
}

static void apply(const struct change *c)
{
    if (c->kind == CHANGE_REMOVE)
        take(&disk, &c->name);
    if (c->kind == CHANGE_RENAME)
        take(&disk, &c->from);
    if (c->kind != CHANGE_REMOVE)
        put(&disk, &c->name);
    if (c->kind == CHANGE_EXCHANGE)
        put(&disk, &c->from);
}

static void note(enum change_kind kind, const struct name *name,
                 const struct name *from)
{
    if (change_count == CHANGES_MAX)
        sim_finding("the simulator has no room for another change");
    struct change *c = &changes[change_count++];
    c->kind = kind;
    c->name = *name;
    if (from)
        c->from = *from;
}

/* The first so many changes of a directory are durable. */
static void settle(const struct sim_file *dir, uint32_t first)
{
    uint32_t kept = 0, n = 0;
    for (uint32_t i = 0; i < change_count; i++) {
        if (changes[i].name.dir == dir && n++ < first)
            apply(&changes[i]);
        else
            changes[kept++] = changes[i];
    }
    change_count = kept;
}

int sim_dir_sync(struct sim_file *dir)
{
    settle(dir, UINT32_MAX);
    return 0;
}

/* ---- paths ---- */

/* The directory of a path and its last part, which is empty for the root. */
static int walk(const char *path, struct name *to)
{
    to->dir = root;
    to->file = root;
    to->leaf[0] = 0;
    while (*path) {
        size_t n = strcspn(path, "/");
        const char *next = path + n + strspn(path + n, "/");
        if (n == 0 || (n == 1 && path[0] == '.')) {
            path = next;
            continue;
        }
        if (n >= NAME_BYTES)
            return -ENAMETOOLONG;
        if (to->leaf[0]) {
            if (!to->file)
                return -ENOENT;
            if (!sim_is_dir(to->file))
                return -ENOTDIR;
            to->dir = to->file;
        }
        memcpy(to->leaf, path, n);
        to->leaf[n] = 0;
        struct name *there = find(&now, to->dir, to->leaf);
        to->file = there ? there->file : NULL;
        path = next;
    }
    return 0;
}

struct sim_file *sim_path_find(const char *path)
{
    struct name n;
    return walk(path, &n) == 0 ? n.file : NULL;
}

static void add(struct name *n)
{
    put(&now, n);
    note(CHANGE_ADD, n, NULL);
}

int sim_path_open(const char *path, bool create, bool excl, bool trunc,
                  struct sim_file **file)
{
    struct name n;
    int rc = walk(path, &n);
    if (rc != 0)
        return rc;
    if (n.file && create && excl)
        return -EEXIST;
    if (!n.file && !create)
        return -ENOENT;
    if (!n.file) {
        n.file = sim_file_new(false);
        add(&n);
    } else if (trunc) {
        sim_file_truncate(n.file, 0);
    }
    *file = n.file;
    return 0;
}

int sim_path_mkdir(const char *path)
{
    struct name n;
    int rc = walk(path, &n);
    if (rc != 0)
        return rc;
    if (n.file)
        return -EEXIST;
    n.file = sim_file_new(true);
    add(&n);
    return 0;
}

int sim_path_remove(const char *path, bool dir)
{
    struct name n;
    int rc = walk(path, &n);
    if (rc != 0)
        return rc;
    if (!n.file)
        return -ENOENT;
    if (dir != sim_is_dir(n.file))
        return dir ? -ENOTDIR : -EISDIR;
    if (dir && sim_dir_name(n.file, 0))
        return -ENOTEMPTY;
    take(&now, &n);
    note(CHANGE_REMOVE, &n, NULL);
    return 0;
}

int sim_path_rename(const char *from, const char *to)
{
    struct name a, b;
    int rc = walk(from, &a);
    if (rc == 0)
        rc = walk(to, &b);
    if (rc != 0)
        return rc;
    if (!a.file)
        return -ENOENT;
    if (b.file && sim_is_dir(b.file) && sim_dir_name(b.file, 0))
        return -ENOTEMPTY;
    b.file = a.file;
    take(&now, &a);
    put(&now, &b);
    note(CHANGE_RENAME, &b, &a);
    return 0;
}

/* Two names of one directory. */
int sim_path_exchange(const char *one, const char *other)
{
    struct name a, b;
    if (walk(one, &a) != 0 || walk(other, &b) != 0 || !a.file || !b.file)
        return -ENOENT;
    struct sim_file *f = a.file;
    a.file = b.file;
    b.file = f;
    put(&now, &a);
    put(&now, &b);
    note(CHANGE_EXCHANGE, &b, &a);
    return 0;
}

int sim_path_link(const char *from, const char *to)
{
    struct sim_file *f = sim_path_find(from);
    struct name n;
    int rc = walk(to, &n);
    if (!f || rc != 0)
        return -ENOENT;
    if (n.file)
        return -EEXIST;
    n.file = f;
    add(&n);
    return 0;
}

const char *sim_dir_name(const struct sim_file *dir, uint32_t n)
{
    for (uint32_t i = 0; i < now.count; i++)
        if (now.list[i].dir == dir && n-- == 0)
            return now.list[i].leaf;
    return NULL;
}

struct sim_file *sim_name_any(void)
{
    return now.count ? now.list[sim_below(now.count)].file : NULL;
}

/* ---- space ---- */

static uint64_t used_bytes(void)
{
    uint64_t used = 0;
    for (uint32_t i = 0; i < now.count; i++)
        used += sim_file_bytes(now.list[i].file);
    return used;
}

void sim_disk_limit(uint64_t bytes)
{
    limit = bytes;
}

void sim_disk_full(uint64_t rest)
{
    limit = used_bytes() + rest;
    sim_fault_seen++; /* the room is also asked for */
}

bool sim_disk_limited(void)
{
    return limit != 0;
}

uint64_t sim_disk_free(void)
{
    uint64_t used = used_bytes(), whole = limit ? limit : UINT64_C(1) << 30;
    return used < whole ? whole - used : 0;
}

bool sim_file_room(const struct sim_file *f, uint64_t end)
{
    uint64_t bytes = sim_file_bytes(f);
    if (end <= bytes || !limit || end - bytes <= sim_disk_free())
        return true;
    sim_faults_hit[FAULT_NO_SPACE]++;
    return false;
}

/* ---- a power loss ---- */

static bool reachable(const struct sim_file *dir)
{
    if (dir == root)
        return true;
    for (uint32_t i = 0; i < disk.count; i++)
        if (disk.list[i].file == dir)
            return true;
    return false;
}

void sim_names_lose(enum sim_loss loss)
{
    while (change_count > 0) {
        const struct sim_file *dir = changes[0].name.dir;
        uint32_t count = 0, kept = 0;
        for (uint32_t i = 0; i < change_count; i++)
            count += changes[i].name.dir == dir;
        settle(dir, loss == LOSS_ALL    ? 0
                    : loss == LOSS_NONE ? count
                                        : sim_below(count + 1));
        for (uint32_t i = 0; i < change_count; i++)
            if (changes[i].name.dir != dir)
                changes[kept++] = changes[i];
        change_count = kept;
    }
    for (bool again = true; again;) {
        again = false;
        for (uint32_t i = 0; i < disk.count; i++)
            if (!reachable(disk.list[i].dir)) {
                disk.list[i--] = disk.list[--disk.count];
                again = true;
            }
    }
    memcpy(now.list, disk.list, disk.count * sizeof *disk.list);
    now.count = disk.count;
}
