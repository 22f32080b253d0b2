/* schema_file.c: see schema_file.h. */
#include "schema_file.h"

#include "descriptor.h"
#include "error.h"
#include "os.h"
#include "schema_load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int look_name(void *arg, const char *name)
{
    uint32_t *newest = arg;
    unsigned number;
    int used = 0;
    if (sscanf(name, "%9u.wsd%n", &number, &used) == 1 && used > 0 &&
        !name[used] && number > *newest)
        *newest = number;
    return 0;
}

int schema_file_newest(const char *dir, uint32_t *number)
{
    *number = 0;
    int rc = os_list(dir, look_name, number);
    return rc < 0 ? error_os(rc, "cannot read the directory", dir) : WARP_OK;
}

int schema_file_load(const char *dir, uint32_t number,
                     struct warp_schema **schema)
{
    char path[4200];
    const char *why = "cannot be read whole";
    uint8_t *bytes = NULL;
    uint64_t size = 0;
    *schema = NULL;
    snprintf(path, sizeof path, "%s/%u.wsd", dir, number);
    int fd = os_open(path, OS_READ);
    int64_t n = fd < 0 ? fd : os_size(fd, &size);
    if (n == 0 && size <= DESCRIPTOR_BYTES_MAX)
        n = (bytes = malloc(size + 1)) ? os_pread(fd, bytes, size, 0)
                                       : -ENOMEM;
    os_close(fd);
    if (n < 0) {
        free(bytes);
        return error_os((int)n, "cannot read", path);
    }
    int rc = WARP_ECORRUPT;
    if (bytes && n == (int64_t)size)
        rc = schema_load(bytes, size, schema, &why);
    free(bytes);
    return rc == WARP_OK ? rc : error_set(rc, "%s: %s", path, why);
}
