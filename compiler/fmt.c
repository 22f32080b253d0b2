/* warpc fmt: lays the tokens of a file out anew and rewrites it in place. Works
 * on tokens, comments among them, so nothing is lost; keeps every line break
 * that is there, adds those that set fields and blocks apart, and works out
 * indentation and spaces. The result must have the same tokens: that is checked
 * before anything is written. */
#include "atom.h"
#include "command.h"
#include "fmt_layout.h"
#include "parse.h"

#include <errno.h>
#include <string.h>

static bool same_tokens(struct command *command, const struct source *a,
                        const struct fmt_text *text,
                        const struct parse_token *tokens, uint32_t count)
{
    struct parse_token *again;
    uint32_t n;
    struct source *b =
        source_add(command->sources, a->path, text->bytes, text->len);
    if (!parse_tokens(command->arena, atom_table_create(command->arena),
                      command->diag, b, &again, &n) ||
        n != count)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t len = again[i].at.end - again[i].at.begin;
        uint32_t before = tokens[i].at.end - tokens[i].at.begin;
        /* A comment may lose the spaces at its end. */
        if (tokens[i].kind != again[i].kind ||
            (tokens[i].comment ? len > before : len != before) ||
            memcmp(a->text + tokens[i].at.begin, b->text + again[i].at.begin,
                   len) != 0)
            return false;
    }
    return true;
}

static int write_file(struct command *command, const struct source *source,
                      const struct fmt_text *text)
{
    int error = source_rewrite(command->arena, source, text->bytes, text->len);
    if (error == 0)
        return EXIT_CLEAN;
    fprintf(stderr, "warpc fmt: cannot write `%s`: %s\n", source->path,
            strerror(error));
    return EXIT_IO;
}

static int format_file(struct command *command, const char *path, bool check)
{
    struct source *source;
    struct parse_token *tokens;
    struct fmt_text text;
    uint32_t count;
    struct atom_table *atoms = atom_table_create(command->arena);
    unsigned errors = diag_error_reports(command->diag);
    int error = source_open(command->sources, path, true, &source);
    if (error != 0) {
        diag_report(command->diag,
                    error == EFBIG ? DIAG_TOO_BIG : DIAG_CANNOT_READ,
                    (struct source_range){0}, "cannot read `%s`: %s", path,
                    source_why(error));
        return error == EFBIG ? EXIT_FINDINGS : EXIT_IO;
    }
    /* A text that does not parse has no layout: it stays as it is. */
    if (parse_file(command->arena, atoms, command->diag, source) == NULL ||
        diag_error_reports(command->diag) != errors ||
        !parse_tokens(command->arena, atoms, command->diag, source, &tokens,
                      &count))
        return EXIT_FINDINGS;
    fmt_layout(command->arena, source, tokens, count, &text);
    if (text.len == source->len &&
        (text.len == 0 || memcmp(text.bytes, source->text, text.len) == 0))
        return EXIT_CLEAN;
    if (!same_tokens(command, source, &text, tokens, count)) {
        fprintf(stderr,
                "warpc fmt: own bug: `%s` would not mean the same; it stays "
                "as it is\n",
                path);
        return EXIT_BUG;
    }
    if (!check)
        return write_file(command, source, &text);
    puts(path);
    return EXIT_FINDINGS;
}

int fmt_run(struct command *command)
{
    bool check = false;
    int files = 0, status = EXIT_CLEAN;
    for (int i = 1; i < command->argc; i++) {
        if (strcmp(command->argv[i], "--check") == 0)
            check = true;
        else if (command->argv[i][0] == '-' &&
                 strcmp(command->argv[i], "--") != 0)
            return command_usage(command, "no such option: `%s`",
                                 command->argv[i]);
    }
    for (int i = 1; i < command->argc; i++) {
        if (command->argv[i][0] == '-')
            continue;
        files++;
        int one = format_file(command, command->argv[i], check);
        status = one > status ? one : status;
    }
    return files == 0 ? command_usage(command, "which file?") : status;
}
