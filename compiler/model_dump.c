/* Model -> text: every resolved value, one declaration after the other, the
 * same in every directory. What the checker works out is tested against it. */
#include "model_dump.h"

#include <inttypes.h>
#include <string.h>

void model_dump_time(int64_t ms, FILE *out)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {
        {"y", 365 * INT64_C(86400000)},
        {"w", 7 * INT64_C(86400000)},
        {"d", 86400000},
        {"h", 3600000},
        {"m", 60000},
        {"s", 1000},
    };
    if (ms == MODEL_FOREVER) {
        fputs("forever", out);
        return;
    }
    for (size_t i = 0; ms != 0 && i < sizeof units / sizeof units[0]; i++) {
        if (ms % units[i].ms == 0) {
            fprintf(out, "%" PRId64 "%s", ms / units[i].ms, units[i].unit);
            return;
        }
    }
    fprintf(out, "%" PRId64 "ms", ms);
}

static void dump_text(const char *text, size_t len, FILE *out)
{
    putc('"', out);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            fprintf(out, "\\x%02x", c);
        else
            putc(c, out);
    }
    putc('"', out);
}

void model_dump_value(const struct model_value *value, FILE *out)
{
    switch (value->kind) {
    case VALUE_NONE:
        fputs("none", out);
        break;
    case VALUE_BOOL:
        fputs(value->i != 0 ? "true" : "false", out);
        break;
    case VALUE_INT:
        fprintf(out, "%" PRId64, value->i);
        break;
    case VALUE_UINT:
        fprintf(out, "%" PRIu64, value->u);
        break;
    case VALUE_FLOAT:
        fprintf(out, "%.17g", value->f);
        break;
    case VALUE_ENUM:
        fprintf(out, ":%s (%" PRId64 ")", value->member->name, value->i);
        break;
    case VALUE_TEXT:
        dump_text(value->text, value->len, out);
        break;
    case VALUE_UUID:
        for (int i = 0; i < 16; i++)
            fprintf(out, "%02x", (unsigned char)value->text[i]);
        break;
    case VALUE_EMPTY:
        fputs("empty", out);
        break;
    case VALUE_TUPLE:
        putc('{', out);
        for (uint32_t i = 0; i < value->item_count; i++) {
            fputs(i > 0 ? ", " : "", out);
            model_dump_value(&value->items[i], out);
        }
        putc('}', out);
        break;
    }
}

/* Expressions -------------------------------------------------------------- */

static const char *const op_texts[] = {
    [OP_NEG] = "-",  [OP_NOT] = "!", [OP_ADD] = "+", [OP_SUB] = "-",
    [OP_MUL] = "*",  [OP_DIV] = "/", [OP_EQ] = "==", [OP_NE] = "!=",
    [OP_LT] = "<",   [OP_LE] = "<=", [OP_GT] = ">",  [OP_GE] = ">=",
    [OP_AND] = "&&", [OP_OR] = "||",
};

static const char *const call_texts[] = {
#define CALL(id, name, arity, result, text) name,
#include "../grammar/calls.def"
#undef CALL
};

static const char *const type_texts[] = {
#define SCALAR(id, name, elixir, c_form, bytes, class) name,
#include "../grammar/types.def"
#undef SCALAR
};

static void dump_operands(const struct model_expr *expr, const char *name,
                          FILE *out)
{
    fprintf(out, "%s(", name);
    for (uint32_t i = 0; i < expr->operand_count; i++) {
        fputs(i > 0 ? ", " : "", out);
        model_dump_expr(expr->operands[i], out);
    }
    putc(')', out);
}

void model_dump_expr(const struct model_expr *expr, FILE *out)
{
    static const char *const shard[] = {"px", "py", "mass", "load", "capacity"};
    switch (expr->kind) {
    case EXPR_NUMBER:
    case EXPR_BOOL:
        model_dump_value(&expr->value, out);
        break;
    case EXPR_FIELD:
        fprintf(out, "%s%s", expr->param == 0 ? "" : "other.",
                expr->field->name);
        if (expr->member != NULL)
            fprintf(out, ".%s", expr->member->name);
        break;
    case EXPR_MEMBER:
        fprintf(out, "element.%s", expr->member->name);
        break;
    case EXPR_ELEMENT:
        fputs("element", out);
        break;
    case EXPR_SHARD:
        fprintf(out, "shard.%s", shard[expr->shard_member]);
        break;
    case EXPR_LOCAL:
        fprintf(out, "$%" PRIu32, expr->local);
        break;
    case EXPR_UNARY:
        fprintf(out, "(%s", op_texts[expr->op]);
        model_dump_expr(expr->operands[0], out);
        putc(')', out);
        break;
    case EXPR_BINARY:
        putc('(', out);
        model_dump_expr(expr->operands[0], out);
        fprintf(out, " %s ", op_texts[expr->op]);
        model_dump_expr(expr->operands[1], out);
        putc(')', out);
        break;
    case EXPR_CALL:
        dump_operands(expr, call_texts[expr->call], out);
        break;
    case EXPR_CONVERT:
        dump_operands(expr, type_texts[expr->type], out);
        break;
    }
}

/* Declarations ------------------------------------------------------------- */

static void dump_doc(const char *doc, const char *indent, FILE *out)
{
    if (doc == NULL)
        return;
    fprintf(out, "%sdoc ", indent);
    dump_text(doc, strlen(doc), out);
    putc('\n', out);
}

static void dump_members(const struct model_member *members, uint32_t count,
                         const char *indent, FILE *out)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct model_member *m = &members[i];
        dump_doc(m->doc, indent, out);
        fprintf(out, "%s%s :: %s%s  c \"%s\" at %" PRIu32, indent, m->name,
                m->type->spelling, m->optional ? "?" : "", m->type->c_type,
                m->c_offset);
        if (m->c_has != NULL)
            fprintf(out, " has %s", m->c_has);
        if (m->was != NULL)
            fprintf(out, " was %s", m->was);
        if (m->deprecated)
            fputs(" deprecated", out);
        if (m->value.kind != VALUE_NONE) {
            fputs(" default ", out);
            model_dump_value(&m->value, out);
        }
        putc('\n', out);
    }
}

static void dump_size(const struct model_type *type, FILE *out)
{
    fprintf(out, " size %" PRIu32 " align %" PRIu32 " stored %" PRIu32 "%s\n",
            type->c_size, type->c_align, type->stored_bytes,
            type->fixed ? " fixed" : "");
}

static void dump_decl(const struct model_decl *decl, FILE *out)
{
    switch (decl->kind) {
    case DECL_ENUM: {
        const struct model_enum *e = decl->enumeration;
        dump_doc(e->doc, "", out);
        fprintf(out, "enum %s c \"%s\" stored as %s\n", e->name, e->c_name,
                e->storage->spelling);
        for (uint32_t i = 0; i < e->member_count; i++) {
            dump_doc(e->members[i].doc, "  ", out);
            fprintf(out, "  %s = %" PRId64 " c \"%s\"\n", e->members[i].name,
                    e->members[i].value, e->members[i].c_name);
        }
        break;
    }
    case DECL_STRUCT:
        dump_doc(decl->structure->doc, "", out);
        fprintf(out, "struct %s c \"%s\"", decl->structure->name,
                decl->structure->c_name);
        dump_size(decl->structure->type, out);
        dump_members(decl->structure->members, decl->structure->member_count,
                     "  ", out);
        break;
    case DECL_SUM:
        dump_doc(decl->sum->doc, "", out);
        fprintf(out, "sum %s c \"%s\" tag \"%s\"", decl->sum->name,
                decl->sum->c_name, decl->sum->c_tag_enum);
        dump_size(decl->sum->type, out);
        for (uint32_t i = 0; i < decl->sum->variant_count; i++) {
            const struct model_variant *v = &decl->sum->variants[i];
            dump_doc(v->doc, "  ", out);
            fprintf(out, "  variant %s = %" PRIu32 " c \"%s\" tag \"%s\"\n",
                    v->name, v->index, v->c_name, v->c_tag);
            dump_members(v->members, v->member_count, "    ", out);
        }
        break;
    case DECL_WRAPPER:
        fprintf(out, "wrapper %s for %s guard %s", decl->wrapper->wrapper_tag,
                decl->wrapper->spelling, decl->wrapper->wrapper_guard);
        dump_size(decl->wrapper, out);
        break;
    }
}

static const char *origin_name(enum model_origin origin)
{
    static const char *const names[] = {"default", "file", "product",
                                        "strategy", "field"};
    return names[origin];
}

static void dump_compute(const struct model_field *field, FILE *out)
{
    static const char *const kinds[] = {
        "gpu",          "cpu",    "gpu_only", "gpu_batch",
        "cpu_fallback", "kernel", "gpu_raw",  "cpu function",
    };
    for (uint32_t i = 0; i < field->compute_count; i++) {
        const struct model_compute *c = &field->compute[i];
        fprintf(out, "    compute %s", kinds[c->kind]);
        if (c->kind == COMPUTE_KERNEL)
            fprintf(out, " %s", c->kernel->name);
        if (c->kind == COMPUTE_GPU_RAW)
            fprintf(out, " %s %s %s", c->cl_path, c->cu_path, c->entry);
        if (c->kind == COMPUTE_CPU_FN)
            fprintf(out, " %s", c->function);
        putc('\n', out);
    }
    if (field->formula != NULL) {
        fputs("    formula ", out);
        model_dump_expr(field->formula, out);
        putc('\n', out);
    }
    if (field->derived)
        fprintf(out, "    derived from 0x%" PRIx64 "\n", field->inputs);
}

static void dump_lifetime(const struct model_field *field, FILE *out)
{
    static const char *const ends[] = {"unsaid", "keep", "delete"};
    if (field->ttl_ms != 0) {
        fputs("    ttl ", out);
        model_dump_time(field->ttl_ms, out);
        putc('\n', out);
    }
    if (!field->series)
        return;
    fputs("    series", out);
    if (field->by != NULL)
        fprintf(out, " by %s", field->by->name);
    for (uint32_t i = 0; i < field->retention_count; i++) {
        fprintf(out, " %s ", model_tier_name(field->retention[i].tier));
        model_dump_time(field->retention[i].age_ms, out);
    }
    fprintf(out, " end %s\n", ends[field->retention_end]);
}

static void dump_field(const struct model_field *field, FILE *out)
{
    dump_doc(field->doc, "  ", out);
    fprintf(out, "  %" PRIu32 " %s :: %s%s  c \"%s\" mask %s\n", field->index,
            field->name, field->type->spelling, field->optional ? "?" : "",
            field->type->c_type, field->c_macro);
    fprintf(out, "    home %s (%s)", model_policy_facts(field->policy)->name,
            origin_name(field->policy_from));
    for (uint32_t i = 0; i < field->copy_count; i++)
        fprintf(out, " copy %s", model_policy_facts(field->copies[i])->name);
    if (field->prefer != MODEL_TIER_NONE)
        fprintf(out, " prefer %s", model_tier_name(field->prefer));
    fprintf(out, " survives %s (%s)", model_survives_name(field->survives),
            origin_name(field->survives_from));
    fprintf(out, " compression %s",
            field->compression == COMPRESSION_UNSET
                ? "past threshold"
                : model_compression_name(field->compression));
    fprintf(out, " priority %s (%s)", model_priority_name(field->priority),
            origin_name(field->priority_from));
    if (field->access != ACCESS_UNSET)
        fprintf(out, " access %s (%s)", model_access_name(field->access),
                origin_name(field->access_from));
    if (field->physics != PHYSICS_NONE)
        fprintf(out, " physics %s", model_physics_name(field->physics));
    fputs("\n    is", out);
    static const char *const words[] = {"key",     "unique",   "indexed",
                                        "column",  "hot",      "deprecated",
                                        "summary", "settable", "addable"};
    const bool flags[] = {field->key,     field->unique,  field->indexed,
                          field->column,  field->hot,     field->deprecated,
                          field->summary, field->can_set, field->can_add};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (flags[i])
            fprintf(out, " %s", words[i]);
    }
    putc('\n', out);
    if (field->was != NULL)
        fprintf(out, "    was %s\n", field->was);
    if (field->value.kind != VALUE_NONE) {
        fputs("    default ", out);
        model_dump_value(&field->value, out);
        putc('\n', out);
    }
    dump_lifetime(field, out);
    dump_compute(field, out);
}

static void dump_product(const struct model_product *p, FILE *out)
{
    dump_doc(p->doc, "", out);
    fprintf(out,
            "product %s c \"%s\" %s key \"%s\" size %" PRIu32 " align %" PRIu32
            "\n",
            p->name, p->c_name, p->c_upper, p->key_c_type, p->c_size,
            p->c_align);
    fprintf(out,
            "  keys 0x%" PRIx64 " hot 0x%" PRIx64 " all 0x%" PRIx64
            " series 0x%" PRIx64 " derived 0x%" PRIx64 "\n",
            p->key_mask, p->hot_mask, p->all_mask, p->series_mask,
            p->derived_mask);
    if (p->strategy != NULL)
        fprintf(out, "  strategy %s%s\n", p->strategy->name,
                p->strategy_bound ? " (bound)" : "");
    if (p->max_memory_bytes != 0)
        fprintf(out, "  max_memory %" PRIu64 "\n", p->max_memory_bytes);
    if (p->ttl_ms != 0) {
        fputs("  ttl ", out);
        model_dump_time(p->ttl_ms, out);
        putc('\n', out);
    }
    for (uint32_t i = 0; i < p->field_count; i++)
        dump_field(&p->fields[i], out);
}

static void dump_threshold(const char *name, const struct model_threshold *t,
                           FILE *out)
{
    fprintf(out, "  %s %" PRIu64 " in ", name, t->frequency);
    model_dump_time(t->window_ms, out);
    putc('\n', out);
}

static void dump_strategy(const struct model_strategy *s, FILE *out)
{
    dump_doc(s->doc, "", out);
    fprintf(out, "strategy %s set 0x%" PRIx32 "\n", s->name, s->set);
    if (s->memory_pool != NULL)
        fprintf(out, "  memory_pool %s\n", s->memory_pool->name);
    if (s->gpu_memory_pool != NULL)
        fprintf(out, "  gpu_memory_pool %s\n", s->gpu_memory_pool->name);
    fprintf(out,
            "  instance %" PRIu64 " batch %" PRIu64 " threshold %" PRIu64
            " buffer %" PRIu64 " learning %d migration %d\n",
            s->max_memory_per_instance_bytes, s->gpu_batch_size,
            s->compression_threshold_bytes, s->async_write_buffer,
            s->access_pattern_learning, s->auto_migration);
    if (s->set >> STRATEGY_HOT_TO_WARM & 1)
        dump_threshold("hot_to_warm", &s->hot_to_warm, out);
    if (s->set >> STRATEGY_WARM_TO_COLD & 1)
        dump_threshold("warm_to_cold", &s->warm_to_cold, out);
    if (s->set >> STRATEGY_COLD_TO_ARCHIVE & 1) {
        fputs("  cold_to_archive ", out);
        model_dump_time(s->cold_to_archive_ms, out);
        putc('\n', out);
    }
}

static void dump_kernel(const struct model_kernel *k, FILE *out)
{
    static const char *const shapes[] = {"map", "pairwise", "segreduce"};
    static const char *const reduces[] = {"none",   "sum",     "min",  "max",
                                          "argmax", "softmax", "top_k"};
    dump_doc(k->doc, "", out);
    fprintf(out,
            "kernel %s c \"%s\" :: %s element %s shape %s reduce %s %" PRIu32
            " inputs 0x%" PRIx64 "\n",
            k->name, k->c_name, k->type->spelling, type_texts[k->element],
            shapes[k->shape], reduces[k->reduce], k->reduce_k, k->inputs);
    for (uint32_t i = 0; i < k->param_count; i++)
        fprintf(out, "  param %s %s\n", k->params[i].name,
                k->params[i].shard             ? "shard"
                : k->params[i].product != NULL ? k->params[i].product->name
                                               : k->params[i].list->name);
    for (uint32_t i = 0; i < k->statement_count; i++) {
        fprintf(out, "  $%" PRIu32 " %s = ", i, k->statements[i].name);
        model_dump_expr(k->statements[i].value, out);
        putc('\n', out);
    }
    fputs("  => ", out);
    model_dump_expr(k->result, out);
    putc('\n', out);
}

void model_dump(const struct model *model, FILE *out)
{
    for (uint32_t f = 0; f < model->file_count; f++) {
        const struct model_file *file = model->files[f];
        fprintf(out, "file %s stem %s prefix \"%s\" survives %s\n", file->base,
                file->stem_c == NULL ? "-" : file->stem_c, file->prefix,
                model_survives_name(file->survives));
        for (uint32_t i = 0; i < file->import_count; i++)
            fprintf(out, "import %s\n", file->imports[i].written);
        for (uint32_t i = 0; i < file->order_count; i++)
            dump_decl(&file->order[i], out);
        for (uint32_t i = 0; i < file->product_count; i++)
            dump_product(file->products[i], out);
        for (uint32_t i = 0; i < file->kernel_count; i++)
            dump_kernel(file->kernels[i], out);
    }
    for (uint32_t i = 0; i < model->strategy_count; i++)
        dump_strategy(model->strategies[i], out);
    for (uint32_t i = 0; i < model->pool_count; i++)
        fprintf(out, "pool %s %" PRIu64 "%s\n", model->pools[i]->name,
                model->pools[i]->size_bytes,
                model->pools[i]->declared ? "" : " (undeclared)");
}
