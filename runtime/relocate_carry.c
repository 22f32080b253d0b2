/* relocate_carry.c: see relocate_carry.h. */
#include "relocate_carry.h"

#include "apply.h"
#include "cold.h"
#include "error.h"
#include "wire.h"

void carry_init(struct carry *c, const struct layout *l)
{
    memset(c, 0, sizeof *c);
    op_init(&c->op, l, OP_UPDATE, NULL, 0);
}

void carry_fini(struct carry *c)
{
    op_fini(&c->op);
}

bool carry_is_current(struct carry *c, const struct layout *l,
                      const struct record *r)
{
    uint64_t mask = record_have(r) & l->cold, version = record_version(r);
    if (c->known && c->mask == mask && c->version == version)
        return true;
    c->known = true;
    c->mask = mask;
    c->version = version;
    c->op.set = 0;
    if (mask == 0)
        return true;
    memset(c->places, 0, sizeof c->places);
    FOR_BITS(i, mask)
        if (l->fields[i].place != UINT32_MAX)
            disk_place_decode(r->row + l->fields[i].place, &c->places[i]);
    return false;
}

struct fetch {
    struct op *op;
    bool sized, too_long;
};

static void *room_of(void *arg, size_t bytes)
{
    struct fetch *f = arg;
    size_t head = f->sized ? 4 : 0;
    f->too_long = bytes > CARRY_BYTES_MAX - f->op->bytes;
    if (f->too_long || op_room(f->op, bytes + head) != WARP_OK)
        return NULL;
    uint8_t *at = f->op->body + f->op->bytes;
    if (f->sized)
        at = wire_put32(at, (uint32_t)bytes);
    f->op->bytes += (uint32_t)(bytes + head);
    return at;
}

static int begin(struct op *op, const struct layout *l,
                 const struct key_ref *key)
{
    op->bytes = 0;
    int rc = op_room(op, OP_HEADER_BYTES + key->count + 8);
    if (rc != WARP_OK)
        return rc;
    memset(op->body, 0, OP_HEADER_BYTES);
    op->body[0] = OP_UPDATE;
    op->body[1] = OP_SET | OP_CARRIED;
    wire_put16(op->body + 2, l->number);
    wire_put16(op->body + 4, (uint16_t)key->count);
    memcpy(op->body + OP_HEADER_BYTES, key->bytes, key->count);
    op->set = 0;
    op->bytes = OP_HEADER_BYTES + key->count + 8;
    return WARP_OK;
}

int carry_fetch(struct warp_db *db, const struct layout *l,
                const struct key_ref *key, struct carry *c)
{
    int rc = begin(&c->op, l, key);
    FOR_BITS(i, c->mask)
    {
        struct fetch f = {&c->op, l->fields[i].form == SLOT_VAR, false};
        uint32_t before = c->op.bytes;
        if (rc == WARP_OK)
            rc = cold_fetch(db, l, key, (uint32_t)i, &c->places[i], room_of,
                            &f);
        if (rc == WARP_OK) {
            c->op.set |= UINT64_C(1) << i;
        } else if (f.too_long || rc == WARP_ECORRUPT) {
            c->op.bytes = before; /* stays where it is, whatever that is */
            rc = WARP_OK;
        }
    }
    if (rc == WARP_ENOTFOUND || rc == WARP_TIMEOUT) {
        c->known = false;
        return error_set(WARP_EBUSY, "%s: a value is about to change its place",
                         l->desc->name);
    }
    if (rc == WARP_OK)
        wire_put64(c->op.body + OP_HEADER_BYTES + key->count, c->op.set);
    return rc;
}

int carry_append(const struct carry *c, struct op *arrive)
{
    int rc = c->op.set ? op_room(arrive, c->op.bytes) : WARP_OK;
    if (rc != WARP_OK || !c->op.set)
        return rc;
    memcpy(arrive->body + arrive->bytes, c->op.body, c->op.bytes);
    arrive->logged_bytes = arrive->bytes + c->op.bytes;
    /* With all of them it needs no tier. */
    if (c->op.set == c->mask)
        arrive->body[1] |= OP_CARRIED;
    return WARP_OK;
}

/* The places are of the tiers as they were: they may name nothing now. What
 * they name counts as live until the next open. */
static void forget_places(const struct layout *l, struct record *r,
                          uint64_t mask)
{
    static const uint8_t none[DISK_PLACE_BYTES];
    FOR_BITS(i, mask & layout_placed(l))
        record_copy_in(r->row + l->fields[i].place, none, sizeof none);
}

int carry_replay(struct shard *s, struct op *op, struct record *r,
                 uint64_t seq, uint32_t ordinal)
{
    const struct layout *l = op->layout;
    struct plan plan;
    /* Of one that came from the directory the tiers have the values. */
    if (!r || (record_have(r) & (R_DELETED | R_DIRTY)) != R_DIRTY ||
        record_version(r) != seq)
        return WARP_OK;
    plan_init(&plan);
    plan.record = r;
    plan.replay = plan.existed = plan.exists = true;
    uint64_t origin = l->origin != UINT32_MAX ? row_load(r, l->origin) : 0;
    int rc = apply_prepare(s, op, &plan);
    if (rc != WARP_OK) {
        apply_cancel(s, op, &plan);
        return rc;
    }
    apply_change(s, op, &plan, seq, ordinal);
    apply_finish(s, op, r, seq);
    record_begin(r);
    forget_places(l, r, op->set);
    if (l->origin != UINT32_MAX) /* it is no write of the record */
        row_store(r, l->origin, origin);
    record_end(r, seq);
    return WARP_OK;
}
