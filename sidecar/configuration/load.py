"""The way in: a file, a text or a command line becomes a `Config`, or `ConfigurationErrors` with everything that is wrong."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sidecar.config import Config
from sidecar.configuration import document as documents
from sidecar.configuration.build import build
from sidecar.configuration.checks import check, findings
from sidecar.configuration.document import FILE_BYTES, Document
from sidecar.configuration.models import File
from sidecar.configuration.problems import ConfigurationErrors, Problem
from sidecar.configuration.state import default_state
from sidecar.configuration.validation import validate

COMMAND_LINE = "command line"
SERVICE = "app"  # what the command of a command line is called
_OPTIONS = {
    "listen": "--listen",
    "workers": "--workers",
    "admin.listen": "--admin",
    f"services.{SERVICE}.command": "COMMAND",
    f"services.{SERVICE}.autoscale.min_replicas": "--min",
    f"services.{SERVICE}.autoscale.max_replicas": "--max",
}


def load(path: Path) -> Config:
    """The configuration in a file. Raises ConfigurationErrors."""
    state = default_state(path, os.environ)
    return parse(text_of(path), str(path), directory=path.absolute().parent, state=state)


def text_of(path: Path) -> str:
    """What stands in a file. Raises ConfigurationErrors."""
    try:
        with path.open("rb") as file:
            octets = file.read(FILE_BYTES + 1)
        return documents.checked_size(octets, str(path)).decode()
    except OSError as error:
        raise ConfigurationErrors([Problem(str(path), 0, 0, "", f"cannot be read: {_reason(error)}")]) from None
    except UnicodeDecodeError as error:
        before = octets[: error.start].decode()
        line, column = before.count("\n") + 1, error.start - octets.rfind(b"\n", 0, error.start)
        message = f"is not UTF-8: there is a byte 0x{octets[error.start]:02x}"
        raise ConfigurationErrors([Problem(str(path), line, column, "", message)]) from None


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def parse(
    text: str, source: str, *, directory: Path | None = None, variables: Mapping[str, str] | None = None, state: str = ""
) -> Config:
    """The configuration in a text. Raises ConfigurationErrors.

    source: its name in messages. directory: what relative paths are relative to, by default the current one. variables: what
    ${NAME} stands for, by default the environment. state: the directory for it where the text names none.
    """
    document = documents.read(text, source, os.environ if variables is None else variables)
    return configured(document, directory or _here(source), usable_cores(), state)


def from_command(
    command: Sequence[str],
    *,
    minimum: int | str | None = None,
    maximum: int | str | None = None,
    listen: str | Sequence[str] | None = None,
    admin: str | None = None,
    workers: int | str | None = None,
) -> Config:
    """The configuration of `ecluse run [--min N --max N --listen ADDR] -- COMMAND...`. Raises ConfigurationErrors.

    Its one service is named "app". None is the same default as in a file; a minimum of 0 scales to zero.
    """
    scaling = _given(min_replicas=minimum, max_replicas=maximum, scale_to_zero={} if str(minimum) == "0" else None)
    service = {"command": list(command), "autoscale": scaling}
    data = _given(listen=listen, workers=workers, admin=_given(listen=admin), services={SERVICE: service})
    document = documents.of_values(data, COMMAND_LINE)
    try:
        return configured(document, _here(COMMAND_LINE), usable_cores())
    except ConfigurationErrors as errors:
        raise ConfigurationErrors([replace(one, key=_OPTIONS.get(one.key, one.key)) for one in errors.problems]) from None


def _here(source: str) -> Path:
    """The current directory. Raises ConfigurationErrors: it may have been removed."""
    try:
        return Path.cwd()
    except OSError as error:
        message = f"the current directory cannot be found ({_reason(error)}): go to another one"
        raise ConfigurationErrors([Problem(source, 0, 0, "", message)]) from None


def _given(**options: object) -> dict[str, object]:
    """The options that were given, as the text that a file would hold."""
    texts = {name: str(value) if isinstance(value, int) else value for name, value in options.items() if value is not None}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in texts.items()}


def usable_cores() -> int:
    """The processor cores that this program may use."""
    return len(os.sched_getaffinity(0))


def configured(document: Document, directory: Path, cores: int, state: str = "") -> Config:
    """The configuration that a document holds. cores: as in `Autoscale.bounds`; state: as in `parse`. Raises ConfigurationErrors."""
    file = validate(document, File)
    if file:
        check(document, findings(file, directory, cores))
    if document.problems or not file:
        raise ConfigurationErrors(document.problems)
    return build(file, document.file, directory, cores, state)
