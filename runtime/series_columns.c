/* series_columns.c: see series_columns.h. */
#include "series_columns.h"

#include "wire.h"

#include <stdlib.h>

enum { NODES_MAX = 512, LIST_MAX = 1 << 28 };

/* ---- columns ---- */

bool column_numbers(struct column *c, uint64_t count)
{
    if (count <= c->room)
        return true;
    if (count > LIST_MAX)
        return false;
    uint32_t room = (uint32_t)count * 2 + 64;
    int64_t *grown = realloc(c->v, room * sizeof *grown);
    if (!grown)
        return false;
    c->v = grown;
    c->room = room;
    return true;
}

bool column_bytes(struct column *c, uint64_t count)
{
    if (count <= c->byte_room)
        return true;
    if (count > LIST_MAX)
        return false;
    uint32_t room = (uint32_t)count * 2 + 64;
    uint8_t *grown = realloc(c->bytes, room);
    if (!grown)
        return false;
    c->bytes = grown;
    c->byte_room = room;
    return true;
}

static int add_number(struct column *c, int64_t v)
{
    if (!column_numbers(c, (uint64_t)c->count + 1))
        return WARP_ENOMEM;
    c->v[c->count++] = v;
    return WARP_OK;
}

static int add_bytes(struct column *c, const uint8_t *bytes, size_t count)
{
    if (!column_bytes(c, (uint64_t)c->byte_count + count))
        return WARP_ENOMEM;
    if (count > 0)
        memcpy(c->bytes + c->byte_count, bytes, count);
    c->byte_count += (uint32_t)count;
    return WARP_OK;
}

static int add_text(struct column *c, const uint8_t *bytes, size_t count)
{
    int rc = add_number(c, (int64_t)count);
    return rc == WARP_OK ? add_bytes(c, bytes, count) : rc;
}

/* ---- the plan ---- */

static bool is_text(const struct warp_type *t)
{
    return t->kind == WARP_T_STRING || t->kind == WARP_T_BYTES ||
           t->kind == WARP_T_OPAQUE;
}

static int column_kind(const struct warp_type *t)
{
    switch (t->kind) {
    case WARP_T_F32:
        return COLUMN_F32;
    case WARP_T_F64:
        return COLUMN_F64;
    case WARP_T_STRING:
    case WARP_T_BYTES:
    case WARP_T_OPAQUE:
        return COLUMN_TEXT;
    case WARP_T_UUID:
    case WARP_T_FIXED_BYTES:
        return COLUMN_FIXED;
    default:
        return COLUMN_INTEGER;
    }
}

static int new_column(struct columns *c, int kind)
{
    if (c->count == c->list_room) {
        uint32_t room = c->list_room ? c->list_room * 2 : 16;
        struct column *grown = realloc(c->list, room * sizeof *grown);
        if (!grown)
            return WARP_ENOMEM;
        memset(grown + c->list_room, 0,
               (room - c->list_room) * sizeof *grown);
        c->list = grown;
        c->list_room = room;
    }
    c->list[c->count++].kind = (uint8_t)kind;
    return WARP_OK;
}

static int plan_parts(struct columns *c, const struct warp_type *t);

static int plan_node(struct columns *c, const struct warp_type *t)
{
    if (c->node_count == NODES_MAX || t->kind == WARP_T_VALUE_MAP) {
        c->too_many = true;
        return WARP_OK;
    }
    if (c->node_count == c->node_room) {
        uint32_t room = c->node_room ? c->node_room * 2 : 16;
        struct column_node *grown = realloc(c->nodes, room * sizeof *grown);
        if (!grown)
            return WARP_ENOMEM;
        c->nodes = grown;
        c->node_room = room;
    }
    uint32_t number = c->node_count++;
    c->nodes[number].type = t;
    c->nodes[number].column = c->count;
    int rc = plan_parts(c, t);
    c->nodes[number].next = c->node_count;
    return rc;
}

static int plan_members(struct columns *c, const struct warp_type *t)
{
    int rc = WARP_OK;
    for (uint32_t i = 0; i < t->count && rc == WARP_OK; i++) {
        const struct warp_member *m = &t->members[i];
        if (t->kind == WARP_T_STRUCT && m->has_offset != UINT32_MAX)
            rc = new_column(c, COLUMN_INTEGER);
        if (rc == WARP_OK && m->type)
            rc = plan_node(c, m->type);
    }
    return rc;
}

static int plan_parts(struct columns *c, const struct warp_type *t)
{
    int rc;
    switch (t->kind) {
    case WARP_T_STRUCT:
        return plan_members(c, t);
    case WARP_T_SUM:
        rc = new_column(c, COLUMN_INTEGER);
        return rc == WARP_OK ? plan_members(c, t) : rc;
    case WARP_T_LIST:
    case WARP_T_MAP:
        rc = new_column(c, COLUMN_INTEGER);
        uint32_t before = c->count;
        if (rc == WARP_OK)
            rc = plan_node(c, t->elem);
        /* How many nothings there are is told by no byte. */
        c->too_many = c->too_many || c->count == before;
        return rc;
    case WARP_T_ARRAY:
        return plan_node(c, t->elem);
    default:
        return new_column(c, column_kind(t));
    }
}

static void empty(struct columns *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        struct column *k = &c->list[i];
        k->count = k->byte_count = k->at = k->byte_at = 0;
    }
}

int columns_plan(struct columns *c, const struct warp_type *type)
{
    empty(c);
    if (!type)
        type = &warp_type_bytes;
    if (c->type == type)
        return WARP_OK;
    c->type = NULL;
    c->count = c->node_count = 0;
    c->too_many = false;
    int rc = plan_node(c, type);
    if (rc == WARP_OK && c->too_many) {
        c->count = 0;
        rc = new_column(c, COLUMN_TEXT);
    }
    if (rc == WARP_OK)
        c->type = type;
    return rc;
}

void columns_free(struct columns *c)
{
    for (uint32_t i = 0; i < c->list_room; i++) {
        free(c->list[i].v);
        free(c->list[i].bytes);
    }
    free(c->list);
    free(c->nodes);
    memset(c, 0, sizeof *c);
}

bool columns_all_used(const struct columns *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (c->list[i].at != c->list[i].count ||
            c->list[i].byte_at != c->list[i].byte_count)
            return false;
    return true;
}

/* ---- numbers on the wire ---- */

static uint32_t scalar_bytes(const struct warp_type *t)
{
    return t->kind == WARP_T_ENUM ? t->width : t->wire_bytes;
}

static bool is_signed(const struct warp_type *t)
{
    return t->kind == WARP_T_ENUM
               ? t->is_signed
               : t->kind >= WARP_T_I8 && t->kind <= WARP_T_I64;
}

static int64_t get_scalar(const struct warp_type *t, const uint8_t *at)
{
    uint64_t v = 0;
    uint32_t n = scalar_bytes(t);
    for (uint32_t i = 0; i < n; i++)
        v |= (uint64_t)at[i] << 8 * i;
    if (is_signed(t) && n < 8 && v >> (8 * n - 1) & 1)
        v |= UINT64_MAX << 8 * n;
    return (int64_t)v;
}

static uint8_t *put_scalar(const struct warp_type *t, int64_t v, uint8_t *to)
{
    uint32_t n = scalar_bytes(t);
    for (uint32_t i = 0; i < n; i++)
        *to++ = (uint8_t)((uint64_t)v >> 8 * i);
    return to;
}

/* ---- taking apart ---- */

struct split {
    struct columns *c;
    const uint8_t *at, *end;
};

static int split_node(struct split *s, uint32_t number);

static int take(struct split *s, size_t bytes, const uint8_t **from)
{
    if ((size_t)(s->end - s->at) < bytes)
        return WARP_ECORRUPT;
    *from = s->at;
    s->at += bytes;
    return WARP_OK;
}

static int split_struct(struct split *s, const struct column_node *node,
                        uint32_t number)
{
    const struct warp_type *t = node->type;
    uint32_t part = number + 1, own = node->column;
    int rc = WARP_OK;
    for (uint32_t i = 0; i < t->count && rc == WARP_OK; i++) {
        uint32_t next = s->c->nodes[part].next;
        bool there = true;
        if (t->members[i].has_offset != UINT32_MAX) {
            const uint8_t *has;
            /* The presence stands before the columns of the member. */
            own = s->c->nodes[part].column - 1;
            rc = take(s, 1, &has);
            there = rc == WARP_OK && *has;
            if (rc == WARP_OK)
                rc = *has > 1 ? WARP_ECORRUPT
                              : add_number(&s->c->list[own], there);
        }
        if (rc == WARP_OK && there)
            rc = split_node(s, part);
        part = next;
    }
    return rc;
}

static int split_sum(struct split *s, const struct column_node *node,
                     uint32_t number)
{
    const struct warp_type *t = node->type;
    const uint8_t *at;
    uint32_t part = number + 1;
    int rc = take(s, 4, &at);
    if (rc != WARP_OK)
        return rc;
    uint32_t tag = wire_get32(at);
    for (uint32_t i = 0; i < t->count; i++) {
        const struct warp_member *m = &t->members[i];
        if (m->tag == (int64_t)tag) {
            rc = add_number(&s->c->list[node->column], tag);
            return rc == WARP_OK && m->type ? split_node(s, part) : rc;
        }
        if (m->type)
            part = s->c->nodes[part].next;
    }
    return WARP_ECORRUPT;
}

static int split_many(struct split *s, const struct column_node *node,
                      uint32_t number)
{
    const struct warp_type *t = node->type;
    uint32_t count = t->count;
    int rc = WARP_OK;
    if (t->kind != WARP_T_ARRAY) {
        const uint8_t *at;
        rc = take(s, 4, &at);
        if (rc != WARP_OK)
            return rc;
        count = wire_get32(at);
        rc = add_number(&s->c->list[node->column], count);
    }
    for (uint32_t i = 0; i < count && rc == WARP_OK; i++) {
        const uint8_t *before = s->at;
        rc = split_node(s, number + 1);
        /* A count of nothings has no bound. */
        if (rc == WARP_OK && s->at == before && t->kind != WARP_T_ARRAY)
            rc = WARP_ECORRUPT;
    }
    return rc;
}

static int split_text(struct split *s, const struct column_node *node)
{
    const uint8_t *at;
    int rc = take(s, 4, &at);
    uint32_t bytes = rc == WARP_OK ? wire_get32(at) : 0;
    if (rc == WARP_OK)
        rc = take(s, bytes, &at);
    return rc == WARP_OK ? add_text(&s->c->list[node->column], at, bytes) : rc;
}

static int split_node(struct split *s, uint32_t number)
{
    const struct column_node *node = &s->c->nodes[number];
    const struct warp_type *t = node->type;
    struct column *column = &s->c->list[node->column];
    const uint8_t *at;
    int rc;
    switch (t->kind) {
    case WARP_T_STRUCT:
        return split_struct(s, node, number);
    case WARP_T_SUM:
        return split_sum(s, node, number);
    case WARP_T_ARRAY:
    case WARP_T_LIST:
    case WARP_T_MAP:
        return split_many(s, node, number);
    case WARP_T_STRING:
    case WARP_T_BYTES:
    case WARP_T_OPAQUE:
        return split_text(s, node);
    case WARP_T_UUID:
    case WARP_T_FIXED_BYTES:
        rc = take(s, t->wire_bytes, &at);
        return rc == WARP_OK ? add_bytes(column, at, t->wire_bytes) : rc;
    default:
        rc = take(s, scalar_bytes(t), &at);
        return rc == WARP_OK ? add_number(column, get_scalar(t, at)) : rc;
    }
}

int columns_split(struct columns *c, const uint8_t *from, size_t bytes)
{
    struct split s = {c, from, from + bytes};
    if (c->too_many || is_text(c->type))
        return add_text(&c->list[0], from, bytes);
    int rc = split_node(&s, 0);
    return rc == WARP_OK && s.at != s.end ? WARP_ECORRUPT : rc;
}

/* ---- putting together ---- */

struct join {
    struct columns *c;
    uint8_t *to;
    const uint8_t *end;
};

static bool join_node(struct join *j, uint32_t number);

static bool next_number(struct column *c, int64_t *v)
{
    if (c->at == c->count)
        return false;
    *v = c->v[c->at++];
    return true;
}

static bool give(struct join *j, struct column *c, uint64_t bytes)
{
    if (bytes > c->byte_count - c->byte_at ||
        bytes > (uint64_t)(j->end - j->to))
        return false;
    if (bytes > 0)
        memcpy(j->to, c->bytes + c->byte_at, bytes);
    c->byte_at += (uint32_t)bytes;
    j->to += bytes;
    return true;
}

static bool give32(struct join *j, uint64_t v)
{
    if (v > UINT32_MAX || j->end - j->to < 4)
        return false;
    j->to = wire_put32(j->to, (uint32_t)v);
    return true;
}

static bool join_struct(struct join *j, const struct column_node *node,
                        uint32_t number)
{
    const struct warp_type *t = node->type;
    uint32_t part = number + 1;
    for (uint32_t i = 0; i < t->count; i++) {
        const struct column_node *p = &j->c->nodes[part];
        int64_t there = 1;
        if (t->members[i].has_offset != UINT32_MAX) {
            if (!next_number(&j->c->list[p->column - 1], &there) ||
                (there & ~INT64_C(1)) || j->to == j->end)
                return false;
            *j->to++ = (uint8_t)there;
        }
        if (there && !join_node(j, part))
            return false;
        part = p->next;
    }
    return true;
}

static bool join_sum(struct join *j, const struct column_node *node,
                     uint32_t number)
{
    const struct warp_type *t = node->type;
    uint32_t part = number + 1;
    int64_t tag;
    if (!next_number(&j->c->list[node->column], &tag) ||
        !give32(j, (uint64_t)tag))
        return false;
    for (uint32_t i = 0; i < t->count; i++) {
        const struct warp_member *m = &t->members[i];
        if (m->tag == tag)
            return !m->type || join_node(j, part);
        if (m->type)
            part = j->c->nodes[part].next;
    }
    return false;
}

static bool join_many(struct join *j, const struct column_node *node,
                      uint32_t number)
{
    const struct warp_type *t = node->type;
    int64_t count = t->count;
    if (t->kind != WARP_T_ARRAY &&
        (!next_number(&j->c->list[node->column], &count) ||
         !give32(j, (uint64_t)count)))
        return false;
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *before = j->to;
        if (!join_node(j, number + 1) ||
            (j->to == before && t->kind != WARP_T_ARRAY))
            return false;
    }
    return true;
}

static bool join_node(struct join *j, uint32_t number)
{
    const struct column_node *node = &j->c->nodes[number];
    const struct warp_type *t = node->type;
    struct column *column = &j->c->list[node->column];
    int64_t v;
    switch (t->kind) {
    case WARP_T_STRUCT:
        return join_struct(j, node, number);
    case WARP_T_SUM:
        return join_sum(j, node, number);
    case WARP_T_ARRAY:
    case WARP_T_LIST:
    case WARP_T_MAP:
        return join_many(j, node, number);
    case WARP_T_STRING:
    case WARP_T_BYTES:
    case WARP_T_OPAQUE:
        return next_number(column, &v) && give32(j, (uint64_t)v) &&
               give(j, column, (uint64_t)v);
    case WARP_T_UUID:
    case WARP_T_FIXED_BYTES:
        return give(j, column, t->wire_bytes);
    default:
        if (!next_number(column, &v) ||
            (size_t)(j->end - j->to) < scalar_bytes(t))
            return false;
        j->to = put_scalar(t, v, j->to);
        return true;
    }
}

uint8_t *columns_join(struct columns *c, uint8_t *to, const uint8_t *end)
{
    struct join j = {c, to, end};
    int64_t bytes;
    if (!c->too_many && !is_text(c->type))
        return join_node(&j, 0) ? j.to : NULL;
    return next_number(&c->list[0], &bytes) &&
                   give(&j, &c->list[0], (uint64_t)bytes)
               ? j.to
               : NULL;
}
