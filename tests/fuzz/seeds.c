/* seeds DIR: first inputs for the targets whose bytes chance does not find:
 * entries of series, requests, texts to import. A file each in DIR/TARGET. */
#include "codec.h"
#include "request.h"
#include "series_chunk.h"

#include "fuzz.warp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *root;

static void put(const char *target, unsigned n, uint8_t first, bool with_first,
                const void *data, size_t bytes)
{
    char path[600];
    snprintf(path, sizeof path, "%.400s/%s", root, target);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%.400s/%s/seed-%02u", root, target, n);
    FILE *out = fopen(path, "wb");
    if (out == NULL || (with_first && fputc(first, out) == EOF) ||
        fwrite(data, 1, bytes, out) != bytes || fclose(out) != 0) {
        perror(path);
        exit(2);
    }
}

/* Wire bytes that are an element of any type in which zeros are valid. */
static void put_series(void)
{
    static const uint8_t zeros[64];
    const struct warp_product *p = fuzz_warp_schema.products[0];
    struct series_item items[40];
    struct series_pack *pack;
    if (series_pack_create(&pack) != WARP_OK)
        exit(2);
    for (unsigned f = 0; f < p->field_count; f++) {
        if (p->fields[f].type == NULL)
            continue;
        /* The shortest run of zeros that the type takes. */
        for (uint32_t bytes = 0; bytes < sizeof zeros; bytes++) {
            struct text packed = TEXT_INIT, to = TEXT_INIT;
            struct chunk chunk = {.count = 40, .flags = f % 2};
            for (uint32_t i = 0; i < 40; i++)
                items[i] = (struct series_item){i * 3, i, zeros, bytes};
            int rc = series_pack_items(pack, p->fields[f].type, items, 40,
                                       f % 2, WARP_COMPRESS_NONE, &packed);
            chunk.last_at = 1000;
            chunk.raw_bytes = 40 * bytes;
            chunk.packed = (const uint8_t *)packed.data;
            chunk.packed_bytes = (uint32_t)packed.used;
            if (rc == WARP_OK)
                chunk_encode(&chunk, &to);
            if (rc == WARP_OK)
                put("series", f, (uint8_t)f, true, to.data, to.used);
            text_free(&packed);
            text_free(&to);
            if (rc == WARP_OK)
                break;
        }
    }
    series_pack_destroy(&pack);
}

static void put_requests(void)
{
    static const uint8_t key[] = {0, 0, 0, 0, 0, 0, 0, 7};
    for (uint16_t what = REQUEST_STAT; what <= REQUEST_MIGRATE; what++) {
        struct text r = TEXT_INIT;
        text_u16(&r, REQUEST_VERSION);
        text_u16(&r, what);
        if (what == REQUEST_GET || what == REQUEST_SCAN) {
            text_u16(&r, 0);
            text_u64(&r, UINT64_C(0xfffffe));
        } else if (what == REQUEST_SERIES || what == REQUEST_EXPLAIN) {
            text_u16(&r, 0);
            text_u8(&r, what == REQUEST_SERIES ? 24 : 11);
        } else {
            text_u8(&r, 1);
        }
        if (what == REQUEST_SCAN)
            text_u8(&r, 0);
        text_u16(&r, sizeof key);
        text_add(&r, key, sizeof key);
        for (int i = 0; i < 3; i++)
            text_u64(&r, 0);
        put("request", what, 0, false, r.data, r.used);
        text_free(&r);
    }
}

static void put_texts(void)
{
    static const char *const json[] = {
        "{\"id\":1,\"gold\":-3,\"ratio\":1e-3,\"yes\":true,\"kind\":\"BACK\"}",
        "{\"id\":2,\"at\":1790000000000,\"span\":9,\"perhaps\":null,\"uuid\":"
        "\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\",\"digest\":\"AAECAwQFBgc=\"}",
        "{\"id\":3,\"point\":{\"x\":1,\"y\":2},\"mixed\":{\"small\":1,"
        "\"maybe\":{\"x\":1,\"y\":2},\"many\":[{\"x\":1,\"y\":2}],"
        "\"name\":\"\\u00e4\\ud83d\\ude00\"}}",
        "{\"id\":4,\"payment\":{\"tag\":\"Card\",\"value\":"
        "{\"number_hash\":1,\"expires\":2}}}",
        "{\"id\":5,\"payment\":{\"tag\":\"Free\"},"
        "\"row\":[1,2,3,4],\"list\":[7,8]}",
        "{\"id\":6,\"lists\":[[\"a\",\"b\"],[]],\"names\":{\"a\":1,\"b\":2},"
        "\"free\":{\"a\":[1,2.5,\"x\",null,true,{\"b\":[]}]}}",
        "{\"id\":7,\"trail\":[{\"at\":1790000000000,\"value\":1}],\"walk\":"
        "[{\"at\":5,\"value\":{\"small\":2,\"maybe\":null,\"many\":[],"
        "\"name\":\"\"}}],\"token\":9,\"owner\":\"o\",\"blob\":\"AAAA\"}",
    };
    static const char pair[] = "{\"left\":\"l\",\"right\":-1,\"value\":\"v\"}";
    static const char *const csv[] = {
        "id,gold,ratio,yes,kind\n1,2,0.5,true,LOGIN\n2,,,,\n",
        "id,note,point,row\r\n3,\"a \"\"b\"\",\nc\",\"{\"\"x\"\":1,\"\"y\"\""
        ":2}\",\"[1,2,3,4]\"\r\n",
        "id,uuid,digest,at,span,owner,list,names,free\n4,6ba7b810-9dad-11d1-"
        "80b4-00c04fd430c8,AAECAwQFBgc=,2026-01-31T12:00:00Z,5,o,[1],"
        "\"{\"\"a\"\":1}\",{}\n",
        "left,right,value\na,1,\"\"\nb,-2,x\n",
    };
    char text[1000];
    for (unsigned i = 0; i < sizeof json / sizeof json[0]; i++) {
        put("json", i, 0, true, json[i], strlen(json[i]));
        snprintf(text, sizeof text, "[%s,\n%s]", json[i], json[0]);
        put("json", 20 + i, 1, true, text, strlen(text));
    }
    put("json", 40, 2, true, pair, sizeof pair - 1);
    for (unsigned i = 0; i < sizeof csv / sizeof csv[0]; i++)
        put("csv", i, i == 3, true, csv[i], strlen(csv[i]));
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    root = argv[1];
    put_series();
    put_requests();
    put_texts();
    return 0;
}
