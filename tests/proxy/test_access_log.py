"""The access log as a worker writes it: one line per request, in either format, never in the way of the traffic."""

import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.proxy.wire import ask, dial
from tests.proxy.witness import answering, silent, witness
from tests.proxy.workers import Workers, service_of, workers
from tests.support import wait_until

GET = b"GET /p?q=1 HTTP/1.1\r\nHost: Shop.example:80\r\nUser-Agent: curl/8\r\nReferer: http://r/\r\n\r\n"


async def lines_of(path: Path, count: int) -> list[str]:
    """The log's lines, once there are so many."""
    return await wait_until(lambda: lines if len(lines := _lines(path)) >= count else [])


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def written(proxy: Workers) -> int:
    return proxy.scoreboard.worker(0).log_written


async def test_a_line_of_json_says_what_happened(proxy: Workers, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    async with witness(answering()) as replica:
        proxy.serve(service_of(replica.address), access_log=str(path))
        await ask(proxy.port, GET.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\nhello"))
        line: dict[str, Any] = json.loads((await lines_of(path, 1))[0])
    assert line.pop("time") > 1_700_000_000
    assert 0 < line.pop("duration_s") < 10
    assert line == {
        "client": "127.0.0.1",
        "peer": "127.0.0.1",
        "method": "POST",
        "host": "Shop.example:80",
        "target": "/p?q=1",
        "version": "HTTP/1.1",
        "referer": "http://r/",
        "status": 200,
        "bytes_in": 5,
        "bytes_out": 2,
        "service": "app",
        "replica": "app-0",
        "attempts": 1,
        "user_agent": "curl/8",
    }


async def test_a_line_of_the_common_log_format_says_what_happened(proxy: Workers, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    async with witness(answering()) as replica:
        proxy.serve(service_of(replica.address), access_log=str(path), access_log_format="clf")
        await ask(proxy.port, GET)
        line = (await lines_of(path, 1))[0]
    stamp = r"\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]"
    pattern = rf'127\.0\.0\.1 - - {stamp} "GET /p\?q=1 HTTP/1\.1" 200 2( "http://r/" "curl/8")?'
    assert re.fullmatch(pattern, line), line


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        pytest.param(b"nonsense\r\n\r\n", 400, id="a request that cannot be read"),
        pytest.param(b"TRACE / HTTP/1.1\r\nHost: test\r\n\r\n", 405, id="a method that is not allowed"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 99\r\n\r\n", 413, id="a body that is too large"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n", 502, id="a request that no replica took"),
    ],
)
async def test_is_logged_too(proxy: Workers, tmp_path: Path, octets: bytes, status: int) -> None:
    path = tmp_path / "access.log"
    proxy.serve(service_of("127.0.0.1:1"), access_log=str(path), body=10)
    assert (await ask(proxy.port, octets)).status == status
    assert json.loads((await lines_of(path, 1))[0])["status"] == status


async def test_a_client_that_left_is_logged_with_499(proxy: Workers, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    async with witness(silent()) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address), access_log=str(path))
        await client.send(GET)
        await wait_until(lambda: proxy.in_flight() == 1)
        client.reset()
        assert json.loads((await lines_of(path, 1))[0])["status"] == 499


@pytest.mark.parametrize("style", ["json", "clf"])
async def test_a_client_cannot_forge_lines(proxy: Workers, tmp_path: Path, style: str) -> None:
    path = tmp_path / "access.log"
    evil = b'GET /"%0a\\x?"%20200 HTTP/1.1\r\nHost: test\r\nUser-Agent: a" 200 \\ \xe9\xff\tb\r\n\r\n'
    async with witness(answering()) as replica:
        proxy.serve(service_of(replica.address), access_log=str(path), access_log_format=style)
        await ask(proxy.port, evil)
        await ask(proxy.port, GET)
        lines = await lines_of(path, 2)
    assert len(lines) == 2
    if style == "json":
        assert json.loads(lines[0])["user_agent"] == 'a" 200 \\ \xe9\xff\tb'
    else:
        assert re.fullmatch(r'[^"]*"[^"]*" 200 2( "[^"]*" "[^"]*")?', lines[0]), lines[0]
        assert lines[0].isascii()


async def test_behind_a_trusted_proxy_the_client_is_who_the_proxy_says(proxy: Workers, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    octets = GET.replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: 203.0.113.9, 192.0.2.1, 10.1.2.3\r\n\r\n")
    async with witness(answering()) as replica:
        proxy.serve(service_of(replica.address), access_log=str(path))
        await ask(proxy.port, octets)
        proxy.serve(service_of(replica.address), access_log=str(path), trusted_proxies=("127.0.0.1", "10.0.0.0/8"))
        await ask(proxy.port, octets)
    clients = [json.loads(line)["client"] for line in await lines_of(path, 2)]
    assert clients == ["127.0.0.1", "192.0.2.1"]


async def test_a_rotated_file_is_followed(proxy: Workers, tmp_path: Path) -> None:
    path, old = tmp_path / "access.log", tmp_path / "access.log.1"
    async with witness(answering()) as replica:
        proxy.serve(service_of(replica.address), access_log=str(path))
        await ask(proxy.port, GET)
        await lines_of(path, 1)
        path.rename(old)
        proxy.channels[0].send("reopen")
        before = written(proxy)

        async def moved() -> bool:
            await ask(proxy.port, GET)
            return path.exists()

        await wait_until(moved)
        await wait_until(lambda: written(proxy) > before)
    assert len(old.read_text().splitlines()) + len(path.read_text().splitlines()) >= 2


async def test_a_file_that_cannot_be_written_stops_no_traffic_and_is_counted(proxy: Workers, tmp_path: Path) -> None:
    before = proxy.scoreboard.worker(0).log_dropped
    async with witness(answering()) as replica:
        proxy.serve(service_of(replica.address), access_log=str(tmp_path / "none" / "access.log"))
        assert (await ask(proxy.port, GET)).status == 200
        await wait_until(lambda: proxy.scoreboard.worker(0).log_dropped == before + 1)


async def test_a_full_disk_stops_no_traffic_and_is_counted(proxy: Workers) -> None:
    before = proxy.scoreboard.worker(0).log_dropped
    async with witness(answering()) as replica:
        proxy.serve(service_of(replica.address), access_log="/dev/full")
        for _ in range(3):
            assert (await ask(proxy.port, GET)).status == 200
        await wait_until(lambda: proxy.scoreboard.worker(0).log_dropped == before + 3)


async def test_a_standard_output_that_nobody_reads_stops_neither_traffic_nor_the_worker_s_end() -> None:
    unread, stdout = socket.socketpair()
    with unread, stdout, workers(stdout=stdout.fileno()) as proxy:
        async with witness(answering()) as replica, dial(proxy.port) as client:
            proxy.serve(service_of(replica.address), access_log="-")
            for _ in range(200):
                await client.send(GET * 10)
                for _ in range(10):
                    assert (await client.answer()).status == 200
        proxy.drain(5.0)
        await wait_until(lambda: proxy.processes[0].poll() == 0)
        assert "Fatal" not in proxy.complaints()


async def test_lines_written_before_the_end_are_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    with workers() as proxy:
        async with witness(answering()) as replica, dial(proxy.port) as client:
            proxy.serve(service_of(replica.address), access_log=str(path))
            await client.send(GET * 200)
            for _ in range(200):
                assert (await client.answer()).status == 200
        proxy.drain(5.0)
        await wait_until(lambda: proxy.processes[0].poll() == 0)
    assert len(path.read_text().splitlines()) == 200


async def test_it_can_be_turned_off_and_on(proxy: Workers, tmp_path: Path) -> None:
    first, second = tmp_path / "1.log", tmp_path / "2.log"
    async with witness(answering()) as replica:
        for target in (str(first), "", str(second)):
            proxy.serve(service_of(replica.address), access_log=target)
            await ask(proxy.port, GET)
        await lines_of(second, 1)
        assert len(await lines_of(first, 1)) == 1
