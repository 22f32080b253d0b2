/* series_expire.c: elements past their retention leave the ssd tier.
 *
 * A walk over a field's records looks at the oldest elements of each and skips
 * the rest. It goes on where the call before ended, and begins anew only when
 * the oldest element that the last walk left is past its age by 1/64 of it (an
 * hour at most): reads hide exactly, only the room comes back later. */
#include "series_part.h"

#include "error.h"

#include <stdlib.h>
#include <string.h>

enum { VISITS_MAX = 8192, SKIP_AFTER = 8 };
enum { GO_ON, SKIP }; /* results of look_at, beside errors */
static const int64_t late_max_ms = 3600 * 1000;

static struct series_age *age_of(struct series *s, const uint8_t *head)
{
    for (uint32_t i = 0; i < s->age_count; i++)
        if (memcmp(s->ages[i].head, head, SERIES_HEAD_BYTES) == 0)
            return &s->ages[i];
    struct series_age *grown =
        realloc(s->ages, (s->age_count + 1) * sizeof *grown);
    if (!grown) {
        error_set(WARP_ENOMEM, "out of memory for a checkpoint");
        return NULL;
    }
    s->ages = grown;
    grown = &s->ages[s->age_count++];
    memset(grown, 0, sizeof *grown);
    memcpy(grown->head, head, SERIES_HEAD_BYTES);
    grown->oldest = INT64_MIN;
    grown->oldest_now = INT64_MAX;
    return grown;
}

int series_note_age(struct series *s, const uint8_t *head, int64_t at_ms)
{
    struct series_age *a = age_of(s, head);
    if (!a)
        return WARP_ENOMEM;
    if (at_ms < a->oldest)
        a->oldest = at_ms;
    if (at_ms < a->oldest_now)
        a->oldest_now = at_ms;
    return WARP_OK;
}

void series_new_ages(struct series *s)
{
    for (uint32_t i = 0; i < s->age_count; i++)
        s->ages[i].oldest_now = INT64_MAX;
}

void series_forget_ages(struct series *s)
{
    for (uint32_t i = 0; i < s->age_count; i++) {
        s->ages[i].oldest = INT64_MIN;
        s->ages[i].walking = false;
    }
}

struct walk {
    struct series *series;
    struct ssd_txn *txn;
    struct series_age *age;
    struct ssd_cursor *cursor;
    int64_t alive; /* older elements go */
    uint32_t limit, removed, visits;
    uint32_t live; /* elements seen of this record that stay */
    uint32_t first_bytes, last_bytes;
    uint8_t first[SSD_KEY_BYTES_MAX]; /* of the run that goes; 0: none */
    uint8_t last[SSD_KEY_BYTES_MAX];  /* the element seen last */
};

static int reopen(struct walk *w)
{
    uint8_t end[SERIES_HEAD_BYTES];
    struct ssd_slice from = {w->age->at, w->age->at_bytes};
    struct ssd_slice to = {end, sizeof end};
    memcpy(end, w->age->head, sizeof end);
    end[2]++; /* there are no 255 fields */
    ssd_cursor_close(&w->cursor);
    return ssd_cursor_open(w->series->ssd, SSD_SERIES, from, to, false,
                           &w->cursor);
}

/* Behind the element seen last. */
static int remove_run(struct walk *w)
{
    struct ssd_slice from = {w->first, w->first_bytes};
    struct ssd_slice to = {w->last, w->last_bytes + 1};
    if (w->first_bytes == 0)
        return WARP_OK;
    w->last[w->last_bytes] = 0;
    w->first_bytes = 0;
    return ssd_del_range(w->txn, SSD_SERIES, from, to);
}

static bool same_record(const struct walk *w, struct ssd_slice key)
{
    return key.bytes == w->last_bytes &&
           memcmp(key.data, w->last, key.bytes - SERIES_ELEMENT_KEY) == 0;
}

/* SKIP: the rest of this record is of no interest. */
static int look_at(struct walk *w, struct ssd_slice key)
{
    if (key.bytes < SERIES_HEAD_BYTES + SERIES_ELEMENT_KEY ||
        key.bytes >= SSD_KEY_BYTES_MAX)
        return error_set(WARP_ECORRUPT, "a series has a key of %zu bytes",
                         key.bytes);
    int64_t at = series_element_at((const uint8_t *)key.data + key.bytes -
                                   SERIES_ELEMENT_KEY);
    bool same = same_record(w, key), goes = at < w->alive;
    if (!same || !goes) {
        int rc = remove_run(w);
        if (rc != WARP_OK)
            return rc;
    }
    if (!same)
        w->live = 0;
    memcpy(w->last, key.data, key.bytes);
    w->last_bytes = (uint32_t)key.bytes;
    w->visits++;
    if (goes) {
        if (w->first_bytes == 0) {
            memcpy(w->first, key.data, key.bytes);
            w->first_bytes = (uint32_t)key.bytes;
        }
        w->removed++;
        return GO_ON;
    }
    if (w->live == 0 && at < w->age->oldest)
        w->age->oldest = at;
    return ++w->live >= SKIP_AFTER ? SKIP : GO_ON;
}

static void goes_on_at(struct walk *w, bool next_record)
{
    uint32_t bytes = w->last_bytes;
    if (bytes == 0)
        return;
    memcpy(w->age->at, w->last, bytes);
    if (next_record)
        memset(w->age->at + bytes - SERIES_ELEMENT_KEY, 0xff,
               SERIES_ELEMENT_KEY);
    w->age->at[bytes] = 0;
    w->age->at_bytes = bytes + 1;
}

static int walk(struct walk *w)
{
    struct ssd_slice k, v;
    int rc = reopen(w);
    while (rc == WARP_OK && w->removed < w->limit && w->visits < VISITS_MAX) {
        rc = ssd_next(w->cursor, &k, &v);
        if (rc != WARP_OK)
            break;
        rc = look_at(w, k);
        if (rc == SKIP) {
            goes_on_at(w, true);
            rc = reopen(w);
        }
    }
    ssd_cursor_close(&w->cursor);
    bool end = rc == WARP_END;
    if (rc == WARP_OK || end)
        rc = remove_run(w);
    goes_on_at(w, w->live >= SKIP_AFTER);
    w->age->walking = rc == WARP_OK && !end;
    return rc;
}

/* Is a walk under way, or worth its while? */
static bool due(struct series_age *a, int64_t now_ms, int64_t age_ms)
{
    int64_t late = age_ms / 64 < late_max_ms ? age_ms / 64 : late_max_ms;
    if (a->walking)
        return true;
    if (age_ms > INT64_MAX - late)
        return false;
    if (a->oldest >= series_first_alive(now_ms, age_ms + late))
        return false;
    a->walking = true;
    a->oldest = a->oldest_now; /* which the walk does not see yet */
    memcpy(a->at, a->head, SERIES_HEAD_BYTES);
    a->at_bytes = SERIES_HEAD_BYTES;
    return true;
}

int series_expire(struct series *s, struct ssd_txn *txn,
                  const struct layout *l, int64_t now_ms, uint32_t limit,
                  bool *more)
{
    int rc = WARP_OK;
    *more = false;
    FOR_BITS(i, l->series)
    {
        int64_t age;
        uint8_t head[SERIES_HEAD_BYTES];
        if (!series_age_end(l, (uint32_t)i, &age))
            continue;
        series_head(head, l, (uint32_t)i);
        struct walk w = {.series = s, .txn = txn, .limit = limit};
        w.alive = series_first_alive(now_ms, age);
        w.age = age_of(s, head);
        if (!w.age)
            return WARP_ENOMEM;
        if (!due(w.age, now_ms, age))
            continue;
        if (limit > 0)
            rc = walk(&w);
        if (rc != WARP_OK)
            return rc;
        limit -= w.removed;
        *more = *more || w.age->walking;
    }
    return WARP_OK;
}
