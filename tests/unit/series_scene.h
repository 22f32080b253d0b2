/* series_scene.h: series over all tiers, and a plain array of what they must
 * hold, for the tests of series. */
#ifndef WARP_TEST_SERIES_SCENE_H
#define WARP_TEST_SERIES_SCENE_H

#include "scratch.h"

#include "os.h"
#include "series_chunk.h"
#include "series.h"

#include <stdatomic.h>
#include <string.h>

enum {
    RECORDS = 6, FIELDS = 3, ELEMENTS_MAX = 6000,
    MINUTE = 60000, HOUR = 60 * MINUTE, DAY = 24 * HOUR
};

struct element {
    uint32_t record, field, bytes;
    int64_t at;
    uint64_t order;
    bool gone;
};

/* Field 0 keeps all in the directory, field 1 deletes after a day, field 2 goes
 * to the disk after a minute and to the archive after an hour. */
extern struct layout layout;
extern struct series *series;
extern struct archive *archive;
extern struct budget budget;
extern struct element all[ELEMENTS_MAX];
extern uint32_t count;
extern uint64_t next_order;
extern uint32_t told; /* damages that migration told */
extern bool settles; /* is the log cut after each checkpoint? */

const char *scene_dir(void);
void layout_strategy(const struct warp_strategy *strategy);
void ok(int rc);
uint32_t below(uint32_t n);
struct key_ref key_of(uint32_t record);
uint32_t payload(const struct element *e, uint8_t *to);
void append(const struct element *e);
void add(uint32_t record, uint32_t field, int64_t at);
void drop(uint32_t record);
struct ssd_txn *flush_begin(void);
void flush_end(struct ssd_txn *txn, bool commit);
void migrate(int64_t now);
struct series_stat stat_of(uint32_t field, int where);
uint64_t elements(void);
void set_up(void);
void tear_down(void);
void open_all(void);
void close_all(void);
void check_range(uint32_t record, uint32_t field, int64_t from,
                        int64_t to, int64_t now);
void check_all(int64_t now);
/* What a crash leaves: the tiers, and the log above the floor. */
void crash(int64_t now);

#endif
