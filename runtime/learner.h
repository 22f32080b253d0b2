/* learner.h: a thread that tells the engines what was used and lets leave what
 * they let go, where a processor is free for it: else whoever had to bring in
 * what it read pays for that, too. */
#ifndef WARP_LEARNER_H
#define WARP_LEARNER_H

#include "db.h"

/* None where nothing may leave memory, and none on one processor. */
int learner_start(struct warp_db *db);
/* From here on nobody takes anything; those who ask may still run. */
void learner_stop(struct warp_db *db);
void learner_free(struct warp_db *db); /* they do not */

/* Something was brought in, and noted. False: nobody will see to it in time,
 * the caller does. */
bool learner_takes(struct warp_db *db);

#endif
