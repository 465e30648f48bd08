"""Boxes drawn on their picture, in its own size."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from pefomed.schema import Box

COLOURS = ("#ffd60a", "#00e5ff", "#ff4fd8", "#7dff3d", "#ff8a3d", "#b8a1ff")
"""Bright and far from grey; black beside each line keeps them apart from white."""


def draw_boxes(image: Image.Image, boxes: Sequence[Box]) -> Image.Image:
    """Return a copy of an RGB image with `boxes` around what they hold; several are numbered from 1.

    Lines lie on the boxes' edges, about one in 250 of the longer side thick and at least 2 pixels.
    """
    picture = image.convert("RGB")
    pen = ImageDraw.Draw(picture)
    thick = max(2, round(max(picture.size) / 250))
    for number, box in enumerate(boxes):
        place = _pixels(box, picture.size)
        pen.rectangle(_grown(place, 1), outline="black", width=thick + 2)
        pen.rectangle(place, outline=COLOURS[number % len(COLOURS)], width=thick)
    for number, box in enumerate(boxes if len(boxes) > 1 else ()):
        _number(pen, _pixels(box, picture.size), number, thick)
    return picture


def _pixels(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the box's outermost pixels, all within the image."""
    (left, right), (top, bottom) = (
        (min(int(low * side), side - 1), min(max(int(low * side), round(high * side) - 1), side - 1))
        for low, high, side in ((box.x0, box.x1, size[0]), (box.y0, box.y1, size[1]))
    )
    return left, top, right, bottom


def _grown(place: tuple[int, int, int, int], by: int) -> tuple[int, int, int, int]:
    return place[0] - by, place[1] - by, place[2] + by, place[3] + by


def _number(pen: ImageDraw.ImageDraw, place: tuple[int, int, int, int], number: int, thick: int) -> None:
    height = max(13, 7 * thick)
    above = place[1] - thick - round(1.2 * height)
    # Over the box, where nothing of it is hidden, or inside if it begins at the image's top.
    corner = (place[0], above) if above >= 0 else (place[0] + thick + 2, place[1] + thick + 1)
    colour = COLOURS[number % len(COLOURS)]
    font = ImageFont.load_default(height)
    pen.text(corner, str(number + 1), colour, font, stroke_width=2, stroke_fill="black")
