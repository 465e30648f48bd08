"""The same question in other words: by rules for English questions, or by a file of the user's.

The rules never touch what is asked about, nor whether it is denied. Of the rules that fit the first is taken,
so that a question has one wording; one that no rule fits is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pefomed import tasks
from pefomed.datasets import data_folder as data_root
from pefomed.datasets import load_samples
from pefomed.errors import DataError, listed
from pefomed.files.files import read_json, read_rows
from pefomed.metrics.normalise import plain
from pefomed.probes.english import FOREIGN, is_english
from pefomed.probes.probed import Probed, Wordings, changed, collected
from pefomed.recipe import Recipe
from pefomed.schema import Sample

NO_RULE = "no rule says its question in other words"
NO_WORDING = "the file has no wording for it"
NO_QUESTION = "it asks no question in words"


def paraphrased(samples: Iterable[Sample], wordings: Wordings | None = None) -> Probed:
    """Return the samples with their questions in other words.

    Args:
        wordings: of the user's own; without them the rules are taken.
    """
    return collected((sample, _paraphrased(sample, wordings)) for sample in samples)


def reworded(question: str) -> str | None:
    """Return an English question in other words; None if no rule fits."""
    text = " ".join(question.split())
    if len(text) > _LONGEST:
        return None
    for pattern, wording in _RULES:
        found = pattern.fullmatch(text)
        if found:
            new = wording if isinstance(wording, str) else wording(found)
            new = found.expand(new) if isinstance(wording, str) else new
            new = " ".join(new.split())
            if plain(new) != plain(text):
                return new[:1].upper() + new[1:]
    return None


def user_wordings(recipe: Recipe, data_folder: Path | None) -> dict[str, str] | None:
    """Return the user's own wordings, checked against all splits that are predicted; None without any.

    Raises:
        DataError: see `read_wordings` and `check_wordings`.
    """
    if not recipe.predict.wordings:
        return None
    path = data_root(data_folder) / recipe.predict.wordings
    found = read_wordings(path)
    ids = (
        sample.id
        for name, split in recipe.predict.data.items()
        for sample in load_samples(recipe.data[name], split, data_folder)
    )
    check_wordings(found, ids, path)
    return found


def read_wordings(path: Path) -> dict[str, str]:
    """Return the wordings of a JSON object (`{"id": "wording"}`), or of rows with `id` and `question`.

    Raises:
        DataError: the file is missing or holds something else, a wording is empty, or an id occurs twice.
    """
    if path.suffix == ".json" and isinstance(value := read_json(path), dict):
        pairs: list[tuple[Any, Any]] = list(value.items())
    else:
        pairs = [(row["id"], row["question"]) for row in read_rows(path, ("id", "question"))]
    found: dict[str, str] = {}
    for sample_id, wording in pairs:
        if not isinstance(wording, str) or not wording.strip():
            raise DataError(
                f"{path}: a wording must be a text", found=f"{wording!r:.60} for {sample_id}",
                remedy="write the question in other words, or remove the entry",
            )  # fmt: skip
        if str(sample_id) in found:
            raise DataError(
                f"{path}: an id may occur once", found=f"{sample_id} twice", remedy="remove one of the two"
            )
        found[str(sample_id)] = wording.strip()
    return found


def check_wordings(wordings: Mapping[str, str], known: Iterable[str], path: Path) -> None:
    """Check that each wording is of a sample that is asked.

    Raises:
        DataError: some are not; the ids are named.
    """
    ids = set(known)
    if unknown := [sample_id for sample_id in wordings if sample_id not in ids]:
        raise DataError(
            f"{path} has wordings of samples that no predicted split has",
            found=f"{len(unknown)}: {listed(unknown)}",
            remedy="take the ids from samples/ of the run",
        )


def _paraphrased(sample: Sample, wordings: Wordings | None) -> Sample | str:
    if tasks.TASKS[sample.task].asked != "question" or not sample.question.strip():
        return NO_QUESTION
    if wordings is not None:
        new = wordings.get(sample.id)
        if new is None:
            return NO_WORDING
        if new == sample.question:
            return "the wording in the file is the question as it is"
    else:
        if not is_english(sample):
            return FOREIGN
        new = reworded(sample.question)
    return changed(sample, question=new) if new else NO_RULE


_LONGEST = 300
"""Characters of a question that rules look at: a longer one is no plain question."""

_PICTURE = r"(?:image|picture|scan|photo|photograph|figure|radiograph|x-?ray|slide|film)"
_IN = rf"(?: (?:in|on) (?:the|this|above) {_PICTURE})?"
_END = r" *[?.]*"
_TURNED = {"image": "picture", "picture": "image", "images": "pictures", "pictures": "images"}
_CALLED = (
    r"\b(the|this|these|that|both|above) (images?|pictures?)\b(?! (?:plane|modality|type|quality|number))"
)
_VERBS = "is|are|was|were|does|do|did|has|have|can|could|what|which|where|how|who|why|when"


def _turned(found: re.Match[str]) -> str:
    """Return the question with its picture called otherwise."""
    return re.sub(
        _CALLED, lambda word: f"{word[1]} {_TURNED[word[2].lower()]}", found[0], flags=re.IGNORECASE
    )


def _led_in(found: re.Match[str]) -> str:
    return f"In this image, {found[1][0].lower()}{found[1][1:]}?"


def _rule(pattern: str, wording: str | Callable[[re.Match[str]], str]) -> tuple[re.Pattern[str], Any]:
    return re.compile(pattern + _END, re.IGNORECASE), wording


_RULES = (
    _rule(
        rf"(?:does|do) (?:the|this) {_PICTURE} (?:contain|show|include|have) (?:any )?(.+?)",
        r"Can \1 be seen in this image?",
    ),
    _rule(
        rf"(?:is|are) there (?:any )?(?!more|less|fewer|anything|something|not?\b)(.+?)"
        rf"(?: (?:present|visible))?{_IN}",
        r"Can \1 be seen in this image?",
    ),
    _rule(
        rf"what (?:modality|imaging modality) (?:is|was) used to take this {_PICTURE}",
        r"With which modality was this image taken?",
    ),
    _rule(
        rf"where (?:is|are) (the (?!(?:location|position|site)\b).+?)(?: located)?{_IN}",
        r"What is the location of \1 in this image?",
    ),
    _rule(r"how many (.+?) (?:are there|exist)( [^?]+?)?", r"What is the number of \1\2?"),
    _rule(r"what (?:is|are) the (?!.*\b(?:and|or)\b)(.+?)", r"Name the \1."),
    _rule(r"which (\w+) (is|are|was|were|does|do|has|have|can) (.+?)", r"What \1 \2 \3?"),
    _rule(
        r"what (organ|part|disease|lobe|side|structure|plane|lung|bone|artery|modality|colou?r|kind|type)"
        r" (.+?)",
        r"Which \1 \2?",
    ),
    _rule(rf".*{_CALLED}.*", _turned),
    _rule(rf"((?:{_VERBS})\b.+?)", _led_in),
)
