/* replay.h: the log's commits to records in memory, at an open.
 *
 * P1 a change applies where the record is older; a later state of it in the
 *    directory stands, as the log leads there.
 * P2 a change that tells the whole record asks the directory for nothing: by
 *    the log's end the record is what it would be, whichever state was there.
 *    (A damaged log may end before: then the directory is asked.)
 * P3 whether the directory has such a record's key is guessed, R_IN_DIR by
 *    OP_FLOOR, and put right by the loader, or by the record's checkpoint. Only
 *    the number of records depends on it. */
#ifndef WARP_REPLAY_H
#define WARP_REPLAY_H

#include "db.h"

struct replay {
    struct warp_db *db;
    uint64_t commits[256]; /* of a shard, so far */
    bool judged[256];      /* its index was given the room for all */
    _Atomic bool strayed;  /* a record was changed away from its home */
};

/* For log_replay() and struct log_options; arg: a struct replay for the first
 * and the last, the store for replay_ahead. */
int replay_commit(void *arg, uint32_t shard, uint64_t seq,
                  const uint8_t *body, size_t bytes);
void replay_ahead(void *arg, uint32_t shard, const uint8_t *body, size_t bytes,
                  bool near);
void replay_progress(void *arg, uint32_t shard, uint64_t done, uint64_t all);
/* P3: of a record in memory whose row was found; under the shard's lock.
 * current: the row is in the directory still. */
static inline bool replay_guessed(const struct layout *l,
                                  const struct record *r)
{
    return !l->roams && !(record_have(r) & R_IN_DIR);
}
int replay_ask(struct shard *shard, const struct layout *layout,
               const struct key_ref *key, struct record *record, bool current);

#endif
