"""The access log: lines that nothing a client sends can forge, and a data path that never waits for whoever reads them."""

import json
import os
import re
import resource
import string
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from balancer import limits
from balancer.access_log import AccessLog, Entry, believed_client, clf_line, entry_of, json_line
from balancer.hotpath.fields import parse_request_block
from balancer.scoreboard import Scoreboard, WorkerReading
from balancer.switch import trust
from tests.hotpath.strategies import THOROUGH
from tests.support import wait_until_blocking

NOW_US = 5_250_000
NOW_S = 1_700_000_000.5
CLF = re.compile(
    r'(\S+) - - \[14/Nov/2023:22:13:20 \+0000\] "((?:[^"\\]|\\x[0-9A-F]{2})*)" (\d{3}) (\d+|-) '
    r'"((?:[^"\\]|\\x[0-9A-F]{2})*)" "((?:[^"\\]|\\x[0-9A-F]{2})*)"\n'
)


def exchange(target: bytes = b"/a?b") -> SimpleNamespace:
    """A finished exchange, as far as the log looks at it."""
    return SimpleNamespace(
        block=parse_request_block(b"Host: a.example\r\nUser-Agent: curl/8\r\n", 100),
        downstream=SimpleNamespace(trusted=False, peer=b"2001:db8::1"),
        method=b"GET",
        target=target,
        minor=1,
        status=200,
        began_us=5_000_000,
        upload=SimpleNamespace(body=SimpleNamespace(passed=7)),
        relay=SimpleNamespace(body=SimpleNamespace(passed=42)),
        service=SimpleNamespace(name="shop"),
        last_replica=None,
        attempts=1,
    )


ENTRY = entry_of(exchange(), NOW_US)._replace(time_s=NOW_S)
REFUSED = Entry(NOW_S, b"192.0.2.7", 400)


# Lines.


def test_a_json_line_says_what_happened() -> None:
    assert json.loads(json_line(ENTRY)) == {
        "time": NOW_S,
        "client": "2001:db8::1",
        "peer": "2001:db8::1",
        "method": "GET",
        "host": "a.example",
        "target": "/a?b",
        "version": "HTTP/1.1",
        "status": 200,
        "duration_s": 0.25,
        "bytes_in": 7,
        "bytes_out": 42,
        "service": "shop",
        "replica": "",
        "attempts": 1,
        "referer": "",
        "user_agent": "curl/8",
    }


def test_a_clf_line_says_what_happened() -> None:
    assert clf_line(ENTRY) == '2001:db8::1 - - [14/Nov/2023:22:13:20 +0000] "GET /a?b HTTP/1.1" 200 42 "-" "curl/8"\n'


def test_a_request_that_could_not_be_read_has_a_line_too() -> None:
    assert json.loads(json_line(REFUSED))["status"] == 400
    assert clf_line(REFUSED) == '192.0.2.7 - - [14/Nov/2023:22:13:20 +0000] "-" 400 - "-" "-"\n'


HOSTILE = st.one_of(
    st.binary(max_size=40), st.sampled_from([b'"', b"\\", b'\\" 200 -', b"\xc3\xa9\xff\x00", b"\x1b[2J\r\n", b"\xe2\x80\xa8"])
)
VALUES = HOSTILE.map(lambda octets: octets.replace(b"\r\n", b"").strip(b" \t"))  # no value of a field has more than that


@THOROUGH
@given(HOSTILE, VALUES, HOSTILE)
def test_whatever_a_client_sends_a_json_line_is_one_object_of_printable_ascii(target: bytes, agent: bytes, host: bytes) -> None:
    line = json_line(ENTRY._replace(target=target, fields=b"User-Agent: %b\r\n" % agent, host=host))
    assert set(line[:-1]) <= set(string.printable[:95])
    record = json.loads(line)
    assert [record[name].encode("latin-1") for name in ("target", "user_agent", "host")] == [target, agent, host]


@THOROUGH
@given(HOSTILE, VALUES, VALUES)
def test_whatever_a_client_sends_a_clf_line_has_its_fields_where_they_belong(target: bytes, agent: bytes, referer: bytes) -> None:
    line = clf_line(ENTRY._replace(target=target, fields=b"User-Agent: %b\r\nReferer: %b\r\n" % (agent, referer)))
    assert set(line[:-1]) <= set(string.printable[:95])
    found = CLF.fullmatch(line)
    assert found
    unescaped = [re.sub(r"\\x(..)", lambda octet: chr(int(octet[1], 16)), part).encode("latin-1") for part in found.groups()]
    assert (unescaped[1], unescaped[2]) == (b"GET " + target + b" HTTP/1.1", b"200")
    assert (unescaped[4], unescaped[5]) == (referer or b"-", agent or b"-")


def test_a_zone_in_what_a_trusted_proxy_says_cannot_forge_a_line() -> None:
    said = ENTRY._replace(forwarded_for=b'fe80::1%x" 200 - "', trusts=trust(("2001:db8::1",)))
    assert believed_client(said) == "fe80::1"


# Where they go.


@contextmanager
def logging_to(target: str, style: str = "json") -> Iterator[tuple[AccessLog, Callable[[], WorkerReading]]]:
    """A log, and a way to read its worker's counters."""
    scoreboard = Scoreboard.create(workers=1, services=1, replicas=1)
    log = AccessLog(target, style, scoreboard.row(0))
    try:
        yield log, lambda: scoreboard.worker(0)
    finally:
        log.close()
        assert not log._thread.is_alive()
        scoreboard.close()


def targets(path: Path) -> list[str]:
    return [json.loads(line)["target"] for line in path.read_text().splitlines()]


def record(log: AccessLog, *names: str) -> None:
    for name in names:
        log.record(exchange(target=name.encode()), NOW_US)


def test_lines_are_written_in_order_and_counted(tmp_path: Path) -> None:
    names = [f"/{number}" for number in range(5000)]
    with logging_to(str(tmp_path / "log")) as (log, counters):
        record(log, *names)
        wait_until_blocking(lambda: counters().log_written == 5000)
        assert counters().log_dropped == 0
    assert targets(tmp_path / "log") == names


def test_what_waits_at_the_end_is_written(tmp_path: Path) -> None:
    with logging_to(str(tmp_path / "log"), "clf") as (log, _):
        record(log, "/last")
    assert '"GET /last HTTP/1.1" 200 42' in (tmp_path / "log").read_text()


def test_a_file_that_exists_is_appended_to(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("before\n")
    with logging_to(str(tmp_path / "log")) as (log, _):
        record(log, "/after")
    assert (tmp_path / "log").read_text().startswith("before\n{")


def test_after_a_rotation_lines_go_to_the_new_file(tmp_path: Path) -> None:
    path, rotated = tmp_path / "log", tmp_path / "log.1"
    with logging_to(str(path)) as (log, counters):
        record(log, "/1")
        wait_until_blocking(lambda: counters().log_written == 1)
        path.rename(rotated)
        record(log, "/2")
        wait_until_blocking(lambda: counters().log_written == 2)
        log.reopen()
        record(log, "/3")
    assert (targets(rotated), targets(path)) == (["/1", "/2"], ["/3"])


def test_while_nobody_reads_a_fifo_lines_wait_up_to_the_limit_and_the_rest_is_dropped_and_counted(tmp_path: Path) -> None:
    fifo, most = tmp_path / "fifo", limits.LOG_LINES
    os.mkfifo(fifo)
    with logging_to(str(fifo)) as (log, counters):
        record(log, "/first")
        wait_until_blocking(lambda: not log._entries)  # the thread has taken it and waits for a reader
        record(log, *["/x"] * (most + 50))
        assert len(log._entries) == most
        assert counters().log_dropped == 50
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        taken = b""

        def all_read() -> bool:
            nonlocal taken
            taken += read_available(reader)
            return taken.count(b"\n") == most + 1

        wait_until_blocking(all_read)
        os.close(reader)
    assert (counters_of(taken), taken[-1:]) == (most + 1, b"\n")


def read_available(fd: int) -> bytes:
    try:
        return os.read(fd, 1 << 20)
    except BlockingIOError:
        return b""


def counters_of(lines: bytes) -> int:
    return sum(json.loads(line)["target"] in {"/first", "/x"} for line in lines.splitlines())


def test_lines_that_a_full_disk_does_not_take_are_dropped_and_counted_and_the_next_ones_tried() -> None:
    with logging_to("/dev/full") as (log, counters):
        for number in range(1, 4):
            record(log, "/lost")
            wait_until_blocking(lambda number=number: counters().log_dropped == number)
        assert counters().log_written == 0


def test_a_file_that_cannot_be_opened_yet_is_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "later" / "log"
    with logging_to(str(path)) as (log, counters):
        record(log, "/lost")
        wait_until_blocking(lambda: counters().log_dropped == 1)
        path.parent.mkdir()
        record(log, "/kept")
        wait_until_blocking(lambda: counters().log_written == 1)
    assert targets(path) == ["/kept"]


def test_half_a_line_is_ended_before_the_next_one_and_no_dropped_line_turns_up_later(tmp_path: Path) -> None:
    """A limit on file sizes stands for a disk that fills up in the middle of a line and is emptied again."""
    path, before = tmp_path / "log", resource.getrlimit(resource.RLIMIT_FSIZE)
    line = len(json_line(ENTRY._replace(target=b"/1")))
    with logging_to(str(path)) as (log, counters):
        resource.setrlimit(resource.RLIMIT_FSIZE, (line * 2 + 10, before[1]))
        try:
            for number in range(1, 5):
                record(log, f"/{number}")
                wait_until_blocking(lambda number=number: counters().log_written + counters().log_dropped == number)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        dropped = counters().log_dropped
        record(log, "/5")
    lines = path.read_text().splitlines()
    assert dropped >= 1
    assert json.loads(lines[-1])["target"] == "/5"
    assert sum(text.startswith("{") and text.endswith("}") for text in lines) == 5 - dropped


PROGRAM = """
import sys
from balancer.access_log import AccessLog
from balancer.scoreboard import Scoreboard
from tests.hotpath.test_access_log import exchange, NOW_US
log = AccessLog("-", "clf", Scoreboard.create(workers=1, services=1, replicas=1).row(0))
log.record(exchange(), NOW_US)
log.close()
"""


def test_a_dash_is_standard_output() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True)
    assert '"GET /a?b HTTP/1.1" 200 42 "-" "curl/8"\n' in done.stdout


def test_a_terminal_that_is_gone_ends_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert (process.wait(60), process.stderr.read()) == (0, "")
