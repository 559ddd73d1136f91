"""Where a configuration's state is kept if the file does not say so: a folder for each file, under a directory for the state of programs.

What the directories are for stands in `docs/state.md`. Nothing is made or looked at here.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

NAME_CHARACTERS = 40
HASH_CHARACTERS = 12


def default_state(file: Path, environment: Mapping[str, str]) -> str:
    """The folder of a configuration file; "" where there is no place for it, since nobody says where the home directory is."""
    base = _base(environment)
    return str(base / _folder(file.absolute())) if base.is_absolute() else ""


def _base(environment: Mapping[str, str]) -> Path:
    """systemd's directory for the unit (systemd.exec, StateDirectory=; of several the first), or the user's (XDG Base Directory
    Specification, by which a relative path counts for none)."""
    if given := environment.get("STATE_DIRECTORY", "").partition(":")[0]:
        return Path(given)
    home = Path(environment.get("XDG_STATE_HOME", ""))
    return (home if home.is_absolute() else Path(environment.get("HOME", "")) / ".local" / "state") / "ecluse"


def _folder(file: Path) -> str:
    """A name that can be read, of the file and the directory that it is in, and a hash of the whole path: two files never share one."""
    name = re.sub("[^A-Za-z0-9_.-]+", "_", f"{file.parent.name}-{file.stem}").strip("-.")[:NAME_CHARACTERS]
    return f"{name}-{sha256(bytes(file)).hexdigest()[:HASH_CHARACTERS]}"
