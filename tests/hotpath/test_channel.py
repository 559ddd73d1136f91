"""The channel between controller and worker: what is sent arrives whole, with its descriptors, however the octets are cut."""

import itertools
import os
import select
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balancer import limits
from balancer.channel import Channel, ChannelClosed
from tests.hotpath.strategies import THOROUGH

LARGE = "x" * 300_000


@pytest.fixture
def pair() -> Iterator[tuple[Channel, Channel]]:
    ends = [Channel(sock) for sock in socket.socketpair()]
    yield ends[0], ends[1]
    for end in ends:
        end.close()


def pumped(sender: Channel, receiver: Channel) -> list[tuple[dict, list[int]]]:
    """Everything that is on its way."""
    messages = []
    while sender.wants_write or select.select([receiver.fileno()], [], [], 0)[0]:
        sender.flush()
        messages += receiver.receive()
    return messages


def tag(number: int) -> int:
    """A descriptor that can be told from others."""
    fd = os.memfd_create("tag")
    os.write(fd, b"%d" % number)
    return fd


def read_tag(fd: int) -> int:
    number = int(os.pread(fd, 20, 0))
    os.close(fd)
    return number


def test_messages_arrive_in_order_with_their_fields(pair: tuple[Channel, Channel]) -> None:
    controller, worker = pair
    controller.send("drain", deadline_s=1.5)
    worker.send("ack", generation=7)
    controller.send("table", table={"é": [1, None]})
    assert worker.receive() == [({"kind": "drain", "deadline_s": 1.5}, []), ({"kind": "table", "table": {"é": [1, None]}}, [])]
    assert controller.receive() == [({"kind": "ack", "generation": 7}, [])]


@settings(parent=THOROUGH, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=8))
def test_every_message_arrives_once_with_its_own_descriptors(plan: list[tuple[int, int]]) -> None:
    """plan: (descriptors, hundreds of kilobytes); large messages fill the socket, so that sends are cut where the kernel likes."""
    ends = [Channel(sock) for sock in socket.socketpair()]
    sent, tags, fds = [], 0, []
    for number, (count, size) in enumerate(plan):
        own = [tag(tags + at) for at in range(count)]
        fds += own
        ends[0].send("listeners", own, number=number, filling="x" * size * 100_000)
        sent.append((number, list(range(tags, tags + count))))
        tags += count
    received = pumped(ends[0], ends[1])
    for fd in fds:
        os.close(fd)
    assert [(message["number"], [read_tag(fd) for fd in got]) for message, got in received] == sent
    for end in ends:
        end.close()


@settings(parent=THOROUGH, max_examples=100)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=4), st.lists(st.integers(0, 300), max_size=8))
def test_messages_may_be_cut_anywhere(texts: list[str], places: list[int]) -> None:
    tap, sender = socket.socketpair()
    channel = Channel(sender)
    for text in texts:
        channel.send("error", what=text)
    octets = tap.recv(1 << 16)
    raw, end = socket.socketpair()
    receiver = Channel(end)
    received = []
    for start, stop in itertools.pairwise([0, *sorted(places), len(octets)]):
        raw.sendall(octets[start:stop])
        received += receiver.receive()
    for closing in (tap, channel, raw, receiver):
        closing.close()
    assert [message["what"] for message, _ in received] == texts


def fill(sender: Channel) -> None:
    """Until nothing more can be sent."""
    while not sender.wants_write:
        sender.send("error", what=LARGE)


def test_of_the_tables_that_wait_only_the_newest_is_sent(pair: tuple[Channel, Channel]) -> None:
    controller, worker = pair
    fill(controller)
    for generation in range(50):
        controller.send("table", generation=generation)
        controller.send("drain", after=generation)
    received = [message for message, _ in pumped(controller, worker)]
    assert [message["generation"] for message in received if message["kind"] == "table"] == [49]
    assert [message["after"] for message in received if message["kind"] == "drain"] == list(range(50))


def test_a_table_that_could_not_begin_to_be_sent_is_replaced_too(pair: tuple[Channel, Channel]) -> None:
    controller, worker = pair
    fill(controller)
    while controller.wants_write:  # the rest of the last large message goes, and no more than that
        worker.receive()
        controller.flush()
    sent = 0
    while not controller.wants_write:
        controller.send("error", what="")
        sent += 1
    controller.send("table", generation=1)
    controller.flush()
    controller.send("table", generation=2)
    received = [message for message, _ in pumped(controller, worker)]
    assert [message["generation"] for message in received if message["kind"] == "table"] == [2]


def test_a_table_that_has_begun_to_be_sent_is_sent_whole(pair: tuple[Channel, Channel]) -> None:
    controller, worker = pair
    controller.send("table", generation=1, filling=LARGE * 4)
    assert controller.wants_write
    controller.send("table", generation=2)
    assert [message["generation"] for message, _ in pumped(controller, worker)] == [1, 2]


def test_nobody_waits_for_an_end_that_does_not_read(pair: tuple[Channel, Channel]) -> None:
    controller, _ = pair
    fill(controller)
    controller.send("drain", deadline_s=0)
    assert controller.wants_write


def test_the_end_of_the_other_side_is_told_to_reader_and_writer() -> None:
    ends = [Channel(sock) for sock in socket.socketpair()]
    ends[1].close()
    with pytest.raises(ChannelClosed):
        ends[0].receive()
    with pytest.raises(ChannelClosed):
        ends[0].send("drain")
    ends[0].close()


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(struct.pack(">I", limits.MESSAGE + 1), id="larger than the limit"),
        pytest.param(struct.pack(">I", 3) + b"{]}", id="no JSON"),
        pytest.param(struct.pack(">I", 2) + b"[]", id="no object"),
        pytest.param(struct.pack(">I", 2) + b"{}", id="no count of descriptors"),
        pytest.param(struct.pack(">I", 9) + b'{"fds":1}', id="a descriptor that did not come"),
        pytest.param(struct.pack(">I", 11) + b'{"fds":"x"}', id="a count that is no number"),
    ],
)
def test_what_is_no_message_ends_the_channel(octets: bytes) -> None:
    raw, end = socket.socketpair()
    channel = Channel(end)
    raw.sendall(octets)
    with pytest.raises(ChannelClosed):
        channel.receive()
    raw.close()
    channel.close()


def test_descriptors_that_arrive_are_not_inherited_by_programs_and_those_nobody_took_are_closed() -> None:
    ends = [Channel(sock) for sock in socket.socketpair()]
    fd = tag(1)
    ends[0].send("listeners", [fd])
    ((_, (received,)),) = ends[1].receive()
    assert not os.get_inheritable(received)
    os.close(received)
    os.close(fd)
    before = len(list(Path("/proc/self/fd").iterdir()))
    raw, sock = socket.socketpair()
    channel, waiting = Channel(sock), tag(2)
    socket.send_fds(raw, [b"\0"], [waiting])
    assert channel.receive() == []
    channel.close()
    raw.close()
    os.close(waiting)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    for end in ends:
        end.close()
