"""A page of picture pairs: images of one split beside those of another that are equal or look alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from pefomed.audit.finding import evenly
from pefomed.audit.near_duplicates import BITS
from pefomed.audit.show import figure, page
from pefomed.files.storage import usable_paths, write
from pefomed.machine_paths import short_name
from pefomed.progress import track


@dataclass(frozen=True)
class ImagePair:
    """Two images that the audit calls equal or near."""

    splits: tuple[str, str]
    images: tuple[str, str]
    """Of the earlier split, then of the later one."""
    about: str
    shown: tuple[str, str] = ("", "")
    """The hash of what each held; empty where an older audit does not say it."""


@usable_paths()
def pair_sheet(audits: Mapping[str, Mapping[str, Any]], out: Path, n: int = 60) -> Path:
    """Write a page with `n` of the pairs that the audits of data sets name, at even steps through them.

    Raises:
        StorageError: `out` cannot be written.
    """
    pairs = [(name, pair) for name, result in audits.items() for pair in picture_pairs(result)]
    chosen = evenly(pairs, n)
    cards = [_card(name, pair) for name, pair in track(chosen, "drawing the sheet", unit="pairs")]
    told = [
        f"{name}: {sentence}"
        for name, result in audits.items()
        for sentence in result["summary"]
        if "look like one of" in sentence or "also occur in" in sentence
    ]
    subtitle = f"{len(chosen):,} of the {len(pairs):,} pairs named by the audit. {' '.join(told)}"
    write(out, page("Pairs", subtitle, cards, wide=True), "free space or choose another place")
    return out


def picture_pairs(result: Mapping[str, Any]) -> Iterator[ImagePair]:
    """Yield the pairs that an audit names, equal images in one and the same file left out."""
    for leak in result["leakage"]:
        splits = (leak["in"], leak["of"])
        for example in leak["images"].get("examples", ()):
            if example["same_as"] != example["image"]:
                yield ImagePair(splits, (example["same_as"], example["image"]), "equal", _shown(example))
        # A run of an older version has none.
        for example in leak.get("near_images", {}).get("examples", ()):
            about = f"{example['bits']} of {BITS} bits differ, correlation {example['correlation']:.3f}"
            yield ImagePair(splits, (example["like"], example["image"]), about, _shown(example))


def _shown(example: Mapping[str, Any]) -> tuple[str, str]:
    earlier, later = example.get("shown", ("", ""))
    return str(earlier), str(later)


def _card(name: str, pair: ImagePair) -> str:
    files = " · ".join(
        f"{split}: {short_name(path)}" for split, path in zip(pair.splits, pair.images, strict=True)
    )
    return (
        f"<article><div class=images>{''.join(figure(path) for path in pair.images)}</div>"
        f"<header><b>{escape(files)}</b><div class=chips><span>{escape(name)}</span>"
        f"<span>{escape(pair.about)}</span></div></header><ol></ol></article>"
    )
