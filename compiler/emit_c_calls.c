/* The functions of a product: a prototype per row of `calls` in the header,
 * and in the .c file one definition per field and kind, by the macros at the
 * end of <warp/gen.h>. A further call is a row here and its macro there; the
 * compiler of the generated code sees to it that both agree. */
#include "emit.h"

#include <string.h>

/* Which fields a row stands for. */
enum which {
    RECORD,
    LINKED, /* RECORD, where records have partners */
    SETTABLE,
    ADDABLE,
    INDEXED,
    UNIQUE,
    COLUMN,
    SERIES,
    KERNEL,
    SUMMARY
};

/* In `name`, # is the field. `parameters`: one letter each, see
 * put_parameter(). */
struct call {
    enum which which;
    const char *name, *parameters;
};

static const struct call calls[] = {
    {RECORD, "_put", "drm"},
    {RECORD, "_get", "dkmoa"},
    {LINKED, "_get_with_partners", "dkmoPa"},
    {RECORD, "_delete", "dk"},
    {SETTABLE, "_set_#", "dkv"},
    {ADDABLE, "_add_#", "dkDw"},
    {RECORD, "_touch", "dkm"},
    {RECORD, "_expire", "dkml"},
    {RECORD, "_version", "dkV"},
    {RECORD, "_state", "dkf"},
    {RECORD, "_prefetch", "dKcm"},
    {RECORD, "_scan", "dgmI"},
    {INDEXED, "_by_#", "dqmI"},
    {UNIQUE, "_get_by_#", "dqmoa"},
    {RECORD, "_next", "noa"},
    {COLUMN, "_#_column", "dsC"},
    {KERNEL, "_#_peek", "dkzh"},
    {KERNEL, "_#_request", "dKcu"},
    {KERNEL, "_#_compute", "dKcyi"},
    {SUMMARY, "_#_summary", "dkS"},
    {SERIES, "_#_append", "dkte"},
    {SERIES, "_#_range", "dkFTI"},
    {SERIES, "_#_range_with", "dkFTLI"},
    {SERIES, "_#_next", "npEa"},
    /* the twins inside a batch */
    {RECORD, "_put_in", "brm"},
    {SETTABLE, "_set_#_in", "bkv"},
    {ADDABLE, "_add_#_in", "bkD"},
    {RECORD, "_delete_in", "bk"},
    {RECORD, "_touch_in", "bkm"},
    {RECORD, "_expire_in", "bkml"},
    {SERIES, "_#_append_in", "bkte"},
    {RECORD, "_expect_in", "bkx"},
};
enum { CALLS = sizeof calls / sizeof calls[0] };

static bool applies(enum which which, const struct model_product *p,
                    const struct model_field *f)
{
    switch (which) {
    case RECORD:
    case LINKED:
        return false;
    case SETTABLE:
        return f->can_set;
    case ADDABLE:
        return f->can_add;
    case INDEXED:
        return f->indexed || f->unique;
    case UNIQUE:
        return f->unique;
    case COLUMN:
        return f->column;
    case SERIES:
        return f->series;
    case KERNEL:
        return emit_is_kernel(p, f);
    case SUMMARY:
        return f->summary;
    }
    return false;
}

/* A parameter's name must not be another one's. */
static const char *safe_name(const char *wanted, const char *otherwise)
{
    static const char *const taken[] = {
        "fields",  "out",     "delta", "now",   "deadline_ms",
        "version", "field",   "keys",  "count", "shard",
        "at_ms",   "from_ms", "to_ms", "value", "flags"};
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        if (strcmp(wanted, taken[i]) == 0)
            return otherwise;
    return wanted;
}

static const char *delta_type(const struct model_field *f)
{
    return f->type->class == CLASS_FLOAT ? f->type->c_type : "int64_t";
}

/* Of calls that a kernel brings. */
static void put_kernel_parameter(struct text *out, char letter,
                                 const struct model_field *f)
{
    switch (letter) {
    case 'z':
        text_put3(out, f->type->c_type, " *", "");
        break;
    case 'S':
        TEXT(out, "struct warp_summary *");
        break;
    case 'h':
        TEXT(out, "enum warp_fresh *");
        break;
    case 'u':
        TEXT(out, "struct warp_future **");
        break;
    case 'y':
        text_put3(out, f->type->c_type, " *out", "");
        break;
    case 'i':
        TEXT(out, "struct warp_run_info *");
        break;
    }
}

/* Parameters that only their type explains have no name. */
static void put_parameter(struct text *out, char letter,
                          const struct model_product *p,
                          const struct model_field *f, const char *key)
{
    switch (letter) {
    case 'd':
        TEXT(out, "struct warp_db *");
        break;
    case 'b':
        TEXT(out, "struct warp_batch *");
        break;
    case 'n':
        TEXT(out, "struct warp_iter *");
        break;
    case 'a':
        TEXT(out, "struct warp_arena *");
        break;
    case 'I':
        TEXT(out, "struct warp_iter **");
        break;
    case 'C':
        TEXT(out, "struct warp_column *");
        break;
    case 'P':
        TEXT(out, "struct warp_partners *");
        break;
    case 'm':
        TEXT(out, "uint64_t fields");
        break;
    case 'c':
        TEXT(out, "size_t count");
        break;
    case 'l':
        TEXT(out, "int64_t deadline_ms");
        break;
    case 'V':
        TEXT(out, "uint64_t *version");
        break;
    case 'x':
        TEXT(out, "uint64_t version");
        break;
    case 'f':
        TEXT(out, "uint64_t field");
        break;
    case 's':
        TEXT(out, "uint32_t shard");
        break;
    case 't':
        TEXT(out, "int64_t at_ms");
        break;
    case 'p':
        TEXT(out, "int64_t *at_ms");
        break;
    case 'F':
        TEXT(out, "int64_t from_ms");
        break;
    case 'T':
        TEXT(out, "int64_t to_ms");
        break;
    case 'L':
        TEXT(out, "uint64_t flags");
        break;
    case 'k':
        text_put3(out, p->key_c_type, " ", key);
        break;
    case 'K':
        text_put3(out, "const ", p->key_c_type, " *keys");
        break;
    case 'r':
        text_put3(out, "const struct ", p->c_name, " *");
        break;
    case 'o':
        text_put3(out, "struct ", p->c_name, " *out");
        break;
    case 'g':
        text_put3(out, "const struct ", p->c_name, "_range *");
        break;
    case 'v':
        text_put(out, f->type->c_type);
        break;
    case 'q':
        text_put3(out, f->type->c_type, " ", safe_name(f->c_name, "value"));
        break;
    case 'D':
        text_put3(out, delta_type(f), " ", "delta");
        break;
    case 'w':
        text_put3(out, f->type->c_type, " *", "now");
        break;
    case 'e':
        text_put(out, f->type->element->c_type);
        break;
    case 'E':
        text_put3(out, f->type->element->c_type, " *", "");
        break;
    default:
        put_kernel_parameter(out, letter, f);
        break;
    }
}

static void put_prototype(struct text *out, const struct call *call,
                          const struct model_product *p,
                          const struct model_field *f, const char *key)
{
    const char *mark = strchr(call->name, '#');
    bool first = true;
    if (f && f->deprecated)
        TEXT(out, "WARP_DEPRECATED ");
    if (strcmp(call->name, "_state") == 0)
        TEXT(out, "enum warp_state ");
    else
        TEXT(out, "int ");
    text_put(out, p->c_name);
    if (mark) {
        text_bytes(out, call->name, (size_t)(mark - call->name));
        text_put(out, f->c_name);
        text_put(out, mark + 1);
    } else {
        text_put(out, call->name);
    }
    TEXT(out, "(");
    for (const char *letter = call->parameters; *letter; letter++) {
        if (*letter == 't' && f && f->by)
            continue; /* the element carries its time */
        if (!first)
            TEXT(out, ", ");
        first = false;
        put_parameter(out, *letter, p, f, key);
    }
    TEXT(out, ");\n");
}

/* Rows of fields that follow each other are written field by field: set and
 * add of one field stand together. */
void emit_c_prototypes(struct text *out, const struct model_product *p)
{
    const char *key =
        p->key_composite ? "key" : safe_name(p->keys[0]->c_name, "key");
    for (size_t i = 0; i < CALLS;) {
        size_t end = i;
        if (calls[i].which <= LINKED) {
            if (calls[i].which == RECORD || model_has_partners(p))
                put_prototype(out, &calls[i], p, NULL, key);
            i++;
            continue;
        }
        while (end < CALLS && calls[end].which > LINKED)
            end++;
        for (uint32_t j = 0; j < p->field_count; j++)
            for (size_t k = i; k < end; k++)
                if (applies(calls[k].which, p, &p->fields[j]))
                    put_prototype(out, &calls[k], p, &p->fields[j], key);
        i = end;
    }
}

/* MACRO(product, key, field, number, type, delta): what it takes of these. */
static void put_definition(struct text *out, const char *macro,
                           const struct model_product *p, bool key,
                           const struct model_field *f, const char *type,
                           const char *delta)
{
    text_put3(out, "WARP_GEN_", macro, "(");
    text_put(out, p->c_name);
    if (key)
        text_put3(out, ", ", p->key_c_type, "");
    text_put3(out, ", ", f->c_name, ", ");
    text_format(out, "%u", f->index);
    if (type)
        text_put3(out, ", ", type, "");
    if (delta)
        text_put3(out, ", ", delta, "");
    TEXT(out, ")\n");
}

void emit_c_definitions(struct text *out, const struct model_product *p)
{
    text_format(out, "WARP_GEN_RECORD(%s, %s)\n", p->c_name, p->key_c_type);
    if (model_has_partners(p))
        text_format(out, "WARP_GEN_PARTNERS(%s, %s)\n", p->c_name,
                    p->key_c_type);
    for (uint32_t i = 0; i < p->field_count; i++) {
        const struct model_field *f = &p->fields[i];
        const char *type = f->type->c_type;
        if (f->can_set)
            put_definition(out, "SET", p, true, f, type, NULL);
        if (f->can_add)
            put_definition(out, "ADD", p, true, f, type, delta_type(f));
        if (f->indexed || f->unique)
            put_definition(out, "BY", p, false, f, type, NULL);
        if (f->unique)
            put_definition(out, "GET_BY", p, false, f, type, NULL);
        if (f->column)
            put_definition(out, "COLUMN", p, false, f, NULL, NULL);
        if (emit_is_kernel(p, f))
            put_definition(out, "KERNEL", p, true, f, type, NULL);
        if (f->summary)
            put_definition(out, "SUMMARY", p, true, f, NULL, NULL);
        if (f->series)
            put_definition(out, f->by ? "SERIES_BY" : "SERIES", p, true, f,
                           f->type->element->c_type, NULL);
    }
}
