/* store_scene.h: a store of store_sample.h for tests of whole calls, with a
 * clock that the test moves. */
#ifndef WARP_TEST_STORE_SCENE_H
#define WARP_TEST_STORE_SCENE_H

#include "scratch.h"
#include "store_sample.h"

extern struct warp_db *store;
extern _Atomic int64_t now; /* the store's clock */
extern struct warp_arena arena;
extern struct warp_options options; /* of the next open */
extern char store_path[300];

/* For tcase_add_checked_fixture: a new, open store; closed and removed. */
void scene_setup(void);
void scene_teardown(void);
void scene_open(void);
void scene_close(void);
void scene_reopen(void);
/* Closes; a child opens the store, runs fn and dies by kill -9; opens again. */
void scene_crash(void (*fn)(void));
/* Every expired value of every shard is swept. */
void scene_sweep(void);
/* What the tiers hold leaves memory. */
void scene_evict(void);

/* The code, and that the sentence for people says this. */
void expect_code(int rc, int code, const char *says, const char *file,
                 int line);
#define ck_code(call, rc, says) expect_code(call, rc, says, __FILE__, __LINE__)
#define ck_ok(call)             ck_code(call, WARP_OK, NULL)

/* Short forms over the two products. */
int put(const struct sample_thing *thing, uint64_t fields);
int get(uint64_t id, uint64_t fields, struct sample_thing *out);
int del(uint64_t id);
enum warp_state state(uint64_t id, uint32_t field);
uint64_t version(uint64_t id); /* 0: it is not there */
int add_gold(uint64_t id, int64_t delta, int64_t *sum);
int mortal_put(const char *name, uint32_t tag, uint64_t fields);
int mortal_get(const char *name, struct sample_mortal *out);
bool str_is(struct warp_str s, const char *text);
/* The ids of a scan, of a look-up, as "1 2 3 "; valid until the next one. */
const char *ids_of(struct warp_iter *iter);
const char *scan_ids(const struct warp_gen_range *range);
const char *by_ids(uint32_t field, const void *value);
const char *events_of(uint64_t id); /* "time:text time:text " */
int event(uint64_t id, int64_t at, const char *text);

int run_suite(const char *name, void (*fill)(TCase *tcase));

#endif
