/* log_scene.c: makes, opens, crashes and removes logs for tests. */
#include "log_scene.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void on_event(void *arg, int code, const char *text)
{
    struct scene *scene = arg;
    atomic_fetch_add(&scene->events, 1);
    scene->event_code = code;
    snprintf(scene->event_text, sizeof scene->event_text, "%s", text);
}

static int64_t on_clock(void *arg)
{
    (void)arg;
    return os_wall_ms();
}

void scene_make(struct scene *scene)
{
    const char *base = getenv("TEST_TMPDIR");
    if (!base)
        base = getenv("TMPDIR");
    if (!base)
        base = "/tmp";
    memset(scene, 0, sizeof *scene);
    snprintf(scene->dir, sizeof scene->dir, "%s/warp-log-XXXXXX", base);
    ck_assert(mkdtemp(scene->dir) != NULL);
    scene->options = (struct log_options){
        .shards = SCENE_SHARDS,
        .ring_bytes = 64 << 10,
        .writes_in_flight = 2,
        .sync_every_ms = 10,
        .store_id = "0123456789abcde",
        .event = on_event,
        .clock_ms = on_clock,
    };
}

void scene_body(uint8_t *body, size_t bytes, uint64_t value)
{
    memcpy(body, &value, sizeof value);
    for (size_t i = sizeof value; i < bytes; i++)
        body[i] = (uint8_t)(value + i * 7);
}

static int on_commit(void *arg, uint32_t shard, uint64_t seq,
                     const uint8_t *body, size_t bytes)
{
    struct scene *scene = arg;
    struct scene_seen *seen = &scene->seen;
    uint64_t value = 0;
    bool good = bytes >= sizeof value && seq > seen->last_seq[shard];
    if (good)
        memcpy(&value, body, sizeof value);
    for (size_t i = sizeof value; good && i < bytes; i++)
        good = body[i] == (uint8_t)(value + i * 7);
    if (!good)
        atomic_fetch_add(&seen->bad, 1);
    seen->count[shard]++;
    seen->last_seq[shard] = seq;
    seen->last_value[shard] = value;
    seen->sum[shard] += value;
    return 0;
}

int scene_open(struct scene *scene)
{
    memset(&scene->seen, 0, sizeof scene->seen);
    scene->options.arg = scene;
    scene->options.dir = scene->dir;
    if (!scene->options.ring_dir)
        scene->options.ring_dir = scene->dir;
    int rc = log_open(&scene->options, &scene->log);
    if (rc == 0)
        rc = log_replay(scene->log, on_commit, scene, &scene->clock,
                        &scene->replayed);
    if (rc == 0 && !scene->options.read_only)
        rc = log_start(scene->log);
    return rc;
}

struct listing {
    struct scene *scene;
    uint64_t sum; /* of names and sizes */
    bool making;
};

static int add_name(void *arg, const char *name)
{
    struct listing *l = arg;
    uint64_t bytes = 0, sum = 14695981039346656037u;
    char path[600];
    snprintf(path, sizeof path, "%s/%s", l->scene->dir, name);
    int fd = os_open(path, OS_READ);
    if (fd < 0 || os_size(fd, &bytes) != 0 || strstr(name, ".tmp"))
        l->making = true;
    os_close(fd);
    for (const char *c = name; *c; c++)
        sum = (sum ^ (uint8_t)*c) * 1099511628211u;
    l->sum += sum * (bytes + 1);
    return 0;
}

/* The same, five looks long. */
void scene_made(struct scene *scene)
{
    uint64_t last = 0;
    int same = 0;
    for (int i = 0; i < 2000 && same < 5; i++) {
        struct listing l = {scene, 0, false};
        usleep(20000);
        ck_assert_int_eq(os_list(scene->dir, add_name, &l), 0);
        same = l.making || l.sum != last ? 0 : same + 1;
        last = l.sum;
    }
    ck_assert_int_eq(same, 5);
}

void scene_replay_only(struct scene *scene)
{
    scene->options.read_only = true;
    ck_assert_msg(scene_open(scene) == 0, "%s", error_text());
    scene->options.read_only = false;
    log_close(&scene->log);
}

void scene_stop(struct scene *scene)
{
    ck_assert_msg(log_stop(scene->log) == 0, "%s", error_text());
    log_close(&scene->log);
}

void scene_crash(struct scene *scene)
{
    log_close(&scene->log);
}

static int unlink_one(void *arg, const char *name)
{
    struct scene *scene = arg;
    char path[600];
    snprintf(path, sizeof path, "%s/%s", scene->dir, name);
    unlink(path);
    return 0;
}

void scene_remove(struct scene *scene)
{
    os_list(scene->dir, unlink_one, scene);
    rmdir(scene->dir);
}

uint64_t scene_append(struct scene *scene, uint32_t shard, uint64_t value,
                      size_t bytes)
{
    uint64_t seq, position;
    uint8_t *body = malloc(bytes);
    if (!body)
        ck_abort_msg("out of memory");
    scene_body(body, bytes, value);
    int rc = log_append(scene->log, shard, 0, 0, body, bytes, false, &seq,
                        &position);
    /* What check does for each assertion takes longer than the append. */
    if (rc != 0)
        ck_abort_msg("%s", error_text());
    free(body);
    return position;
}
