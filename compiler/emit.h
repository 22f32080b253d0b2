/* Model -> files. Each generator is a row of the table in emit.c and turns one
 * model into one text; emit_output.c compares it with what is on disk and
 * writes it only when it changed. Generators see the model and its descriptor,
 * nothing else: the same model gives the same bytes in every directory.
 *
 * A further generator: emit_x.c with one function, declared here, and its row
 * in emit.c; a golden shows what it writes. */
#ifndef WARPC_EMIT_H
#define WARPC_EMIT_H

#include "../grammar/descriptor.h"
#include "emit_text.h"
#include "model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct command;

/* A row of the descriptor and what it is made from. At most one is set of
 * model (none: a variant's struct), variant and the map of an entry. */
struct emit_type {
    struct descriptor_type row; /* first: rows are cast to this */
    const struct model_type *model;
    const struct model_sum *sum; /* of a variant */
    const struct model_variant *variant;
    const struct model_type *map; /* whose { key, value } this is */
    bool used;                    /* by a product of the file that is written */
    uint32_t number;              /* of its table in the .c file, from 0 */
};

/* The texts of a field with gpu_raw. */
struct emit_raw {
    const struct model_field *field;
    const char *cl, *cu;
    const char *paths[2]; /* of both, as found */
};

/* What a generator works from. */
struct emit {
    struct arena *arena;
    const struct model *model;
    const struct model_file *file;     /* the root: what is written */
    struct descriptor *descriptor;     /* of the whole closure, laid out */
    struct emit_type *const *by_model; /* by model_type.index, or NULL */
    const uint8_t *wsd;
    size_t wsd_bytes;
    struct emit_raw *raws;
    uint32_t raw_count;
};

/* emit_descriptor.c: 0 or an enum descriptor_error. */
int emit_describe(struct emit *emit);
/* The texts that gpu_raw names; false: one cannot be read, and it was said. */
bool emit_read_raws(struct command *command, const struct model *model,
                    struct emit *emit);
void emit_wsd(const struct emit *emit, struct text *out);

/* emit_c_header.c, emit_c_source.c */
/* The macro that guards the header. */
void emit_c_guard(const struct emit *emit, struct text *out);
void emit_c_header(const struct emit *emit, struct text *out);
void emit_c_source(const struct emit *emit, struct text *out);

/* emit_c_calls.c: the lines of a header that declare a product's calls. */
void emit_c_calls(struct text *out, const struct model_product *product);
/* emit_c_descriptor.c: the descriptor's bytes, as strings. */
void emit_c_descriptor(const struct emit *emit, struct text *out);

/* emit_c_types.c: the tables of the types that the file's products use. */
void emit_c_types(const struct emit *emit, struct text *out);
/* A type's table, as the rest of a name that begins with warp_type_. */
void emit_type_ref(struct text *out, const struct descriptor_type *type);
/* Constant objects that hold a default: what it needs goes to `out`, then
 * `static const TYPE name = …;`. */
void emit_c_default(struct text *out, const struct model_type *type,
                    const struct model_value *value, const char *name);

/* emit_c_formula.c: `static void NAME(const void *, void *)` per derived
 * field with a formula, and the helpers that they call. */
void emit_c_formulas(const struct emit *emit, struct text *out);

/* emit_kernel_*.c: fields that a formula or a defkernel computes, for the .c
 * file and for devices. `used`: helpers of emit_expr.h that are called. */
bool emit_has_kernels(const struct emit *emit);
bool emit_is_kernel(const struct model_product *product,
                    const struct model_field *field);
void emit_c_kernels(const struct emit *emit, struct text *out, uint32_t *used);
void emit_c_raw_prototypes(struct text *out,
                           const struct model_product *product);
void emit_c_kernel_texts(const struct emit *emit, struct text *out);
void emit_c_kernel_tables(const struct emit *emit, struct text *out,
                          const struct model_product *product);
void emit_c_kernel_member(struct text *out, const struct model_product *product,
                          const struct model_field *field);
void emit_kernel_cl(const struct emit *emit, struct text *out);
void emit_kernel_cu(const struct emit *emit, struct text *out);

/* emit_c_comment.c: " | "-separated facts about a field, for its comment. */
void emit_field_facts(struct text *out, const struct model_field *field);

/* emit_output.c */
enum emit_result { EMIT_SAME, EMIT_CHANGED, EMIT_FAILED };
/* Makes the directory and what it lies in; 0 or an errno value. */
int emit_make_directory(const char *path);
/* A file that is written only when its bytes change, through one beside it, so
 * that a reader sees the old or the new. What is in `text` goes to it piece by
 * piece: see text_flush(). With `write` false it is only compared. */
struct output;
struct output *output_begin(struct text *text, const char *path, bool write);
/* EMIT_FAILED: errno says why. */
enum emit_result output_end(struct output **output);

/* emit.c: the verb gen. */
int gen_run(struct command *command);

#endif
