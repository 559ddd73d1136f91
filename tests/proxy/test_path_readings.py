"""Paths that a proxy and the application behind it may read differently: refused where that would lead to another route."""

import pytest

from balancer.hotpath.paths import READ_MOST, readings, resolved
from balancer.table import RouteEntry
from tests.proxy.wire import Message, ask
from tests.proxy.witness import answering, witness
from tests.proxy.workers import Workers, service_of, table_of

PUBLIC, ADMIN = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npublic", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nadmin"


def get(target: str) -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: test\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        pytest.param("/admin/x", b"admin", id="as it stands"),
        pytest.param("/x/../admin", None, id="dot segments"),
        pytest.param("/admin/../x", None, id="dot segments out of a route"),
        pytest.param("/x/%2e%2e/admin", None, id="encoded dots"),
        pytest.param("/x/%2E./admin", None, id="half encoded dots"),
        pytest.param("/x%2f..%2fadmin", None, id="encoded slashes"),
        pytest.param("//admin/x", None, id="two slashes"),
        pytest.param("/./admin", None, id="one dot"),
        pytest.param("/%61dmin", None, id="an encoded letter"),
        pytest.param("/%2561dmin", None, id="a letter encoded twice"),
        pytest.param("/admin%2fx", None, id="an encoded slash after the prefix"),
        pytest.param("/admin;x=1", None, id="parameters"),
        pytest.param("/admin;x/y", None, id="parameters in the middle"),
        pytest.param("/x/..;/admin", None, id="parameters after dots"),
        pytest.param("/x\\..\\admin", None, id="backslashes"),
        pytest.param("/admin%00", b"public", id="NUL ends no segment anywhere"),
        pytest.param("/admin%3fx", None, id="an encoded question mark"),
        pytest.param("/admin/a%20b", b"admin", id="an encoded space below a route"),
        pytest.param("/x/../y", b"public", id="dot segments that stay"),
        pytest.param("/files/%C3%A9t%C3%A9;v=2", b"public", id="encoded letters elsewhere"),
        pytest.param("/x?y=/../admin%2f;//", b"public", id="a query is no path"),
        pytest.param("/admin/.." + "/a" * READ_MOST, None, id="too long to be read in every way"),
        pytest.param("/" + "a" * READ_MOST, b"public", id="long and plain"),
    ],
)
async def test_a_path_leads_where_every_reading_of_it_leads(proxy: Workers, target: str, leads_to: bytes | None) -> None:
    seen: list[Message] = []
    async with witness(answering(PUBLIC, seen=seen)) as public, witness(answering(ADMIN, seen=seen)) as admin:
        services = (service_of(public.address), service_of(admin.address, name="admin", slot=1))
        proxy.use(table_of(*services, routes=(RouteEntry("", "/", "app"), RouteEntry("", "/admin", "admin"))))
        answer = await ask(proxy.port, get(target))
        assert (answer.status, answer.body if leads_to else None) == ((200, leads_to) if leads_to else (400, None))
        assert [request.target for request in seen] == ([target] if leads_to else [])  # passed on as it came


async def test_where_paths_decide_nothing_every_path_is_passed_on(proxy: Workers) -> None:
    seen: list[Message] = []
    targets = ["//x", "/a/../b", "/%2e%2e/x", "/x;y", "/a\\b", "/" + "%2e/" * 1000]
    async with witness(answering(seen=seen)) as replica:
        proxy.serve(service_of(replica.address))
        assert [(await ask(proxy.port, get(target))).status for target in targets] == [200] * len(targets)
        assert [request.target for request in seen] == targets


@pytest.mark.parametrize(
    ("path", "without_dots"),
    [
        pytest.param(b"/a/b/c/./../../g", b"/a/g", id="the example of RFC 3986 section 5.2.4"),
        pytest.param(b"/../../x", b"/x", id="above the root there is nothing"),
        pytest.param(b"/a/..", b"/", id="dots at the end leave a slash"),
        pytest.param(b"/a/.", b"/a/", id="and so does a dot"),
        pytest.param(b"/a//../b", b"/a/b", id="an empty segment is one"),
        pytest.param(b"*", b"/", id="no path at all"),
    ],
)
def test_dot_segments(path: bytes, without_dots: bytes) -> None:
    assert resolved(path) == without_dots
    assert without_dots in readings(path)
