"""What made the answers of a file, part by part, so that answers made in two ways are never mixed.

`predictions/<file>.card.json`: {hash: {part: value}}, and each answer names its hash. A part is e.g.
`prompt.pools.vqa` or `adapter`; of two cards the parts that both have are compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pefomed.errors import DataError, RunError, listed
from pefomed.files.checksums import sha256
from pefomed.files.jsonl import read_object
from pefomed.files.storage import write
from pefomed.prompts import instructions
from pefomed.recipe import WEIGHTS, Model, Prompt
from pefomed.runs.folder import card_of
from pefomed.samples.sample_hash import short_hash
from pefomed.schema import Drawn, Prediction

Parts = Mapping[str, Any]
"""Part -> what it is, as JSON; None for what cannot be known."""

_NOT_ANSWERING = ("lora", "start")  # the adapter says the one, and is what the other became
_OF_NO_EFFECT = ("peft_version", "inference_mode", "base_model_name_or_path", "revision", "lora_dropout")
_PROMPT = ("template", "seed", "box_bins", "box_rounding")


def prompt_parts(prompt: Prompt, tasks: Iterable[str]) -> dict[str, Any]:
    """Return what of a recipe's prompts an answer to one of `tasks` hangs on, the pools word by word.

    Raises:
        RecipeError: a pool is unknown or empty.
    """
    parts = {f"prompt.{name}": getattr(prompt, name) for name in _PROMPT}
    return parts | {f"prompt.pools.{task}": list(instructions(task, prompt)) for task in sorted(set(tasks))}


def model_parts(model: Model, *, hashed: bool = False) -> dict[str, Any]:
    """Return what of a recipe's model an answer hangs on, beside the adapter.

    Args:
        hashed: the adapter tells its base by hashes, and is refused on others: where they lie is free.
    """
    fields = model.model_dump(mode="json", exclude={*_NOT_ANSWERING, *(WEIGHTS if hashed else ())})
    return {f"model.{name}": value for name, value in fields.items()}


def adapter_part(folder: Path) -> str | None:
    """Return the hash of an adapter's weights and of the settings they act by; None if there is none."""
    weights, settings = folder / "adapter_model.safetensors", folder / "adapter_config.json"
    try:
        digest = sha256(weights)
        fields = json.loads(settings.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # whoever loads it says what is wrong
        return None
    acting = fields if isinstance(fields, dict) else {}
    acting = {
        name: sorted(value, key=str) if isinstance(value, list) else value  # sets, in any order
        for name, value in acting.items()
        if name not in _OF_NO_EFFECT
    }
    return short_hash(digest, acting)


class AnswerCard:
    """The card beside a file of predictions, and the parts that would make further answers now."""

    def __init__(self, predictions: Path, parts: Parts):
        """Read the card of the file `predictions`, if there is one.

        Raises:
            DataError: it is no card.
        """
        self.predictions = predictions
        self.path = card_of(predictions)
        # As read back: tuples are lists there.
        self.parts: dict[str, Any] = json.loads(json.dumps(parts))
        self.made_by = short_hash(self.parts)
        self._known = _read(self.path)

    def check(self, answers: Iterable[Prediction | Drawn], remedy: str) -> None:
        """Check that all of `answers` were made as further ones would be; of older ones, as far as they say.

        Raises:
            RunError: the file holds some that were not; each part that differs is named.
        """
        for made_by, how in dict.fromkeys((answer.made_by, answer.generation) for answer in answers):
            if made_by == self.made_by:
                continue
            before = self._known.get(made_by)
            if before is None and made_by:
                found = ["made by something that no card tells of"]
            else:
                found = _different(before or {"generation": how}, self.parts)
            if found:
                raise RunError(
                    f"{self.predictions} holds answers that came about in another way",
                    found=listed(found, "; ", most=8),
                    remedy=remedy,
                )

    def write(self) -> None:
        """Write down what makes further answers, before the first of them.

        Raises:
            StorageError: it cannot be written.
        """
        if self._known.get(self.made_by) != self.parts:
            self._known[self.made_by] = self.parts
            write(self.path, json.dumps(self._known, indent=1, ensure_ascii=False) + "\n")


def differing(one: Path, other: Path) -> list[str]:
    """Return in which parts the answers of two files were made otherwise, as far as their cards say.

    Raises:
        DataError: a card is damaged.
    """
    pairs = [(a, b) for a in _read(card_of(one)).values() for b in _read(card_of(other)).values()]
    apart = [_different(a, b) for a, b in pairs]
    # A card may tell of answers that are no longer there.
    return min(apart, key=len) if apart else []


def _read(path: Path) -> dict[str, dict[str, Any]]:
    if not path.exists():
        return {}
    remedy = "restore it, or remove it with its answers"
    known = read_object(path, remedy)
    if not all(isinstance(parts, dict) for parts in known.values()):
        raise DataError(f"{path} is damaged", found="it is no object of objects", remedy=remedy)
    return known


def _different(before: Parts, now: Parts) -> list[str]:
    found = []
    for name in before.keys() & now.keys():
        if before[name] != now[name] and before[name] is not None and now[name] is not None:
            found.append(
                "the adapter is another one"
                if name == "adapter"
                else f"{name}: {_short(before[name])} instead of {_short(now[name])}"
            )
    return sorted(found)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
