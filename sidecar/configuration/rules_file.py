"""The rules of `ecluse decide` and `ecluse simulate`: a whole configuration, or only an `autoscale` block.

A block stands with its keys at the top of the file, or under `autoscale:`, and applies to every service. A file with any key that a
configuration has at its top is a configuration. Mistakes are said at their line and column, as in one.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from autoscaler.rules import Rules
from sidecar.configuration import document as documents
from sidecar.configuration.checks import check
from sidecar.configuration.document import Document
from sidecar.configuration.load import configured, text_of
from sidecar.configuration.models import File
from sidecar.configuration.problems import ConfigurationErrors, nearest
from sidecar.configuration.rules import rules_of
from sidecar.configuration.scaling import Autoscale, Block
from sidecar.configuration.scaling_checks import scaling_findings
from sidecar.configuration.validation import validate


@dataclass(frozen=True, slots=True)
class RulesFile:
    """source: the file. services: those that have rules, by name; none where the file is one block for all."""

    source: str
    services: tuple[str, ...] = ()
    _rules: Mapping[str, Rules] = field(default_factory=dict)
    _block: Rules | None = None

    def of(self, service: str) -> Rules:
        """The rules of a service. Raises LookupError, in words, if the file has none for it."""
        found = self._block or self._rules.get(service)
        if found is None:
            near = nearest(service, self.services)
            hint = f'; did you mean "{near}"?' if near else ""
            raise LookupError(
                f"{self.source} has no rules for a service {service!r}{hint} (it has: {', '.join(self.services) or 'none'})"
            )
        return found


def load_rules(path: Path, cores: int) -> RulesFile:
    """The rules in a file. cores: those of the machine that they are for, as in `Autoscale.bounds`. Raises ConfigurationErrors."""
    document = documents.read(text_of(path), str(path), os.environ)
    if document.data.keys() & File.model_fields.keys():
        config = configured(document, path.absolute().parent, cores)
        rules = {service.name: service.rules for service in config.services if service.rules}
        return RulesFile(document.file, tuple(rules), rules)
    return RulesFile(document.file, _block=rules_of(_autoscale(document), cores))


def _autoscale(document: Document) -> Autoscale:
    """The block. Raises ConfigurationErrors."""
    below = "autoscale" in document.data
    block = validate(document, Block) if below else validate(document, Autoscale)
    given = block.autoscale if isinstance(block, Block) else block
    if given:
        check(document, scaling_findings(given, ("autoscale",) if below else ()))
    if document.problems or not given:
        raise ConfigurationErrors(document.problems)
    return given
