"""The admin API does what it is asked to, and refuses in words."""

import httpx
import pytest

from sidecar.admin import AdminError, serve
from tests.admin.control import FakeControl
from tests.support import wait_until


async def test_scaling_by_hand_reaches_the_controller_and_back(api: httpx.AsyncClient, control: FakeControl) -> None:
    assert (await api.post("/api/services/shop/scale", json={"replicas": 5})).json()["override"] == 5
    assert (await api.post("/api/services/shop/scale", json={"replicas": "auto"})).json()["override"] is None
    assert control.asked == [("scale", "shop", 5), ("scale", "shop", None)]


async def test_draining_reaches_the_controller(api: httpx.AsyncClient, control: FakeControl) -> None:
    assert (await api.post("/api/services/shop/replicas/shop-2/drain", json={})).status_code == 202
    assert control.asked == [("drain", "shop", "shop-2")]


@pytest.mark.parametrize(
    ("method", "target", "status", "error"),
    [
        ("GET", "/api/services/shep", 404, "unknown_name"),
        ("GET", "/nothing", 404, "not_found"),
        ("POST", "/api/overview", 405, "method_not_allowed"),
        ("POST", "/api/services/legacy/scale", 409, "not_scalable"),
    ],
)
async def test_errors_are_json_with_a_word_and_a_sentence(
    api: httpx.AsyncClient, method: str, target: str, status: int, error: str
) -> None:
    answer = await api.request(method, target, json={"replicas": 2})
    assert answer.status_code == status
    assert answer.json()["error"] == error
    assert answer.json()["detail"]


async def test_a_fault_in_the_controller_is_an_answer_too(
    api: httpx.AsyncClient, control: FakeControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "overview", lambda: 1 / 0)
    answer = await api.get("/api/overview")
    assert answer.status_code == 500
    assert answer.json()["error"] == "internal"
    assert (await api.get("/healthz")).status_code == 200


async def test_answers_are_not_to_be_stored_or_sniffed(api: httpx.AsyncClient) -> None:
    fields = (await api.get("/api/overview")).headers
    assert fields["cache-control"] == "no-store"
    assert fields["x-content-type-options"] == "nosniff"
    assert "server" not in fields


async def test_a_page_of_another_origin_changes_nothing(api: httpx.AsyncClient, control: FakeControl) -> None:
    answer = await api.post("/api/reload", json={}, headers={"origin": "http://evil.example"})
    assert answer.status_code == 403
    assert control.asked == []


async def test_a_rebound_name_is_refused(api: httpx.AsyncClient) -> None:
    assert (await api.get("/api/overview", headers={"host": "evil.example"})).status_code == 421


async def test_beyond_loopback_a_token_is_needed_to_listen(control: FakeControl) -> None:
    with pytest.raises(AdminError, match=r"set admin\.token"):
        await serve(control, "0.0.0.0:0", "")


async def test_with_a_token_it_asks_everybody_for_it(control: FakeControl) -> None:
    admin = await serve(control, "127.0.0.1:0", "sesame")
    async with httpx.AsyncClient(base_url=f"http://{admin.address}") as client:
        refused = await client.get("/api/services")
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Bearer")
        assert (await client.get("/api/services", headers={"authorization": "Bearer sesame"})).status_code == 200
    await admin.close()


async def test_it_listens_on_ipv6(control: FakeControl) -> None:
    admin = await serve(control, "[::1]:0", "")
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"http://{admin.address}/healthz")).status_code == 200
    await admin.close()


async def test_a_taken_port_is_said_in_words(control: FakeControl) -> None:
    admin = await serve(control, "127.0.0.1:0", "")
    with pytest.raises(AdminError, match=r"cannot listen on 127\.0\.0\.1 port \d+: Address already in use"):
        await serve(control, admin.address, "")
    await admin.close()


@pytest.mark.parametrize("listen", ["9090", "127.0.0.1:", ":9090", "127.0.0.1:99999", "127.0.0.1:http"])
async def test_a_bad_address_is_said_in_words(control: FakeControl, listen: str) -> None:
    with pytest.raises(AdminError, match="expected ADDRESS:PORT"):
        await serve(control, listen, "")


async def test_closed_it_no_longer_answers_and_leaves_the_signals_alone(control: FakeControl) -> None:
    admin = await serve(control, "127.0.0.1:0", "")
    await admin.close()

    async def refused() -> bool:
        async with httpx.AsyncClient() as client:
            try:
                await client.get(f"http://{admin.address}/healthz")
            except httpx.ConnectError:
                return True
            return False

    assert await wait_until(refused)


async def test_a_decision_of_the_past_and_those_of_a_time(api: httpx.AsyncClient, control: FakeControl) -> None:
    at_s = control.decided_at
    found = (await api.get("/api/services/shop/explain", params={"at": at_s + 5})).json()
    assert (found["at"], found["desired"]) == (at_s, 3)
    query = {"since": "2026-09-01T00:00:00Z", "until": at_s, "changes": 1, "limit": 7}
    assert (await api.get("/api/services/shop/decisions", params=query)).json() == {"decisions": [found]}
    assert control.asked == [("explain_at", "shop", at_s + 5), ("past_decisions", "shop", 1_788_220_800.0, at_s, True, 7)]


async def test_a_moment_of_which_nothing_is_kept_is_not_found(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/services/shop/explain", params={"at": "2001-01-01"})
    assert (answer.status_code, answer.json()["error"]) == (404, "not_kept")


@pytest.mark.parametrize("query", ["explain?at=soon", "decisions?since=soon", "decisions?until=", "decisions?limit=1001"])
async def test_a_bad_moment_or_number_is_refused(api: httpx.AsyncClient, query: str) -> None:
    answer = await api.get(f"/api/services/shop/{query}")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid")


@pytest.mark.parametrize("what", ["all", "down", "none"])
async def test_a_pause_is_passed_on_and_shown(api: httpx.AsyncClient, control: FakeControl, what: str) -> None:
    assert (await api.post("/api/services/shop/pause", json={"what": what})).json()["pause"] == what
    assert control.asked[-1] == ("pause", "shop", what)


@pytest.mark.parametrize("body", [{}, {"what": "up"}, {"what": "all", "for": 5}, []])
async def test_what_is_no_pause_is_refused(api: httpx.AsyncClient, control: FakeControl, body: object) -> None:
    answer = await api.post("/api/services/shop/pause", json=body)
    assert (answer.status_code, answer.json()["error"], control.asked) == (400, "invalid", [])


async def test_a_pushed_value_reaches_the_controller_and_the_metrics(api: httpx.AsyncClient, control: FakeControl) -> None:
    shown = (await api.post("/api/services/shop/signals/jobs", json={"value": 12})).json()
    assert control.asked == [("push", "shop", "jobs", 12.0)]
    assert shown["signals"] == [{"name": "jobs", "type": "external", "value": 12.0, "age_s": 0.0, "why": "", "failures": 2}]
    metrics = (await api.get("/metrics")).text
    for line in ("signal_value{%s} 12.0", "signal_age_seconds{%s} 0.0", "signal_failures_total{%s} 2.0"):
        assert f"ecluse_{line}" % 'service="shop",signal="jobs"' in metrics


@pytest.mark.parametrize("body", ["NaN", "Infinity", "1e999", '{"value": NaN}', '{"value": 1e999}'])
async def test_what_is_no_finite_number_is_refused(api: httpx.AsyncClient, control: FakeControl, body: str) -> None:
    answer = await api.post("/api/services/shop/signals/jobs", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["detail"]) == (400, 'send {"value": N}, a finite number')
    assert control.asked == []
