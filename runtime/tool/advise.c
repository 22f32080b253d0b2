/* advise.c: from counts of uses to changes of the schema, each with what it
 * would cost and gain by what was measured. */
#include "json.h"
#include "tool.h"

#include "../error.h"

#include <stdlib.h>

/* Gets that tell something; a product that misses often; one that nearly
 * nobody asks for, and that takes much. Shares of one. */
static const double gets_least = 1000, misses_often = 0.05, gets_few = 0.02,
                    memory_much = 0.05;

struct product {
    const struct json *json;
    double hits, misses, hit_us, miss_us;
    double bytes, memory_bytes; /* of what is known; of it in memory */
};

double tool_number(const struct json *object, const char *name)
{
    const struct json *m = json_member(object, name);
    return m && m->kind == JSON_NUMBER ? strtod(m->text.data, NULL) : 0;
}

static void read_product(const struct json *j, struct product *p)
{
    *p = (struct product){.json = j,
                          .hits = tool_number(j, "gets_from_memory"),
                          .misses = tool_number(j, "gets_from_tiers"),
                          .hit_us = tool_number(j, "hit_us"),
                          .miss_us = tool_number(j, "miss_us")};
    const struct json *heat = json_member(j, "heat");
    for (const struct json *h = heat ? heat->first : NULL; h; h = h->next) {
        p->bytes += tool_number(h, "bytes");
        p->memory_bytes += tool_number(h, "memory_bytes");
    }
}

static double mean_us(const struct product *p)
{
    double gets = p->hits + p->misses;
    return gets > 0 ? (p->hits * p->hit_us + p->misses * p->miss_us) / gets
                    : 0;
}

/* One piece of advice; text_* as a JSON object. */
static void say(struct text *t, const struct product *p, const char *change,
                const char *why, double memory, double get_us)
{
    const struct json *name = json_member(p->json, "name"),
                      *fields = json_member(p->json, "fields");
    text_put(t, t->data[t->used - 1] == '[' ? "{" : ",{");
    text_key(t, "product");
    text_quote(t, name->text.data, name->text.len);
    text_key(t, "fields");
    text_put(t, "[");
    for (const struct json *f = fields ? fields->first : NULL; f; f = f->next) {
        text_put(t, f == fields->first ? "" : ",");
        text_quote(t, f->text.data, f->text.len);
    }
    text_put(t, "]");
    text_string(t, "change", change);
    text_string(t, "why", why);
    text_say(t,
             ",\"memory_bytes_now\":%.0f,\"memory_bytes_then\":%.0f,"
             "\"get_us_now\":%.3f,\"get_us_then\":%.3f,\"gets\":%.0f}",
             p->memory_bytes, memory, mean_us(p), get_us, p->hits + p->misses);
}

static void advise_one(struct text *t, const struct product *p,
                       double all_gets, double memory_max)
{
    double gets = p->hits + p->misses;
    if (gets >= gets_least && p->misses > misses_often * gets &&
        p->bytes - p->memory_bytes < memory_max / 8 &&
        p->miss_us > p->hit_us)
        say(t, p, "persist: :memory, or priority: :high",
            "many gets read a tier, and all that is used would fit", p->bytes,
            p->hit_us);
    else if (all_gets >= gets_least && gets < gets_few * all_gets &&
             p->memory_bytes > memory_much * memory_max)
        say(t, p, "priority: :low",
            "hardly anybody asks for it, and it takes memory from others", 0,
            p->miss_us);
}

static void advise(const struct json *j, struct text *t)
{
    const struct json *products = json_member(j, "products");
    double all = 0, max = tool_number(j, "memory_max_bytes");
    uint64_t measured = 0;
    struct product p;
    for (const struct json *m = products ? products->first : NULL; m;
         m = m->next) {
        read_product(m, &p);
        all += p.hits + p.misses;
        const struct json *is = json_member(m, "measured");
        measured += is && is->kind == JSON_TRUE;
    }
    text_put(t, "{");
    text_number(t, "products_measured", measured);
    text_say(t, ",\"gets_measured\":%.0f", all);
    text_key(t, "advice");
    text_put(t, "[");
    for (const struct json *m = products ? products->first : NULL; m;
         m = m->next) {
        read_product(m, &p);
        advise_one(t, &p, all, max);
    }
    text_put(t, "]}");
}

int tool_ask_json(struct tool *tool, struct text *request,
                  struct warp_arena *arena, struct text *reply,
                  struct json **out)
{
    struct source source;
    int rc = source_open(&source, tool->args[0], SOURCE_READ);
    if (rc == WARP_OK)
        rc = source_ask(&source, request, reply);
    struct json_input in = {reply->data, reply->data + reply->used, 1, NULL};
    if (rc == WARP_OK && json_read(&in, arena, out) != WARP_OK)
        rc = error_set(WARP_ECORRUPT, "the answer is no JSON");
    int status = rc == WARP_OK ? TOOL_CLEAN
                               : tool_fail(tool, rc, error_text());
    (void)source_close(&source);
    text_free(request);
    return status;
}

int tool_advise(struct tool *tool)
{
    struct text request = TEXT_INIT, reply = TEXT_INIT, t = TEXT_INIT;
    struct warp_arena arena = WARP_ARENA_INIT;
    struct json *j = NULL;
    request_begin(&request, REQUEST_PLACEMENT);
    int status = tool_ask_json(tool, &request, &arena, &reply, &j);
    if (status == TOOL_CLEAN) {
        advise(j, &t);
        status = tool_print_json(tool, &t);
    }
    text_free(&reply);
    text_free(&t);
    warp_arena_free(&arena);
    return status;
}
