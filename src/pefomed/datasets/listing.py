"""What `pefomed data list` says of a loader, as plain values and in full."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from pefomed.datasets import card
from pefomed.datasets.card import DataCard
from pefomed.datasets.options import Option
from pefomed.recipe.kinds import toml


def facts_of(name: str) -> dict[str, Any]:
    """Return what is known of the loader `name` as JSON values; `needs` says in a few words how to get it."""
    about = card(name) or DataCard(title="", licence="", link="", citation="")
    return {
        "loader": name,
        "title": about.title,
        "splits": {split: counts.samples if counts else None for split, counts in about.splits.items()},
        "licence": about.licence,
        "link": about.link,
        "citation": about.citation,
        "restricted": about.restricted,
        "needs": _needs(name, about),
        "access": about.access,
        "files": list(about.files),
        "hub": about.hub.repository if about.hub else None,
        "megabytes": about.hub.megabytes if about.hub else None,
    }


def in_full(row: dict[str, Any]) -> str:
    """Return the facts as text, one fact a line."""
    splits = ", ".join(f"{name} {count:,}" if count else name for name, count in row["splits"].items())
    hub = f"{row['hub']}, {row['megabytes']:,} MB: {row['needs'].split(' (')[0]}" if row["hub"] else ""
    facts = {
        "data set": row["title"],
        "splits": splits,
        "licence": row["licence"]
        + (" (restricted: must not leave the machine)" if row["restricted"] else ""),
        "link": row["link"],
        "please cite": row["citation"],
        "original": row["access"],
        "on the hub": hub,
        "in the root": "\n  or ".join(row["files"]),
    }
    return "\n".join(f"{name}: {text}" for name, text in facts.items() if text)


def options_as_values(options: Sequence[Option]) -> list[dict[str, Any]]:
    """Return options as JSON values; `default` is absent where there is none to write."""
    return [
        {"option": each.name, "type": each.kind, "required": each.required}
        | ({"choices": list(each.choices)} if each.choices else {})
        | ({} if each.default is None else {"default": each.default})
        | {"meaning": each.meaning}
        for each in options
    ]


def options_as_text(options: Sequence[Option], width: int) -> str:
    """Return options as lines of at most `width` characters: name, type and default, then the meaning."""
    if not options:
        return "options: none"
    lines = ["options:"]
    for each in options:
        head = f"{each.name}: {each.kind.replace('`', '')}{_default(each)}"
        lines += textwrap.wrap(
            head, width, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
        )
        meaning = each.meaning.replace("`", "")
        lines += textwrap.wrap(
            meaning, width, initial_indent="      ", subsequent_indent="      ", break_on_hyphens=False
        )
    return "\n".join(lines)


def _default(option: Option) -> str:
    if option.required:
        return "; required"
    return "" if option.default is None else f"; default {toml(option.default)}"


def _needs(name: str, about: DataCard) -> str:
    where = urlsplit(about.link).netloc.removeprefix("www.")
    if about.hub:
        size = about.hub.megabytes
        words = [about.hub.differs, f"{size / 1000:.1f} GB" if size > 999 else f"{size} MB"]
        return f"pefomed data get {name} ({', '.join(filter(None, words))})"
    if about.restricted:
        return f"credentials, {where}"
    return f"by hand, {where}" if where else "nothing, or your own files"
