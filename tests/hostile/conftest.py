"""The workers of tests/proxy, with what must hold after every test."""

from tests.proxy.conftest import proxy, shared_one

__all__ = ["proxy", "shared_one"]
