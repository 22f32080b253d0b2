/* damage.h: what must hold when a write has gone to another place and nobody
 * was told: the store may refuse to open, and a read may refuse; but what is
 * read as a value was once written to that field of that record. */
#ifndef SIM_DAMAGE_H
#define SIM_DAMAGE_H

#include "client.h"

/* The values of a world may be read from now on. */
void damage_note(struct client *c, const struct world *w);
/* All that can be read of a user's world was noted. */
void damage_check(struct client *c, struct warp_db *db);

/* history.c */
bool history_misdirects(void); /* in this history one write does */
bool history_damaged(void);    /* and has */

#endif
