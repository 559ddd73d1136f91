"""A service as the labels of its containers, or of its Swarm service, describe it: the keys of a file by their dotted paths.

`ecluse.port=8000`, `ecluse.host=shop.example.com`, `ecluse.autoscale.max_replicas=12`. Values go the same way as those of a file, and
mistakes are said in the same words, under the name of their label. ${NAME} means nothing here: Compose has replaced it already.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from autoscaler.cluster.engine import Clone, Labelled, Source
from sidecar.config import Service
from sidecar.configuration import build, checks, models, sources
from sidecar.configuration import document as documents
from sidecar.configuration.problems import ConfigurationErrors, Finding, Path, Problem, key_text, nearest
from sidecar.configuration.references import OWN_LABELS
from sidecar.configuration.rules import rules_of, signals_of
from sidecar.configuration.validation import validate

_OF_A_SERVICE = ("port", "routes", "balance", "probes", "autoscale")  # keys of a file that are labels, too
KEYS = ("enable", "service", "host", "path", *_OF_A_SERVICE)
_ELSEWHERE = "is not a label: the container or Swarm service says that by itself"


def service_of(labels: Mapping[str, str], default_name: str, engine: str, source: Source, cores: int) -> Service:
    """The service; `ecluse.enable` is taken to be true, and labels of others are left alone. Raises ConfigurationErrors.

    default_name: as in `Discovered`. source: where the labels were found; it gets their port. cores: as in `Autoscale.bounds`.
    Without any `ecluse.autoscale` it is not scaled, and so has no rules.
    """
    read = _Reader(f"labels of {default_name}", {name: labels[name] for name in sorted(labels) if name.startswith(OWN_LABELS)})
    name = read.name(default_name)
    given = read.service(name, source)
    if read.problems or given is None:
        raise ConfigurationErrors(read.problems)
    is_scaled = "autoscale" in given.model_fields_set
    return replace(
        build.common(name, given),
        engine=engine,
        source=replace(source, port=given.port) if given.port else source,
        rules=rules_of(given.autoscale, cores) if is_scaled else None,
        signals=signals_of(given.autoscale) if is_scaled else (),
    )


@dataclass(slots=True)
class _Reader:
    """One set of labels on its way to a model, and what is wrong with it."""

    origin: str
    labels: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)
    _failed: list[Path] = field(default_factory=list)

    def name(self, default: str) -> str:
        """What the service is called."""
        name = self.labels.get(f"{OWN_LABELS}service", default)
        if not re.fullmatch(models.SERVICE_NAME, name):
            self._add("service", "must be a service's name: 1 to 63 letters, digits, - and _, the first one a letter or digit")
        return name

    def service(self, name: str, source: Source) -> models.Service | None:
        """The model of everything that is right."""
        documents.checked_size("".join((*self.labels, *self.labels.values())).encode(errors="replace"), self.origin)
        path: Path = ("services", name)
        document = documents.of_values({"services": {name: self._values()}}, self.origin)
        document.failed |= {(*path, *part) for part in self._failed}
        file = validate(document, models.File)
        given = file.services.get(name) if file else None
        if file and given:
            checks.check(document, [*checks.routes(file), *checks.of_service(given, path), *_of_source(given, source, path)])
        for problem in document.problems:
            self._add(self._label(problem.key.removeprefix(key_text(path)).removeprefix(".")), problem.message)
        return given

    def _values(self) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        for label, text in self.labels.items():
            parts = label.removeprefix(OWN_LABELS).split(".")
            if parts[0] not in KEYS or (parts[0] not in _OF_A_SERVICE and len(parts) > 1):
                self._add(
                    ".".join(parts),
                    _unknown(parts[0]) if parts[0] not in KEYS else f"is no label: {OWN_LABELS}{parts[0]} has no keys of its own",
                )
            elif parts[0] in _OF_A_SERVICE:
                self._put(tree, parts, text)
        values = {key: self._listed(value, key) for key, value in tree.items()}
        return values | self._routes("routes" in values)

    def _put(self, tree: dict[str, Any], parts: list[str], text: str) -> None:
        key = ".".join(parts)
        if len(parts) > documents.DEPTH or "" in parts:
            self._add(key, f"must be at most {documents.DEPTH} keys with a dot between them")
            return
        inside: Any = tree
        for depth, part in enumerate(parts[:-1], start=1):
            inside = inside.setdefault(part, {})
            if not isinstance(inside, dict):
                self._add(key, f"is inside of what {OWN_LABELS}{'.'.join(parts[:depth])} gives already")
                return
        if parts[-1] in inside:
            self._add(key, "is given twice, here and as a part of another label")
            return
        inside[parts[-1]] = self._value(key, text)

    def _value(self, key: str, text: str) -> object:
        """The text, or what it is in YAML's flow form."""
        if text.lstrip()[:1] not in ("[", "{"):
            return text
        try:
            document = documents.read(f"value: {text.replace('$', '$$')}", self.origin, {})
            problems = document.problems
            if [*document.data] != ["value"]:
                self._add(key, "must be one list or one mapping")
        except ConfigurationErrors as errors:
            problems = list(errors.problems)
        for problem in problems:
            self._add(key, problem.message)
        return None if problems else document.data["value"]

    def _listed(self, value: Any, key: str) -> Any:
        """With lists for mappings whose keys are numbers from 0."""
        if not isinstance(value, dict):
            return value
        inner = {name: self._listed(item, f"{key}.{name}") for name, item in value.items()}
        if not inner or not all(re.fullmatch("[0-9]{1,4}", name) for name in inner):
            return inner
        wanted = [str(number) for number in range(len(inner))]
        if missing := [number for number in wanted if number not in inner]:
            self._add(key, f"lacks the part {missing[0]}: the parts of a list are numbered from 0, without gaps")
        return [inner[number] for number in wanted if number in inner]

    def _routes(self, given: bool) -> dict[str, Any]:
        """The routes that `ecluse.host` and `ecluse.path` stand for."""
        short = [key for key in ("host", "path") if OWN_LABELS + key in self.labels]
        if given or not short:
            for key in short:
                self._add(key, f"cannot stand beside {OWN_LABELS}routes: give one or the other")
            return {}
        text = self.labels.get(f"{OWN_LABELS}host", "")
        hosts = [host.strip() for host in text.split(",")]
        if text.strip() and "" in hosts:
            self._add("host", "has nothing between two commas; it must be host names such as shop.example.com,www.example.com")
            return {}
        return {"routes": [{"host": host, "path": self.labels.get(f"{OWN_LABELS}path", "/")} for host in dict.fromkeys(hosts)]}

    def _label(self, key: str) -> str:
        """The label that says what stands at a key of the service."""
        dotted = re.sub(r"\[([0-9]+)\]", r".\1", key)
        route = re.fullmatch(r"routes\.[0-9]+\.(host|path)", dotted)
        return route[1] if route and OWN_LABELS + route[1] in self.labels else dotted

    def _add(self, key: str, message: str) -> None:
        self.problems.append(Problem(self.origin, 0, 0, OWN_LABELS + key, message))
        self._failed.append(tuple(int(part) if part.isdecimal() else part for part in key.split(".")))


def _of_source(given: models.Service, source: Source, path: Path) -> list[Finding]:
    if isinstance(source, Clone):
        return list(sources.never_zero(given, path, "compose"))
    if isinstance(source, Labelled) and "autoscale" in given.model_fields_set:
        message = "is for a Compose service or a Swarm service only: containers of neither are found, never started"
        return [Finding((*path, "autoscale"), message)]
    return []


def _unknown(key: str) -> str:
    if key in models.Service.unavailable:
        return models.Service.unavailable[key]
    if key in models.Service.model_fields:
        return _ELSEWHERE
    near = nearest(key, KEYS)
    hint = f'; did you mean "{near}"?' if near else ""
    return f"unknown key{hint} (known: {', '.join(KEYS)})"
