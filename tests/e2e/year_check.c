/* year_check.c: the store of the year test against its model. */
#include "year.h"

static const int64_t kept = 30 * DAY;

static bool is(struct warp_str s, struct warp_str want)
{
    return s.len == want.len &&
           (s.len == 0 || memcmp(s.data, want.data, s.len) == 0);
}

void check_readings(uint32_t number, int64_t from, int64_t to)
{
    struct sensor *s = &year.sensors[number];
    struct warp_iter *it = NULL;
    struct year_reading r;
    int64_t at, alive = year.now - kept;
    OK(year_sensor_readings_range(year.db, number, from, to, &it));
    for (size_t i = 0; i < s->reading_count; i++) {
        const struct reading *want = &s->readings[i];
        if (want->at < from || want->at >= to || want->at <= alive)
            continue;
        OK(year_sensor_readings_next(it, &at, &r, &year.arena));
        CHECK(at == want->at && r.at == at);
        CHECK(memcmp(&r.celsius, &want->celsius, 8) == 0);
        CHECK(memcmp(&r.humidity, &want->humidity, 4) == 0);
        CHECK((int)r.state == want->state);
    }
    CHECK(year_sensor_readings_next(it, &at, &r, &year.arena) == WARP_END);
    warp_iter_close(&it);
}

void check_alarms(uint32_t number, int64_t from, int64_t to)
{
    struct sensor *s = &year.sensors[number];
    struct warp_iter *it = NULL;
    struct warp_str text;
    int64_t at;
    char want[64];
    OK(year_sensor_alarms_range_with(year.db, number, from, to, WARP_ARCHIVE,
                                     &it));
    for (size_t i = 0; i < s->alarm_count; i++) {
        const struct alarm *a = &s->alarms[i];
        if (a->at < from || a->at >= to)
            continue;
        OK(year_sensor_alarms_next(it, &at, &text, &year.arena));
        CHECK(at == a->at && is(text, alarm_text(a->number, want)));
    }
    CHECK(year_sensor_alarms_next(it, &at, &text, &year.arena) == WARP_END);
    warp_iter_close(&it);
}

void check_user(uint32_t number)
{
    const struct user *want = &year.users[number];
    struct year_user u;
    char name[32], mail[32], about[2000];
    int rc = year_user_get(year.db, user_name(number, name), YEAR_USER_ALL, &u,
                           &year.arena);
    CHECK(rc == (want->there ? WARP_OK : WARP_ENOTFOUND));
    if (!want->there)
        return;
    CHECK(u.visits == want->visits);
    CHECK(is(u.mail, mail_text(want->mail, mail)));
    CHECK(is(u.about, about_text(want->about, about)));
    bool consent = want->consent_until > year.now;
    CHECK(((u.have & YEAR_USER_CONSENT) != 0) == consent);
    OK(year_user_get_by_mail(year.db, mail_text(want->mail, mail),
                             YEAR_USER_VISITS, &u, &year.arena));
    CHECK(is(u.id, user_name(number, name)));
}

void check_photo(uint32_t number)
{
    const struct user *want = &year.users[number];
    struct year_photo p;
    char name[32], about[2000];
    int rc = year_photo_get(year.db, user_name(number, name),
                            YEAR_PHOTO_ALL | WARP_ARCHIVE, &p, &year.arena);
    CHECK(rc == (want->there ? WARP_OK : WARP_ENOTFOUND));
    CHECK(!want->there || is(p.pixels, about_text(want->photo, about)));
}

void check_session(uint32_t number)
{
    const struct session *want = &year.sessions[number];
    struct year_session s;
    char name[32], about[2000];
    if (want->token == 0)
        return;
    bool alive = want->until > year.now;
    int rc = year_session_get(year.db, want->token, YEAR_SESSION_ALL, &s,
                              &year.arena);
    CHECK(rc == (alive ? WARP_OK : WARP_ENOTFOUND));
    if (!alive)
        return;
    CHECK(is(s.user, user_name(want->user, name)));
    if (want->draft == 0)
        CHECK(!(s.have & YEAR_SESSION_DRAFT));
    else
        CHECK(is(s.draft, about_text(want->draft, about)));
}

static void check_scans(void)
{
    struct warp_iter *it = NULL;
    struct year_session s;
    struct year_user u;
    uint32_t found = 0, alive = 0, users = 0, there = 0;
    OK(year_session_scan(year.db, NULL, YEAR_SESSION_USER, &it));
    while (year_session_next(it, &s, &year.arena) == WARP_OK)
        found++;
    warp_iter_close(&it);
    for (uint32_t i = 0; i < SESSIONS; i++)
        alive += year.sessions[i].token && year.sessions[i].until > year.now;
    CHECK(found == alive);
    OK(year_user_scan(year.db, NULL, YEAR_USER_VISITS, &it));
    while (year_user_next(it, &u, &year.arena) == WARP_OK)
        users++;
    warp_iter_close(&it);
    for (uint32_t i = 0; i < USERS; i++)
        there += year.users[i].there;
    CHECK(users == there);
}

void check_all(void)
{
    for (uint32_t i = 0; i < SENSORS; i++) {
        struct year_sensor s;
        check_readings(i, INT64_MIN, INT64_MAX);
        check_alarms(i, INT64_MIN, INT64_MAX);
        warp_arena_reset(&year.arena);
        OK(year_sensor_get(year.db, i, YEAR_SENSOR_LAST, &s, &year.arena));
        CHECK(memcmp(&s.last, &year.sensors[i].last, 8) == 0);
    }
    for (uint32_t i = 0; i < USERS; i++) {
        check_user(i);
        check_photo(i);
    }
    for (uint32_t i = 0; i < SESSIONS; i++)
        check_session(i);
    warp_arena_reset(&year.arena);
    check_scans();
    warp_arena_reset(&year.arena);
}
