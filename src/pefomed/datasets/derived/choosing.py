"""Which of all facts are asked and in which words, so that no answer can be guessed from its question."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from pefomed.datasets.derived.fact import Fact, Picture
from pefomed.errors import DataError
from pefomed.files.split_names import known_split
from pefomed.samples.content_ids import ContentIds
from pefomed.schema import Sample


def check_split(name: str, split: str) -> None:
    """Check that the split is one to train on.

    Raises:
        DataError: it is called as those are that a model is chosen or scored on.
    """
    if known_split(split) in ("validate", "test"):
        raise DataError(
            f"{name} makes questions for training alone",
            found=f"the split {split!r}",
            remedy="name it in a stage's `data`, and not in `[predict] data`; validation leaves it out",
        )


def balanced(facts: Iterable[Fact], seed: int) -> list[Fact]:
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
            dropped.update(map(id, sorted(common, key=lambda fact: _drawn(seed, fact))[:too_many]))
    return [fact for fact in facts if id(fact) not in dropped]


def chosen(facts: Sequence[Fact], seed: int, most: int | None, per_image: int | None) -> list[Fact]:
    """Return at most so many facts, of each image and of all, drawn by a seeded hash; the order is kept."""
    ranks = {id(fact): _drawn(seed, fact) for fact in facts}
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
    seed: int,
    wordings: int,
    meta: Callable[[Fact], Mapping[str, str]],
) -> Iterator[Sample]:
    """Yield a sample for each fact in `wordings` of its wordings, image by image in the order of `pictures`.

    Args:
        stem: what ids begin with; a hash of the image's folder and name and of what is asked follows.
        meta: what results would be grouped by, beside `derived`, the kind of question.
    """
    by_image = {image: list(group) for image, group in groupby(sorted(facts, key=_image), _image)}
    ids = ContentIds(stem)
    for picture in pictures:
        # Of the file's name and folder, not of its whole path: the same data elsewhere has the same ids.
        name = "/".join(picture.image.rsplit("/", 2)[-2:])
        for fact in by_image.get(picture.image, ()):
            asked = sorted(fact.questions, key=lambda question: _hash(seed, name, fact.kind, question))
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


def _drawn(seed: int, fact: Fact) -> str:
    name = "/".join(fact.image.rsplit("/", 2)[-2:])
    return _hash(seed, name, fact.kind, fact.subject, fact.answer)


def _hash(*parts: object) -> str:
    return hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "surrogatepass")).hexdigest()
