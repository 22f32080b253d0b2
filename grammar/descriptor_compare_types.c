/* Two types of one field -> what the difference means for values that are
 * stored. A value that every reader of the new type can still hold is kept
 * (lazy: rewritten when it is next written or moved); anything else is
 * data-loss. Structs are matched member by member, by name and `was:`. */
#include "descriptor_compare.h"

#include <stdio.h>
#include <string.h>

/* Where in the field's type: "pos.x", "[element]". */
struct path {
    char text[128];
};

static void walk(struct compare *c, const struct descriptor_type *old,
                 const struct descriptor_type *new, const struct path *path);

static struct path path_add(const struct path *path, const char *name)
{
    struct path longer;
    snprintf(longer.text, sizeof longer.text, "%.60s%s%.60s", path->text,
             path->text[0] ? "." : "", name);
    return longer;
}

#define AT(path)                                                               \
    (path)->text[0] ? (path)->text : "type", (path)->text[0] ? " is" : ""

static bool is_unsigned(unsigned kind)
{
    return kind >= DESCRIPTOR_U8 && kind <= DESCRIPTOR_U64;
}

static bool is_signed(unsigned kind)
{
    return kind >= DESCRIPTOR_I8 && kind <= DESCRIPTOR_I64;
}

static bool is_64_bits(unsigned kind)
{
    return kind == DESCRIPTOR_I64 || kind == DESCRIPTOR_TIMESTAMP ||
           kind == DESCRIPTOR_DURATION;
}

/* Does every value of the old scalar fit the new one? */
static bool widens(unsigned old, unsigned new)
{
    if (is_unsigned(old) && is_unsigned(new))
        return new > old;
    if (is_signed(old) && is_signed(new))
        return new > old;
    if (is_unsigned(old) && is_signed(new))
        return new - DESCRIPTOR_I8 > old - DESCRIPTOR_U8;
    if (old == DESCRIPTOR_F32 && new == DESCRIPTOR_F64)
        return true;
    return is_64_bits(old) && is_64_bits(new);
}

static void say_other(struct compare *c, const struct descriptor_type *old,
                      const struct descriptor_type *new,
                      const struct path *path)
{
    compare_say(c, DESCRIPTOR_DATA_LOSS, NULL, "%s%s %.100s, was %.100s",
                AT(path), new->name, old->name);
}

/* A maximum, 0 for none, that became smaller. */
static bool narrows(uint32_t old, uint32_t new)
{
    return new != 0 && (old == 0 || new < old);
}

static void walk_limit(struct compare *c, const struct descriptor_type *old,
                       const struct descriptor_type *new,
                       const struct path *path)
{
    if (narrows(old->count, new->count))
        say_other(c, old, new, path);
    else if (old->count != new->count)
        compare_say(c, DESCRIPTOR_FREE, NULL, "%s%s %.100s, was %.100s",
                    AT(path), new->name, old->name);
}

static const struct descriptor_enumerator *
find_value(const struct descriptor_type *type, const char *name, int64_t value)
{
    for (uint32_t i = 0; i < type->count; i++)
        if (name ? strcmp(type->values[i].name, name) == 0
                 : type->values[i].value == value)
            return &type->values[i];
    return NULL;
}

static void walk_enum(struct compare *c, const struct descriptor_type *old,
                      const struct descriptor_type *new)
{
    for (uint32_t i = 0; i < old->count; i++) {
        const char *name = old->values[i].name;
        int64_t value = old->values[i].value;
        const struct descriptor_enumerator *same = find_value(new, name, 0),
                                           *other =
                                               find_value(new, NULL, value);
        if (same && same->value == value)
            continue;
        if (same)
            compare_say(c, DESCRIPTOR_DATA_LOSS, NULL,
                        "%s.%s is %lld, was %lld", new->name, name,
                        (long long)same->value, (long long)value);
        else if (other && find_value(old, other->name, 0) == NULL)
            compare_say(c, DESCRIPTOR_SOURCE_BREAKING, NULL,
                        "%s.%s is called %s now", new->name, name, other->name);
        else
            compare_say(c, DESCRIPTOR_DATA_LOSS, NULL, "%s.%s is removed",
                        new->name, name);
    }
    for (uint32_t i = 0; i < new->count; i++)
        if (!find_value(old, new->values[i].name, 0) &&
            !find_value(old, NULL, new->values[i].value))
            compare_say(c, DESCRIPTOR_FREE, NULL, "%s.%s is added", new->name,
                        new->values[i].name);
    if (new->width != old->width || new->is_signed != old->is_signed)
        compare_say(c, DESCRIPTOR_LAZY, NULL,
                    "%s takes %d byte%s in the store, was %d", new->name,
                    new->width, new->width == 1 ? "" : "s", old->width);
}

static int64_t find_member(const struct descriptor_type *type, const char *name)
{
    for (uint32_t i = 0; name && i < type->count; i++)
        if (strcmp(type->members[i].name, name) == 0)
            return i;
    return -1;
}

static int64_t match_member(const struct descriptor_type *old,
                            const struct descriptor_type *new, uint32_t at)
{
    int64_t found = find_member(old, new->members[at].name);
    if (found < 0 && find_member(new, new->members[at].was) < 0)
        found = find_member(old, new->members[at].was);
    return found;
}

/* A member that came in the same step and could be this one renamed. */
static const char *likely_rename(const struct descriptor_type *old,
                                 const struct descriptor_type *new,
                                 const struct descriptor_member *removed)
{
    for (uint32_t i = 0; new->kind == DESCRIPTOR_STRUCT && i < new->count;
         i++) {
        const struct descriptor_member *m = &new->members[i];
        if (match_member(old, new, i) < 0 && m->type && removed->type &&
            m->type->fingerprint == removed->type->fingerprint)
            return m->name;
    }
    return NULL;
}

static void walk_members(struct compare *c, const struct descriptor_type *old,
                         const struct descriptor_type *new,
                         const struct path *path)
{
    bool sum = new->kind == DESCRIPTOR_SUM, moved = false;
    for (uint32_t i = 0; i < new->count; i++) {
        const struct descriptor_member *n = &new->members[i], *o;
        int64_t at = match_member(old, new, i);
        struct path deeper = path_add(path, n->name);
        if (at < 0) {
            compare_say(c, sum ? DESCRIPTOR_FREE : DESCRIPTOR_LAZY, NULL,
                        "%s is added to %s", n->name, new->name);
            continue;
        }
        o = &old->members[at];
        moved = moved || at != i;
        if (strcmp(o->name, n->name) != 0)
            compare_say(c, DESCRIPTOR_SOURCE_BREAKING, NULL,
                        "%s.%s is called %s now: the data is kept", new->name,
                        o->name, n->name);
        if (o->optional && !n->optional)
            compare_say(c, DESCRIPTOR_DATA_LOSS, NULL,
                        "%s.%s is no longer optional", new->name, n->name);
        else if (o->optional != n->optional)
            compare_say(c, DESCRIPTOR_LAZY, NULL, "%s.%s is optional now",
                        new->name, n->name);
        if (o->type && n->type)
            walk(c, o->type, n->type, &deeper);
        else if (o->type != n->type)
            compare_say(c, n->type ? DESCRIPTOR_LAZY : DESCRIPTOR_DATA_LOSS,
                        NULL, "%s.%s %s members now", new->name, n->name,
                        n->type ? "has" : "has no");
    }
    for (uint32_t i = 0; i < old->count; i++) {
        bool kept = false;
        char help[160];
        for (uint32_t j = 0; !kept && j < new->count; j++)
            kept = match_member(old, new, j) == i;
        if (kept)
            continue;
        const char *other = likely_rename(old, new, &old->members[i]);
        if (other)
            snprintf(help, sizeof help, "renamed? add `was: :%.50s` to %.50s",
                     old->members[i].name, other);
        compare_say(c, DESCRIPTOR_DATA_LOSS, other ? help : NULL,
                    "%s.%s is removed", new->name, old->members[i].name);
    }
    if (moved)
        compare_say(c, DESCRIPTOR_LAZY, NULL,
                    "the order of the parts of %s changed", new->name);
}

static void walk(struct compare *c, const struct descriptor_type *old,
                 const struct descriptor_type *new, const struct path *path)
{
    struct path deeper;
    if (old->fingerprint == new->fingerprint)
        return;
    if (c->steps == 0 || --c->steps == 0) {
        compare_say(c, DESCRIPTOR_DATA_LOSS, NULL, "its type is too large");
        return;
    }
    if (old->kind != new->kind) {
        bool bytes =
            old->kind == DESCRIPTOR_STRING &&
            (new->kind == DESCRIPTOR_BYTES || new->kind == DESCRIPTOR_OPAQUE) &&
            !narrows(old->count, new->count);
        bool raw =
            old->kind + new->kind == DESCRIPTOR_BYTES + DESCRIPTOR_OPAQUE &&
            !narrows(old->count, new->count);
        if (widens(old->kind, new->kind) || bytes || raw)
            compare_say(c, DESCRIPTOR_LAZY, NULL, "%s%s %s, was %s", AT(path),
                        new->name, old->name);
        else
            say_other(c, old, new, path);
        return;
    }
    deeper = path_add(path, "element");
    switch (new->kind) {
    case DESCRIPTOR_STRING:
    case DESCRIPTOR_BYTES:
    case DESCRIPTOR_OPAQUE:
        walk_limit(c, old, new, path);
        break;
    case DESCRIPTOR_LIST:
    case DESCRIPTOR_MAP:
        walk_limit(c, old, new, path);
        walk(c, old->elem, new->elem, &deeper);
        break;
    case DESCRIPTOR_ARRAY:
        if (old->count != new->count)
            say_other(c, old, new, path);
        else
            walk(c, old->elem, new->elem, &deeper);
        break;
    case DESCRIPTOR_ENUM:
        walk_enum(c, old, new);
        break;
    case DESCRIPTOR_STRUCT:
    case DESCRIPTOR_SUM:
        walk_members(c, old, new, path);
        break;
    default: /* fixed bytes */
        say_other(c, old, new, path);
        break;
    }
}

void compare_types(struct compare *c, const struct descriptor_type *old,
                   const struct descriptor_type *new)
{
    struct path start = {""};
    if (old->kind == new->kind &&new->kind >= DESCRIPTOR_STRUCT &&
        strcmp(old->name, new->name) != 0)
        compare_say(c, DESCRIPTOR_SOURCE_BREAKING, NULL,
                    "its type is called %s, was %s", new->name, old->name);
    walk(c, old, new, &start);
}
