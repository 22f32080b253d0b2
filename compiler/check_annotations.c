/* Annotations by the one table: which there are, where they stand, what shape
 * and words they take, and which contradict one another. What they mean for a
 * field of some type is check_fields.c and check_rules.c. */
#include "check.h"

#include <inttypes.h>
#include <string.h>

enum shape {
    SHAPED_WORD,
    SHAPED_WORDS,
    SHAPED_TIME,
    SHAPED_BYTES,
    SHAPED_COUNT,
    SHAPED_FLAG,
    SHAPED_ATOM,
    SHAPED_NAME,
    SHAPED_TYPE,
    SHAPED_VALUE,
    SHAPED_EXPRESSION,
    SHAPED_COMPUTE,
    SHAPED_RETENTION,
    SHAPED_REDUCE,
    SHAPED_THRESHOLDS,
};

enum word_set {
    SET_NONE,
    SET_POLICY,
    SET_TIER,
    SET_SURVIVES,
    SET_COMPRESSION,
    SET_PRIORITY,
    SET_DEVICE,
    SET_PHYSICS,
    SET_ACCESS,
    SET_LAYOUT,
    SET_SHAPE,
    SET_REDUCE,
    SET_THRESHOLD,
};

struct annotation_row {
    const char *name;
    unsigned places;
    enum shape shape;
    enum word_set words;
};

static const struct annotation_row rows[] = {
#define ANNOTATION(id, name, places, shape, words, text)                       \
    {name, places, SHAPED_##shape, SET_##words},
#define WORD(set, word, value, text)
#define CONFLICT(a, word_a, b, word_b, why, help)
#include "../grammar/annotations.def"
#undef ANNOTATION
#undef WORD
};

static const struct {
    enum word_set set;
    const char *word;
    int value;
} words[] = {
#define ANNOTATION(id, name, places, shape, words, text)
#define WORD(set, word, value, text) {SET_##set, word, (int)value},
#include "../grammar/annotations.def"
#undef WORD
#undef CONFLICT
};
enum { WORD_COUNT = sizeof words / sizeof words[0] };

static const struct {
    enum annotation_id a;
    const char *word_a;
    enum annotation_id b;
    const char *word_b, *why, *help;
} conflicts[] = {
#define WORD(set, word, value, text)
#define CONFLICT(a, word_a, b, word_b, why, help)                              \
    {ANNOTATION_##a, word_a, ANNOTATION_##b, word_b, why, help},
#include "../grammar/annotations.def"
#undef ANNOTATION
#undef WORD
#undef CONFLICT
};

const char *check_annotation_name(enum annotation_id id)
{
    return rows[id].name;
}

/* Words -------------------------------------------------------------------- */

static const char *all_words(struct check *check, enum word_set set)
{
    const char *list = "";
    for (int i = 0; i < WORD_COUNT; i++) {
        if (words[i].set == set)
            list = arena_format(check->arena, "%s%s:%s", list,
                                *list == 0 ? "" : " ", words[i].word);
    }
    return list;
}

bool check_is_word(enum annotation_id id, const struct atom *name,
                   struct check_word *out)
{
    for (int i = 0; i < WORD_COUNT; i++) {
        if (words[i].set == rows[id].words &&
            strcmp(words[i].word, name->text) == 0) {
            *out = (struct check_word){.word = words[i].word,
                                       .value = words[i].value};
            return true;
        }
    }
    return false;
}

void check_offer_words(struct atom_nearest *nearest, enum annotation_id id)
{
    for (int i = 0; i < WORD_COUNT; i++) {
        if (words[i].set == rows[id].words)
            atom_nearest_offer(nearest, words[i].word);
    }
}

static void unknown_word(struct check *check, enum annotation_id id,
                         const struct atom *name, struct source_range at)
{
    struct atom_nearest nearest;
    atom_nearest_init(&nearest, name->text);
    check_offer_words(&nearest, id);
    diag_report(check->diag, DIAG_UNKNOWN_WORD, at, "`%s:` knows no `:%s`",
                rows[id].name, name->text);
    if (nearest.best != NULL)
        diag_help(check->diag, "did you mean `:%s`?", nearest.best);
    else
        diag_help(check->diag, "it takes %s", all_words(check, rows[id].words));
}

bool check_word_of(struct check *check, enum annotation_id id,
                   const struct atom *name, struct source_range at,
                   struct check_word *out)
{
    if (name == NULL) {
        diag_report(check->diag, DIAG_BAD_ARGUMENT, at, "`%s:` takes an atom",
                    rows[id].name);
        diag_help(check->diag, "it takes %s", all_words(check, rows[id].words));
        return false;
    }
    if (check_is_word(id, name, out)) {
        out->at = at;
        return true;
    }
    unknown_word(check, id, name, at);
    return false;
}

/* `persist: memory` for `persist: :memory`. */
static bool read_word(struct check *check, enum annotation_id id,
                      const struct ast_expr *expr, struct check_word *out)
{
    if (expr->kind == AST_BAD)
        return false;
    if (expr->kind == AST_NAME) {
        diag_report(check->diag, DIAG_BAD_ARGUMENT, expr->at,
                    "`%s:` takes an atom, not a name", rows[id].name);
        for (int i = 0; i < WORD_COUNT; i++) {
            if (words[i].set == rows[id].words &&
                strcmp(words[i].word, expr->name->text) == 0) {
                diag_help(check->diag, "write `:%s`", expr->name->text);
                return false;
            }
        }
        diag_help(check->diag, "it takes %s", all_words(check, rows[id].words));
        return false;
    }
    return check_word_of(check, id, expr->kind == AST_ATOM ? expr->name : NULL,
                         expr->at, out);
}

static bool read_words(struct check *check, enum annotation_id id,
                       const struct ast_expr *expr, struct check_notes *notes,
                       struct check_note *note)
{
    if (expr->kind != AST_LIST)
        return read_word(check, id, expr, &note->word);
    uint32_t count = 0, n = 0;
    for (const struct ast_entry *e = expr->entries; e != NULL; e = e->next)
        count++;
    if (count == 0) {
        diag_report(check->diag, DIAG_BAD_ARGUMENT, expr->at,
                    "`%s:` takes at least one word", rows[id].name);
        return false;
    }
    struct check_word *list =
        ARENA_ARRAY(check->scratch, struct check_word, count);
    bool good = true;
    for (const struct ast_entry *e = expr->entries; e != NULL; e = e->next) {
        if (e->key != NULL) {
            diag_report(check->diag, DIAG_BAD_ARGUMENT, e->at,
                        "the list of `%s:` has no keys", rows[id].name);
            good = false;
            continue;
        }
        if (!read_word(check, id, e->value, &list[n])) {
            good = false;
            continue;
        }
        for (uint32_t i = 0; i < n; i++) {
            if (list[i].value == list[n].value) {
                diag_report(check->diag, DIAG_DUPLICATE, e->at,
                            "`:%s` stands twice", list[n].word);
                diag_note(check->diag, list[i].at, "first here");
                good = false;
                break;
            }
        }
        n++;
    }
    if (n == 0)
        return false;
    note->word = list[0];
    notes->copies = list + 1;
    notes->copy_count = n - 1;
    return good;
}

/* Other shapes ------------------------------------------------------------- */

static bool read_atom(struct check *check, enum annotation_id id,
                      const struct ast_expr *expr, struct check_note *note)
{
    if (expr->kind == AST_ATOM) {
        note->name = expr->name;
        return true;
    }
    diag_report(check->diag, DIAG_BAD_ARGUMENT, expr->at, "`%s:` takes an atom",
                rows[id].name);
    if (expr->kind == AST_NAME)
        diag_help(check->diag, "write `:%s`", expr->name->text);
    else
        diag_help(check->diag, "write `%s: :name`", rows[id].name);
    return false;
}

static const struct atom *dotted_name(struct check *check,
                                      const struct ast_expr *expr)
{
    if (expr->kind == AST_NAME)
        return expr->name;
    if (expr->kind != AST_DOT)
        return NULL;
    const struct atom *left = dotted_name(check, expr->left);
    if (left == NULL)
        return NULL;
    char *text =
        arena_format(check->arena, "%s.%s", left->text, expr->name->text);
    return atom_intern(check->atoms, text, strlen(text));
}

static bool read_name(struct check *check, enum annotation_id id,
                      const struct ast_expr *expr, struct check_note *note)
{
    note->name = dotted_name(check, expr);
    if (note->name != NULL)
        return true;
    diag_report(check->diag, DIAG_BAD_ARGUMENT, expr->at,
                "`%s:` takes the name of a declaration", rows[id].name);
    if (expr->kind == AST_ATOM)
        diag_help(check->diag, "write it without the colon: `%s: %s`",
                  rows[id].name, expr->name->text);
    return false;
}

static bool read_integer_type(struct check *check, const struct ast_expr *expr,
                              int64_t *kind)
{
    static const struct {
        const char *name;
        enum type_kind kind;
    } types[] = {
#define SCALAR(id, name, elixir, c_form, bytes, class) {name, TYPE_##id},
#include "../grammar/types.def"
#undef SCALAR
    };
    for (size_t i = 0;
         expr->kind == AST_NAME && i < sizeof types / sizeof types[0]; i++) {
        if (types[i].kind >= TYPE_U8 && types[i].kind <= TYPE_I64 &&
            strcmp(types[i].name, expr->name->text) == 0) {
            *kind = (int64_t)types[i].kind;
            return true;
        }
    }
    diag_report(check->diag, DIAG_BAD_ARGUMENT, expr->at,
                "`type:` takes an integer type");
    diag_help(check->diag, "it takes u8 u16 u32 u64 i8 i16 i32 i64");
    return false;
}

static bool read_positive(struct check *check, enum annotation_id id,
                          const struct ast_expr *expr, bool good,
                          const int64_t *number)
{
    if (!good)
        return false;
    if (*number > 0)
        return true;
    /* compression_threshold: 0 compresses everything. */
    if (id == ANNOTATION_COMPRESSION_THRESHOLD)
        return true;
    diag_report(check->diag, DIAG_OUT_OF_RANGE, expr->at,
                "`%s:` of 0 would leave nothing", rows[id].name);
    if (id == ANNOTATION_TTL)
        diag_help(check->diag, "a ttl is at least 1 ms; a value that is not "
                               "to be kept needs no field");
    else
        diag_help(check->diag, "give a value above 0, or drop it");
    return false;
}

static bool read_argument(struct check *check, enum annotation_id id,
                          const struct ast_expr *expr,
                          struct check_notes *notes, struct check_note *note)
{
    const char *name = rows[id].name;
    int64_t *number = &note->number;
    switch (rows[id].shape) {
    case SHAPED_WORD:
        return read_word(check, id, expr, &note->word);
    case SHAPED_WORDS:
        return read_words(check, id, expr, notes, note);
    case SHAPED_TIME:
        return read_positive(check, id, expr,
                             check_time(check, expr, name, number), number);
    case SHAPED_BYTES:
        return read_positive(check, id, expr,
                             check_bytes(check, expr, name, number), number);
    case SHAPED_COUNT:
        return read_positive(check, id, expr,
                             check_count(check, expr, name, number), number);
    case SHAPED_FLAG:
        return check_flag(check, expr, name, number);
    case SHAPED_ATOM:
        return read_atom(check, id, expr, note);
    case SHAPED_NAME:
        return read_name(check, id, expr, note);
    case SHAPED_TYPE:
        return read_integer_type(check, expr, number);
    case SHAPED_VALUE:
    case SHAPED_EXPRESSION:
    case SHAPED_COMPUTE:
    case SHAPED_RETENTION:
    case SHAPED_REDUCE:
    case SHAPED_THRESHOLDS:
        return true; /* read where the field's type is known */
    }
    return false;
}

/* Places ------------------------------------------------------------------- */

static const char *places_text(struct check *check, unsigned places)
{
    static const char *const texts[] = {
        "fields",  "products", "members of a struct", "enums",
        "kernels", "pools",    "list types",          "strategies",
    };
    const char *list = "";
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if ((places & 1u << i) != 0)
            list = arena_format(check->arena, "%s%s%s", list,
                                *list == 0 ? "" : " and ", texts[i]);
    }
    return list;
}

static void unknown_annotation(struct check *check,
                               const struct ast_entry *entry, unsigned place)
{
    struct atom_nearest nearest;
    atom_nearest_init(&nearest, entry->key->text);
    for (int i = 0; i < ANNOTATION_COUNT; i++) {
        if ((rows[i].places & place) != 0)
            atom_nearest_offer(&nearest, rows[i].name);
    }
    diag_report(check->diag, DIAG_UNKNOWN_ANNOTATION, entry->key_at,
                "unknown annotation `%s:`", entry->key->text);
    if (nearest.best != NULL) {
        diag_help(check->diag, "did you mean `%s:`?", nearest.best);
        return;
    }
    const char *list = "";
    for (int i = 0; i < ANNOTATION_COUNT; i++) {
        if ((rows[i].places & place) != 0)
            list = arena_format(check->arena, "%s%s%s", list,
                                *list == 0 ? "" : " ", rows[i].name);
    }
    if (*list == 0)
        diag_help(check->diag, "nothing can be annotated here");
    else
        diag_help(check->diag, "known here: %s", list);
}

const struct check_note *check_note(const struct check_notes *notes,
                                    enum annotation_id id)
{
    static const struct check_note none;
    return notes->slot[id] == 0 ? &none : &notes->list[notes->slot[id] - 1];
}

/* The list has room for as many notes as there are entries. */
static bool read_note(struct check *check, const struct ast_entry *entry,
                      unsigned place, struct check_notes *notes)
{
    uintptr_t row = (uintptr_t)atom_map_get(&check->rows, entry->key);
    struct check_note note = {.entry = entry};
    if (row == 0) {
        unknown_annotation(check, entry, place);
        return false;
    }
    enum annotation_id id = (enum annotation_id)(row - 1);
    if ((rows[id].places & place) == 0) {
        diag_report(check->diag, DIAG_MISPLACED_ANNOTATION, entry->key_at,
                    "`%s:` cannot stand here", rows[id].name);
        diag_help(check->diag, "it is for %s",
                  places_text(check, rows[id].places));
        return false;
    }
    if (notes->slot[id] != 0) {
        diag_report(check->diag, DIAG_DUPLICATE, entry->key_at,
                    "`%s:` is given twice", rows[id].name);
        diag_note(check->diag, note_at(notes, id)->key_at, "first given here");
        return false;
    }
    if (entry->value->kind == AST_BAD ||
        !read_argument(check, id, entry->value, notes, &note))
        return false;
    notes->list[notes->count++] = note;
    notes->slot[id] = (uint8_t)notes->count;
    return true;
}

static void index_rows(struct check *check)
{
    atom_map_init(&check->rows, check->arena);
    for (int i = 0; i < ANNOTATION_COUNT; i++)
        atom_map_put(
            &check->rows,
            atom_intern(check->atoms, rows[i].name, strlen(rows[i].name)),
            (void *)((uintptr_t)i + 1));
}

void check_notes_read(struct check *check, const struct ast_entry *entries,
                      unsigned place, struct check_notes *notes)
{
    size_t count = 0;
    if (check->rows.count == 0)
        index_rows(check);
    memset(notes, 0, sizeof *notes);
    for (const struct ast_entry *entry = entries; entry != NULL;
         entry = entry->next)
        count++;
    if (count == 0)
        return;
    if (count > ANNOTATION_COUNT)
        count = ANNOTATION_COUNT;
    notes->list = ARENA_ARRAY(check->scratch, struct check_note, count);
    for (const struct ast_entry *entry = entries; entry != NULL;
         entry = entry->next) {
        if (entry->key != NULL) {
            notes->refused |= !read_note(check, entry, place, notes);
            continue;
        }
        diag_report(check->diag, DIAG_BAD_ARGUMENT, entry->at,
                    "a key is missing here");
        notes->refused = true;
    }
}

void check_notes_imply(struct check *check, struct check_notes *notes,
                       enum annotation_id id, const struct ast_entry *entry,
                       int64_t number)
{
    struct check_note *list =
        ARENA_ARRAY(check->arena, struct check_note, notes->count + 1);
    if (notes->count > 0)
        memcpy(list, notes->list, notes->count * sizeof *list);
    list[notes->count] = (struct check_note){.entry = entry, .number = number};
    notes->list = list;
    notes->slot[id] = (uint8_t)++notes->count;
}

/* Contradictions ----------------------------------------------------------- */

void check_contradiction(struct check *check, const struct check_notes *notes,
                         enum annotation_id a, enum annotation_id b,
                         const char *why, const char *help)
{
    const struct ast_entry *first = note_at(notes, a),
                           *second = note_at(notes, b);
    if (first->at.begin > second->at.begin) {
        first = note_at(notes, b);
        second = note_at(notes, a);
    }
    diag_report(check->diag, DIAG_CONTRADICTION, second->at,
                "`%s:` contradicts `%s:`: %s", second->key->text,
                first->key->text, why);
    diag_note(check->diag, first->at, "the other one");
    diag_help(check->diag, "%s", help);
}

static bool has_word(const struct check_notes *notes, enum annotation_id id,
                     const char *word)
{
    const struct check_note *note = check_note(notes, id);
    /* `key: false` is as good as none. */
    if (note->entry == NULL ||
        (rows[id].shape == SHAPED_FLAG && note->number == 0))
        return false;
    return word == NULL ||
           (note->word.word != NULL && strcmp(note->word.word, word) == 0);
}

bool check_notes_conflicts(struct check *check, const struct check_notes *notes)
{
    for (size_t i = 0; i < sizeof conflicts / sizeof conflicts[0]; i++) {
        if (notes->slot[conflicts[i].a] == 0 ||
            notes->slot[conflicts[i].b] == 0 ||
            !has_word(notes, conflicts[i].a, conflicts[i].word_a) ||
            !has_word(notes, conflicts[i].b, conflicts[i].word_b))
            continue;
        check_contradiction(check, notes, conflicts[i].a, conflicts[i].b,
                            conflicts[i].why, conflicts[i].help);
        return true; /* one field, one contradiction at a time */
    }
    return false;
}
