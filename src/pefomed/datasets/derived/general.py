"""What can be asked about any boxes in English: where, on which side, how many, which is larger.

Sides are the image's, as it is shown. Nothing is asked that boxes cannot tell: that something is not there is
known only where a sample says so.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from pefomed.boxes.region import union_area
from pefomed.datasets.derived.fact import Fact, Picture
from pefomed.datasets.derived.places import half_of, place_of, side_of

LARGER = 1.3
"""Times that one area must be the other, so that it can be seen which is larger."""
APART = 0.1
"""How far two centres must be apart, as a share of the image, so that it can be seen which is further."""


def where(picture: Picture) -> Iterator[Fact]:
    """Yield in which of nine places of the image each name is, where all its boxes are in one."""
    for name, boxes in picture.boxes.items():
        place = place_of(boxes)
        if place:
            asked = (
                f"Where in the image is {name}?",
                f"In which part of the image is {name}?",
                f"Which part of the image shows {name}?",
            )
            yield Fact(picture.image, "where", name, asked, place)


def side(picture: Picture) -> Iterator[Fact]:
    """Yield on which side of the image each name is, and whether it is on one, or in one half."""
    for name, boxes in picture.boxes.items():
        found = side_of(boxes)
        if found:
            asked = (
                f"On which side of the image is {name}, left or right?",
                f"Is {name} on the left or on the right of the image?",
            )
            yield Fact(picture.image, "side", name, asked, found)
        for choices, own in ((("left", "right"), found), (("upper", "lower"), half_of(boxes))):
            for choice in choices if own else ():
                place = f"on the {choice} side" if choice in ("left", "right") else f"in the {choice} half"
                asked = (f"Is {name} {place} of the image?", f"Does {name} lie {place} of the image?")
                yield Fact(picture.image, "side_yes_no", f"{name} {choice}", asked, _yes_no(choice == own))


def there(picture: Picture) -> Iterator[Fact]:
    """Yield whether a name is in the image: of those that are, and of those that are known not to be."""
    for name, answer in (*((n, "yes") for n in picture.boxes), *((n, "no") for n in picture.absent)):
        asked = (
            f"Does the image show {name}?",
            f"Is {name} visible in this image?",
            f"Can {name} be seen in the image?",
        )
        yield Fact(picture.image, "there", name, asked, answer)


def count(picture: Picture) -> Iterator[Fact]:
    """Yield how many boxes each name has, 0 where it is known to be nowhere."""
    for name, number in (
        *((name, len(boxes)) for name, boxes in picture.boxes.items()),
        *((name, 0) for name in picture.absent),
    ):
        asked = (
            f"How many separate regions of {name} does the image show?",
            f"In how many places of the image is {name}?",
        )
        yield Fact(picture.image, "count", name, asked, str(number))


def larger(picture: Picture) -> Iterator[Fact]:
    """Yield which of two names is larger in the image, and which is smaller, where one clearly is."""
    for one, other in itertools.combinations(sorted(picture.boxes), 2):
        areas = {name: union_area(picture.boxes[name]) for name in (one, other)}
        small, large = sorted(areas, key=areas.__getitem__)
        if areas[large] < LARGER * areas[small]:
            continue
        for word, answer in (("larger", large), ("smaller", small)):
            asked = tuple(
                f"Which {is_} in this image, {first} or {second}?"
                for first, second in ((one, other), (other, one))
                for is_ in (f"is {word}", f"looks {word}")
            )
            yield Fact(picture.image, "larger", f"{one} / {other} {word}", asked, answer)


def further(picture: Picture) -> Iterator[Fact]:
    """Yield which of two names is further to the left or right, higher or lower."""
    for one, other in itertools.combinations(sorted(picture.boxes), 2):
        (x1, y1), (x2, y2) = (_centre(picture, name) for name in (one, other))
        for low, high, first, second in (
            ("further to the left", "further to the right", x1, x2),
            ("higher up", "lower down", y1, y2),
        ):
            if abs(first - second) < APART:
                continue
            before, behind = (one, other) if first < second else (other, one)
            for word, answer in ((low, before), (high, behind)):
                asked = tuple(
                    f"Which is {word} in this image, {a} or {b}?" for a, b in ((one, other), (other, one))
                )
                yield Fact(picture.image, "further", f"{one} / {other} {word}", asked, answer)


def at(picture: Picture) -> Iterator[Fact]:
    """Yield what is labelled at a place of the image, where it is one thing."""
    found: dict[str, list[str]] = {}
    for name, boxes in picture.boxes.items():
        place = place_of(boxes)
        if place:
            found.setdefault(place, []).append(name)
        elif side_of(boxes):
            found.setdefault(str(side_of(boxes)), []).append(name)
    for place, names in found.items():
        if len(names) == 1:
            asked = (f"What does the image show {_in(place)}?", f"What is {_in(place)} of the image?")
            yield Fact(picture.image, "at", place, asked, names[0])


KINDS: dict[str, Callable[[Picture], Iterator[Fact]]] = {
    "where": where,
    "side": side,
    "there": there,
    "count": count,
    "larger": larger,
    "further": further,
    "at": at,
}
"""Name of a kind, as a recipe says it -> what it asks."""


def _yes_no(right: bool) -> str:
    return "yes" if right else "no"


def _centre(picture: Picture, name: str) -> tuple[float, float]:
    """Return the centre of the smallest box around all boxes of a name."""
    boxes = picture.boxes[name]
    return (
        (min(box.x0 for box in boxes) + max(box.x1 for box in boxes)) / 2,
        (min(box.y0 for box in boxes) + max(box.y1 for box in boxes)) / 2,
    )


def _in(place: str) -> str:
    return {"top": "at the top", "bottom": "at the bottom", "center": "in the center"}.get(
        place, f"on the {place}"
    )
