"""The labels on containers that mean something to Écluse: its own marks, those that users write, and those that Compose sets.

Invariant: nothing is ever stopped or removed that does not carry MANAGED_BY with our own name.
"""

from collections.abc import Mapping
from typing import Final

MANAGED_BY: Final = "ecluse.managed-by"
MANAGED_SERVICE: Final = "ecluse.managed-service"
SPEC: Final = "ecluse.spec"  # the version of the InstanceSpec that a container was made from
TEMPLATE: Final = "ecluse.template"  # the id of the container that one was copied from
_OWN: Final = frozenset({MANAGED_BY, MANAGED_SERVICE, SPEC, TEMPLATE})

PREFIX: Final = "ecluse."
ENABLE: Final = "ecluse.enable"
SERVICE: Final = "ecluse.service"
PORT: Final = "ecluse.port"

PROJECT: Final = "com.docker.compose.project"
COMPOSE_SERVICE: Final = "com.docker.compose.service"
NUMBER: Final = "com.docker.compose.container-number"
CONFIG_HASH: Final = "com.docker.compose.config-hash"
ONEOFF: Final = "com.docker.compose.oneoff"
COMPOSE_VERSION: Final = "com.docker.compose.version"
REPLACE: Final = "com.docker.compose.replace"  # set while Compose 2 puts one container in another's place


def written(labels: Mapping[str, str]) -> dict[str, str]:
    """What a user wrote for Écluse."""
    return {name: value for name, value in labels.items() if name.startswith(PREFIX) and name not in _OWN}


def enabled(labels: Mapping[str, str]) -> bool:
    """Whether it offers itself as a service, or a part of one."""
    return labels.get(ENABLE, "").lower() in {"true", "1", "yes", "on"}


def owned(labels: Mapping[str, str], owner: str) -> bool:
    """Whether it was made by the Écluse of that name."""
    return labels.get(MANAGED_BY) == owner


def marks(owner: str, service: str, version: str) -> dict[str, str]:
    """What a container of ours carries."""
    return {MANAGED_BY: owner, MANAGED_SERVICE: service, SPEC: version}


def composed(labels: Mapping[str, str]) -> tuple[str, str] | None:
    """The Compose project and service that it is a replica of; None for one-off containers (`compose run`) and all others."""
    project, service = labels.get(PROJECT, ""), labels.get(COMPOSE_SERVICE, "")
    oneoff = labels.get(ONEOFF, "False").lower() == "true"
    return (project, service) if project and service and not oneoff else None


def number(labels: Mapping[str, str]) -> int:
    """Compose's number of a container; 0 if it has none."""
    text = labels.get(NUMBER, "")
    return int(text) if text.isascii() and text.isdigit() else 0
