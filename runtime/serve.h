/* serve.h: the owner of a store answers the tools, over a unix socket in the
 * store's directory that only its user may open.
 *
 * FRAMES, little-endian. To the owner: u32 magic "WRPQ", u32 bytes, a request
 * (request.h). From it: u32 magic "WRPA", i32 code, u32 bytes, the reply. Code
 * WARP_TIMEOUT is progress of long work: u64 done, u64 total, a word; more
 * frames follow, and the last one has another code. The first one comes at
 * once, with 0 of 0: an owner that does not send it is stopped, or busy. */
#ifndef WARP_SERVE_H
#define WARP_SERVE_H

#include "request.h"

#define SERVE_NAME "socket"

/* A thread that waits for connections; a directory in which there can be no
 * socket is told to the log and is no error. */
int serve_start(struct warp_db *db);
/* Ends all connections; nothing of the store is used after it returns. */
void serve_stop(struct warp_db *db);

/* ---- the other end ---- */
int serve_connect(const char *store, int *fd);
/* progress is called a few times a second while nothing comes, with 0 of 0.
 * WARP_EBUSY: the owner does not answer. */
int serve_ask(int fd, const struct text *request,
              const struct progress *progress, struct text *reply);

#endif
