/* source.c: a store to ask: opened here with the descriptors that it carries,
 * or, while a program has it open, through the socket of that program. */
#include "tool.h"

#include "../error.h"
#include "../manifest.h"
#include "../schema_file.h"
#include "../schema_load.h"
#include "../serve.h"
#include "../wire.h"

#include <stdlib.h>

static int64_t frozen(void *arg)
{
    (void)arg;
    return 0; /* the store's clock is then its high-water mark */
}

static _Atomic bool damaged;

void source_log(void *arg, int level, int code, const char *text)
{
    (void)arg;
    /* What has no code is about this process: no socket for other tools. A
     * store that has an owner is asked through it. */
    if (level > WARP_LOG_WARNING || code == WARP_EBUSY ||
        (code == WARP_OK && !getenv("WARP_TOOL_LOG")))
        return;
    if (code == WARP_ECORRUPT)
        atomic_store(&damaged, true);
    fprintf(stderr, "warp: %s\n", text);
}

bool source_damaged(void)
{
    return atomic_load(&damaged);
}

static int load_schema(struct source *s)
{
    char dir[4200];
    uint32_t newest = 0;
    snprintf(dir, sizeof dir, "%s/schema", s->path);
    int rc = os_exists(s->path);
    if (rc == 1)
        rc = os_exists(dir);
    if (rc == 0)
        return error_set(WARP_ENOSTORE, "%s: there is no store", s->path);
    rc = schema_file_newest(dir, &newest);
    if (rc == WARP_OK && newest == 0)
        rc = error_set(WARP_ENOSTORE,
                       "%s: there is no descriptor: this is "
                       "no store",
                       dir);
    return rc == WARP_OK ? schema_file_load(dir, newest, &s->schema) : rc;
}

int source_open(struct source *s, const char *path, enum source_mode mode)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    memset(s, 0, sizeof *s);
    s->socket = -1;
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    if (n >= sizeof s->path - 64)
        return error_set(WARP_EINVAL, "the path is too long");
    memcpy(s->path, path, n);
    int rc = load_schema(s);
    if (rc != WARP_OK)
        return rc;
    o.read_only = mode == SOURCE_READ;
    o.must_exist = true;
    o.log = mode == SOURCE_RESTORED ? NULL : source_log;
    if (mode == SOURCE_WRITE || mode == SOURCE_RESTORED)
        o.clock_ms = frozen;
    _Atomic uint32_t never = 0;
    /* Two tools that read, or one that has just ended, are no owner. */
    for (int tries = 0;; tries++) {
        rc = warp_open(s->path, s->schema, &o, &s->db);
        if (rc != WARP_EBUSY || mode == SOURCE_OWN)
            return rc;
        char text[1024];
        snprintf(text, sizeof text, "%s", error_text());
        rc = serve_connect(s->path, &s->socket);
        if (rc == WARP_OK)
            return rc;
        if (tries == 20)
            return error_set(WARP_EBUSY, "%s, and it does not answer", text);
        os_futex_wait(&never, 0, 50000000);
    }
}

/* What lives on the disk is counted while the directory loads. */
static int wait_counted(struct source *s)
{
    enum { SLICE_NS = 200000000 };
    while (atomic_load(&s->db->loaded_word) == 0) {
        if (tool_progress(&s->bar, "", 0, 0))
            return error_set(WARP_EIO, "stopped");
        os_futex_wait(&s->db->loaded_word, 0, SLICE_NS);
    }
    return WARP_OK;
}

int source_ask(struct source *s, const struct text *request, struct text *reply)
{
    struct progress progress = {tool_progress, &s->bar};
    if (request->failed)
        return error_set(WARP_ENOMEM, "out of memory for a request");
    const uint8_t *what = (const uint8_t *)request->data + 2;
    if (s->db && request->used >= 4 &&
        (wire_get16(what) == REQUEST_STAT ||
         wire_get16(what) == REQUEST_METRICS)) {
        int waited = wait_counted(s);
        if (waited != WARP_OK)
            return waited;
    }
    int rc = s->db ? request_run(s->db, (const uint8_t *)request->data,
                                 request->used, &progress, reply)
                   : serve_ask(s->socket, request, &progress, reply);
    tool_bar_end(&s->bar);
    return rc;
}

int source_close(struct source *s)
{
    int rc = WARP_OK;
    if (s->db)
        rc = warp_close(&s->db);
    if (s->socket >= 0)
        os_close(s->socket);
    s->socket = -1;
    if (s->schema)
        schema_free(&s->schema);
    return rc;
}

void request_begin(struct text *request, enum request_what what)
{
    text_clear(request);
    text_u16(request, REQUEST_VERSION);
    text_u16(request, (uint16_t)what);
}

const struct warp_product *source_product(const struct source *s,
                                          const char *name, uint32_t *number)
{
    for (uint32_t i = 0; i < s->schema->product_count; i++)
        if (strcmp(s->schema->products[i]->name, name) == 0) {
            *number = i;
            return s->schema->products[i];
        }
    return NULL;
}

int tool_field(const struct warp_product *product, const char *name)
{
    for (uint32_t i = 0; i < product->field_count; i++)
        if (strcmp(product->fields[i].name, name) == 0)
            return (int)i;
    return -1;
}

int tool_mask(const struct warp_product *product, const char *names,
              bool with_series, uint64_t *mask, char *why, size_t why_bytes)
{
    *mask = 0;
    for (uint32_t i = 0; !names && i < product->field_count; i++)
        if (!(product->fields[i].flags & WARP_F_KEY) &&
            (with_series || !(product->fields[i].flags & WARP_F_SERIES)))
            *mask |= UINT64_C(1) << i;
    while (names && *names) {
        char name[128];
        size_t n = strcspn(names, ",");
        snprintf(name, sizeof name, "%.*s", (int)(n < 127 ? n : 127), names);
        int field = tool_field(product, name);
        if (field < 0) {
            snprintf(why, why_bytes, "%s has no field %s", product->name, name);
            return WARP_EINVAL;
        }
        *mask |= UINT64_C(1) << field;
        names += n + (names[n] == ',');
    }
    return WARP_OK;
}
