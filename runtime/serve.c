/* serve.c: see serve.h. One thread waits, one more for each connection, at most
 * SERVE_CONNECTIONS: who comes then waits for one of them to end. A peer that
 * says nothing is dropped after a while. What a peer sends is bounded and
 * checked; answers come from reads that take no lock of a writer for longer
 * than a copy. */
#include "serve.h"

#include "error.h"
#include "os_socket.h"
#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    SERVE_CONNECTIONS = 8,
    IDLE_MS = 10000, /* between two requests */
    MOVE_MS = 5000,  /* inside one */
    ASK_MS = 600000, /* the tool's patience with one answer */
    FIRST_MS = 10000, /* and with the first sign of one */
    SLICE_MS = 200,   /* of both: how soon an interrupt is seen */
    FULL_MS = 50,
    REPLY_BYTES_MAX = 512 << 20,
    PROGRESS_BYTES = 64
};
#define ASK_MAGIC    UINT32_C(0x51505257) /* "WRPQ" */
#define ANSWER_MAGIC UINT32_C(0x41505257) /* "WRPA" */

struct connection {
    struct server *server;
    struct os_thread thread;
    int fd;
    _Atomic uint32_t state; /* 0 free, 1 in use, 2 ended */
};

struct server {
    struct warp_db *db;
    struct os_thread thread;
    int fd;
    _Atomic bool stopping;
    struct connection connection[SERVE_CONNECTIONS];
};

/* ---- answering ---- */

static int send_frame(int fd, int code, const void *bytes, size_t count)
{
    uint8_t head[12];
    wire_put32(head, ANSWER_MAGIC);
    wire_put32(head + 4, (uint32_t)code);
    wire_put32(head + 8, (uint32_t)count);
    int rc = os_socket_write(fd, head, sizeof head, MOVE_MS);
    return rc == 0 && count > 0 ? os_socket_write(fd, bytes, count, MOVE_MS)
                                : rc;
}

struct told {
    struct connection *c;
    int64_t last_ns;
};

static int tell_progress(void *arg, const char *what, uint64_t done,
                         uint64_t total)
{
    struct told *t = arg;
    uint8_t b[PROGRESS_BYTES];
    int64_t now = os_mono_ns();
    size_t n = strlen(what);
    if (atomic_load(&t->c->server->stopping))
        return 1;
    if (now - t->last_ns < 100000000)
        return 0;
    t->last_ns = now;
    if (n > sizeof b - 16)
        n = sizeof b - 16;
    wire_put64(b, done);
    wire_put64(b + 8, total);
    memcpy(b + 16, what, n);
    return send_frame(t->c->fd, WARP_TIMEOUT, b, 16 + n);
}

static int tell_here(struct connection *c)
{
    static const uint8_t none[16];
    return send_frame(c->fd, WARP_TIMEOUT, none, sizeof none);
}

/* The asker is the same user, by the socket's mode; even so, what lowers the
 * clock is for a store that nobody uses. */
static bool refused(const uint8_t *request, size_t bytes)
{
    return bytes >= 5 && wire_get16(request + 2) == REQUEST_CLOCK &&
           request[4] == 2;
}

static int answer(struct connection *c, uint8_t *request, struct text *reply)
{
    uint8_t head[8];
    struct told told = {c, 0};
    struct progress progress = {tell_progress, &told};
    int rc = os_socket_read(c->fd, head, sizeof head, IDLE_MS);
    uint32_t bytes = wire_get32(head + 4);
    if (rc == 0 && (wire_get32(head) != ASK_MAGIC || bytes > REQUEST_BYTES_MAX))
        rc = -EPROTO;
    if (rc == 0)
        rc = os_socket_read(c->fd, request, bytes, MOVE_MS);
    if (rc == 0)
        rc = tell_here(c);
    if (rc != 0)
        return rc;
    int code = WARP_EBUSY;
    if (refused(request, bytes)) {
        text_clear(reply);
        text_put(reply, "the clock is lowered only while no program has the "
                        "store open");
    } else {
        code = request_run(c->server->db, request, bytes, &progress, reply);
    }
    if (reply->used > REPLY_BYTES_MAX)
        return -EMSGSIZE;
    /* A state is no answer: its number means progress here. */
    return send_frame(c->fd, code > 0 ? WARP_EIO : code, reply->data,
                      reply->used);
}

static void *talk(void *arg)
{
    struct connection *c = arg;
    struct text reply = TEXT_INIT;
    uint8_t *request = malloc(REQUEST_BYTES_MAX);
    while (request && !atomic_load(&c->server->stopping) &&
           answer(c, request, &reply) == 0) {
        if (reply.room > 1 << 20)
            text_free(&reply);
    }
    free(request);
    text_free(&reply);
    os_socket_shutdown(c->fd);
    atomic_store(&c->state, 2);
    return NULL;
}

static void end_connection(struct connection *c)
{
    os_thread_join(&c->thread);
    os_close(c->fd);
    c->fd = -1;
    atomic_store(&c->state, 0);
}

static bool has_room(struct server *s)
{
    bool room = false;
    for (int i = 0; i < SERVE_CONNECTIONS; i++) {
        struct connection *c = &s->connection[i];
        if (atomic_load(&c->state) == 2)
            end_connection(c);
        room = room || atomic_load(&c->state) == 0;
    }
    return room;
}

static void begin_connection(struct server *s, int fd)
{
    for (int i = 0; i < SERVE_CONNECTIONS; i++) {
        struct connection *c = &s->connection[i];
        if (atomic_load(&c->state) != 0)
            continue;
        c->server = s;
        c->fd = fd;
        atomic_store(&c->state, 1);
        if (db_thread_start(s->db, &c->thread, talk, c, "warp-talk") == 0)
            return;
        atomic_store(&c->state, 0);
        break;
    }
    os_close(fd);
}

static void rest(int ms)
{
    _Atomic uint32_t word = 0;
    os_futex_wait(&word, 0, (int64_t)ms * 1000000);
}

static void *serve(void *arg)
{
    struct server *s = arg;
    while (!atomic_load(&s->stopping)) {
        /* Who is not yet accepted waits in the kernel. */
        if (!has_room(s)) {
            rest(FULL_MS);
            continue;
        }
        int fd = os_socket_accept(s->fd, -1);
        if (fd >= 0 && !atomic_load(&s->stopping))
            begin_connection(s, fd);
        else if (fd >= 0)
            os_close(fd);
        else if (fd != -EAGAIN && fd != -EINTR && fd != -ECONNABORTED) {
            /* Descriptors are out, or the socket is shut: not in a hurry. */
            rest(100);
        }
    }
    return NULL;
}

int serve_start(struct warp_db *db)
{
    struct server *s = calloc(1, sizeof *s);
    char text[160], why[64];
    if (!s)
        return error_set(WARP_ENOMEM, "out of memory for the tools' socket");
    for (int i = 0; i < SERVE_CONNECTIONS; i++)
        s->connection[i].fd = -1;
    s->db = db;
    s->fd = os_socket_listen(db->paths.store, SERVE_NAME);
    if (s->fd < 0) {
        snprintf(text, sizeof text,
                 "tools cannot ask while the store is open: no socket (%s)",
                 strerror_r(-s->fd, why, sizeof why));
        free(s);
        db_log(db, WARP_LOG_WARNING, WARP_OK, text);
        return WARP_OK;
    }
    if (db_thread_start(db, &s->thread, serve, s, "warp-serve") != 0) {
        os_close(s->fd);
        free(s);
        return error_set(WARP_ENOMEM, "cannot start a thread");
    }
    db->server = s;
    return WARP_OK;
}

void serve_stop(struct warp_db *db)
{
    struct server *s = db->server;
    char path[DB_PATH_BYTES];
    if (!s)
        return;
    db->server = NULL;
    atomic_store(&s->stopping, true);
    os_socket_shutdown(s->fd);
    os_thread_join(&s->thread);
    for (int i = 0; i < SERVE_CONNECTIONS; i++) {
        if (atomic_load(&s->connection[i].state) == 0)
            continue;
        os_socket_shutdown(s->connection[i].fd);
        end_connection(&s->connection[i]);
    }
    snprintf(path, sizeof path, "%s/%s", db->paths.store, SERVE_NAME);
    os_unlink(path);
    os_close(s->fd);
    free(s);
}

/* ---- the other end ---- */

int serve_connect(const char *store, int *fd)
{
    *fd = os_socket_connect(store, SERVE_NAME);
    if (*fd >= 0)
        return WARP_OK;
    return error_set(WARP_EBUSY, "%s: its owner does not answer", store);
}

static int lost(int fd, int rc, bool first)
{
    char text[64];
    if (rc == -ECANCELED)
        return error_set(WARP_EIO, "stopped");
    if (rc == -ETIMEDOUT && first)
        return error_set(WARP_EBUSY,
                         "process %d has this store open and has not answered "
                         "for %d s: it is stopped, or busy with other tools; "
                         "let it go on, or end it, and try again",
                         os_socket_peer(fd), FIRST_MS / 1000);
    return error_set(WARP_EIO, "the store's owner does not answer: %s",
                     strerror_r(-rc, text, sizeof text));
}

/* Until there is something to read. */
static int wait_answer(int fd, const struct progress *progress, int patience_ms)
{
    int64_t end_ns = os_mono_ns() + (int64_t)patience_ms * 1000000;
    int rc;
    do {
        if (progress && progress->fn &&
            progress->fn(progress->arg, "", 0, 0) != 0)
            return -ECANCELED;
        rc = os_socket_wait(fd, SLICE_MS);
    } while (rc == -EINTR || (rc == -ETIMEDOUT && os_mono_ns() < end_ns));
    return rc;
}

int serve_ask(int fd, const struct text *request,
              const struct progress *progress, struct text *reply)
{
    uint8_t head[12];
    wire_put32(head, ASK_MAGIC);
    wire_put32(head + 4, (uint32_t)request->used);
    int rc = os_socket_write(fd, head, 8, MOVE_MS);
    if (rc == 0)
        rc = os_socket_write(fd, request->data, request->used, MOVE_MS);
    for (bool first = true;; first = false) {
        text_clear(reply);
        if (rc == 0)
            rc = wait_answer(fd, progress, first ? FIRST_MS : ASK_MS);
        if (rc == 0)
            rc = os_socket_read(fd, head, sizeof head, MOVE_MS);
        uint32_t bytes = rc == 0 ? wire_get32(head + 8) : 0;
        int code = rc == 0 ? (int)wire_get32(head + 4) : 0;
        if (rc == 0 &&
            (wire_get32(head) != ANSWER_MAGIC || bytes > REPLY_BYTES_MAX))
            rc = -EPROTO;
        if (rc == 0 && !text_room(reply, (size_t)bytes + 1))
            return error_set(WARP_ENOMEM, "out of memory for an answer");
        if (rc == 0)
            rc = os_socket_read(fd, reply->data, bytes, MOVE_MS);
        if (rc != 0)
            return lost(fd, rc, first);
        reply->used = bytes;
        reply->data[bytes] = 0;
        if (code == WARP_TIMEOUT && bytes >= 16) {
            const uint8_t *b = (const uint8_t *)reply->data;
            if (progress && progress->fn &&
                progress->fn(progress->arg, reply->data + 16, wire_get64(b),
                             wire_get64(b + 8)) != 0)
                return error_set(WARP_EIO, "stopped");
            continue;
        }
        if (code < 0)
            error_set(code, "%s", reply->data);
        return code;
    }
}
