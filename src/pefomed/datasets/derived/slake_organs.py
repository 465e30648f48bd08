"""What SLAKE's labels say of organs, in the wordings of its training questions.

Places are those of the image, as SLAKE answers about organs: the liver is on the left. The names of organs
are the patient's: the right lung is on the left.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

from pefomed.boxes.region import union_area
from pefomed.datasets.derived.fact import Fact
from pefomed.datasets.derived.general import LARGER
from pefomed.datasets.derived.places import place_of, side_of
from pefomed.datasets.derived.slake_labels import SlakePicture, has_two, organ
from pefomed.schema import Box

_EDGE = 0.05
"""How much further out the outermost organ reaches than the next, as a share of the image."""


def where(picture: SlakePicture) -> Iterator[Fact]:
    """Yield the place of each organ in the image: `Upper Left`, `Center`."""
    for names in picture.organs.values():
        for label in names:
            place = place_of(picture.boxes[label])
            if place:
                name = label.lower()
                asked = (
                    f"Where is the {name}?",
                    f"Where is the {name} in this image?",
                    f"Which place does the {name} locate in this image?",
                    f"Where is the {name} existing in this image?",
                )
                yield Fact(picture.image, "where", name, asked, place.title())


def there(picture: SlakePicture) -> Iterator[Fact]:
    """Yield whether the picture contains an organ: of those labelled, and of those known to be absent."""
    present = ((name, "Yes") for name in picture.organs)
    for name, answer in (*present, *((name, "No") for name in picture.absent)):
        article = "an" if name[0] in "aeiou" else "a"
        asked = (
            f"Does the picture contain {_plural(name)}?",
            f"Does the {name} appear in the image?",
            f"Does the {name} exist in this picture?",
            f"Is there {name} in this image?",
            f"Is there {article} {name} in the image?",
        )
        yield Fact(picture.image, "there", name, asked, answer)


def count(picture: SlakePicture) -> Iterator[Fact]:
    """Yield how many of the organs that people have two of, and how many organs, where all are labelled."""
    if picture.complete:
        of_all = ("How many organs are there in this image?", "How many organs does the image have?")
        yield Fact(picture.image, "count", "organs", of_all, str(len(picture.organs)))
    of_both = {name: len(labels) for name, labels in picture.organs.items() if picture.complete}
    for name, number in {**of_both, **dict.fromkeys(picture.absent, 0)}.items():
        if has_two(name):
            many = _plural(name)
            asked = (
                f"How many {many} in this image?",
                f"How many {many} are there in this image?",
                f"How many {many} are shown in this image?",
                f"How many existing {many} in this image?",
            )
            yield Fact(picture.image, "count", name, asked, str(number))


def larger(picture: SlakePicture) -> Iterator[Fact]:
    """Yield which of two organs is bigger, and which is smaller, by the boxes' areas."""
    sized = {
        label: union_area(picture.boxes[label]) for labels in picture.organs.values() for label in labels
    }
    for one, other in itertools.combinations(sorted(sized), 2):
        small, large = sorted((one, other), key=sized.__getitem__)
        if organ(one) == organ(other) or sized[large] < LARGER * sized[small]:
            continue
        for word, answer in (("bigger", large), ("smaller", small)):
            asked = tuple(
                f"Which is {word} in this image, {a.lower()} or {b.lower()}?"
                for a, b in ((one, other), (other, one))
            )
            yield Fact(picture.image, "larger", f"{one} / {other} {word}", asked, answer)


def largest(picture: SlakePicture) -> Iterator[Fact]:
    """Yield the largest organ, where all are labelled; two lungs count together.

    Of heads it is the brain for SLAKE, which is not labelled.
    """
    sized = {
        name: union_area([box for label in labels for box in picture.boxes[label]])
        for name, labels in picture.organs.items()
    }
    ranked = sorted(sized, key=sized.__getitem__, reverse=True)
    if picture.complete and picture.region != "head" and sized[ranked[0]] >= LARGER * sized[ranked[1]]:
        asked = ("What is the largest organ in the picture?", "Which is the biggest organ in this image?")
        yield Fact(picture.image, "largest", "", asked, ranked[0].title())


def side(picture: SlakePicture) -> Iterator[Fact]:
    """Yield on which side of the image an organ or a disease is, and whether it is on one."""
    for label in picture.boxes:
        found, name = side_of(picture.boxes[label]), label.lower()
        if not found:
            continue
        asked = (
            f"On which side of the image is the {name}, left or right?",
            f"Which side of the image is the {name} located on?",
        )
        yield Fact(picture.image, "side", name, asked, found.title())
        for choice in ("left", "right"):
            asked = (
                f"Is the {name} on the {choice} of the image?",
                f"Is the {name} located on the {choice} side of this image?",
            )
            yield Fact(picture.image, "side", f"{name} {choice}", asked, "Yes" if choice == found else "No")


def outermost(picture: SlakePicture) -> Iterator[Fact]:
    """Yield the leftmost, rightmost and topmost organ and the lowest one, where all are labelled."""
    if not picture.complete:
        return
    boxes = {label: picture.boxes[label] for labels in picture.organs.values() for label in labels}
    for subject, (reach, asked) in _OUTERMOST.items():
        reached = {label: reach(places) for label, places in boxes.items()}
        first, second = sorted(reached, key=reached.__getitem__, reverse=True)[:2]
        if reached[first] - reached[second] >= _EDGE:
            yield Fact(picture.image, "outermost", subject, asked, first)


def _plural(name: str) -> str:
    return f"{name}s" if has_two(name) else name


def _left(boxes: Sequence[Box]) -> float:
    return -min(box.x0 for box in boxes)


def _right(boxes: Sequence[Box]) -> float:
    return max(box.x1 for box in boxes)


def _top(boxes: Sequence[Box]) -> float:
    return -min(box.y0 for box in boxes)


def _bottom(boxes: Sequence[Box]) -> float:
    return max(box.y1 for box in boxes)


_OUTERMOST: dict[str, tuple[Callable[[Sequence[Box]], float], tuple[str, ...]]] = {
    "left": (
        _left,
        ("What is the leftmost organ in this image?", "What is the organ on the left side of this image?"),
    ),
    "right": (
        _right,
        ("What is the rightmost organ in this image?", "What is the organ on the right side of this image?"),
    ),
    "top": (
        _top,
        (
            "What is the organ on the top of the body in this image?",
            "What is the topmost organ in this image?",
        ),
    ),
    "bottom": (
        _bottom,
        ("Which organ is located at the bottom of this image?", "What is the lowest organ in this image?"),
    ),
}
"""Direction -> how far boxes reach in it, and how the outermost organ is asked for."""
