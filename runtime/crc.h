/* crc.h: CRC32C (Castagnoli, reflected polynomial 0x82f63b78), by instruction
 * where the processor has it. crc32c(crc32c(0, a), b) == crc32c(0, a ++ b). */
#ifndef WARP_CRC_H
#define WARP_CRC_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(uint32_t crc, const void *data, size_t bytes);

#endif
