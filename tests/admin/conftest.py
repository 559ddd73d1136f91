"""The admin API on a real socket, in front of a fake Control."""

from collections.abc import AsyncIterator

import httpx
import pytest

from sidecar.admin import serve
from tests.admin.control import FakeControl, reading, replica, service


@pytest.fixture
def control() -> FakeControl:
    """A scalable service with two replicas, and one of fixed endpoints."""
    shop = service("shop", replica("shop-1", reading(ok=40, failed=2)), replica("shop-2", reading(ok=7)))
    return FakeControl(shop, service("legacy", replica("legacy-1"), scalable=False))


@pytest.fixture
async def api(control: FakeControl) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the admin API."""
    admin = await serve(control, "127.0.0.1:0", "")
    async with httpx.AsyncClient(base_url=f"http://{admin.address}", timeout=10.0) as client:
        yield client
    await admin.close()
