"""Images in cells of text: data URLs (RFC 2397), base64 (RFC 4648), bytes as Python writes them."""

from __future__ import annotations

import ast
import base64
import binascii
import json
import re
import urllib.parse
from typing import Any

from pefomed.errors import DataError


def image_in(text: str, place: str) -> Any:
    """Return the bytes that a text stands for, the list or `{"bytes", "path"}` that it is, or the text.

    Raises:
        DataError: it is an image and damaged; `place` names the row.
    """
    cell = text.strip()
    if cell[:5].lower() == "data:":
        return _of_url(cell, place)
    if _BASE64.match(cell) or (_MAYBE_BASE64.match(cell) and "." not in cell):
        return from_base64(cell, place)
    if cell[:1] in ("[", "{") or cell[:2] in ("b'", 'b"'):
        return _written(cell, text, place)
    return text


def from_base64(text: str, place: str) -> bytes:
    """Return the bytes of base64, of the usual alphabet or of that for URLs, in one line or several.

    Raises:
        DataError: it is none.
    """
    try:
        return base64.b64decode("".join(text.split()).translate(_STANDARD).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise _damaged(place, text, str(error)) from None


_BASE64 = re.compile(r"(?:iVBORw0KGgo|[/_]9j[/_]|R0lGODdh|R0lGODlh)[A-Za-z0-9+/_-]{20}")
"""How images begin in base64."""
_MAYBE_BASE64 = re.compile(r"(?:UklGR|SUkqA|TU0AK|Qk[0-3]|A{160})[A-Za-z0-9+/_-]{20}")
"""What may begin the name of a file, too."""
_STANDARD = str.maketrans("-_", "+/")  # from the alphabet for URLs


def _of_url(url: str, place: str) -> bytes:
    about, comma, payload = url.partition(",")
    kind, *rest = about[5:].lower().split(";")
    if not comma or "base64" not in [part.strip() for part in rest]:
        raise _damaged(place, url, "a data URL without `;base64,`")
    if kind and not kind.startswith(("image/", "application/dicom", "application/octet-stream")):
        raise _damaged(place, url, f"a data URL of the kind {kind!r}")
    return from_base64(urllib.parse.unquote(payload) if "%" in payload else payload, place)


def _written(cell: str, text: str, place: str) -> Any:
    """Return the list, or the bytes, that a text is as JSON or as Python writes it; else the text."""
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(cell)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(found, bytes) or (isinstance(found, dict) and found.keys() <= {"bytes", "path"}):
            return found
        if isinstance(found, list) and all(isinstance(one, str | bytes | dict) for one in found):
            return found
    if cell.startswith(("b'", 'b"', "{'bytes': b", '{"bytes"')):
        raise _damaged(place, cell, "bytes that do not end")
    return text


def _damaged(place: str, text: str, why: str) -> DataError:
    return DataError(
        f"{place}: an image inside the table is damaged",
        found=f"{text[:40]}{'...' if len(text) > 40 else ''}: {why}",
        remedy="write the table anew; an image is base64, a data URL with base64, or the name of a file",
    )
