# The compiled build's side of system.py: the same functions, straight to the C library. What they do is said there.

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.exc cimport PyErr_CheckSignals, PyErr_SetFromErrno
from cpython.object cimport PyObject_AsFileDescriptor
from libc.errno cimport EAGAIN, EINTR, errno

cdef extern from *:
    """
    #ifndef _GNU_SOURCE
    #define _GNU_SOURCE
    #endif
    #include <fcntl.h>
    #include <arpa/inet.h>
    #include <netinet/in.h>
    #include <sys/epoll.h>
    #include <sys/socket.h>
    #include <time.h>
    #include <unistd.h>

    #define ECLUSE_ROOM 65536
    #define ECLUSE_EVENTS 256
    static char ecluse_room[ECLUSE_ROOM];  /* each module that reads has its own; a worker has one thread that does */

    typedef struct {
        int count;
        long long found[ECLUSE_EVENTS];
    } ecluse_events;
    static ecluse_events ecluse_waited;  /* the same holds for waiting */

    static long long ecluse_clock_us(void) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
    }

    /* The text of an address, without the "::ffff:" of an IPv4 client on a dual-stack listener. */
    static const char *ecluse_text(const struct sockaddr_storage *address, char *text, socklen_t size) {
        text[0] = 0;
        if (address->ss_family == AF_INET)
            return inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, text, size);
        if (address->ss_family == AF_INET6)
            return inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, text, size);
        return text;
    }

    static int ecluse_accept(int listener, char *text, socklen_t size) {
        struct sockaddr_storage address;
        socklen_t length = sizeof(address);
        int fd = accept4(listener, (struct sockaddr *)&address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) ecluse_text(&address, text, size);
        return fd;
    }

    static void ecluse_reset_on_close(int fd) {
        struct linger now = {1, 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }
    """
    ctypedef union epoll_data_t:
        int fd
    ctypedef struct epoll_event "struct epoll_event":
        unsigned int events
        epoll_data_t data
    ctypedef struct Events "ecluse_events":
        int count
        long long found[256]
    Events ecluse_waited
    int ECLUSE_ROOM, ECLUSE_EVENTS
    int MSG_DONTWAIT, MSG_NOSIGNAL, MSG_PEEK, SHUT_WR
    char *ecluse_room
    long long ecluse_clock_us() nogil
    int ecluse_accept(int listener, char *text, unsigned int size) nogil
    void ecluse_reset_on_close(int fd) nogil
    int EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD
    int epoll_ctl(int epoll, int operation, int fd, epoll_event *event) nogil
    int epoll_wait(int epoll, epoll_event *events, int most, int timeout_ms) nogil
    ssize_t c_recv "recv" (int fd, void *room, size_t most, int flags) nogil
    ssize_t c_send "send" (int fd, const void *data, size_t size, int flags) nogil
    int SPLICE_F_MOVE, SPLICE_F_NONBLOCK, F_SETPIPE_SZ, F_GETPIPE_SZ, O_NONBLOCK, O_CLOEXEC
    int pipe2(int ends[2], int flags) nogil
    int fcntl(int fd, int command, int argument) nogil
    ssize_t c_splice "splice" (int source, long long *, int sink, long long *, size_t most, unsigned int flags) nogil
    int c_shutdown "shutdown" (int fd, int how) nogil
    int c_close "close" (int fd) nogil

cdef enum:
    BLOCKED = -1
    BROKEN = -2

cdef inline long long clock_us() noexcept:
    return ecluse_clock_us()

cdef inline int control(int epoll_fd, int operation, int fd, int interest) except -1:
    cdef epoll_event event
    event.events = interest
    event.data.fd = fd
    if epoll_ctl(epoll_fd, operation, fd, &event) < 0:
        PyErr_SetFromErrno(OSError)
    return 0

cdef inline int register(object epoll, int epoll_fd, int fd, int interest) except -1:
    return control(epoll_fd, EPOLL_CTL_ADD, fd, interest)

cdef inline int modify(object epoll, int epoll_fd, int fd, int interest) except -1:
    return control(epoll_fd, EPOLL_CTL_MOD, fd, interest)

cdef inline int unregister(object epoll, int epoll_fd, int fd) except -1:
    return control(epoll_fd, EPOLL_CTL_DEL, fd, 0)

cdef inline Events *wait(object epoll, int epoll_fd, int most, double timeout_s, bint alone) except NULL:
    cdef epoll_event events[256]
    cdef int at, count, timeout_ms = -1 if timeout_s < 0 else <int>(timeout_s * 1000 + 0.999)
    if most > ECLUSE_EVENTS:
        most = ECLUSE_EVENTS
    if alone or timeout_ms == 0:
        count = epoll_wait(epoll_fd, events, most, timeout_ms)
    else:
        with nogil:
            count = epoll_wait(epoll_fd, events, most, timeout_ms)
    if count < 0:
        if errno != EINTR:
            PyErr_SetFromErrno(OSError)
        PyErr_CheckSignals()
        count = 0
    ecluse_waited.count = count
    for at in range(count):
        ecluse_waited.found[at] = <long long>events[at].data.fd << 5 | (events[at].events & 31)
    return &ecluse_waited

cdef inline bytes receive(int fd, Py_ssize_t most):
    cdef ssize_t size = c_recv(fd, ecluse_room, most if most < ECLUSE_ROOM else ECLUSE_ROOM, MSG_DONTWAIT)
    if size >= 0:
        return PyBytes_FromStringAndSize(ecluse_room, size)
    if errno == EAGAIN or errno == EINTR:
        return None
    PyErr_SetFromErrno(OSError)

cdef inline Py_ssize_t transmit(int fd, bytes data, Py_ssize_t start) noexcept:
    cdef ssize_t sent = c_send(fd, PyBytes_AS_STRING(data) + start, PyBytes_GET_SIZE(data) - start, MSG_DONTWAIT | MSG_NOSIGNAL)
    if sent >= 0:
        return sent
    return BLOCKED if errno == EAGAIN or errno == EINTR else BROKEN

cdef inline tuple open_pipe(int size):
    cdef int ends[2]
    if pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0:
        PyErr_SetFromErrno(OSError)
    fcntl(ends[0], F_SETPIPE_SZ, size)
    if fcntl(ends[0], F_GETPIPE_SZ, 0) < 65536:
        c_close(ends[0])
        c_close(ends[1])
        raise OSError("the user's pipes are too large together")
    return (ends[0], ends[1])

cdef inline Py_ssize_t splice(int source, int sink, Py_ssize_t most) noexcept:
    cdef ssize_t moved = c_splice(source, NULL, sink, NULL, most, SPLICE_F_MOVE | SPLICE_F_NONBLOCK)
    if moved >= 0:
        return moved
    return BLOCKED if errno == EAGAIN or errno == EINTR else BROKEN

cdef inline bint silent(int fd) noexcept:
    cdef char octet
    return c_recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) < 0 and (errno == EAGAIN or errno == EINTR)

cdef inline tuple accept(object listener):
    cdef char text[64]
    cdef int fd = ecluse_accept(PyObject_AsFileDescriptor(listener), text, 64)
    if fd >= 0:
        return (fd, <bytes>text)
    if errno == EAGAIN or errno == EINTR:
        return None
    PyErr_SetFromErrno(OSError)

cdef inline void shut(int fd) noexcept:
    c_shutdown(fd, SHUT_WR)

cdef inline void reset_on_close(int fd) noexcept:
    ecluse_reset_on_close(fd)

cdef inline void close(int fd) noexcept:
    c_close(fd)
