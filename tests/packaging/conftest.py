"""The image of the working tree, made once and loaded into the engine that all tests share."""

import pytest

from tests.engines.daemon import Daemon
from tests.engines.needs import need
from tests.packaging.examples import NGINX, load_nginx
from tests.packaging.image import NAME, image_tar, load


@pytest.fixture(scope="session")
def needs_nginx() -> None:
    """For tests of the socket proxies."""
    need(("nginx",))


@pytest.fixture(scope="session")
def local_tar(needs_docker: None) -> bytes:
    """The image `ecluse:local`, for `tests.packaging.image.load`."""
    return image_tar()


@pytest.fixture
def local(engine: Daemon, local_tar: bytes) -> Daemon:
    """The engine, with the image in it."""
    if not engine.docker("images", "--quiet", NAME):
        load(engine, local_tar)
    return engine


@pytest.fixture
def examples_engine(local: Daemon, needs_compose: None, needs_nginx: None) -> Daemon:
    """The engine, with all images in it that an example needs."""
    if not local.docker("images", "--quiet", NGINX):
        load_nginx(local)
    return local
