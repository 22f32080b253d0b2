/* evolve_schema.h: schemas made as descriptors, and records reached by the
 * names of their fields. */
#ifndef WARP_TEST_EVOLVE_SCHEMA_H
#define WARP_TEST_EVOLVE_SCHEMA_H

#include "descriptor.h"
#include "schema_load.h"

#include <stdbool.h>

enum { MAKER_FIELDS = 40 };

struct maker {
    struct descriptor all;
    struct descriptor_type types[DESCRIPTOR_KIND_LAST + 1]; /* by kind */
    struct descriptor_type *refs[DESCRIPTOR_KIND_LAST + 1];
    struct descriptor_field fields[MAKER_FIELDS];
    struct descriptor_product products[2];
    uint8_t keys[MAKER_FIELDS]; /* 0, 1, 2, … */
};

void maker_init(struct maker *m);     /* a product Thing without fields */
/* id, gold u32, name, far on ssd, big on disk, seen memory_only. */
void maker_base(struct maker *m);
struct descriptor_field *maker_field(struct maker *m, const char *name,
                                     enum descriptor_kind kind);
struct descriptor_field *maker_find(struct maker *m, const char *name);
/* One more product with the same fields. */
void maker_second(struct maker *m, const char *name, bool first);
struct warp_schema *maker_load(struct maker *m);

/* The same tables, beginning with another product. */
struct warp_schema schema_from(const struct warp_schema *s, uint32_t product);

/* Of products[0], whose key is a u64 called id. */
uint32_t thing_field(const struct warp_schema *s, const char *name);
void thing_set_u64(struct warp_db *db, const struct warp_schema *s,
                   uint64_t id, const char *field, uint64_t value);
void thing_set_text(struct warp_db *db, const struct warp_schema *s,
                    uint64_t id, const char *field, const char *text,
                    size_t bytes);
int thing_try_text(struct warp_db *db, const struct warp_schema *s,
                   uint64_t id, const char *field, const char *text,
                   size_t bytes);
/* An integer field; fails the test when it is not there. */
uint64_t thing_get_u64(struct warp_db *db, const struct warp_schema *s,
                       uint64_t id, const char *field);
bool thing_is_text(struct warp_db *db, const struct warp_schema *s,
                   uint64_t id, const char *field, const char *text,
                   size_t bytes);
enum warp_state thing_state(struct warp_db *db, const struct warp_schema *s,
                            uint64_t id, const char *field);

#endif
