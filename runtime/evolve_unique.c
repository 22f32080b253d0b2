/* evolve_unique.c: two records with the same value of a field that is to be
 * unique. */
#include "evolve_unique.h"

#include "error.h"
#include "evolve_part.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct evolve_value {
    const uint8_t *bytes;
    uint32_t count, field;
};

int evolve_unique_add(struct evolve_unique *u, uint32_t field,
                      const void *bytes, uint32_t count)
{
    if (u->count == u->room) {
        size_t room = u->room * 2 + 1024;
        struct evolve_value *grown = realloc(u->values, room * sizeof *grown);
        if (!grown)
            return evolve_no_memory();
        u->values = grown;
        u->room = room;
    }
    uint8_t *copy = warp_arena_alloc(&u->arena, count ? count : 1);
    if (!copy)
        return evolve_no_memory();
    memcpy(copy, bytes, count);
    u->values[u->count++] = (struct evolve_value){copy, count, field};
    return WARP_OK;
}

static int by_value(const void *a, const void *b)
{
    const struct evolve_value *x = a, *y = b;
    if (x->field != y->field)
        return x->field < y->field ? -1 : 1;
    uint32_t n = x->count < y->count ? x->count : y->count;
    int order = memcmp(x->bytes, y->bytes, n);
    return order ? order : x->count < y->count ? -1 : x->count > y->count;
}

static bool printable(const struct evolve_value *h, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (h->bytes[i] < 0x20 || h->bytes[i] == 0x7f)
            return false;
    return true;
}

/* From its order-preserving bytes: text as it is, a number as one. */
static void value_text(const struct layout *l, const struct evolve_value *h,
                       char *to, size_t bytes)
{
    const struct warp_type *t = l->desc->fields[h->field].type;
    uint64_t number = 0;
    size_t used = 0;
    for (uint32_t i = 0; i < h->count && i < 8; i++)
        number = number << 8 | h->bytes[i];
    if (t->kind >= WARP_T_U8 && t->kind <= WARP_T_U64) {
        snprintf(to, bytes, "%" PRIu64, number);
    } else if ((t->kind >= WARP_T_I8 && t->kind <= WARP_T_I64) ||
               t->kind == WARP_T_TIMESTAMP || t->kind == WARP_T_DURATION) {
        number -= UINT64_C(1) << (8 * (h->count < 8 ? h->count : 8) - 1);
        snprintf(to, bytes, "%" PRId64, (int64_t)number);
    } else if (t->kind == WARP_T_STRING && h->count >= 2 &&
               printable(h, h->count - 2)) {
        snprintf(to, bytes, "\"%.*s\"", (int)h->count - 2,
                 (const char *)h->bytes);
    } else {
        for (uint32_t i = 0; i < h->count && used + 3 < bytes; i++)
            used += (size_t)snprintf(to + used, bytes - used, "%02x",
                                     h->bytes[i]);
    }
}

int evolve_unique_check(struct evolve_unique *u, const struct layout *l)
{
    if (u->count > 1)
        qsort(u->values, u->count, sizeof *u->values, by_value);
    for (size_t i = 1; i < u->count; i++) {
        const struct evolve_value *v = &u->values[i];
        char text[200] = "";
        if (by_value(v - 1, v) != 0)
            continue;
        value_text(l, v, text, sizeof text);
        return error_set(WARP_EEXIST, "%s.%s is to be unique, and two records "
                                      "hold %s: change one with the schema "
                                      "that wrote them",
                         l->desc->name, l->desc->fields[v->field].name, text);
    }
    return WARP_OK;
}

void evolve_unique_free(struct evolve_unique *u)
{
    warp_arena_free(&u->arena);
    free(u->values);
    memset(u, 0, sizeof *u);
}
