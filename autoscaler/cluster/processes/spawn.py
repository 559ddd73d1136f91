"""One new process, as the keeper makes it: in a session of its own, killed by the kernel when its parent dies.

To be called in a process with one thread only: the child runs Python between fork and exec, and PR_SET_PDEATHSIG follows the
thread that forked (prctl(2)).
"""

import ctypes
import os
import signal
from collections.abc import Mapping
from typing import NamedTuple, NoReturn

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # <linux/prctl.h>
_EXEC_FAILED = 127

_libc = ctypes.CDLL(None, use_errno=True)


def become_subreaper() -> None:
    """From now on processes below this one whose parents end become its children. Raises OSError."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


class Program(NamedTuple):
    """What to run. directory: "" is the keeper's own, which is the controller's. scratch: a private folder that is to go with both."""

    command: list[str]
    environment: Mapping[str, str]
    directory: str = ""
    scratch: str = ""


def spawn(program: Program, output: int) -> int:
    """Start a program with stdout and stderr on `output`; its pid, which is its session too. Raises OSError, in words."""
    report, trouble = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _run(program, output, trouble, parent)
    os.close(trouble)
    with os.fdopen(report, "rb") as file:  # ends when exec closes the other end, or with what went wrong
        words = file.read().decode()
    if words:
        os.waitpid(pid, 0)
        raise OSError(words)
    return pid


def spawn_with_pipe(program: Program) -> tuple[int, int]:
    """The pid, and what to read its output from. Raises OSError."""
    output, write = os.pipe()
    os.set_blocking(output, False)
    try:
        return spawn(program, write), output
    except OSError:
        os.close(output)
        raise
    finally:
        os.close(write)


def _run(program: Program, output: int, trouble: int, parent: int) -> NoReturn:
    """The child's side. Whatever happens, it does not return into the parent's program."""
    try:
        _leave_parent(parent)
        _take_streams(output)
        _enter(program.directory)
        _execute(program.command, program.environment)
    except (OSError, ValueError) as error:
        os.write(trouble, str(error).encode(errors="replace"))
    finally:
        os._exit(_EXEC_FAILED)


def _leave_parent(parent: int) -> None:
    """A session of its own; no ignored signal inherited (exec keeps those); an end together with the parent's."""
    os.setsid()
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise OSError("the keeper ended")


def _take_streams(output: int) -> None:
    """Every other descriptor is closed by exec (PEP 446)."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)


def _enter(directory: str) -> None:
    try:
        os.chdir(directory or ".")
    except OSError as error:
        raise OSError(f'the directory "{directory}" cannot be entered: {error.strerror}') from None


def _execute(command: list[str], environment: Mapping[str, str]) -> NoReturn:
    program = command[0]
    try:
        os.execvpe(program, command, environment)
    except FileNotFoundError:
        where = "does not exist" if "/" in program else f"was not found in the PATH {environment.get('PATH', os.defpath)}"
        raise OSError(f'the command "{program}" {where}') from None
    except OSError as error:
        raise OSError(f'the command "{program}" cannot be executed: {error.strerror}') from None


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"prctl({option}): {os.strerror(code)}")
