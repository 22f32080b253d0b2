/* store_sample.c: the descriptors of store_sample.h. */
#include "store_sample.h"

static const struct warp_member pos_members[] = {
    {"x", &warp_type_f32, offsetof(struct sample_pos, x), UINT32_MAX, 0},
    {"y", &warp_type_f32, offsetof(struct sample_pos, y), UINT32_MAX, 0},
    {"z", &warp_type_f32, offsetof(struct sample_pos, z), UINT32_MAX, 0},
};
static const struct warp_type pos_type = {
    .name = "Pos", .kind = WARP_T_STRUCT, .plain = 1,
    .size = sizeof(struct sample_pos), .wire_bytes = 12, .count = 3,
    .members = pos_members};

static const int64_t default_gold = SAMPLE_GOLD;

static void derive_twice(const void *record, void *result)
{
    const struct sample_thing *t = record;
    uint64_t twice = 2 * t->seen + (uint64_t)t->gold;
    memcpy(result, &twice, sizeof twice);
}

static const struct warp_retention events_retention[] = {
    {WARP_TIER_MEMORY, 10000},
    {WARP_TIER_SSD, SAMPLE_EVENTS_END_MS},
};

#define THING(field_, type_, ...)                                             \
    {                                                                         \
        .name = #field_, .type = &warp_type_##type_,                          \
        .offset = offsetof(struct sample_thing, field_),                      \
        .priority = WARP_PRIORITY_NORMAL, .by_offset = UINT32_MAX,            \
        __VA_ARGS__                                                           \
    }
#define MORTAL(field_, type_, ...)                                            \
    {                                                                         \
        .name = #field_, .type = &warp_type_##type_,                          \
        .offset = offsetof(struct sample_mortal, field_),                     \
        .priority = WARP_PRIORITY_NORMAL, .by_offset = UINT32_MAX,            \
        __VA_ARGS__                                                           \
    }

static const struct warp_field thing_fields[] = {
    THING(id, u64, .home = WARP_HOME_MEMORY, .flags = WARP_F_KEY),
    THING(owner, u64, .home = WARP_HOME_MEMORY, .flags = WARP_F_INDEX),
    THING(email, string, .home = WARP_HOME_MEMORY,
          .flags = WARP_F_UNIQUE | WARP_F_INDEX),
    THING(gold, i64, .home = WARP_HOME_MEMORY,
          .default_value = &default_gold),
    THING(note, string, .home = WARP_HOME_MEMORY),
    {.name = "pos", .type = &pos_type,
     .offset = offsetof(struct sample_thing, pos), .home = WARP_HOME_MEMORY,
     .priority = WARP_PRIORITY_NORMAL, .by_offset = UINT32_MAX},
    THING(seen, u64, .home = WARP_HOME_MEMORY_ONLY,
          .survives = WARP_SURVIVES_NOTHING),
    THING(session, string, .home = WARP_HOME_MEMORY_ONLY,
          .survives = WARP_SURVIVES_NOTHING, .ttl_ms = 5000),
    THING(far, bytes, .home = WARP_HOME_SSD),
    THING(picture, bytes, .home = WARP_HOME_DISK),
    THING(packed, bytes, .home = WARP_HOME_DISK_COMPRESSED,
          .compression = WARP_COMPRESS_DEFAULT),
    THING(archived, bytes, .home = WARP_HOME_DISK_ONLY,
          .compression = WARP_COMPRESS_MAXIMUM),
    THING(token, u32, .home = WARP_HOME_MEMORY, .flags = WARP_F_INDEX,
          .ttl_ms = 3000),
    THING(draft, bytes, .home = WARP_HOME_DISK_COMPRESSED,
          .compression = WARP_COMPRESS_FAST, .ttl_ms = 4000),
    THING(flag, bool, .home = WARP_HOME_MEMORY),
    THING(counter, u32, .home = WARP_HOME_SSD),
    THING(twice, u64, .home = WARP_HOME_COMPUTED, .flags = WARP_F_DERIVED,
          .derive = derive_twice, .inputs = BIT(THING_SEEN) | BIT(THING_GOLD)),
    THING(level, u8, .home = WARP_HOME_MEMORY,
          .survives = WARP_SURVIVES_POWER_LOSS),
    {.name = "events", .type = &warp_type_bytes, .offset = UINT32_MAX,
     .flags = WARP_F_SERIES | WARP_F_THEN_DELETE, .home = WARP_HOME_TEMPORAL,
     .priority = WARP_PRIORITY_NORMAL, .retention = events_retention,
     .retention_count = 2, .by_offset = UINT32_MAX},
};

static const struct warp_field mortal_fields[] = {
    MORTAL(name, string, .home = WARP_HOME_MEMORY, .flags = WARP_F_KEY),
    MORTAL(tag, u32, .home = WARP_HOME_MEMORY,
           .flags = WARP_F_UNIQUE | WARP_F_INDEX),
    MORTAL(text, string, .home = WARP_HOME_MEMORY),
    MORTAL(body, bytes, .home = WARP_HOME_DISK),
    MORTAL(hits, u64, .home = WARP_HOME_MEMORY_ONLY,
           .survives = WARP_SURVIVES_NOTHING),
    MORTAL(pin, u32, .home = WARP_HOME_MEMORY, .ttl_ms = 2000),
    {.name = "trail", .type = &warp_type_bytes, .offset = UINT32_MAX,
     .flags = WARP_F_SERIES, .home = WARP_HOME_TEMPORAL,
     .priority = WARP_PRIORITY_NORMAL, .by_offset = UINT32_MAX},
};

static const uint8_t first_field[] = {0};

#define THING_COLD                                                            \
    (BIT(THING_FAR) | BIT(THING_PICTURE) | BIT(THING_PACKED) |                \
     BIT(THING_ARCHIVED) | BIT(THING_DRAFT) | BIT(THING_COUNTER))
#define THING_ALL                                                             \
    ((BIT(THING_FIELDS) - 1) & ~(BIT(THING_ID) | BIT(THING_EVENTS)))
#define MORTAL_ALL                                                            \
    ((BIT(MORTAL_FIELDS) - 1) & ~(BIT(MORTAL_NAME) | BIT(MORTAL_TRAIL)))

const struct warp_product sample_thing_product = {
    .name = "Thing", .fields = thing_fields, .field_count = THING_FIELDS,
    .record_bytes = sizeof(struct sample_thing),
    .have_offset = offsetof(struct sample_thing, have),
    .key_bytes = sizeof(uint64_t), .key_count = 1, .key_fields = first_field,
    .hot = THING_ALL & ~THING_COLD, .all = THING_ALL,
    .priority = WARP_PRIORITY_NORMAL};

const struct warp_product sample_mortal_product = {
    .name = "Mortal", .fields = mortal_fields, .field_count = MORTAL_FIELDS,
    .record_bytes = sizeof(struct sample_mortal),
    .have_offset = offsetof(struct sample_mortal, have),
    .key_bytes = sizeof(struct warp_str), .key_count = 1,
    .key_fields = first_field,
    .hot = MORTAL_ALL & ~BIT(MORTAL_BODY), .all = MORTAL_ALL,
    .ttl_ms = SAMPLE_MORTAL_TTL_MS, .priority = WARP_PRIORITY_NORMAL};

static const struct warp_product *const products[] = {
    &sample_thing_product, &sample_mortal_product};
/* Never decoded while the same program opens the store. */
static const uint8_t descriptor[] = "sample";

const struct warp_schema sample_schema = {
    .abi = WARP_GEN_ABI, .product_count = 2, .name = "sample",
    .products = products, .descriptor = descriptor,
    .descriptor_bytes = sizeof descriptor,
    .fingerprint = UINT64_C(0x5a3713)};
