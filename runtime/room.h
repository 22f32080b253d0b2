/* room.h: room on the disk, kept ahead so that a full disk is harmless.
 *
 * Writes are refused while there is still room for what must go on: deletes,
 * and the checkpoint that cuts the log. Far from full this costs one load. */
#ifndef WARP_ROOM_H
#define WARP_ROOM_H

#include "db.h"

/* By the keeper, often: how much may still be written. */
void room_update(struct warp_db *db);
/* A commit of so many bytes, before it takes a lock. WARP_ENOSPC. */
int room_admit(struct warp_db *db, uint64_t bytes);
/* For the disk tier: small on a small file system, so that its space comes
 * back in small steps. */
uint64_t room_segment_bytes(const char *dir);

/* The preallocated file that the log may be given on a full disk. */
int room_reserve(struct warp_db *db);
/* It was given up; it is made again when there is room several times over. */
void room_reserve_again(struct warp_db *db);

#endif
