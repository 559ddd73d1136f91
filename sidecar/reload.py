"""What a new configuration changes: computed first, so that a reload is refused whole or done whole."""

from dataclasses import dataclass

from sidecar.config import Config, Service


@dataclass(frozen=True, slots=True)
class Changes:
    """removed and added hold both sides of a service that now runs on another engine."""

    added: tuple[Service, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[Service, ...] = ()
    listen: bool = False
    settings: bool = False
    proxies: bool = False
    budget: bool = False

    @property
    def data_path(self) -> bool:
        """Whether requests are carried elsewhere from now on."""
        return self.listen or self.proxies

    def __str__(self) -> str:
        parts = [
            *(f"{service.name} added" for service in self.added),
            *(f"{name} removed" for name in self.removed),
            *(f"{service.name} changed" for service in self.changed),
            *(["other addresses to listen on"] if self.listen else []),
            *(["other limits, timeouts or logs"] if self.settings else []),
            *(["other proxies"] if self.proxies else []),
            *(["another budget"] if self.budget else []),
        ]
        return ", ".join(parts) or "nothing changed"


def changes(old: Config, new: Config) -> Changes:
    """From one configuration to the next."""
    before = {service.name: service for service in old.services}
    after = {service.name: service for service in new.services}
    moved = {name for name in before.keys() & after.keys() if before[name].engine != after[name].engine}
    return Changes(
        added=tuple(service for name, service in after.items() if name not in before or name in moved),
        removed=tuple(name for name in before if name not in after or name in moved),
        changed=tuple(service for name, service in after.items() if name in before.keys() - moved and service != before[name]),
        listen=old.listen != new.listen,
        settings=old.settings != new.settings,
        proxies=old.proxies != new.proxies,
        budget=old.budget != new.budget,
    )


def needs_restart(old: Config, new: Config) -> list[str]:
    """What cannot change while the program runs, in words."""
    fixed = {
        "engine": (old.engine, new.engine),
        "docker.host": (_words(old.docker.hosts), _words(new.docker.hosts)),
        "docker.cert_path": (_words(old.docker.cert_path), _words(new.docker.cert_path)),
        "docker.tls_verify": (_words(old.docker.tls_verify), _words(new.docker.tls_verify)),
        "docker.owner": (old.docker.owner, new.docker.owner),
        "docker.labels": (_words(old.docker.labels), _words(new.docker.labels)),
        "workers": (old.workers, new.workers),
        "state": (_words(old.state), _words(new.state)),
        "admin.listen": (old.admin_listen, new.admin_listen),
        "admin.hosts": (_words(old.admin_hosts), _words(new.admin_hosts)),
        "admin.token": ("the old one", "another" if new.admin_token != old.admin_token else "the old one"),
    }
    return [
        f"{key} cannot change while ecluse runs ({was} -> {now}): stop it and start it again"
        for key, (was, now) in fixed.items()
        if was != now
    ]


def _words(value: object) -> str:
    """A value of the configuration in words."""
    match value:
        case bool():
            return "yes" if value else "no"
        case tuple() if value:
            return ", ".join(value)
        case str() if value:
            return value
    return "not given"
