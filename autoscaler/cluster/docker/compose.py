"""Compose projects as their containers' labels tell of them: which project is meant, and how a further container is named. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from autoscaler.cluster.docker.container import Row, State
from autoscaler.cluster.engine import Clone
from autoscaler.cluster.moby import labels


def project_of(clone: Clone, rows: Iterable[Row], own: str) -> tuple[str, str]:
    """The project that a service is looked for in, or "" and why there is none. own: the one that Écluse's container belongs to."""
    if clone.project:
        return clone.project, ""
    found = {composed[0] for row in rows if (composed := labels.composed(row.labels)) and composed[1] == clone.service}
    if own in found:
        return own, ""
    if not found:
        return "", f'there is no container of a Compose service "{clone.service}" on the engine; start it once with Compose'
    if len(found) > 1:
        listed = ", ".join(sorted(found))
        return "", f'Compose service "{clone.service}" is in several projects ({listed}); say which with `compose.project`'
    return found.pop(), ""


def members(rows: Iterable[Row], project: str, service: str) -> list[Row]:
    """The containers of a Compose service, by number."""
    found = [row for row in rows if labels.composed(row.labels) == (project, service)]
    return sorted(found, key=lambda row: (labels.number(row.labels), row.name))


def template(candidates: Sequence[Row], owner: str) -> Row | None:
    """The one to clone: Compose's own before ours, one that runs before one that does not, then the lowest number."""
    usable = [row for row in candidates if row.state not in {State.REMOVING, State.DEAD}]
    return min(usable, key=lambda row: (labels.owned(row.labels, owner), not row.state.lives), default=None)


def name_of(template_name: str, compose_labels: Mapping[str, str], number: int) -> str:
    """As the Compose that made the template names containers: project_web_2 (version 1) or project-web-2."""
    project, service = compose_labels[labels.PROJECT], compose_labels[labels.COMPOSE_SERVICE]
    for separator in "_-":
        if template_name.startswith(f"{project}{separator}{service}{separator}"):
            return f"{project}{separator}{service}{separator}{number}"
    separator = "_" if compose_labels.get(labels.COMPOSE_VERSION, "").startswith("1.") else "-"
    return f"{project}{separator}{service}{separator}{number}"
