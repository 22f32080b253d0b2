/* place_search.c: what may be tried, and when it has shown enough. */
#include "place_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A trial lasts until each object that a shadow has room for was asked for
 * about so often. Another window takes long to show; another price shows as
 * soon as what came in can have paid. */
enum { TRIAL_LIVES = 8, PRICE_LIVES = 2, PRICE_LIVES_MOST = 16,
       PAYS_LIVES = 4, TRIAL_LEAST = 512 };
/* Of several trials one looks good by luck: three deviations. */
static const double trial_sure = 3, trial_gain = 0.01, trial_misses = 16;

/* One value of one setting. */
struct change {
    enum place_expert_id expert;
    enum { WINDOW, PROVES, STRICT } what;
    uint8_t value;
};
static const struct change changes[] = {
    {PLACE_S3FIFO, WINDOW, 1},       {PLACE_S3FIFO, WINDOW, 10},
    {PLACE_S3FIFO, WINDOW, 30},      {PLACE_S3FIFO, PROVES, 1},
    {PLACE_S3FIFO, PROVES, 2},       {PLACE_LIRS, WINDOW, 1},
    {PLACE_LIRS, WINDOW, 5},         {PLACE_LIRS, WINDOW, 20},
    {PLACE_LEARN, WINDOW, 10},       {PLACE_LEARN, WINDOW, 30},
    {PLACE_LEARN_BARE, WINDOW, 1},   {PLACE_LEARN_BARE, WINDOW, 4},
};
/* How strict the price is, where moves cost something: of every expert. */
static const uint8_t stricts[] = {0, 1, 4, 16};
enum {
    CHANGES = sizeof changes / sizeof changes[0],
    STRICTS = sizeof stricts / sizeof stricts[0],
    ALL = CHANGES + PLACE_EXPERTS * STRICTS
};

int place_search_init(struct place_search *s, uint32_t room)
{
    *s = (struct place_search){0};
    for (unsigned i = 0; i < SEARCH_TRIALS; i++) {
        s->trials[i].cache.links = malloc(room * sizeof(struct place_link));
        if (!s->trials[i].cache.links)
            return -1;
    }
    return 0;
}

void place_search_fini(struct place_search *s)
{
    for (unsigned i = 0; i < SEARCH_TRIALS; i++)
        free(s->trials[i].cache.links);
    *s = (struct place_search){0};
}

void place_search_stop(struct place_search *s)
{
    for (unsigned i = 0; i < SEARCH_TRIALS; i++)
        s->trials[i].running = false;
}

unsigned place_search_running(const struct place_search *s)
{
    unsigned n = 0;
    for (unsigned i = 0; i < SEARCH_TRIALS; i++)
        n += s->trials[i].running;
    return n;
}

static struct change change_at(uint32_t n)
{
    if (n < CHANGES)
        return changes[n];
    n -= CHANGES;
    return (struct change){(enum place_expert_id)(n / STRICTS), STRICT,
                           stricts[n % STRICTS]};
}

static uint8_t *value_of(struct place_setting *setting, struct change change)
{
    return change.what == WINDOW   ? &setting->window
           : change.what == PROVES ? &setting->proves
                                   : &setting->strict;
}

static bool is_tried(const struct place_search *s,
                     const struct place_setting *setting,
                     enum place_expert_id expert)
{
    for (unsigned i = 0; i < SEARCH_TRIALS; i++)
        if (s->trials[i].running && s->trials[i].expert == expert &&
            memcmp(&s->trials[i].cache.setting, setting, sizeof *setting) == 0)
            return true;
    return false;
}

/* The next change that is one; those of who decides come twice as often. */
static void begin(struct place_search *s, const struct place_search_view *view,
                  struct place_trial *t, bool deciding)
{
    for (uint32_t n = 0; n < ALL; n++) {
        s->next = (s->next + 1) % ALL;
        struct change change = change_at(s->next);
        const struct place_cache *shadow = &view->shadows[change.expert];
        struct place_setting setting = shadow->setting;
        if ((deciding && change.expert != view->deciding) ||
            (change.what == STRICT && shadow->move_ns == 0) ||
            *value_of(&setting, change) == change.value)
            continue;
        *value_of(&setting, change) = change.value;
        if (is_tried(s, &setting, change.expert))
            continue;
        struct place_link *links = t->cache.links;
        memcpy(links, shadow->links, view->room * sizeof *links);
        *t = (struct place_trial){.cache = *shadow, .expert = change.expert,
                                  .of_price = change.what == STRICT,
                                  .running = true};
        t->cache.links = links;
        t->cache.setting = setting;
        s->tried++;
        return;
    }
}

void place_search_access(struct place_search *s, uint32_t at, uint32_t now,
                         double saves, const double costs[PLACE_EXPERTS])
{
    for (unsigned i = 0; i < SEARCH_TRIALS; i++) {
        struct place_trial *t = &s->trials[i];
        if (!t->running)
            continue;
        uint64_t came = t->cache.admissions;
        bool hit = place_cache_access(&t->cache, at, now);
        double cost = (hit ? 0 : saves) + (double)(t->cache.admissions - came) *
                                              t->cache.move_ns,
               less = costs[t->expert] - cost;
        t->paid += costs[t->expert];
        t->gain += less;
        t->squares += less * less;
        t->requests++;
    }
}

/* The trial's cache is the expert's shadow from here on. */
static void adopt(struct place_search *s, const struct place_search_view *view,
                  struct place_trial *t)
{
    struct place_cache *shadow = &view->shadows[t->expert],
                       trial = t->cache;
    t->cache.links = shadow->links;
    *shadow = trial;
    t->running = false;
    s->adopted++;
    s->last = t->expert;
    s->last_gain = t->gain / t->paid;
    /* Others of this expert began from, and are compared with, the old one. */
    for (unsigned i = 0; i < SEARCH_TRIALS; i++)
        if (s->trials[i].expert == t->expert)
            s->trials[i].running = false;
}

static uint64_t requests_of(const struct place_trial *t,
                            const struct place_search_view *view)
{
    double lives = TRIAL_LIVES;
    if (t->of_price)
        lives = fmin(PRICE_LIVES_MOST,
                     PRICE_LIVES + PAYS_LIVES * t->cache.move_ns / view->usual);
    return (uint64_t)(lives * (view->objects + TRIAL_LEAST));
}

bool place_search_judge(struct place_search *s,
                        const struct place_search_view *view)
{
    bool adopted = false;
    for (unsigned i = 0; i < SEARCH_TRIALS; i++) {
        struct place_trial *t = &s->trials[i];
        double sure = trial_sure * sqrt(t->squares),
               least = fmax(trial_gain * t->paid, trial_misses * view->usual);
        uint64_t most = requests_of(t, view);
        if (!t->running)
            continue;
        if (t->requests > most && t->gain > sure && t->gain > least) {
            adopt(s, view, t);
            adopted = true;
        } else if (t->requests > most ||
                   (t->requests > most / 2 && -t->gain > sure &&
                    -t->gain > least)) {
            t->running = false;
        }
    }
    for (unsigned i = 0; i < SEARCH_TRIALS && !s->resting; i++)
        if (!s->trials[i].running)
            begin(s, view, &s->trials[i], i == 0);
    return adopted;
}
