/* gravity_scene.h: a store of gravity.warp: its records may be in any shard. */
#ifndef GRAVITY_SCENE_H
#define GRAVITY_SCENE_H

#include "move_scene.h"

#include "gravity.warp.h"

enum { TEAMS = 40, MEMBERS = 6 };

/* In the order of the schema. */
#define STAR  gravity_warp_schema.products[0]
#define DUST  gravity_warp_schema.products[1]
#define SPOT  gravity_warp_schema.products[2]
#define POST  gravity_warp_schema.products[3]
#define DEPTH gravity_warp_schema.products[7]
#define TOWN  gravity_warp_schema.products[4]
#define EMBER gravity_warp_schema.products[5]
#define STONE gravity_warp_schema.products[6]

extern struct warp_arena arena;

/* For each test. The program wraps gravity_step. */
void gravity_begin(void);
void gravity_end(void);
/* Nothing moves by itself from here on, in this test. */
void hold_still(void);
void move_again(void);
void reopen(void);
struct warp_stat stat_now(void);

uint32_t home_of(const struct warp_product *product, uint64_t id);
uint32_t shard_of(const struct warp_product *product, uint64_t id);
int move_to(const struct warp_product *product, uint64_t id, uint32_t shard);

/* TEAMS of MEMBERS, each with a heavy one. */
uint64_t star(uint64_t team, uint64_t member);
void put_stars(void);
/* All are there, with so much more gold together. */
void expect_stars(int64_t more);

#endif
