"""Addresses of endpoints."""

import pytest

from autoscaler.cluster.address import Address, parse


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param("10.0.0.5:8000", Address(ip="10.0.0.5", port=8000), id="ipv4"),
        pytest.param("[::1]:80", Address(ip="::1", port=80), id="ipv6"),
        pytest.param("unix:/run/app.sock", Address(path="/run/app.sock"), id="unix-socket"),
    ],
)
def test_an_address_is_read_and_written_back(text: str, address: Address) -> None:
    assert parse(text) == address
    assert str(address) == text


def test_ipv6_is_written_in_its_shortest_form() -> None:
    assert str(parse("[2001:DB8:0:0::7]:80")) == "[2001:db8::7]:80"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("10.0.0.5", "not an address with a port", id="no-port"),
        pytest.param(":8000", "not an address with a port", id="no-address"),
        pytest.param("", "not an address with a port", id="nothing"),
        pytest.param("10.0.0.5:0", "not a port from 1 to 65535", id="port-zero"),
        pytest.param("10.0.0.5:65536", "not a port from 1 to 65535", id="port-too-large"),
        pytest.param("10.0.0.5:\N{FULLWIDTH DIGIT EIGHT}", "not a port from 1 to 65535", id="digits-of-another-script"),
        pytest.param("10.0.0.5:http", "not a port from 1 to 65535", id="a-word-as-port"),
        pytest.param("db.internal:80", "a name goes under `dns`", id="a-name"),
        pytest.param("10.0.0:80", "a name goes under `dns`", id="too-few-numbers"),
        pytest.param("::1:80", 'an IPv6 address only: "[::1]:80"', id="ipv6-without-brackets"),
        pytest.param("[10.0.0.5]:80", 'an IPv6 address only: "10.0.0.5:80"', id="ipv4-in-brackets"),
        pytest.param("unix:app.sock", "absolute path", id="relative-socket"),
        pytest.param("unix:", "absolute path", id="no-socket"),
        pytest.param("unix:/" + "x" * 107, "at most 107 octets", id="socket-path-too-long"),
    ],
)
def test_what_is_no_address_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse(text)
    assert words in str(caught.value)


def test_labels_have_no_slash_and_tell_sockets_of_the_same_name_apart() -> None:
    labels = {parse(f"unix:/run/{name}/app.sock").label for name in ("a", "b")}
    assert len(labels) == 2
    assert not any("/" in label for label in labels)
    assert parse("10.0.0.5:80").label == "10.0.0.5:80"
