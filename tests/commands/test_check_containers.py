"""`ecluse check` on files about containers: what it sums up, and what it warns of."""

from pathlib import Path

import pytest

from tests.commands.conftest import Ecluse


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (
            "{engine: docker, services: {shop: {image: 'shop:1.4.2', command: 'serve {port}', autoscale: {max_replicas: 12}}}}",
            (
                "containers on docker, where DOCKER_HOST says, and services by their labels; owner: ecluse",
                "image shop:1.4.2 on docker, running serve '{port}'",
                "1 to 12 replicas",
            ),
        ),
        (
            "{engine: docker, docker: {owner: us, labels: false}, services: {a: {compose: {service: web, project: shop}, port: 80}}}",
            ("where DOCKER_HOST says; owner: us", "copies of the Compose service web of shop on docker, port 80"),
        ),
        (
            "{engine: swarm, docker: {host: ['tcp://a', 'tcp://b']}, services: {a: {swarm: {service: web, network: net}}}}",
            ("containers on swarm, tcp://a or else tcp://b", "the Swarm service web over net on swarm"),
        ),
        ("{engine: swarm}", ("containers on swarm",)),
        ("{proxies: 'localhost:9091', services: {a: {dns: 'a:80'}}}", ("proxies that run apart: 127.0.0.1:9091",)),
    ],
)
def test_check_sums_up_containers_and_where_they_run(tmp_path: Path, ecluse: Ecluse, file: str, said: tuple[str, ...]) -> None:
    (tmp_path / "ecluse.yaml").write_text(file)
    done = ecluse("check", str(tmp_path / "ecluse.yaml"))
    assert (done.returncode, done.stderr) == (0, "")
    for words in said:
        assert words in done.stdout


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (
            "{engine: docker, services: {a: {image: a, command: 'serve {prot}'}}}",
            "services.a.command: {prot} is left as it is: only {port} and {name} are replaced; did you mean {port}?",
        ),
        ("{engine: docker, services: {a: {image: a, command: 'there-is-no-such-program-here 80'}}}", ""),
        ("{engine: docker, docker: {host: 'ssh://a', tls_verify: true}}", "docker.tls_verify: is for tcp:// only: ..."),
        (
            "{engine: docker, docker: {host: 'tcp://a', tls_verify: false}}",
            "docker.host: whoever stands between here and tcp://a becomes root there: ...",
        ),
        ("{engine: docker, docker: {host: 'tcp://127.0.0.1:2375', tls_verify: false}}", ""),
    ],
)
def test_check_warns_of_containers_that_will_hardly_work(tmp_path: Path, ecluse: Ecluse, file: str, said: str) -> None:
    (tmp_path / "ecluse.yaml").write_text(file)
    done = ecluse("check", str(tmp_path / "ecluse.yaml"))
    assert done.returncode == 0
    assert done.stderr.startswith(f"ecluse: warning: {said.removesuffix('...')}" if said else "")
    assert done.stderr.count("\n") == bool(said)
