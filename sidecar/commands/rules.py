"""Rule files as the commands that try them read them."""

import os
from pathlib import Path

from sidecar.commands import Exit, Wrong
from sidecar.configuration import ConfigurationErrors
from sidecar.configuration.rules_file import RulesFile, load_rules


def load(file: Path) -> RulesFile:
    """The rules in the file, for a machine such as this one. Raises Wrong."""
    try:
        return load_rules(file, len(os.sched_getaffinity(0)))
    except ConfigurationErrors as errors:
        raise Wrong(str(errors), Exit.USAGE) from errors
