/* Masks, the hot set, the products' C structs, and the order in which C can
 * declare the types of each file: what lies inside another by value first. */
#include "check.h"

#include <string.h>

/* Products ----------------------------------------------------------------- */

static uint64_t bit_of(const struct model_field *field)
{
    return UINT64_C(1) << field->index;
}

/* A derived field is hot if all that it reads is: no circles are left. */
static bool is_hot(const struct check_symbol *product,
                   const struct model_field *field)
{
    if (!field->derived)
        return field->hot;
    for (uint32_t i = 0; i < product->field_count; i++) {
        const struct model_field *input = product->fields[i].model;
        if ((field->inputs >> i & 1) != 0 && !input->key &&
            !is_hot(product, input))
            return false;
    }
    return true;
}

static void set_masks(struct check_symbol *symbol)
{
    struct model_product *product = symbol->product;
    for (uint32_t i = 0; i < symbol->field_count; i++) {
        struct model_field *field = symbol->fields[i].model;
        uint64_t bit = bit_of(field);
        field->hot = is_hot(symbol, field) && !field->series;
        product->key_mask |= field->key ? bit : 0;
        product->series_mask |= field->series ? bit : 0;
        product->derived_mask |= field->derived ? bit : 0;
        if (field->key || field->series)
            continue;
        product->all_mask |= bit;
        product->hot_mask |= field->hot ? bit : 0;
    }
}

static void lay_out_product(struct check *check, struct check_symbol *symbol)
{
    struct model_product *product = symbol->product;
    uint64_t size = 0;
    uint32_t align = 8;
    for (uint32_t i = 0; i < symbol->field_count; i++) {
        const struct model_field *field = symbol->fields[i].model;
        if (field->series)
            continue;
        uint32_t own = field->type->c_align;
        size = (size + own - 1) / own * own + field->type->c_size;
        if (own > align)
            align = own;
    }
    size = (size + 7) / 8 * 8 + 8;
    product->c_size = (uint32_t)((size + align - 1) / align * align);
    product->c_align = align;
    product->key_composite = product->key_count > 1;
    product->key_c_type =
        product->key_composite
            ? arena_format(check->arena, "struct %s_key", product->c_name)
            : product->keys[0]->type->c_type;
}

/* Order of declarations ---------------------------------------------------- */

struct ordering {
    struct check *check;
    struct check_file *file;
    struct model_decl *list;
    uint32_t count, capacity;
    unsigned char *seen;             /* by type index */
    struct atom_map tags;            /* of wrappers: one declaration each */
    const struct model_type **later; /* behind pointers: when all is there */
    uint32_t later_count, later_capacity;
};

static void need_type(struct ordering *o, const struct model_type *type);

static void add_decl(struct ordering *o, const struct model_decl *decl)
{
    if (o->count == o->capacity) {
        uint32_t capacity = o->capacity == 0 ? 16 : o->capacity * 2;
        o->list =
            arena_grow(o->check->arena, o->list, o->capacity * sizeof *decl,
                       capacity * sizeof *decl);
        o->capacity = capacity;
    }
    o->list[o->count++] = *decl;
}

static void add_wrapper(struct ordering *o, const struct model_type *type)
{
    const struct atom *tag = atom_intern(o->check->atoms, type->wrapper_tag,
                                         strlen(type->wrapper_tag));
    if (atom_map_put(&o->tags, tag, (void *)(uintptr_t)type) == NULL)
        add_decl(o,
                 &(struct model_decl){.kind = DECL_WRAPPER, .wrapper = type});
}

static void put_off(struct ordering *o, const struct model_type *type)
{
    if (o->later_count == o->later_capacity) {
        uint32_t capacity = o->later_capacity == 0 ? 16 : o->later_capacity * 2;
        o->later = arena_grow(o->check->arena, o->later,
                              o->later_capacity * sizeof(void *),
                              capacity * sizeof(void *));
        o->later_capacity = capacity;
    }
    o->later[o->later_count++] = type;
}

static void need_members(struct ordering *o, const struct model_member *list,
                         uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        need_type(o, list[i].type);
}

static void need_own(struct ordering *o, const struct model_type *type)
{
    if (type->kind == TYPE_ENUM) {
        if (type->enumeration->file == o->file->model)
            add_decl(o, &(struct model_decl){.kind = DECL_ENUM,
                                             .enumeration = type->enumeration});
        return;
    }
    if (type->kind == TYPE_STRUCT) {
        if (type->structure->file != o->file->model)
            return;
        need_members(o, type->structure->members,
                     type->structure->member_count);
        add_decl(o, &(struct model_decl){.kind = DECL_STRUCT,
                                         .structure = type->structure});
        return;
    }
    if (type->sum->file != o->file->model)
        return;
    for (uint32_t i = 0; i < type->sum->variant_count; i++)
        need_members(o, type->sum->variants[i].members,
                     type->sum->variants[i].member_count);
    add_decl(o, &(struct model_decl){.kind = DECL_SUM, .sum = type->sum});
}

static void need_type(struct ordering *o, const struct model_type *type)
{
    if (o->seen[type->index])
        return;
    o->seen[type->index] = 1;
    switch (type->kind) {
    case TYPE_STRUCT:
    case TYPE_ENUM:
    case TYPE_SUM:
        need_own(o, type);
        break;
    case TYPE_ARRAY:
        need_type(o, type->element);
        add_wrapper(o, type);
        break;
    case TYPE_FIXED_BYTES:
        add_wrapper(o, type);
        break;
    case TYPE_LIST:
        put_off(o, type->element);
        break;
    case TYPE_MAP:
        o->seen[type->index] = 0;
        put_off(o, type);
        break;
    default:
        break;
    }
}

/* What stood behind pointers: elements of lists, entries of maps. */
static void need_later(struct ordering *o)
{
    for (uint32_t i = 0; i < o->later_count; i++) {
        const struct model_type *type = o->later[i];
        if (type->kind != TYPE_MAP) {
            need_type(o, type);
            continue;
        }
        if (o->seen[type->index])
            continue;
        o->seen[type->index] = 1;
        need_type(o, type->key);
        need_type(o, type->element);
        add_wrapper(o, type);
    }
    o->later_count = 0;
}

static void order_file(struct check *check, struct check_file *file,
                       struct check_symbol *first)
{
    struct ordering o = {.check = check, .file = file};
    o.seen = arena_alloc(check->arena, check->type_count + 1);
    atom_map_init(&o.tags, check->arena);
    struct check_symbol *s;
    for (s = first; s != NULL && s->file == file->model; s = s->next) {
        if (s->type == NULL)
            continue;
        need_type(&o, s->type);
        need_later(&o);
    }
    for (s = first; s != NULL && s->file == file->model; s = s->next) {
        if (s->decl->kind != AST_PRODUCT)
            continue;
        for (uint32_t i = 0; i < s->field_count; i++)
            need_type(&o, s->fields[i].model->type);
        need_later(&o);
    }
    file->model->order = o.list;
    file->model->order_count = o.count;
}

void check_layout(struct check *check)
{
    for (struct check_symbol *s = check->first; s != NULL; s = s->next) {
        if (s->decl->kind != AST_PRODUCT)
            continue;
        set_masks(s);
        lay_out_product(check, s);
    }
    struct check_symbol *s = check->first;
    for (uint32_t i = 0; i < check->file_count; i++) {
        while (s != NULL && s->file != check->files[i].model)
            s = s->next;
        if (s == NULL)
            s = check->first;
        order_file(check, &check->files[i], s);
    }
}
