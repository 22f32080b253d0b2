/* os_socket.c: see os_socket.h. A path that is longer than a socket address
 * allows is reached through a descriptor of its directory. */
#include "os_socket.h"

#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* *dir_fd stays open while the address is used. */
static int address(const char *dir, const char *name, struct sockaddr_un *to,
                   int *dir_fd)
{
    memset(to, 0, sizeof *to);
    to->sun_family = AF_UNIX;
    *dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*dir_fd < 0)
        return -errno;
    int n = snprintf(to->sun_path, sizeof to->sun_path, "%s/%s", dir, name);
    if (n >= (int)sizeof to->sun_path)
        n = snprintf(to->sun_path, sizeof to->sun_path, "/proc/self/fd/%d/%s",
                     *dir_fd, name);
    return n < (int)sizeof to->sun_path ? 0 : -ENAMETOOLONG;
}

static int make_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd < 0 ? -errno : fd;
}

int os_socket_listen(const char *dir, const char *name)
{
    struct sockaddr_un at;
    int dir_fd, fd = -1;
    int rc = address(dir, name, &at, &dir_fd);
    if (rc == 0)
        rc = fd = make_socket();
    if (rc >= 0 && unlinkat(dir_fd, name, 0) != 0 && errno != ENOENT)
        rc = -errno;
    /* Bound with no rights for others: fchmod on a socket does nothing, so the
     * file is narrowed before anybody may connect: listen() comes after. */
    if (rc >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) != 0)
        rc = -errno;
    if (rc >= 0 && fchmodat(dir_fd, name, 0600, 0) != 0)
        rc = -errno;
    if (rc >= 0 && listen(fd, 128) != 0)
        rc = -errno;
    os_close(dir_fd);
    if (rc < 0) {
        os_close(fd);
        return rc;
    }
    return fd;
}

int os_socket_connect(const char *dir, const char *name)
{
    struct sockaddr_un at;
    int dir_fd, fd = -1;
    int rc = address(dir, name, &at, &dir_fd);
    if (rc == 0)
        rc = fd = make_socket();
    if (rc >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) != 0)
        rc = -errno;
    os_close(dir_fd);
    if (rc < 0) {
        os_close(fd);
        return rc;
    }
    return fd;
}

static int wait_for(int fd, short events, int timeout_ms)
{
    struct pollfd p = {fd, events, 0};
    int n;
    do
        n = poll(&p, 1, timeout_ms);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n == 0 ? -ETIMEDOUT : 0;
}

int os_socket_accept(int fd, int timeout_ms)
{
    int rc = wait_for(fd, POLLIN, timeout_ms);
    if (rc < 0)
        return rc == -ETIMEDOUT ? -EAGAIN : rc;
    int got = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    return got < 0 ? -errno : got;
}

int os_socket_read(int fd, void *to, size_t bytes, int timeout_ms)
{
    size_t done = 0;
    while (done < bytes) {
        ssize_t n = recv(fd, (char *)to + done, bytes - done, 0);
        if (n > 0) {
            done += (size_t)n;
            continue;
        }
        if (n == 0)
            return -EPIPE;
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
        int rc = errno == EAGAIN ? wait_for(fd, POLLIN, timeout_ms) : 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

int os_socket_write(int fd, const void *from, size_t bytes, int timeout_ms)
{
    size_t done = 0;
    while (done < bytes) {
        ssize_t n =
            send(fd, (const char *)from + done, bytes - done, MSG_NOSIGNAL);
        if (n > 0) {
            done += (size_t)n;
            continue;
        }
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -errno;
        int rc = errno == EAGAIN ? wait_for(fd, POLLOUT, timeout_ms) : 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

int os_socket_wait(int fd, int timeout_ms)
{
    struct pollfd p = {fd, POLLIN, 0};
    int n = poll(&p, 1, timeout_ms);
    return n < 0 ? -errno : n == 0 ? -ETIMEDOUT : 0;
}

int os_socket_peer(int fd)
{
    struct ucred peer;
    socklen_t bytes = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) != 0)
        return 0;
    return (int)peer.pid;
}

void os_socket_shutdown(int fd)
{
    if (fd >= 0)
        shutdown(fd, SHUT_RDWR);
}
