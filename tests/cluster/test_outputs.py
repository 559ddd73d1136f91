"""Output: octets to lines, the last lines kept, lines followed."""

import asyncio

import pytest

from autoscaler.cluster.engine import InstanceSpec
from autoscaler.cluster.processes.engine import Processes
from autoscaler.cluster.processes.lines import LineSplitter
from autoscaler.cluster.processes.outputs import Outputs
from tests.support import wait_until


class TestLines:
    @pytest.mark.parametrize(
        ("octets", "lines"),
        [
            pytest.param(b"one\ntwo\n", ["one", "two"], id="each-line-ends"),
            pytest.param(b"one\ntw", ["one", "tw"], id="the-last-line-may-have-no-end"),
            pytest.param(b"one\r\n\r\ntwo\r\n", ["one", "", "two"], id="carriage-returns-are-dropped"),
            pytest.param(b"caf\xc3\xa9\n\xff\n", ["café", "\N{REPLACEMENT CHARACTER}"], id="what-is-not-utf-8-is-replaced"),
            pytest.param(b"0123456789\n", ["0123456789"], id="at-the-limit"),
            pytest.param(
                b"0123456789ABC\nnext\n", ["0123456789 [cut: 3 more octets]", "next"], id="over-the-limit-is-cut-and-says-so"
            ),
            pytest.param(b"0123456789ABC", ["0123456789 [cut: 3 more octets]"], id="over-the-limit-without-an-end"),
            pytest.param(b"", [], id="nothing"),
        ],
    )
    @pytest.mark.parametrize("step", [1, 3, 100], ids=["octet-by-octet", "in-threes", "at-once"])
    def test_octets_become_lines(self, octets: bytes, lines: list[str], step: int) -> None:
        splitter = LineSplitter(max_octets=10)
        fed = [line for at in range(0, len(octets), step) for line in splitter.feed(octets[at : at + step])]
        assert fed + splitter.end() == lines


class TestTail:
    def test_the_last_lines_of_a_service_name_their_instance(self) -> None:
        outputs = Outputs()
        outputs.add("shop", "shop-1", ["a"])
        outputs.add("cart", "cart-1", ["b"])
        outputs.add("shop", "shop-2", ["c", "d"])
        assert outputs.tail("shop", 2) == ["shop-2 | c", "shop-2 | d"]
        assert outputs.tail("shop", 99) == ["shop-1 | a", "shop-2 | c", "shop-2 | d"]
        assert outputs.tail("shop", 0) == outputs.tail("unknown", 5) == []

    def test_only_so_many_are_kept(self) -> None:
        outputs = Outputs(kept_lines=3)
        outputs.add("shop", "shop-1", [str(number) for number in range(10)])
        assert outputs.tail("shop", 99) == ["shop-1 | 7", "shop-1 | 8", "shop-1 | 9"]

    def test_lines_that_were_lost_on_the_way_are_told(self) -> None:
        outputs = Outputs()
        outputs.add("shop", "shop-1", ["after"], lost=12)
        assert outputs.tail("shop", 9) == [
            "shop-1 | [ecluse: 12 lines lost here: they came faster than they were taken]",
            "shop-1 | after",
        ]


class TestFollow:
    async def test_the_last_lines_come_first_then_each_as_it_comes(self) -> None:
        outputs = Outputs()
        outputs.add("shop", "shop-1", ["old", "recent"])
        lines = outputs.follow("shop", 1)
        assert await anext(lines) == "shop-1 | recent"
        waiting = asyncio.create_task(anext(lines))
        await asyncio.sleep(0)
        assert not waiting.done()
        outputs.add("shop", "shop-1", ["new"])
        assert await waiting == "shop-1 | new"
        await lines.aclose()

    async def test_a_slow_reader_loses_the_oldest_lines_and_is_told_how_many(self) -> None:
        outputs = Outputs(waiting_lines=2)
        outputs.add("shop", "shop-1", ["first"])
        lines = outputs.follow("shop", 1)
        assert await anext(lines) == "shop-1 | first"
        outputs.add("shop", "shop-1", ["a", "b", "c", "d", "e"])
        assert await anext(lines) == "[ecluse: 3 lines lost here: they came faster than they were read]"
        assert [await anext(lines), await anext(lines)] == ["shop-1 | d", "shop-1 | e"]
        await lines.aclose()

    async def test_two_readers_do_not_take_from_each_other(self) -> None:
        outputs = Outputs()
        outputs.add("shop", "shop-1", ["a"])
        readers = [outputs.follow("shop", 1), outputs.follow("shop", 1)]
        assert [await anext(reader) for reader in readers] == ["shop-1 | a"] * 2
        outputs.add("shop", "shop-1", ["b"])
        assert [await anext(reader) for reader in readers] == ["shop-1 | b"] * 2
        for reader in readers:
            await reader.aclose()

    @pytest.mark.parametrize("end", [Outputs.close, lambda outputs: outputs.forget("shop")], ids=["closed", "forgotten"])
    async def test_readers_are_at_the_end_when_the_service_is(self, end: object) -> None:
        outputs = Outputs()
        outputs.add("shop", "shop-1", ["a"])
        lines = outputs.follow("shop", 1)
        assert await anext(lines) == "shop-1 | a"
        assert callable(end)
        end(outputs)
        with pytest.raises(StopAsyncIteration):
            await anext(lines)


class TestCapture:
    async def test_stdout_and_stderr_of_all_instances_are_captured(self, engine: Processes) -> None:
        for _ in range(2):
            await engine.start(InstanceSpec("shop", ("sh", "-c", "echo out; echo err >&2; sleep 1000")))
        wanted = {"shop-1 | out", "shop-1 | err", "shop-2 | out", "shop-2 | err"}
        await wait_until(lambda: wanted <= {*engine.outputs.tail("shop", 10)})

    async def test_the_last_words_of_an_instance_are_not_lost(self, engine: Processes) -> None:
        await engine.start(
            InstanceSpec("shop", ("sh", "-c", "trap 'printf bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done"))
        )
        await wait_until(lambda: engine.outputs.tail("shop", 1))
        await engine.stop("shop-1", 10.0)
        assert engine.outputs.tail("shop", 1) == ["shop-1 | bye"]

    async def test_an_instance_that_closes_its_output_goes_on(self, engine: Processes) -> None:
        instance = await engine.start(InstanceSpec("shop", ("sh", "-c", "echo last; exec >&- 2>&-; exec sleep 1000")))
        await wait_until(lambda: engine.outputs.tail("shop", 1) == ["shop-1 | last"])
        await engine.start(InstanceSpec("shop", ("sleep", "1000")))
        assert (await engine.list("shop"))[0].pid == instance.pid
