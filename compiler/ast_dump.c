/* AST -> text, one node a line, two spaces a level: for tests of the parser
 * and for `warpc check --dump-ast`. */
#include "ast.h"

#include <inttypes.h>
#include <stdio.h>

const char *ast_op_text(enum ast_op op)
{
    static const char *const texts[] = {
        [AST_OP_NEG] = "-",  [AST_OP_NOT] = "!", [AST_OP_ADD] = "+",
        [AST_OP_SUB] = "-",  [AST_OP_MUL] = "*", [AST_OP_DIV] = "/",
        [AST_OP_EQ] = "==",  [AST_OP_NE] = "!=", [AST_OP_LT] = "<",
        [AST_OP_LE] = "<=",  [AST_OP_GT] = ">",  [AST_OP_GE] = ">=",
        [AST_OP_AND] = "&&", [AST_OP_OR] = "||",
    };
    return texts[op];
}

static void indent(FILE *out, int level)
{
    fprintf(out, "%*s", level * 2, "");
}

static void dump_number(FILE *out, const struct ast_number *number)
{
    if (number->is_float)
        fprintf(out, "%.17g", number->value);
    else
        fprintf(out, "%" PRIu64 "%s", number->whole,
                number->too_big ? " (too big)" : "");
    fputs(ast_unit_text(number->unit), out);
}

static void dump_entries(FILE *out, const struct ast_entry *entry, int level);

static void dump_expr(FILE *out, const struct ast_expr *expr, int level)
{
    indent(out, level);
    switch (expr->kind) {
    case AST_NUMBER:
        fputs("number ", out);
        dump_number(out, &expr->number);
        break;
    case AST_TEXT:
        fprintf(out, "text %" PRIu32 " bytes", expr->text.len);
        break;
    case AST_ATOM:
        fprintf(out, "atom :%s", expr->name->text);
        break;
    case AST_NAME:
        fprintf(out, "name %s", expr->name->text);
        break;
    case AST_CALL:
        fprintf(out, "call %s", expr->name->text);
        break;
    case AST_LIST:
        fputs("list", out);
        break;
    case AST_MAP:
        fputs("map", out);
        break;
    case AST_TUPLE:
        fputs("tuple", out);
        break;
    case AST_DOT:
        fprintf(out, "dot .%s", expr->name->text);
        break;
    case AST_UNARY:
    case AST_BINARY:
        fprintf(out, "op %s", ast_op_text(expr->op));
        break;
    case AST_BAD:
        fputs("bad", out);
        break;
    }
    putc('\n', out);
    if (expr->kind == AST_NUMBER || expr->kind == AST_TEXT)
        return;
    if (expr->left != NULL)
        dump_expr(out, expr->left, level + 1);
    if (expr->right != NULL)
        dump_expr(out, expr->right, level + 1);
    dump_entries(out, expr->entries, level + 1);
}

static void dump_entries(FILE *out, const struct ast_entry *entry, int level)
{
    for (; entry != NULL; entry = entry->next) {
        if (entry->key != NULL) {
            indent(out, level);
            fprintf(out, "%s:\n", entry->key->text);
            dump_expr(out, entry->value, level + 1);
        } else {
            dump_expr(out, entry->value, level);
        }
    }
}

static void dump_type(FILE *out, const struct ast_type *type)
{
    switch (type->kind) {
    case AST_TYPE_NAME:
        fputs(type->name->text, out);
        break;
    case AST_TYPE_CALL:
        fprintf(out, "%s()", type->name->text);
        break;
    case AST_TYPE_GENERIC:
        fprintf(out, "%s<", type->name->text);
        for (const struct ast_type *arg = type->args; arg != NULL;
             arg = arg->next) {
            dump_type(out, arg);
            fputs(arg->next != NULL ? ", " : "", out);
        }
        putc('>', out);
        break;
    case AST_TYPE_LIST:
        putc('[', out);
        dump_type(out, type->element);
        putc(']', out);
        break;
    case AST_TYPE_ARRAY:
        dump_type(out, type->element);
        putc('[', out);
        dump_number(out, type->number);
        putc(']', out);
        break;
    case AST_TYPE_OPTIONAL:
        dump_type(out, type->element);
        putc('?', out);
        break;
    case AST_TYPE_NUMBER:
        dump_number(out, type->number);
        break;
    case AST_TYPE_BAD:
        fputs("(bad)", out);
        break;
    }
}

static void dump_doc(FILE *out, const char *doc, int level)
{
    if (doc == NULL)
        return;
    indent(out, level);
    fputs("doc ", out);
    for (; *doc != 0; doc++)
        putc(*doc == '\n' ? '|' : *doc, out);
    putc('\n', out);
}

static void dump_members(FILE *out, const struct ast_member *member, int level)
{
    for (; member != NULL; member = member->next) {
        dump_doc(out, member->doc, level);
        indent(out, level);
        fprintf(out,
                "%s :: ", member->name == NULL ? "(bad)" : member->name->text);
        dump_type(out, member->type);
        fputs(member->broken ? " (broken)\n" : "\n", out);
        dump_entries(out, member->annotations, level + 1);
    }
}

static void dump_decl(FILE *out, const struct ast_decl *decl)
{
    static const char *const kinds[] = {
        [AST_PRODUCT] = "product", [AST_STRUCT] = "struct",
        [AST_ENUM] = "enum",       [AST_SUM] = "sum",
        [AST_POOL] = "pool",       [AST_STRATEGY] = "strategy",
        [AST_KERNEL] = "kernel",
    };
    dump_doc(out, decl->doc, 0);
    fprintf(out, "%s %s%s\n", kinds[decl->kind], decl->name->text,
            decl->broken ? " (broken)" : "");
    for (const struct ast_param *param = decl->params; param != NULL;
         param = param->next) {
        fprintf(out, "  param %s :: ", param->name->text);
        dump_type(out, param->type);
        putc('\n', out);
    }
    if (decl->result != NULL) {
        fputs("  result ", out);
        dump_type(out, decl->result);
        putc('\n', out);
    }
    dump_entries(out, decl->annotations, 2);
    dump_members(out, decl->members, 1);
    for (const struct ast_enum_member *member = decl->enum_members;
         member != NULL; member = member->next) {
        dump_doc(out, member->doc, 1);
        fprintf(out, "  %s\n", member->name->text);
        if (member->value != NULL)
            dump_expr(out, member->value, 2);
    }
    for (const struct ast_variant *variant = decl->variants; variant != NULL;
         variant = variant->next) {
        dump_doc(out, variant->doc, 1);
        fprintf(out, "  variant %s\n", variant->name->text);
        dump_members(out, variant->members, 2);
    }
    dump_entries(out, decl->entries, 1);
    for (const struct ast_statement *line = decl->statements; line != NULL;
         line = line->next) {
        fprintf(out, "  %s\n", line->name == NULL ? "=>" : line->name->text);
        dump_expr(out, line->value, 2);
    }
}

void ast_dump(const struct ast_file *file, void *stream)
{
    FILE *out = stream;
    for (const struct ast_import *import = file->imports; import != NULL;
         import = import->next)
        fprintf(out, "import %s\n", import->path.bytes);
    for (const struct ast_attribute *attribute = file->attributes;
         attribute != NULL; attribute = attribute->next) {
        fprintf(out, "@%s\n", attribute->name->text);
        dump_expr(out, attribute->value, 1);
    }
    for (const struct ast_decl *decl = file->decls; decl != NULL;
         decl = decl->next)
        dump_decl(out, decl);
}
