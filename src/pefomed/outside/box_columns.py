"""Which columns hold boxes, as the options of a table of answers say it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from pefomed.datasets.box_columns import BoxColumns
from pefomed.errors import DataError, PefomedError


def box_columns(texts: Sequence[str], option: str) -> dict[str, Any]:
    """Return how boxes are read by the texts of an option, TOML as in recipes.

    Raises:
        DataError: one is not TOML, or two say the same.
    """
    said: dict[str, Any] = {}
    for more in texts:
        text = more.strip()
        try:
            parsed: dict[str, Any] = tomllib.loads(
                f"boxes = {text if text.startswith('{') else '{ ' + text + ' }'}"
            )["boxes"]
        except tomllib.TOMLDecodeError as error:
            raise DataError(
                f"{option} cannot be read",
                found=f"{more}: {error}",
                remedy=f"write e.g. {option}"
                ' \'columns = ["x", "y", "w", "h"], form = "xywh", unit = "pixel"\'',
            ) from None
        if twice := [key for key in parsed if key in said]:
            raise DataError(
                f"{option} says {twice[0]!r} twice",
                found=f"{said[twice[0]]!r} and {parsed[twice[0]]!r}",
                remedy="say each once",
            )
        said |= parsed
    return said


def checked_columns(said: Mapping[str, Any], option: str) -> BoxColumns:
    """Return `said` as columns of boxes.

    Raises:
        DataError: a part of it is missing, unknown or wrong.
    """
    try:
        return BoxColumns(**said)
    except PefomedError as error:
        known = ", ".join(BoxColumns.model_fields)
        raise DataError(f"{option}: {error.problem}", found=error.found, remedy=f"known: {known}") from None
