/* convert_scene.h: types made one by one, and bytes of their values, for the
 * tests of convert.c. */
#ifndef WARP_TEST_CONVERT_SCENE_H
#define WARP_TEST_CONVERT_SCENE_H

#include "convert.h"
#include "wire.h"

#include <check.h>
#include <string.h>
#include <warp/warp.h>

extern struct convert convert;
/* By kind, up to opaque, and value maps; made by set_up(). */
extern struct descriptor_type *scalar[DESCRIPTOR_KIND_LAST + 1];

struct descriptor_type *make(enum descriptor_kind kind, uint32_t limit);
struct descriptor_type *make_of(enum descriptor_kind kind, uint32_t limit,
                                const struct descriptor_type *elem);
struct descriptor_type *make_enum(uint8_t width, bool is_signed,
                                  uint32_t count,
                                  const struct descriptor_enumerator *values);
struct descriptor_type *make_parts(enum descriptor_kind kind, uint32_t count,
                                   struct descriptor_member *members);
/* Fingerprints and lengths of all that were made. */
void finish(void);
/* Forgets the last ones. */
void unmake(uint32_t how_many);

struct wire {
    uint8_t at[4096];
    size_t bytes;
};
void add(struct wire *w, const void *from, size_t bytes);
void add_int(struct wire *w, __int128 v, size_t bytes);
void add_text(struct wire *w, const char *text);

int turn(const struct descriptor_type *old, const struct descriptor_type *new,
         const struct wire *from);
bool gives(const struct wire *want);
void must(const struct descriptor_type *old, const struct descriptor_type *new,
          const struct wire *from, const struct wire *want);

void set_up(void);
void tear_down(void);
/* A suite of the tests that `fill` adds; the exit status. */
int run_tests(const char *name, void (*fill)(TCase *tcase));

#endif
