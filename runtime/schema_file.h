/* schema_file.h: the descriptors that a store keeps, schema/<n>.wsd. */
#ifndef WARP_SCHEMA_FILE_H
#define WARP_SCHEMA_FILE_H

#include <warp/gen.h>

/* The highest number there is, 0: none; or an error. */
int schema_file_newest(const char *dir, uint32_t *number);
/* Reads <dir>/<number>.wsd as tables (schema_free). Errors name the file. */
int schema_file_load(const char *dir, uint32_t number,
                     struct warp_schema **schema);

#endif
