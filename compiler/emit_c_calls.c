/* The functions of a product, as prototypes for the header or with their
 * bodies: each is a row below, and each is one call of the runtime with the
 * product's descriptor. A further call is a row, and its function in
 * <warp/gen.h>. */
#include "emit.h"

#include <string.h>

/* Which fields a row stands for. */
enum which { RECORD, SETTABLE, ADDABLE, INDEXED, UNIQUE, COLUMN, SERIES };

/* In `name`, # is the field. `args` lists parameters and arguments in order,
 * one letter each: see put_parameter() and put_argument(). */
struct call {
    enum which which;
    const char *name, *target, *args;
};

static const struct call calls[] = {
    { RECORD, "_put", "put", "drm" },
    { RECORD, "_get", "get", "dkmoa" },
    { RECORD, "_delete", "delete", "dk" },
    { SETTABLE, "_set_#", "set", "dkiv" },
    { ADDABLE, "_add_#", "add", "dkiDw" },
    { RECORD, "_touch", "touch", "dkm" },
    { RECORD, "_expire", "expire", "dkml" },
    { RECORD, "_version", "version", "dkV" },
    { RECORD, "_state", "state", "dkf" },
    { RECORD, "_prefetch", "prefetch", "dKcm" },
    { RECORD, "_scan", "scan", "dgmI" },
    { INDEXED, "_by_#", "by", "diqmI" },
    { UNIQUE, "_get_by_#", "get_by", "diqmoa" },
    { RECORD, "_next", "next", "noa" },
    { COLUMN, "_#_column", "column", "disC" },
    { SERIES, "_#_append", "append", "dkite" },
    { SERIES, "_#_range", "range", "dkiFTI" },
    { SERIES, "_#_next", "range_next", "nipEa" },
    /* the twins inside a batch */
    { RECORD, "_put_in", "put_in", "brm" },
    { SETTABLE, "_set_#_in", "set_in", "bkiv" },
    { ADDABLE, "_add_#_in", "add_in", "bkiD" },
    { RECORD, "_delete_in", "delete_in", "bk" },
    { RECORD, "_touch_in", "touch_in", "bkm" },
    { RECORD, "_expire_in", "expire_in", "bkml" },
    { SERIES, "_#_append_in", "append_in", "bkite" },
    { RECORD, "_expect_in", "expect_in", "bkx" },
};

static bool applies(enum which which, const struct model_field *f)
{
    switch (which) {
    case RECORD: return false;
    case SETTABLE: return f->can_set;
    case ADDABLE: return f->can_add;
    case INDEXED: return f->indexed || f->unique;
    case UNIQUE: return f->unique;
    case COLUMN: return f->column;
    case SERIES: return f->series;
    }
    return false;
}

/* A parameter's name in a prototype must not be another one's. */
static const char *safe_name(const char *wanted, const char *otherwise)
{
    static const char *const taken[] = {
        "fields", "out", "delta", "now", "deadline_ms", "version", "field",
        "keys", "count", "shard", "at_ms", "from_ms", "to_ms", "value"
    };
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        if (strcmp(wanted, taken[i]) == 0)
            return otherwise;
    return wanted;
}

static const char *delta_type(const struct model_field *f)
{
    return f->type->class == CLASS_FLOAT ? f->type->c_type : "int64_t";
}

/* `struct game_item *` and a name. Names of parameters that only their type
 * explains are left out of prototypes. */
static void put_named(struct text *out, const char *type, const char *after,
                      const char *name)
{
    text_put(out, type);
    text_put(out, after);
    if (name == NULL)
        return;
    if (*after == '\0')
        text_bytes(out, " ", 1);
    text_put(out, name);
}

static void put_parameter(struct text *out, char letter, bool body,
                          const struct model_product *p,
                          const struct model_field *f)
{
    const char *type = f ? f->type->c_type : "";
    const char *element = f && f->series ? f->type->element->c_type : "";
    const char *key = p->key_composite ? "key"
                                       : safe_name(p->keys[0]->c_name, "key");
    switch (letter) {
    case 'd':
        put_named(out, "struct warp_db", " *", body ? "db" : NULL);
        break;
    case 'b':
        put_named(out, "struct warp_batch", " *", body ? "batch" : NULL);
        break;
    case 'n':
        put_named(out, "struct warp_iter", " *", body ? "iter" : NULL);
        break;
    case 'k':
        put_named(out, p->key_c_type, "", body ? "key" : key);
        break;
    case 'K':
        text_put(out, "const ");
        put_named(out, p->key_c_type, " *", "keys");
        break;
    case 'r':
        text_put(out, "const struct ");
        put_named(out, p->c_name, " *", body ? "record" : NULL);
        break;
    case 'o':
        text_put(out, "struct ");
        put_named(out, p->c_name, " *", "out");
        break;
    case 'g':
        text_put(out, "const struct ");
        put_named(out, p->c_name, "_range *", body ? "range" : NULL);
        break;
    case 'v':
        put_named(out, type, "", body ? "value" : NULL);
        break;
    case 'q':
        put_named(out, type, "",
                  body ? "value" : safe_name(f->c_name, "value"));
        break;
    case 'D':
        put_named(out, delta_type(f), "", "delta");
        break;
    case 'w':
        put_named(out, type, " *", "now");
        break;
    case 'e':
        put_named(out, element, "", body ? "element" : NULL);
        break;
    case 'E':
        put_named(out, element, " *", body ? "element" : NULL);
        break;
    case 'a':
        put_named(out, "struct warp_arena", " *", body ? "arena" : NULL);
        break;
    case 'I':
        put_named(out, "struct warp_iter", " **", body ? "iter" : NULL);
        break;
    case 'C':
        put_named(out, "struct warp_column", " *", body ? "column" : NULL);
        break;
    case 'm': text_put(out, "uint64_t fields"); break;
    case 'c': text_put(out, "size_t count"); break;
    case 'l': text_put(out, "int64_t deadline_ms"); break;
    case 'V': text_put(out, "uint64_t *version"); break;
    case 'x': text_put(out, "uint64_t version"); break;
    case 'f': text_put(out, "uint64_t field"); break;
    case 's': text_put(out, "uint32_t shard"); break;
    case 't': text_put(out, "int64_t at_ms"); break;
    case 'p': text_put(out, "int64_t *at_ms"); break;
    case 'F': text_put(out, "int64_t from_ms"); break;
    case 'T': text_put(out, "int64_t to_ms"); break;
    }
}

/* No parameter: the field's number, and the time of an element that carries
 * it itself. */
static bool is_parameter(char letter, const struct model_field *f)
{
    return letter != 'i' && !(letter == 't' && f && f->by);
}

static void put_argument(struct text *out, char letter,
                         const struct model_product *p,
                         const struct model_field *f)
{
    static const struct { char letter; const char *text; } plain[] = {
        { 'k', "&key" }, { 'K', "keys" }, { 'r', "record" }, { 'o', "out" },
        { 'g', "&r" }, { 'v', "&value" }, { 'q', "&value" },
        { 'D', "&delta" }, { 'w', "now" }, { 'e', "&element" },
        { 'E', "element" }, { 'a', "arena" }, { 'I', "iter" },
        { 'C', "column" }, { 'm', "fields" }, { 'c', "count" },
        { 'l', "deadline_ms" }, { 'V', "version" }, { 'x', "version" },
        { 'f', "field" }, { 's', "shard" }, { 'p', "at_ms" },
        { 'F', "from_ms" }, { 'T', "to_ms" }
    };
    if (letter == 'd' || letter == 'b' || letter == 'n') {
        text_format(out, "%s, &%s_warp_product",
                    letter == 'd' ? "db" : letter == 'b' ? "batch" : "iter",
                    p->c_name);
    } else if (letter == 'i') {
        text_format(out, "%u", f->index);
    } else if (letter == 't') {
        text_put(out, f->by ? "WARP_NOW" : "at_ms");
    } else {
        for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
            if (plain[i].letter == letter)
                text_put(out, plain[i].text);
    }
}

static void put_body(struct text *out, const struct call *call,
                     const struct model_product *p,
                     const struct model_field *f)
{
    text_put(out, "\n{\n");
    if (strchr(call->args, 'g'))
        text_put(out,
                 "    const struct warp_gen_range r = {\n"
                 "        range && range->has_from ? &range->from : NULL,\n"
                 "        range && range->has_to ? &range->to : NULL,\n"
                 "        range && range->has_prefix ? &range->prefix : NULL,"
                 "\n        range && range->reverse };\n");
    text_format(out, "    return warp_gen_%s(", call->target);
    for (const char *letter = call->args; *letter; letter++) {
        if (letter > call->args)
            text_bytes(out, ", ", 2);
        put_argument(out, *letter, p, f);
    }
    text_put(out, ");\n}\n");
}

static void put_call(struct text *out, const struct call *call, bool body,
                     const struct model_product *p,
                     const struct model_field *f)
{
    const char *mark = strchr(call->name, '#');
    bool first = true;
    if (f && f->deprecated && !body)
        text_put(out, "WARP_DEPRECATED ");
    text_put(out, strcmp(call->target, "state") == 0 ? "enum warp_state "
                                                     : "int ");
    text_put(out, p->c_name);
    if (mark) {
        text_bytes(out, call->name, (size_t)(mark - call->name));
        text_put(out, f->c_name);
        text_put(out, mark + 1);
    } else {
        text_put(out, call->name);
    }
    text_bytes(out, "(", 1);
    for (const char *letter = call->args; *letter; letter++) {
        if (!is_parameter(*letter, f))
            continue;
        if (!first)
            text_bytes(out, ", ", 2);
        first = false;
        put_parameter(out, *letter, body, p, f);
    }
    text_put(out, body ? ")" : ");\n");
    if (body)
        put_body(out, call, p, f);
}

/* Rows that stand for the same fields are written field by field in one go
 * when they follow each other: set and add of a field stand together. */
void emit_c_calls(struct text *out, const struct model_product *p, bool bodies)
{
    for (size_t i = 0; i < sizeof calls / sizeof calls[0];) {
        size_t end = i + 1;
        if (calls[i].which == RECORD) {
            put_call(out, &calls[i], bodies, p, NULL);
            i = end;
            continue;
        }
        while (end < sizeof calls / sizeof calls[0] &&
               calls[end].which != RECORD)
            end++;
        for (uint32_t j = 0; j < p->field_count; j++)
            for (size_t k = i; k < end; k++)
                if (applies(calls[k].which, &p->fields[j]))
                    put_call(out, &calls[k], bodies, p, &p->fields[j]);
        i = end;
    }
}
