/* warpc help W0123: the row of diag.def. warpc help persist: the row of
 * annotations.def, with its words. warpc help types, warpc help calls: the
 * other tables of the language. */
#include "atom.h"
#include "command.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *places, *shape, *words, *text;
} annotations[] = {
#define ANNOTATION(id, name, places, shape, words, text)                       \
    {name, #places, #shape, #words, text},
#define WORD(set, word, value, text)
#define CONFLICT(a, word_a, b, word_b, why, help)
#include "../grammar/annotations.def"
#undef ANNOTATION
#undef WORD
#undef CONFLICT
};
enum { ANNOTATIONS = sizeof annotations / sizeof annotations[0] };

static const struct {
    const char *set, *word, *text;
} words[] = {
#define ANNOTATION(id, name, places, shape, words, text)
#define WORD(set, word, value, text) {#set, word, text},
#define CONFLICT(a, word_a, b, word_b, why, help)
#include "../grammar/annotations.def"
#undef ANNOTATION
#undef WORD
#undef CONFLICT
};

static const struct {
    const char *a, *word_a, *b, *word_b, *why;
} conflicts[] = {
#define ANNOTATION(id, name, places, shape, words, text)
#define WORD(set, word, value, text)
#define CONFLICT(a, word_a, b, word_b, why, help) {#a, word_a, #b, word_b, why},
#include "../grammar/annotations.def"
#undef ANNOTATION
#undef WORD
#undef CONFLICT
};

static int help_number(struct command *command, const char *text)
{
    char *end;
    unsigned long number =
        strtoul(text + (*text == 'W' || *text == 'w'), &end, 10);
    const struct diag_row *row =
        *end == 0 && number < 10000 ? diag_row((unsigned)number) : NULL;
    if (row == NULL)
        return command_usage(command, "no message has the number `%s`", text);
    static const char *const levels[] = {
        [DIAG_LEVEL_NOTE] = "a note",
        [DIAG_LEVEL_WARNING] = "a warning",
        [DIAG_LEVEL_STRICT] = "a warning, an error under --strict",
        [DIAG_LEVEL_ERROR] = "an error"};
    printf("W%04u: %s\n\n%s\nIt is %s", row->number, row->brief, row->text,
           levels[row->level]);
    if (row->name[0] != 0)
        printf("; -Wno-%s switches it off, -Werror=%s makes it an error",
               row->name, row->name);
    puts(".");
    return EXIT_CLEAN;
}

static bool same_but_case(const char *id, const char *name)
{
    for (; *id != 0 && *name != 0; id++, name++) {
        char lower = *id >= 'A' && *id <= 'Z' ? (char)(*id - 'A' + 'a') : *id;
        if (lower != *name)
            return false;
    }
    return *id == *name;
}

static void print_conflict(const char *name, const char *own, const char *other,
                           const char *other_word, const char *why)
{
    printf("  %s", name);
    if (own != NULL)
        printf(" :%s", own);
    fputs(" with ", stdout);
    for (; *other != 0; other++)
        putchar(*other >= 'A' && *other <= 'Z' ? *other - 'A' + 'a' : *other);
    if (other_word != NULL)
        printf(" :%s", other_word);
    printf(": %s\n", why);
}

static void help_annotation(int i)
{
    const char *name = annotations[i].name;
    printf("%s: %s\n\nIt stands in ", name, annotations[i].text);
    for (const char *p = annotations[i].places; *p != 0; p++) {
        if (strncmp(p, "IN_", 3) == 0)
            p += 2;
        else if (*p == '|')
            fputs("and", stdout);
        else
            putchar(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
    }
    fputs(" and takes: ", stdout);
    for (const char *p = annotations[i].shape; *p != 0; p++)
        putchar(*p - 'A' + 'a');
    putchar('\n');
    for (size_t w = 0; w < sizeof words / sizeof words[0]; w++) {
        if (strcmp(words[w].set, annotations[i].words) == 0)
            printf("  :%-32s %s\n", words[w].word, words[w].text);
    }
    bool any = false;
    for (size_t c = 0; c < sizeof conflicts / sizeof conflicts[0]; c++) {
        bool a = same_but_case(conflicts[c].a, name);
        bool b = same_but_case(conflicts[c].b, name);
        if (!a && !b)
            continue;
        if (!any)
            puts("\nIt contradicts:");
        any = true;
        if (a)
            print_conflict(name, conflicts[c].word_a, conflicts[c].b,
                           conflicts[c].word_b, conflicts[c].why);
        else
            print_conflict(name, conflicts[c].word_b, conflicts[c].a,
                           conflicts[c].word_a, conflicts[c].why);
    }
}

static void help_types(void)
{
#define SCALAR(id, name, elixir, c_form, bytes, class)                         \
    printf("  %-12s %-16s %s\n", name, elixir == 0 ? "" : elixir, c_form);
#include "../grammar/types.def"
#undef SCALAR
}

static void help_calls(void)
{
#define CALL(id, name, arity, result, text)                                    \
    printf("  %-8s %d argument%s  %s\n", name, arity, arity == 1 ? " " : "s",  \
           text);
#include "../grammar/calls.def"
#undef CALL
}

static void help_overview(void)
{
    puts("warpc help W0300   explains a message\n"
         "warpc help persist explains an annotation\n"
         "warpc help types   lists the types without parts\n"
         "warpc help calls   lists what formulas and kernels may call\n\n"
         "Annotations:");
    for (int i = 0; i < ANNOTATIONS; i++)
        printf("  %-24s %s\n", annotations[i].name, annotations[i].text);
    puts("\nMessages:");
    const struct diag_row *row;
    for (unsigned i = 0; (row = diag_row_at(i)) != NULL; i++)
        printf("  W%04u %-18s %s\n", row->number, row->name, row->brief);
}

int help_run(struct command *command)
{
    struct atom_nearest nearest;
    if (command->argc > 2)
        return command_usage(command, "one thing at a time");
    if (command->argc == 1) {
        help_overview();
        return EXIT_CLEAN;
    }
    const char *what = command->argv[1];
    size_t len = strlen(what);
    if (len > 1 && what[len - 1] == ':')
        what = arena_format(command->arena, "%.*s", (int)len - 1, what);
    if ((*what == 'W' || *what == 'w' || *what == '0') && len > 1 &&
        what[1] >= '0' && what[1] <= '9')
        return help_number(command, what);
    if (strcmp(what, "types") == 0) {
        help_types();
        return EXIT_CLEAN;
    }
    if (strcmp(what, "calls") == 0) {
        help_calls();
        return EXIT_CLEAN;
    }
    atom_nearest_init(&nearest, what);
    for (int i = 0; i < ANNOTATIONS; i++) {
        if (strcmp(annotations[i].name, what) == 0) {
            help_annotation(i);
            return EXIT_CLEAN;
        }
        atom_nearest_offer(&nearest, annotations[i].name);
    }
    if (nearest.best != NULL)
        return command_usage(command,
                             "nothing is known of `%s`; did you mean "
                             "`%s`?",
                             what, nearest.best);
    return command_usage(command, "nothing is known of `%s`", what);
}
