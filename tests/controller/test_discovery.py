"""Services described by labels, beside those of a file: who goes first, and what wrong labels do."""

from typing import Any

from autoscaler.cluster.engine import Clone, Discovered
from sidecar.config import Config, Route, Service
from sidecar.discovery import Discovery

FILE = Config("ecluse.yaml", (Service("api", (Route("", "/api"),), engine="docker"),), engine="docker")


def found(name: str, **labels: str) -> Discovered:
    """A Compose service with labels; in a label's name "__" is a dot."""
    dotted = {f"ecluse.{label.replace('__', '.')}": text for label, text in labels.items()}
    return Discovered(name, {"ecluse.enable": "true", **dotted}, Clone(name, "shop"))


class Told:
    """A discovery, and what it told."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self._discovery = Discovery(lambda kind, message, service: self.messages.append(message), cores=2)

    def services(self, *those: Discovered) -> dict[str, Any]:
        self.messages.clear()
        return {service.name: service for service in self._discovery.services(those, FILE)}


def test_what_carries_labels_is_a_service_and_is_scaled_only_where_they_say_so() -> None:
    services = Told().services(found("web"), found("jobs", path="/jobs", autoscale__max_replicas="4"))
    assert sorted(services) == ["jobs", "web"]
    assert services["web"].rules is None
    assert services["web"].source == Clone("web", "shop")
    assert services["jobs"].rules.max_replicas == 4


def test_the_file_goes_before_labels() -> None:
    told = Told()
    assert told.services(found("api", path="/other"), found("web", path="/api")) == {}
    assert told.messages == [
        "the labels of api are not used: the file has a service api already",
        "the labels of web are not used: service api has one of its routes already",
    ]


def test_of_two_that_want_the_same_route_the_first_by_name_gets_it() -> None:
    told = Told()
    assert sorted(told.services(found("b"), found("a"))) == ["a"]
    assert told.messages == ["the labels of b are not used: service a has one of its routes already"]


def test_a_complaint_is_told_once_while_it_lasts() -> None:
    told = Told()
    for messages in (1, 0, 0):
        told.services(found("a"), found("b"))
        assert len(told.messages) == messages
    told.services(found("a"))
    told.services(found("a"), found("b"))
    assert len(told.messages) == 1


def test_wrong_labels_leave_what_ran_by_the_ones_before() -> None:
    told = Told()
    assert told.services(found("web", balance__queue="many")) == {}
    assert "labels of web: ecluse.balance.queue" in told.messages[0]
    assert told.services(found("web", balance__queue="7"))["web"].queue == 7
    assert told.services(found("web", balance__queue="many"))["web"].queue == 7
    assert told.messages[0].endswith("; it goes on by its former labels")


def test_what_is_gone_is_forgotten() -> None:
    told = Told()
    told.services(found("web", balance__queue="7"))
    assert told.services() == {}
    assert told.services(found("web", balance__queue="many")) == {}
