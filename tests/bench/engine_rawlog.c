/* The limit of durable writes: the same bytes, one 4 KiB block for each put,
 * by O_DIRECT|O_DSYNC into a file for each thread that was written before.
 * At process_crash it is one buffered write(2) for each put. No index, no
 * checksum, no reading back. */
#include "engine.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_BYTES = 4096, FILE_BYTES = 16 << 20 };

struct rawlog {
    char dir[4096];
    enum kv_durability durability;
};

struct rawlog_session {
    int fd;
    bool direct;
    off_t at;
    size_t block_bytes;
    unsigned char *block;
};

static int rawlog_open(const struct engine_setup *setup, void **db)
{
    struct rawlog *log = calloc(1, sizeof *log);
    if (log == NULL)
        return -1;
    snprintf(log->dir, sizeof log->dir, "%s", setup->dir);
    log->durability = setup->durability;
    *db = log;
    return 0;
}

static int rawlog_close(void *db)
{
    free(db);
    return 0;
}

static void rawlog_session_close(void *session)
{
    struct rawlog_session *s = session;
    if (s->fd >= 0)
        close(s->fd);
    free(s->block);
    free(s);
}

/* Zeroes over the whole file, so that no put has to allocate a block. */
static int prewrite(int fd)
{
    static const unsigned char zeroes[1 << 16];
    for (off_t at = 0; at < FILE_BYTES; at += (off_t)sizeof zeroes)
        if (pwrite(fd, zeroes, sizeof zeroes, at) != (ssize_t)sizeof zeroes)
            return -1;
    return fsync(fd);
}

static int rawlog_session_open(void *db, unsigned thread, void **session)
{
    struct rawlog *log = db;
    struct rawlog_session *s = calloc(1, sizeof *s);
    char path[4200];
    if (s == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/raw.%u", log->dir, thread);
    s->fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (s->fd < 0 || prewrite(s->fd) != 0)
        goto out;
    s->block_bytes = 1 << 20;
    s->block = aligned_alloc(BLOCK_BYTES, s->block_bytes);
    if (s->block == NULL)
        goto out;
    memset(s->block, 0, s->block_bytes);
    s->direct = log->durability == KV_POWER_LOSS;
    if (s->direct) {
        close(s->fd);
        /* Some file systems refuse O_DIRECT; O_DSYNC keeps the promise. */
        s->fd = open(path, O_RDWR | O_DIRECT | O_DSYNC);
        if (s->fd < 0)
            s->fd = open(path, O_RDWR | O_DSYNC);
        if (s->fd < 0)
            goto out;
    }
    *session = s;
    return 0;
out:
    rawlog_session_close(s);
    return -1;
}

static int rawlog_put(void *session, const void *key, const void *value,
                      size_t value_bytes)
{
    struct rawlog_session *s = session;
    size_t bytes = KV_KEY_BYTES + value_bytes;
    if (bytes > s->block_bytes)
        return -1;
    memcpy(s->block, key, KV_KEY_BYTES);
    memcpy(s->block + KV_KEY_BYTES, value, value_bytes);
    if (s->direct)
        bytes = (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
    if (s->at + (off_t)bytes > FILE_BYTES)
        s->at = 0;
    if (pwrite(s->fd, s->block, bytes, s->at) != (ssize_t)bytes)
        return -1;
    s->at += (off_t)bytes;
    return 0;
}

static int rawlog_get(void *session, const void *key, const void **value,
                      size_t *value_bytes)
{
    (void)session, (void)key, (void)value, (void)value_bytes;
    return -1;
}

const struct engine engine_rawlog = {
    .name = "rawlog",
    .about = "bare blocks written to files, no index",
    .reads = false,
    .keeps = false,
    .open = rawlog_open,
    .close = rawlog_close,
    .session_open = rawlog_session_open,
    .session_close = rawlog_session_close,
    .put = rawlog_put,
    .get = rawlog_get,
};
