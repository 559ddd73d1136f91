"""What looks into the hot path: counted instructions, perf's report, tables that change."""

import tempfile

import pytest

from balancer.table import ReplicaState
from benchmarks.canned import WORKS, exchange
from benchmarks.direct import table_of
from benchmarks.instructions import driven, merged, table
from benchmarks.profile import costs_of, grouped
from benchmarks.tables import changed


@pytest.mark.parametrize("work", WORKS)
def test_the_counted_hot_path_carries_all_requests_and_ends_with_its_client(work: str) -> None:
    with tempfile.TemporaryFile() as log, driven("interpreted", log.fileno(), []) as (process, client, origin):
        exchange(WORKS[work], 20, client, origin)
        assert process.wait(10) == 0


def test_instructions_stand_beside_those_that_were_kept() -> None:
    old, new = {"small": {"interpreted": 200, "compiled": 100}}, {"small": {"compiled": 90}, "browser": {"compiled": 500}}
    assert table(old, new).splitlines()[2:] == ["| small, compiled | 100 | 90 | -10.0% |", "| browser, compiled | - | 500 | - |"]
    assert merged(old, new)["small"] == {"interpreted": 200, "compiled": 90}


REPORT = """
# Overhead|Shared Object|Symbol
    60.00%|[kernel.kallsyms]  |[k] tcp_sendmsg
    20.00%|libpython3.11.so.1.0  |[.] _PyObject_Malloc
     9.00%|relay.cpython-311-x86_64-linux-gnu.so|[.] pass_on
     6.00%|_socket.cpython-311-x86_64-linux-gnu.so|[.] sock_recv
     5.00%|libc.so.6|[.] __libc_recv
"""


def test_perfs_symbols_are_grouped_by_whose_they_are() -> None:
    lines = grouped(list(costs_of(REPORT))).splitlines()
    assert lines[2:6] == ["| kernel | 60.0 % |", "| interpreter | 26.0 % |", "| hot path | 9.0 % |", "| libc | 5.0 % |"]
    assert "| relay | 9.0 % |" in lines
    assert "| 6.00 % | interpreter | _socket.cpython-311-x86_64-linux-gnu.so | `sock_recv` |" in lines


def test_each_new_table_changes_some_services_and_never_the_busy_one() -> None:
    first = table_of(1_000, 10, "127.0.0.1:1")
    last = first
    for number in range(150):
        before, last = last, changed(last, number)
        assert sum(a is not b for a, b in zip(before.services, last.services, strict=True)) == 10
        assert last.services[0] is first.services[0]
    ready = [sum(replica.state is ReplicaState.READY for replica in service.replicas) for service in last.services]
    assert set(ready) == {9, 10}
