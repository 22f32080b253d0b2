/* move_scene.c: see move_scene.h. */
#include "move_scene.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codec.h"
#include "disk.h"
#include "hash.h"
#include "migrate.h"
#include "request.h"
#include "verify.h"

char move_dir[64];
struct warp_db *db;
_Atomic int64_t clock_ms = INT64_C(1700000000000);
char text[2000];
uint32_t move_reads_max;
static const struct warp_schema *schema;

static int64_t read_clock(void *arg)
{
    (void)arg;
    return atomic_load(&clock_ms);
}

void open_it(void)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    o.shards = 12;
    o.ring_bytes = 1 << 20;
    o.memory_max_bytes = 96 << 20;
    o.clock_ms = read_clock;
    o.prefetch_reads_max = move_reads_max;
    int rc = warp_open(move_dir, schema, &o, &db);
    ck_assert_msg(rc == WARP_OK, "%d: %s", rc, warp_errmsg(NULL));
    db_wait_loaded(db);
}

void close_it(void)
{
    ck_assert_int_eq(warp_close(&db), WARP_OK);
}

void move_begin(const struct warp_schema *s)
{
    schema = s;
    strcpy(move_dir, "/tmp/warp_move_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(move_dir));
    open_it();
}

void move_end(void)
{
    char command[128];
    if (db)
        close_it();
    snprintf(command, sizeof command, "rm -rf %s", move_dir);
    ck_assert_int_eq(system(command), 0);
}

uint32_t body_bytes(uint64_t id)
{
    return 100 + (uint32_t)(id * 37 % 1500);
}

void fill(uint64_t id, uint64_t version)
{
    for (uint32_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + (id + version + i / 5) % 26);
}

void run_steps(void)
{
    bool more = true;
    while (more) {
        uint32_t marked;
        ck_assert_int_eq(migrate_step(db, 100, &marked, &more), WARP_OK);
        if (marked)
            ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    }
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
}

uint64_t disk_live(void)
{
    struct disk_stat stat;
    disk_stat(db->disk, &stat);
    return stat.live_bytes;
}

bool resident(const struct warp_product *product, uint64_t id, uint32_t field)
{
    const struct layout *l = db_layout(db, product);
    uint64_t key = __builtin_bswap64(id);
    struct key_ref ref = key_ref_of(db->seed, l, (uint8_t *)&key, 8);
    struct shard *s = &db->shards[hash_shard(ref.hash, db->shard_count)];
    _Atomic uint64_t *slot;
    os_lock(&s->lock);
    const struct record *r = shard_peek(s, &ref, &slot);
    bool is = r != NULL;
    if (r && field < 56)
        is = atomic_load(&row_var(r, l->fields[field].slot)->at) > VAR_COLD;
    os_unlock(&s->lock);
    return is;
}

void evict_all(void)
{
    for (uint32_t i = 0; i < db->shard_count; i++) {
        os_lock(&db->shards[i].lock);
        (void)shard_evict(&db->shards[i], NULL, WARP_PRIORITY_CRITICAL,
                          UINT64_MAX / 512);
        os_unlock(&db->shards[i].lock);
    }
}

void must_be_sound(void)
{
    struct text reply = TEXT_INIT;
    ck_assert_int_eq(verify_store(move_dir, NULL, &reply), WARP_OK);
    text_u8(&reply, 0);
    ck_assert_msg(strncmp(reply.data, "{\"findings\":[],", 15) == 0, "%s",
                  reply.data);
    text_free(&reply);
}

void explain(uint64_t id, uint32_t field, struct text *t)
{
    const struct layout *l = db_layout(db, schema->products[0]);
    uint8_t key[16];
    size_t count = 0;
    const char *why;
    ck_assert_int_eq(key_encode(l->desc, &id, key, &count, &why), WARP_OK);
    struct key_ref ref = key_ref_of(db->seed, l, key, (uint32_t)count);
    text_clear(t);
    ck_assert_int_eq(request_explain(db, l, &ref, field, t), WARP_OK);
    text_u8(t, 0);
}

/* A child that is killed in the middle of a message of Check's leaves half of
 * it: its messages go nowhere. */
static void leave_check(void)
{
    char link[64], to[256];
    for (int fd = 3; fd < 64; fd++) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, to, sizeof to - 1);
        to[n > 0 ? n : 0] = 0;
        int none = strstr(to, "check_") ? open("/dev/null", O_WRONLY) : -1;
        if (none >= 0)
            dup2(none, fd);
    }
}

void killed_again_and_again(int rounds, uint64_t seed, void (*work)(uint64_t n),
                            void (*check)(void))
{
    close_it();
    for (int round = 0; round < rounds; round++) {
        int ready[2];
        char byte = 1;
        ck_assert_int_eq(pipe(ready), 0);
        pid_t child = fork();
        if (child == 0) {
            leave_check();
            open_it();
            if (write(ready[1], &byte, 1) != 1)
                _exit(1);
            for (uint64_t n = 0;; n++)
                work(n);
        }
        ck_assert_int_eq(read(ready[0], &byte, 1), 1);
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        usleep((useconds_t)(seed >> 33) % 80000);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        close(ready[0]);
        close(ready[1]);
        must_be_sound();
        open_it();
        check();
        close_it();
    }
}
