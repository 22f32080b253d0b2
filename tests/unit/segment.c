/* A segment's bytes: what was written is read, what is cut, changed, or forged
 * with the right checksums is refused with file and offset, and a read that
 * fails, or has no memory, says so and leaves nothing behind. */
#include "segment.h"

#include "compress.h"
#include "crc.h"
#include "error.h"
#include "fault.h"
#include "os.h"
#include "scratch.h"
#include "wire.h"

#include <errno.h>
#include <string.h>
#include <warp/warp.h>

enum {
    NUMBER = 7, BLOCKS = 3, ENTRIES = 4, ROOM = 1 << 20,
    FOOTER_HEAD = 32, FOOTER_BLOCK = 20
};

static uint8_t image[ROOM];
static struct segment_block blocks[BLOCKS];
static struct segment_index index_now, made;
static uint64_t footer_at, file_bytes;
static struct segment_file file;
static char path[300];

/* ---- a segment ---- */

static uint32_t fill_raw(uint32_t block, uint8_t *raw)
{
    static uint8_t value[40000];
    uint32_t at = 0;
    for (uint32_t i = 0; i < ENTRIES; i++) {
        uint8_t owner[3] = {'k', (uint8_t)(block * ENTRIES + i), 'z'};
        memset(value, (int)(block * 16 + i), sizeof value);
        struct segment_entry e = {.value = value, .owner = owner,
                                  .value_bytes = block == 1 ? 20000 : 10 * i,
                                  .owner_bytes = i % 4,
                                  .version = 100 + block * ENTRIES + i};
        segment_entry_encode(&e, raw + at);
        segment_index_note(&made, &e);
        at += segment_entry_bytes(e.owner_bytes, e.value_bytes);
    }
    return at;
}

static void put_footer(void)
{
    uint8_t *footer;
    size_t bytes;
    ck_assert_int_eq(segment_footer_encode(&made, NUMBER, footer_at, &footer,
                                           &bytes), 0);
    memcpy(image + footer_at, footer, bytes);
    file_bytes = footer_at + bytes;
    free(footer);
}

static void write_file(void)
{
    file.fd = os_open(path, OS_READ | OS_WRITE | OS_CREATE | OS_TRUNC);
    ck_assert_int_ge(file.fd, 0);
    ck_assert_int_eq(os_pwrite(file.fd, image, file_bytes, 0), 0);
    file.bytes = file_bytes;
}

static void set_up(void)
{
    char name[SEGMENT_NAME_BYTES];
    scratch();
    segment_name(NUMBER, name);
    snprintf(path, sizeof path, "%s/%s", scratch_path, name);
    memset(image, 0, sizeof image);
    segment_index_clear(&made);
    segment_header_encode(NUMBER, 1, image);
    uint64_t at = SEGMENT_HEADER_BYTES;
    for (uint32_t i = 0; i < BLOCKS; i++) {
        uint8_t *raw = image + at + SEGMENT_BLOCK_BYTES;
        uint32_t bytes = fill_raw(i, raw);
        blocks[i] = (struct segment_block){
            (uint32_t)(at / SEGMENT_UNIT_BYTES), COMPRESS_RAW, bytes, bytes,
            ENTRIES};
        segment_block_encode(NUMBER, &blocks[i], raw, image + at);
        ck_assert_int_eq(segment_index_add(&made, &blocks[i]), 0);
        at += segment_block_span(bytes);
    }
    footer_at = at;
    put_footer();
    file = (struct segment_file){-1, NUMBER, 0, scratch_path};
    write_file();
}

static void tear_down(void)
{
    os_close(file.fd);
    segment_index_free(&made);
    segment_index_free(&index_now);
    scratch_remove();
}

static void rewrite(void)
{
    os_close(file.fd);
    write_file();
}

/* Sums of footer and trailer, after a change of the image. */
static void forge(void)
{
    uint8_t *end = image + file_bytes - SEGMENT_TRAILER_BYTES;
    uint64_t bytes = wire_get64(end + 16);
    wire_put32(end + 24, crc32c(0, image + footer_at, bytes));
    wire_put32(end + 60, crc32c(0, end, 60));
}

static void must_refuse(int rc, uint64_t at, const char *what)
{
    char place[40];
    snprintf(place, sizeof place, "offset %llu ", (unsigned long long)at);
    ck_assert_int_eq(rc, WARP_ECORRUPT);
    ck_assert_msg(strstr(error_text(), path) && strstr(error_text(), place) &&
                      strstr(error_text(), what) &&
                      strstr(error_text(), "restore a backup"),
                  "%s", error_text());
}

static int read_block(int i, struct segment_block *block, uint8_t **raw)
{
    return segment_read_block(&file, blocks[i].unit, 0, block, raw);
}

static void check_blocks(void)
{
    for (int i = 0; i < BLOCKS; i++) {
        static uint8_t want[100000];
        struct segment_block block;
        uint8_t *raw = NULL;
        uint32_t bytes = fill_raw((uint32_t)i, want);
        ck_assert_int_eq(read_block(i, &block, &raw), 0);
        ck_assert(block.raw_bytes == bytes && memcmp(raw, want, bytes) == 0);
        free(raw);
    }
}

/* ---- tests ---- */

START_TEST(what_was_written_is_read)
{
    uint64_t end, gaps;
    check_blocks();
    ck_assert_int_eq(segment_read_footer(&file, &index_now), 0);
    ck_assert_uint_eq(index_now.block_count, BLOCKS);
    ck_assert_uint_eq(index_now.version_min, 100);
    ck_assert_uint_eq(index_now.version_max, 100 + BLOCKS * ENTRIES - 1);
    ck_assert_uint_eq(index_now.owner_min_bytes, 0);
    ck_assert_uint_eq(index_now.owner_max_bytes, 3);
    ck_assert_int_eq(index_now.owner_max[1], BLOCKS * ENTRIES - 1);
    /* The scan finds the same without the footer. */
    file.bytes = footer_at;
    ck_assert_int_eq(segment_read_footer(&file, &index_now), WARP_ENOTFOUND);
    ck_assert_int_eq(segment_scan(&file, &index_now, &end, &gaps), 0);
    ck_assert_uint_eq(index_now.block_count, BLOCKS);
    ck_assert_uint_eq(end, footer_at);
    ck_assert_uint_eq(gaps, 0);
    ck_assert_uint_eq(index_now.entry_count, BLOCKS * ENTRIES);
}
END_TEST

START_TEST(names_are_exact)
{
    ck_assert_uint_eq(segment_number("0000001f.wseg"), 31);
    ck_assert_uint_eq(segment_number("0000001F.wseg"), 0);
    ck_assert_uint_eq(segment_number("1f.wseg"), 0);
    ck_assert_uint_eq(segment_number("zzzzzzzz.wseg"), 0);
    ck_assert_uint_eq(segment_number("0000001f.wlog"), 0);
    ck_assert_uint_eq(segment_number("+000001f.wseg"), 0);
}
END_TEST

START_TEST(a_header_is_of_its_segment)
{
    uint32_t compression;
    ck_assert(segment_header_decode(image, NUMBER, &compression));
    ck_assert_uint_eq(compression, 1);
    ck_assert(!segment_header_decode(image, NUMBER + 1, &compression));
    for (int i = 0; i < SEGMENT_HEADER_BYTES; i++) {
        image[i] ^= 1;
        ck_assert(!segment_header_decode(image, NUMBER, &compression));
        image[i] ^= 1;
    }
    wire_put32(image + 8, 2); /* a later format, with a right checksum */
    wire_put32(image + 60, crc32c(0, image, 60));
    ck_assert(!segment_header_decode(image, NUMBER, &compression));
}
END_TEST

/* Lengths are looked at before the checksum that covers them. */
START_TEST(lengths_of_a_block_are_bounded)
{
    static const struct {
        uint32_t at, value;
    } forged[] = {{8, COMPRESS_LZ4 + 1},      {12, COMPRESS_BYTES_MAX + 1},
                  {16, COMPRESS_BYTES_MAX},   {16, 0},
                  {20, COMPRESS_BYTES_MAX},   {0, 0}};
    uint64_t at = (uint64_t)blocks[1].unit * SEGMENT_UNIT_BYTES;
    uint8_t saved[SEGMENT_BLOCK_BYTES], *raw = NULL;
    struct segment_block block;
    memcpy(saved, image + at, sizeof saved);
    for (size_t i = 0; i < sizeof forged / sizeof forged[0]; i++) {
        wire_put32(image + at + forged[i].at, forged[i].value);
        rewrite();
        must_refuse(read_block(1, &block, &raw), at, "does not begin a block");
        ck_assert_ptr_null(raw);
        memcpy(image + at, saved, sizeof saved);
    }
    image[at + 100] ^= 1;
    rewrite();
    must_refuse(read_block(1, &block, &raw), at, "wrong checksum");
    image[at + 100] ^= 1;
    rewrite();
    check_blocks();
    /* At another unit it is not taken for one (S1). */
    must_refuse(segment_read_block(&file, blocks[1].unit + 1, 0, &block, &raw),
                at + SEGMENT_UNIT_BYTES, "does not begin a block");
}
END_TEST

/* A block that says it is longer than the file, and one behind its end. */
START_TEST(a_block_ends_in_the_file)
{
    struct segment_block block = blocks[2];
    uint64_t at = (uint64_t)block.unit * SEGMENT_UNIT_BYTES;
    uint8_t *raw = NULL;
    file.bytes = at + SEGMENT_BLOCK_BYTES + 1;
    must_refuse(read_block(2, &block, &raw), at, "block without an end");
    file.bytes = at + 1;
    must_refuse(read_block(2, &block, &raw), at, "behind the end of the file");
    file.bytes = at - SEGMENT_UNIT_BYTES;
    must_refuse(read_block(2, &block, &raw), at, "behind the end of the file");
    /* The file became shorter since it was looked at. */
    file.bytes = file_bytes;
    ck_assert_int_eq(os_truncate(file.fd, at + 8), 0);
    must_refuse(read_block(2, &block, &raw), at, "behind the end of the file");
    struct segment_trailer trailer;
    must_refuse(segment_read_trailer(&file, &trailer),
                file_bytes - SEGMENT_TRAILER_BYTES,
                "behind the end of the file");
    ck_assert_ptr_null(raw);
}
END_TEST

/* Stored bytes that are no LZ4, with a right checksum. */
START_TEST(a_block_that_does_not_unpack)
{
    uint64_t at = (uint64_t)blocks[0].unit * SEGMENT_UNIT_BYTES;
    struct segment_block block = blocks[0];
    uint8_t *raw = NULL;
    block.codec = COMPRESS_LZ4;
    segment_block_encode(NUMBER, &block, image + at + SEGMENT_BLOCK_BYTES,
                         image + at);
    rewrite();
    must_refuse(read_block(0, &block, &raw), at, "does not unpack");
    ck_assert_ptr_null(raw);
}
END_TEST

/* Guesses of a block's length are only that. */
START_TEST(any_guess_reads_the_block)
{
    static const uint32_t guesses[] = {0, 1, 79999, 80000, UINT32_MAX};
    for (int i = 0; i < 5; i++) {
        struct segment_block block;
        uint8_t *raw = NULL;
        ck_assert_int_eq(segment_read_block(&file, blocks[1].unit, guesses[i],
                                            &block, &raw), 0);
        ck_assert_uint_eq(block.raw_bytes, blocks[1].raw_bytes);
        free(raw);
    }
}
END_TEST

START_TEST(entries_end_in_their_block)
{
    uint8_t *raw = image + (uint64_t)blocks[0].unit * SEGMENT_UNIT_BYTES +
                   SEGMENT_BLOCK_BYTES;
    uint32_t bytes = blocks[0].raw_bytes, at = 0, n = 0;
    struct segment_entry e;
    while (segment_entry_decode(raw, bytes, &at, &e))
        ck_assert_uint_eq(e.version, 100 + n++);
    ck_assert_uint_eq(n, ENTRIES);
    ck_assert_uint_eq(at, bytes);
    at = bytes + 1;
    ck_assert(!segment_entry_decode(raw, bytes, &at, &e));
    for (uint32_t cut = 0; cut < SEGMENT_ENTRY_BYTES; cut++) {
        at = 0;
        ck_assert(!segment_entry_decode(raw, cut, &at, &e));
    }
    at = 0;
    wire_put32(raw + 8, bytes); /* longer than the block */
    ck_assert(!segment_entry_decode(raw, bytes, &at, &e));
    wire_put32(raw + 8, 0);
    wire_put32(raw + 12, bytes);
    ck_assert(!segment_entry_decode(raw, bytes, &at, &e));
    static uint8_t long_owner[4096];
    wire_put32(long_owner + 12, SEGMENT_OWNER_MAX + 1);
    ck_assert(!segment_entry_decode(long_owner, sizeof long_owner, &at, &e));
    wire_put32(long_owner + 12, SEGMENT_OWNER_MAX);
    ck_assert(segment_entry_decode(long_owner, sizeof long_owner, &at, &e));
    ck_assert(!segment_entry_fits(raw, bytes, 3, 0));
}
END_TEST

/* Any byte of footer and trailer. */
START_TEST(a_changed_footer_is_none)
{
    for (uint64_t at = footer_at; at < file_bytes; at++) {
        image[at] ^= 0x40;
        rewrite();
        int rc = segment_read_footer(&file, &index_now);
        if (at < file_bytes - SEGMENT_TRAILER_BYTES)
            must_refuse(rc, footer_at, "is a damaged footer");
        else
            ck_assert_int_eq(rc, WARP_ENOTFOUND); /* a tail, not a trailer */
        image[at] ^= 0x40;
    }
    rewrite();
    ck_assert_int_eq(segment_read_footer(&file, &index_now), 0);
}
END_TEST

/* What only a writer with the checksums could make. */
START_TEST(a_forged_footer_is_refused)
{
    uint8_t *footer = image + footer_at;
    uint32_t owners = made.owner_min_bytes + made.owner_max_bytes;
    uint8_t *second = footer + FOOTER_HEAD + owners + FOOTER_BLOCK;
    uint8_t *end = image + file_bytes - SEGMENT_TRAILER_BYTES;
    const struct {
        uint8_t *at;
        uint32_t value;
    } forged[] = {{footer, 0},                            /* magic */
                  {footer + 4, BLOCKS + 1},               /* blocks */
                  {footer + 24, SEGMENT_OWNER_MAX + 1},   /* owners */
                  {footer + 28, SEGMENT_OWNER_MAX + 1},
                  {second, blocks[0].unit},               /* overlap */
                  {second, blocks[2].unit},
                  {second, (uint32_t)(footer_at / SEGMENT_UNIT_BYTES)},
                  {second + 12, COMPRESS_BYTES_MAX + 1},  /* stored */
                  {second + 12, (uint32_t)footer_at},
                  {second + 8, 1},                        /* totals */
                  {second + 12, 1},
                  {second + 16, 1},
                  {end + 32, 1},
                  {end + 40, 1},
                  {end + 48, 1}};
    for (size_t i = 0; i < sizeof forged / sizeof forged[0]; i++) {
        uint32_t before = wire_get32(forged[i].at);
        wire_put32(forged[i].at, forged[i].value);
        forge();
        rewrite();
        must_refuse(segment_read_footer(&file, &index_now), footer_at,
                    "is a damaged footer");
        wire_put32(forged[i].at, before);
    }
    forge();
    rewrite();
    ck_assert_int_eq(segment_read_footer(&file, &index_now), 0);
}
END_TEST

START_TEST(a_trailer_is_of_its_file)
{
    uint8_t *end = image + file_bytes - SEGMENT_TRAILER_BYTES;
    uint64_t right = wire_get64(end + 8), bytes = wire_get64(end + 16);
    struct segment_trailer trailer;
    static const uint64_t at[] = {0, UINT64_MAX, 128};
    for (int i = 0; i < 3; i++) {
        wire_put64(end + 8, at[i]);
        wire_put32(end + 60, crc32c(0, end, 60));
        rewrite();
        must_refuse(segment_read_trailer(&file, &trailer),
                    file_bytes - SEGMENT_TRAILER_BYTES,
                    "is a trailer of another file");
        must_refuse(segment_read_footer(&file, &index_now),
                    file_bytes - SEGMENT_TRAILER_BYTES,
                    "is a trailer of another file");
    }
    /* A footer without its head. */
    wire_put64(end + 8, right + bytes);
    wire_put64(end + 16, 0);
    wire_put32(end + 60, crc32c(0, end, 60));
    rewrite();
    must_refuse(segment_read_footer(&file, &index_now), right + bytes,
                "is a damaged footer");
    file.bytes = SEGMENT_HEADER_BYTES + SEGMENT_TRAILER_BYTES - 1;
    ck_assert_int_eq(segment_read_trailer(&file, &trailer), WARP_ENOTFOUND);
}
END_TEST

/* A hole is passed over, and counted. */
START_TEST(a_scan_goes_on_behind_damage)
{
    uint64_t at = (uint64_t)blocks[1].unit * SEGMENT_UNIT_BYTES, end, gaps;
    image[at + 200] ^= 1;
    rewrite();
    file.bytes = footer_at;
    ck_assert_int_eq(segment_scan(&file, &index_now, &end, &gaps), 0);
    ck_assert_uint_eq(index_now.block_count, BLOCKS - 1);
    ck_assert_uint_eq(end, footer_at);
    ck_assert_uint_eq(gaps, segment_block_span(blocks[1].stored_bytes));
    /* Entries that are cut, in a block with a right checksum. */
    image[at + 200] ^= 1;
    struct segment_block block = blocks[1];
    block.entry_count++;
    segment_block_encode(NUMBER, &block, image + at + SEGMENT_BLOCK_BYTES,
                         image + at);
    rewrite();
    file.bytes = footer_at;
    ck_assert_int_eq(segment_scan(&file, &index_now, &end, &gaps), 0);
    ck_assert_uint_eq(index_now.block_count, BLOCKS - 1);
    block.entry_count -= 2;
    segment_block_encode(NUMBER, &block, image + at + SEGMENT_BLOCK_BYTES,
                         image + at);
    rewrite();
    file.bytes = footer_at;
    ck_assert_int_eq(segment_scan(&file, &index_now, &end, &gaps), 0);
    ck_assert_uint_eq(index_now.block_count, BLOCKS - 1);
}
END_TEST

START_TEST(an_index_is_cut)
{
    segment_index_cut(&made, blocks[1].unit);
    ck_assert_uint_eq(made.block_count, 1);
    ck_assert_uint_eq(made.raw_bytes, blocks[0].raw_bytes);
    ck_assert_uint_eq(made.entry_count, ENTRIES);
    segment_index_cut(&made, 0);
    ck_assert_uint_eq(made.block_count, 0);
    ck_assert_uint_eq(made.stored_bytes, 0);
}
END_TEST

/* ---- faults ---- */

static int all_reads(void)
{
    struct segment_block block;
    uint8_t *raw = NULL, *footer = NULL;
    uint64_t end, gaps;
    size_t bytes;
    int rc = segment_read_block(&file, blocks[1].unit, 0, &block, &raw);
    free(raw);
    segment_index_free(&index_now);
    if (rc == 0)
        rc = segment_read_footer(&file, &index_now);
    segment_index_free(&index_now);
    if (rc == 0)
        rc = segment_scan(&file, &index_now, &end, &gaps);
    if (rc == 0)
        rc = segment_footer_encode(&index_now, NUMBER, end, &footer, &bytes);
    free(footer);
    return rc;
}

/* _i: 0 of memory, 1 of the disk. */
START_TEST(each_failure_is_said)
{
    uint32_t failed = 0;
    bool reached = true;
    for (uint64_t n = 1; reached; n++) {
        fault_arm(_i ? FAULT_SYSTEM : FAULT_MEMORY, n, EIO);
        int rc = all_reads();
        reached = fault_disarm();
        ck_assert_int_eq(rc, reached ? (_i ? WARP_EIO : WARP_ENOMEM) : 0);
        if (!reached)
            break;
        ck_assert_msg(strstr(error_text(), _i ? path : "no memory") != NULL,
                      "%s", error_text());
        failed++;
    }
    ck_assert_uint_ge(failed, 7);
    check_blocks();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("segment");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, what_was_written_is_read);
    tcase_add_test(all, names_are_exact);
    tcase_add_test(all, a_header_is_of_its_segment);
    tcase_add_test(all, lengths_of_a_block_are_bounded);
    tcase_add_test(all, a_block_ends_in_the_file);
    tcase_add_test(all, a_block_that_does_not_unpack);
    tcase_add_test(all, any_guess_reads_the_block);
    tcase_add_test(all, entries_end_in_their_block);
    tcase_add_test(all, a_changed_footer_is_none);
    tcase_add_test(all, a_forged_footer_is_refused);
    tcase_add_test(all, a_trailer_is_of_its_file);
    tcase_add_test(all, a_scan_goes_on_behind_damage);
    tcase_add_test(all, an_index_is_cut);
    tcase_add_loop_test(all, each_failure_is_said, 0, 2);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
