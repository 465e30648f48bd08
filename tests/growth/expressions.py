"""All regular expressions of the package: what its modules hold, and what is written where it is used."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pefomed

_ONCE = {"match", "fullmatch"}


@dataclasses.dataclass(frozen=True)
class Expression:
    place: str
    pattern: re.Pattern[str]
    once: bool
    """Whether it is tried at one place alone."""


def expressions() -> list[Expression]:
    """Return them, each once."""
    found: dict[tuple[str, int, bool], Expression] = {}
    for name in sorted(_modules()):
        module = importlib.import_module(name)
        source = Path(str(module.__file__)).read_text(encoding="utf-8")
        for variable, pattern in _held(vars(module), name):
            used = set(re.findall(rf"\b{re.escape(variable)}\.(\w+)\(", source))
            once = bool(used) and used <= _ONCE
            found.setdefault(
                (pattern.pattern, pattern.flags, once), Expression(f"{name}.{variable}", pattern, once)
            )
        for line, text, once in _written(source):
            found.setdefault((text, 0, once), Expression(f"{name}:{line}", re.compile(text), once))
    return list(found.values())


def _modules() -> Iterator[str]:
    for module in pkgutil.walk_packages(pefomed.__path__, "pefomed."):
        if not module.name.endswith("__main__"):
            yield module.name


def _held(names: dict[str, Any], module: str) -> Iterator[tuple[str, re.Pattern[str]]]:
    seen: set[int] = set()

    def inside(name: str, value: Any) -> Iterator[tuple[str, re.Pattern[str]]]:
        if id(value) in seen:
            return
        seen.add(id(value))
        if isinstance(value, re.Pattern):
            if isinstance(value.pattern, str):
                yield name, value
        elif isinstance(value, dict):
            for each in [*value, *value.values()]:
                yield from inside(name, each)
        elif isinstance(value, (list, tuple, set, frozenset)):
            for each in value:
                yield from inside(name, each)
        elif type(value).__module__ == module and hasattr(value, "__dict__") and not isinstance(value, type):
            for each in vars(value).values():
                yield from inside(name, each)

    for name, value in names.items():
        if not name.startswith("__"):
            yield from inside(name, value)


def _written(source: str) -> Iterator[tuple[int, str, bool]]:
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        owner, first = node.func.value, node.args[0]
        if not (isinstance(owner, ast.Name) and owner.id == "re" and isinstance(first, ast.Constant)):
            continue
        if isinstance(first.value, str) and node.func.attr not in ("compile", "escape"):
            yield node.lineno, first.value, node.func.attr in _ONCE
