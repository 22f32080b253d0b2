/* Derived fields where it is easy to go wrong: the key as an input, inputs that
 * expire, places of what only float64 or integers tell apart, NaN anywhere,
 * hundreds of results, a device that lies about a place. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <warp/gen.h>
#include <warp/warp.h>

#include "derived.warp.h"

enum { ROWS = 200, OTHERS = 30, ELEMENTS = 1500 };

#define CHECK(what)                                                            \
    do {                                                                       \
        if (!(what)) {                                                         \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #what,      \
                    warp_errmsg(NULL));                                        \
            exit(1);                                                           \
        }                                                                      \
    } while (0)
#define OK(call) CHECK((call) == WARP_OK)

static struct warp_db *db;
static char dir[] = "/tmp/warp_derived_XXXXXX", path[64];
static uint64_t keys[ROWS];
static int64_t now_ms = INT64_C(1800000000000);

static int64_t clock_ms(void *arg)
{
    (void)arg;
    return now_ms;
}

static void open_store(const struct warp_schema *schema)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    o.clock_ms = clock_ms;
    OK(warp_open(path, schema, &o, &db));
}

static void put_all(void)
{
    for (uint32_t i = 0; i < OTHERS; i++) {
        struct d_other o = {.id = i, .v = (float)(i % 15) * 10};
        o.n = (INT64_C(1) << 53) + (i == 7 ? 9 : i % 4);
        o.w = 1 + (i == 11 ? 1e-9 : 0);
        OK(d_other_put(db, &o, D_OTHER_V | D_OTHER_N | D_OTHER_W));
    }
    for (uint64_t i = 0; i < ROWS; i++) {
        struct d_row r = {.id = i, .x = (float)(i % 91), .soon = 1};
        keys[i] = i;
        OK(d_row_put(db, &r, D_ROW_X | D_ROW_SOON));
    }
}

/* ---- the key is an input ---- */

static void check_key_inputs(void)
{
    static uint64_t out[ROWS];
    struct d_row r;
    struct warp_iter *it;
    const uint64_t each[] = {D_ROW_TWICE, D_ROW_ID | D_ROW_TWICE,
                             D_ROW_ID | D_ROW_TWICE | D_ROW_BOTH,
                             D_ROW_BOTH | D_ROW_BATCH, D_ROW_ID | D_ROW_BATCH};
    for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
        uint64_t want = each[i] & ~D_ROW_ID, seen = 0;
        OK(d_row_get(db, 10, each[i], &r, NULL));
        CHECK(r.id == 10 && (r.have & ~D_ROW_ID) == want);
        CHECK(!(want & D_ROW_TWICE) || r.twice == 20);
        CHECK(!(want & D_ROW_BOTH) || r.both == 30);
        CHECK(!(want & D_ROW_BATCH) || r.batch == 210);
        OK(d_row_scan(db, NULL, each[i], &it));
        while (d_row_next(it, &r, NULL) == WARP_OK) {
            CHECK(!(want & D_ROW_TWICE) || r.twice == r.id * 2);
            CHECK(!(want & D_ROW_BOTH) || r.both == r.id * 3);
            CHECK(!(want & D_ROW_BATCH) || r.batch == r.id * 21);
            seen++;
        }
        warp_iter_close(&it);
        CHECK(seen == ROWS);
    }
    OK(d_row_twice_compute(db, keys, ROWS, out, NULL));
    for (uint64_t i = 0; i < ROWS; i++)
        CHECK(out[i] == i * 2);
    OK(d_row_both_compute(db, keys, ROWS, out, NULL));
    for (uint64_t i = 0; i < ROWS; i++)
        CHECK(out[i] == i * 3);
    OK(d_row_batch_compute(db, keys, ROWS, out, NULL));
    for (uint64_t i = 0; i < ROWS; i++)
        CHECK(out[i] == i * 21);
    OK(d_row_get(db, 1, D_ROW_KEYS, &r, NULL));
    CHECK(r.keys == 4 * OTHERS * (OTHERS - 1) / 2);
}

static bool asks_for_arena(int rc)
{
    return rc == WARP_EINVAL && strstr(warp_errmsg(NULL), "arena is needed");
}

/* Nothing of the result may point to what the call has given back. */
static void check_arenas(void)
{
    char name[] = "a name that is longer than a pointer";
    struct d_named n = {.name = warp_str(name), .number = 7, .a = 5};
    struct d_named_key key = {.name = n.name, .number = 7};
    struct warp_arena arena = WARP_ARENA_INIT;
    struct warp_iter *it;
    OK(d_named_put(db, &n, D_NAMED_A));
    OK(d_named_get(db, key, D_NAMED_SUM, &n, &arena));
    CHECK(n.sum == 12 && n.number == 7 && n.name.len == strlen(name) &&
          memcmp(n.name.data, name, n.name.len) == 0);
    CHECK(asks_for_arena(d_named_get(db, key, D_NAMED_A, &n, NULL)));
    CHECK(asks_for_arena(d_named_get(db, key, D_NAMED_SUM, &n, NULL)));
    CHECK(n.name.data == NULL);
    OK(d_named_scan(db, NULL, D_NAMED_SUM, &it));
    CHECK(asks_for_arena(d_named_next(it, &n, NULL)));
    CHECK(n.name.data == NULL);
    warp_iter_close(&it);
    warp_arena_free(&arena);
}

/* ---- what is compared has not wrapped ---- */

static void check_compared(void)
{
    const uint64_t ids[] = {1, 2};
    struct d_compared c = {.id = 1, .a = 65536, .b = 65536, .c = UINT32_MAX,
                           .d = 1, .huge = UINT64_C(0xfffffffe00000001)};
    bool past[2];
    int32_t pick[2];
    OK(d_compared_put(db, &c, D_COMPARED_A | D_COMPARED_B | D_COMPARED_C |
                                  D_COMPARED_D | D_COMPARED_HUGE));
    OK(d_compared_get(db, 1, D_COMPARED_ALL, &c, NULL));
    CHECK(c.past && !c.below && c.within && c.pick == 1 && c.wrapped == 0);
    c = (struct d_compared){.id = 2, .a = INT32_MIN, .b = INT32_MAX, .d = 1};
    OK(d_compared_put(db, &c, D_COMPARED_A | D_COMPARED_B | D_COMPARED_C |
                                  D_COMPARED_D | D_COMPARED_HUGE));
    OK(d_compared_get(db, 2, D_COMPARED_ALL, &c, NULL));
    CHECK(!c.past && c.below && c.within && c.pick == 1);
    OK(d_compared_past_compute(db, ids, 2, past, NULL));
    OK(d_compared_pick_compute(db, ids, 2, pick, NULL));
    CHECK(past[0] && !past[1] && pick[0] == 1 && pick[1] == 1);
}

/* ---- values that expire ---- */

static void check_expired(void)
{
    uint32_t numbers[] = {1, 2, 3, 3};
    struct d_row r = {.id = 5, .soon = 4, .brief = {numbers, 4},
                      .plain = {numbers, 4}};
    struct warp_summary s;
    enum warp_fresh fresh;
    float value;
    OK(d_row_put(db, &r, D_ROW_SOON | D_ROW_BRIEF | D_ROW_PLAIN));
    for (int n = 0; n < 2; n++) {
        OK(d_row_brief_summary(db, 5, &s));
        CHECK(s.count == 4 && fabs(s.entropy_bits - 1.5) < 1e-4);
        OK(d_row_plain_summary(db, 5, &s));
        CHECK(s.count == 4);
    }
    OK(d_row_later_compute(db, keys, 10, (float[10]){0}, NULL));
    OK(d_row_later_peek(db, 5, &value, &fresh));
    CHECK(fresh == WARP_FRESH && value > 7.9f && value < 8.1f);
    CHECK(d_row_state(db, 5, D_ROW_LATER) == WARP_PRESENT);
    now_ms += 2 * 3600 * 1000;
    for (int n = 0; n < 2; n++) {
        OK(d_row_brief_summary(db, 5, &s));
        CHECK(s.count == 0 && s.entropy_bits <= 0);
        OK(d_row_plain_summary(db, 5, &s));
        CHECK(s.count == 0);
    }
    OK(d_row_later_peek(db, 5, &value, &fresh));
    CHECK(fresh == WARP_STALE);
    CHECK(d_row_state(db, 5, D_ROW_LATER) == WARP_ABSENT);
    OK(d_row_get(db, 5, D_ROW_LATER, &r, NULL));
    CHECK(r.have == 0);
    /* what is written again counts again */
    r = (struct d_row){.id = 5, .soon = 3, .brief = {numbers, 3}};
    OK(d_row_put(db, &r, D_ROW_SOON | D_ROW_BRIEF));
    OK(d_row_brief_summary(db, 5, &s));
    CHECK(s.count == 3);
    CHECK(d_row_state(db, 5, D_ROW_LATER) == WARP_PRESENT);
    /* a deadline that is moved makes no new version */
    OK(d_row_expire(db, 5, D_ROW_BRIEF, now_ms - 1));
    OK(d_row_brief_summary(db, 5, &s));
    CHECK(s.count == 0);
}

/* ---- reductions ---- */

static void check_places(void)
{
    int64_t wholes[] = {INT64_C(9007199254740992), INT64_C(9007199254740993),
                        INT64_C(9007199254740991)};
    struct d_row r = {.id = 6, .wholes = {wholes, 3}};
    uint64_t key = 6, place;
    uint32_t at;
    OK(d_row_put(db, &r, D_ROW_WHOLES));
    OK(d_row_get(db, 6, D_ROW_PLACE | D_ROW_EXACT | D_ROW_WHOLE, &r, NULL));
    CHECK(r.place == 7 && r.exact == 11 && r.whole == 1);
    OK(d_row_place_compute(db, &key, 1, &place, NULL));
    OK(d_row_exact_compute(db, &key, 1, &at, NULL));
    CHECK(place == 7 && at == 11);
    OK(d_row_whole_compute(db, &key, 1, &at, NULL));
    CHECK(at == 1);
}

static void swap(float *a, float *b)
{
    float old = *a;
    *a = *b;
    *b = old;
}

/* Every order of the same values gives the same. */
static void each_order(float *v, uint32_t from, uint32_t count, float most,
                       float least, const float *three)
{
    if (from + 1 < count) {
        for (uint32_t i = from; i < count; i++) {
            swap(&v[from], &v[i]);
            each_order(v, from + 1, count, most, least, three);
            swap(&v[from], &v[i]);
        }
        return;
    }
    struct d_row r = {.id = 8, .reals = {v, count}};
    OK(d_row_put(db, &r, D_ROW_REALS));
    OK(d_row_get(db, 8,
                 D_ROW_MOST | D_ROW_LEAST | D_ROW_THREE | D_ROW_LONGEST, &r,
                 NULL));
    CHECK(!(r.most < most) && !(r.most > most) && isnan(r.most) == isnan(most));
    CHECK(!(r.least < least) && !(r.least > least) &&
          isnan(r.least) == isnan(least));
    for (int i = 0; i < 3; i++)
        CHECK(isnan(three[i]) ? isnan(r.three.v[i])
                              : fabsf(r.three.v[i] - three[i]) < 1e-6f);
    if (!isnan(most))
        CHECK(fabsf(v[r.longest] - most) < 1e-6f);
}

static void check_nan(void)
{
    float few[] = {1, NAN, 2, 9, 8}, most[] = {NAN, -3, NAN, 4, NAN};
    float all[] = {NAN, NAN, NAN};
    each_order(few, 0, 5, 9, 1, (float[]){9, 8, 2});
    each_order(most, 0, 5, 4, -3, (float[]){4, -3, NAN});
    each_order(all, 0, 3, NAN, NAN, all);
}

/* The device that comes first, or "cpu". */
static const char *first_device(void)
{
    struct warp_device d;
    const char *first = "cpu";
    for (uint32_t i = 0; warp_device_info(i, &d) == WARP_OK; i++)
        if (d.why_not[0] == '\0' && strcmp(d.name, "stand-in") != 0)
            first = d.kind;
    return first;
}

static void check_many(void)
{
    static double list[ELEMENTS];
    static struct warp_f64_1000 out[ROWS];
    static struct d_row r;
    struct warp_run_info info;
    for (int i = 0; i < ELEMENTS; i++)
        list[i] = (i * 7919) % ELEMENTS;
    for (uint64_t i = 0; i < ROWS; i++) {
        r = (struct d_row){.id = i, .list = {list, ELEMENTS}};
        OK(d_row_put(db, &r, D_ROW_LIST));
    }
    OK(d_row_get(db, 3, D_ROW_MANY, &r, NULL));
    OK(d_row_many_compute(db, keys, ROWS, out, &info));
    CHECK(strcmp(info.ran_on, first_device()) == 0);
    for (int i = 0; i < 1000; i++)
        CHECK(fabs(r.many.v[i] - (ELEMENTS - 1 - i)) < 0.5 &&
              fabs(out[ROWS - 1].v[i] - (ELEMENTS - 1 - i)) < 0.5);
}

/* More kernels than fit any table that does not grow. */
static void check_kernels(void)
{
    const struct warp_product *many = NULL;
    static uint32_t out[ROWS];
    struct warp_run_info info;
    uint32_t count = 0;
    for (uint32_t i = 0; i < derived_warp_schema.product_count; i++)
        if (strcmp(derived_warp_schema.products[i]->name, "Many") == 0)
            many = derived_warp_schema.products[i];
    for (uint64_t i = 0; i < ROWS; i++) {
        struct d_many r = {.id = i, .a = (uint32_t)i};
        OK(d_many_put(db, &r, D_MANY_A));
    }
    for (uint32_t f = 0; f < many->field_count; f++) {
        if (!many->fields[f].kernel)
            continue;
        OK(warp_gen_kernel_compute(db, many, keys, ROWS, f, out, &info));
        CHECK(strcmp(info.ran_on, first_device()) == 0);
        for (uint32_t i = 0; i < ROWS; i++)
            CHECK(out[i] == i + count);
        enum warp_fresh fresh;
        OK(warp_gen_kernel_peek(db, many, &keys[3], f, out, &fresh));
        CHECK(fresh == WARP_FRESH && out[0] == 3 + count);
        count++;
    }
    CHECK(count == 54); /* and those of Row */
}

/* A formula of + - * / gives the same bits everywhere. */
static void check_bits(void)
{
    static float out[ROWS];
    struct warp_run_info info;
    for (uint64_t i = 0; i < ROWS; i++) {
        float a = 1 + (float)i / 777, b = 3 - (float)i / 999;
        struct d_fine r = {.id = i, .a = a, .b = b, .c = a * b};
        OK(d_fine_put(db, &r, D_FINE_A | D_FINE_B | D_FINE_C));
    }
    OK(d_fine_rest_compute(db, keys, ROWS, out, &info));
    CHECK(strcmp(info.ran_on, first_device()) == 0);
    for (uint64_t i = 0; i < ROWS && strcmp(info.ran_on, "cuda") != 0; i++) {
        struct d_fine r;
        OK(d_fine_get(db, i, D_FINE_REST, &r, NULL));
        CHECK(memcmp(&r.rest, &out[i], sizeof out[i]) == 0);
    }
}

/* ---- the archive ---- */

/* The tool asks this process, which has the store open, to migrate. */
static void check_archived(const char *tool)
{
    struct warp_summary s;
    char command[500];
    for (uint32_t i = 0; i < 16; i++) {
        struct d_event e = {.at = now_ms + i, .kind = i % 2};
        OK(d_log_events_append(db, 1, e));
    }
    OK(d_log_events_summary(db, 1, &s));
    CHECK(s.count == 16 && fabs(s.entropy_bits - 4) < 1e-4);
    OK(warp_checkpoint(db));
    now_ms += INT64_C(200) * 86400000;
    snprintf(command, sizeof command, "%s migrate %s >/dev/null", tool, path);
    CHECK(system(command) == 0);
    struct warp_iter *it = NULL;
    int rc = d_log_events_range(db, 1, INT64_MIN, INT64_MAX, &it);
    warp_iter_close(&it);
    CHECK(rc == WARP_EARCHIVE);
    OK(d_log_events_summary(db, 1, &s));
    CHECK(s.count == 16 && fabs(s.entropy_bits - 4) < 1e-4);
}

/* ---- a device that lies ---- */

static char text[2000];
static struct warp_kernel kernel;
static struct warp_field fields[56];
static struct warp_product product;
static const struct warp_product *products[8];
static struct warp_schema schema;

/* The schema with another text for Row.best; returns the field's number. */
static uint32_t replace_text(const char *body)
{
    uint32_t number = 0;
    schema = derived_warp_schema;
    for (uint32_t i = 0; i < schema.product_count; i++) {
        products[i] = schema.products[i];
        if (strcmp(products[i]->name, "Row") != 0)
            continue;
        product = *products[i];
        products[i] = &product;
    }
    schema.products = products;
    memcpy(fields, product.fields, product.field_count * sizeof fields[0]);
    product.fields = fields;
    while (strcmp(fields[number].name, "best") != 0)
        number++;
    kernel = *fields[number].kernel;
    fields[number].kernel = &kernel;
    snprintf(text, sizeof text,
             "struct warp_params { uint rows, cols, items, mode, reduce, k; "
             "float a, b; };\n"
             "__kernel void %s(__global const float *x, __global const float "
             "*v, __global uint *out, struct warp_params p)\n"
             "{\n    uint row = get_global_id(0), at = 0;\n"
             "    if (row >= p.rows)\n        return;\n"
             "    %s\n    out[row] = at;\n}\n",
             kernel.entry, body);
    kernel.cl = text;
    return number;
}

/* Is what the device gives taken? The results are right in any case. */
static void check_text(const char *body, bool taken)
{
    static uint32_t out[ROWS];
    struct warp_run_info info;
    uint32_t field = replace_text(body);
    open_store(&schema);
    OK(warp_gen_kernel_compute(db, &product, keys, ROWS, field, out, &info));
    if (taken != (strcmp(info.ran_on, "cpu") != 0) || info.validated == 0) {
        fprintf(stderr, "%s\non %s: %s, %u compared\n", body, info.ran_on,
                info.why, info.validated);
        exit(1);
    }
    for (uint32_t i = 0; i < ROWS; i++) {
        uint32_t near = (uint32_t)fminf(roundf((float)(i % 91) / 10), 14);
        float x = (float)(i % 91);
        CHECK(out[i] < OTHERS &&
              fabsf(fabsf(x - (float)(out[i] % 15) * 10) -
                    fabsf(x - (float)near * 10)) < 1e-4f);
    }
    OK(warp_close(&db));
}

/* The same reason each time, not the absence of something else. */
static void check_unbuilt(void)
{
    static uint32_t out[ROWS];
    struct warp_run_info first, info;
    uint32_t field = replace_text("this is no text;");
    open_store(&schema);
    OK(warp_gen_kernel_compute(db, &product, keys, ROWS, field, out, &first));
    CHECK(strcmp(first.ran_on, "cpu") == 0 && first.why[0]);
    for (int n = 0; n < 2; n++) {
        OK(warp_gen_kernel_compute(db, &product, keys, ROWS, field, out,
                                   &info));
        CHECK(strcmp(info.ran_on, "cpu") == 0);
        CHECK(strcmp(info.why, first.why) == 0);
    }
    OK(warp_close(&db));
}

static void check_lies(void)
{
    if (strcmp(first_device(), "opencl") != 0)
        return;
    check_unbuilt();
    check_text("at = 3;", false);
    check_text("at = p.cols + 5;", false);
    check_text("at = 4000000000u;", false);
    /* of equal ones it takes the last */
    check_text("for (uint j = 0; j < p.cols; j++)\n"
               "        if (fabs(x[row] - v[j]) <= fabs(x[row] - v[at]))\n"
               "            at = j;",
               true);
}

int main(int argc, char **argv)
{
    char command[80];
    CHECK(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/store", dir);
    open_store(&derived_warp_schema);
    put_all();
    check_key_inputs();
    check_arenas();
    check_compared();
    check_expired();
    check_places();
    check_nan();
    check_many();
    check_kernels();
    check_bits();
    if (argc > 1)
        check_archived(argv[1]);
    OK(warp_close(&db));
    check_lies();
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command) != 0;
}
