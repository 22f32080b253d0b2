/* files.c: see fuzz.h. */
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILES_MAX = 64, PATH_BYTES = 700, UNIT = 16, PAGE = 4096, LINE = 64 };

struct file {
    char name[200];
    uint8_t *data;
    size_t bytes;
    bool directory;
};
struct place {
    uint32_t file, unit;
};
struct fuzz_files {
    struct file file[FILES_MAX];
    uint32_t count, place_count;
    struct place *places;
};

/* ---- directories ---- */

static char root[200];

void fuzz_need(int good, const char *what)
{
    if (good)
        return;
    dprintf(STDERR_FILENO, "fuzz: %s failed\n", what);
    _exit(2);
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *walk)
{
    (void)st;
    (void)type;
    return walk->level == 0 ? 0 : remove(path);
}

void fuzz_empty(const char *dir)
{
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void remove_root(void)
{
    fuzz_empty(root);
    rmdir(root);
}

const char *fuzz_dir(const char *name)
{
    static char paths[8][PATH_BYTES];
    static unsigned used;
    if (root[0] == 0) {
        const char *shm = "/dev/shm", *tmp = getenv("TMPDIR");
        snprintf(root, sizeof root, "%.150s/warp-fuzz-XXXXXX",
                 access(shm, W_OK) == 0 ? shm
                 : tmp                  ? tmp
                                        : "/tmp");
        fuzz_need(mkdtemp(root) != NULL, root);
        atexit(remove_root);
    }
    char *path = paths[used++ % 8];
    snprintf(path, PATH_BYTES, "%s/%s", root, name);
    fuzz_need(mkdir(path, 0700) == 0 || access(path, W_OK) == 0, path);
    return path;
}

void fuzz_quiet(void)
{
    FILE *null = fopen("/dev/null", "w");
    fuzz_need(null != NULL, "/dev/null");
    stdout = null;
    stderr = null;
}

void fuzz_killed(void (*fn)(const char *dir), const char *dir)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        fn(dir);
        _exit(0);
    }
    fuzz_need(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, dir);
}

/* ---- files ---- */

static void load_file(struct file *file, const char *path, size_t bytes)
{
    FILE *in = fopen(path, "rb");
    file->bytes = bytes;
    file->data = malloc(bytes + 1);
    fuzz_need(in != NULL && file->data != NULL &&
                  fread(file->data, 1, bytes, in) == bytes,
              path);
    fclose(in);
}

static void load_dir(struct fuzz_files *files, const char *dir,
                     const char *under)
{
    char path[PATH_BYTES];
    struct dirent **names;
    snprintf(path, sizeof path, "%s/%s", dir, under);
    /* In the order of their names: an input means the same in each run. */
    int count = scandir(path, &names, NULL, alphasort);
    fuzz_need(count >= 0, path);
    for (int i = 0; i < count; i++) {
        const char *name = names[i]->d_name;
        struct file *file = &files->file[files->count];
        struct stat st;
        fuzz_need(files->count < FILES_MAX, "fewer files");
        snprintf(file->name, sizeof file->name, "%.90s%s%.90s", under,
                 under[0] ? "/" : "", name);
        snprintf(path, sizeof path, "%s/%s", dir, file->name);
        bool taken = name[0] != '.' && lstat(path, &st) == 0 &&
                     (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
        free(names[i]);
        if (!taken)
            continue;
        files->count++;
        file->directory = S_ISDIR(st.st_mode);
        if (file->directory)
            load_dir(files, dir, file->name);
        else
            load_file(file, path, (size_t)st.st_size);
    }
    free(names);
}

static bool is_zero(const struct file *file, size_t unit)
{
    for (size_t i = unit * UNIT; i < (unit + 1) * UNIT && i < file->bytes; i++)
        if (file->data[i] != 0)
            return false;
    return true;
}

struct fuzz_files *fuzz_files_load(const char *dir)
{
    struct fuzz_files *files = calloc(1, sizeof *files);
    uint32_t room = 0;
    fuzz_need(files != NULL, "memory");
    load_dir(files, dir, "");
    for (uint32_t f = 0; f < files->count; f++)
        for (size_t u = 0; u * UNIT < files->file[f].bytes; u++) {
            if (is_zero(&files->file[f], u))
                continue;
            if (files->place_count == room) {
                room = room ? room * 2 : 1024;
                files->places =
                    realloc(files->places, room * sizeof *files->places);
                fuzz_need(files->places != NULL, "memory");
            }
            files->places[files->place_count++] =
                (struct place){f, (uint32_t)u};
        }
    fuzz_need(files->place_count > 0, "bytes to change");
    return files;
}

/* ---- changes ---- */

static struct file *find(const struct fuzz_files *files, struct file *copy,
                         const uint8_t *from, size_t *at)
{
    uint32_t n = from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16;
    struct place place = files->places[n % files->place_count];
    *at = (size_t)place.unit * UNIT;
    return &copy[place.file];
}

static void copy_part(struct file *to, size_t to_at, const struct file *from,
                      size_t from_at, size_t bytes)
{
    from_at -= from_at % bytes;
    to_at -= to_at % bytes;
    if (from_at + bytes <= from->bytes && to_at + bytes <= to->bytes)
        memmove(to->data + to_at, from->data + from_at, bytes);
}

/* The bytes of one change, 0 at the end. */
static size_t change(const struct fuzz_files *files, struct file *copy,
                     const uint8_t *data, size_t size)
{
    size_t at, from_at;
    if (size < 4)
        return 0;
    struct file *file = find(files, copy, data, &at);
    uint8_t what = data[3];
    if ((what & 0x80) == 0) {
        size_t count = (what & 7u) + 1;
        if (file->bytes == SIZE_MAX)
            return 4 + count;
        at += what >> 3 & 15;
        for (size_t i = 0; i < count && i + 4 < size && at + i < file->bytes;
             i++)
            file->data[at + i] = data[4 + i];
        return 4 + count;
    }
    if ((what & 2) == 0) {
        file->bytes = what & 1 ? SIZE_MAX : at < file->bytes ? at : file->bytes;
        return 4;
    }
    if (size < 7)
        return 0;
    const struct file *from = find(files, copy, data + 4, &from_at);
    if (file->bytes != SIZE_MAX && from->bytes != SIZE_MAX)
        copy_part(file, at, from, from_at, what & 1 ? LINE : PAGE);
    return 7;
}

/* Without its pages of zeros, which stay holes. */
static void write_file(const struct file *file, const char *path)
{
    static const uint8_t zeros[PAGE];
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    fuzz_need(fd >= 0 && ftruncate(fd, (off_t)file->bytes) == 0, path);
    for (size_t at = 0; at < file->bytes; at += PAGE) {
        size_t n = file->bytes - at < PAGE ? file->bytes - at : PAGE;
        if (memcmp(file->data + at, zeros, n) != 0)
            fuzz_need(pwrite(fd, file->data + at, n, (off_t)at) == (ssize_t)n,
                      path);
    }
    close(fd);
}

void fuzz_files_write(const struct fuzz_files *files, const uint8_t *data,
                      size_t size, const char *dir)
{
    static struct file copy[FILES_MAX];
    char path[PATH_BYTES];
    for (uint32_t i = 0; i < files->count; i++) {
        uint8_t *own = copy[i].data ? copy[i].data : NULL;
        if (own == NULL)
            own = malloc(files->file[i].bytes + 1);
        fuzz_need(own != NULL, "memory");
        copy[i] = files->file[i];
        copy[i].data = own;
        if (!copy[i].directory)
            memcpy(own, files->file[i].data, copy[i].bytes);
    }
    for (size_t n; (n = change(files, copy, data, size)) > 0;) {
        n = n < size ? n : size;
        data += n;
        size -= n;
    }
    fuzz_empty(dir);
    for (uint32_t i = 0; i < files->count; i++) {
        snprintf(path, sizeof path, "%.450s/%.200s", dir, copy[i].name);
        if (copy[i].directory)
            fuzz_need(mkdir(path, 0700) == 0, path);
        else if (copy[i].bytes != SIZE_MAX)
            write_file(&copy[i], path);
    }
}
