"""What one private engine or Swarm has for itself on this machine: a range of addresses, a bridge, a folder and a control group.

A plot is held by a file lock, so runs that happen at the same time never share one, and whatever a killed run left behind is cleared
by the next one that takes the plot. Nothing outside of these is ever touched.
"""

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

RANGE = IPv4Network("198.18.0.0/15")  # RFC 2544: for tests of network devices, so no real network has them
_GROUPS = Path("/sys/fs/cgroup")
_PLOTS = list(RANGE.subnets(new_prefix=20))


@dataclass(frozen=True, slots=True)
class Plot:
    """addresses: the plot's own; folder: empty at the beginning, its path short enough for Unix sockets below it."""

    number: int
    addresses: IPv4Network
    folder: Path

    @property
    def bridge(self) -> str:
        """The name of the plot's network interface on this machine, and of its control group."""
        return f"ecluse{self.number}"

    @property
    def local(self) -> IPv4Network:
        """The bridge's network; its first address is this machine's own."""
        return next(self.addresses.subnets(new_prefix=24))

    @property
    def gateway(self) -> IPv4Address:
        """This machine's address on the bridge."""
        return self.local[1]

    @property
    def pool(self) -> str:
        """For an engine's further networks, as an option of dockerd: 32 networks of 62 addresses."""
        return f"base={self.upper_half},size=26"

    @property
    def upper_half(self) -> IPv4Network:
        """What `pool` is cut from."""
        return list(self.addresses.subnets(new_prefix=21))[1]


@contextmanager
def plot() -> Iterator[Plot]:
    """A plot that nobody else has, with its bridge up; cleared at the end."""
    root = Path(tempfile.gettempdir()) / "ecluse-engines"
    root.mkdir(mode=0o755, exist_ok=True)
    for number, addresses in enumerate(_PLOTS):
        with (root / f"{number}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            one = Plot(number, addresses, root / str(number))
            _clear(one)
            try:
                _lay_out(one)
                yield one
            finally:
                _clear(one)
            return
    raise AssertionError(f"all {len(_PLOTS)} plots below {root} are taken by other runs")


def _lay_out(one: Plot) -> None:
    one.folder.mkdir()
    ip("link", "add", one.bridge, "type", "bridge")
    ip("address", "add", f"{one.gateway}/{one.local.prefixlen}", "dev", one.bridge)
    ip("link", "set", one.bridge, "up")
    # A dockerd that runs on this machine with its defaults forbids forwarding, and that holds between containers of our bridges too.
    _iptables("--insert", one)


def _clear(one: Plot) -> None:
    for name in _interfaces_within(one.addresses):
        subprocess.run(["ip", "link", "delete", name], check=False)
    while _iptables("--delete", one):
        pass
    shutil.rmtree(one.folder, ignore_errors=True)
    for group in (_GROUPS / one.bridge, *_GROUPS.glob(f"*/{one.bridge}")):
        for folder, _, _ in os.walk(group, topdown=False):
            with suppress(OSError):  # its last process is on its way out; the plot's next user tries again
                Path(folder).rmdir()


def _iptables(action: str, one: Plot) -> bool:
    rule = ["FORWARD", "--source", str(one.addresses), "--destination", str(one.addresses), "--jump", "ACCEPT"]
    return subprocess.run(["iptables", "--wait", action, *rule], check=False, stderr=subprocess.DEVNULL).returncode == 0


def _interfaces_within(addresses: IPv4Network) -> list[str]:
    return [
        interface["ifname"]
        for interface in json.loads(ip("-json", "address", "show"))
        for address in interface.get("addr_info", ())
        if address["family"] == "inet" and IPv4Address(address["local"]) in addresses
    ]


def ip(*words: str) -> str:
    """What `ip` prints. Raises CalledProcessError, whose `stderr` says why."""
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout
