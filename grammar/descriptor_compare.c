/* Two descriptors -> their differences, each sorted into what it means for
 * data that exists: free, lazy, source-breaking, data-loss. Fields are
 * matched by name, then by `was:`; types: descriptor_compare_types.c.
 *
 * A further rule is one more line in the function of what it is about. When
 * in doubt a change is data-loss: a store that stays shut loses nothing. */
#include "descriptor_compare.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void compare_say(struct compare *c, enum descriptor_class class,
                 const char *help, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (class > c->worst)
        c->worst = class;
    c->change.class = class;
    c->change.text = text;
    c->change.help = help;
    if (c->each)
        c->each(c->arg, &c->change);
}

/* "14d", "1500ms": the largest unit that leaves no rest. */
static const char *time_text(int64_t ms, char text[32])
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{INT64_C(31536000000), "y"},
                 {86400000, "d"},
                 {3600000, "h"},
                 {60000, "m"},
                 {1000, "s"},
                 {1, "ms"}};
    if (ms == DESCRIPTOR_FOREVER)
        return "forever";
    if (ms == 0)
        return "none";
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (ms % units[i].ms == 0) {
            snprintf(text, 32, "%" PRId64 "%s", ms / units[i].ms,
                     units[i].unit);
            return text;
        }
    return text;
}

static const char *home_text(unsigned home)
{
    static const char *const names[] = {
        "?",    "memory", "memory_only",     "gpu_memory", "memory_computed",
        "ssd",  "disk",   "disk_compressed", "disk_only",  "temporal_tiering",
        "auto", "hybrid"};
    return names[home <= DESCRIPTOR_HOME_LAST ? home : 0];
}

static const char *survives_text(unsigned survives)
{
    static const char *const names[] = {"the store's option", "nothing",
                                        "process_crash", "power_loss"};
    return names[survives <= 3 ? survives : 0];
}

static bool is_durable(const struct descriptor_field *f)
{
    return f->home != DESCRIPTOR_HOME_MEMORY_ONLY &&
           !(f->flags & DESCRIPTOR_F_DERIVED) && f->survives != 1;
}

static int32_t find_field(const struct descriptor_product *product,
                          const char *name)
{
    for (uint32_t i = 0; name && i < product->field_count; i++)
        if (strcmp(product->fields[i].name, name) == 0)
            return (int32_t)i;
    return -1;
}

int32_t descriptor_match_field(const struct descriptor_product *old,
                               const struct descriptor_product *new,
                               uint32_t new_field)
{
    const struct descriptor_field *f = &new->fields[new_field];
    int32_t at = find_field(old, f->name);
    /* A name that the new schema still uses is that field's own. */
    if (at < 0 && find_field(new, f->was) < 0)
        at = find_field(old, f->was);
    return at;
}

static bool same_value(const struct descriptor_value *a,
                       const struct descriptor_value *b)
{
    if (a->kind != b->kind || a->count != b->count || a->i != b->i ||
        a->u != b->u || memcmp(&a->f, &b->f, sizeof a->f) != 0)
        return false;
    if (a->kind == DESCRIPTOR_VALUE_BYTES)
        return a->count == 0 || memcmp(a->data, b->data, a->count) == 0;
    for (uint32_t i = 0; a->kind == DESCRIPTOR_VALUE_TUPLE && i < a->count; i++)
        if (!same_value(&a->items[i], &b->items[i]))
            return false;
    return true;
}

static void compare_ttl(struct compare *c, int64_t old, int64_t new,
                        const char *what)
{
    char a[32], b[32];
    if (old == new)
        return;
    if (new == 0)
        compare_say(c, DESCRIPTOR_FREE, NULL, "%s %s removed", what,
                    time_text(old, a));
    else if (old == 0)
        compare_say(c, DESCRIPTOR_DATA_LOSS, NULL,
                    "%s %s added: what is older goes", what, time_text(new, a));
    else
        compare_say(c, new > old ? DESCRIPTOR_FREE : DESCRIPTOR_DATA_LOSS, NULL,
                    "%s %s, was %s%s", what, time_text(new, a),
                    time_text(old, b), new > old ? "" : ": what is older goes");
}

/* ---- fields ---- */

static int64_t kept_until(const struct descriptor_field *f)
{
    if (f->retention_count == 0 || !(f->flags & DESCRIPTOR_F_THEN_DELETE))
        return DESCRIPTOR_FOREVER;
    return f->retention[f->retention_count - 1].age_ms;
}

static void compare_retention(struct compare *c,
                              const struct descriptor_field *old,
                              const struct descriptor_field *new)
{
    int64_t before = kept_until(old), after = kept_until(new);
    bool same = old->retention_count == new->retention_count;
    char a[32], b[32];
    for (uint32_t i = 0; same && i < old->retention_count; i++)
        same = old->retention[i].tier == new->retention[i].tier &&
               (old->retention[i].age_ms == new->retention[i].age_ms ||
                i + 1 == old->retention_count);
    if (before != after)
        compare_say(c, after > before ? DESCRIPTOR_FREE : DESCRIPTOR_DATA_LOSS,
                    NULL, "retention ends after %s, was %s%s",
                    time_text(after, a), time_text(before, b),
                    after > before ? "" : ": what is older goes");
    if (!same)
        compare_say(c, DESCRIPTOR_LAZY, NULL,
                    "the steps of the retention changed: segments move");
}

static void compare_home(struct compare *c, const struct descriptor_field *old,
                         const struct descriptor_field *new)
{
    bool was_derived = (old->flags & DESCRIPTOR_F_DERIVED) != 0;
    bool is_derived = (new->flags &DESCRIPTOR_F_DERIVED) != 0;
    if (was_derived != is_derived) {
        if (is_derived)
            compare_say(c, DESCRIPTOR_DATA_LOSS, NULL,
                        "is derived now: the stored values go");
        else
            compare_say(c, DESCRIPTOR_FREE, NULL,
                        "is stored now, was derived: no record has it yet");
        return;
    }
    if (is_durable(old) && !is_durable(new))
        compare_say(c, DESCRIPTOR_DATA_LOSS, NULL,
                    "lives in %s and survives nothing, was durable in %s",
                    home_text(new->home), home_text(old->home));
    else if (old->home != new->home)
        compare_say(c, DESCRIPTOR_LAZY, NULL, "lives in %s, was %s",
                    home_text(new->home), home_text(old->home));
    else if (old->survives != new->survives)
        compare_say(c, DESCRIPTOR_FREE, NULL, "survives %s, was %s",
                    survives_text(new->survives), survives_text(old->survives));
    if (old->copies != new->copies)
        compare_say(c, DESCRIPTOR_LAZY, NULL, "its further copies changed");
    if (old->compression != new->compression)
        compare_say(c, DESCRIPTOR_LAZY, NULL, "its compression changed");
    if ((old->flags ^ new->flags) & DESCRIPTOR_F_COLUMN)
        compare_say(c, DESCRIPTOR_LAZY, NULL, "%s a column",
                    new->flags &DESCRIPTOR_F_COLUMN ? "is now"
                                                    : "is no longer");
}

static void compare_series(struct compare *c,
                           const struct descriptor_field *old,
                           const struct descriptor_field *new)
{
    const char *before = NULL, *after = NULL;
    if (old->by != DESCRIPTOR_NO_MEMBER)
        before = old->type->members[old->by].name;
    if (new->by != DESCRIPTOR_NO_MEMBER) {
        after = new->type->members[new->by].name;
        if (before && strcmp(before, after) != 0 &&
            new->type->members[new->by].was &&strcmp(
                new->type->members[new->by].was, before) == 0)
            after = before;
    }
    if ((before == NULL) != (after == NULL) ||
        (before && strcmp(before, after) != 0))
        compare_say(c, DESCRIPTOR_DATA_LOSS, NULL,
                    "the time of its elements is %s, was %s",
                    after ? after : "given by the call",
                    before ? before : "given by the call");
    compare_retention(c, old, new);
}

static void compare_index(struct compare *c, const struct descriptor_field *old,
                          const struct descriptor_field *new)
{
    uint32_t gone = old->flags & ~new->flags, come = new->flags & ~old->flags;
    if (come & DESCRIPTOR_F_UNIQUE)
        compare_say(c, DESCRIPTOR_LAZY,
                    "the store refuses to open while two records hold the "
                    "same value",
                    "is unique now: its index is built");
    else if (come & DESCRIPTOR_F_INDEX)
        compare_say(c, DESCRIPTOR_LAZY, NULL, "its index is built");
    if (gone & DESCRIPTOR_F_INDEX)
        compare_say(c, DESCRIPTOR_SOURCE_BREAKING, NULL,
                    "has no index now: the _by_ calls go");
    else if (gone & DESCRIPTOR_F_UNIQUE)
        compare_say(c, DESCRIPTOR_SOURCE_BREAKING, NULL,
                    "is no longer unique: the _get_by_ call goes");
}

static void compare_hints(struct compare *c, const struct descriptor_field *old,
                          const struct descriptor_field *new)
{
    if (old->priority != new->priority || old->physics != new->physics ||
        old->access != new->access || old->prefer != new->prefer)
        compare_say(c, DESCRIPTOR_FREE, NULL,
                    "its priority or hints to the engine changed");
    if (!same_value(&old->value, &new->value))
        compare_say(c, DESCRIPTOR_FREE, NULL,
                    "its default changed: records that lack it read the new");
    if ((old->flags ^ new->flags) & DESCRIPTOR_F_DEPRECATED)
        compare_say(c, DESCRIPTOR_FREE, NULL, "%s deprecated",
                    new->flags &DESCRIPTOR_F_DEPRECATED ? "is now"
                                                        : "is no longer");
    if (old->inputs != new->inputs &&
        old->flags &new->flags &DESCRIPTOR_F_DERIVED)
        compare_say(c, DESCRIPTOR_FREE, NULL,
                    "is derived from other fields: it is computed again");
}

static void compare_field(struct compare *c, const struct descriptor_field *old,
                          const struct descriptor_field *new)
{
    uint32_t kinds = DESCRIPTOR_F_SERIES;
    bool stored = !(old->flags & new->flags &DESCRIPTOR_F_DERIVED);
    if (strcmp(old->name, new->name) != 0)
        compare_say(c, DESCRIPTOR_SOURCE_BREAKING, NULL,
                    "is called %s now: the data is kept", new->name);
    if ((old->flags ^ new->flags) & kinds) {
        compare_say(c, DESCRIPTOR_DATA_LOSS, NULL, "%s a series",
                    new->flags &DESCRIPTOR_F_SERIES ? "is now"
                                                    : "is no longer");
        return;
    }
    if (stored)
        compare_types(c, old->type, new->type);
    else if (old->type->fingerprint != new->type->fingerprint)
        compare_say(c, DESCRIPTOR_SOURCE_BREAKING, NULL, "type %s, was %s",
                    new->type->name, old->type->name);
    compare_home(c, old, new);
    compare_ttl(c, old->ttl_ms, new->ttl_ms, "ttl");
    if (new->flags & DESCRIPTOR_F_SERIES)
        compare_series(c, old, new);
    compare_index(c, old, new);
    compare_hints(c, old, new);
}

/* ---- products ---- */

/* A field that came in the same step and could be the removed one renamed. */
static const char *likely_rename(const struct descriptor_product *old,
                                 const struct descriptor_product *new,
                                 const struct descriptor_field *removed)
{
    for (uint32_t i = 0; i < new->field_count; i++) {
        const struct descriptor_field *f = &new->fields[i];
        if (descriptor_match_field(old, new, i) < 0 &&
            f->type->fingerprint == removed->type->fingerprint &&
            !(f->flags & DESCRIPTOR_F_DERIVED))
            return f->name;
    }
    return NULL;
}

static void compare_removed(struct compare *c,
                            const struct descriptor_product *old,
                            const struct descriptor_product *new)
{
    uint64_t matched = 0;
    for (uint32_t i = 0; i < new->field_count; i++) {
        int32_t at = descriptor_match_field(old, new, i);
        if (at >= 0)
            matched |= UINT64_C(1) << at;
    }
    c->change.new_field = -1;
    for (uint32_t i = 0; i < old->field_count; i++) {
        const struct descriptor_field *f = &old->fields[i];
        const char *other;
        char help[160];
        if (matched >> i & 1)
            continue;
        c->change.field = f->name;
        c->change.old_field = (int32_t)i;
        if (f->flags & DESCRIPTOR_F_DERIVED) {
            compare_say(c, DESCRIPTOR_SOURCE_BREAKING, NULL,
                        "removed; it was derived, nothing is lost");
            continue;
        }
        other = likely_rename(old, new, f);
        if (other)
            snprintf(help, sizeof help, "renamed? add `was: :%.50s` to %.50s",
                     f->name, other);
        compare_say(c, DESCRIPTOR_DATA_LOSS, other ? help : NULL, "removed");
    }
}

static void compare_keys(struct compare *c,
                         const struct descriptor_product *old,
                         const struct descriptor_product *new)
{
    bool same = old->key_count == new->key_count;
    for (uint32_t i = 0; same && i < new->key_count; i++) {
        const struct descriptor_field *f = &new->fields[new->key_fields[i]];
        int32_t at = descriptor_match_field(old, new, new->key_fields[i]);
        same = at == old->key_fields[i] &&
               old->fields[at].type->fingerprint == f->type->fingerprint;
    }
    if (!same)
        compare_say(c, DESCRIPTOR_DATA_LOSS,
                    "a product with another key is another product: give it "
                    "a new name and copy the records",
                    "the key changed: no record is found under the new one");
}

static bool same_strategy(const struct descriptor_strategy *a,
                          const struct descriptor_strategy *b)
{
    const char *x = a && a->memory_pool ? a->memory_pool : "";
    const char *y = b && b->memory_pool ? b->memory_pool : "";
    const char *v = a && a->gpu_memory_pool ? a->gpu_memory_pool : "";
    const char *w = b && b->gpu_memory_pool ? b->gpu_memory_pool : "";
    if (a == NULL || b == NULL)
        return a == b;
    return strcmp(a->name, b->name) == 0 && strcmp(x, y) == 0 &&
           strcmp(v, w) == 0 && a->memory_pool_bytes == b->memory_pool_bytes &&
           a->gpu_memory_pool_bytes == b->gpu_memory_pool_bytes &&
           a->max_memory_per_instance_bytes ==
               b->max_memory_per_instance_bytes &&
           a->gpu_batch_count == b->gpu_batch_count &&
           a->compression_threshold_bytes == b->compression_threshold_bytes &&
           a->async_write_buffer_count == b->async_write_buffer_count &&
           a->access_pattern_learning == b->access_pattern_learning &&
           a->auto_migration == b->auto_migration &&
           a->hot_to_warm_count == b->hot_to_warm_count &&
           a->warm_to_cold_count == b->warm_to_cold_count &&
           a->hot_to_warm_window_ms == b->hot_to_warm_window_ms &&
           a->warm_to_cold_window_ms == b->warm_to_cold_window_ms &&
           a->cold_to_archive_age_ms == b->cold_to_archive_age_ms;
}

static void compare_product(struct compare *c,
                            const struct descriptor_product *old,
                            const struct descriptor_product *new)
{
    compare_keys(c, old, new);
    compare_ttl(c, old->ttl_ms, new->ttl_ms, "ttl of the record");
    if (old->priority != new->priority || old->access != new->access ||
        old->max_memory_bytes != new->max_memory_bytes ||
        !same_strategy(old->strategy, new->strategy))
        compare_say(c, DESCRIPTOR_FREE, NULL,
                    "its strategy, priority or limits changed");
    for (uint32_t i = 0; i < new->field_count; i++) {
        int32_t at = descriptor_match_field(old, new, i);
        c->change.field = at < 0 ? new->fields[i].name : old->fields[at].name;
        c->change.old_field = at;
        c->change.new_field = (int32_t)i;
        if (at < 0)
            compare_say(c, DESCRIPTOR_FREE, NULL, "added");
        else
            compare_field(c, &old->fields[at], &new->fields[i]);
    }
    compare_removed(c, old, new);
    c->change.field = NULL;
    c->change.old_field = c->change.new_field = -1;
}

static int32_t find_product(const struct descriptor *in, const char *name,
                            uint32_t guess)
{
    if (guess < in->product_count &&
        strcmp(in->products[guess].name, name) == 0)
        return (int32_t)guess;
    for (uint32_t i = 0; i < in->product_count; i++)
        if (strcmp(in->products[i].name, name) == 0)
            return (int32_t)i;
    return -1;
}

enum descriptor_class descriptor_compare(
    const struct descriptor *old, const struct descriptor *new,
    void (*each)(void *arg, const struct descriptor_change *change), void *arg)
{
    struct compare c = {each,
                        arg,
                        DESCRIPTOR_FREE,
                        COMPARE_STEPS_MAX,
                        {.old_field = -1, .new_field = -1}};
    for (uint32_t i = 0; i < new->product_count; i++) {
        const struct descriptor_product *p = &new->products[i];
        int32_t at = find_product(old, p->name, i);
        c.change.product = p->name;
        c.change.old_product = at;
        c.change.new_product = (int32_t)i;
        if (at < 0)
            compare_say(&c, DESCRIPTOR_FREE, NULL, "added");
        else
            compare_product(&c, &old->products[at], p);
    }
    c.change.new_product = -1;
    for (uint32_t i = 0; i < old->product_count; i++) {
        if (find_product(new, old->products[i].name, i) >= 0)
            continue;
        c.change.product = old->products[i].name;
        c.change.old_product = (int32_t)i;
        compare_say(&c, DESCRIPTOR_DATA_LOSS, NULL,
                    "the product is removed with all its records");
    }
    return c.worst;
}

/* ---- the first difference ---- */

struct first {
    char *text;
    size_t room;
    bool found;
};

static void keep_first(void *arg, const struct descriptor_change *change)
{
    struct first *first = arg;
    if (first->found)
        return;
    first->found = true;
    snprintf(first->text, first->room, "%s%s%s: %s", change->product,
             change->field ? "." : "", change->field ? change->field : "",
             change->text);
}

bool descriptor_first_difference(const struct descriptor *old,
                                 const struct descriptor *new, char *text,
                                 size_t text_bytes)
{
    struct first first = {text, text_bytes, false};
    if (text_bytes)
        text[0] = '\0';
    if (old->fingerprint == new->fingerprint)
        return false;
    descriptor_compare(old, new, keep_first, &first);
    if (!first.found)
        snprintf(text, text_bytes, "%s: the order of its fields or products",
                 new->product_count ? new->products[0].name : new->name);
    return true;
}
