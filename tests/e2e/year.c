/* year.c: a year of a store in less than two minutes: sensors that report every
 * quarter of an hour (some late, some twice at one time), users, sessions. The
 * clock is the test's; it goes back now and then, and the store's does not.
 * Every hour some reads are compared with a model, every month all of them;
 * disk and memory must stay inside their bounds. `year [DAYS [DIR]]`; a store
 * in DIR is left there. */
#include "year.h"

#include <math.h>
#include <time.h>
#include <unistd.h>

enum {
    REPORTS = 4,
    MEMORY_MAX = 48 << 20,
    DEAD_MAX = 20 << 20 /* what is worth a compaction, and one that waits */
};
struct year year;
static char path[500] = "/tmp/warp_year_XXXXXX";

uint32_t below(uint32_t n)
{
    year.seed ^= year.seed << 13;
    year.seed ^= year.seed >> 7;
    year.seed ^= year.seed << 17;
    return (uint32_t)(year.seed % n);
}

static int64_t clock_now(void *arg)
{
    (void)arg;
    return year.told;
}

static void tell(void *arg, int level, int code, const char *text)
{
    (void)arg;
    if (level <= WARP_LOG_WARNING)
        fprintf(stderr, "the store says: %s (%d)\n", text, code);
}

static void open_store(void)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    char name[600];
    snprintf(name, sizeof name, "%s/store", path);
    o.shards = 4;
    o.ring_bytes = 65536 * 4;
    o.clock_ms = clock_now;
    o.log = tell;
    o.memory_max_bytes = MEMORY_MAX;
    o.log_bytes_max = 16 << 20;
    o.sweep_every_ms = 20; /* of the wall clock: a year is short */
    OK(warp_open(name, &year_warp_schema, &o, &year.db));
}

/* ---- texts ---- */

static struct warp_str text(char *to, int bytes)
{
    return (struct warp_str){to, (uint32_t)bytes};
}

struct warp_str user_name(uint32_t user, char to[32])
{
    return text(to, snprintf(to, 32, "user-%u", user));
}

struct warp_str mail_text(uint32_t number, char to[32])
{
    return text(to, snprintf(to, 32, "m%u@example.org", number));
}

struct warp_str alarm_text(uint32_t number, char to[64])
{
    static const char *const what[] = {"too hot", "too cold", "no power",
                                       "no answer", "door open"};
    return text(to, snprintf(to, 64, "%s (ticket %u)", what[number % 5],
                             number));
}

struct warp_str about_text(uint32_t number, char to[2000])
{
    int n = 0, bytes = (int)(number * 37 % 1500) + 60;
    while (n < bytes)
        n += snprintf(to + n, 2000 - (size_t)n, "line %u of text %u; ",
                      (unsigned)n, number);
    return text(to, n < 1999 ? n : 1999);
}

/* ---- what happens ---- */

#define ROOM(list, count, room)                                               \
    do {                                                                      \
        if ((count) == (room)) {                                              \
            (room) = (room) ? (room) * 2 : 64;                                \
            (list) = realloc((list), (room) * sizeof *(list));                \
            CHECK((list) != NULL);                                            \
        }                                                                     \
    } while (0)

static void report(uint32_t number, int64_t at)
{
    struct sensor *s = &year.sensors[number];
    double phase = (double)(at % DAY) / (double)DAY;
    struct reading r = {
        .at = at,
        .celsius = floor((18 + number % 7 + 6 * sin(phase * 6.2832) +
                          below(100) / 100.0) *
                         100) /
                   100,
        .humidity = (float)(40 + below(300) / 10.0),
        .state = (uint8_t)(below(50) ? 0 : 1 + below(2))};
    struct year_reading e = {r.at, r.celsius, r.humidity,
                             (enum year_state)r.state};
    OK(year_sensor_readings_append(year.db, number, e));
    ROOM(s->readings, s->reading_count, s->reading_room);
    size_t place = s->reading_count++;
    for (; place > 0 && s->readings[place - 1].at > at; place--)
        s->readings[place] = s->readings[place - 1];
    s->readings[place] = r;
    year.appended++;
    if (at == year.now) {
        OK(year_sensor_set_last(year.db, number, r.celsius));
        s->last = r.celsius;
    }
}

static void report_all(void)
{
    for (uint32_t i = 0; i < SENSORS; i++) {
        for (int n = 0; n < REPORTS; n++) {
            int64_t at = year.now - (REPORTS - 1 - n) * HOUR / REPORTS;
            if (below(50) == 0)
                at -= (int64_t)below((uint32_t)(3 * DAY));
            report(i, at);
            if (below(100) == 0)
                report(i, at);
        }
        if (below(24) == 0) {
            struct sensor *s = &year.sensors[i];
            char bytes[64];
            ROOM(s->alarms, s->alarm_count, s->alarm_room);
            struct alarm a = {year.now, year.next_text++};
            OK(year_sensor_alarms_append(year.db, i, a.at,
                                         alarm_text(a.number, bytes)));
            s->alarms[s->alarm_count++] = a;
            year.appended++;
        }
    }
}

static void forget_old_readings(void)
{
    for (uint32_t i = 0; i < SENSORS; i++) {
        struct sensor *s = &year.sensors[i];
        size_t gone = 0;
        while (gone < s->reading_count &&
               s->readings[gone].at <= year.now - 30 * DAY)
            gone++;
        memmove(s->readings, s->readings + gone,
                (s->reading_count - gone) * sizeof *s->readings);
        s->reading_count -= gone;
    }
}

static void put_user(uint32_t number)
{
    struct user *m = &year.users[number];
    struct year_user u = {0};
    char name[32], mail[32], about[2000];
    struct year_photo p = {0};
    *m = (struct user){true, year.next_mail++, year.next_text++,
                       year.next_text++, below(100), year.now + 90 * DAY};
    u.id = user_name(number, name);
    u.mail = mail_text(m->mail, mail);
    u.about = about_text(m->about, about);
    u.visits = m->visits;
    u.consent = true;
    OK(year_user_put(year.db, &u, YEAR_USER_ALL));
    p.user = u.id;
    p.pixels = about_text(m->photo, about);
    OK(year_photo_put(year.db, &p, YEAR_PHOTO_ALL));
}

static void visit(uint32_t number)
{
    struct user *m = &year.users[number];
    char name[32], about[2000];
    struct warp_str key = user_name(number, name);
    if (!m->there) {
        put_user(number);
        return;
    }
    OK(year_user_add_visits(year.db, key, 1, NULL));
    m->visits++;
    uint32_t dice = below(40);
    if (dice == 0) {
        OK(year_user_delete(year.db, key));
        OK(year_photo_delete(year.db, key));
        m->there = false;
    } else if (dice < 4) {
        m->about = year.next_text++;
        OK(year_user_set_about(year.db, key, about_text(m->about, about)));
    } else if (dice < 5) {
        OK(year_user_touch(year.db, key, YEAR_USER_CONSENT));
        if (m->consent_until > year.now)
            m->consent_until = year.now + 90 * DAY;
    }
}

static void log_in(void)
{
    struct session *m = &year.sessions[below(SESSIONS)];
    struct year_session s = {0};
    char name[32], about[2000];
    if (m->token != 0 && m->until > year.now)
        return;
    *m = (struct session){++year.next_token, below(USERS), year.next_text++,
                          year.now + 2 * HOUR};
    s.token = m->token;
    s.user = user_name(m->user, name);
    s.draft = about_text(m->draft, about);
    OK(year_session_put(year.db, &s, YEAR_SESSION_ALL));
}

static void look_around(void)
{
    for (int n = 0; n < 2; n++) {
        int64_t from = year.now - (int64_t)below(35 * 24) * HOUR;
        check_readings(below(SENSORS), from,
                       from + (int64_t)below(72) * HOUR);
    }
    check_alarms(below(SENSORS), year.now - (int64_t)below(9000) * HOUR,
                 year.now);
    check_user(below(USERS));
    check_session(below(SESSIONS));
    warp_arena_reset(&year.arena);
}

/* ---- bounds ---- */

struct bytes {
    uint64_t ssd, disk, archive;
};

static struct bytes bytes_now(void)
{
    struct warp_stat s = WARP_STAT_INIT;
    OK(warp_stat(year.db, &s));
    CHECK(s.memory_bytes <= MEMORY_MAX);
    CHECK(s.health == WARP_OK);
    return (struct bytes){s.ssd_bytes, s.disk_bytes, s.archive_bytes};
}

/* The keeper works in real time, and a month is short: it may catch up. */
static struct bytes settled(void)
{
    struct bytes before = bytes_now(), now;
    for (int n = 0; n < 50; n++, before = now) {
        usleep(60000);
        OK(warp_checkpoint(year.db));
        now = bytes_now();
        if (now.ssd == before.ssd && now.disk == before.disk &&
            now.archive == before.archive)
            break;
    }
    return bytes_now();
}

static void restart(void)
{
    OK(warp_close(&year.db));
    for (uint32_t i = 0; i < SESSIONS; i++)
        year.sessions[i].draft = 0; /* memory_only: lost */
    open_store();
}

static void say(const char *what, uint64_t bytes)
{
    printf("  %s: %.1f MB\n", what, (double)bytes / 1e6);
}

int main(int argc, char **argv)
{
    const char *sanitize = getenv("WARP_TEST_SANITIZE");
    int days = argc > 1 ? atoi(argv[1]) : sanitize && *sanitize ? 70 : 365;
    struct bytes first = {0}, now = {0};
    struct timespec t0, t1;
    clock_gettime(CLOCK_MONOTONIC, &t0);
    year.seed = 88172645463325252u;
    year.next_text = 1;
    year.told = year.now = INT64_C(1700000000000) / HOUR * HOUR;
    if (argc > 2)
        snprintf(path, sizeof path, "%s", argv[2]);
    else
        CHECK(mkdtemp(path) != NULL);
    open_store();
    for (uint32_t i = 0; i < SENSORS; i++)
        OK(year_sensor_set_last(year.db, i, 0));
    for (int hour = 1; hour <= days * 24; hour++) {
        /* Now and then the clock is set back: the store's stands still. */
        year.told += HOUR;
        if (below(200) == 0)
            year.told -= HOUR + HOUR / 2;
        year.now = year.told > year.now ? year.told : year.now;
        report_all();
        for (int n = 0; n < 6; n++)
            visit(below(USERS));
        log_in();
        log_in();
        look_around();
        if (hour % 12 == 0)
            OK(warp_checkpoint(year.db));
        if (hour % (24 * 30) == 0) {
            int month = hour / (24 * 30);
            check_all();
            forget_old_readings();
            restart();
            now = settled();
            check_all();
            if (month == 3)
                first = now;
            /* What has an end does not grow any more; of the archive the
             * directory knows each chunk. */
            if (month > 3) {
                CHECK(now.ssd <= first.ssd + first.ssd / 4 + now.archive / 16);
                CHECK(now.disk <= first.disk + DEAD_MAX);
            }
        }
    }
    check_all();
    OK(warp_close(&year.db));
    clock_gettime(CLOCK_MONOTONIC, &t1);
    printf("%d days, %llu events, %.1f s\n", days,
           (unsigned long long)year.appended,
           (double)(t1.tv_sec - t0.tv_sec) +
               (double)(t1.tv_nsec - t0.tv_nsec) / 1e9);
    printf("  after three months: directory %.1f MB, disk %.1f MB\n",
           (double)first.ssd / 1e6, (double)first.disk / 1e6);
    say("directory", now.ssd);
    say("disk", now.disk);
    say("archive", now.archive);
    for (uint32_t i = 0; i < SENSORS; i++) {
        free(year.sensors[i].readings);
        free(year.sensors[i].alarms);
    }
    warp_arena_free(&year.arena);
    char command[600];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    return argc > 2 ? 0 : system(command) != 0;
}
