/* warpc check FILE...: compiles and says what it found. --dump-ast and
 * --dump-model print what was read and what it means. */
#include "command.h"
#include "emit.h"
#include "model_dump.h"
#include "parse.h"

#include <string.h>

static int dump_ast(struct command *command, const char *path)
{
    struct source *source;
    int error = source_open(command->sources, path, true, &source);
    if (error != 0) {
        diag_report(command->diag, DIAG_CANNOT_READ, (struct source_range){0},
                    "cannot read `%s`: %s", path, source_why(error));
        command->compile->io_failed = true;
        return command_status(command);
    }
    struct ast_file *file =
        parse_file(command->arena, atom_table_create(command->arena),
                   command->diag, source);
    if (file != NULL)
        ast_dump(file, stdout);
    return command_status(command);
}

int check_run(struct command *command)
{
    bool ast = false, model = false;
    int files = 0;
    for (int i = 1; i < command->argc; i++) {
        const char *arg = command->argv[i];
        if (strcmp(arg, "--dump-ast") == 0)
            ast = true;
        else if (strcmp(arg, "--dump-model") == 0)
            model = true;
        else if (arg[0] == '-' && strcmp(arg, "--") != 0)
            return command_usage(command, "no such option: `%s`", arg);
    }
    for (int i = 1; i < command->argc; i++) {
        if (command->argv[i][0] == '-')
            continue;
        files++;
        if (ast) {
            dump_ast(command, command->argv[i]);
            continue;
        }
        const struct model *made =
            compile_file(command->compile, command->argv[i]);
        if (made != NULL && model)
            model_dump(made, stdout);
        struct emit emit = {.arena = command->arena, .model = made};
        if (made == NULL)
            continue;
        emit.file = made->root;
        (void)emit_read_raws(command, made, &emit); /* says what is missing */
    }
    if (files == 0)
        return command_usage(command, "which file?");
    return command_status(command);
}
