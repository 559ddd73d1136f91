"""What is read from answers: the one number, or why there is none."""

import json

import pytest

from probes.signals import document, prometheus
from probes.signals.numbers import Unusable, number
from probes.signals.spec import SignalSpec, SignalType

# The document and the pointers of RFC 6901, section 5.
RFC = {"foo": ["bar", 7], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, 'k"l': 6, " ": 7, "m~n": 8, "~1": 9}
POINTERS = {
    "/foo/1": 7,
    "/": 0,
    "/a~1b": 1,
    "/c%d": 2,
    "/e^f": 3,
    "/g|h": 4,
    "/i\\j": 5,
    '/k"l': 6,
    "/ ": 7,
    "/m~0n": 8,
    "/~01": 9,
}


@pytest.mark.parametrize("pointer", POINTERS)
def test_pointers_of_the_rfc(pointer: str) -> None:
    assert document.number_at(json.dumps(RFC).encode(), pointer) == POINTERS[pointer]


@pytest.mark.parametrize(
    ("text", "value"),
    [("12.5", 12.5), ('"12.5"', 12.5), ("-3", -3), ('"1e+06"', 1e6), ("0", 0), ('" 4 "', 4)],
)
def test_a_number_or_a_text_that_is_one(text: str, value: float) -> None:
    assert document.number_at(text.encode(), "") == value


@pytest.mark.parametrize(
    ("text", "pointer", "words"),
    [
        pytest.param("<html>", "", "the answer is no JSON: '<html>'", id="no JSON"),
        pytest.param("[" * 100_000, "", "the answer is no JSON", id="nested beyond all measure"),
        pytest.param('{"a": {"b": 1, "c": 2}}', "/a/d", "the document has no /a/d; there are: b, c", id="no such name"),
        pytest.param("{}", "/a", "the document has no /a; there is nothing", id="an empty object"),
        pytest.param("[1, 2]", "/2", "the document has no /2; it is an array of 2", id="beyond the end of an array"),
        pytest.param("[1, 2]", "/01", "the document has no /01; it is an array of 2", id="an index with a leading zero"),
        pytest.param("[1, 2]", "/-", "the document has no /-; it is an array of 2", id="the place after the last one"),
        pytest.param('{"a": 1}', "/a/b", "the document has no /a/b; /a is a number", id="a name in a number"),
        pytest.param('{"a": {}}', "/a", "at /a: an object stands where a number should be", id="an object"),
        pytest.param('{"a": true}', "/a", "at /a: true or false stands where a number should be", id="true is not 1"),
        pytest.param('{"a": null}', "/a", "at /a: null stands where a number should be", id="null"),
        pytest.param('{"a": "many"}', "/a", "at /a: 'many' is no number", id="a word"),
        pytest.param('{"a": "1_000"}', "/a", "at /a: '1_000' is no number", id="what only Python takes for a number"),
        pytest.param('{"a": NaN}', "/a", "at /a: the value is nan", id="not a number"),
        pytest.param('{"a": 1e999}', "/a", "at /a: the value is inf", id="beyond what a float holds"),
        pytest.param('{"a": 1' + "0" * 400 + "}", "/a", "is no number", id="an integer of 400 digits"),
    ],
)
def test_what_is_wrong_with_a_document(text: str, pointer: str, words: str) -> None:
    with pytest.raises(Unusable) as unusable:
        document.number_at(text.encode(), pointer)
    assert words in str(unusable.value)


def answer(kind: str, result: object, **more: object) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}, **more}).encode()


def one(value: str) -> list[dict[str, object]]:
    return [{"metric": {}, "value": [1.0, value]}]


@pytest.mark.parametrize("body", [answer("vector", one("12.5")), answer("scalar", [1.0, "12.5"])], ids=["vector", "scalar"])
def test_the_number_in_prometheus_s_answer(body: bytes) -> None:
    assert prometheus.number_in(200, body) == 12.5


def test_a_remark_on_the_query_is_no_warning() -> None:
    assert prometheus.number_in(200, answer("vector", one("1"), warnings=["PromQL info: metric might not be a counter"])) == 1


ERROR = b'{"status":"error","errorType":"bad_data","error":"1:5: parse error: unclosed left parenthesis"}'


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        pytest.param(200, answer("vector", []), "finds nothing; where that means 0, add: or vector(0)", id="an empty result"),
        pytest.param(200, answer("vector", one("1") * 3), "gives 3 series, and one is needed", id="several series"),
        pytest.param(200, answer("matrix", one("1")), "the query gives a matrix", id="a range"),
        pytest.param(200, answer("vector", one("NaN")), "the value is nan", id="NaN"),
        pytest.param(200, answer("vector", one("+Inf")), "the value is inf", id="infinity"),
        pytest.param(200, answer("vector", one("1"), warnings=["store is away"]), "incomplete: store is away", id="a warning"),
        pytest.param(400, ERROR, "Prometheus answered 400: 1:5: parse error: unclosed", id="a query it cannot parse"),
        pytest.param(503, b"no such host", "answered 503: the answer is no JSON: 'no such host'", id="a proxy's error"),
        pytest.param(404, b'{"detail": "not found"}', "answered 404 and nothing that Prometheus would say", id="no Prometheus"),
        pytest.param(200, b'{"value": 3}', "is not that of Prometheus's query API", id="some other JSON"),
        pytest.param(200, answer("vector", [{"metric": {}, "histogram": []}]), "is not that of Prometheus", id="a histogram"),
    ],
)
def test_what_is_wrong_with_prometheus_s_answer(status: int, body: bytes, words: str) -> None:
    with pytest.raises(Unusable) as unusable:
        prometheus.number_in(status, body)
    assert words in str(unusable.value)


def test_prometheus_is_told_how_long_we_wait() -> None:
    spec = SignalSpec("jobs", SignalType.PROMETHEUS, url="http://p:9090/base/", query='sum(x{a="b"})', timeout_s=1.5)
    assert prometheus.address(spec) == "http://p:9090/base/api/v1/query?query=sum%28x%7Ba%3D%22b%22%7D%29&timeout=1.5"


def test_somebody_else_s_words_are_cut() -> None:
    with pytest.raises(Unusable) as unusable:
        number("x" * 100_000)
    assert len(str(unusable.value)) < 300
