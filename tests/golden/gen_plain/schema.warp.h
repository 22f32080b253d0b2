/* Written by warpc from schema.warp. Do not edit: change the schema.
 * Masks name fields; HOT and ALL hold neither key nor series. A WARP_GEN_ line
 * declares calls, such as PRODUCT_get() and PRODUCT_set_FIELD(): <warp/calls.h>
 * says what they are and promise. */
#ifndef WARP_GEN_SCHEMA_WARP_H
#define WARP_GEN_SCHEMA_WARP_H

#include <warp/calls.h>

#ifdef __cplusplus
extern "C" {
#endif

struct visit {
    int64_t at;
    struct warp_str page; /* string<100> */
};

#ifndef WARP_BYTES_8_DECLARED
#define WARP_BYTES_8_DECLARED
struct warp_bytes_8 { uint8_t b[8]; };
#endif

#ifdef WARP_GEN_SCHEMA_WARP_H_DEFINES
#define WARP_GEN_CALL_ WARP_GEN_DEFINE_
#else
#define WARP_GEN_CALL_ WARP_GEN_DECLARE_
#endif

struct http_user2 {
    struct warp_str id;       /* key */
    struct warp_str nick;     /* memory | survives power_loss */
    uint32_t old_score;       /* memory | survives power_loss | deprecated */
    struct warp_list graph;   /* warp_str[] | disk_compressed + memory_computed | survives power_loss | a get may read the disk */
    float mass;               /* gpu_memory | survives power_loss */
    float place;              /* auto | survives power_loss | a get may read the disk */
    struct warp_list session; /* warp_entry[], sorted by key | memory_only | gone after a restart | ttl 1h */
    uint64_t have;            /* out: which fields hold a value */
};
/* visits (bit 3) is a series, with calls of its own: temporal_tiering | survives power_loss | memory to 1d | ssd to 30d | archive for ever */
#define HTTP_USER2_ID        WARP_BIT(0)
#define HTTP_USER2_NICK      WARP_BIT(1)
#define HTTP_USER2_OLD_SCORE WARP_BIT(2)
#define HTTP_USER2_VISITS    WARP_BIT(3)
#define HTTP_USER2_GRAPH     WARP_BIT(4)
#define HTTP_USER2_MASS      WARP_BIT(5)
#define HTTP_USER2_PLACE     WARP_BIT(6)
#define HTTP_USER2_SESSION   WARP_BIT(7)
#define HTTP_USER2_HOT       UINT64_C(0xa6)
#define HTTP_USER2_ALL       UINT64_C(0xf6)

#define WARP_GEN_P http_user2, struct warp_str
WARP_GEN_RECORD()
WARP_GEN_SET(1, nick, struct warp_str)
WARP_GEN_DEPRECATED_INTEGER(2, old_score, uint32_t)
WARP_GEN_SERIES_BY(3, visits, struct visit)
WARP_GEN_SET(4, graph, struct warp_list)
WARP_GEN_SUMMARY(4, graph)
WARP_GEN_REAL(5, mass, float)
WARP_GEN_REAL(6, place, float)
WARP_GEN_SET(7, session, struct warp_list)
#undef WARP_GEN_P

struct ticket {
    struct warp_bytes_8 code; /* key */
    struct warp_str seat;     /* auto | survives power_loss | a get may read the disk */
    struct warp_str both;     /* ssd + memory | survives power_loss | a get may read the disk */
    uint64_t have;            /* out: which fields hold a value */
};
#define TICKET_CODE WARP_BIT(0)
#define TICKET_SEAT WARP_BIT(1)
#define TICKET_BOTH WARP_BIT(2)
#define TICKET_HOT  UINT64_C(0x0)
#define TICKET_ALL  UINT64_C(0x6)

#define WARP_GEN_P ticket, struct warp_bytes_8
WARP_GEN_RECORD()
WARP_GEN_SET(1, seat, struct warp_str)
WARP_GEN_SET(2, both, struct warp_str)
#undef WARP_GEN_P

#undef WARP_GEN_CALL_
extern const struct warp_schema schema_warp_schema;

#ifdef __cplusplus
}
#endif
#endif
