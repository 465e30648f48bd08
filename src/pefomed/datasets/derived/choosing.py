"""Which of all facts are asked and in which words, so that no answer can be guessed from its question."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from pefomed.datasets.derived.fact import Fact, Picture
from pefomed.errors import DataError
from pefomed.files.split_names import is_held_out
from pefomed.samples.content_ids import ContentIds
from pefomed.schema import Sample


def check_split(name: str, split: str) -> None:
    """Check that the split is one to train on.

    Raises:
        DataError: it is called as those are that a model is chosen or scored on.
    """
    if is_held_out(split):
        raise DataError(
            f"{name} makes questions for training alone",
            found=f"the split {split!r}",
            remedy="name it in a stage's `data`, and not in `[predict] data`; validation leaves it out",
        )


@dataclass(frozen=True)
class Draw:
    """Seeded hashes that draw facts and wordings."""

    seed: int
    root: Path
    """What names of images are relative to: the same data elsewhere gives the same questions and ids."""

    def name(self, image: str) -> str:
        """Return the image's name within the root; of one outside of it its folder's and its own."""
        folder = self.root if self.root.is_dir() else self.root.parent
        start = f"{folder.as_posix()}/"
        path = image.replace("\\", "/")
        return path.removeprefix(start) if path.startswith(start) else "/".join(path.rsplit("/", 2)[-2:])

    def rank(self, fact: Fact) -> str:
        """Return where a fact stands among others, at random."""
        return self.hash(self.name(fact.image), fact.kind, fact.subject, fact.answer)

    def hash(self, *parts: object) -> str:
        text = "\0".join(map(str, (self.seed, *parts)))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def balanced(facts: Iterable[Fact], draw: Draw) -> list[Fact]:
    """Return facts of which no answer is more frequent than all others to the same question together.

    Of those with the commonest answer a seeded hash drops some: yes and no become equally many. A question
    that has the same answer for every image teaches nothing of the image and is dropped altogether. The order
    is kept.
    """
    facts = list(facts)
    groups: dict[tuple[str, str], list[Fact]] = {}
    for fact in facts:
        groups.setdefault((fact.kind, fact.subject), []).append(fact)
    dropped: set[int] = set()
    for group in groups.values():
        [(answer, most)] = Counter(fact.answer for fact in group).most_common(1)
        too_many = 2 * most - len(group)
        common = [fact for fact in group if fact.answer == answer]
        if too_many > 0:
            dropped.update(map(id, sorted(common, key=draw.rank)[:too_many]))
    return [fact for fact in facts if id(fact) not in dropped]


def chosen(facts: Sequence[Fact], draw: Draw, most: int | None, per_image: int | None) -> list[Fact]:
    """Return at most so many facts, of each image and of all, drawn by a seeded hash; the order is kept."""
    ranks = {id(fact): draw.rank(fact) for fact in facts}
    kept = set(ranks)
    if per_image is not None:
        kept = set()
        of_image: dict[str, list[Fact]] = {}
        for fact in facts:
            of_image.setdefault(fact.image, []).append(fact)
        for group in of_image.values():
            kept.update(map(id, sorted(group, key=lambda fact: ranks[id(fact)])[:per_image]))
    if most is not None:
        kept = set(sorted(kept, key=ranks.__getitem__)[:most])
    return [fact for fact in facts if id(fact) in kept]


def samples_of(
    facts: Sequence[Fact],
    pictures: Iterable[Picture],
    stem: str,
    draw: Draw,
    wordings: int,
    meta: Callable[[Fact], Mapping[str, str]],
) -> Iterator[Sample]:
    """Yield a sample for each fact in `wordings` of its wordings, image by image in the order of `pictures`.

    Args:
        stem: what ids begin with; a hash of the image's name and of what is asked follows.
        meta: what results would be grouped by, beside `derived`, the kind of question.
    """
    by_image = {image: list(group) for image, group in groupby(sorted(facts, key=_image), _image)}
    ids = ContentIds(stem)
    for picture in pictures:
        name = draw.name(picture.image)
        for fact in by_image.get(picture.image, ()):
            asked = sorted(fact.questions, key=lambda question: draw.hash(name, fact.kind, question))
            for question in asked[:wordings]:
                yield Sample(
                    id=ids(name, fact.kind, question),
                    images=(picture.image,),
                    task="vqa",
                    question=question,
                    reference=fact.answer,
                    meta={
                        "answer_type": "CLOSED" if fact.closed else "OPEN",
                        "derived": fact.kind,
                        **meta(fact),
                        **picture.meta,
                    },
                    owners=dict(picture.owners),
                )


def _image(fact: Fact) -> str:
    return fact.image
