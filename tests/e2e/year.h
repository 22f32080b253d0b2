/* year.h: what the store of the year test must hold, in plain memory. */
#ifndef WARP_TEST_YEAR_H
#define WARP_TEST_YEAR_H

#include "year.warp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SENSORS = 100, USERS = 200, SESSIONS = 64 };
#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

struct reading {
    int64_t at;
    double celsius;
    float humidity;
    uint8_t state;
};
struct alarm {
    int64_t at;
    uint32_t number;
};
struct sensor {
    struct reading *readings; /* by time, then by arrival */
    struct alarm *alarms;
    size_t reading_count, reading_room, alarm_count, alarm_room;
    double last;
    uint32_t place;
};
struct user {
    bool there;
    uint32_t mail, about, photo; /* numbers of texts */
    uint64_t visits;
    int64_t consent_until; /* 0: never given */
};
struct session {
    uint64_t token; /* 0: none */
    uint32_t user, draft;
    int64_t until;
};
struct year {
    struct warp_db *db;
    int64_t now; /* the store's clock: the highest that was told */
    int64_t told;
    uint64_t seed, appended, next_token;
    uint32_t next_mail, next_text;
    struct sensor sensors[SENSORS];
    struct user users[USERS];
    struct session sessions[SESSIONS];
    struct warp_arena arena;
};

#define CHECK(what)                                                           \
    do {                                                                      \
        if (!(what)) {                                                        \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #what,     \
                    warp_errmsg(year.db));                                    \
            exit(1);                                                          \
        }                                                                     \
    } while (0)
#define OK(call) CHECK((call) == WARP_OK)

extern struct year year;
uint32_t below(uint32_t n);
/* Texts of the model: the number tells all of them. */
struct warp_str user_name(uint32_t user, char to[32]);
struct warp_str mail_text(uint32_t number, char to[32]);
struct warp_str about_text(uint32_t number, char to[2000]);
struct warp_str alarm_text(uint32_t number, char to[64]);

/* ---- year_check.c ---- */
void check_readings(uint32_t sensor, int64_t from, int64_t to);
void check_alarms(uint32_t sensor, int64_t from, int64_t to);
void check_user(uint32_t user);
void check_photo(uint32_t user);
void check_session(uint32_t session);
void check_all(void);

#endif
