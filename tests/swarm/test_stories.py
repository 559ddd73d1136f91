"""Stories of the engine over a toy Swarm, in virtual time: how starts and stops become updates, and what happens when that goes wrong."""

import asyncio

import pytest

from autoscaler.cluster.engine import EngineError, Image, InstanceSpec, SwarmService
from autoscaler.cluster.moby.api import MobyError
from tests.swarm.toy import IMAGE, SHOP, Yard, play


def test_starts_that_belong_together_are_one_update_and_each_gets_a_task_of_its_own() -> None:
    async def story(yard: Yard) -> None:
        before = await yard.ids()
        started = await yard.start(4)
        assert yard.toy.updates == [7]
        assert len({*before, *started}) == 7

    play(story)


def test_starts_that_come_later_do_not_get_the_tasks_of_those_before_them() -> None:
    async def story(yard: Yard) -> None:
        await yard.ids()
        first = asyncio.create_task(yard.start(2))
        await asyncio.sleep(0.03)
        second = await yard.start(2)
        assert not {*second} & {*await first}
        assert yard.toy.updates[-1] == 7

    play(story)


def test_a_task_that_swarm_replaces_is_not_asked_for_again() -> None:
    async def story(yard: Yard) -> None:
        before = await yard.ids()
        yard.toy.fail("t2")
        (started,) = await yard.start()
        assert yard.toy.updates == []
        assert started not in before

    play(story)


def test_a_count_that_others_raised_already_is_not_raised_again() -> None:
    async def story(yard: Yard) -> None:
        await yard.ids()
        yard.toy.scale(5)
        assert len(set(await yard.start(2))) == 2
        assert yard.toy.updates == []

    play(story)


def test_an_update_whose_answer_is_lost_is_not_made_twice() -> None:
    async def story(yard: Yard) -> None:
        await yard.ids()
        yard.toy.lost = 1
        assert len(set(await yard.start(2))) == 2
        assert yard.toy.updates == [5]
        assert "count_reset" not in yard.told

    play(story)


def test_an_update_that_somebody_else_came_before_is_made_from_what_they_wrote() -> None:
    async def story(yard: Yard) -> None:
        await yard.ids()
        write, others = yard.toy.update_service, [4]

        def late(service: str, version: int, spec: dict[str, object], image: str) -> None:
            if others:
                yard.toy.scale(others.pop())
            write(service, version, spec)

        yard.toy.update_service = late  # type: ignore[assignment, method-assign] - they are quicker, once
        await yard.start(2)
        assert yard.toy.updates == [5]  # one of the two was started by others

    play(story)


def test_a_policy_that_makes_no_more_tasks_is_said_and_costs_one_update() -> None:
    async def story(yard: Yard) -> None:
        await yard.ids()
        yard.toy.making = False
        for _ in range(2):
            with pytest.raises(EngineError, match="keeps 3 of the 4 tasks of web"):
                await yard.start()
        assert yard.toy.updates == [4]

    play(story)


def test_the_first_to_go_go_in_one_update_and_stop_returns_when_they_have_ended() -> None:
    async def story(yard: Yard) -> None:
        order = yard.swarm.removal_order("shop")
        await asyncio.gather(*yard.stop(order[1], order[0]))
        assert yard.toy.updates == [3]
        assert {*await yard.ids()} == {*order[2:]}
        assert yard.swarm.predictions("shop") == (2, 0)

    play(story, replicas=5)


@pytest.mark.parametrize("after_ms", range(0, 120, 5))
def test_a_stop_that_comes_in_the_middle_of_another_one_gets_its_turn(after_ms: int) -> None:
    async def story(yard: Yard) -> None:
        order = yard.swarm.removal_order("shop")
        (first,) = yard.stop(order[0])
        await asyncio.sleep(after_ms / 1000)
        (second,) = yard.stop(order[1])
        await asyncio.gather(first, second)
        assert "taken_back" not in yard.told
        assert yard.swarm.predictions("shop") == (2, 0)
        assert yard.toy.updates[-1] == 3

    play(story, replicas=5)


def test_a_task_that_does_not_end_in_its_time_is_said_and_may_be_stopped_again() -> None:
    async def story(yard: Yard) -> None:
        yard.toy.stop_s = 60.0
        first = yard.swarm.removal_order("shop")[0]
        with pytest.raises(EngineError, match=f"{first} was told to stop, and Swarm still says that it runs"):
            await yard.stop(first)[0]
        await yard.stop(first)[0]
        assert first not in [one.id for one in await yard.swarm.list("shop") if one.status != "exited"]
        assert yard.toy.updates == [4]

    play(story, replicas=5)


def test_a_stop_waits_for_those_before_it() -> None:
    async def story(yard: Yard) -> None:
        order = yard.swarm.removal_order("shop")
        (second,) = yard.stop(order[1])
        await asyncio.sleep(30.0)
        assert yard.toy.updates == []
        (first,) = yard.stop(order[0])
        await asyncio.gather(first, second)
        assert yard.toy.updates == [3]

    play(story, replicas=5)


def test_a_start_takes_a_waiting_stop_back_without_an_update() -> None:
    async def story(yard: Yard) -> None:
        order = yard.swarm.removal_order("shop")
        await yard.ids()
        (second,) = yard.stop(order[1])
        await asyncio.sleep(1.0)
        assert await yard.start() == [order[1]]
        assert second.done()
        assert yard.toy.updates == []

    play(story, replicas=5)


def test_a_stop_whose_turn_does_not_come_is_taken_back() -> None:
    async def story(yard: Yard) -> None:
        order = yard.swarm.removal_order("shop")
        (second,) = yard.stop(order[1])
        await asyncio.wait_for(second, 200.0)
        assert order[1] in await yard.ids()
        assert yard.words["taken_back"] == f"{order[1]} stays: it was not its turn within 120 s"

    play(story, replicas=5)


def test_a_stop_that_others_come_before_is_taken_back_at_once() -> None:
    async def story(yard: Yard) -> None:
        order = yard.swarm.removal_order("shop")
        (second,) = yard.stop(order[1])
        await asyncio.sleep(1.0)
        yard.toy.scale(9)  # fuller machines go first
        await asyncio.wait_for(second, 5.0)
        assert yard.words["taken_back"] == f"{order[1]} stays: Swarm would now remove others before it"

    play(story, replicas=5)


def test_a_marked_task_that_ends_by_itself_is_gone() -> None:
    async def story(yard: Yard) -> None:
        order = yard.swarm.removal_order("shop")
        (second,) = yard.stop(order[1])
        await asyncio.sleep(1.0)
        yard.toy.fail(order[1].rpartition(".")[2])
        await asyncio.wait_for(second, 5.0)
        assert yard.toy.updates == []

    play(story, replicas=5)


def test_an_id_that_nobody_knows_is_gone_already() -> None:
    async def story(yard: Yard) -> None:
        await asyncio.wait_for(asyncio.gather(*yard.stop("shop.9.long-gone", "other.1.x", "nonsense")), 5.0)
        assert yard.toy.updates == []

    play(story)


def test_another_victim_than_expected_is_counted_told_and_the_expected_one_stays() -> None:
    async def story(yard: Yard) -> None:
        order = yard.swarm.removal_order("shop")
        yard.toy.chooses = lambda expected: expected[::-1]
        await asyncio.wait_for(asyncio.gather(*yard.stop(order[0])), 5.0)
        assert order[0] in await yard.ids()
        assert yard.swarm.predictions("shop") == (0, 1)
        assert yard.words["prediction_missed"] == f"Swarm removed {order[-1]} without a drain, not {order[0]}"

    play(story, replicas=5)


def test_a_count_set_by_others_is_told_with_the_stack_that_may_have_done_it() -> None:
    async def story(yard: Yard) -> None:
        yard.toy.scale(1)
        await asyncio.sleep(2.0)
        words = "the count of web was set from 3 to 1, not by Écluse (probably by `docker stack deploy` of shop, or `docker service scale`)"
        assert yard.words["count_reset"] == f"{words}; it is set again"

    play(story, Labels={"com.docker.stack.namespace": "shop"})


def test_while_swarm_updates_the_service_nothing_is_removed() -> None:
    async def story(yard: Yard) -> None:
        order = yard.swarm.removal_order("shop")
        (second,) = yard.stop(order[1])
        await asyncio.sleep(1.0)
        yard.toy.update("updating")
        await asyncio.wait_for(second, 5.0)
        assert yard.swarm.removal_order("shop") == ()
        yard.toy.update("completed")
        await asyncio.sleep(2.0)
        assert yard.swarm.removal_order("shop") == order
        assert yard.toy.updates == []

    play(story, replicas=5)


@pytest.mark.parametrize(("action", "updates"), [("pause", [4]), ("rollback", [])])
def test_a_count_is_not_written_into_an_update_that_may_be_rolled_back(action: str, updates: list[int]) -> None:
    async def story(yard: Yard) -> None:
        await yard.ids()
        yard.toy.update("updating")
        (result,) = await asyncio.gather(yard.swarm.start(SHOP), return_exceptions=True)
        assert isinstance(result, EngineError) is (not updates)
        assert yard.toy.updates == updates

    play(story, UpdateConfig={"FailureAction": action})


def test_no_count_is_written_while_an_update_is_paused_as_that_would_set_it_going_again() -> None:
    async def story(yard: Yard) -> None:
        (second,) = yard.stop(yard.swarm.removal_order("shop")[1])
        yard.toy.update("paused")
        await asyncio.wait_for(second, 5.0)
        assert yard.swarm.removal_order("shop") == ()
        with pytest.raises(EngineError, match=r"Swarm has paused its update of web \(because of a test\); any other count would"):
            await yard.start()
        assert yard.toy.updates == []

    play(story)


def test_tasks_without_a_place_are_said_when_they_have_waited_and_no_longer_than_they_wait() -> None:
    async def story(yard: Yard) -> None:
        yard.toy.room = 0
        await yard.start(2)
        assert yard.swarm.full("shop") == ""
        await asyncio.sleep(3.0)
        assert yard.swarm.full("shop") == "Swarm: no suitable node (insufficient resources on 3 nodes)"
        order = yard.swarm.removal_order("shop")
        await asyncio.gather(*yard.stop(*order[:2]))
        assert yard.swarm.full("shop") == ""
        assert yard.swarm.predictions("shop") == (2, 0)

    play(story)


def test_while_no_manager_answers_the_last_list_stays_and_starts_say_so() -> None:
    async def story(yard: Yard) -> None:
        before = await yard.ids()
        yard.link.away = True
        await asyncio.sleep(60.0)
        assert await yard.ids() == before
        with pytest.raises(EngineError, match="no answer from the toy"):
            await yard.start()
        yard.link.away = False
        assert len(await yard.start()) == 1

    play(story)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(
            MobyError("tcp://toy:2375 answered 403: not on the list", 403), "answered 403: not on the list", id="a refusal"
        ),
        pytest.param([{"ID": "one"}, {}], "answered what cannot be understood: KeyError", id="nonsense"),
    ],
)
def test_an_answer_that_helps_nobody_is_trouble_until_a_better_one_comes(answer: object, words: str) -> None:
    async def story(yard: Yard) -> None:
        before, nodes = await yard.ids(), yard.toy.nodes

        def bad() -> list[dict[str, object]]:
            if isinstance(answer, Exception):
                raise answer
            return answer  # type: ignore[return-value] - nonsense

        yard.toy.nodes = bad  # type: ignore[method-assign] - for a while
        await asyncio.sleep(5.0)
        assert words in yard.swarm.trouble("shop")
        assert await yard.ids() == before
        yard.toy.nodes = nodes  # type: ignore[method-assign] - as it was
        await asyncio.sleep(2.0)
        assert yard.swarm.trouble("shop") == ""

    play(story)


def test_a_stop_while_no_manager_answers_fails_and_may_be_repeated() -> None:
    async def story(yard: Yard) -> None:
        order = yard.swarm.removal_order("shop")
        yard.link.away = True
        with pytest.raises(EngineError, match="no answer"):
            await yard.stop(order[0])[0]
        yard.link.away = False
        await yard.stop(order[0])[0]
        assert yard.toy.updates == [2]

    play(story)


def test_before_the_first_answer_nothing_is_known() -> None:
    async def story(yard: Yard) -> None:
        with pytest.raises(EngineError, match="there is no Swarm service web"):
            await yard.swarm.list("shop")
        with pytest.raises(EngineError, match="there is no Swarm service web"):
            await yard.start()
        yard.toy.create(2)
        await asyncio.sleep(3.0)
        assert len(await yard.ids()) == 2
        assert yard.swarm.trouble("shop") == ""

    play(story, replicas=None)


def test_a_service_that_is_removed_has_no_replicas_and_says_why() -> None:
    async def story(yard: Yard) -> None:
        yard.toy.remove_service("web")
        await asyncio.sleep(2.0)
        assert await yard.ids() == []
        assert yard.swarm.trouble("shop") == "there is no Swarm service web; `docker service ls` shows which there are"

    play(story)


@pytest.mark.parametrize(
    ("ports", "trouble"),
    [
        pytest.param([80], "", id="the only published port is the one"),
        pytest.param(
            [80, 443], "the Swarm service web does not say on which port it listens; say it with `port`", id="of two none is"
        ),
        pytest.param(
            [], "the Swarm service web does not say on which port it listens; say it with `port`", id="without any nor is one"
        ),
    ],
)
def test_a_port_that_is_not_configured(ports: list[int], trouble: str) -> None:
    async def story(yard: Yard) -> None:
        assert yard.swarm.trouble("shop") == trouble

    published = {"Ports": [{"TargetPort": port, "PublishMode": "host"} for port in ports]}
    play(story, spec=InstanceSpec("shop", source=SwarmService("web")), EndpointSpec=published)


def test_a_global_service_is_shown_and_not_scaled() -> None:
    async def story(yard: Yard) -> None:
        with pytest.raises(EngineError, match="is global: it has one task on each machine"):
            await yard.start()
        assert yard.swarm.removal_order("shop") == ()

    play(story, replicas=0, Mode={"Global": {}})


def test_a_machine_that_is_lost_and_comes_back_is_told_and_its_tasks_are_leaving() -> None:
    async def story(yard: Yard) -> None:
        yard.toy.down.add("two")
        await asyncio.sleep(2.0)
        assert yard.words["machine_down"] == "machine two does not answer the managers"
        leaving = [one for one in await yard.swarm.list("shop") if one.status == "stopping"]
        assert [one.detail for one in leaving] == ["its machine two is down"]
        yard.toy.down.clear()
        await asyncio.sleep(2.0)
        assert len(await yard.ids()) == 3
        assert "machine_up" in yard.told

    play(story)


def test_a_refused_connection_makes_it_look_at_once() -> None:
    async def story(yard: Yard) -> None:
        await asyncio.sleep(15.0)  # until nothing is young any more
        yard.toy.scale(2)
        yard.changes.clear()
        yard.swarm.hurry("shop")
        await asyncio.sleep(0.2)
        assert yard.changes == ["shop"]

    play(story)


def test_a_service_made_from_an_image_is_made_by_the_first_start_and_removed_when_it_is_forgotten() -> None:
    async def story(yard: Yard) -> None:
        assert await yard.swarm.list("web") == ()
        await asyncio.gather(*(yard.swarm.start(IMAGE) for _ in range(2)))
        assert yard.toy.service
        assert yard.toy.service["Spec"]["Mode"] == {"Replicated": {"Replicas": 2}}
        assert "service_made" in yard.told
        yard.swarm.forget("web")
        await asyncio.sleep(1.0)
        assert yard.toy.service is None

    play(story, replicas=None, spec=IMAGE)


def test_an_image_without_a_port_is_refused_in_words() -> None:
    spec = InstanceSpec("web", source=Image("app:1"))

    async def story(yard: Yard) -> None:
        with pytest.raises(EngineError, match=r"services.web: say with `port` on which port the image app:1 listens"):
            await yard.swarm.start(spec)

    play(story, replicas=None, spec=spec)
