/* The limit that proxies are measured against: a minimal epoll forwarder. One thread, one upstream connection per client connection,
 * one read and one write per hop, no parsing and no checks at all. Not a proxy: it cannot share connections, time out or refuse.
 *
 * usage: forwarder PORT ORIGIN_PORT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DESCRIPTORS = 65536, EVENTS = 256, BUFFER = 65536 };

static int peer_of[DESCRIPTORS];
static char *held[DESCRIPTORS]; /* what a socket would not take yet */
static size_t held_size[DESCRIPTORS];
static char buffer[BUFFER];
static int poll_fd;

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void watch(int fd, int how, uint32_t events) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    epoll_ctl(poll_fd, how, fd, &event);
}

static void drop(int fd) {
    int peer = peer_of[fd];
    int both[2] = {fd, peer};
    for (int i = 0; i < 2; i++) {
        if (both[i] <= 0) continue;
        free(held[both[i]]);
        held[both[i]] = NULL;
        held_size[both[i]] = 0;
        peer_of[both[i]] = 0;
        close(both[i]);
    }
}

static void welcome(int listener, int origin_port) {
    int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (client < 0) return;
    int origin = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = loopback(origin_port);
    int one = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(origin, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (client >= DESCRIPTORS || origin >= DESCRIPTORS || connect(origin, (struct sockaddr *)&address, sizeof address)) {
        close(client);
        close(origin);
        return;
    }
    peer_of[client] = origin;
    peer_of[origin] = client;
    watch(client, EPOLL_CTL_ADD, EPOLLIN);
    watch(origin, EPOLL_CTL_ADD, EPOLLIN);
}

/* 1: all of it went out; 0: some is held; -1: broken */
static int push(int to, const char *data, size_t size) {
    ssize_t sent = send(to, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) return -1;
    if (sent < 0) sent = 0;
    if ((size_t)sent == size) return 1;
    char *rest = malloc(size - sent);
    memcpy(rest, data + sent, size - sent);
    free(held[to]);
    held[to] = rest;
    held_size[to] = size - sent;
    return 0;
}

static void forward(int fd) {
    int to = peer_of[fd];
    ssize_t size = recv(fd, buffer, BUFFER, MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) {
        drop(fd);
        return;
    }
    int how = push(to, buffer, size);
    if (how < 0) drop(fd);
    if (how == 0) {
        watch(fd, EPOLL_CTL_MOD, 0);
        watch(to, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    }
}

static void resume(int fd) {
    char *data = held[fd];
    size_t size = held_size[fd];
    held[fd] = NULL;
    held_size[fd] = 0;
    int how = push(fd, data, size);
    free(data);
    if (how < 0) drop(fd);
    if (how == 1) {
        watch(fd, EPOLL_CTL_MOD, EPOLLIN);
        watch(peer_of[fd], EPOLL_CTL_MOD, EPOLLIN);
    }
}

int main(int count, char **words) {
    if (count != 3) return 2;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    struct sockaddr_in address = loopback(atoi(words[1]));
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) {
        perror("forwarder");
        return 1;
    }
    poll_fd = epoll_create1(0);
    watch(listener, EPOLL_CTL_ADD, EPOLLIN);
    struct epoll_event events[EVENTS];
    for (;;) {
        int ready = epoll_wait(poll_fd, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                welcome(listener, atoi(words[2]));
            } else if (peer_of[fd] && (events[i].events & EPOLLOUT) && held[fd]) {
                resume(fd);
            } else if (peer_of[fd]) {
                forward(fd);
            }
        }
    }
}
