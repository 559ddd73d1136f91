"""`${NAME}` in values, as Compose replaces it, but a variable that is not set and has no default is an error, never empty.

Only the forms in braces and `$$` (one `$`) mean anything; any other `$` stays, so that a shell in a command can use its own
variables. Defaults are not replaced again and hold no braces.
"""

import re
from collections.abc import Mapping

_REFERENCE = re.compile(
    r"""\$(?: (?P<escaped>\$)
            | \{ (?P<name>[A-Za-z_][A-Za-z0-9_]*) (?: (?P<colon>:)? (?P<operator>[-?+]) (?P<word>[^${}]*) )? \}
            | (?P<broken>\{) )""",
    re.VERBOSE,
)


def substitute(text: str, variables: Mapping[str, str]) -> str:
    """The text with its variables replaced. Raises ValueError, naming the variable, if one is needed and not set."""
    return _REFERENCE.sub(lambda found: _replacement(found, variables), text) if "$" in text else text


def _replacement(found: re.Match[str], variables: Mapping[str, str]) -> str:
    if found["escaped"]:
        return "$"
    if found["broken"]:
        raise ValueError("has a ${ that is not understood: write ${NAME} or ${NAME:-default}, or $${ for ${ itself")
    value = variables.get(found["name"])
    if value == "" and found["colon"]:
        value = None
    match found["operator"]:
        case "-":
            return found["word"] if value is None else value
        case "+":
            return "" if value is None else found["word"]
    if value is None:
        raise ValueError(_missing(found["name"], found["word"]))
    return value


def _missing(name: str, reason: str | None) -> str:
    if reason:
        return f"needs the environment variable {name}: {reason}"
    return f"needs the environment variable {name}, which is not set; set it, or give a default: ${{{name}:-default}}"
