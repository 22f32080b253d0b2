/* Text -> paragraphs -> fields -> edges. A field is "Name: value" and goes on
 * over lines that begin with a blank; a paragraph ends at an empty line. An
 * edge list is "a (>= 1) | b, c:any": commas between dependencies, bars
 * between alternatives. */
#include "source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
    const struct warp_str *x = &((const struct source_package *)a)->name;
    const struct warp_str *y = &((const struct source_package *)b)->name;
    size_t bytes = x->len < y->len ? x->len : y->len;
    int order = memcmp(x->data, y->data, bytes);
    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

static int is(struct warp_str s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.data, text, s.len) == 0;
}

static struct warp_str slice(const char *from, const char *to)
{
    while (from < to && (*from == ' ' || *from == '\n' || *from == '\t'))
        from++;
    while (to > from && (to[-1] == ' ' || to[-1] == '\n' || to[-1] == '\t'))
        to--;
    return (struct warp_str){from, (uint32_t)(to - from)};
}

static enum deb_priority priority_of(struct warp_str s)
{
    static const char *const names[] = {"unknown",  "required", "important",
                                        "standard", "optional", "extra"};
    for (unsigned i = 1; i < sizeof names / sizeof names[0]; i++)
        if (is(s, names[i]))
            return (enum deb_priority)i;
    return DEB_PRIORITY_UNKNOWN;
}

static uint64_t number_of(struct warp_str s)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < s.len && s.data[i] >= '0' && s.data[i] <= '9'; i++)
        n = n * 10 + (uint64_t)(s.data[i] - '0');
    return n;
}

static void take(struct source_package *p, struct warp_str key,
                 struct warp_str value)
{
    if (is(key, "Package"))
        p->name = value;
    else if (is(key, "Version"))
        p->version = value;
    else if (is(key, "Section"))
        p->section = value;
    else if (is(key, "Priority"))
        p->priority = priority_of(value);
    else if (is(key, "Installed-Size"))
        p->installed_kib = number_of(value);
    else if (is(key, "Depends"))
        p->depends = value;
    else if (is(key, "Pre-Depends"))
        p->pre_depends = value;
    else if (is(key, "Recommends"))
        p->recommends = value;
}

/* One paragraph at *at, which moves behind it; 0 when there is none. */
static int next_paragraph(const char **at, const char *end,
                          struct source_package *p)
{
    while (*at < end && **at == '\n')
        ++*at;
    const char *start = *at;
    memset(p, 0, sizeof *p);
    while (*at < end && **at != '\n') {
        const char *line = *at, *colon = NULL, *stop;
        do { /* the field with the lines that go on */
            stop = memchr(*at, '\n', (size_t)(end - *at));
            stop = stop != NULL ? stop : end;
            if (colon == NULL)
                colon = memchr(line, ':', (size_t)(stop - line));
            *at = stop < end ? stop + 1 : end;
        } while (*at < end && (**at == ' ' || **at == '\t'));
        if (colon != NULL)
            take(p, slice(line, colon), slice(colon + 1, stop));
    }
    p->text = slice(start, *at);
    return *at > start;
}

static int read_text(const char *path, struct source *source)
{
    FILE *file = fopen(path, "rb");
    size_t room = 1 << 20;
    if (file == NULL) {
        perror(path);
        return -1;
    }
    source->text = malloc(room);
    while (source->text != NULL) {
        size_t got =
            fread(source->text + source->bytes, 1, room - source->bytes, file);
        source->bytes += got;
        if (source->bytes < room)
            break;
        char *wider = realloc(source->text, room *= 2);
        if (wider == NULL)
            free(source->text);
        source->text = wider;
    }
    int bad = ferror(file) || source->text == NULL;
    fclose(file);
    if (bad)
        fprintf(stderr, "%s: cannot be read\n", path);
    return bad ? -1 : 0;
}

int source_read(const char *path, struct source *source)
{
    struct source_package p;
    size_t room = 0, kept = 0;
    memset(source, 0, sizeof *source);
    if (read_text(path, source) != 0)
        goto out;
    const char *at = source->text, *end = source->text + source->bytes;
    while (next_paragraph(&at, end, &p)) {
        if (p.name.len == 0 || p.version.len == 0)
            continue;
        if (source->count == room) {
            room = room != 0 ? room * 2 : 1024;
            void *wider = realloc(source->packages, room * sizeof p);
            if (wider == NULL)
                goto out;
            source->packages = wider;
        }
        source->packages[source->count++] = p;
    }
    if (source->count == 0) {
        fprintf(stderr, "%s: no package in it\n", path);
        goto out;
    }
    qsort(source->packages, source->count, sizeof p, by_name);
    for (size_t i = 0; i < source->count; i++)
        if (i == 0 ||
            by_name(&source->packages[kept - 1], &source->packages[i]) != 0)
            source->packages[kept++] = source->packages[i];
    source->repeated = source->count - kept;
    source->count = kept;
    return 0;
out:
    source_free(source);
    return -1;
}

void source_free(struct source *source)
{
    free(source->text);
    free(source->packages);
    memset(source, 0, sizeof *source);
}

/* "name:arch (>= 1.2)" -> an edge. */
static struct deb_dependency edge_of(const char *from, const char *to)
{
    struct deb_dependency edge = {0};
    const char *stop = from;
    while (stop < to && *stop != ' ' && *stop != '(' && *stop != ':')
        stop++;
    edge.package = slice(from, stop);
    const char *open = memchr(stop, '(', (size_t)(to - stop));
    if (open != NULL) {
        const char *close = memchr(open, ')', (size_t)(to - open));
        edge.constraint = slice(open + 1, close != NULL ? close : to);
    }
    return edge;
}

static uint32_t add_edges(struct warp_str list, enum deb_relation relation,
                          struct deb_dependency *edges, uint32_t count,
                          uint16_t *choice)
{
    const char *at = list.data, *end = at + list.len;
    while (list.len > 0 && at < end && count < SOURCE_EDGES_MAX) {
        const char *stop = at;
        while (stop < end && *stop != ',' && *stop != '|')
            stop++;
        struct warp_str one = slice(at, stop);
        edges[count] = edge_of(one.data, one.data + one.len);
        edges[count].relation = relation;
        edges[count].choice = *choice;
        if (edges[count].package.len > 0)
            count++;
        if (stop == end || *stop == ',')
            ++*choice;
        at = stop + 1;
    }
    return count;
}

uint32_t source_edges(const struct source_package *p,
                      struct deb_dependency edges[SOURCE_EDGES_MAX])
{
    uint16_t choice = 0;
    uint32_t n = 0;
    n = add_edges(p->pre_depends, DEB_RELATION_PRE_DEPENDS, edges, n, &choice);
    n = add_edges(p->depends, DEB_RELATION_DEPENDS, edges, n, &choice);
    return add_edges(p->recommends, DEB_RELATION_RECOMMENDS, edges, n, &choice);
}

const struct source_package *source_find(const struct source *source,
                                         struct warp_str name)
{
    struct source_package wanted = {.name = name};
    return bsearch(&wanted, source->packages, source->count, sizeof wanted,
                   by_name);
}
