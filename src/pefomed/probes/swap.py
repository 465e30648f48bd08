"""Another picture under the same question: of the same modality and organ, and not known to have its answer.

What the data set says of a picture (`modality`, `location`, `image_organ` ...) is kept, but where question or
answer names it: under `Is this an MRI?` another MRI has the same answer, so that a picture of another
modality is shown. Of the pictures that are left, the first, in an order by hash, that has the same question
with another answer: this is known to be right then. Else the first that does not have the same question at
all: whether its right answer is another one nobody knows. Where there is none of its kind, less is kept, at
last nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pefomed import tasks
from pefomed.images.images import image_size
from pefomed.metrics.normalise import plain
from pefomed.probes.probed import Probed, changed, collected
from pefomed.samples.question_hash import shown_of
from pefomed.samples.sample_hash import short_hash
from pefomed.schema import Sample

MATCHED, KNOWN = "swap_matched", "swap_known"
"""Meta keys of a swapped sample: what the two pictures have in common; whether the new answer is known."""

ALONE = "no other picture that is not known to have the same answer"
REGION = "it asks about a place of its own picture"

KEYS = (
    "modality", "image_modality", "image_type", "location", "image_organ", "organ", "body_part", "anatomy",
    "region", "plane", "view",
)  # fmt: skip
"""Meta keys that say of what kind a picture is."""

_MOST = 500  # pictures looked at for one question
_ALIASES = {"mr": "mri", "xray": "x ray", "radiograph": "x ray", "cxr": "x ray"}


def swapped(samples: Sequence[Sample]) -> Probed:
    """Return the samples with other pictures, and the answers of these where they are known."""
    pictures = _Pictures(samples)
    return collected((sample, pictures.swapped(sample)) for sample in samples)


Images = tuple[str, ...]


@dataclass
class _Picture:
    """The images of a sample, and what is asked about them."""

    images: Images
    about: dict[str, str] = field(default_factory=dict)
    asked: dict[tuple[str, str], Sample] = field(default_factory=dict)
    """Task and question -> the first sample that asks it."""
    place: int = 0
    size: tuple[int, int] | None = None


class _Pictures:
    def __init__(self, samples: Sequence[Sample]):
        self._known: dict[Images, _Picture] = {}
        first: dict[Images, str] = {}
        for sample in samples:
            picture = self._known.setdefault(sample.images, _Picture(sample.images))
            first.setdefault(sample.images, sample.id)
            picture.about |= {k: v for k in KEYS if (v := sample.meta.get(k, ""))}
            picture.asked.setdefault(_question(sample), sample)
            picture.size = picture.size or sample.size
        # In an order that no folder's name and no neighbour in the file decides.
        ordered = sorted(self._known.values(), key=lambda one: short_hash(first[one.images]))
        for place, picture in enumerate(ordered):
            picture.place = place
        self._ordered = ordered
        self._alike: dict[tuple[tuple[str, str], ...], list[_Picture]] = {(): ordered}
        self._asking: dict[tuple[str, str], list[_Picture]] = {}
        for picture in ordered:
            for question in picture.asked:
                self._asking.setdefault(question, []).append(picture)
        self._shown: dict[Images, str] = {}

    def swapped(self, sample: Sample) -> Sample | str:
        """Return the sample with another picture, or why there is none."""
        if sample.task in tasks.ABOUT_BOXES:
            return REGION
        own = self._known[sample.images]
        named = _named(sample, own.about)
        kept = {key: value for key, value in own.about.items() if key not in named}
        other = {key: own.about[key] for key in named}
        question = _question(sample)
        for same, apart in _loosened(kept, other):
            asking = self._asking.get(question, [])
            for found in self._first(own, asking, same, apart):
                if _answer(found.asked[question]) != _answer(sample):
                    return self._with(sample, found, found.asked[question], same)
            for found in self._first(own, self._of_kind(same), same, apart):
                if question not in found.asked:
                    return self._with(sample, found, None, same)
        return ALONE

    def _of_kind(self, same: Mapping[str, str]) -> list[_Picture]:
        key = tuple(sorted(same.items()))
        if key not in self._alike:
            self._alike[key] = [one for one in self._ordered if same.items() <= one.about.items()]
        return self._alike[key]

    def _first(
        self, own: _Picture, ordered: Sequence[_Picture], same: Mapping[str, str], apart: Mapping[str, str]
    ) -> Iterator[_Picture]:
        """Yield the pictures behind `own`, the last followed by the first, that are of the kind."""
        start = bisect_right(ordered, own.place, key=lambda one: one.place)
        for step in range(min(len(ordered), _MOST)):
            one = ordered[(start + step) % len(ordered)]
            if one is own or len(one.images) != len(own.images):
                continue
            if not same.items() <= one.about.items():
                continue
            if any(one.about.get(key, "") in ("", value) for key, value in apart.items()):
                continue
            if self._content(one) and self._content(one) == self._content(own):  # a copy under another name
                continue
            yield one

    def _content(self, picture: _Picture) -> str:
        if picture.images not in self._shown:
            self._shown[picture.images] = shown_of(picture.images)
        return self._shown[picture.images]

    def _with(self, sample: Sample, found: _Picture, asked: Sample | None, same: Mapping[str, str]) -> Sample:
        size = found.size
        if size is None and sample.task in tasks.WITH_BOXES:
            size = image_size(found.images[0])
        return changed(
            sample,
            images=found.images,
            reference=asked.reference if asked else "",
            further_references=asked.further_references if asked else (),
            boxes=asked.boxes if asked else (),
            size=size if sample.size or sample.task in tasks.WITH_BOXES else None,
            meta={
                **sample.meta,
                MATCHED: ", ".join(same) or "nothing",
                KNOWN: "yes" if asked else "no",
            },
        )


def _loosened(kept: dict[str, str], other: dict[str, str]) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Yield what must be the same and what must differ, less each time: at last any picture will do."""
    yield kept, other
    for number in range(len(kept) - 1, 0, -1):
        yield dict(list(kept.items())[-number:]), other
    if kept:
        yield {}, other
    if other:
        yield {}, {}


def _question(sample: Sample) -> tuple[str, str]:
    return sample.task, plain(sample.question)


def _answer(sample: Sample) -> object:
    return (
        frozenset(map(plain, sample.references)),
        frozenset(box.model_dump_json() for box in sample.boxes),
    )


def _named(sample: Sample, about: Mapping[str, str]) -> list[str]:
    """Return the keys that the question or an answer names, by their own name or by their value."""
    text = _words(" ".join((sample.question, *sample.references)))
    return [
        key
        for key, value in about.items()
        if f" {key.rpartition('_')[2]} " in text or any(f" {word} " in text for word in _told(value))
    ]


def _told(value: str) -> list[str]:
    """Return the words that name a value: `Brain_Tissue` is named by `brain`."""
    whole = _words(value).strip()
    first = whole.split(" ")[0] if whole else ""
    return [word for word in dict.fromkeys((whole, first)) if len(word) > 1]


def _words(text: str) -> str:
    """Return the words, in lower case and the singular, with a space around each."""
    found = re.findall(r"\w+", plain(text).replace("_", " ").replace("x-ray", "xray"))
    singular = (
        word[:-1] if len(word) > 3 and word.endswith("s") and word[-2] != "s" else word for word in found
    )
    return f" {' '.join(_ALIASES.get(word, word) for word in singular)} "
