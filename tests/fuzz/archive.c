/* archive: segments and manifest of an archive that were changed -> reads by
 * place, walks, checks, more that is written and reclaimed. */
#include "fuzz.h"

#include "archive.h"
#include "error.h"

#include <stdio.h>
#include <string.h>

enum { VALUES = 24 };

static const uint8_t store_id[16] = "0123456789abcde";
static struct archive_place place[VALUES];
static char made[800];

static int append(struct archive *archive, uint32_t from, uint32_t to,
                  struct archive_place *places)
{
    static uint8_t value[5000];
    int rc = 0;
    for (uint32_t i = from; i < to && rc == 0; i++) {
        memset(value, (int)i, sizeof value);
        rc = archive_append(archive, &i, 4, value, i * 211 % sizeof value,
                            &places[i]);
    }
    return rc == 0 ? archive_seal(archive) : rc;
}

static void make(void)
{
    struct archive *archive = NULL;
    int rc = archive_open(made, store_id, false, NULL, NULL, &archive);
    for (uint32_t i = 0; i < 3 && rc == 0; i++)
        rc = append(archive, i * 8, i * 8 + 8, place);
    fuzz_need(rc == 0, error_text());
    archive_settled(archive);
    archive_close(&archive);
}

static void *alloc(void *arg, size_t bytes)
{
    static uint8_t to[1 << 20];
    (void)arg;
    return bytes <= sizeof to ? to : NULL;
}

static int on_entry(void *arg, struct archive_place at, const void *owner,
                    size_t owner_bytes, const void *value)
{
    static volatile uint8_t sink;
    (void)arg;
    for (size_t i = 0; i < owner_bytes; i++)
        sink = (uint8_t)(sink + ((const uint8_t *)owner)[i]);
    for (size_t i = 0; i < at.bytes; i++)
        sink = (uint8_t)(sink + ((const uint8_t *)value)[i]);
    return 0;
}

static void on_bad(void *arg, const char *text)
{
    *(size_t *)arg += strlen(text);
}

static int on_file(void *arg, const char *path)
{
    *(size_t *)arg += strlen(path);
    return 0;
}

static void use(const char *dir, bool read_only, uint8_t twist)
{
    struct archive *archive = NULL;
    struct archive_place more[VALUES];
    size_t names = 0;
    int rc = archive_open(dir, store_id, read_only, NULL, NULL, &archive);
    for (uint32_t i = 0; i < VALUES && archive; i++) {
        struct archive_place p = place[i];
        if (twist & 1)
            p.offset += twist >> 2;
        if (twist & 2)
            p.bytes ^= (uint32_t)twist << (i % 24);
        archive_read(archive, p, alloc, NULL);
        archive_check(archive, p, &i, 4);
        if (twist & 4 || i % 3)
            archive_recount(archive, p);
    }
    if (archive) {
        archive_verify(archive, on_bad, &names);
        archive_files(archive, on_file, &names);
        for (uint32_t n = 1; n < 6; n++)
            archive_walk(archive, n, on_entry, NULL);
    }
    if (rc == 0 && !read_only) {
        archive_recounted(archive);
        archive_emptiest(archive, 101);
        if (append(archive, 0, 6, more) == 0)
            archive_settled(archive);
        archive_reclaim(archive);
    }
    archive_close(&archive);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz_files *files;
    static const char *dir;
    if (files == NULL) {
        snprintf(made, sizeof made, "%s", fuzz_dir("made"));
        make();
        files = fuzz_files_load(made);
        dir = fuzz_dir("archive");
    }
    if (size == 0)
        return 0;
    fuzz_files_write(files, data + 1, size - 1, dir);
    use(dir, true, data[0]);
    use(dir, false, data[0]);
    return 0;
}
