"""Reads configuration files and command lines into `sidecar.config.Config`.

The way of a file: text -> `document` (YAML to plain text values with positions, `${NAME}` replaced) -> `models` (pydantic: each
value by itself) -> `checks` (values against each other) -> `build` (every default filled in). All that is wrong comes out at once,
as `ConfigurationErrors`, in our own words. Nothing here starts, opens or keeps anything.
"""

from sidecar.configuration.load import from_command, load, parse
from sidecar.configuration.problems import ConfigurationErrors, Problem

__all__ = ["ConfigurationErrors", "Problem", "from_command", "load", "parse"]
