/* ask.c: subcommands that ask one question and print its JSON answer, as it is
 * or as lines of names and values. */
#include "record.h"

#include "../codec.h"
#include "../error.h"
#include "../wire.h"

/* One line for each scalar, its name being the path to it. */
static void print_lines(const struct json *j, const char *path)
{
    char name[256];
    uint32_t i = 0;
    if (j->kind == JSON_OBJECT || j->kind == JSON_ARRAY) {
        const struct json *title = json_member(j, "name");
        if (j->count == 0)
            printf("%-36s (none)\n", path);
        if (title && title->kind == JSON_STRING && *path) {
            snprintf(name, sizeof name, "%.120s", path);
            char *cut = strrchr(name, '.');
            if (cut)
                *cut = 0;
            snprintf(name + strlen(name), sizeof name - strlen(name), ".%.*s",
                     (int)(title->text.len < 60 ? title->text.len : 60),
                     title->text.data);
            path = name;
        }
        for (const struct json *m = j->first; m; m = m->next, i++) {
            char next[256];
            if (m == title)
                continue;
            if (j->kind == JSON_OBJECT)
                snprintf(
                    next, sizeof next, "%.120s%s%.*s", path, *path ? "." : "",
                    (int)(m->name.len < 60 ? m->name.len : 60), m->name.data);
            else
                snprintf(next, sizeof next, "%.120s.%u", path, i);
            print_lines(m, next);
        }
        return;
    }
    printf("%-36s ", path);
    switch (j->kind) {
    case JSON_NULL:
        puts("-");
        break;
    case JSON_TRUE:
        puts("yes");
        break;
    case JSON_FALSE:
        puts("no");
        break;
    default:
        printf("%.*s\n", (int)j->text.len, j->text.data);
    }
}

int tool_print_json(const struct tool *tool, const struct text *reply)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct json_input in = {reply->data, reply->data + reply->used, 1, NULL};
    struct json *j = NULL;
    if (tool->json) {
        fwrite(reply->data, 1, reply->used, stdout);
        putchar('\n');
        return TOOL_CLEAN;
    }
    int rc = json_read(&in, &arena, &j);
    if (rc == WARP_OK)
        print_lines(j, "");
    warp_arena_free(&arena);
    return rc == WARP_OK
               ? TOOL_CLEAN
               : tool_fail(tool, WARP_ECORRUPT, "the answer is no JSON");
}

/* Lines of a name and a number; what begins with # tells of them. */
static void print_plain(const struct tool *tool, const struct text *reply)
{
    const char *at = reply->data, *end = at + reply->used;
    bool first = true;
    if (!tool->json) {
        fwrite(reply->data, 1, reply->used, stdout);
        return;
    }
    fputs("{\"metrics\":{", stdout);
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = stop ? stop : end;
        const char *space = memchr(at, ' ', (size_t)(line_end - at));
        if (*at != '#' && space)
            printf("%s\"%.*s\":%.*s", first ? "" : ",", (int)(space - at), at,
                   (int)(line_end - space - 1), space + 1);
        first = first && (*at == '#' || !space);
        at = line_end + 1;
    }
    puts("}}");
}

static int ask(struct tool *tool, enum source_mode mode, struct text *request,
               bool is_json)
{
    struct source source;
    struct text reply = TEXT_INIT;
    int status = TOOL_CLEAN;
    int rc = source_open(&source, tool->args[0], mode);
    if (rc == WARP_OK)
        rc = source_ask(&source, request, &reply);
    if (rc != WARP_OK)
        status = tool_fail(tool, rc, error_text());
    else if (is_json && reply.used)
        status = tool_print_json(tool, &reply);
    else if (is_json && tool->json)
        puts("{}");
    else if (reply.used)
        print_plain(tool, &reply);
    rc = source_close(&source);
    if (rc != WARP_OK && status == TOOL_CLEAN)
        status = tool_fail(tool, rc, error_text());
    text_free(&reply);
    text_free(request);
    return status;
}

int tool_stat(struct tool *tool)
{
    struct text request = TEXT_INIT;
    request_begin(&request, REQUEST_STAT);
    text_u8(&request, tool->deep);
    return ask(tool, SOURCE_READ, &request, true);
}

int tool_metrics(struct tool *tool)
{
    struct text request = TEXT_INIT;
    request_begin(&request, REQUEST_METRICS);
    return ask(tool, SOURCE_READ, &request, false);
}

int tool_checkpoint(struct tool *tool)
{
    struct text request = TEXT_INIT;
    request_begin(&request, REQUEST_CHECKPOINT);
    return ask(tool, SOURCE_WRITE, &request, true);
}

int tool_ab(struct tool *tool)
{
    struct text request = TEXT_INIT;
    const char *what = tool->args[0];
    bool log = strcmp(what, "log") == 0;
    if (!log && strcmp(what, "report") != 0)
        return tool_usage(tool, "report or log, not %s", what);
    tool->args[0] = tool->args[1];
    request_begin(&request, REQUEST_AB);
    text_u8(&request, log);
    return ask(tool, SOURCE_READ, &request, true);
}

int tool_explain(struct tool *tool)
{
    struct text request = TEXT_INIT, reply = TEXT_INIT;
    struct warp_arena arena = WARP_ARENA_INIT;
    struct source source;
    uint8_t key[KEY_BYTES_MAX];
    size_t bytes = 0;
    uint32_t number = 0;
    char why[300] = "";
    int field = -1, status = TOOL_CLEAN;
    const struct warp_product *p = NULL;
    int rc = source_open(&source, tool->args[0], SOURCE_READ);
    if (rc == WARP_OK) {
        p = source_product(&source, tool->args[1], &number);
        field = p ? tool_field(p, tool->args[3]) : -1;
        if (!p || field < 0)
            rc =
                error_set(WARP_EINVAL,
                          p ? "%s has no field %s" : "there is no product %s%s",
                          tool->args[1], p ? tool->args[3] : "");
    }
    if (rc == WARP_OK) {
        rc = tool_key(p, tool->args[2], key, &bytes, &arena, why, sizeof why);
        if (rc != WARP_OK)
            error_set(rc, "%s", why);
    }
    if (rc == WARP_OK) {
        request_begin(&request, REQUEST_EXPLAIN);
        text_u16(&request, (uint16_t)number);
        text_u8(&request, (uint8_t)field);
        text_u16(&request, (uint16_t)bytes);
        text_add(&request, key, bytes);
        rc = source_ask(&source, &request, &reply);
    }
    status = rc == WARP_OK ? tool_print_json(tool, &reply)
                           : tool_fail(tool, rc, error_text());
    source_close(&source);
    text_free(&request);
    text_free(&reply);
    warp_arena_free(&arena);
    return status;
}

/* What the store has on each device; a store that no program has open has
 * nothing there. */
static int ask_devices(struct tool *tool, struct warp_device *devices,
                       uint32_t count)
{
    struct source source;
    struct text request = TEXT_INIT, reply = TEXT_INIT;
    int rc = source_open(&source, tool->args[0], SOURCE_READ);
    if (rc == WARP_OK) {
        request_begin(&request, REQUEST_DEVICES);
        rc = source_ask(&source, &request, &reply);
    }
    const uint8_t *at = (const uint8_t *)reply.data;
    if (rc == WARP_OK && (reply.used < 1 || reply.used < 1 + at[0] * 16u))
        rc = error_set(WARP_EINVAL, "the owner's answer is cut");
    for (uint32_t i = 0; rc == WARP_OK && i < count; i++) {
        bool there = i < at[0];
        devices[i].resident_bytes = there ? wire_get64(at + 1 + i * 16) : 0;
        devices[i].sent_bytes = there ? wire_get64(at + 9 + i * 16) : 0;
    }
    source_close(&source);
    text_free(&request);
    text_free(&reply);
    return rc;
}

static void print_device(const struct tool *tool, const struct warp_device *d,
                         bool of_store, struct text *t)
{
    const char *name = d->name[0] ? d->name : NULL;
    const char *why = d->why_not[0] ? d->why_not : NULL;
    if (!tool->json) {
        printf("%-7s %s%s\n", d->kind, name ? "" : "no: ", name ? name : why);
        if (of_store)
            printf("        %llu bytes of columns are there, %llu were sent\n",
                   (unsigned long long)d->resident_bytes,
                   (unsigned long long)d->sent_bytes);
        return;
    }
    text_put(t, "{\"kind\":\"");
    text_put(t, d->kind);
    text_put(t, "\"");
    text_string(t, "name", name);
    text_string(t, "why_not", why);
    text_number(t, "memory_bytes", d->memory_bytes);
    text_number(t, "units", d->units);
    if (of_store) {
        text_number(t, "resident_bytes", d->resident_bytes);
        text_number(t, "sent_bytes", d->sent_bytes);
    }
    text_put(t, "}");
}

int tool_devices(struct tool *tool)
{
    enum { DEVICES_MAX = 16 };
    struct warp_device devices[DEVICES_MAX];
    struct text t = TEXT_INIT;
    uint32_t count = 0;
    bool of_store = tool->arg_count > 0;
    while (count < DEVICES_MAX &&
           warp_device_info(count, &devices[count]) == WARP_OK)
        count++;
    int rc = of_store ? ask_devices(tool, devices, count) : WARP_OK;
    if (rc != WARP_OK)
        return tool_fail(tool, rc, error_text());
    text_put(&t, "{\"devices\":[");
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            text_put(&t, ",");
        print_device(tool, &devices[i], of_store, &t);
    }
    text_put(&t, "]}\n");
    if (tool->json)
        fwrite(t.data, 1, t.used, stdout);
    text_free(&t);
    return TOOL_CLEAN;
}
