/* Open-loop load: GETs at a constant rate on keep-alive connections, as independent clients send them (a Poisson process), whatever
 * the answers do. A latency counts from when its request was due, so a proxy that stalls is not spared (no coordinated omission).
 *
 * `python -m sidecar.load` does the same and much more, but takes 30 us of a core for each request: on a machine of two cores it cannot
 * load a proxy that is as fast as these to half of what it can do. This takes 3 us.
 *
 * usage: openloop PORT RATE SECONDS CONNECTIONS; prints: due, answered, wrong answers, p50, p99 and largest latency in microseconds
 * The first tenth of the time is not counted.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 1024, EVENTS = 64, ANSWER = 65536, LATE_NS = 2000000000 };

static const char request[] = "GET / HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: openloop\r\nAccept: */*\r\n\r\n";

static int sockets[CONNECTIONS];
static int64_t due_ns[CONNECTIONS]; /* of the request under way */
static int idle[CONNECTIONS], idle_count;
static size_t got[CONNECTIONS], answer_size;
static uint32_t *latency_us;
static size_t latencies, most;
static long wrong;

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* xorshift64*, seeded alike for every peer */
static int64_t gap_ns(double rate) {
    static uint64_t state = 88172645463325252ULL;
    state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
    double share = ((state * 2685821657736338717ULL >> 11) + 1) / 9007199254740992.0;
    return (int64_t)(-log(share) / rate * 1e9);
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static int connected(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address)) die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void ask(int number) {
    got[number] = 0;
    if (send(sockets[number], request, sizeof request - 1, MSG_NOSIGNAL) != sizeof request - 1) die("send");
}

/* The first answer on each connection, which says how long answers are. */
static size_t first_answer(int number) {
    char answer[ANSWER + 1];
    size_t size = 0;
    ask(number);
    for (;;) {
        ssize_t more = recv(sockets[number], answer + size, ANSWER - size, 0);
        if (more <= 0) die("first answer");
        size += more;
        answer[size] = 0;
        char *end = strstr(answer, "\r\n\r\n"), *length = strcasestr(answer, "\r\ncontent-length:");
        if (end && length && size >= (size_t)(end + 4 - answer) + atol(length + 17)) return size;
    }
}

static void take(int number, int64_t counted_from_ns) {
    static char answer[ANSWER];
    ssize_t size = recv(sockets[number], answer, ANSWER, MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) die("a connection was closed");
    if (!got[number] && memcmp(answer, "HTTP/1.1 200", 12)) wrong++;
    got[number] += size;
    if (got[number] < answer_size) return;
    if (due_ns[number] >= counted_from_ns && latencies < most) latency_us[latencies++] = (now_ns() - due_ns[number]) / 1000;
    idle[idle_count++] = number;
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int main(int count, char **words) {
    if (count != 5) return 2;
    double rate = atof(words[2]), seconds = atof(words[3]);
    int connections = atoi(words[4]);
    most = rate * seconds * 2 + 1000;
    latency_us = malloc(most * sizeof *latency_us);
    if (connections > CONNECTIONS || !latency_us) return 2;
    prctl(PR_SET_TIMERSLACK, 1UL);
    int poll_fd = epoll_create1(0);
    for (int i = 0; i < connections; i++) {
        sockets[i] = connected(atoi(words[1]));
        answer_size = first_answer(i);
        epoll_ctl(poll_fd, EPOLL_CTL_ADD, sockets[i], &(struct epoll_event){.events = EPOLLIN, .data.u32 = i});
        idle[idle_count++] = i;
    }
    int64_t begin = now_ns(), end = begin + seconds * 1e9, counted_from = begin + (end - begin) / 10, next = begin;
    size_t due = 0;
    struct epoll_event events[EVENTS];
    while (next < end || idle_count < connections) {
        int64_t now = now_ns();
        if (now > end + LATE_NS) break; /* what is late by so much counts as unanswered */
        while (next <= now && next < end && idle_count) {
            int number = idle[--idle_count];
            due_ns[number] = next;
            due += next >= counted_from;
            ask(number);
            next += gap_ns(rate);
        }
        int64_t wait = next >= end || !idle_count ? 100000000 : next > now ? next - now : 0;
        struct timespec timeout = {wait / 1000000000, wait % 1000000000};
        int ready = epoll_pwait2(poll_fd, events, EVENTS, &timeout, NULL);
        for (int i = 0; i < ready; i++) take(events[i].data.u32, counted_from);
    }
    qsort(latency_us, latencies, sizeof *latency_us, by_size);
    if (!latencies) return 1;
    printf("%zu %zu %ld %u %u %u\n", due, latencies, wrong, latency_us[latencies / 2], latency_us[latencies * 99 / 100], latency_us[latencies - 1]);
    return 0;
}
