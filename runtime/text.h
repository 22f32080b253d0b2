/* text.h: bytes that grow: JSON, CSV and messages between processes.
 *
 * After a failed allocation nothing is added any more; whoever uses the result
 * looks at `failed` once. */
#ifndef WARP_TEXT_H
#define WARP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *data;
    size_t used, room;
    bool failed;
};
#define TEXT_INIT { NULL, 0, 0, false }

void text_free(struct text *text);
void text_clear(struct text *text); /* keeps the memory */
/* Room for more bytes at data + used, or false. */
bool text_room(struct text *text, size_t more);
void text_add(struct text *text, const void *bytes, size_t count);
void text_put(struct text *text, const char *string);
void text_say(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* snprintf, with a point in numbers whatever the program's locale writes;
 * text_say() does the same. */
int text_format(char *to, size_t room, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Do digits that it wrote read back as this number? */
bool text_reads_as(const char *digits, double value, bool single);
/* A JSON string with its quotes; bytes that are no UTF-8 become U+FFFD. */
void text_quote(struct text *text, const char *bytes, size_t count);
/* "name": or ,"name": behind something else. */
void text_key(struct text *text, const char *name);
void text_number(struct text *text, const char *name, uint64_t value);
void text_string(struct text *text, const char *name, const char *value);

/* ---- little-endian, for messages ---- */
void text_u8(struct text *text, uint8_t v);
void text_u16(struct text *text, uint16_t v);
void text_u32(struct text *text, uint32_t v);
void text_u64(struct text *text, uint64_t v);

#endif
