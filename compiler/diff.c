/* Two schemas -> their differences, sorted by what they mean for data that
 * exists. Either side is a .warp file, a .wsd file or a store's directory; the
 * old one may be a git revision. The rules are in
 * grammar/descriptor_compare.c: an open of the store goes by the same. */
#include "diff.h"

#include "command.h"
#include "emit.h"
#include "source_outside.h"

#include <stdio.h>
#include <string.h>

static const struct source_range nowhere;

struct line {
    struct line *next;
    const char *text, *help;
};

/* One of the two: in the arena, or decoded and to be destroyed. */
struct side {
    const struct descriptor *schema;
    struct descriptor *decoded;
};

struct diff {
    struct command *command;
    struct line *first[DESCRIPTOR_DATA_LOSS + 1];
    struct line **last[DESCRIPTOR_DATA_LOSS + 1];
};

static void keep(void *arg, const struct descriptor_change *change)
{
    struct diff *diff = arg;
    struct arena *arena = diff->command->arena;
    struct line *line = ARENA_NEW(arena, struct line);
    line->text = arena_format(arena, "%s%s%s: %s", change->product,
                              change->field ? "." : "",
                              change->field ? change->field : "", change->text);
    if (change->help)
        line->help = arena_copy(arena, change->help, strlen(change->help));
    *diff->last[change->class] = line;
    diff->last[change->class] = &line->next;
}

static void describe(struct command *c, const struct model *model,
                     struct side *side)
{
    struct emit emit = {.arena = c->arena, .model = model};
    if (model == NULL)
        return;
    emit.file = model->root;
    if (emit_describe(&emit) != DESCRIPTOR_OK) {
        diag_report(c->diag, DIAG_SCHEMA_TOO_LARGE, nowhere,
                    "%s: the schema is too large for a descriptor",
                    model->root->path);
        return;
    }
    side->schema = emit.descriptor;
}

static void decode(struct command *c, const char *path,
                   const struct outside *bytes, struct side *side)
{
    struct descriptor_fault fault;
    int error = descriptor_decode((const uint8_t *)bytes->text, bytes->size,
                                  &side->decoded, &fault);
    side->schema = side->decoded;
    if (error != DESCRIPTOR_OK)
        diag_report(c->diag, DIAG_BAD_DESCRIPTOR, nowhere,
                    "`%s` is damaged at byte %zu: %s", path, fault.offset,
                    fault.what);
}

static void cannot_read(struct command *c, const char *path, const char *why)
{
    diag_report(c->diag, DIAG_CANNOT_READ, nowhere, "cannot read `%s`: %s",
                path, why);
    c->compile->io_failed = true;
}

static bool ends_in(const char *path, const char *end)
{
    size_t size = strlen(path), tail = strlen(end);
    return size > tail && strcmp(path + size - tail, end) == 0;
}

static void load(struct command *c, const char *path, struct side *side)
{
    const char *in_store = outside_newest_descriptor(c->arena, path);
    struct outside bytes;
    if (in_store)
        path = in_store;
    if (!in_store && !ends_in(path, ".wsd"))
        describe(c, compile_file(c->compile, path), side);
    else if (outside_read(c->arena, path, &bytes))
        decode(c, path, &bytes, side);
    else
        cannot_read(c, path, bytes.why);
}

/* `what` is git:REF, or what load() takes. */
static void load_old(struct command *c, const char *what, const char *path,
                     struct side *side)
{
    struct outside text;
    if (strncmp(what, "git:", 4) != 0)
        load(c, what, side);
    else if (outside_git(c->arena, what + 4, path, &text))
        describe(c,
                 compile_text(c->compile, path, text.text, (uint32_t)text.size),
                 side);
    else
        cannot_read(c, arena_format(c->arena, "%s:%s", what + 4, path),
                    text.why);
}

static int print_all(const struct diff *diff)
{
    static const char *const titles[] = {
        [DESCRIPTOR_FREE] = "free",
        [DESCRIPTOR_LAZY] = "lazy (rewritten in the background)",
        [DESCRIPTOR_SOURCE_BREAKING] =
            "source-breaking (data is kept, programs change)",
        [DESCRIPTOR_DATA_LOSS] = "data-loss (refused unless allowed by name)",
    };
    bool any = false;
    for (int class = DESCRIPTOR_DATA_LOSS; class >= DESCRIPTOR_FREE; class --) {
        if (diff->first[class] == NULL)
            continue;
        any = true;
        printf("%s:\n", titles[class]);
        for (const struct line *l = diff->first[class]; l; l = l->next) {
            printf("  %s\n", l->text);
            if (l->help)
                printf("    help: %s\n", l->help);
        }
    }
    if (!any)
        printf("no difference\n");
    return diff->first[DESCRIPTOR_DATA_LOSS] ? EXIT_FINDINGS : EXIT_CLEAN;
}

int diff_run(struct command *c)
{
    const char *paths[2] = {NULL, NULL}, *against = NULL;
    struct side old = {0}, new = {0};
    int status;
    struct diff diff = {.command = c};
    int count = 0;
    for (int class = 0; class <= DESCRIPTOR_DATA_LOSS; class ++)
        diff.last[class] = &diff.first[class];
    for (int i = 1; i < c->argc; i++) {
        const char *arg = c->argv[i];
        if (strncmp(arg, "--against=", 10) == 0)
            against = arg + 10;
        else if (strcmp(arg, "--against") == 0 && i + 1 < c->argc)
            against = c->argv[++i];
        else if (arg[0] == '-')
            return command_usage(c, "unknown option %s", arg);
        else if (count < 2)
            paths[count++] = arg;
        else
            return command_usage(c, "more than two schemas are given");
    }
    if (count + (against ? 1 : 0) != 2)
        return command_usage(c, "two schemas are needed: OLD NEW, or "
                                "--against OLD NEW");
    load_old(c, against ? against : paths[0], paths[count - 1], &old);
    load(c, paths[count - 1], &new);
    status = command_status(c);
    if (old.schema && new.schema) {
        descriptor_compare(old.schema, new.schema, keep, &diff);
        status = print_all(&diff);
    } else if (status == EXIT_CLEAN) {
        status = EXIT_FINDINGS;
    }
    descriptor_destroy(&old.decoded);
    descriptor_destroy(&new.decoded);
    return status;
}
