/* Between scanner and parser. Makes newlines in kernel bodies into tokens,
 * closes blocks whose `end` is missing (with the message), limits the nesting,
 * and finds the way back after a mistake: it skips to the next line of the
 * same block, or to the next declaration, and gives SYNC before what stands
 * there. The messages for what the parser refuses are in parse_error.c. */
#include "parse_feed.h"

#include "arena.h"
#include "diag.h"
#include "limit.h"
#include "parse_error.h"

#define YYSTYPE WARP_YYSTYPE
#define YYLTYPE WARP_YYLTYPE
#include "warp.scan.h"

#include <string.h>

/* What changes with every token; a copy is the state before the last one. */
struct feed_state {
    uint32_t brackets, block_count;
    struct source_range head, bracket; /* the outermost one that is open */
    bool kernel_head, kernel, module_head, module;
};

enum { QUEUE_SIZE = LIMIT_NESTING + 8 };

struct parse_feed {
    struct feed_state now, before;
    struct source_range blocks[LIMIT_NESTING + 1]; /* by what was opened */
    struct parse_token_value queue[QUEUE_SIZE];
    uint32_t queue_first, queue_count;
    struct parse_token_value last, last_before; /* given to the parser */
    int last_kind; /* the scanner's last: ends a line? */
    struct parse_token_value unread;
    bool has_unread, has_last;
    bool recovering, stopped;
    uint32_t error_begin;              /* where the last mistake was */
    uint32_t sync_begin, sync_repeats; /* where it was to go on last */
    bool has_error;
    bool after_sync; /* `last` is the first after a SYNC: no way back to it */
};

struct parse_feed *parse_feed_create(struct scan *scan)
{
    return ARENA_NEW(scan->arena, struct parse_feed);
}

static struct parse_token_value read_token(struct scan *scan)
{
    struct parse_feed *feed = scan->feed;
    struct parse_token_value token;
    if (feed->has_unread) {
        feed->has_unread = false;
        return feed->unread;
    }
    memset(&token, 0, sizeof token);
    token.at.file = scan->source->id;
    token.at.begin = token.at.end = scan->source->len;
    scan->newline = scan->offset == 0;
    if (!feed->stopped)
        token.kind = warp_scan_lex(&token.value, &token.at, scan->lexer);
    token.newline = scan->newline;
    if (token.kind == 0)
        token.at.begin = token.at.end = scan->source->len;
    return token;
}

static bool is_declaration(int kind)
{
    return kind == DEFPRODUCT || kind == DEFSTRUCT || kind == DEFENUM ||
           kind == DEFSUM || kind == DEFPOOL || kind == DEFSTRATEGY ||
           kind == DEFKERNEL || kind == DEFMODULE || kind == IMPORT;
}

static bool is_open(int kind)
{
    return kind == '(' || kind == '[' || kind == '{' || kind == MAP_OPEN;
}

static bool is_close(int kind)
{
    return kind == ')' || kind == ']' || kind == '}';
}

/* A line of a kernel that ends in one of these goes on. */
static bool is_operator(int kind)
{
    return kind == '+' || kind == '-' || kind == '*' || kind == '/' ||
           kind == '<' || kind == '>' || kind == '!' || kind == '=' ||
           kind == ',' || kind == '.' || kind == EQ || kind == NE ||
           kind == LE || kind == GE || kind == AND || kind == OR;
}

static void queue_token(struct parse_feed *feed,
                        const struct parse_token_value *token)
{
    if (feed->queue_count == QUEUE_SIZE)
        return;
    uint32_t at = (feed->queue_first + feed->queue_count) % QUEUE_SIZE;
    feed->queue[at] = *token;
    feed->queue_count++;
}

static void queue_made_up(struct parse_feed *feed, int kind,
                          struct source_range at)
{
    struct parse_token_value token;
    memset(&token, 0, sizeof token);
    token.kind = kind;
    token.at = at;
    token.at.end = token.at.begin;
    queue_token(feed, &token);
}

static void unread_token(struct parse_feed *feed,
                         const struct parse_token_value *token)
{
    feed->unread = *token;
    feed->has_unread = true;
}

/* Counts blocks and brackets. */
static void count_token(struct scan *scan,
                        const struct parse_token_value *token)
{
    struct parse_feed *feed = scan->feed;
    struct feed_state *now = &feed->now;
    if (is_declaration(token->kind)) {
        now->head = token->at;
        now->kernel_head = token->kind == DEFKERNEL;
        now->module_head = token->kind == DEFMODULE;
    } else if (token->kind == DEF) {
        now->head = token->at;
    } else if (is_open(token->kind)) {
        if (now->brackets++ == 0)
            now->bracket = token->at;
    } else if (is_close(token->kind)) {
        now->brackets -= now->brackets > 0;
    } else if (token->kind == DO) {
        if (now->block_count <= LIMIT_NESTING)
            feed->blocks[now->block_count] =
                now->head.file != 0 ? now->head : token->at;
        now->block_count++;
        now->kernel = now->kernel_head;
        now->module |= now->module_head;
        now->kernel_head = now->module_head = false;
        now->head = (struct source_range){0};
    } else if (token->kind == END && now->block_count > 0) {
        now->block_count--;
        now->kernel = false;
        if (now->block_count == 0)
            now->module = false;
    }
    if (now->brackets + now->block_count > LIMIT_NESTING)
        scan_too_deep(scan, token->at);
}

/* Does the token show that blocks before it were never closed? */
static bool shows_missing_end(const struct scan *scan,
                              const struct parse_token_value *token)
{
    const struct feed_state *now = &scan->feed->now;
    if (now->block_count == 0)
        return false;
    if (token->kind == 0)
        return true;
    if (!is_declaration(token->kind) || !token->newline)
        return false;
    /* Inside a module, Elixir's own defstruct and the like are indented. */
    const char *text = scan->source->text;
    return !now->module || token->at.begin == 0 ||
           text[token->at.begin - 1] == '\n';
}

static void close_blocks(struct scan *scan,
                         const struct parse_token_value *token)
{
    struct parse_feed *feed = scan->feed;
    struct source_range opened = feed->blocks[feed->now.block_count - 1];
    if (!feed->stopped) {
        struct source_range at = token->at;
        diag_report(scan->diag, DIAG_MISSING_END, at,
                    token->kind == 0
                        ? "the file ends, but a block is still open"
                        : "a declaration begins, but a block is still open");
        diag_note(scan->diag, opened,
                  "the block that has no `end` begins here");
        diag_help(scan->diag, "close it with `end`");
    }
    while (feed->now.block_count > 0) {
        if (feed->now.kernel)
            queue_made_up(feed, NEWLINE, token->at);
        queue_made_up(feed, END, token->at);
        feed->now.block_count--;
        feed->now.kernel = false;
    }
    feed->now.module = false;
}

/* A token on its way to the parser: what has to stand before it, then it. */
static void pass_token(struct scan *scan, const struct parse_token_value *token)
{
    struct parse_feed *feed = scan->feed;
    feed->before = feed->now;
    if (shows_missing_end(scan, token)) {
        if (feed->now.brackets > 0 && !feed->stopped) {
            diag_report(scan->diag, DIAG_UNCLOSED, feed->now.bracket,
                        "this bracket is never closed");
            feed->now.brackets = 0;
            unread_token(feed, token);
            queue_made_up(feed, INVALID, token->at);
            return;
        }
        close_blocks(scan, token);
    }
    if (feed->now.kernel && feed->now.brackets == 0 &&
        feed->last_kind != NEWLINE && feed->last_kind != DO &&
        (token->kind == END ||
         (token->newline && !is_operator(feed->last_kind))))
        queue_made_up(feed, NEWLINE, token->at);
    count_token(scan, token);
    feed->last_kind = token->kind;
    queue_token(feed, token);
}

/* Where brackets are open, only what must be the head of a field is taken for
 * the beginning of the next one. */
static bool looks_like_field(const struct scan *scan,
                             const struct parse_token_value *token)
{
    if (token->kind == FIELD || token->kind == VARIANT || token->kind == DOC)
        return true;
    if (token->kind != NAME)
        return false;
    const char *next = scan->source->text + token->at.end;
    next += strspn(next, " \t");
    return next[0] == ':' && next[1] == ':';
}

static bool is_fn(const struct scan *scan,
                  const struct parse_token_value *token)
{
    return token->kind == NAME && token->at.end - token->at.begin == 2 &&
           memcmp(scan->source->text + token->at.begin, "fn", 2) == 0;
}

/* May the parser go on at this token, in the block of that depth? */
static bool is_way_back(struct scan *scan, uint32_t level,
                        const struct parse_token_value *token)
{
    const struct feed_state *now = &scan->feed->now;
    if (token->kind == 0)
        return true;
    if (level == 0) {
        if (!token->newline)
            return false;
        if (is_declaration(token->kind))
            return true;
        return now->block_count == 0 &&
               (token->kind == ATTRIBUTE || token->kind == DOC);
    }
    if (is_declaration(token->kind) && shows_missing_end(scan, token))
        return true;
    if (now->block_count != level)
        return false;
    return token->kind == END ||
           (token->newline &&
            (now->brackets == 0 || looks_like_field(scan, token)));
}

/* Characters before the first word of the line at `at`. */
static size_t indent_at(const struct scan *scan, uint32_t at)
{
    while (at > 0 && scan->source->text[at - 1] != '\n')
        at--;
    return strspn(scan->source->text + at, " \t");
}

/* A `do` or `end` that does not fit: was it meant to open or close a block?
 * Not `end + 1`, and not a `do` whose next line is no deeper. */
static bool is_of_block(const struct scan *scan,
                        const struct parse_token_value *token)
{
    if (token->kind == END)
        return token->newline || !parse_error_is_operand(scan, token);
    const char *text = scan->source->text + token->at.end;
    const char *next = text + strspn(text, " \t\r\n");
    if (token->kind != DO || memchr(text, '\n', (size_t)(next - text)) == NULL)
        return true;
    return indent_at(scan, (uint32_t)(next - scan->source->text)) >
           indent_at(scan, token->at.begin);
}

static void skip_to_way_back(struct scan *scan)
{
    struct parse_feed *feed = scan->feed;
    struct parse_token_value token = feed->last;
    feed->now = feed->before;
    if (feed->queue_count > 0) {
        /* The mistake lies at a token made up before a real one. */
        token = feed->queue[(feed->queue_first + feed->queue_count - 1) %
                            QUEUE_SIZE];
        feed->queue_count = 0;
    }
    uint32_t level = feed->now.module && feed->now.block_count > 0
                         ? 1
                         : feed->now.block_count;
    bool of_block = is_of_block(scan, &token);
    bool may_stop = token.newline || (token.kind == END && of_block) ||
                    is_declaration(token.kind) || token.kind == 0;
    may_stop &= !feed->after_sync || token.kind == 0;
    feed->sync_repeats =
        feed->sync_begin == token.at.begin ? feed->sync_repeats + 1 : 0;
    if (feed->sync_repeats > 2) {
        /* No way on: the parser is not where the blocks say. */
        feed->now = (struct feed_state){0};
        level = 0;
        may_stop = token.kind == 0;
    }
    struct feed_state start = feed->now;
    scan->quiet = true;
    while (!may_stop || !is_way_back(scan, level, &token)) {
        if (token.kind == 0)
            break;
        if (of_block)
            count_token(scan, &token);
        of_block = true;
        if (feed->now.module && is_fn(scan, &token))
            feed->now.block_count++;
        token = read_token(scan);
        may_stop = true;
    }
    scan->quiet = false;
    feed->recovering = false;
    /* The parser goes on in the block of the mistake, as it was there. */
    feed->now = level == 0 ? (struct feed_state){0} : start;
    feed->now.brackets = 0;
    feed->now.block_count = level;
    feed->last_kind = NEWLINE;
    feed->sync_begin = token.at.begin;
    queue_made_up(feed, SYNC, token.at);
    if (token.kind == KEY && level > 0 &&
        parse_error_knows_key(token.value.atom->text))
        queue_made_up(feed, ',', token.at);
    pass_token(scan, &token);
}

int warp_yylex(WARP_YYSTYPE *value, struct source_range *at, struct scan *scan)
{
    struct parse_feed *feed = scan->feed;
    if (feed->recovering) {
        skip_to_way_back(scan);
    } else if (feed->queue_count == 0) {
        struct parse_token_value token = read_token(scan);
        pass_token(scan, &token);
    }
    int before = feed->last.kind;
    feed->last_before = feed->last;
    feed->last = feed->queue[feed->queue_first];
    feed->queue_first = (feed->queue_first + 1) % QUEUE_SIZE;
    feed->queue_count--;
    feed->after_sync = feed->has_last &&
                       (before == SYNC || (feed->after_sync && before == ','));
    feed->has_last = true;
    *value = feed->last.value;
    *at = feed->last.at;
    return feed->last.kind;
}

void scan_syntax_error(struct scan *scan, const char *const *expected,
                       int count)
{
    struct parse_feed *feed = scan->feed;
    feed->recovering = true;
    /* One mistake, one message: at INVALID the scanner has said it. */
    bool again = feed->last.at.begin == feed->error_begin && feed->has_error;
    feed->error_begin = feed->last.at.begin;
    feed->has_error = true;
    if (feed->stopped || feed->last.kind == INVALID || again)
        return;
    if (feed->before.brackets > 0 && looks_like_field(scan, &feed->last)) {
        diag_report(scan->diag, DIAG_UNCLOSED, feed->before.bracket,
                    "this bracket is never closed");
        diag_note(scan->diag, feed->last.at, "the next field begins here");
        return;
    }
    parse_error_report(scan, &feed->last, &feed->last_before,
                       feed->before.module, expected, count);
}

void scan_too_deep(struct scan *scan, struct source_range at)
{
    struct parse_feed *feed = scan->feed;
    if (!feed->stopped)
        diag_report(scan->diag, DIAG_TOO_DEEP, at,
                    "this is nested too deeply: brackets and blocks go %d "
                    "deep",
                    LIMIT_NESTING);
    feed->stopped = true;
    scan->quiet = true;
}
