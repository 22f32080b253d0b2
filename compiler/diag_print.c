/* Collected messages -> text, JSON, SARIF or GitHub workflow commands. A new
 * format is a function here, a value of enum diag_format and a word in
 * main.c's option table. */
#include "arena.h"
#include "diag_internal.h"
#include "limit.h"

#include <stdlib.h>
#include <string.h>

struct place {
    const char *path;
    struct source_position begin, end;
};

static struct place place_of(const struct diag *diag, struct source_range at)
{
    struct place place = {.path = NULL};
    const struct source *source = source_by_id(diag->sources, at.file);
    if (source == NULL)
        return place;
    place.path = source->path;
    place.begin = source_position(diag->sources, at.file, at.begin);
    place.end = source_position(diag->sources, at.file,
                                at.end < at.begin ? at.begin : at.end);
    return place;
}

static const char *level_word(enum diag_level level)
{
    return level == DIAG_LEVEL_ERROR  ? "error"
           : level == DIAG_LEVEL_NOTE ? "note"
                                      : "warning";
}

/* Text --------------------------------------------------------------------- */

struct paint {
    const char *bold, *red, *yellow, *blue, *green, *off;
};
static const struct paint no_paint = {"", "", "", "", "", ""};
static const struct paint ansi_paint = {"\033[1m",    "\033[1;31m",
                                        "\033[1;33m", "\033[1;34m",
                                        "\033[1;32m", "\033[0m"};

/* A control character in a schema must not reach the terminal. */
static void put_clean(FILE *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        putc(c == '\t' ? ' ' : c < 0x20 || c == 0x7f ? '?' : c, out);
    }
}

static void put_excerpt(const struct diag *diag, struct source_range at,
                        const struct paint *paint, FILE *out)
{
    uint32_t len;
    struct place place = place_of(diag, at);
    const char *line =
        source_line(diag->sources, at.file, place.begin.line, &len);
    unsigned from = place.begin.column, skip = 0, shown = 0;
    unsigned until =
        place.end.line == place.begin.line ? place.end.column : UINT32_MAX;
    if (len == 0)
        return;
    /* A long line is shown from a little before the range on. */
    if (from > LIMIT_SOURCE_LINE / 2)
        skip = from - LIMIT_SOURCE_LINE / 4;
    uint32_t begin = 0, column = 1;
    while (begin < len && column < skip) {
        begin++;
        while (begin < len && ((unsigned char)line[begin] & 0xc0) == 0x80)
            begin++;
        column++;
    }
    if (skip == 0)
        skip = 1;
    uint32_t end = begin;
    while (end < len && shown < LIMIT_SOURCE_LINE) {
        end++;
        while (end < len && ((unsigned char)line[end] & 0xc0) == 0x80)
            end++;
        shown++;
    }
    fprintf(out, "%s%5u |%s ", paint->blue, place.begin.line, paint->off);
    put_clean(out, line + begin, end - begin);
    fprintf(out, "\n%s      |%s ", paint->blue, paint->off);
    for (unsigned i = skip; i < from; i++)
        putc(' ', out);
    fputs(paint->green, out);
    putc('^', out);
    for (unsigned i = from + 1; i < until && i < skip + shown; i++)
        putc('~', out);
    fprintf(out, "%s\n", paint->off);
}

static void put_head(const struct diag *diag, struct source_range at,
                     const struct paint *paint, FILE *out)
{
    struct place place = place_of(diag, at);
    if (place.path == NULL)
        fprintf(out, "%swarpc:%s ", paint->bold, paint->off);
    else
        fprintf(out, "%s%s:%u:%u:%s ", paint->bold, place.path,
                place.begin.line, place.begin.column, paint->off);
}

static void put_text_message(const struct diag *diag,
                             const struct diag_message *message,
                             const struct paint *paint, FILE *out)
{
    put_head(diag, message->at, paint, out);
    fprintf(out, "%s%s:%s ",
            message->level == DIAG_LEVEL_ERROR  ? paint->red
            : message->level == DIAG_LEVEL_NOTE ? paint->blue
                                                : paint->yellow,
            level_word(message->level), paint->off);
    put_clean(out, message->text, strlen(message->text));
    fprintf(out, " [W%04u]\n", message->row->number);
    if (message->row->number != DIAG_NOT_TEXT)
        put_excerpt(diag, message->at, paint, out);
    for (const struct diag_part *part = message->parts; part != NULL;
         part = part->next) {
        if (part->help) {
            fprintf(out, "      %s= help:%s ", paint->blue, paint->off);
            put_clean(out, part->text, strlen(part->text));
            putc('\n', out);
            continue;
        }
        put_head(diag, part->at, paint, out);
        fprintf(out, "%snote:%s ", paint->blue, paint->off);
        put_clean(out, part->text, strlen(part->text));
        putc('\n', out);
        put_excerpt(diag, part->at, paint, out);
    }
}

static void put_text(const struct diag *diag, FILE *out)
{
    const struct paint *paint = diag->color ? &ansi_paint : &no_paint;
    for (uint32_t i = 0; i < diag->count; i++)
        put_text_message(diag, diag->messages[i], paint, out);
    if (diag->dropped != 0)
        fprintf(out, "warpc: %u more message%s not shown\n", diag->dropped,
                diag->dropped == 1 ? " is" : "s are");
}

/* JSON and SARIF ----------------------------------------------------------- */

static void put_string(const char *text, FILE *out)
{
    putc('"', out);
    for (; *text != 0; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c == '\n')
            fputs("\\n", out);
        else if (c < 0x20 || c == 0x7f)
            fprintf(out, "\\u%04x", c);
        else
            putc(c, out);
    }
    putc('"', out);
}

static void put_json_place(const struct diag *diag, struct source_range at,
                           FILE *out)
{
    struct place place = place_of(diag, at);
    if (place.path == NULL) {
        fputs("\"file\": null", out);
        return;
    }
    fputs("\"file\": ", out);
    put_string(place.path, out);
    fprintf(out,
            ", \"line\": %u, \"column\": %u, \"end_line\": %u, "
            "\"end_column\": %u, \"begin\": %u, \"end\": %u",
            place.begin.line, place.begin.column, place.end.line,
            place.end.column, at.begin, at.end);
}

static void put_json_message(const struct diag *diag,
                             const struct diag_message *message, FILE *out)
{
    fprintf(out, "    {\"number\": \"W%04u\", \"level\": \"%s\", ",
            message->row->number, level_word(message->level));
    put_json_place(diag, message->at, out);
    fputs(", \"message\": ", out);
    put_string(message->text, out);
    fputs(", \"notes\": [", out);
    const char *sep = "";
    for (const struct diag_part *part = message->parts; part != NULL;
         part = part->next) {
        if (part->help)
            continue;
        fprintf(out, "%s{", sep);
        put_json_place(diag, part->at, out);
        fputs(", \"message\": ", out);
        put_string(part->text, out);
        putc('}', out);
        sep = ", ";
    }
    fputs("], \"help\": [", out);
    sep = "";
    for (const struct diag_part *part = message->parts; part != NULL;
         part = part->next) {
        if (!part->help)
            continue;
        fputs(sep, out);
        put_string(part->text, out);
        sep = ", ";
    }
    fputs("]}", out);
}

static void put_json(const struct diag *diag, FILE *out)
{
    fputs("{\n  \"diagnostics\": [", out);
    for (uint32_t i = 0; i < diag->count; i++) {
        fputs(i == 0 ? "\n" : ",\n", out);
        put_json_message(diag, diag->messages[i], out);
    }
    fprintf(out,
            "%s],\n  \"errors\": %u,\n  \"warnings\": %u,\n"
            "  \"not_shown\": %u\n}\n",
            diag->count == 0 ? "" : "\n  ", diag->errors, diag->warnings,
            diag->dropped);
}

static void put_sarif_place(const struct diag *diag, struct source_range at,
                            FILE *out)
{
    struct place place = place_of(diag, at);
    fputs("{\"physicalLocation\": {\"artifactLocation\": {\"uri\": ", out);
    put_string(place.path == NULL ? "" : place.path, out);
    fprintf(out,
            "}, \"region\": {\"startLine\": %u, \"startColumn\": %u, "
            "\"endLine\": %u, \"endColumn\": %u}}",
            place.begin.line, place.begin.column, place.end.line,
            place.end.column);
}

static void put_sarif_message(const struct diag *diag,
                              const struct diag_message *message, FILE *out)
{
    fprintf(out, "      {\"ruleId\": \"W%04u\", \"level\": \"%s\", ",
            message->row->number, level_word(message->level));
    const char *text = message->text;
    for (const struct diag_part *part = message->parts; part != NULL;
         part = part->next) {
        if (part->help)
            text = arena_format(diag->arena, "%s\nhelp: %s", text, part->text);
    }
    fputs("\"message\": {\"text\": ", out);
    put_string(text, out);
    putc('}', out);
    if (source_by_id(diag->sources, message->at.file) != NULL) {
        fputs(", \"locations\": [", out);
        put_sarif_place(diag, message->at, out);
        fputs("}]", out);
    }
    const char *sep = ", \"relatedLocations\": [";
    for (const struct diag_part *part = message->parts; part != NULL;
         part = part->next) {
        if (part->help)
            continue;
        fputs(sep, out);
        put_sarif_place(diag, part->at, out);
        fputs(", \"message\": {\"text\": ", out);
        put_string(part->text, out);
        fputs("}}", out);
        sep = ", ";
    }
    fputs(sep[2] == '"' ? "}" : "]}", out);
}

static void put_sarif(const struct diag *diag, FILE *out)
{
    fputs("{\n  \"$schema\": "
          "\"https://json.schemastore.org/sarif-2.1.0.json\",\n"
          "  \"version\": \"2.1.0\",\n  \"runs\": [{\n"
          "    \"tool\": {\"driver\": {\"name\": \"warpc\", \"rules\": [",
          out);
    const char *sep = "";
    for (uint32_t i = 0; i < diag->count; i++) {
        const struct diag_row *row = diag->messages[i]->row;
        uint32_t first = 0;
        while (diag->messages[first]->row != row)
            first++;
        if (first < i)
            continue;
        fprintf(out,
                "%s\n      {\"id\": \"W%04u\", \"shortDescription\": "
                "{\"text\": ",
                sep, row->number);
        put_string(row->brief, out);
        fputs("}}", out);
        sep = ",";
    }
    fputs("]}},\n    \"columnKind\": \"unicodeCodePoints\",\n"
          "    \"results\": [",
          out);
    for (uint32_t i = 0; i < diag->count; i++) {
        fputs(i == 0 ? "\n" : ",\n", out);
        put_sarif_message(diag, diag->messages[i], out);
    }
    fputs("]\n  }]\n}\n", out);
}

/* GitHub ------------------------------------------------------------------- */

static void put_escaped(const char *text, bool property, FILE *out)
{
    for (; *text != 0; text++) {
        if (*text == '%')
            fputs("%25", out);
        else if (*text == '\r')
            fputs("%0D", out);
        else if (*text == '\n')
            fputs("%0A", out);
        else if (property && *text == ':')
            fputs("%3A", out);
        else if (property && *text == ',')
            fputs("%2C", out);
        else
            putc(*text, out);
    }
}

static void put_github(const struct diag *diag, FILE *out)
{
    for (uint32_t i = 0; i < diag->count; i++) {
        const struct diag_message *message = diag->messages[i];
        struct place place = place_of(diag, message->at);
        fprintf(out, "::%s ",
                message->level == DIAG_LEVEL_NOTE ? "notice"
                                                  : level_word(message->level));
        if (place.path != NULL) {
            fputs("file=", out);
            put_escaped(place.path, true, out);
            fprintf(out, ",line=%u,col=%u,endLine=%u,endColumn=%u,",
                    place.begin.line, place.begin.column, place.end.line,
                    place.end.column);
        }
        fprintf(out, "title=W%04u::", message->row->number);
        put_escaped(message->text, false, out);
        for (const struct diag_part *part = message->parts; part != NULL;
             part = part->next) {
            fputs(part->help ? "%0Ahelp: " : "%0Anote: ", out);
            put_escaped(part->text, false, out);
        }
        putc('\n', out);
    }
}

static int compare_messages(const void *a, const void *b)
{
    const struct diag_message *x = *(struct diag_message *const *)a;
    const struct diag_message *y = *(struct diag_message *const *)b;
    if (x->at.file != y->at.file)
        return x->at.file < y->at.file ? -1 : 1;
    if (x->at.begin != y->at.begin)
        return x->at.begin < y->at.begin ? -1 : 1;
    return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

void diag_flush(struct diag *diag, FILE *out)
{
    if (diag->count > 1)
        qsort(diag->messages, diag->count, sizeof(struct diag_message *),
              compare_messages);
    switch (diag->format) {
    case DIAG_FORMAT_TEXT:
        put_text(diag, out);
        break;
    case DIAG_FORMAT_JSON:
        put_json(diag, out);
        break;
    case DIAG_FORMAT_SARIF:
        put_sarif(diag, out);
        break;
    case DIAG_FORMAT_GITHUB:
        put_github(diag, out);
        break;
    }
    diag->count = 0;
    diag->dropped = 0;
    diag->last = NULL;
}
