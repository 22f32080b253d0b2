/* schema_load.h: the tables that generated code has, made from a descriptor, so
 * that a store is opened without the schema file and old records are read by
 * the schema that wrote them. */
#ifndef WARP_SCHEMA_LOAD_H
#define WARP_SCHEMA_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include <warp/gen.h>

/* From the bytes of a .wsd file. What is made is used like generated tables,
 * with the layouts that warpc gives on a 64-bit machine; derived fields have
 * no function. 0, WARP_ECORRUPT, WARP_EVERSION or WARP_ENOMEM; `why` (may be
 * NULL) gets a sentence fragment. */
int schema_load(const uint8_t *bytes, size_t size, struct warp_schema **out,
                const char **why);
/* The code of a decoder's error (descriptor.h). */
int schema_code(int descriptor_error);
/* Frees what schema_load() made and nulls the handle. */
void schema_free(struct warp_schema **schema);

#endif
