"""What one message of a conversation says: its text, and where in it pictures stand.

A text marks its pictures: `<image>`, `<|image_1|>`, `<img>a.png</img>` of Qwen-VL. A list has typed parts:
`{"type": "text", "text": ...}`, `{"type": "image"}` for the record's next picture, or a part with the picture
itself, under `image`, `image_url`, `url`, `path`, `base64` or `source`. Boxes in a text are text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pefomed.datasets.conversations.unfit import OTHER_MEDIUM, Unfit
from pefomed.errors import DataError


@dataclass(frozen=True)
class Mark:
    """A place in a message where a picture stands."""

    picture: Any = None
    """The picture itself, if the message holds it; by default the record's next one."""
    number: int | None = None
    """Which of the record's pictures is meant, from 0, if the mark says so."""


Piece = str | Mark

BASE64 = "base64"
"""The key under which base64 that says so itself is passed on."""


def pieces_of(content: Any, place: str) -> list[Piece]:
    """Return the texts and marks of a message in order.

    Raises:
        Unfit: it holds a video, sound or a document.
        DataError: it is no text and no list of parts.
    """
    if content is None:
        return []
    if isinstance(content, str):
        return list(_marked(content))
    if isinstance(content, Mapping):
        content = [content]
    if not isinstance(content, Sequence) or isinstance(content, bytes):
        raise _no_content(content, place)
    return [piece for part in content for piece in _part(part, place)]


def text_of(pieces: Sequence[Piece], numbers: Sequence[int] = ()) -> str:
    """Return the text of a message; pictures that stand before or behind it are left away.

    One between words becomes `image 2`, or the sentence would lose its sense.

    Args:
        numbers: for each mark which of the sample's pictures it is, from 1.
    """
    named = iter(numbers)
    found = [piece if isinstance(piece, str) else (next(named, 0),) for piece in pieces]
    while found and not _is_words(found[0]):
        del found[0]
    while found and not _is_words(found[-1]):
        del found[-1]
    return "".join(piece if isinstance(piece, str) else f"image {piece[0]}" for piece in found).strip()


_MARK = re.compile(
    r"(?:Picture \d+:[ ]?)?<img>(?P<path>[^<>\n]+)</img>"
    r"|<Img><ImageHere></Img>|<ImageHere>|<im_start><image><im_end>|<image>|<image_placeholder>"
    r"|<\|image\|>|<start_of_image>|<\|vision_start\|>(?:<\|image_pad\|>)+<\|vision_end\|>"
    r"|<\|image_(?P<phi>[1-9]\d?)\|>|<image[ _-](?P<number>[1-9]\d?)>"
)
_OTHER_MARK = re.compile(r"<(?:video|audio)>|<\|(?:video|audio)\|>")
_TEXTS = ("text", "input_text", "output_text")
_IMAGES = ("image", "image_url", "input_image", "image_pil")
_KEYS = ("image", "image_url", "url", "path", "bytes", BASE64, "data", "source")


def _is_words(piece: str | tuple[int]) -> bool:
    return isinstance(piece, str) and bool(piece.strip())


def _marked(text: str) -> Iterator[Piece]:
    if other := _OTHER_MARK.search(text):
        raise Unfit(OTHER_MEDIUM, f"{other[0]} stands for a film or sound, which no model here takes")
    end = 0
    for found in _MARK.finditer(text):
        if found.start() > end:
            yield text[end : found.start()]
        number = found["phi"] or found["number"]
        yield Mark(found["path"], int(number) - 1 if number else None)
        end = found.end()
    if end < len(text):
        yield text[end:]


def _part(part: Any, place: str) -> Iterator[Piece]:
    if isinstance(part, str):
        yield from _lines(part)
        return
    if not isinstance(part, Mapping):
        raise _no_content(part, place)
    kind = part.get("type")
    # Parquet gives every part the keys of all of them, most of them empty.
    filled = {str(key): value for key, value in part.items() if value is not None}
    if kind in _TEXTS or (kind is None and "text" in filled):
        text = filled.get("text", filled.get("content", ""))
        if not isinstance(text, str):
            raise _no_content(part, place)
        yield from _lines(text)
    elif kind in _IMAGES or (kind is None and any(key in filled for key in _IMAGES)):
        yield _picture(filled, place)
        yield "\n"
    elif isinstance(kind, str):
        raise Unfit(OTHER_MEDIUM, f"a part of the type {kind!r}, where text and images are read")
    else:
        raise _no_content(part, place)


def _lines(text: str) -> Iterator[Piece]:
    # Parts are apart; without a line's end their words would run together.
    yield from _marked(text)
    if text and not text[-1].isspace():
        yield "\n"


def _picture(part: Mapping[str, Any], place: str) -> Mark:
    number = part.get("index")
    if isinstance(number, int) and not isinstance(number, bool) and number >= 0:
        return Mark(number=number)
    given = next((key for key in _KEYS if key in part), None)
    if given is None:
        return Mark()
    value = part[given]
    if given == "bytes":
        return Mark({"bytes": value, "path": part.get("path")})
    if given == "source" and isinstance(value, Mapping):  # {"type": "base64", "media_type": ..., "data": ...}
        return Mark({BASE64: value["data"]} if value.get("data") else dict(value))
    return Mark({BASE64: value} if given in (BASE64, "data") else value)


def _no_content(value: Any, place: str) -> DataError:
    return DataError(
        f"{place}: a message is a text, or a list of parts with a `type`",
        found=f"{value!r:.80}",
        remedy='write a part as {"type": "text", "text": "..."} or {"type": "image", "image": "a.png"}',
    )
