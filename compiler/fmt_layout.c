/* Where a token stands: on the line of the one before or on a new one, how far
 * in, and behind how much space. Two spaces a block, two more for a line that
 * goes on, two for what stands in brackets. Never joins lines, so that the
 * layout of what is laid out is itself. */
#include "fmt_layout.h"

#include "arena.h"
#include "limit.h"
#include "warp.tab.h"

#include <string.h>

enum { DEPTH = LIMIT_NESTING + 8, STEP = 2 };

struct layout {
    struct arena *arena;
    const struct source *source;
    const struct parse_token *tokens;
    uint32_t count;
    struct fmt_text *out;
    size_t room;
    /* state */
    int head;          /* the declaration whose `do` is to come */
    int blocks[DEPTH]; /* what opened each block */
    bool wide[DEPTH];  /* the block has lines of its own */
    uint32_t block_count;
    uint32_t brackets[DEPTH]; /* the indentation of the line of each */
    uint32_t bracket_count;
    uint32_t line_indent;
    uint32_t angles;
    bool type; /* between `::` and the end of the type */
};

static void put(struct layout *l, const char *text, size_t len)
{
    if (l->out->len + len > l->room) {
        size_t room = (l->out->len + len) * 2 + 4096;
        l->out->bytes = arena_grow(l->arena, l->out->bytes, l->out->len, room);
        l->room = room;
    }
    memcpy(l->out->bytes + l->out->len, text, len);
    l->out->len += len;
}

static void put_spaces(struct layout *l, uint32_t count)
{
    while (count-- > 0)
        put(l, " ", 1);
}

/* Tokens ------------------------------------------------------------------- */

static int kind_at(const struct layout *l, uint32_t i)
{
    return i < l->count ? l->tokens[i].kind : 0;
}

/* The token before that is no comment. */
static int kind_before(const struct layout *l, uint32_t i)
{
    while (i-- > 0) {
        if (!l->tokens[i].comment)
            return l->tokens[i].kind;
    }
    return 0;
}

static uint32_t lines_between(const struct layout *l, uint32_t i)
{
    uint32_t begin = i == 0 ? 0 : l->tokens[i - 1].at.end, lines = 0;
    for (uint32_t at = begin; at < l->tokens[i].at.begin; at++)
        lines += l->source->text[at] == '\n';
    return lines;
}

static bool is_open(int kind)
{
    return kind == '(' || kind == '[' || kind == '{' || kind == MAP_OPEN;
}

static bool is_close(int kind)
{
    return kind == ')' || kind == ']' || kind == '}';
}

static bool is_binary(int kind)
{
    return kind == '+' || kind == '-' || kind == '*' || kind == '/' ||
           kind == '<' || kind == '>' || kind == EQ || kind == NE ||
           kind == LE || kind == GE || kind == AND || kind == OR || kind == '=';
}

static bool is_declaration(int kind)
{
    return kind == DEFPRODUCT || kind == DEFSTRUCT || kind == DEFENUM ||
           kind == DEFSUM || kind == DEFPOOL || kind == DEFSTRATEGY ||
           kind == DEFKERNEL || kind == DEFMODULE || kind == IMPORT;
}

static bool is_value_end(int kind)
{
    return kind == NAME || kind == NUMBER || kind == TEXT || kind == ATOM ||
           is_close(kind);
}

/* A minus or `!` that has nothing on its left. */
static bool is_unary(const struct layout *l, uint32_t i)
{
    int kind = l->tokens[i].kind;
    return kind == '!' || (kind == '-' && !is_value_end(kind_before(l, i)));
}

static bool begins_field(const struct layout *l, uint32_t i)
{
    int kind = l->tokens[i].kind, before = kind_before(l, i);
    if (kind == VARIANT || kind == DOC)
        return before != ',';
    if (before == ',' || before == FIELD || before == '(')
        return false;
    return kind == FIELD || (kind == NAME && kind_at(l, i + 1) == COLONCOLON);
}

/* Breaks ------------------------------------------------------------------- */

static int block_kind(const struct layout *l)
{
    return l->block_count == 0 ? 0 : l->blocks[l->block_count - 1];
}

/* Has the block that begins behind token i more than one line? Only enums and
 * blocks without fields may stay on one. */
static bool is_wide(const struct layout *l, uint32_t i)
{
    uint32_t depth = 0;
    if (l->head != DEFENUM && l->head != DEFSTRATEGY && l->head != DEFKERNEL)
        return true;
    for (uint32_t j = i + 1; j < l->count; j++) {
        if (lines_between(l, j) > 0)
            return true;
        if (l->tokens[j].kind == DO)
            depth++;
        if (l->tokens[j].kind == END && depth-- == 0)
            return false;
    }
    return true;
}

static bool follows_doc(const struct layout *l, uint32_t i)
{
    return i >= 2 && l->tokens[i - 1].kind == TEXT &&
           l->tokens[i - 2].kind == DOC;
}

static bool needs_break(const struct layout *l, uint32_t i)
{
    const struct parse_token *token = &l->tokens[i];
    if (i == 0)
        return false;
    if (l->tokens[i - 1].comment)
        return true;
    if (token->comment)
        return lines_between(l, i) > 0;
    if (lines_between(l, i) > 0 || follows_doc(l, i))
        return true;
    bool wide = l->block_count > 0 && l->wide[l->block_count - 1];
    int before = l->tokens[i - 1].kind;
    if (wide && (before == DO || token->kind == END))
        return true;
    if (l->block_count == 0)
        return is_declaration(token->kind) || token->kind == ATTRIBUTE ||
               token->kind == DOC;
    return wide && l->bracket_count == 0 &&
           (begins_field(l, i) || token->kind == DEF || token->kind == USE);
}

/* One empty line at most; one at least around a declaration with a block. */
static uint32_t breaks_before(const struct layout *l, uint32_t i)
{
    uint32_t lines = lines_between(l, i);
    if (!needs_break(l, i))
        return 0;
    int before = l->tokens[i - 1].kind;
    if (before == DO || l->tokens[i].kind == END)
        return 1;
    int kind = l->tokens[i].kind;
    if (l->block_count == 0 && !l->tokens[i].comment && !follows_doc(l, i) &&
        before != COMMENT &&
        (before == END || kind == DOC ||
         (is_declaration(kind) && kind != DEFPOOL && kind != IMPORT)))
        return 2;
    return lines > 1 ? 2 : 1;
}

static uint32_t indent_of(const struct layout *l, uint32_t i)
{
    int kind = l->tokens[i].kind, before = kind_before(l, i);
    uint32_t base = l->block_count * STEP;
    if (l->bracket_count > 0) {
        uint32_t line = l->brackets[l->bracket_count - 1];
        return is_close(kind) ? line : line + STEP;
    }
    if (kind == END)
        return base - (base > 0 ? STEP : 0);
    if (l->block_count == 0 && l->head == 0)
        return 0;
    bool list = l->head == 0 &&
                (block_kind(l) == DEFENUM || block_kind(l) == DEFSTRATEGY);
    if (l->head != 0 && kind != DO)
        return base + STEP;
    return base + ((before == ',' && !list) ||
                           (is_binary(before) && !l->type) ||
                           before == COLONCOLON || before == KEY
                       ? STEP
                       : 0);
}

/* Spaces ------------------------------------------------------------------- */

static bool needs_space(const struct layout *l, uint32_t i)
{
    int kind = l->tokens[i].kind, before = l->tokens[i - 1].kind;
    if (is_open(before) || before == '.' || kind == '.' || kind == ',' ||
        kind == '?' || is_close(kind))
        return false;
    if (is_unary(l, i - 1))
        return false;
    if (kind == '(')
        return before != NAME;
    if (kind == '[' && l->type)
        return before == COLONCOLON || before == ',';
    if (l->type && (kind == '<' || kind == '>' || before == '<'))
        return false;
    return true;
}

/* State -------------------------------------------------------------------- */

static void pass(struct layout *l, uint32_t i)
{
    int kind = l->tokens[i].kind;
    if (l->tokens[i].comment)
        return;
    if (is_declaration(kind) && kind != IMPORT)
        l->head = kind == DEFPOOL ? 0 : kind;
    if (kind == DEF)
        l->head = DEF;
    if (is_open(kind) && l->bracket_count < DEPTH)
        l->brackets[l->bracket_count++] = l->line_indent;
    if (is_close(kind) && l->bracket_count > 0)
        l->bracket_count--;
    if (kind == DO && l->block_count < DEPTH) {
        l->wide[l->block_count] = is_wide(l, i);
        l->blocks[l->block_count++] = l->head;
        l->head = 0;
    }
    if (kind == END && l->block_count > 0)
        l->block_count--;
    if (kind == COLONCOLON)
        l->type = true;
    else if (l->type && kind == '<')
        l->angles++;
    else if (l->type && kind == '>' && l->angles > 0)
        l->angles--;
    else if (kind == DO || kind == KEY || (kind == ',' && l->angles == 0))
        l->type = false;
    if (kind == DO || kind == END)
        l->angles = 0;
}

void fmt_layout(struct arena *arena, const struct source *source,
                const struct parse_token *tokens, uint32_t count,
                struct fmt_text *out)
{
    struct layout l = {.arena = arena,
                       .source = source,
                       .tokens = tokens,
                       .count = count,
                       .out = out};
    *out = (struct fmt_text){0};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t breaks = breaks_before(&l, i);
        for (uint32_t b = 0; b < breaks; b++)
            put(&l, "\n", 1);
        if (breaks > 0 || i == 0) {
            l.line_indent = indent_of(&l, i);
            put_spaces(&l, l.line_indent);
        } else if (tokens[i].comment) {
            /* Comments may be set below one another. */
            uint32_t gap = tokens[i].at.begin - tokens[i - 1].at.end;
            put_spaces(&l, gap < 2 ? 2 : gap);
        } else if (needs_space(&l, i)) {
            put_spaces(&l, 1);
        }
        uint32_t begin = tokens[i].at.begin, end = tokens[i].at.end;
        while (tokens[i].comment && end > begin &&
               (source->text[end - 1] == ' ' || source->text[end - 1] == '\t' ||
                source->text[end - 1] == '\r'))
            end--;
        put(&l, source->text + begin, end - begin);
        pass(&l, i);
    }
    if (count > 0)
        put(&l, "\n", 1);
}
