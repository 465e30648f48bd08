"""The reference of every option of every loader as Markdown; docs/data.md holds it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from pefomed.checked import name_of
from pefomed.datasets import LOADERS, loader
from pefomed.datasets.options import Option, direct_options, fields_of
from pefomed.errors import listed
from pefomed.recipe.kinds import toml


def markdown(names: Iterable[str] = LOADERS) -> str:
    """Return one Markdown table for each loader, then one for each table that is an option."""
    of_loaders = {name: direct_options(loader(name)) for name in names}
    bare = [f"`{name}`" for name, options in of_loaders.items() if not options]
    inner: dict[type, list[str]] = {}
    for name, options in of_loaders.items():
        _collect(options, f"of `{name}`", inner)
    titles = _titles(inner)
    parts = [f"### `{name}`\n\n{_rows(options, titles)}" for name, options in of_loaders.items() if options]
    if bare:
        parts.append(f"Without options: {', '.join(bare)}.")
    for table, used in inner.items():
        first = (table.__doc__ or "").strip().splitlines()
        about = " ".join([*first[:1], f"It is {listed(used, most=12)}."])
        parts.append(f"### {titles[table]}\n\n{about}\n\n{_rows(fields_of(table), titles)}")
    return "\n\n".join(parts) + "\n"


def _titles(inner: Mapping[type, Sequence[str]]) -> dict[type, str]:
    """Return a name for each table, one of its own where two classes are called the same."""
    called = Counter(map(_title, inner))
    return {
        table: name if called[name := _title(table)] == 1 else f"{name} {used[0].replace('`', '')}"
        for table, used in inner.items()
    }


def _title(table: type) -> str:
    return name_of(table).capitalize()


def _rows(options: Sequence[Option], titles: Mapping[type, str]) -> str:
    lines = ["| option | type | default | meaning |", "| --- | --- | --- | --- |"]
    for each in options:
        cells = (f"`{each.name}`", each.kind + _tables(each, titles), _default(each), each.meaning)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _tables(option: Option, titles: Mapping[type, str]) -> str:
    links = [f"[{titles[one].lower()}](#{titles[one].lower().replace(' ', '-')})" for one in option.tables]
    return f": {', '.join(links)}" if links else ""


def _default(option: Option) -> str:
    if option.required:
        return "**required**"
    return "absent" if option.default is None else f"`{toml(option.default)}`"


def _collect(options: Iterable[Option], where: str, inner: dict[type, list[str]]) -> None:
    """Note each table among the options, what is in it too, with where it is used."""
    for option in options:
        for table in option.tables:
            used = inner.setdefault(table, [])
            used.append(f"`{option.name}` {where}")
            if len(used) == 1:
                _collect(fields_of(table), f"of {name_of(table)}", inner)
