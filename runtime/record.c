/* record.c: copies that race by design, as ThreadSanitizer must see them: byte
 * by byte with relaxed atomics. Without it they are plain (record.h). */
#include "record.h"

#ifdef RECORD_TSAN
void record_copy_out(void *to, const void *from, size_t bytes)
{
    const _Atomic uint8_t *shared = from;
    for (size_t i = 0; i < bytes; i++)
        ((uint8_t *)to)[i] = atomic_load_explicit(
            (_Atomic uint8_t *)(uintptr_t)(shared + i), memory_order_relaxed);
}

void record_copy_in(void *to, const void *from, size_t bytes)
{
    _Atomic uint8_t *shared = to;
    for (size_t i = 0; i < bytes; i++)
        atomic_store_explicit(shared + i, ((const uint8_t *)from)[i],
                              memory_order_relaxed);
}
#endif
