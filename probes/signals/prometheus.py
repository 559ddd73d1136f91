"""Prometheus's instant queries: where to ask, and the one number in what it answers.

https://prometheus.io/docs/prometheus/latest/querying/api/ (format of answers, expression query results). No I/O here.
"""

from typing import Any, Final
from urllib.parse import urlencode

from probes.signals.document import read
from probes.signals.numbers import Unusable, number, shortened
from probes.signals.spec import SignalSpec

INFO: Final = "PromQL info:"  # a remark on how the query is written, which some versions send as a warning


def address(spec: SignalSpec) -> str:
    """The URL of the query. The server gives up on it when we do."""
    query = urlencode({"query": spec.query, "timeout": f"{spec.timeout_s:g}"})
    return f"{spec.url.rstrip('/')}/api/v1/query?{query}"


def number_in(status: int, body: bytes) -> float:
    """The number of a scalar, or of an instant vector of exactly one sample. Raises Unusable."""
    answer = _answer(status, body)
    warnings = [each for each in answer.get("warnings") or [] if not str(each).startswith(INFO)]
    if warnings:
        raise Unusable(f"Prometheus warns that the result may be incomplete: {shortened(str(warnings[0]))}")
    try:
        return _number(answer["data"]["resultType"], answer["data"]["result"])
    except (KeyError, TypeError, IndexError) as error:
        raise Unusable("the answer is not that of Prometheus's query API; is the url that of a Prometheus server?") from error


def _answer(status: int, body: bytes) -> dict[str, Any]:
    """Prometheus says what is wrong in the body, whatever the status: 400 for a query that cannot be parsed, 422, 503."""
    try:
        answer = read(body)
    except Unusable as unusable:
        raise Unusable(f"answered {status}: {unusable}") from unusable
    if isinstance(answer, dict) and answer.get("status") == "error":
        raise Unusable(f"Prometheus answered {status}: {shortened(str(answer.get('error') or answer.get('errorType')))}")
    if status != 200 or not isinstance(answer, dict):
        raise Unusable(f"answered {status} and nothing that Prometheus would say; is the url that of a Prometheus server?")
    return answer


def _number(kind: str, result: Any) -> float:
    if kind == "scalar":
        return number(result[1])
    if kind != "vector":
        raise Unusable(f"the query gives a {shortened(str(kind))}; an instant vector of one sample or a scalar is needed")
    if not result:
        raise Unusable("the query finds nothing; where that means 0, add: or vector(0)")
    if len(result) > 1:
        raise Unusable(f"the query gives {len(result)} series, and one is needed; wrap it in sum() or max()")
    return number(result[0]["value"][1])
