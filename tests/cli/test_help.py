"""Help answers at once, and every command shows an example that the command line accepts."""

from __future__ import annotations

import resource
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import typer.main

from pefomed.cli.app import app


def commands(command: Any, *names: str) -> Iterator[tuple[str, Any]]:
    for name, inner in getattr(command, "commands", {}).items():
        if hasattr(inner, "commands"):
            yield from commands(inner, *names, name)
        else:
            yield " ".join((*names, name)), inner


COMMANDS = dict(commands(typer.main.get_command(app)))


def test_the_commands_are_all_there() -> None:
    assert set(COMMANDS) == {
        *("demo", "run", "train", "predict", "judge", "rate", "evaluate", "report", "ablate"),
        *("ask", "describe", "export", "threshold"),
        *("data list", "data options", "data map", "data get", "data import", "data show", "data audit"),
        "data export",
        *("weights list", "weights fetch", "weights verify"),
        *("adapter import", "adapter export", "cache show", "cache prune", "recipe check", "recipe copy"),
        *("recipe fields", "recipe list"),
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_what_it_does_and_shows_an_example(
    name: str, parse_command: Callable[[list[str]], None]
) -> None:
    command = COMMANDS[name]
    assert command.help
    assert command.epilog.startswith(f"Example: pefomed {name}")
    parse_command(shlex.split(command.epilog.removeprefix("Example: pefomed ").split(" > ")[0]))
    for parameter in command.params:
        assert parameter.help, f"{name}: {parameter.name} has no help"


def test_help_takes_less_than_a_second_and_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from pefomed.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'numpy', 'pydantic', 'sklearn', 'PIL'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    assert "pefomed demo" in done.stdout
    # processor time, so that a busy machine does not decide
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.0


def test_the_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    from pefomed import __version__
    from pefomed.cli import main

    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"pefomed {__version__}\n"
