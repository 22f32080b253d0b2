/* backup_keep.h: the earlier states in a backup's directory.
 *
 * An incremental backup takes the place of the one before it. What that one
 * was stays as a state of its own, earlier/POSITION/, of a backup's shape with
 * the manifest it had, so that a restore may begin there: a state and the logs
 * of the states behind it lead to any position that they hold. Its files are
 * links; all of them stand in the manifest that seals the whole. */
#ifndef WARP_BACKUP_KEEP_H
#define WARP_BACKUP_KEEP_H

#include "manifest.h"

#define BACKUP_EARLIER "earlier"
#define BACKUP_NEWEST UINT64_MAX
enum { BACKUP_KEEP = 3, BACKUP_KEEP_MAX = 1000 };

struct backup_keep {
    const char *from;            /* directory of the backup to be replaced */
    const char *to;              /* directory of the new one */
    const struct manifest *old;
    struct manifest *manifest;   /* of the new one; files are added */
    int (*step)(void *arg, uint64_t bytes); /* told what is read */
    void *arg;
};
/* The newest `count` of the old backup's states, itself among them. */
int backup_keep(const struct backup_keep *keep, uint32_t count);
/* A file that was just copied to `to`: if the old backup has the same one, it
 * becomes a link to that, and *linked grows. */
int backup_share(const struct backup_keep *keep, const char *name,
                 uint64_t bytes, uint32_t crc, uint64_t *linked);
/* Of which state a file is: a position, and its path in that state, or
 * BACKUP_NEWEST and nothing. */
uint64_t backup_state_of(const char *path, const char **rest);
/* Positions of the earlier states, the oldest first; freed by the caller, also
 * after an error. */
int backup_states(const struct manifest *manifest, uint64_t **positions,
                  uint32_t *count);

#endif
