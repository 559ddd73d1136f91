"""What is asked of a Docker engine: one method for each call of its HTTP API that Écluse makes, and no other.

The list is documented in `docs/docker.md`, so that a socket proxy can refuse all the rest. Everything here blocks: it is for threads.
Every failure is a `MobyError` in words. What answers mean is known elsewhere.
"""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import docker
import docker.auth
import docker.errors
import docker.tls
import docker.utils
import docker.utils.socket
import requests

from autoscaler.cluster.engine import EngineError
from autoscaler.cluster.moby.where import Where

Json = dict[str, Any]
T = TypeVar("T")
Filters = Mapping[str, list[str]]

CONNECTIONS = 128  # kept for the next call; more than the link has threads for
TIMEOUT_S = 10.0  # of one answer; a longer silence is taken for a failure
_LEADERLESS = ("code = Unavailable", "code = DeadlineExceeded", "context deadline exceeded", "does not have a leader")


class MobyError(EngineError):
    """An engine refused, failed or did not answer. status: of its answer, 0 if there was none."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status

    @property
    def away(self) -> bool:
        """Whether another manager, or the same one a moment later, may do what was asked.

        500 is not among the signs: it is how an engine says that an image's command does not exist or a disk is full. Only what a
        manager passes on from a Swarm without a leader looks the same.
        """
        return self.status in {0, 502, 503, 504} or (self.status == 500 and any(sign in str(self) for sign in _LEADERLESS))

    @property
    def missing(self) -> bool:
        """Whether what was asked about is not there."""
        return self.status == 404

    @property
    def conflict(self) -> bool:
        """Whether it is so already, or somebody else came first."""
        return self.status in {304, 409} or self.stale

    @property
    def stale(self) -> bool:
        """Whether somebody changed a Swarm object since its version was read."""
        return "out of sequence" in str(self)


@contextmanager
def _said(where: Where) -> Iterator[None]:
    try:
        yield
    except docker.errors.APIError as error:
        raise MobyError(
            f"{where.url} answered {error.status_code}: {_words(error.explanation)}", error.status_code or 0
        ) from error
    except (docker.errors.DockerException, requests.exceptions.RequestException, OSError, ValueError) as error:
        raise MobyError(f"no answer from {where.url}: {_words(error)}") from error


def _words(error: object) -> str:
    """An error's text in one line, of a length that people read."""
    return " ".join(str(error).split())[:500] or type(error).__name__


def _end_of(stream: Any, timeout_s: float, octets: int) -> bytes:
    """The end of what a command prints (frames of both its outputs), until it ends or its time is over."""
    sock, kept = getattr(stream, "_sock", stream), b""
    timer = threading.Timer(timeout_s, lambda: _cut(sock))
    timer.start()
    try:
        for _, part in docker.utils.socket.frames_iter(stream, tty=False):
            kept = (kept + part)[-octets:]
    finally:
        timer.cancel()
    return kept


def _give_back(stream: Any) -> None:
    """A raw stream, with the connection under it and the response that it was taken from."""
    for each in (getattr(stream, "_response", None), getattr(stream, "_sock", None), stream):
        if each is not None:
            with suppress(ValueError):  # it is closed already with the one before
                each.close()


def _cut(sock: Any) -> None:
    with suppress(OSError, AttributeError):
        sock.shutdown(socket.SHUT_RDWR)


class Messages:
    """JSON messages as they come. Iterating blocks, and raises whatever docker-py, requests and urllib3 do when it breaks."""

    def __init__(self, client: Any, response: Any) -> None:
        self._response = response
        self._messages: Iterator[Json] = client._stream_helper(response, decode=True)

    def __iter__(self) -> Iterator[Json]:
        return self._messages

    def cut(self) -> None:
        """End it, from another thread than the one that reads. What comes by way of an ssh program cannot be ended so."""
        file = getattr(getattr(self._response.raw, "_fp", None), "fp", None)
        if sock := getattr(getattr(file, "raw", None), "_sock", None):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give back its connection, from the thread that reads."""
        self._response.close()


class Api:
    """One engine. ids: of containers, tasks, services and so on as the engine gives them; a name will do as well."""

    def __init__(self, where: Where, timeout_s: float = TIMEOUT_S) -> None:
        """Raises MobyError if there is no engine."""
        self.where = where
        with _said(where):
            self._client = docker.APIClient(
                base_url=where.url,
                tls=_tls(where),
                timeout=timeout_s,
                version="auto",
                use_ssh_client=True,
                max_pool_size=CONNECTIONS,
            )

    def close(self) -> None:
        with suppress(OSError):
            self._client.close()

    # The engine itself

    def version(self) -> Json:
        """GET /version"""
        return self._ask(lambda client: client.version(api_version=False))

    def events(self, since_s: float, filters: Filters) -> Messages:
        """GET /events: from a moment (seconds since the epoch) on, until closed."""
        parameters = {"since": int(since_s), "filters": docker.utils.convert_filters(dict(filters))}
        return self._streamed(lambda client: client._get(client._url("/events"), params=parameters, stream=True, timeout=None))

    # Containers

    def containers(self, filters: Filters) -> list[Json]:
        """GET /containers/json, those that do not run included."""
        return self._ask(lambda client: client.containers(all=True, filters=dict(filters)))

    def container(self, container: str) -> Json:
        """GET /containers/{id}/json"""
        return self._ask(lambda client: client.inspect_container(container))

    def create(self, name: str, config: Mapping[str, Any]) -> str:
        """POST /containers/create: the new container's id. config: as in the HTTP API."""
        made: Json = self._ask(lambda client: client.create_container_from_config(dict(config), name))
        return str(made["Id"])

    def connect(self, network: str, container: str, endpoint: Mapping[str, Any]) -> None:
        """POST /networks/{id}/connect"""
        url = "/networks/{0}/connect"
        body = {"Container": container, "EndpointConfig": dict(endpoint)}
        self._ask(lambda client: client._result(client._post_json(client._url(url, network), data=body)))

    def start(self, container: str) -> None:
        """POST /containers/{id}/start"""
        self._ask(lambda client: client.start(container))

    def stop(self, container: str, grace_s: int) -> None:
        """POST /containers/{id}/stop: its stop signal, then SIGKILL. Returns when it has ended."""
        self._ask(lambda client: client.stop(container, timeout=grace_s))

    def remove(self, container: str) -> None:
        """DELETE /containers/{id}: killed if it still runs, its anonymous volumes with it."""
        self._ask(lambda client: client.remove_container(container, v=True, force=True))

    def stats(self, container: str) -> Messages:
        """GET /containers/{id}/stats: a frame a second."""
        url = "/containers/{0}/stats"
        return self._streamed(lambda client: client._get(client._url(url, container), params={"stream": True}, stream=True))

    def logs(self, container: str, lines: int) -> str:
        """GET /containers/{id}/logs: the last lines, of both outputs."""
        octets: bytes = self._ask(lambda client: client.logs(container, tail=lines, stdout=True, stderr=True))
        return octets.decode(errors="replace")

    def execute(self, container: str, command: Sequence[str], timeout_s: float, octets: int) -> tuple[int | None, bytes]:
        """POST /containers/{id}/exec, POST /exec/{id}/start, GET /exec/{id}/json: the exit status (None: it had not ended in time), and
        the end of what was printed."""

        def run(client: Any) -> tuple[int | None, bytes]:
            made = client.exec_create(container, list(command))["Id"]
            stream = client.exec_start(made, socket=True)
            try:
                kept = _end_of(stream, timeout_s, octets)
            finally:
                _give_back(stream)
            ended: Json = client.exec_inspect(made)
            return None if ended["Running"] else ended["ExitCode"], kept

        return self._ask(run)

    # Images

    def image(self, name: str) -> Json:
        """GET /images/{name}/json"""
        return self._ask(lambda client: client.inspect_image(name))

    def pull(self, name: str) -> Messages:
        """POST /images/create: progress, as the engine tells it. Credentials are those of Docker's configuration file, read again."""
        plain, _, digest = name.partition("@")
        repository, tag = docker.utils.parse_repository_tag(plain)
        parameters = {"fromImage": repository, "tag": digest or tag or "latest"}

        def begin(client: Any) -> Any:
            client.reload_config()
            url, given = client._url("/images/create"), _credentials(client, plain)
            return client._post(url, params=parameters, headers=given, stream=True, timeout=None)

        return self._streamed(begin)

    # Networks

    def network(self, name: str) -> Json:
        """GET /networks/{id}"""
        return self._ask(lambda client: client.inspect_network(name))

    # Swarm

    def services(self, filters: Filters) -> list[Json]:
        """GET /services"""
        return self._ask(lambda client: client.services(filters=dict(filters)))

    def create_service(self, spec: Mapping[str, Any]) -> str:
        """POST /services/create: the new service's id. Nodes pull its image with the credentials of Docker's configuration file."""
        image = spec["TaskTemplate"]["ContainerSpec"]["Image"]
        made: Json = self._ask(
            lambda client: client._result(
                client._post_json(client._url("/services/create"), data=dict(spec), headers=_credentials(client, image)),
                json=True,
            )
        )
        return str(made["ID"])

    def update_service(self, service: str, version: int, spec: Mapping[str, Any], image: str = "") -> None:
        """POST /services/{id}/update: the whole spec, which must have been read at that version. image: one that it may be new to;
        otherwise the credentials that the service has stay."""
        url = "/services/{0}/update"
        parameters = {"version": version, "registryAuthFrom": "spec"}
        self._ask(
            lambda client: client._result(
                client._post_json(
                    client._url(url, service), data=dict(spec), params=parameters, headers=_credentials(client, image)
                )
            )
        )

    def remove_service(self, service: str) -> None:
        """DELETE /services/{id}"""
        self._ask(lambda client: client.remove_service(service))

    def tasks(self, filters: Filters) -> list[Json]:
        """GET /tasks"""
        return self._ask(lambda client: client.tasks(filters=dict(filters)))

    def nodes(self) -> list[Json]:
        """GET /nodes"""
        return self._ask(lambda client: client.nodes())

    def _streamed(self, begin: Callable[[Any], Any]) -> Messages:
        with _said(self.where):
            response = begin(self._client)
            self._client._raise_for_status(response)
            return Messages(self._client, response)

    def _ask(self, use: Callable[[Any], T]) -> T:
        with _said(self.where):
            return use(self._client)


def _credentials(client: Any, image: str) -> dict[str, str]:
    """The field that carries those for an image's registry, if there are any."""
    header = image and docker.auth.get_config_header(client, docker.auth.resolve_repository_name(image)[0])
    return {"X-Registry-Auth": header.decode()} if header else {}


def _tls(where: Where) -> Any:
    if not where.tls or not where.url.startswith("tcp://"):
        return False
    folder = where.tls.folder
    return docker.tls.TLSConfig(
        client_cert=(str(folder / "cert.pem"), str(folder / "key.pem")),
        ca_cert=str(folder / "ca.pem"),
        verify=where.tls.verify,
    )
