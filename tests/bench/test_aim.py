"""A service is reached as its clients reach it: at the listening address, with the Host and path of one of its routes."""

from typing import Any

import pytest

from sidecar.bench.aim import is_url, of_service, with_path

ADMIN = "http://127.0.0.1:9090"


def service(*routes: str) -> dict[str, Any]:
    return {"name": "shop", "routes": list(routes)}


@pytest.mark.parametrize(
    ("listen", "admin", "url"),
    [
        ("127.0.0.1:8080", ADMIN, "http://127.0.0.1:8080/"),
        ("0.0.0.0:8080", ADMIN, "http://127.0.0.1:8080/"),
        ("[::]:8080", ADMIN, "http://127.0.0.1:8080/"),
        ("0.0.0.0:8080", "http://10.0.0.7:9090", "http://10.0.0.7:8080/"),
        ("[::]:8080", "http://[fd00::7]:9090", "http://[fd00::7]:8080/"),
        ("10.0.0.8:8080", "http://10.0.0.7:9090", "http://10.0.0.8:8080/"),
    ],
)
def test_who_listens_everywhere_is_where_its_admin_api_is(listen: str, admin: str, url: str) -> None:
    assert of_service({"listen": [listen]}, service("*/"), admin, "").url == url


@pytest.mark.parametrize(
    ("routes", "path", "ends", "fields"),
    [
        pytest.param(("*/",), "", ":8080/", (), id="any Host"),
        pytest.param(("shop.example.com/cart",), "", ":8080/cart", ("Host: shop.example.com",), id="Host and path of the route"),
        pytest.param(("*.example.com/",), "/x?y=1", ":8080/x?y=1", ("Host: bench.example.com",), id="a wildcard, another path"),
        pytest.param(("a/cart", "b/pay"), "/pay/now", ":8080/pay/now", ("Host: b",), id="the route that leads to the path"),
    ],
)
def test_the_route_says_host_and_path(routes: tuple[str, ...], path: str, ends: str, fields: tuple[str, ...]) -> None:
    aim = of_service({"listen": ["127.0.0.1:8080"]}, service(*routes), ADMIN, path)
    assert aim.url.endswith(ends)
    assert (aim.fields, aim.service) == (fields, "shop")


@pytest.mark.parametrize(("routes", "path"), [((), ""), (("*/cart",), "/carts"), (("*/cart",), "/")])
def test_a_path_that_no_route_leads_to_is_refused(routes: tuple[str, ...], path: str) -> None:
    with pytest.raises(ValueError, match="no route of shop leads to /"):
        of_service({"listen": ["127.0.0.1:8080"]}, service(*routes), ADMIN, path)


@pytest.mark.parametrize(
    ("word", "url"),
    [
        ("shop", False),
        ("my-shop_2", False),
        ("http://a/", True),
        ("127.0.0.1:80", True),
        ("unix:/a", True),
        ("localhost/x", True),
    ],
)
def test_a_name_of_a_service_is_no_url(word: str, url: bool) -> None:
    assert is_url(word) is url


@pytest.mark.parametrize(
    ("url", "path", "whole"),
    [
        ("http://a:1/x?y", "", "http://a:1/x?y"),
        ("http://a:1/x?y", "/z", "a:1/z"),
        ("a:1", "/z", "a:1/z"),
        ("a:1?x", "/z", "a:1/z"),
        ("unix:/run/a.sock", "/z", "unix:/run/a.sock:/z"),
        ("http://unix:/run/a.sock:/x", "/z", "unix:/run/a.sock:/z"),
    ],
)
def test_a_path_takes_the_place_of_the_urls(url: str, path: str, whole: str) -> None:
    assert with_path(url, path) == whole
