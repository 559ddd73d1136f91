"""A Compose project runs on the private engine, and Compose counts its containers."""

from tests.engines.compose import Project


def test_a_project_is_scaled_by_compose_itself(compose: Project) -> None:
    assert len(compose.containers("web")) == 1
    compose.up("--scale", "web=3")
    assert len(compose.containers("web")) == 3
    compose.up()
    assert len(compose.containers("web")) == 1
    assert "shop_web_1" in compose.run("ps")
