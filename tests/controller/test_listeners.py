"""Listening sockets: one per worker and address, on ports that nobody else holds."""

import socket

import pytest

from sidecar.listeners import ListenError, open_listeners
from tests.support import free_port


def test_each_worker_has_a_socket_of_its_own_on_the_same_port() -> None:
    made = open_listeners(["127.0.0.1:0", "[::1]:0"], workers=3)
    ports = [[socket.socket(fileno=socket.dup(fd)) for fd in made.of(row)] for row in range(3)]
    names = {f"{sock.getsockname()[1]}" for sockets in ports for sock in sockets}
    assert names == {address.rsplit(":", 1)[1] for address in made.addresses}
    assert len({fd for row in range(3) for fd in made.of(row)}) == 6
    assert all(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for sockets in ports for sock in sockets)
    for sockets in ports:
        for sock in sockets:
            sock.close()
    made.close()


def test_a_port_that_another_ecluse_holds_is_refused_in_words() -> None:
    first = open_listeners(["127.0.0.1:0"], workers=2)
    (address,) = first.addresses
    with pytest.raises(ListenError, match=f"cannot listen on {address}: address already in use"):
        open_listeners([address], workers=2)
    first.close()


def test_nothing_stays_open_when_one_of_several_addresses_fails() -> None:
    taken = open_listeners(["127.0.0.1:0"], workers=1)
    port = free_port()
    with pytest.raises(ListenError):
        open_listeners([f"127.0.0.1:{port}", *taken.addresses], workers=1)
    open_listeners([f"127.0.0.1:{port}"], workers=1).close()
    taken.close()


def test_what_is_open_already_is_taken_over() -> None:
    one, other = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    former = open_listeners([one], workers=1)
    latter = open_listeners([one, other], workers=1, former=former)
    assert latter.of(0)[0] == former.of(0)[0]
    former.close(but=latter)
    assert socket.socket(fileno=socket.dup(latter.of(0)[0])).detach() > 0
    latter.close()


def test_a_narrower_address_on_our_own_port_is_no_conflict() -> None:
    port = free_port("0.0.0.0")  # noqa: S104 - the case is about listening on every address
    former = open_listeners([f"0.0.0.0:{port}"], workers=1)
    latter = open_listeners([f"127.0.0.1:{port}"], workers=1, former=former)
    former.close(but=latter)
    latter.close()


def test_an_address_that_is_not_of_this_machine_is_refused_in_words() -> None:
    with pytest.raises(ListenError, match=r"cannot listen on 192\.0\.2\.1:80"):
        open_listeners(["192.0.2.1:80"], workers=1)
