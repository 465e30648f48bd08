"""What `pefomed data list` says of a loader, as plain values and in full."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from pefomed.data import card
from pefomed.data.card import Card


def facts_of(name: str) -> dict[str, Any]:
    """Return what is known of the loader `name` as JSON values; `needs` says in a few words how to get it."""
    about = card(name) or Card(title="", licence="", link="", citation="")
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


def _needs(name: str, about: Card) -> str:
    where = urlsplit(about.link).netloc.removeprefix("www.")
    if about.hub:
        size = about.hub.megabytes
        words = [about.hub.differs, f"{size / 1000:.1f} GB" if size > 999 else f"{size} MB"]
        return f"pefomed data get {name} ({', '.join(filter(None, words))})"
    if about.restricted:
        return f"credentials, {where}"
    return f"by hand, {where}" if where else "nothing, or your own files"
