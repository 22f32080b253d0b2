/* checksum.c: in a target of files every CRC32C is the same number, when it is
 * written and when it is checked (the linker sends calls of crc32c() here), so
 * that no checksum stands before the code that reads the bytes. The bytes are
 * read as ever: a length past the end of a buffer is seen by the sanitizer. */
#include <stddef.h>
#include <stdint.h>

uint32_t __real_crc32c(uint32_t crc, const void *data, size_t bytes);
uint32_t __wrap_crc32c(uint32_t crc, const void *data, size_t bytes);

uint32_t __wrap_crc32c(uint32_t crc, const void *data, size_t bytes)
{
    (void)__real_crc32c(crc, data, bytes);
    return UINT32_C(0x5eed5eed);
}
