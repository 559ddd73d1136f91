"""What a right file about containers comes to: the endpoint, where replicas come from, and which of it the engine chooses."""

from pathlib import Path

import pytest

from autoscaler.cluster.engine import Clone, Copy, Healthcheck, Image, Pull, Source, SwarmService
from sidecar.config import Config, Docker, Service
from sidecar.configuration import ConfigurationErrors, parse

REFERENCE = Path(__file__).parents[2] / "examples" / "reference.yaml"
FOR_EVERY_ENGINE = """
services:
  shop:
    command: "serve {port}"
    image: shop:1.4.2
    swarm: {service: shop_web, network: shop}
    environment: {A: 1}
    port: 8000
  site:
    command: "serve {port}"
    compose: web
    swarm: site_web
    routes: [{path: /site}]
  legacy: {endpoints: ["10.0.0.5:80"], routes: [{path: /legacy}]}
"""
SHA = "sha256:" + "0123456789abcdef" * 4


def parsed(text: str, directory: Path = Path("/srv/shop")) -> Config:
    return parse(text, "f", directory=directory, variables={})


def only(engine: str, keys: str) -> Service:
    (service,) = parsed(f"engine: {engine}\nservices: {{shop: {{{keys}}}}}").services
    return service


def image(keys: str) -> Image:
    source = only("docker", f"image: shop, {keys}").source
    assert isinstance(source, Image)
    return source


SHOP = Image("shop:1.4.2", port=8000)


@pytest.mark.parametrize(
    ("engine", "shop", "site"),
    [
        pytest.param("processes", None, None, id="processes run the commands"),
        pytest.param("docker", SHOP, Clone("web"), id="docker takes the image and the Compose service"),
        pytest.param("swarm", SwarmService("shop_web", 8000, "shop"), SwarmService("site_web"), id="a Swarm its services"),
    ],
)
def test_one_file_works_with_several_engines(engine: str, shop: Source | None, site: Source | None) -> None:
    services = {service.name: service for service in parsed(f"engine: {engine}{FOR_EVERY_ENGINE}").services}
    assert [service.engine for service in services.values()] == [engine, engine, "fixed"]
    assert (services["shop"].source, services["site"].source) == (shop, site)
    assert all(services[name].rules for name in ("shop", "site"))
    assert services["legacy"].rules is None


@pytest.mark.parametrize(
    ("engine", "command", "environment", "directory"),
    [("processes", ("serve", "{port}"), {"A": "1"}, "/"), ("docker", ("serve", "{port}"), {"A": "1"}, ""), ("swarm", (), {}, "")],
)
def test_a_command_and_its_variables_hold_where_they_are_used(
    engine: str, command: tuple[str, ...], environment: dict[str, str], directory: str
) -> None:
    shop = parsed(f"engine: {engine}{FOR_EVERY_ENGINE}", Path("/")).services[0]
    assert (shop.command, shop.environment, shop.directory) == (command, environment, directory)


def test_of_an_image_and_no_service_a_swarm_service_is_made() -> None:
    assert only("swarm", "image: 'shop:2', port: 80, autoscale: {scale_to_zero: {}}").source == Image("shop:2", port=80)


def test_to_zero_is_wrong_only_for_the_engine_that_copies() -> None:
    service = only("processes", "command: serve, compose: web, autoscale: {scale_to_zero: {}}")
    assert service.rules
    assert service.rules.min_replicas == 0


@pytest.mark.parametrize("engine", ["processes", "docker", "swarm"])
def test_the_reference_works_with_every_engine(engine: str) -> None:
    text = REFERENCE.read_text().replace("engine: processes", f"engine: {engine}")
    config = parse(text, "reference.yaml", directory=REFERENCE.parent, variables={})
    assert {service.engine for service in config.services} == {engine, "fixed", "dns"}


def test_everything_about_an_image() -> None:
    service = only(
        "docker",
        """
    image: registry.example.com/shop:1.4.2, port: 8000, networks: [front, shop_back], pull: always,
    volumes: [data:/var/lib/shop, ./etc:/etc/shop:ro, ../logs:/logs:rw, /srv:/srv, /tmp, '.:/app'],
    resources: {cpus: 0.5, memory: 256MiB}, labels: [team=checkout, empty=], stop_signal: quit,
    healthcheck: {test: [CMD, check, --fast], interval: 10s, timeout: 2s, retries: 5, start_period: 1m},
    command: 'serve {port} {name}', environment: {A: b}""",
    )
    assert service.source == Image(
        name="registry.example.com/shop:1.4.2",
        port=8000,
        networks=("front", "shop_back"),
        volumes=(
            "data:/var/lib/shop",
            "/srv/shop/etc:/etc/shop:ro",
            "/srv/logs:/logs:rw",
            "/srv:/srv",
            "/tmp",  # noqa: S108 - a place in the container
            "/srv/shop:/app",
        ),
        cpus=0.5,
        memory=268_435_456,
        labels={"team": "checkout", "empty": ""},
        stop_signal="SIGQUIT",
        healthcheck=Healthcheck(("CMD", "check", "--fast"), 10.0, 2.0, 5, 60.0),
        pull=Pull.ALWAYS,
    )
    assert (service.command, service.environment) == (("serve", "{port}", "{name}"), {"A": "b"})


def test_an_image_alone_leaves_everything_to_the_image() -> None:
    service = only("docker", "image: shop")
    assert (service.source, service.command, service.engine) == (Image("shop"), (), "docker")
    assert service.rules


@pytest.mark.parametrize(
    ("given", "test"),
    [
        ("{test: curl --fail localhost}", ("CMD-SHELL", "curl --fail localhost")),
        ("{test: [CMD-SHELL, 'a | b']}", ("CMD-SHELL", "a | b")),
        ("{test: [NONE]}", ("NONE",)),
        ("{disable: true}", ("NONE",)),
        ("{interval: 5s}", ()),
    ],
)
def test_a_health_check_in_each_form_of_compose(given: str, test: tuple[str, ...]) -> None:
    health = image(f"healthcheck: {given}").healthcheck
    assert health
    assert health.test == test


@pytest.mark.parametrize(
    "name",
    ["shop", "a/b/c", "localhost:5000/shop", "[::1]:5000/shop:1", f"shop@{SHA}", f"r.example.com/a__b/c-d.e:1.2_3-x@{SHA}", SHA],
)
def test_images_are_named_as_docker_names_them(name: str) -> None:
    assert only("docker", f"image: '{name}'").source == Image(name)


@pytest.mark.parametrize(
    ("given", "signal"), [("SIGTERM", "SIGTERM"), ("int", "SIGINT"), ("15", "15"), ("SIGRTMIN+3", "SIGRTMIN+3")]
)
def test_signals_by_name_and_number(given: str, signal: str) -> None:
    assert image(f"stop_signal: {given}").stop_signal == signal


@pytest.mark.parametrize(
    ("engine", "given", "source"),
    [
        ("docker", "compose: web", Clone("web")),
        ("docker", "compose: {service: web, project: shop}, port: 80", Clone("web", "shop", 80)),
        ("docker", "container: web, port: 80", Copy("web", 80)),
        ("swarm", "swarm: shop_web", SwarmService("shop_web")),
        ("swarm", "swarm: {service: shop_web, network: shop_default}, port: 80", SwarmService("shop_web", 80, "shop_default")),
    ],
)
def test_what_is_there_already_in_short_and_in_full(engine: str, given: str, source: Source) -> None:
    assert only(engine, given).source == source


def test_without_a_word_of_it_the_endpoint_is_what_the_environment_says() -> None:
    config = parsed("services: {a: {command: a}}")
    assert (config.docker, config.proxies) == (Docker(), ())


def test_the_endpoint(tmp_path: Path) -> None:
    (tmp_path / "certs").mkdir()
    config = parsed(
        """
engine: swarm
docker:
  host: ["unix:///run/docker.sock", "tcp://10.0.0.5", "tcp://m1.example.com:2376/", "tcp://[fd00::5]:2376", "ssh://me@m2:2222"]
  cert_path: certs
  tls_verify: true
  owner: blue.team
  labels: false
services: {a: {swarm: a}}
""",
        tmp_path,
    )
    assert config.engine == "swarm"
    assert config.docker == Docker(
        ("unix:///run/docker.sock", "tcp://10.0.0.5", "tcp://m1.example.com:2376", "tcp://[fd00::5]:2376", "ssh://me@m2:2222"),
        str(tmp_path / "certs"),
        tls_verify=True,
        owner="blue.team",
        labels=False,
    )


@pytest.mark.parametrize("engine", ["docker", "swarm"])
def test_where_services_are_found_by_labels_the_file_needs_none(engine: str) -> None:
    assert parsed(f"engine: {engine}").services == ()


def test_proxies_that_run_apart() -> None:
    config = parsed(
        "admin: {token: t}\nproxies: [localhost:1, '[0::1]:2', 10.0.0.7:9090, tasks.proxy:9090]\nservices: {a: {command: a}}"
    )
    assert config.proxies == ("127.0.0.1:1", "[::1]:2", "10.0.0.7:9090", "tasks.proxy:9090")
    assert parsed("proxies: 127.0.0.1:1\nservices: {a: {command: a}}").proxies == ("127.0.0.1:1",)


def test_a_directory_with_a_colon_ends_no_volume(tmp_path: Path) -> None:
    odd = tmp_path / "a:b"
    odd.mkdir()
    with pytest.raises(ConfigurationErrors, match=r"services.a.volumes: would be under .*/a:b, whose name has a colon"):
        parsed("engine: docker\nservices: {a: {image: a, volumes: ./x:/x}}", odd)
