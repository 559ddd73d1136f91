"""Which service a request is for: by Host, then by the longest path."""

import pytest

from balancer.hotpath.route import Route, Router
from balancer.hotpath.service import Service

ROUTES = [
    ("", "/", "fallback"),
    ("", "/status", "status"),
    ("shop.example.com", "/", "shop"),
    ("shop.example.com", "/api", "api"),
    ("shop.example.com", "/api/v2/", "api-v2"),
    ("Admin.Example.com", "/only", "admin"),
    ("*.example.com", "/", "any-example"),
    ("*.example.com", "/wild", "wild"),
    ("*.eu.example.com", "/eu", "eu"),
    ("[::1]", "/", "loopback"),
]


def router(routes: list[tuple[str, str, str]]) -> Router:
    services = {name: Route(Service(name, 0, None, lambda: 0.0)) for _, _, name in routes}
    return Router([(host.encode(), path.encode(), services[name]) for host, path, name in routes])


def found(table: Router, host: str, target: str) -> str | None:
    route = table.match(host.encode(), target.encode())
    return None if route is None else route.service.name if route.service else "ambiguous"


@pytest.mark.parametrize(
    ("host", "target", "service"),
    [
        pytest.param("shop.example.com", "/", "shop", id="an exact Host"),
        pytest.param("shop.example.com", "/x?y=/api", "shop", id="a query is no path"),
        pytest.param("shop.example.com", "/api", "api", id="a path as it stands"),
        pytest.param("shop.example.com", "/api/", "api", id="a path and a slash"),
        pytest.param("shop.example.com", "/api?x", "api", id="a path and a query"),
        pytest.param("shop.example.com", "/api/x", "api", id="a path below"),
        pytest.param("shop.example.com", "/apix", "shop", id="only whole segments"),
        pytest.param("shop.example.com", "/api/v2", "api-v2", id="a route's final slash says nothing"),
        pytest.param("shop.example.com", "/api/v2/x", "api-v2", id="the longest path wins"),
        pytest.param("shop.example.com", "/api/v22", "api", id="the longest path of whole segments wins"),
        pytest.param("shop.example.com", "/API", "shop", id="paths tell capitals from small letters"),
        pytest.param("shop.example.com", "*", "shop", id="the asterisk is for who has the root"),
        pytest.param("other.example.com", "/", "any-example", id="a wildcard"),
        pytest.param("a.b.c.example.com", "/", "any-example", id="a wildcard however deep"),
        pytest.param("a.eu.example.com", "/eu/x", "eu", id="the longer wildcard first"),
        pytest.param(
            "a.eu.example.com", "/wild", "wild", id="a path that the longer wildcard lacks is looked for in the shorter"
        ),
        pytest.param("shop.example.com", "/wild", "shop", id="an exact Host with the root keeps everything"),
        pytest.param("admin.example.com", "/only/x", "admin", id="routes' Hosts in whatever case"),
        pytest.param("admin.example.com", "/wild", "wild", id="a path that an exact Host lacks is looked for in the wildcard"),
        pytest.param("admin.example.com", "*", "any-example", id="the asterisk passes over who lacks the root"),
        pytest.param("example.com", "/", "fallback", id="a wildcard is not for the domain itself"),
        pytest.param("notexample.com", "/", "fallback", id="a wildcard begins at a dot"),
        pytest.param("shop.example.com.evil", "/", "fallback", id="a Host that only begins alike"),
        pytest.param("", "/", "fallback", id="no Host"),
        pytest.param("", "/status/x", "status", id="no Host, and a path"),
        pytest.param("[::1]", "/", "loopback", id="an IPv6 Host"),
        pytest.param("127.0.0.1", "/", "fallback", id="an address"),
    ],
)
def test_goes_to(host: str, target: str, service: str) -> None:
    assert found(router(ROUTES), host, target) == service


@pytest.mark.parametrize(
    ("host", "target"),
    [
        pytest.param("other.example", "/api", id="another Host"),
        pytest.param("shop.example", "/other", id="another path"),
        pytest.param("shop.example", "*", id="the asterisk where nobody has the root"),
    ],
)
def test_goes_nowhere(host: str, target: str) -> None:
    assert found(router([("shop.example", "/api", "api")]), host, target) is None


def test_without_routes_everything_goes_nowhere() -> None:
    assert found(router([]), "a.example", "/") is None


def test_the_order_in_which_routes_stand_says_nothing() -> None:
    requests = [("shop.example.com", "/api/v2/x"), ("a.eu.example.com", "/eu"), ("x", "/status")]
    forwards, backwards = router(ROUTES), router(ROUTES[::-1])
    assert [found(forwards, *request) for request in requests] == [found(backwards, *request) for request in requests]
