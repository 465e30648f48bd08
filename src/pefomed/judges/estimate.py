"""What a judging would take before anything is sent: calls, tokens, and with a price their cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

CHARACTERS_PER_TOKEN = 4.0
"""Of English text, roughly, under any of today's tokenizers."""

TOKENS_PER_REPLY = 10
"""`{"label": 1}` and the end; a model that thinks aloud takes many more, up to `--max-tokens`."""


@dataclass(frozen=True)
class Estimate:
    """Calls and tokens; `cost` is None without a price, in the price's currency."""

    calls: int
    tokens_in: int
    tokens_out: int
    cost: float | None

    def sentence(self) -> str:
        """Return it in words."""
        cost = "" if self.cost is None else f", about {self.cost:,.2f} at the given price"
        return f"{self.calls:,} calls, about {self.tokens_in:,} tokens in and {self.tokens_out:,} out{cost}"


def estimate(
    conversations: Iterable[Sequence[Mapping[str, str]]],
    price_in: float | None = None,
    price_out: float | None = None,
    tokens_per_reply: int = TOKENS_PER_REPLY,
) -> Estimate:
    """Return what sending the conversations takes; prices are per million tokens."""
    calls, characters = 0, 0
    for conversation in conversations:
        calls += 1
        characters += sum(len(message["content"]) for message in conversation)
    tokens_in = round(characters / CHARACTERS_PER_TOKEN)
    tokens_out = calls * tokens_per_reply
    cost = None
    if price_in is not None or price_out is not None:
        cost = (tokens_in * (price_in or 0.0) + tokens_out * (price_out or 0.0)) / 1e6
    return Estimate(calls, tokens_in, tokens_out, cost)
