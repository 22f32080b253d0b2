/* compute_summary.c: how many elements a list has, and the Shannon entropy of
 * their distribution in bits: 0 where all are equal, log2 n where all differ.
 * Elements are equal when their stored bytes are. What is in the archive is
 * read there: a summary of a part would not say that it is one. */
#include "compute.h"

#include "codec.h"
#include "error.h"
#include "hash.h"
#include "read.h"

#include <stdlib.h>

/* Stored bytes of elements, one behind the other. */
struct elements {
    const struct warp_product *desc;
    const struct warp_type *type;
    uint8_t *bytes;
    size_t used, room;
    struct element {
        size_t at, bytes;
    } * list;
    size_t count, list_room;
};

static int no_memory(const struct elements *e)
{
    return error_set(WARP_ENOMEM, "%s: out of memory for a summary",
                     e->desc->name);
}

static int add(struct elements *e, const void *element)
{
    const char *why = NULL;
    size_t bytes = 0;
    int rc = codec_size(e->type, element, &bytes, &why);
    if (rc != WARP_OK)
        return error_set(rc, "%s: an element %s", e->desc->name,
                         why ? why : "is not valid");
    if (e->room - e->used < bytes) {
        size_t room = e->room * 2 + bytes + 4096;
        uint8_t *grown = realloc(e->bytes, room);
        if (!grown)
            return no_memory(e);
        e->bytes = grown;
        e->room = room;
    }
    if (e->count == e->list_room) {
        size_t room = e->list_room * 2 + 64;
        struct element *grown = realloc(e->list, room * sizeof *grown);
        if (!grown)
            return no_memory(e);
        e->list = grown;
        e->list_room = room;
    }
    codec_encode(e->type, element, e->bytes + e->used);
    e->list[e->count++] = (struct element){e->used, bytes};
    e->used += bytes;
    return WARP_OK;
}

static int compare(const void *a, const void *b, void *arg)
{
    const struct element *x = a, *y = b;
    const struct elements *e = arg;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? -1 : 1;
    return x->bytes == 0 ? 0
                         : memcmp(e->bytes + x->at, e->bytes + y->at, x->bytes);
}

/* Equal ones stand together: their numbers are the buckets of one state. */
static int summarise(struct elements *e, struct warp_summary *out)
{
    uint32_t *counts = calloc(e->count + 1, sizeof *counts), buckets = 0;
    uint32_t offsets[2] = {0, 0};
    float entropy = 0;
    if (!counts)
        return no_memory(e);
    if (e->count > 1)
        qsort_r(e->list, e->count, sizeof *e->list, compare, e);
    for (size_t i = 0; i < e->count; i++) {
        if (i > 0 && compare(&e->list[i - 1], &e->list[i], e) != 0)
            buckets++;
        counts[buckets]++;
    }
    offsets[1] = e->count > 0 ? buckets + 1 : 0;
    struct kernel_job job = {.kernel = &kernel_entropy,
                             .p = {.rows = 1, .items = offsets[1]},
                             .arg = {offsets, counts, &entropy}};
    kernel_entropy.run(&job);
    *out = (struct warp_summary){e->count, (double)entropy};
    free(counts);
    return WARP_OK;
}

static int add_list(struct warp_db *db, const struct layout *l,
                    const struct key_ref *ref, uint32_t field,
                    struct elements *e)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    void *record = calloc(1, l->desc->record_bytes);
    if (!record)
        return no_memory(e);
    int rc = read_record(db, l, ref, UINT64_C(1) << field | WARP_ARCHIVE,
                         record, &arena);
    const struct warp_list *list =
        (const void *)((const char *)record + l->desc->fields[field].offset);
    for (size_t i = 0; rc == WARP_OK && i < list->count; i++)
        rc = add(e, (const char *)list->data + i * e->type->size);
    warp_arena_free(&arena);
    free(record);
    return rc;
}

static int add_series(struct warp_db *db, const struct layout *l,
                      const void *key, uint32_t field, struct elements *e)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct warp_iter *it = NULL;
    int64_t at_ms;
    void *element = calloc(1, e->type->size);
    int rc = element
                 ? warp_gen_range_with(db, l->desc, key, field, INT64_MIN,
                                       INT64_MAX, WARP_ARCHIVE, &it)
                 : no_memory(e);
    while (rc == WARP_OK) {
        warp_arena_reset(&arena);
        rc = warp_gen_range_next(it, l->desc, field, &at_ms, element, &arena);
        if (rc == WARP_OK)
            rc = add(e, element);
    }
    warp_iter_close(&it);
    warp_arena_free(&arena);
    free(element);
    return rc == WARP_END ? WARP_OK : rc;
}

int warp_gen_summary(struct warp_db *db, const struct warp_product *desc,
                     const void *key, uint32_t field, struct warp_summary *out)
{
    const struct layout *l = NULL;
    struct compute_keys keys;
    uint64_t version = 0, kept = 0;
    int rc = compute_enter(db, desc, key, &l);
    if (rc != WARP_OK)
        return rc;
    bool series = field < desc->field_count &&
                  (desc->fields[field].flags & WARP_F_SERIES);
    if (!out || field >= desc->field_count ||
        (!series && desc->fields[field].type->kind != WARP_T_LIST))
        return error_set(WARP_EINVAL,
                         "%s: summaries are of lists, and need a "
                         "place",
                         desc->name);
    const struct warp_field *f = &desc->fields[field];
    bool keep = !series && (f->copies & 1u << WARP_HOME_COMPUTED);
    rc = compute_keys_read(l, key, 1, field, &keys);
    if (rc != WARP_OK)
        return rc;
    struct key_ref ref = compute_key(db, &keys, 0);
    struct elements e = {.desc = desc,
                         .type = series ? f->type : f->type->elem};
    rc = read_version(db, l, &ref, &version);
    if (rc == WARP_ENOTFOUND)
        rc =
            error_set(WARP_ENOTFOUND, "%s: no record has this key", desc->name);
    /* A deadline passes without a new version. */
    if (rc == WARP_OK && (l->ttl >> field & 1))
        keep &= read_state(db, l, &ref, field, WARP_ARCHIVE) == WARP_PRESENT;
    bool found = rc == WARP_OK && keep &&
                 compute_kept(db, l, field, ref.hash, &kept, out) &&
                 kept == version;
    if (rc == WARP_OK && !found) {
        rc = series ? add_series(db, l, key, field, &e)
                    : add_list(db, l, &ref, field, &e);
        if (rc == WARP_OK)
            rc = summarise(&e, out);
        if (rc == WARP_OK && keep)
            compute_keep(db, &keys, ref.hash, version, out);
    }
    free(e.bytes);
    free(e.list);
    compute_keys_free(&keys);
    return rc;
}
