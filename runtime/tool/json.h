/* json.h: JSON text as a tree of nodes in an arena. Numbers stay text, so that
 * nothing of them is lost before the type is known. */
#ifndef WARP_TOOL_JSON_H
#define WARP_TOOL_JSON_H

#include <warp/warp.h>

enum json_kind {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

struct json {
    enum json_kind kind;
    bool bare;            /* made from a cell of a CSV file: any scalar */
    struct warp_str text; /* string: unescaped; number: as it stands */
    struct warp_str name; /* in an object */
    struct json *first, *next;
    uint32_t count;
    uint32_t line;
};

enum { JSON_DEPTH_MAX = 128 };

/* Where a text is read, and what was wrong with it. */
struct json_input {
    const char *at, *end;
    uint32_t line;
    const char *fault; /* a fragment: "a comma or ] is missing" */
};

/* One value with the space around it; *in moves behind it. 0, WARP_EINVAL with
 * in->fault, WARP_ENOMEM. */
int json_read(struct json_input *in, struct warp_arena *arena,
              struct json **out);
void json_space(struct json_input *in); /* skips white space */
/* A member of an object, or NULL. */
const struct json *json_member(const struct json *object, const char *name);

/* ---- advise.c ---- */
struct tool;
struct text;
/* A member that is a number, or 0. */
double tool_number(const struct json *object, const char *name);
/* Asks the store of the first argument; an exit status. Frees the request;
 * *out lies in the arena and in `reply`, which the caller frees. */
int tool_ask_json(struct tool *tool, struct text *request,
                  struct warp_arena *arena, struct text *reply,
                  struct json **out);

#endif
