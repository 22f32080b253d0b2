/* The checker lists every identifier that the generated code would hold, so
 * that none is there twice. Here both lists are compared: what the header
 * holds, its lines spelled out by the C preprocessor, and what the model
 * says. */
#include "emit.h"

#include "arena.h"
#include "compile.h"
#include "diag.h"

#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const schemas[] = {"entity", "types", "keys", "formula"};
static const char *const prefixes[] = {"game", "t", "k", "f"};

static bool is_listed(const struct model *model, const char *name, size_t size)
{
    for (uint32_t i = 0; i < model->ident_count; i++)
        if (strlen(model->idents[i].name) == size &&
            memcmp(model->idents[i].name, name, size) == 0)
            return true;
    return false;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool holds(const char *text, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = text; (at = strstr(at, name)) != NULL; at++)
        if ((at == text || !is_word(at[-1])) && !is_word(at[size]))
            return true;
    return false;
}

/* Calls that the compute side brings; their names are kept free. */
static bool is_reserved(const char *name)
{
    static const char *const ends[] = {"_peek", "_request", "_compute",
                                       "_summary"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        size_t size = strlen(name), tail = strlen(ends[i]);
        if (size > tail && strcmp(name + size - tail, ends[i]) == 0)
            return true;
    }
    return false;
}

/* Does the word begin with the prefix and _, in either case? */
static bool has_prefix(const char *word, const char *prefix)
{
    size_t size = strlen(prefix);
    for (size_t i = 0; i < size; i++)
        if (tolower((unsigned char)word[i]) != prefix[i])
            return false;
    return word[size] == '_';
}

static void write_file(const char *path, const struct text *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    if (text)
        ck_assert_uint_eq(fwrite(text->at, 1, text->size, file), text->size);
    ck_assert_int_eq(fclose(file), 0);
}

/* The header behind the preprocessor, macros kept. Its own <warp/calls.h> is
 * read; <warp/warp.h> is empty, so that nothing of the system's is there. */
static const char *spell_out(struct text *text)
{
    char dir[] = "/tmp/emit_idents.XXXXXX", sub[64], warp[64], header[64];
    char command[1024], piece[4096];
    FILE *pipe;
    size_t size;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(sub, sizeof sub, "%s/warp", dir);
    snprintf(warp, sizeof warp, "%s/warp/warp.h", dir);
    snprintf(header, sizeof header, "%s/a.h", dir);
    ck_assert_int_eq(mkdir(sub, 0700), 0);
    write_file(warp, NULL);
    write_file(header, text);
    snprintf(command, sizeof command,
             "${CC:-cc} -E -P -dD -undef -I '%s' -I '%s' '%s'", dir,
             INCLUDE_DIR, header);
    pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    text->size = 0;
    while ((size = fread(piece, 1, sizeof piece, pipe)) > 0)
        text_bytes(text, piece, size);
    ck_assert_int_eq(pclose(pipe), 0);
    ck_assert_int_eq(unlink(warp) | unlink(header) | rmdir(sub) | rmdir(dir),
                     0);
    return text_cstr(text);
}

START_TEST(header_and_list_agree)
{
    struct arena *arena = arena_create();
    struct source_table *sources = source_table_create(arena);
    struct diag *diag = diag_create(arena, sources);
    struct compile compile = {.arena = arena,
                              .sources = sources,
                              .diag = diag,
                              .list_idents = true};
    struct emit emit = {.arena = arena};
    struct text text;
    const char *header;
    char path[512];
    snprintf(path, sizeof path, "%s/gen_%s/schema.warp", GOLDEN_DIR,
             schemas[_i]);
    emit.model = compile_file(&compile, path);
    ck_assert_ptr_nonnull(emit.model);
    emit.file = emit.model->root;
    ck_assert_int_eq(emit_describe(&emit), 0);
    text_init(&text, arena, 4096);
    emit_c_header(&emit, &text);
    header = spell_out(&text);
    for (uint32_t i = 0; i < emit.model->ident_count; i++) {
        const char *name = emit.model->idents[i].name;
        if (!holds(header, name) && !is_reserved(name))
            ck_abort_msg("`%s` is listed, the header lacks it", name);
    }
    for (const char *at = header; *at;) {
        size_t size = 0;
        while (is_word(at[size]))
            size++;
        if (size > 0 && has_prefix(at, prefixes[_i]) &&
            !is_listed(emit.model, at, size))
            ck_abort_msg("the header holds `%.*s`, which is not listed",
                         (int)size, at);
        at += size ? size : 1;
    }
    arena_destroy(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("emit_idents");
    TCase *tcase = tcase_create("emit_idents");
    SRunner *runner;
    int failed;
    tcase_add_loop_test(tcase, header_and_list_agree, 0,
                        sizeof schemas / sizeof schemas[0]);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
