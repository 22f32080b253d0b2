/* plot.c: `warp plot placement|heat`: an SVG that needs nothing else.
 *
 * placement: bytes of each product by the tier that they are on. heat: objects
 * by how often they were used, and how many of them are in memory. */
#include "json.h"
#include "tool.h"

#include "../error.h"

#include <string.h>

enum { WIDE = 720, LEFT = 150, RIGHT = 110, TOP = 44, ROW = 26, TIERS = 4 };

static const char *const tiers[TIERS] = {"memory_bytes", "ssd_bytes",
                                         "disk_bytes", "archive_bytes"};
static const char *const colours[TIERS] = {"#c0392b", "#e59866", "#5d8aa8",
                                           "#95a5a6"};

static void put_xml(struct text *t, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *as = bytes[i] == '<'   ? "&lt;"
                         : bytes[i] == '&' ? "&amp;"
                                           : NULL;
        if (as)
            text_put(t, as);
        else
            text_add(t, &bytes[i], 1);
    }
}

static void begin(struct text *t, unsigned rows, const char *title)
{
    unsigned high = TOP + rows * ROW + 30;
    text_say(t,
             "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %u' "
             "font-family='sans-serif' font-size='12'>\n"
             "<rect width='%d' height='%u' fill='white'/>\n"
             "<text x='10' y='20' font-size='14'>%s</text>\n",
             WIDE, high, WIDE, high, title);
}

static void bar(struct text *t, unsigned row, double from, double to,
                const char *colour, const char *what, double value)
{
    double wide = WIDE - LEFT - RIGHT;
    if (to <= from)
        return;
    text_say(t,
             "<rect x='%.1f' y='%u' width='%.1f' height='%d' fill='%s'>"
             "<title>%s: %.0f</title></rect>\n",
             LEFT + wide * from, TOP + row * ROW, wide * (to - from), ROW - 8,
             colour, what, value);
}

static void label(struct text *t, unsigned row, const char *bytes,
                  size_t count)
{
    text_say(t, "<text x='%d' y='%u' text-anchor='end'>", LEFT - 8,
             TOP + row * ROW + 13);
    put_xml(t, bytes, count);
    text_put(t, "</text>\n");
}

static void amount(struct text *t, unsigned row, double value)
{
    static const char *const units[] = {"", "K", "M", "G", "T"};
    unsigned unit = 0;
    double v = value;
    for (; v >= 1000 && unit < 4; unit++)
        v /= 1000;
    text_say(t, "<text x='%d' y='%u'>%.3g%s</text>\n", WIDE - RIGHT + 8,
             TOP + row * ROW + 13, v, units[unit]);
}

static double product_bytes(const struct json *product, const char *tier)
{
    const struct json *fields = json_member(product, "fields");
    double sum = 0;
    for (const struct json *f = fields ? fields->first : NULL; f; f = f->next)
        sum += tool_number(f, tier);
    return sum;
}

static void plot_placement(const struct json *j, struct text *t)
{
    const struct json *products = json_member(j, "products");
    double most = 1;
    unsigned row = 0;
    for (const struct json *p = products ? products->first : NULL; p;
         p = p->next) {
        double sum = 0;
        for (int k = 0; k < TIERS; k++)
            sum += product_bytes(p, tiers[k]);
        most = sum > most ? sum : most;
    }
    begin(t, products ? products->count + 1 : 1,
          "bytes of each product, by tier");
    for (const struct json *p = products ? products->first : NULL; p;
         p = p->next, row++) {
        const struct json *name = json_member(p, "name");
        double at = 0;
        if (name)
            label(t, row, name->text.data, name->text.len);
        for (int k = 0; k < TIERS; k++) {
            double bytes = product_bytes(p, tiers[k]);
            bar(t, row, at / most, (at + bytes) / most, colours[k], tiers[k],
                bytes);
            at += bytes;
        }
        amount(t, row, at);
    }
    for (int k = 0; k < TIERS; k++)
        text_say(t, "<text x='%d' y='%u' fill='%s'>%.*s</text>\n",
                 LEFT + k * 90, TOP + row * ROW + 20, colours[k],
                 (int)(strlen(tiers[k]) - strlen("_bytes")), tiers[k]);
    text_put(t, "</svg>\n");
}

static void plot_heat(const struct json *j, struct text *t)
{
    const struct json *products = json_member(j, "products");
    double most = 1;
    unsigned rows = 1, row = 0;
    for (const struct json *p = products ? products->first : NULL; p;
         p = p->next) {
        const struct json *heat = json_member(p, "heat");
        for (const struct json *h = heat ? heat->first : NULL; h; h = h->next) {
            double n = tool_number(h, "objects");
            most = n > most ? n : most;
        }
        rows += heat ? heat->count : 1;
    }
    begin(t, rows, "objects by uses; dark: in memory");
    for (const struct json *p = products ? products->first : NULL; p;
         p = p->next) {
        const struct json *name = json_member(p, "name"),
                          *heat = json_member(p, "heat");
        if (!heat && name) {
            label(t, row, name->text.data, name->text.len);
            text_say(t, "<text x='%d' y='%u' fill='#888'>not measured</text>\n",
                     LEFT, TOP + row++ * ROW + 13);
        }
        for (const struct json *h = heat ? heat->first : NULL; h;
             h = h->next, row++) {
            char what[120];
            double all = tool_number(h, "objects"),
                   in = tool_number(h, "in_memory");
            int n = snprintf(what, sizeof what, "%.*s, %.0f+",
                             name ? (int)(name->text.len < 60 ? name->text.len
                                                              : 60)
                                  : 0,
                             name ? name->text.data : "",
                             tool_number(h, "uses"));
            label(t, row, what, (size_t)n);
            bar(t, row, in / most, all / most, "#e59866", "objects", all);
            bar(t, row, 0, in / most, "#c0392b", "in memory", in);
            amount(t, row, all);
        }
    }
    text_put(t, "</svg>\n");
}

static int write_out(struct tool *tool, const struct text *t)
{
    if (!tool->output) {
        fwrite(t->data, 1, t->used, stdout);
        return TOOL_CLEAN;
    }
    FILE *file = fopen(tool->output, "w");
    bool bad = !file || fwrite(t->data, 1, t->used, file) != t->used;
    if (file && fclose(file) != 0)
        bad = true;
    if (!bad)
        return TOOL_CLEAN;
    fprintf(stderr, "warp plot: %s: cannot be written\n", tool->output);
    return TOOL_IO;
}

int tool_plot(struct tool *tool)
{
    struct text request = TEXT_INIT, reply = TEXT_INIT, t = TEXT_INIT;
    struct warp_arena arena = WARP_ARENA_INIT;
    struct json *j = NULL;
    const char *what = tool->args[0];
    bool heat = strcmp(what, "heat") == 0;
    if (!heat && strcmp(what, "placement") != 0)
        return tool_usage(tool, "there is no plot %s: placement, heat", what);
    tool->args[0] = tool->args[1];
    request_begin(&request, heat ? REQUEST_PLACEMENT : REQUEST_STAT);
    if (!heat)
        text_u8(&request, false);
    int status = tool_ask_json(tool, &request, &arena, &reply, &j);
    if (status == TOOL_CLEAN) {
        if (tool->json) {
            text_add(&t, reply.data, reply.used);
            text_put(&t, "\n");
        } else {
            (heat ? plot_heat : plot_placement)(j, &t);
        }
        status = write_out(tool, &t);
    }
    text_free(&reply);
    text_free(&t);
    warp_arena_free(&arena);
    return status;
}
