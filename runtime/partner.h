/* partner.h: the records that belong with one: those that hold the same value
 * of the product's :quantum_entanglement_group, and those that are used with
 * it (coaccess.h), all of the same product.
 *
 * Weights: bonds are a Hermitian matrix H, h_ij = sqrt(q_i q_j) (1 if declared
 * + what was learned), q the :quantum_entanglement_potential of a record (1
 * where there is none). A state that begins at the record evolves by exp(-iHt)
 * for t = 1/|H|; a partner's weight is its share of |psi|^2 outside the record.
 * So partners that are bound among each other gain. */
#ifndef WARP_PARTNER_H
#define WARP_PARTNER_H

#include "codec.h"
#include "db.h"

/* Of a group with potentials so many are compared in a call that tells the
 * strongest; elsewhere the first ones in the order of keys do. */
enum { PARTNER_MAX = 32, PARTNER_COMPARED = 256 };

struct partner {
    struct warp_bond bond;
    double potential;
    uint64_t hash;
    uint32_t key_bytes;
    uint8_t key[KEY_BYTES_MAX];
};

struct partner_set {
    uint32_t count;
    struct partner list[PARTNER_MAX]; /* strongest first */
};

/* Of a record that exists: its partners that exist. A row that left memory is
 * brought back to be looked at. may: asked before a candidate is, which is left
 * out where it says no; NULL: all are. most: that are looked at. */
int partner_find(struct warp_db *db, const struct layout *l,
                 const struct key_ref *key,
                 bool (*may)(void *arg, const struct key_ref *candidate),
                 void *arg, uint32_t most, struct partner_set *set);

static inline struct key_ref partner_key(const struct layout *l,
                                         const struct partner *p)
{
    struct key_ref ref = {p->key, p->key_bytes, l, p->hash};
    return ref;
}

#endif
