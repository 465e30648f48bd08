"""A contact sheet: one self-contained HTML page of images with their questions, answers and boxes."""

from __future__ import annotations

import base64
import functools
import io
import random
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from types import MappingProxyType

from PIL import Image

from pefomed.boxes.samples import is_absent
from pefomed.errors import ImageError
from pefomed.files.storage import usable_paths, write
from pefomed.images.addresses import address
from pefomed.images.images import from_image
from pefomed.machine_paths import short_name, without_paths
from pefomed.progress import track
from pefomed.schema import Box, Sample
from pefomed.tasks import MARKED

SIDE = 480
"""Longest side of a thumbnail, in pixels."""

SMALL = 256
"""An image below half of this is shown several times as large, its pixels as squares."""

SHOWN = 8
"""Samples of an image shown at once; the others unfold."""

_COLOURS = ("#e5484d", "#0090ff", "#30a46c", "#f5a524", "#8e4ec6", "#00a2c7", "#e54666", "#7c9a00")


@usable_paths()
def contact_sheet(samples: Sequence[Sample], out: Path, n: int = 24, seed: int = 0, title: str = "") -> Path:
    """Write a page with `n` of the samples' images, drawn by `seed`, each with all its samples.

    An image that cannot be read stands there with the reason. The page needs no network and no
    other file.

    Raises:
        StorageError: `out` cannot be written.
    """
    groups: dict[tuple[str, ...], list[Sample]] = {}
    for sample in samples:
        groups.setdefault(sample.images, []).append(sample)
    chosen = random.Random(seed).sample(sorted(groups), min(n, len(groups)))
    cards = [_card(images, groups[images]) for images in track(chosen, "drawing the sheet", unit="images")]
    absent = sum(map(is_absent, samples))
    subtitle = (
        f"{len(chosen):,} of {len(groups):,} images, {sum(len(groups[images]) for images in chosen):,} of"
        f" {len(samples):,} samples, drawn with seed {seed}"
        f"{f'; in all {absent:,} of what is not in the image' if absent else ''}"
    )
    write(out, page(title or "Contact sheet", subtitle, cards), "free space or choose another place")
    return out


def page(heading: str, subtitle: str, cards: Sequence[str], wide: bool = False) -> str:
    """Return the page of `cards` (HTML); those of `wide` pages hold two images beside each other."""
    width = "30rem" if wide else "19rem"
    return _PAGE.format(
        heading=escape(heading), subtitle=escape(subtitle), cards="\n".join(cards), width=width
    )


def figure(path: str, colours: Mapping[Box, str] = MappingProxyType({})) -> str:
    """Return the image at `path` as HTML, with boxes over it in their colours, or why it cannot be read."""
    try:
        (width, height), uri = _drawn(path, address(path).file)
    except ImageError as error:
        said = without_paths(str(error).replace(path, short_name(path)))
        return f"<figure class=bad>{escape(said)}</figure>"
    lines = "".join(
        f"<rect x='{box.x0 * width:.1f}' y='{box.y0 * height:.1f}' width='{(box.x1 - box.x0) * width:.1f}'"
        f" height='{(box.y1 - box.y0) * height:.1f}' stroke='{colour}'/>"
        for box, colour in colours.items()
    )
    overlay = f"<svg viewBox='0 0 {width} {height}' aria-hidden=true>{lines}</svg>" if lines else ""
    scale = max(1, SMALL // max(width, height))
    enlarged = f" class=small style='width:{width * scale}px'" if scale > 1 else ""
    return (
        f"<figure><img{enlarged} src='{uri}' width={width * scale} height={height * scale}"
        f" loading=lazy alt='{escape(Path(path).name, quote=True)}'>{overlay}</figure>"
    )


def _card(images: tuple[str, ...], samples: Sequence[Sample]) -> str:
    colours: dict[Box, str] = {}
    for sample in samples:
        for box in sample.boxes:
            colours.setdefault(box, _COLOURS[len(colours) % len(_COLOURS)])
    # Boxes are fractions of the one image of their sample.
    figures = "".join(figure(path, colours) for path in images)
    items = [_item(sample, colours) for sample in samples]
    rest = items[SHOWN:]
    more = f"<details><summary>{len(rest)} more</summary><ol>{''.join(rest)}</ol></details>" if rest else ""
    shared = set.intersection(*(set(sample.meta.items()) for sample in samples))
    by_value = {value: key for key, value in sorted(shared, reverse=True) if value}
    chips = "".join(
        f"<span dir=auto title='{escape(key, quote=True)}'>{escape(value)}</span>"
        for value, key in sorted(by_value.items(), key=lambda item: item[1])
    )
    name = escape(" · ".join(map(short_name, images)))
    return (
        f"<article><div class=images>{figures}</div>"
        f"<header><b dir=auto>{name}</b><div class=chips>{chips}</div></header>"
        f"<ol>{''.join(items[:SHOWN])}</ol>{more}</article>"
    )


def _drawn(path: str, file: Path) -> tuple[tuple[int, int], str]:
    try:
        state = file.stat()
    except (OSError, ValueError):
        return from_image(path, _thumbnail)  # which says what is wrong
    return _drawn_once(path, state.st_size, state.st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _drawn_once(path: str, size: int, changed: int) -> tuple[tuple[int, int], str]:
    """Return the drawing of a file as it is now: a page of pairs shows some pictures many times."""
    return from_image(path, _thumbnail)


def _thumbnail(image: Image.Image) -> tuple[tuple[int, int], str]:
    size = image.size
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=82)
    return size, "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def _item(sample: Sample, colours: dict[Box, str]) -> str:
    shown = () if sample.task in MARKED else sample.boxes  # there they stand behind their phrases
    marks = "".join(f"<i style='border-color:{colours[box]}'></i>" for box in shown)
    question = f"<q dir=auto>{escape(sample.question)}</q>" if sample.question else f"<em>{sample.task}</em>"
    answer = _marked(sample, colours) or _without_words(sample)
    name = escape(sample.id, quote=True)
    return f"<li dir=auto title='{name}'>{question} <strong dir=auto>{answer}</strong> {marks}</li>"


def _without_words(sample: Sample) -> str:
    """Return what stands for an answer that is no text."""
    if is_absent(sample):
        return "<em>no box: not in the image</em>"
    return "" if sample.boxes else "<em>no answer</em>"


def _marked(sample: Sample, colours: dict[Box, str]) -> str:
    """Return the reference; behind a marked phrase of a grounding caption stand its boxes' colours."""
    text = escape(" or ".join(sample.references))
    if sample.task != "grounding":
        return text

    def squares(mark: re.Match[str]) -> str:
        boxes = [sample.boxes[int(i)] for i in mark[2].split(",") if int(i) < len(sample.boxes)]
        return f"<u dir=auto>{mark[1]}</u>" + "".join(
            f"<i style='border-color:{colours[box]}'></i>" for box in boxes
        )

    return _MARK.sub(squares, text)


_MARK = re.compile(r"&lt;p&gt;((?:(?!&lt;|&gt;).)*)&lt;/p&gt;\{(\d{1,9}(?:,\d{1,9})*)\}")

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{heading}</title>
<style>
:root {{ color-scheme: light dark; --page: #f6f7f8; --card: #fff; --text: #16191d; --soft: #5c6570;
  --line: #dfe3e8; --answer: #0b6e4f; }}
@media (prefers-color-scheme: dark) {{ :root {{ --page: #111417; --card: #1a1e23; --text: #e8ebee;
  --soft: #9aa4af; --line: #2c333b; --answer: #5fd0a6; }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; padding: 1.5rem clamp(.75rem, 3vw, 2.5rem); background: var(--page); color: var(--text);
  font: 15px/1.45 system-ui, sans-serif; }}
h1 {{ margin: 0; font-size: 1.4rem; }}
p {{ margin: .2rem 0 1.2rem; color: var(--soft); }}
main {{ columns: {width}; column-gap: 1rem; }}
article {{ break-inside: avoid; margin-bottom: 1rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }}
.images {{ display: flex; background: #000; }}
figure {{ position: relative; margin: 0 auto; flex: 0 1 auto; min-width: 0; }}
figure.bad {{ padding: 1rem; color: #ffb4b4; white-space: pre-wrap; overflow-wrap: anywhere; }}
img {{ display: block; width: auto; max-width: 100%; height: auto; max-height: 26rem; }}
.small {{ image-rendering: pixelated; }}
svg {{ position: absolute; inset: 0; width: 100%; height: 100%; }}
rect {{ fill: none; stroke-width: 2; vector-effect: non-scaling-stroke; }}
header {{ padding: .6rem .9rem 0; }}
header b {{ font-weight: 600; overflow-wrap: anywhere; }}
.chips {{ display: flex; flex-wrap: wrap; gap: .3rem; margin-top: .3rem; }}
.chips span {{ padding: 0 .5rem; border: 1px solid var(--line); border-radius: 1rem; color: var(--soft);
  font-size: .8rem; }}
ol {{ margin: .5rem 0 .8rem; padding: 0 .9rem; list-style: none; }}
details {{ padding: 0 .9rem .8rem; }}
details ol {{ padding: 0; margin-bottom: 0; }}
summary {{ color: var(--soft); cursor: pointer; }}
li {{ padding: .3rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }}
li:first-child {{ border-top: 0; }}
q {{ quotes: none; }}
strong {{ color: var(--answer); }}
em {{ color: var(--soft); }}
li i {{ display: inline-block; width: .7em; height: .7em; border: 2px solid; border-radius: 2px; }}
</style></head>
<body><div role=banner><h1 dir=auto>{heading}</h1><p>{subtitle}</p></div><main>
{cards}
</main></body></html>
"""
