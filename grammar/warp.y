/* Tokens -> AST: the shape of the language, without its meaning. The parser
 * never prints and never gives up: after a mistake the token feed
 * (compiler/parse_feed.c) skips to the next line, field or declaration and
 * gives SYNC, which only the error productions take. Words of the language and
 * annotations are no concern of the grammar: an annotation is a key and an
 * expression, wherever it stands. */
%define api.pure full
%define api.prefix {warp_yy}
%define api.location.type {struct source_range}
%define parse.error custom
%define parse.lac full
%locations
%expect 0
%param {struct scan *scan}

%code requires {
#include "scan.h"
}

%union {
    const struct atom *atom;
    struct ast_number number;
    struct ast_text text;
    const char *doc;
    struct ast_expr *expr;
    struct ast_entry *entry;
    struct ast_type *type;
    struct ast_param *param;
    struct ast_decl *decl;
    struct scan_list list;
}

%code provides {
int warp_yylex(WARP_YYSTYPE *value, struct source_range *at,
               struct scan *scan);
}

%code {
#define YYMAXDEPTH 4096
#define YYLLOC_DEFAULT(now, rhs, n)                                           \
    do {                                                                      \
        if (n) {                                                              \
            (now).file = YYRHSLOC(rhs, 1).file;                               \
            (now).begin = YYRHSLOC(rhs, 1).begin;                             \
            (now).end = YYRHSLOC(rhs, n).end;                                 \
        } else {                                                              \
            (now).file = YYRHSLOC(rhs, 0).file;                               \
            (now).begin = (now).end = YYRHSLOC(rhs, 0).end;                   \
        }                                                                     \
    } while (0)

#define APPEND(list, type, node)                                              \
    do {                                                                      \
        type *added = (node);                                                 \
        if ((list).first == NULL)                                             \
            (list).first = added;                                             \
        else                                                                  \
            ((type *)(list).last)->next = added;                              \
        (list).last = added;                                                  \
    } while (0)

static void warp_yyerror(const struct source_range *at, struct scan *scan,
                         const char *text);
static struct ast_member *broken_member(struct scan *scan,
                                        struct source_range at);
}

%token DO "`do`" END "`end`" DEFPRODUCT "`defproduct`" DEFSTRUCT "`defstruct`"
%token DEFENUM "`defenum`" DEFSUM "`defsum`" DEFPOOL "`defpool`"
%token DEFSTRATEGY "`defstrategy`" DEFKERNEL "`defkernel`"
%token DEFMODULE "`defmodule`" IMPORT "`import`" FIELD "`field`"
%token VARIANT "`variant`" USE "`use`" DEF "`def`" DOC "`@doc`"
%token <atom> NAME "a name" KEY "a key (`name:`)" ATOM "an atom (`:name`)"
%token <atom> ATTRIBUTE "an attribute (`@name`)"
%token <number> NUMBER "a number"
%token <text> TEXT "a text"
%token COLONCOLON "`::`" MAP_OPEN "`%{`" NEWLINE "the end of the line"
%token EQ "`==`" NE "`!=`" LE "`<=`" GE "`>=`" AND "`&&`" OR "`||`"
%token INVALID "something unreadable" SYNC "the next line" COMMENT "a comment"
%token YYEOF 0 "the end of the file"

%left OR
%left AND
%nonassoc EQ NE
%nonassoc '<' '>' LE GE
%left '+' '-'
%left '*' '/'
%precedence UNARY

%type <doc> docs
%type <expr> expr postfix primary
%type <entry> entry annotation
%type <list> entries entry_list annotations fields variants enum_members
%type <list> config config_list params param_list lines type_options type_args
%type <type> type simple_type type_arg
%type <atom> dotted
%type <decl> declaration module_items
%type <param> param

%%

file:
    %empty
|   file item
;

item:
    IMPORT TEXT {
        struct ast_import *import = scan_alloc(scan, sizeof *import);
        import->path = $2;
        import->at = @2;
        struct ast_import **end = &scan->file->imports;
        while (*end != NULL)
            end = &(*end)->next;
        *end = import;
    }
|   ATTRIBUTE expr {
        struct ast_attribute *attribute =
            scan_alloc(scan, sizeof *attribute);
        attribute->name = $1;
        attribute->at = @1;
        attribute->value = $2;
        struct ast_attribute **end = &scan->file->attributes;
        while (*end != NULL)
            end = &(*end)->next;
        *end = attribute;
    }
|   declaration
|   error SYNC {
        scan->file->lost = true;
        yyerrok;
    }
;

docs:
    %empty { $$ = NULL; }
|   docs DOC TEXT { $$ = scan_doc(scan, $1, $3); }
;

declaration:
    docs DEFPRODUCT dotted annotations DO fields END {
        $$ = scan_decl(scan, AST_PRODUCT, $1, $3, @3);
        $$->annotations = $4.first;
        $$->members = $6.first;
    }
|   docs DEFSTRUCT dotted annotations DO fields END {
        $$ = scan_decl(scan, AST_STRUCT, $1, $3, @3);
        $$->annotations = $4.first;
        $$->members = $6.first;
    }
|   docs DEFENUM dotted annotations DO enum_members comma END {
        $$ = scan_decl(scan, AST_ENUM, $1, $3, @3);
        $$->annotations = $4.first;
        $$->enum_members = $6.first;
    }
|   docs DEFENUM dotted annotations DO END {
        $$ = scan_decl(scan, AST_ENUM, $1, $3, @3);
        $$->annotations = $4.first;
    }
|   docs DEFSUM dotted annotations DO variants END {
        $$ = scan_decl(scan, AST_SUM, $1, $3, @3);
        $$->annotations = $4.first;
        $$->variants = $6.first;
    }
|   docs DEFPOOL dotted annotations {
        $$ = scan_decl(scan, AST_POOL, $1, $3, @3);
        $$->annotations = $4.first;
    }
|   docs DEFSTRATEGY dotted annotations DO config END {
        $$ = scan_decl(scan, AST_STRATEGY, $1, $3, @3);
        $$->annotations = $4.first;
        $$->entries = $6.first;
    }
|   docs DEFKERNEL dotted '(' params ')' COLONCOLON type annotations DO lines
    END {
        $$ = scan_decl(scan, AST_KERNEL, $1, $3, @3);
        $$->params = $5.first;
        $$->result = $8;
        $$->annotations = $9.first;
        $$->statements = $11.first;
    }
|   docs DEFMODULE dotted DO module_items END {
        $$ = $5;
        $$->name = $3;
        $$->at = @3;
        if ($$->doc == NULL)
            $$->doc = $1;
        if (!$$->has_config)
            scan_config(scan, $$, NULL, @3, NULL);
        scan_add(scan, $$);
    }
;

annotations:
    %empty { $$ = (struct scan_list){0}; }
|   annotations ',' annotation {
        $$ = $1;
        APPEND($$, struct ast_entry, $3);
    }
;

annotation:
    KEY expr { $$ = scan_entry(scan, $1, @1, $2, @$); }
;

/* An annotation belongs to the field before it, so that a mistake in one
 * leaves the others of the same field readable. */
fields:
    %empty { $$ = (struct scan_list){0}; }
|   fields docs NAME COLONCOLON type {
        $$ = $1;
        APPEND($$, struct ast_member, scan_member(scan, $2, $3, @3, $5));
    }
|   fields docs FIELD NAME COLONCOLON type {
        $$ = $1;
        APPEND($$, struct ast_member, scan_member(scan, $2, $4, @4, $6));
    }
|   fields docs FIELD ATOM COLONCOLON type {
        $$ = $1;
        APPEND($$, struct ast_member, scan_member(scan, $2, $4, @4, $6));
    }
|   fields ',' annotation {
        $$ = $1;
        scan_annotate(scan, $$.last, $3);
    }
|   fields ',' error SYNC {
        $$ = $1;
        if ($$.last != NULL)
            ((struct ast_member *)$$.last)->broken = true;
        yyerrok;
    }
|   fields error SYNC {
        $$ = $1;
        if ($$.last != NULL && !scan_begins_line(scan, @2.begin))
            ((struct ast_member *)$$.last)->broken = true;
        APPEND($$, struct ast_member, broken_member(scan, @2));
        yyerrok;
    }
;

enum_members:
    docs NAME enum_value[value] {
        struct ast_enum_member *member =
            scan_alloc(scan, sizeof *member);
        *member = (struct ast_enum_member){
            .doc = $1, .name = $2, .at = @2, .value = $value};
        $$ = (struct scan_list){0};
        APPEND($$, struct ast_enum_member, member);
    }
|   enum_members comma docs NAME enum_value[value] {
        struct ast_enum_member *member =
            scan_alloc(scan, sizeof *member);
        *member = (struct ast_enum_member){
            .doc = $3, .name = $4, .at = @4, .value = $value};
        $$ = $1;
        APPEND($$, struct ast_enum_member, member);
    }
|   error SYNC {
        $$ = (struct scan_list){0};
        scan->file->lost = true;
        yyerrok;
    }
|   enum_members error SYNC {
        $$ = $1;
        scan->file->lost = true;
        yyerrok;
    }
;

%nterm <expr> enum_value;
enum_value:
    %empty { $$ = NULL; }
|   '=' expr { $$ = $2; }
;

comma:
    %empty
|   ','
;

variants:
    %empty { $$ = (struct scan_list){0}; }
|   variants docs VARIANT NAME {
        struct ast_variant *variant = scan_alloc(scan, sizeof *variant);
        variant->doc = $2;
        variant->name = $4;
        variant->at = @4;
        $$ = $1;
        APPEND($$, struct ast_variant, variant);
    }
|   variants ',' docs NAME COLONCOLON type {
        $$ = $1;
        struct ast_variant *variant = $$.last;
        struct ast_member *member = scan_member(scan, $3, $4, @4, $6);
        if (variant != NULL) {
            if (variant->members == NULL)
                variant->members = member;
            else
                variant->last_member->next = member;
            variant->last_member = member;
        }
    }
|   variants ',' annotation {
        $$ = $1;
        struct ast_variant *variant = $$.last;
        scan_annotate(scan, variant == NULL ? NULL : variant->last_member, $3);
    }
|   variants error SYNC {
        $$ = $1;
        scan->file->lost = true;
        yyerrok;
    }
;

config:
    %empty { $$ = (struct scan_list){0}; }
|   config_list comma
;

config_list:
    annotation {
        $$ = (struct scan_list){0};
        APPEND($$, struct ast_entry, $1);
    }
|   config_list ',' annotation {
        $$ = $1;
        APPEND($$, struct ast_entry, $3);
    }
|   error SYNC {
        $$ = (struct scan_list){0};
        scan->file->lost = true;
        yyerrok;
    }
|   config_list error SYNC {
        $$ = $1;
        scan->file->lost = true;
        yyerrok;
    }
;

/* Elixir's spelling of a strategy, no more of Elixir. */
module_items:
    %empty {
        $$ = scan_alloc(scan, sizeof *$$);
        $$->kind = AST_STRATEGY;
    }
|   module_items USE dotted {
        $$ = $1;
        scan_use(scan, $3, @3);
    }
|   module_items DOC TEXT {
        $$ = $1;
        $$->doc = scan_doc(scan, $$->doc, $3);
    }
|   module_items DEF NAME DO expr END {
        $$ = $1;
        scan_config(scan, $$, $3, @3, $5);
    }
|   module_items DEF NAME '(' ')' DO expr END {
        $$ = $1;
        scan_config(scan, $$, $3, @3, $7);
    }
|   module_items error SYNC {
        $$ = $1;
        $$->has_config = true;
        $$->broken = true;
        yyerrok;
    }
;

params:
    %empty { $$ = (struct scan_list){0}; }
|   param_list comma
;

param_list:
    param {
        $$ = (struct scan_list){0};
        APPEND($$, struct ast_param, $1);
    }
|   param_list ',' param {
        $$ = $1;
        APPEND($$, struct ast_param, $3);
    }
;

param:
    NAME COLONCOLON type {
        $$ = scan_alloc(scan, sizeof *$$);
        *$$ = (struct ast_param){.name = $1, .at = @1, .type = $3};
    }
;

lines:
    %empty { $$ = (struct scan_list){0}; }
|   lines NEWLINE
|   lines NAME '=' expr NEWLINE {
        struct ast_statement *line = scan_alloc(scan, sizeof *line);
        *line = (struct ast_statement){.name = $2, .at = @2, .value = $4};
        $$ = $1;
        APPEND($$, struct ast_statement, line);
    }
|   lines expr NEWLINE {
        struct ast_statement *line = scan_alloc(scan, sizeof *line);
        *line = (struct ast_statement){.at = @2, .value = $2};
        $$ = $1;
        APPEND($$, struct ast_statement, line);
    }
|   lines error SYNC {
        struct ast_statement *line = scan_alloc(scan, sizeof *line);
        line->at = @2;
        line->value = scan_expr(scan, AST_BAD, @2);
        $$ = $1;
        APPEND($$, struct ast_statement, line);
        yyerrok;
    }
;

dotted:
    NAME
|   dotted '.' NAME { $$ = scan_dotted(scan, $1, $3); }
;

type:
    simple_type
|   type '?' { $$ = scan_type(scan, AST_TYPE_OPTIONAL, @$, $1); }
|   type '[' NUMBER ']' {
        $$ = scan_type(scan, AST_TYPE_ARRAY, @$, $1);
        $$->number = scan_alloc(scan, sizeof *$$->number);
        *$$->number = $3;
        $$->number_at = @3;
    }
;

simple_type:
    dotted {
        $$ = scan_type(scan, AST_TYPE_NAME, @$, NULL);
        $$->name = $1;
    }
|   dotted '(' ')' {
        $$ = scan_type(scan, AST_TYPE_CALL, @$, NULL);
        $$->name = $1;
    }
|   NAME '<' type_args '>' {
        $$ = scan_type(scan, AST_TYPE_GENERIC, @$, NULL);
        $$->name = $1;
        $$->args = $3.first;
        for (struct ast_type *arg = $$->args; arg != NULL; arg = arg->next) {
            if (arg->depth >= $$->depth)
                $$->depth = arg->depth + 1;
        }
    }
|   '[' type type_options comma ']' {
        $$ = scan_type(scan, AST_TYPE_LIST, @$, $2);
        $$->options = $3.first;
    }
;

type_args:
    type_arg {
        $$ = (struct scan_list){0};
        APPEND($$, struct ast_type, $1);
    }
|   type_args ',' type_arg {
        $$ = $1;
        APPEND($$, struct ast_type, $3);
    }
;

type_arg:
    type
|   NUMBER {
        $$ = scan_type(scan, AST_TYPE_NUMBER, @$, NULL);
        $$->number = scan_alloc(scan, sizeof *$$->number);
        *$$->number = $1;
        $$->number_at = @1;
    }
;

type_options:
    %empty { $$ = (struct scan_list){0}; }
|   type_options ',' annotation {
        $$ = $1;
        APPEND($$, struct ast_entry, $3);
    }
;

expr:
    postfix
|   expr OR expr { $$ = scan_binary(scan, AST_OP_OR, @2, $1, $3); }
|   expr AND expr { $$ = scan_binary(scan, AST_OP_AND, @2, $1, $3); }
|   expr EQ expr { $$ = scan_binary(scan, AST_OP_EQ, @2, $1, $3); }
|   expr NE expr { $$ = scan_binary(scan, AST_OP_NE, @2, $1, $3); }
|   expr '<' expr { $$ = scan_binary(scan, AST_OP_LT, @2, $1, $3); }
|   expr LE expr { $$ = scan_binary(scan, AST_OP_LE, @2, $1, $3); }
|   expr '>' expr { $$ = scan_binary(scan, AST_OP_GT, @2, $1, $3); }
|   expr GE expr { $$ = scan_binary(scan, AST_OP_GE, @2, $1, $3); }
|   expr '+' expr { $$ = scan_binary(scan, AST_OP_ADD, @2, $1, $3); }
|   expr '-' expr { $$ = scan_binary(scan, AST_OP_SUB, @2, $1, $3); }
|   expr '*' expr { $$ = scan_binary(scan, AST_OP_MUL, @2, $1, $3); }
|   expr '/' expr { $$ = scan_binary(scan, AST_OP_DIV, @2, $1, $3); }
|   '-' expr %prec UNARY { $$ = scan_unary(scan, AST_OP_NEG, @1, $2); }
|   '!' expr %prec UNARY { $$ = scan_unary(scan, AST_OP_NOT, @1, $2); }
;

postfix:
    primary
|   postfix '.' NAME { $$ = scan_dot(scan, $1, $3, @$); }
;

primary:
    NUMBER {
        $$ = scan_expr(scan, AST_NUMBER, @$);
        $$->number = $1;
    }
|   TEXT {
        $$ = scan_expr(scan, AST_TEXT, @$);
        $$->text = $1;
    }
|   ATOM {
        $$ = scan_expr(scan, AST_ATOM, @$);
        $$->name = $1;
    }
|   NAME {
        $$ = scan_expr(scan, AST_NAME, @$);
        $$->name = $1;
    }
|   NAME '(' entries ')' {
        $$ = scan_expr(scan, AST_CALL, @$);
        $$->name = $1;
        scan_entries(scan, $$, $3.first);
        $$->op_at = @1;
    }
|   '(' expr ')' {
        $$ = $2;
        $$->parens = true;
        $$->at = @$;
    }
|   '[' entries ']' {
        $$ = scan_expr(scan, AST_LIST, @$);
        scan_entries(scan, $$, $2.first);
    }
|   MAP_OPEN entries '}' {
        $$ = scan_expr(scan, AST_MAP, @$);
        scan_entries(scan, $$, $2.first);
    }
|   '{' entries '}' {
        $$ = scan_expr(scan, AST_TUPLE, @$);
        scan_entries(scan, $$, $2.first);
    }
;

entries:
    %empty { $$ = (struct scan_list){0}; }
|   entry_list comma
;

entry_list:
    entry {
        $$ = (struct scan_list){0};
        APPEND($$, struct ast_entry, $1);
    }
|   entry_list ',' entry {
        $$ = $1;
        APPEND($$, struct ast_entry, $3);
    }
;

entry:
    annotation
|   expr { $$ = scan_entry(scan, NULL, @1, $1, @1); }
;

%%

static struct ast_member *broken_member(struct scan *scan,
                                        struct source_range at)
{
    struct ast_type *type = scan_type(scan, AST_TYPE_BAD, at, NULL);
    struct ast_member *member = scan_member(scan, NULL, NULL, at, type);
    member->broken = true;
    return member;
}

static int yyreport_syntax_error(const yypcontext_t *context,
                                 struct scan *scan)
{
    enum { MOST = 6 };
    yysymbol_kind_t kinds[MOST + 1];
    const char *names[MOST];
    int count = yypcontext_expected_tokens(context, kinds, MOST + 1);
    int named = 0;
    for (int i = 0; count <= MOST && i < count; i++) {
        if (kinds[i] != YYSYMBOL_SYNC && kinds[i] != YYSYMBOL_YYerror)
            names[named++] = yysymbol_name(kinds[i]);
    }
    scan_syntax_error(scan, names, named);
    return 0;
}

/* Only called when the parser's stack is full. */
static void warp_yyerror(const struct source_range *at, struct scan *scan,
                         const char *text)
{
    (void)text;
    scan_too_deep(scan, *at);
}
