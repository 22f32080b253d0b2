/* ssd: pages of LMDB's file that were changed -> the check before LMDB reads
 * it, gets, cursors, transactions, the check of an open one. */
#include "fuzz.h"

#include "error.h"
#include "ssd.h"

#include <stdio.h>
#include <string.h>

enum { KEYS = 300, MAP_BYTES = 16 << 20 };

static char made[800];

static struct ssd_slice key_of(uint32_t n, char *to)
{
    snprintf(to, 32, "k%u", n * 2654435761u);
    return (struct ssd_slice){to, strlen(to)};
}

static int write_keys(struct ssd *ssd, uint32_t from, uint32_t to)
{
    static uint8_t value[6000];
    struct ssd_txn *txn = NULL;
    char key[32], last[32];
    int rc = ssd_begin(ssd, &txn);
    if (rc != 0)
        return rc;
    for (uint32_t n = from; n < to && rc == 0; n++) {
        enum ssd_table table = (enum ssd_table)(n % SSD_TABLE_COUNT);
        struct ssd_slice v = {value, n % 50 ? n % 200 : 5000};
        rc = ssd_put(txn, table, key_of(n, key), v);
        if (rc == 0 && n % 11 == 0)
            rc = ssd_del(txn, table, key_of(n / 2, key));
    }
    if (rc == 0 && from > 0)
        rc = ssd_del_range(txn, SSD_COLD, key_of(from, key), key_of(to, last));
    if (rc == 0)
        return ssd_commit(&txn);
    ssd_abort(&txn);
    return rc;
}

static void make(void)
{
    struct ssd *ssd = NULL;
    int rc = ssd_open(made, MAP_BYTES, false, NULL, NULL, &ssd);
    if (rc == 0)
        rc = write_keys(ssd, 0, KEYS);
    if (rc == 0)
        rc = write_keys(ssd, KEYS / 2, KEYS);
    fuzz_need(rc == 0, error_text());
    ssd_close(&ssd);
}

static int on_value(void *arg, struct ssd_slice value)
{
    for (size_t i = 0; i < value.bytes; i++)
        *(uint32_t *)arg += ((const uint8_t *)value.data)[i];
    return 0;
}

static void read_all(struct ssd *ssd)
{
    char key[32];
    uint32_t sum = 0;
    for (uint32_t n = 0; n < KEYS; n += 3)
        ssd_get(ssd, (enum ssd_table)(n % SSD_TABLE_COUNT), key_of(n, key),
                on_value, &sum);
    for (int i = 0; i < 2 * SSD_TABLE_COUNT; i++) {
        struct ssd_cursor *cursor = NULL;
        struct ssd_slice k, v, all = {NULL, 0};
        if (ssd_cursor_open(ssd, (enum ssd_table)(i / 2), all, all, i % 2,
                            &cursor) != 0)
            continue;
        while (ssd_next(cursor, &k, &v) == 0)
            on_value(&sum, v);
        ssd_cursor_close(&cursor);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz_files *files;
    static const char *dir;
    struct ssd *ssd = NULL;
    struct ssd_stat stat;
    if (files == NULL) {
        snprintf(made, sizeof made, "%s", fuzz_dir("made"));
        make();
        files = fuzz_files_load(made);
        dir = fuzz_dir("ssd");
    }
    fuzz_files_write(files, data, size, dir);
    ssd_check_file(dir, true, NULL, NULL);
    if (ssd_open(dir, MAP_BYTES, false, NULL, NULL, &ssd) != 0)
        return 0;
    read_all(ssd);
    if (write_keys(ssd, 100, 200) == 0)
        read_all(ssd);
    ssd_stat(ssd, &stat);
    ssd_verify(ssd, NULL, NULL);
    ssd_close(&ssd);
    return 0;
}
