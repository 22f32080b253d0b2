/* file_copy.c: see file_copy.h. */
#include "file_copy.h"

#include "crc.h"
#include "error.h"
#include "os.h"

#include <errno.h>
#include <stdlib.h>

enum { PIECE_BYTES = 1 << 20, HOLE_BYTES = 4096 };

static bool all_zero(const uint8_t *at, size_t bytes)
{
    return bytes == 0 || (at[0] == 0 && memcmp(at, at + 1, bytes - 1) == 0);
}

/* What is not zero, in pieces of pages. */
static int write_piece(int fd, const uint8_t *from, size_t bytes, uint64_t at)
{
    for (size_t i = 0; i < bytes;) {
        size_t end = i;
        while (end < bytes) {
            size_t n = bytes - end < HOLE_BYTES ? bytes - end : HOLE_BYTES;
            if (all_zero(from + end, n))
                break;
            end += n;
        }
        int rc = end > i ? os_pwrite(fd, from + i, end - i, at + i) : 0;
        if (rc != 0)
            return rc;
        i = end + HOLE_BYTES;
    }
    return 0;
}

static int run(int in, int out, uint64_t limit, uint64_t *bytes, uint32_t *crc,
               int (*step)(void *, uint64_t), void *arg)
{
    uint8_t *piece = aligned_alloc(HOLE_BYTES, PIECE_BYTES);
    int rc = piece ? 0 : -ENOMEM;
    *bytes = 0;
    *crc = 0;
    while (rc == 0 && *bytes < limit) {
        size_t want = limit - *bytes < PIECE_BYTES ? (size_t)(limit - *bytes)
                                                   : PIECE_BYTES;
        int64_t n = os_pread(in, piece, want, *bytes);
        if (n <= 0) {
            rc = (int)n;
            break;
        }
        *crc = crc32c(*crc, piece, (size_t)n);
        if (out >= 0)
            rc = write_piece(out, piece, (size_t)n, *bytes);
        *bytes += (uint64_t)n;
        if (rc == 0 && step && step(arg, (uint64_t)n) != 0)
            rc = WARP_TIMEOUT;
    }
    free(piece);
    return rc;
}

static int result(int rc, const char *what, const char *path)
{
    if (rc == WARP_TIMEOUT)
        return error_set(WARP_TIMEOUT, "stopped");
    return rc == 0 ? WARP_OK : error_os(rc, what, path);
}

int file_copy(const char *from, const char *to, uint64_t limit, bool direct,
              uint64_t *bytes, uint32_t *crc,
              int (*step)(void *arg, uint64_t bytes), void *arg)
{
    int in = direct ? os_open(from, OS_READ | OS_DIRECT) : -EINVAL;
    if (in == -EINVAL || in == -EOPNOTSUPP)
        in = os_open(from, OS_READ);
    if (in < 0)
        return error_os(in, "cannot read", from);
    int out = os_open(to, OS_WRITE | OS_CREATE | OS_EXCL);
    if (out < 0) {
        os_close(in);
        return error_os(out, "cannot make", to);
    }
    int rc = run(in, out, limit, bytes, crc, step, arg);
    if (rc == 0)
        rc = os_truncate(out, *bytes);
    if (rc == 0)
        rc = os_fdatasync(out);
    os_close(in);
    os_close(out);
    return result(rc, "cannot copy to", to);
}

int file_sum(const char *path, uint64_t *bytes, uint32_t *crc,
             int (*step)(void *arg, uint64_t bytes), void *arg)
{
    int in = os_open(path, OS_READ);
    if (in < 0)
        return error_os(in, "cannot read", path);
    int rc = run(in, -1, UINT64_MAX, bytes, crc, step, arg);
    os_close(in);
    return result(rc, "cannot read", path);
}

int file_same(const char *one, const char *other, uint64_t bytes)
{
    uint8_t *a = malloc(PIECE_BYTES), *b = malloc(PIECE_BYTES);
    int x = os_open(one, OS_READ), y = os_open(other, OS_READ);
    int rc = a && b ? 0 : -ENOMEM;
    bool same = x >= 0 && y >= 0;
    for (uint64_t at = 0; rc == 0 && same && at < bytes;) {
        size_t want = bytes - at < PIECE_BYTES ? (size_t)(bytes - at)
                                               : PIECE_BYTES;
        int64_t n = os_pread(x, a, want, at);
        int64_t m = n < 0 ? n : os_pread(y, b, want, at);
        rc = n < 0 ? (int)n : m < 0 ? (int)m : 0;
        same = rc == 0 && n == m && n > 0 && memcmp(a, b, (size_t)n) == 0;
        at += rc == 0 ? (uint64_t)n : 0;
    }
    if (x < 0 && x != -ENOENT)
        rc = x;
    if (y < 0 && y != -ENOENT)
        rc = y;
    os_close(x);
    os_close(y);
    free(a);
    free(b);
    return rc == 0 ? same : error_os(rc, "cannot compare", one);
}
