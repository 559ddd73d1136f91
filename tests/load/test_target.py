"""A URL says where to connect to, what Host says, and the path; what cannot be meant is refused in words."""

import socket
from pathlib import Path

import pytest

from sidecar.load.target import Nobody, parse, reachable
from tests.support import free_port


@pytest.mark.parametrize(
    ("url", "address", "authority", "path"),
    [
        pytest.param("http://127.0.0.1:8000/a?b=c", "127.0.0.1:8000", "127.0.0.1:8000", "/a?b=c", id="IPv4"),
        pytest.param("http://[::1]:8000", "[::1]:8000", "[::1]:8000", "/", id="IPv6, no path"),
        pytest.param("http://127.0.0.1", "127.0.0.1:80", "127.0.0.1", "/", id="port 80 by itself"),
        pytest.param("127.0.0.1:8000/x", "127.0.0.1:8000", "127.0.0.1:8000", "/x", id="no scheme"),
        pytest.param("unix:/run/app.sock", "unix:/run/app.sock", "localhost", "/", id="a Unix socket"),
        pytest.param("http://unix:/run/app.sock:/x?y=1", "unix:/run/app.sock", "localhost", "/x?y=1", id="as nginx writes it"),
        pytest.param("127.0.0.1:80/?to=http://x/", "127.0.0.1:80", "127.0.0.1:80", "/?to=http://x/", id="a URL in the query"),
    ],
)
def test_a_url_is_read(url: str, address: str, authority: str, path: str) -> None:
    target = parse(url)
    assert (target.address, target.authority, target.path) == (address, authority, path)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://127.0.0.1/", "TLS is not spoken here"),
        ("ftp://127.0.0.1/", "ftp is not http"),
        ("http://", "there is no address in it"),
        ("http://127.0.0.1:99999/", "out of range"),
        ("http://127.0.0.1:x/", "x"),
        ("http://me:secret@127.0.0.1/", "Authorization: Basic"),
        ("unix:run/app.sock", "needs an absolute path"),
        ("http://127.0.0.1/a b", "percent-encoded"),
        ("http://127.0.0.1/é", "percent-encoded"),
    ],
)
def test_what_cannot_be_meant_is_refused(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse(url)


def test_a_name_without_an_address_is_said() -> None:
    with pytest.raises(Nobody, match=r"the name nowhere\.invalid has no address"):
        parse("http://nowhere.invalid/")


def test_of_several_places_the_one_that_accepts_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert reachable(parse(f"http://localhost:{port}/")).address == f"127.0.0.1:{port}"


@pytest.mark.parametrize("place", ["tcp", "unix"])
def test_where_nothing_listens_all_places_are_named(place: str, tmp_path: Path) -> None:
    url = f"127.0.0.1:{free_port()}" if place == "tcp" else f"unix:{tmp_path}/no.sock"
    with pytest.raises(Nobody, match=f"nothing accepts connections at {url} "):
        reachable(parse(url))
