"""Prints what the project asks for in `pyproject.toml`, one requirement a line: `asked.py [EXTRA...]`.

pip checks no hashes of a folder, so the Makefile gives it these lines with the pins, and the folder last.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_ITSELF = re.compile(r"pefomed\[(?P<extras>[\w,-]+)\]")


def asked(project: dict[str, Any], extras: list[str]) -> list[str]:
    """Return the requirements of the project and of `extras`, extras of extras included."""
    found = list(project["dependencies"])
    for extra in extras:
        found += _of_extra(project, extra)
    return found


def _of_extra(project: dict[str, Any], extra: str) -> Iterator[str]:
    for line in project["optional-dependencies"][extra]:
        itself = _ITSELF.fullmatch(line)
        if itself is None:
            yield line
            continue
        for inner in itself["extras"].split(","):
            yield from _of_extra(project, inner)


if __name__ == "__main__":
    settings = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    print("\n".join(asked(settings["project"], sys.argv[1:])))
