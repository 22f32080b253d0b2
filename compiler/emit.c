/* warpc gen: schemas -> files. A generator is a row of `generators`: its part
 * of the file name and the function that makes the text. Nothing is written
 * for a schema with errors, nor when the text is the one on disk already. */
#include "emit.h"

#include "command.h"
#include "mangle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct generator {
    const char *suffix; /* behind the stem */
    void (*emit)(const struct emit *emit, struct text *out);
    bool on_request; /* by --descriptor */
    bool of_kernels; /* only where the schema has some */
};

static const struct generator generators[] = {
    {".warp.h", emit_c_header, false, false},
    {".warp.c", emit_c_source, false, false},
    {".warp.cl", emit_kernel_cl, false, true},
    {".warp.cu", emit_kernel_cu, false, true},
    {".wsd", emit_wsd, true, false},
};
enum { GENERATORS = sizeof generators / sizeof generators[0] };

struct gen {
    struct command *command;
    const char *directory;           /* -o */
    const char *name;                /* --name */
    const char *depfile, *deptarget; /* -MF, -MT */
    bool deps, phony, list, check, imports, descriptor;
    bool bug; /* an own one was found */
    const char **files;
    int file_count;
    struct done {
        const char *path, *stem;
        uint32_t source;
    } * done; /* schemas that were written in this run */
    int done_count;
    struct text text, rules;
};

/* ---- options ------------------------------------------------------------- */

struct option {
    const char *name;
    size_t flag;     /* offset of a bool in struct gen, or */
    size_t argument; /* of a const char *; 0: none */
};

static const struct option options[] = {
    {"-o", 0, offsetof(struct gen, directory)},
    {"--name", 0, offsetof(struct gen, name)},
    {"-MF", 0, offsetof(struct gen, depfile)},
    {"-MT", 0, offsetof(struct gen, deptarget)},
    {"-MD", offsetof(struct gen, deps), 0},
    {"-MP", offsetof(struct gen, phony), 0},
    {"--list-outputs", offsetof(struct gen, list), 0},
    {"--check", offsetof(struct gen, check), 0},
    {"--with-imports", offsetof(struct gen, imports), 0},
    {"--descriptor", offsetof(struct gen, descriptor), 0},
};

/* How many arguments the option takes up, 0 if it is none, -1 if its own
 * argument is missing. */
static int read_option(struct gen *gen, char **argv, int left)
{
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        const struct option *o = &options[i];
        size_t size = strlen(o->name);
        const char *value = NULL;
        int used = 1;
        if (o->argument == 0) {
            if (strcmp(argv[0], o->name) != 0)
                continue;
            *(bool *)((char *)gen + o->flag) = true;
            return 1;
        }
        if (strncmp(argv[0], o->name, size) != 0)
            continue;
        if (argv[0][size] == '\0') { /* -o DIR */
            value = left > 1 ? argv[1] : NULL;
            used = 2;
        } else if (argv[0][1] != '-') { /* -oDIR */
            value = argv[0] + size;
        } else if (argv[0][size] == '=') { /* --name=N */
            value = argv[0] + size + 1;
        } else {
            continue;
        }
        if (value == NULL)
            return -1;
        *(const char **)((char *)gen + o->argument) = value;
        return used;
    }
    return 0;
}

static int read_arguments(struct gen *gen)
{
    struct command *c = gen->command;
    bool names_only = false;
    gen->files = ARENA_ARRAY(c->arena, const char *, c->argc);
    for (int i = 1; i < c->argc;) {
        int used;
        if (names_only || c->argv[i][0] != '-' || c->argv[i][1] == '\0') {
            gen->files[gen->file_count++] = c->argv[i++];
            continue;
        }
        if (strcmp(c->argv[i], "--") == 0) {
            names_only = true;
            i++;
            continue;
        }
        used = read_option(gen, c->argv + i, c->argc - i);
        if (used == 0)
            return command_usage(c, "unknown option %s", c->argv[i]);
        if (used < 0)
            return command_usage(c, "%s needs an argument", c->argv[i]);
        i += used;
    }
    if (gen->file_count == 0)
        return command_usage(c, "no schema file is given");
    if (gen->name && gen->file_count > 1)
        return command_usage(c, "--name is for one schema file");
    if (gen->name && !mangle_is_identifier(gen->name))
        return command_usage(c,
                             "--name takes a C identifier (letters, digits and "
                             "_, no digit first), not `%s`",
                             gen->name);
    if ((gen->depfile || gen->deptarget || gen->phony) && !gen->deps)
        return command_usage(c, "-MF, -MT and -MP go with -MD");
    return EXIT_CLEAN;
}

/* ---- paths --------------------------------------------------------------- */

static const char *output_path(const struct gen *gen, const char *stem,
                               const char *suffix)
{
    const char *d = gen->directory;
    if (d == NULL || strcmp(d, ".") == 0 || strcmp(d, "") == 0)
        return arena_format(gen->command->arena, "%s%s", stem, suffix);
    return arena_format(gen->command->arena, "%s%s%s%s", d,
                        d[strlen(d) - 1] == '/' ? "" : "/", stem, suffix);
}

/* "dir/game.warp" -> "game". */
static const char *stem_of(const struct gen *gen, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    size_t size = strlen(base);
    if (size > 5 && strcmp(base + size - 5, ".warp") == 0)
        size -= 5;
    return arena_copy(gen->command->arena, base, size);
}

/* Without a model: what is written whatever the schema says. */
static bool wanted(const struct gen *gen, const struct model *model,
                   const struct generator *generator)
{
    const struct emit emit = {.model = model,
                              .file = model ? model->root : NULL};
    return (!generator->on_request || gen->descriptor) &&
           (!generator->of_kernels || (model && emit_has_kernels(&emit)));
}

/* ---- writing ------------------------------------------------------------- */

static const struct source_range nowhere;

/* Ends what output_begin() began. */
static void end_file(struct gen *gen, struct output *output, const char *path)
{
    struct command *c = gen->command;
    switch (output_end(&output)) {
    case EMIT_SAME:
        break;
    case EMIT_CHANGED:
        if (gen->check) {
            diag_report(c->diag, DIAG_STALE, nowhere,
                        "`%s` is not what the schema gives", path);
            diag_help(c->diag, "run `warpc gen` again");
        }
        break;
    case EMIT_FAILED:
        diag_report(c->diag, DIAG_CANNOT_WRITE, nowhere,
                    "cannot write `%s`: %s", path, strerror(errno));
        c->compile->io_failed = true;
        break;
    }
}

static bool make_directory(struct gen *gen)
{
    struct command *c = gen->command;
    int error;
    if (gen->directory == NULL || gen->check || gen->list)
        return true;
    error = emit_make_directory(gen->directory);
    if (error == 0)
        return true;
    diag_report(c->diag, DIAG_CANNOT_WRITE, nowhere,
                "cannot make the directory `%s`: %s", gen->directory,
                strerror(error));
    c->compile->io_failed = true;
    return false;
}

/* A path in a make rule. */
static void put_path(struct text *out, const char *path)
{
    for (; *path; path++) {
        if (*path == ' ' || *path == '#' || *path == '\\')
            text_put(out, "\\");
        else if (*path == '$')
            text_put(out, "$");
        text_bytes(out, path, 1);
    }
}

static void add_rule(struct gen *gen, const struct emit *emit)
{
    const struct model *model = emit->model;
    struct text *out = &gen->rules;
    if (gen->deptarget) {
        text_put(out, gen->deptarget);
    } else {
        bool first = true;
        for (int i = 0; i < GENERATORS; i++) {
            if (!wanted(gen, model, &generators[i]))
                continue;
            text_put(out, first ? "" : " ");
            put_path(out,
                     output_path(gen, model->root->stem, generators[i].suffix));
            first = false;
        }
    }
    text_put(out, ":");
    for (uint32_t i = model->file_count; i-- > 0;) {
        text_put(out, i + 1 == model->file_count ? " " : " \\\n ");
        put_path(out, model->files[i]->path);
    }
    for (uint32_t i = 0; i < 2 * emit->raw_count; i++) {
        text_put(out, " \\\n ");
        put_path(out, emit->raws[i / 2].paths[i % 2]);
    }
    text_put(out, "\n");
    for (uint32_t i = 0; gen->phony && i < model->file_count; i++) {
        if (model->files[i] == model->root)
            continue;
        text_put(out, "\n");
        put_path(out, model->files[i]->path);
        text_put(out, ":\n");
    }
}

static void write_rules(struct gen *gen, const char *stem)
{
    const char *path = gen->depfile;
    struct output *output;
    if (path == NULL)
        path = output_path(gen, stem, ".warp.d");
    output = output_begin(&gen->text, path, true);
    text_bytes(&gen->text, gen->rules.at, gen->rules.size);
    end_file(gen, output, path);
    gen->rules.size = 0;
}

/* A text beside the schema. NULL: reported. */
static const char *read_beside(struct command *c, const struct model *model,
                               const struct model_compute *raw,
                               const char *name, const char **found)
{
    const char *schema = model->root->path, *slash = strrchr(schema, '/');
    const char *path =
        name[0] == '/' || !slash
            ? name
            : arena_format(c->arena, "%.*s%s", (int)(slash + 1 - schema),
                           schema, name);
    struct source *text = NULL;
    int error = source_open(model->sources, path, false, &text);
    *found = path;
    if (error == 0)
        return text->text;
    diag_report(c->diag, DIAG_CANNOT_READ, raw->at, "cannot read `%s`: %s",
                path, source_why(error));
    return NULL;
}

bool emit_read_raws(struct command *c, const struct model *model,
                    struct emit *emit)
{
    bool good = true;
    for (uint32_t i = 0; i < emit->file->product_count; i++) {
        const struct model_product *p = emit->file->products[i];
        for (uint32_t j = 0; j < p->field_count; j++) {
            const struct model_field *f = &p->fields[j];
            for (uint32_t n = 0; n < f->compute_count; n++) {
                const struct model_compute *raw = &f->compute[n];
                if (raw->kind != COMPUTE_GPU_RAW)
                    continue;
                size_t size = sizeof *emit->raws;
                emit->raws =
                    arena_grow(c->arena, emit->raws, emit->raw_count * size,
                               (emit->raw_count + 1) * size);
                struct emit_raw *r = &emit->raws[emit->raw_count++];
                r->field = f;
                r->cl = read_beside(c, model, raw, raw->cl_path, &r->paths[0]);
                r->cu = read_beside(c, model, raw, raw->cu_path, &r->paths[1]);
                good &= r->cl && r->cu;
            }
        }
    }
    return good;
}

static void emit_model(struct gen *gen, const struct model *model)
{
    struct command *c = gen->command;
    struct emit emit = {.arena = c->arena, .model = model, .file = model->root};
    int error = emit_describe(&emit);
    if (error == DESCRIPTOR_ECORRUPT || error == DESCRIPTOR_EVERSION) {
        diag_report(c->diag, DIAG_OWN_BUG, nowhere,
                    "%s: warpc cannot read the descriptor that it made",
                    model->root->path);
        diag_help(c->diag, "please report it with the schema");
        gen->bug = true;
        return;
    }
    if (error != DESCRIPTOR_OK) {
        diag_report(c->diag, DIAG_SCHEMA_TOO_LARGE, nowhere, "%s: %s",
                    model->root->path,
                    error == DESCRIPTOR_ENOMEM
                        ? "there is not enough memory"
                        : "a type is nested too deeply or the schema is too "
                          "large for a descriptor");
        return;
    }
    if (!emit_read_raws(c, model, &emit))
        return;
    for (int i = 0; i < GENERATORS; i++) {
        const char *path;
        struct output *output;
        if (!wanted(gen, model, &generators[i]))
            continue;
        path = output_path(gen, model->root->stem, generators[i].suffix);
        output = output_begin(&gen->text, path, !gen->check);
        generators[i].emit(&emit, &gen->text);
        end_file(gen, output, path);
    }
    if (gen->deps && !gen->check) {
        add_rule(gen, &emit);
        if (gen->depfile == NULL)
            write_rules(gen, model->root->stem);
    }
}

static void list_outputs(const struct gen *gen, const struct model *model,
                         const char *stem)
{
    for (int i = 0; i < GENERATORS; i++)
        if (wanted(gen, model, &generators[i]))
            printf("%s\n", output_path(gen, stem, generators[i].suffix));
}

/* False when it was written in this run already: two schemas may import the
 * same file. */
static bool begin(struct gen *gen, const char *path)
{
    for (int i = 0; i < gen->done_count; i++)
        if (strcmp(gen->done[i].path, path) == 0)
            return false;
    return true;
}

static void add_done(struct gen *gen, const char *path, const char *stem,
                     uint32_t source)
{
    gen->done = arena_grow(gen->command->arena, gen->done,
                           (size_t)gen->done_count * sizeof *gen->done,
                           (size_t)(gen->done_count + 1) * sizeof *gen->done);
    gen->done[gen->done_count++] = (struct done){path, stem, source};
}

/* Two schemas of one name in different directories: the second would take the
 * place of the first. */
static bool is_free(struct gen *gen, const struct model_file *root)
{
    struct diag *diag = gen->command->diag;
    for (int i = 0; i < gen->done_count; i++) {
        const struct done *done = &gen->done[i];
        if (done->source == root->source)
            return false;
        if (strcasecmp(done->stem, root->stem) != 0)
            continue;
        diag_report(diag, DIAG_SAME_OUTPUT, nowhere,
                    "`%s` would be written over `%s`, which comes from `%s`",
                    root->path, output_path(gen, done->stem, ".warp.h"),
                    done->path);
        diag_help(diag, "rename one of them, or write it in a run of its own "
                        "with another -o");
        return false;
    }
    add_done(gen, root->path, root->stem, root->source);
    return true;
}

static void gen_file(struct gen *gen, const char *path)
{
    struct compile *compile = gen->command->compile;
    const struct model *model;
    if (gen->list && !gen->imports && access(path, R_OK) != 0) {
        list_outputs(gen, NULL, stem_of(gen, path)); /* not there yet */
        return;
    }
    if (!begin(gen, path))
        return;
    model = compile_file(compile, path);
    if (model == NULL)
        add_done(gen, path, "", 0);
    if (model == NULL || !is_free(gen, model->root))
        return;
    if (gen->list)
        list_outputs(gen, model, model->root->stem);
    else
        emit_model(gen, model);
    if (!gen->imports)
        return;
    compile->schema_name = NULL;
    for (uint32_t i = 0; i < model->file_count; i++)
        if (model->files[i] != model->root)
            gen_file(gen, model->files[i]->path);
}

int gen_run(struct command *command)
{
    struct gen gen = {.command = command};
    int status = read_arguments(&gen);
    if (status != EXIT_CLEAN)
        return status;
    text_init(&gen.text, command->arena, 4 * TEXT_FLUSH_BYTES);
    text_init(&gen.rules, command->arena, 1 << 10);
    command->compile->schema_name = gen.name;
    if (make_directory(&gen)) {
        for (int i = 0; i < gen.file_count; i++)
            gen_file(&gen, gen.files[i]);
        if (gen.depfile && gen.rules.size > 0)
            write_rules(&gen, NULL);
    }
    return gen.bug ? EXIT_BUG : command_status(command);
}
