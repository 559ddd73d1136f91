"""What a manager answered, word for word but for what nobody reads, and what is made of it."""

import pytest

from autoscaler.cluster.swarm.tasks import (
    Attachment,
    Json,
    TaskState,
    read_machine,
    read_service,
    read_task,
    read_time,
    with_replicas,
)

TASK: Json = {
    "ID": "ccu3j8fkgqlgv8ajabmwli18i",
    "CreatedAt": "2026-11-25T01:53:53.538080348Z",
    "ServiceID": "nufnkbzdg5pwfgzta43hmt2a6",
    "Slot": 2,
    "NodeID": "xgdtdtrvrnvd7s5yeu3x2lkoh",
    "Status": {
        "Timestamp": "2026-11-25T01:53:55.701080216Z",
        "State": "running",
        "Message": "started",
        "ContainerStatus": {"ContainerID": "ea2352578ec7", "PID": 5165, "ExitCode": 0},
        "PortStatus": {
            "Ports": [{"Protocol": "tcp", "TargetPort": 8000, "PublishedPort": 32775, "PublishMode": "host"}],
        },
    },
    "DesiredState": "running",
    "NetworksAttachments": [
        {"Network": {"ID": "ing", "Spec": {"Name": "ingress", "Ingress": True}}, "Addresses": ["10.0.0.9/24"]},
        {"Network": {"ID": "ataxw7oam2y8", "Spec": {"Name": "shopnet"}}, "Addresses": ["10.0.1.3/24"]},
    ],
}
WAITING: Json = {
    "ID": "k634",
    "CreatedAt": "2026-11-25T01:53:53Z",
    "ServiceID": "s",
    "Slot": 3,
    "Status": {
        "State": "pending",
        "Message": "pending task scheduling",
        "Err": "no suitable node (insufficient resources on 1 node)",
        "PortStatus": {},
    },
    "DesiredState": "running",
}
SERVICE: Json = {
    "ID": "nufnkbzdg5pwfgzta43hmt2a6",
    "Version": {"Index": 479},
    "Spec": {
        "Name": "shop_web",
        "Labels": {"com.docker.stack.namespace": "shop", "ecluse.enable": "true"},
        "TaskTemplate": {"ContainerSpec": {"Image": "pause:1", "StopGracePeriod": 3000000000}, "ForceUpdate": 0},
        "Mode": {"Replicated": {"Replicas": 2}},
        "UpdateConfig": {"Parallelism": 1, "FailureAction": "rollback", "Order": "stop-first"},
        "EndpointSpec": {"Mode": "vip", "Ports": [{"Protocol": "tcp", "TargetPort": 8000, "PublishMode": "host"}]},
    },
    "UpdateStatus": {"State": "updating", "StartedAt": "2026-11-25T01:53:53Z", "Message": "update in progress"},
}


def test_a_running_task() -> None:
    task = read_task(TASK)
    assert (task.slot, task.machine, task.state, task.wanted, task.ended) == (
        2,
        "xgdtdtrvrnvd7s5yeu3x2lkoh",
        TaskState.RUNNING,
        True,
        False,
    )
    assert task.published == ((8000, 32775),)
    assert task.attachments == (Attachment("ataxw7oam2y8", "shopnet", "10.0.1.3/24"),)


def test_a_task_without_a_place_says_why() -> None:
    task = read_task(WAITING)
    assert (task.machine, task.state, task.words) == (
        "",
        TaskState.PENDING,
        "no suitable node (insufficient resources on 1 node)",
    )


@pytest.mark.parametrize(
    ("name", "state"),
    [("running", TaskState.RUNNING), ("orphaned", TaskState.ORPHANED), ("something of a later version", TaskState.NEW)],
)
def test_states_by_their_names(name: str, state: TaskState) -> None:
    assert read_task({**TASK, "DesiredState": name}).desired is state


def test_a_service() -> None:
    service = read_service(SERVICE)
    assert (service.name, service.version, service.replicas, service.ports) == ("shop_web", 479, 2, (8000,))
    assert (service.updating, service.rolls_back, service.stop_grace_s) == (True, True, 3.0)


def test_a_global_service_has_no_count() -> None:
    spec = {**SERVICE["Spec"], "Mode": {"Global": {}}}
    assert read_service({**SERVICE, "Spec": spec}).replicas is None


def test_another_count_leaves_everything_else_as_it_was() -> None:
    before = SERVICE["Spec"]
    after = with_replicas(before, 5)
    assert after["Mode"] == {"Replicated": {"Replicas": 5}}
    assert {name: value for name, value in after.items() if name != "Mode"} == {
        name: value for name, value in before.items() if name != "Mode"
    }
    assert before["Mode"] == {"Replicated": {"Replicas": 2}}


@pytest.mark.parametrize(
    ("answer", "address", "up"),
    [
        pytest.param({"Status": {"State": "ready", "Addr": "10.1.0.1"}}, "10.1.0.1", True, id="a worker"),
        pytest.param({"Status": {"State": "down", "Addr": "10.1.0.1"}}, "10.1.0.1", False, id="one that is down"),
        pytest.param(
            {"Status": {"State": "ready", "Addr": "0.0.0.0"}, "ManagerStatus": {"Addr": "10.1.0.2:2377"}},  # noqa: S104 - an answer
            "10.1.0.2",
            True,
            id="a manager that does not know its own address",
        ),
        pytest.param(
            {"Status": {"State": "ready", "Addr": ""}, "ManagerStatus": {"Addr": "[fd00::2]:2377"}}, "fd00::2", True, id="by IPv6"
        ),
    ],
)
def test_a_machine(answer: Json, address: str, up: bool) -> None:
    machine = read_machine({"ID": "m", "Description": {"Hostname": "one"}, **answer})
    assert (machine.name, machine.address, machine.up) == ("one", address, up)


@pytest.mark.parametrize("text", ["1970-01-01T00:00:02.5Z", "1970-01-01T00:00:02.500000001Z", "1970-01-01T01:00:02.5+01:00"])
def test_times_as_go_writes_them(text: str) -> None:
    assert read_time(text) == 2.5
