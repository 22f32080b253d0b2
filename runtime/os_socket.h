/* os_socket.h: unix sockets of one machine and one user; beside os.h. */
#ifndef WARP_OS_SOCKET_H
#define WARP_OS_SOCKET_H

#include <stddef.h>
#include <stdint.h>

/* A listening socket with mode 0600 at dir/name, which may be a path of any
 * length; what a dead owner left is replaced. A descriptor or -errno. */
int os_socket_listen(const char *dir, const char *name);
int os_socket_connect(const char *dir, const char *name);
/* -EAGAIN: nobody within timeout_ms. */
int os_socket_accept(int fd, int timeout_ms);
/* All bytes, or -errno; -EPIPE: the other end is closed; -ETIMEDOUT: nothing
 * moved for timeout_ms. Gives no signal. */
int os_socket_read(int fd, void *to, size_t bytes, int timeout_ms);
int os_socket_write(int fd, const void *from, size_t bytes, int timeout_ms);
/* 0: there is something to read, or the other end is closed; -ETIMEDOUT; -EINTR
 * after a signal. */
int os_socket_wait(int fd, int timeout_ms);
/* The process at the other end, or 0. */
int os_socket_peer(int fd);
void os_socket_shutdown(int fd); /* wakes who waits on it */

#endif
