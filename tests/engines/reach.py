"""Asking a container that may not be there (yet)."""

from tests.support import Answer, get


async def reach(port: int, target: str = "/", address: str = "127.0.0.1") -> Answer | None:
    """What it says; None while it cannot be reached."""
    try:
        return await get(port, target, address=address)
    except (OSError, EOFError):
        return None
