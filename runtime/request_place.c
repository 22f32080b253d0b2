/* request_place.c: what the engines decide and why, as JSON: of one value for
 * explain, of all products for advise and plot. */
#include "request.h"

#include "error.h"
#include "forward.h"
#include "gravity.h"
#include "replace.h"

#include <math.h>
#include <stdlib.h>

static void say_real(struct text *t, const char *name, double x)
{
    text_key(t, name);
    text_say(t, "%.3f", x);
}

static void say_last(struct text *t, const struct replace_view *v,
                     const struct replace_stat *s)
{
    double gain_ns = s->miss_ns > s->hit_ns ? s->miss_ns - s->hit_ns : 0;
    text_key(t, "last_move");
    text_say(t, "{\"to\":\"%s\",\"ms_ago\":%llu",
             v->place.resident ? "memory" : "tier",
             (unsigned long long)v->moved_ms_ago);
    if (v->place.resident) {
        text_number(t, "gets_since", v->hits);
        say_real(t, "gained_us", v->hits * gain_ns / 1e3);
    } else {
        text_number(t, "gave_back_bytes", v->place.bytes);
    }
    text_put(t, "}");
}

static void say_next(struct text *t, const struct replace_view *v,
                     const struct replace_stat *s)
{
    text_key(t, "next_move");
    if (!v->place.resident)
        text_put(t, "{\"to\":\"memory\",\"when\":\"the next get or put\"}");
    else if (s->used_bytes < s->capacity_bytes - s->capacity_bytes / 16)
        text_put(t, "{\"to\":\"tier\",\"when\":\"the room is used up: there is "
                    "some left\"}");
    else
        text_say(t,
                 "{\"to\":\"tier\",\"when\":\"others need the room and %s "
                 "keeps them rather\"}",
                 s->expert);
}

/* Of who decides, and the last one that was found better. */
static void say_settings(struct text *t, const struct replace_stat *s)
{
    static const char *const from[] = {"from_ssd_us", "from_disk_us",
                                       "from_archive_us"};
    for (int i = 0; i < REPLACE_FROMS; i++)
        if (s->from_ns[i] > 0)
            say_real(t, from[i], s->from_ns[i] / 1e3);
    text_key(t, "settings");
    text_put(t, "{");
    text_number(t, "window_percent", s->place.window);
    if (s->place.proves)
        text_number(t, "uses_that_prove", s->place.proves);
    text_number(t, "tried", s->place.trials);
    text_number(t, "taken", s->place.settings);
    if (s->place.set_expert) {
        text_string(t, "last_of", s->place.set_expert);
        say_real(t, "last_gained_percent", s->place.set_gain * 100);
    }
    text_put(t, "}");
}

void request_place_explain(struct warp_db *db, const struct layout *l,
                           uint64_t hash, struct text *t)
{
    struct replace_view v;
    struct replace_stat s;
    if (!l->movable)
        return;
    text_key(t, "engine");
    if (!replace_stat(db, l, &s)) {
        text_put(t, "{\"decides\":null,\"why\":\"the memory budget is far: "
                    "nothing has to leave\"}");
        return;
    }
    (void)replace_view(db, l, hash, &v);
    text_put(t, "{");
    text_string(t, "decides", s.expert);
    text_number(t, "capacity_bytes", s.capacity_bytes);
    text_number(t, "used_bytes", s.used_bytes);
    if (s.hit_ns > 0)
        say_real(t, "hit_us", s.hit_ns / 1e3);
    if (s.miss_ns > 0)
        say_real(t, "miss_us", s.miss_ns / 1e3);
    say_settings(t, &s);
    if (!v.known) {
        text_string(t, "why", "not used since the budget came into sight: it "
                              "leaves before all that was");
        text_put(t, "}");
        return;
    }
    text_string(t, "why",
                !v.place.resident ? "others were worth their room more"
                : v.place.proven  ? "it was used again: it is proven"
                                  : "it is new, and on trial");
    text_number(t, "bytes", v.place.bytes);
    text_number(t, "uses", v.place.uses);
    text_number(t, "used_requests_ago", v.place.age);
    if (v.place.gap)
        text_number(t, "requests_between_uses", v.place.gap);
    if (v.place.wait > 0)
        say_real(t, "next_use_in_requests", v.place.wait);
    say_last(t, &v, &s);
    say_next(t, &v, &s);
    text_put(t, "}");
}

void request_shard_explain(struct warp_db *db, const struct key_ref *key,
                           uint32_t shard, struct text *t)
{
    static const char *const why[] = {
        [GRAVITY_HINT] = "its :spacetime_shard_hint names it",
        [GRAVITY_PULL] = "partners that are heavier are there",
        [GRAVITY_POSITION] = "its :position is near",
        [GRAVITY_SPREAD] = "its own had too much to do"};
    struct gravity_view v;
    uint32_t home = forward_home(db, key)->number;
    gravity_view(db, key->hash, &v);
    text_key(t, "shard");
    text_put(t, "{");
    text_number(t, "now", shard);
    text_number(t, "home", home);
    if (v.why != GRAVITY_NONE) {
        text_number(t, "moved_from", v.from);
        text_number(t, "moved_at_ms", (uint64_t)v.at_ms);
        text_string(t, "why", why[v.why]);
    } else {
        text_string(t, "why",
                    shard == home ? "the hash of its key says so"
                                  : "it was moved: too long ago to tell why, "
                                    "or before the store was opened");
    }
    text_put(t, "}");
}

static void say_product(struct warp_db *db, const struct layout *l,
                        struct text *t)
{
    struct replace_stat s;
    struct replace_heat heat[REPLACE_HEATS];
    bool there = replace_stat(db, l, &s);
    text_put(t, t->data[t->used - 1] == '[' ? "{" : ",{");
    text_string(t, "name", l->desc->name);
    text_key(t, "movable");
    text_put(t, l->movable ? "true" : "false");
    text_key(t, "measured");
    text_put(t, there ? "true" : "false");
    text_key(t, "fields");
    text_put(t, "[");
    FOR_BITS(i, l->leaves_whole ? l->stored : l->leaves)
        text_say(t, "%s\"%s\"", t->data[t->used - 1] == '[' ? "" : ",",
                 l->desc->fields[i].name);
    text_put(t, "]");
    if (there) {
        replace_heat(db, l, heat);
        text_string(t, "decides", s.expert);
        text_number(t, "gets_from_memory", s.product_hits);
        text_number(t, "gets_from_tiers", s.product_misses);
        say_real(t, "hit_us", s.hit_ns / 1e3);
        say_real(t, "miss_us", s.miss_ns / 1e3);
        text_number(t, "capacity_bytes", s.capacity_bytes);
        text_number(t, "switches", s.switches);
        text_number(t, "settings_tried", s.place.trials);
        text_number(t, "settings_taken", s.place.settings);
        text_number(t, "moves", s.admissions + s.evictions);
        text_number(t, "engine_bytes", s.state_bytes);
        text_key(t, "heat");
        text_put(t, "[");
        for (uint32_t k = 0; k < REPLACE_HEATS; k++)
            text_say(t,
                     "%s{\"uses\":%u,\"objects\":%llu,\"bytes\":%llu,"
                     "\"in_memory\":%llu,\"memory_bytes\":%llu}",
                     k ? "," : "", 1u << k,
                     (unsigned long long)heat[k].objects,
                     (unsigned long long)heat[k].bytes,
                     (unsigned long long)heat[k].in_memory,
                     (unsigned long long)heat[k].memory_bytes);
        text_put(t, "]");
    }
    text_put(t, "}");
}

int request_placement(struct warp_db *db, struct text *t)
{
    text_put(t, "{");
    text_number(t, "memory_max_bytes", db->memory_max);
    text_number(t, "memory_bytes", db_memory_used(db));
    text_key(t, "products");
    text_put(t, "[");
    for (uint32_t i = 0; i < db->layout_count; i++)
        say_product(db, db->layouts[i], t);
    text_put(t, "]}");
    return WARP_OK;
}

/* ---- A/B ---- */

static double miss_ratio(const struct replace_ab_stat *a)
{
    return a->gets ? (double)a->misses / (double)a->gets : 0;
}

static void say_arm(struct text *t, const struct replace_ab_stat *a)
{
    double hits = (double)(a->gets - a->misses), gets = (double)a->gets;
    text_put(t, t->data[t->used - 1] == '[' ? "{" : ",{");
    text_string(t, "name", a->name);
    text_number(t, "gets", a->gets);
    text_number(t, "gets_from_tiers", a->misses);
    text_key(t, "miss_ratio");
    text_say(t, "%.5f", miss_ratio(a));
    say_real(t, "mean_us",
             gets > 0 ? (hits * a->hit_ns + (double)a->misses * a->miss_ns) /
                            gets / 1e3
                      : 0);
    text_number(t, "capacity_bytes", a->capacity_bytes);
    text_number(t, "used_bytes", a->used_bytes);
    text_number(t, "decisions", a->decisions);
    text_number(t, "came_back_soon", a->returned);
    text_number(t, "by_chance", a->explored);
    text_number(t, "by_chance_came_back_soon", a->explored_returned);
    text_put(t, "}");
}

static void say_decision(struct text *t, const struct replace_ab_stat *arms,
                         const struct replace_decision *d)
{
    text_put(t, t->data[t->used - 1] == '[' ? "{" : ",{");
    text_string(t, "strategy", arms[d->arm].name);
    text_key(t, "key_hash");
    text_say(t, "\"%016llx\"", (unsigned long long)d->hash);
    text_number(t, "at_get", d->at_get);
    text_key(t, "propensity");
    text_say(t, "%.9f,\"by_chance\":%s,\"back_after_gets\":",
             (double)d->propensity, d->explored ? "true" : "false");
    if (d->returned)
        text_say(t, "%llu}", (unsigned long long)d->returned);
    else
        text_put(t, "null}");
}

int request_ab(struct warp_db *db, bool log, struct text *t)
{
    enum { DECISIONS = 1024 };
    struct replace_ab_stat arms[2];
    if (!replace_ab_stat(db, arms))
        return error_set(WARP_EINVAL, "no two strategies run in this store: "
                                      "its owner sets options.placement_ab");
    text_put(t, log ? "{\"decisions\":[" : "{\"strategies\":[");
    if (log) {
        struct replace_decision *d = malloc(DECISIONS * sizeof *d);
        if (!d)
            return error_set(WARP_ENOMEM, "out of memory for decisions");
        uint32_t n = replace_ab_log(db, d, DECISIONS);
        for (uint32_t i = 0; i < n; i++)
            say_decision(t, arms, &d[i]);
        free(d);
        text_put(t, "]}");
        return WARP_OK;
    }
    say_arm(t, &arms[0]);
    say_arm(t, &arms[1]);
    /* Twice the deviation: 19 in 20 such differences are inside. */
    double apart = miss_ratio(&arms[0]) - miss_ratio(&arms[1]),
           sure = 2 * sqrt(arms[0].deviation * arms[0].deviation +
                           arms[1].deviation * arms[1].deviation);
    text_put(t, "]");
    text_key(t, "miss_ratio_difference");
    text_say(t, "%.5f", apart);
    text_key(t, "uncertain_by");
    text_say(t, "%.5f", sure);
    text_string(t, "better", fabs(apart) <= sure ? "not sure"
                             : apart < 0         ? arms[0].name
                                                 : arms[1].name);
    text_put(t, "}");
    return WARP_OK;
}
