"""`python -m benchmarks.slow_clients PORT COUNT SECONDS`: so many clients that are as slow as they can be, in one process.

Of ten: two heads that never end, two bodies that trickle, two readers of a large answer that take an octet now and then, three connections
that ask once and say nothing more, and one that comes and goes. Prints how many were open at most.
"""

import errno
import heapq
import resource
import select
import socket
import sys
import time
from random import Random

KINDS = ("head", "body", "reader", "idle", "flood", "head", "body", "reader", "idle", "idle")
BEGIN = {
    "head": b"GET / HTTP/1.1\r\nHost: slow\r\n",
    "body": b"POST /upload HTTP/1.1\r\nHost: slow\r\nContent-Length: 100000\r\n\r\n",
    "reader": b"GET /large HTTP/1.1\r\nHost: slow\r\n\r\n",
    "idle": b"GET / HTTP/1.1\r\nHost: slow\r\n\r\n",
    "flood": b"",
}
MORE = {"head": b"X: y\r\n", "body": b"x"}
ROUND_S = 10.0  # in which each does something once
FLOOD_S = 2.0  # the life of one that comes and goes
AT_ONCE = 20  # connections begun without a pause at first: some 1,000 a second
AGAIN = 10  # the same of those that take the place of others: some 500 a second


class Slow:
    """All of them."""

    def __init__(self, port: int, count: int) -> None:
        self._port = port
        self._count = count
        self._rng = Random(1)
        self._open: dict[int, tuple[socket.socket, str, int]] = {}  # with the number that tells it from others of its descriptor
        self._due: list[tuple[float, int, int]] = []
        self._epoll = select.epoll()
        self.most = 0
        self.begun = 0

    def run(self, seconds: float) -> None:
        """Until the time is over."""
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            most = AT_ONCE if self.begun < self._count else AGAIN
            for _ in range(min(most, self._count - len(self._open))):
                self._begin(KINDS[self.begun % len(KINDS)])
            self.most = max(self.most, len(self._open))
            self._nag()
            self._hear(0.02)
        for sock, _, _ in self._open.values():
            sock.close()

    def _begin(self, kind: str) -> None:
        sock = socket.socket()
        if kind == "reader":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        sock.setblocking(False)
        self.begun += 1
        if sock.connect_ex(("127.0.0.1", self._port)) not in {0, errno.EINPROGRESS}:
            sock.close()
            return
        self._open[sock.fileno()] = (sock, kind, self.begun)
        pause_s = FLOOD_S if kind == "flood" else ROUND_S
        heapq.heappush(self._due, (time.monotonic() + self._rng.uniform(0, pause_s), sock.fileno(), self.begun))
        self._epoll.register(sock, select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLOUT | select.EPOLLONESHOT)

    def _hear(self, wait_s: float) -> None:
        for fd, event in self._epoll.poll(wait_s, 1000):
            sock, kind, _ = self._open[fd]
            try:
                if event & select.EPOLLOUT:
                    sock.send(BEGIN[kind])
                    if kind != "reader":
                        self._epoll.modify(fd, select.EPOLLIN | select.EPOLLRDHUP)
                elif not sock.recv(4096):
                    self._end(fd)
            except OSError:
                self._end(fd)

    def _nag(self) -> None:
        now_s = time.monotonic()
        while self._due and self._due[0][0] <= now_s:
            _, fd, number = heapq.heappop(self._due)
            sock, kind, still = self._open.get(fd, (None, "", 0))
            if sock is not None and still == number:
                heapq.heappush(self._due, (now_s + ROUND_S, fd, number))
                self._act(fd, sock, kind)

    def _act(self, fd: int, sock: socket.socket, kind: str) -> None:
        try:
            if kind == "flood" or (kind == "reader" and not sock.recv(1)):
                self._end(fd)
            elif kind in MORE:
                sock.send(MORE[kind])
        except BlockingIOError:
            return
        except OSError:
            self._end(fd)

    def _end(self, fd: int) -> None:
        sock, _, _ = self._open.pop(fd)
        sock.close()


def main(port: int, count: int, seconds: float) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    slow = Slow(port, count)
    slow.run(seconds)
    print(f"{slow.most} open at most, {slow.begun} begun")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
