"""A client and a replica that exchange canned requests and answers through a proxy, one at a time: the same octets in the same order."""

import socket
from collections.abc import Callable

WAIT_S = 120.0  # for anything, under valgrind
ANSWER = b"HTTP/1.1 200 OK\r\nServer: canned\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\n" + b"x" * 100

Request = Callable[[int], bytes]


def small(_number: int) -> bytes:
    """As wrk sends it."""
    return b"GET / HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: bench\r\n\r\n"


def browser(number: int) -> bytes:
    """As a browser sends it, with a path and a cookie of its own."""
    return (
        f"GET /?item={number} HTTP/1.1\r\nHost: shop.example.com\r\nConnection: keep-alive\r\nCache-Control: max-age=0\r\n"
        'sec-ch-ua: "Chromium";v="128", "Not;A=Brand";v="24", "Google Chrome";v="128"\r\nsec-ch-ua-mobile: ?0\r\n'
        'sec-ch-ua-platform: "Linux"\r\nUpgrade-Insecure-Requests: 1\r\n'
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36\r\n"
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8\r\n"
        "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\nSec-Fetch-Dest: document\r\n"
        "Referer: http://shop.example.com/catalogue?page=2\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
        f"Accept-Language: en-GB,en;q=0.9,fr;q=0.8\r\nCookie: session={number * 7919:032x}; seen={number:06}\r\n\r\n"
    ).encode()


WORKS: dict[str, Request] = {"small": small, "browser": browser}


def exchange(request: Request, requests: int, client: socket.socket, origin: socket.socket) -> None:
    """So many requests, each answered before the next one is sent; then the client leaves."""
    replica: socket.socket | None = None
    for number in range(requests):
        client.sendall(request(number))
        if replica is None:
            replica, _ = origin.accept()
            replica.settimeout(WAIT_S)
        receive(replica, b"\r\n\r\n")
        replica.sendall(ANSWER)
        receive(client, b"x" * 100)
    client.close()
    if replica:
        replica.close()


def receive(sock: socket.socket, end: bytes) -> bytes:
    """Octets up to this end. Raises RuntimeError if they do not come."""
    octets = b""
    while not octets.endswith(end):
        more = sock.recv(65536)
        if not more:
            raise RuntimeError(f"the connection ended after {octets[-200:]!r}")
        octets += more
    return octets
