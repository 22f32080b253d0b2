/* Collects messages; diag_print.c writes them. */
#include "diag_internal.h"

#include "arena.h"
#include "limit.h"

#include <string.h>

static const struct diag_row rows[] = {
#define DIAG(number, id, level, name, brief, text)                             \
    {number, level, name, brief, text},
#include "diag.def"
#undef DIAG
};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };
enum { CHOICE_TABLE, CHOICE_OFF, CHOICE_ON, CHOICE_ERROR };

const struct diag_row *diag_row_at(unsigned index)
{
    return index < ROW_COUNT ? &rows[index] : NULL;
}

const struct diag_row *diag_row(unsigned number)
{
    for (unsigned i = 0; i < ROW_COUNT; i++) {
        if (rows[i].number == number)
            return &rows[i];
    }
    return NULL;
}

struct diag *diag_create(struct arena *arena, struct source_table *sources)
{
    struct diag *diag = ARENA_NEW(arena, struct diag);
    diag->arena = arena;
    diag->sources = sources;
    diag->choice = arena_alloc(arena, ROW_COUNT);
    diag->capacity = 64;
    diag->messages = ARENA_ARRAY(arena, struct diag_message *, diag->capacity);
    return diag;
}

void diag_set_format(struct diag *diag, enum diag_format format)
{
    diag->format = format;
}

void diag_set_strict(struct diag *diag, bool strict)
{
    diag->strict = strict;
}

void diag_set_color(struct diag *diag, bool color)
{
    diag->color = color;
}

static bool choose(struct diag *diag, const char *name, unsigned char choice)
{
    bool found = false;
    for (unsigned i = 0; i < ROW_COUNT; i++) {
        if (rows[i].name[0] != 0 && strcmp(rows[i].name, name) == 0) {
            diag->choice[i] = choice;
            found = true;
        }
    }
    return found;
}

bool diag_set_warning(struct diag *diag, const char *argument)
{
    if (strcmp(argument, "error") == 0) {
        diag->werror = true;
        return true;
    }
    if (strncmp(argument, "error=", 6) == 0)
        return choose(diag, argument + 6, CHOICE_ERROR);
    if (strncmp(argument, "no-", 3) == 0)
        return choose(diag, argument + 3, CHOICE_OFF);
    return choose(diag, argument, CHOICE_ON);
}

/* The level in this run, or -1 when the user switched the message off. What
 * --strict forbids cannot be switched off. */
static int level_now(const struct diag *diag, const struct diag_row *row)
{
    unsigned char choice = diag->choice[row - rows];
    if (row->level == DIAG_LEVEL_ERROR || choice == CHOICE_ERROR ||
        (row->level == DIAG_LEVEL_STRICT && diag->strict))
        return DIAG_LEVEL_ERROR;
    if (choice == CHOICE_OFF)
        return -1;
    if (row->level == DIAG_LEVEL_NOTE)
        return DIAG_LEVEL_NOTE;
    return diag->werror ? DIAG_LEVEL_ERROR : DIAG_LEVEL_WARNING;
}

static bool is_known(const struct diag *diag, const struct diag_row *row,
                     struct source_range at, const char *text)
{
    for (uint32_t i = 0; i < diag->count; i++) {
        const struct diag_message *m = diag->messages[i];
        if (m->row == row && m->at.file == at.file && m->at.begin == at.begin &&
            m->at.end == at.end && strcmp(m->text, text) == 0)
            return true;
    }
    return false;
}

void diag_report(struct diag *diag, enum diag_id id, struct source_range at,
                 const char *format, ...)
{
    const struct diag_row *row = diag_row((unsigned)id);
    int level = level_now(diag, row);
    diag->last = NULL;
    if (level < 0)
        return;
    diag->reports += level == DIAG_LEVEL_ERROR;
    if ((level == DIAG_LEVEL_ERROR && diag->errors >= LIMIT_ERRORS) ||
        diag->count >= LIMIT_MESSAGES) {
        diag->errors += level == DIAG_LEVEL_ERROR;
        diag->warnings += level == DIAG_LEVEL_WARNING;
        diag->dropped++;
        return;
    }
    va_list args;
    va_start(args, format);
    const char *text = arena_vformat(diag->arena, format, args);
    va_end(args);
    if (is_known(diag, row, at, text))
        return;
    diag->errors += level == DIAG_LEVEL_ERROR;
    diag->warnings += level == DIAG_LEVEL_WARNING;
    if (diag->count == diag->capacity) {
        size_t bytes = diag->capacity * sizeof(struct diag_message *);
        diag->messages =
            arena_grow(diag->arena, diag->messages, bytes, bytes * 2);
        diag->capacity *= 2;
    }
    struct diag_message *message = ARENA_NEW(diag->arena, struct diag_message);
    message->row = row;
    message->level = (enum diag_level)level;
    message->at = at;
    message->text = text;
    message->sequence = diag->count;
    message->parts_end = &message->parts;
    diag->messages[diag->count++] = message;
    diag->last = message;
}

static void add_part(struct diag *diag, bool help, struct source_range at,
                     const char *text)
{
    struct diag_part *part = ARENA_NEW(diag->arena, struct diag_part);
    part->help = help;
    part->at = at;
    part->text = text;
    *diag->last->parts_end = part;
    diag->last->parts_end = &part->next;
}

void diag_note(struct diag *diag, struct source_range at, const char *format,
               ...)
{
    if (diag->last == NULL)
        return;
    va_list args;
    va_start(args, format);
    add_part(diag, false, at, arena_vformat(diag->arena, format, args));
    va_end(args);
}

void diag_help(struct diag *diag, const char *format, ...)
{
    if (diag->last == NULL)
        return;
    va_list args;
    va_start(args, format);
    add_part(diag, true, (struct source_range){0},
             arena_vformat(diag->arena, format, args));
    va_end(args);
}

unsigned diag_error_count(const struct diag *diag)
{
    return diag->errors;
}

unsigned diag_error_reports(const struct diag *diag)
{
    return diag->reports;
}

unsigned diag_warning_count(const struct diag *diag)
{
    return diag->warnings;
}

bool diag_is_full(const struct diag *diag)
{
    return diag->errors > LIMIT_ERRORS;
}
