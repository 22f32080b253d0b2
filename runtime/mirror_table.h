/* mirror_table.h: the table behind mirror.h: what is known of each column
 * (mirror.c), for the making of plans (mirror_plan.c). */
#ifndef WARP_MIRROR_TABLE_H
#define WARP_MIRROR_TABLE_H

#include "mirror.h"
#include "os.h"

enum { RANGE_PAGES = MIRROR_RANGE_BYTES / MIRROR_PAGE_BYTES };

/* A range of a column on one device. */
struct mirror_range {
    uint32_t held; /* 1 + the number of its block; 0: none */
    uint64_t room; /* of the block */
};

struct mirror_column {
    struct mirror_group *group;
    uint32_t page_count; /* rooms of the arrays below; whole ranges */
    uint64_t *changed_at; /* moment, by page */
    uint64_t *content_at[DEVICE_KINDS]; /* moment, by page; 0: nothing */
    struct mirror_range *ranges[DEVICE_KINDS];
    double *heat;        /* uses, halved every HALF_LIFE plans; by range */
    uint64_t *heated_at; /* plan, by range */
};

/* The columns of one field. */
struct mirror_group {
    uint16_t product;
    uint32_t field, shard_count;
    struct pool *pool;
    struct mirror_group *next;
    struct mirror_column columns[];
};

/* Who has a block; no column: free. */
struct mirror_block {
    struct mirror_column *column;
    uint32_t range;
};

struct mirror {
    struct os_lock lock; /* of all below but the plan */
    struct mirror_group *groups;
    struct pool own; /* of columns without one */
    uint64_t moment, plans;
    struct mirror_block blocks[DEVICE_KINDS][DEVICE_HELD_MAX];
    bool on_device[DEVICE_KINDS][DEVICE_HELD_MAX]; /* has room there */
    uint64_t held_bytes[DEVICE_KINDS];
    uint64_t most[DEVICE_KINDS]; /* bytes: what the device had no room for */
    struct device_plan plan;
    struct device_fill fills[DEVICE_FILLS_MAX];
    struct device_piece pieces[DEVICE_PIECES_MAX];
};

/* Under the lock. false: out of memory. */
bool mirror_reach(struct mirror_column *column, size_t bytes);
bool mirror_usable(const struct mirror_column *column, enum device_kind kind,
                   uint64_t moment, uint32_t page);
/* The range has no block any more. */
void mirror_give_up(struct mirror *mirror, enum device_kind kind,
                    struct mirror_column *column, uint32_t range);

#endif
