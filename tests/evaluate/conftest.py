"""METEOR's Java program takes seconds to start: only the tests of METEOR itself start it."""

import pytest


@pytest.fixture(autouse=True)
def no_meteor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "test_meteor" not in request.node.nodeid:
        monkeypatch.setenv("PEFOMED_METEOR_JAR", "off")
