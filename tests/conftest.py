"""What tests of several folders need."""

from __future__ import annotations

from collections.abc import Callable

import hypothesis
import pytest
import torch
import typer.main

# Time limits of single examples would only measure how busy the machine is.
hypothesis.settings.register_profile(
    "project", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("project")


# Tiny models lose more to a second thread than they gain, above all on a busy machine.
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def no_meteor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave METEOR's Java program out, which takes seconds to start, but for the tests of METEOR itself."""
    if "test_meteor" not in request.node.nodeid:
        monkeypatch.setenv("PEFOMED_METEOR_JAR", "off")


@pytest.fixture
def parse_command() -> Callable[[list[str]], None]:
    """Return a function that parses a `pefomed` command line with the real commands, running none of them."""
    from pefomed.cli.app import app

    root = typer.main.get_command(app)  # made anew at each call: the commands themselves stay as they are
    commands = [root]
    for command in commands:
        commands += getattr(command, "commands", {}).values()
        command.callback = lambda **_: None

    def parse(words: list[str]) -> None:
        root.main(words, prog_name="pefomed", standalone_mode=False)

    return parse
