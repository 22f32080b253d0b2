/* log_scene.h: a log in a fresh directory, for the log's tests. */
#ifndef LOG_SCENE_H
#define LOG_SCENE_H

#include "error.h"
#include "log.h"
#include "os.h"

#include <check.h>

enum { SCENE_SHARDS = 8, SCENE_SHARDS_MAX = 256 };

/* What a replay has given. Bodies begin with a u64 of the test's. */
struct scene_seen {
    uint64_t count[SCENE_SHARDS_MAX], last_seq[SCENE_SHARDS_MAX];
    uint64_t last_value[SCENE_SHARDS_MAX], sum[SCENE_SHARDS_MAX];
    _Atomic uint64_t bad; /* out of order, or a body that is not its own */
};

struct scene {
    char dir[256];
    struct log_options options;
    struct log *log;
    struct scene_seen seen;
    _Atomic uint32_t events;
    int event_code;
    char event_text[600];
    uint64_t replayed;
    int64_t clock;
};

/* TEST_TMPDIR, TMPDIR or /tmp; small rings, so that they wrap soon. */
void scene_make(struct scene *scene);
int scene_open(struct scene *scene);         /* open, replay, start */
void scene_made(struct scene *scene); /* waits until the maker has made all */
void scene_replay_only(struct scene *scene); /* and close */
void scene_stop(struct scene *scene);        /* stop and close */
void scene_crash(struct scene *scene);       /* close without stop */
void scene_remove(struct scene *scene);
/* A body of `bytes` whose content follows from value. */
void scene_body(uint8_t *body, size_t bytes, uint64_t value);
uint64_t scene_append(struct scene *scene, uint32_t shard, uint64_t value,
                      size_t bytes);

#endif
