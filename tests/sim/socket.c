/* socket.c: a simulated store is not reached from outside. */
#include "os_socket.h"

#include <errno.h>

int os_socket_listen(const char *dir, const char *name)
{
    (void)dir;
    (void)name;
    return -EOPNOTSUPP;
}

int os_socket_connect(const char *dir, const char *name)
{
    (void)dir;
    (void)name;
    return -ECONNREFUSED;
}

int os_socket_accept(int fd, int timeout_ms)
{
    (void)fd;
    (void)timeout_ms;
    return -EBADF;
}

int os_socket_read(int fd, void *to, size_t bytes, int timeout_ms)
{
    (void)fd;
    (void)to;
    (void)bytes;
    (void)timeout_ms;
    return -EBADF;
}

int os_socket_write(int fd, const void *from, size_t bytes, int timeout_ms)
{
    (void)fd;
    (void)from;
    (void)bytes;
    (void)timeout_ms;
    return -EBADF;
}

int os_socket_wait(int fd, int timeout_ms)
{
    (void)fd;
    (void)timeout_ms;
    return -EBADF;
}

int os_socket_peer(int fd)
{
    (void)fd;
    return 0;
}

void os_socket_shutdown(int fd)
{
    (void)fd;
}
