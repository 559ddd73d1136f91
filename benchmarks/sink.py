"""`python -m benchmarks.sink PORT`: the origin of the upload work. Reads each request to its end, drops the body, answers 200.

Bodies are dropped in the kernel (MSG_TRUNC, tcp(7)) and never copied, so that one core is enough for this and for the client. Only for
bodies with a Content-Length, from peers that are known: it checks nothing.
"""

import re
import select
import socket
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n"
HEAD = 64 * 1024
DROPPED = 1024 * 1024  # octets in one call
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Client:
    """One connection: octets of the present body that are still to come, and of a head that is not complete."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.left = 0
        self.head = b""

    def read(self, space: memoryview) -> bool:
        """Take what has come; False at the end."""
        return self._drop(space) if self.left else self._begin()

    def _drop(self, space: memoryview) -> bool:
        size = self.sock.recv_into(space, min(self.left, DROPPED), socket.MSG_TRUNC)
        self.left -= size
        if not self.left:
            self.sock.send(ANSWER)
        return size > 0

    def _begin(self) -> bool:
        octets = self.sock.recv(HEAD)
        head, end, body = (self.head + octets).partition(b"\r\n\r\n")
        self.head = b"" if end else head
        if end:
            length = _LENGTH.search(head)
            self.left = (int(length[1]) if length else 0) - len(body)
            if not self.left:
                self.sock.send(ANSWER)
        return bool(octets)


def serve(listener: socket.socket) -> None:
    """Until the process is ended."""
    poll, space = select.epoll(), memoryview(bytearray(DROPPED))
    clients: dict[int, Client] = {}
    poll.register(listener, select.EPOLLIN)
    while True:
        for fd, _ in poll.poll():
            if fd == listener.fileno():
                client = Client(listener.accept()[0])
                clients[client.sock.fileno()] = client
                poll.register(client.sock, select.EPOLLIN)
            elif not _goes_on(clients[fd], space):
                clients.pop(fd).sock.close()


def _goes_on(client: Client, space: memoryview) -> bool:
    try:
        return client.read(space)
    except ConnectionError:
        return False


if __name__ == "__main__":
    serve(socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024))
