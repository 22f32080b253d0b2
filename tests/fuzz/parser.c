/* parser: a schema's text -> tokens laid out anew, AST, model and all that is
 * written of it. Imports find nothing: they are looked for in a directory that
 * is empty. */
#include "fuzz.h"

#include "arena.h"
#include "atom.h"
#include "compile.h"
#include "diag.h"
#include "emit.h"
#include "fmt_layout.h"
#include "model.h"
#include "model_dump.h"
#include "parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *null;
static char path[300];

static void lay_out(struct arena *arena, struct diag *diag,
                    struct source *source)
{
    struct parse_token *tokens;
    uint32_t count;
    struct fmt_text text;
    if (parse_tokens(arena, atom_table_create(arena), diag, source, &tokens,
                     &count))
        fmt_layout(arena, source, tokens, count, &text);
}

static void write_all(struct arena *arena, const struct model *model)
{
    struct emit emit = {.arena = arena, .model = model, .file = model->root};
    struct text out;
    model_dump(model, null);
    if (emit_describe(&emit) != 0)
        return;
    text_init(&out, arena, 4096);
    emit_c_header(&emit, &out);
    emit_c_source(&emit, &out);
    emit_wsd(&emit, &out);
    if (emit_has_kernels(&emit)) {
        emit_kernel_cl(&emit, &out);
        emit_kernel_cu(&emit, &out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    struct source_table *sources = source_table_create(arena);
    struct diag *diag = diag_create(arena, sources);
    struct compile compile = {.arena = arena, .sources = sources, .diag = diag};
    const char *text = (const char *)data;
    if (null == NULL) {
        null = fopen("/dev/null", "w");
        fuzz_need(null != NULL, "/dev/null");
        snprintf(path, sizeof path, "%.200s/fuzz.warp", fuzz_dir("parser"));
    }
    const struct model *model =
        compile_text(&compile, path, text, (uint32_t)size);
    if (model != NULL)
        write_all(arena, model);
    lay_out(arena, diag, source_add(sources, path, text, size));
    diag_set_format(diag, size % 2 ? DIAG_FORMAT_JSON : DIAG_FORMAT_TEXT);
    diag_flush(diag, null);
    arena_destroy(&arena);
    return 0;
}
