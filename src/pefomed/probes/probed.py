"""The samples of a split as a probe asks them, and those that it leaves out, with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pefomed.errors import listed
from pefomed.schema import Sample


class Probed(NamedTuple):
    """What a probe makes of the samples of a split."""

    samples: list[Sample]
    """Under the ids of the samples they were made of, in their order."""
    left_out: dict[str, list[str]]
    """Reason -> ids."""

    def said(self, probe: str, split: str) -> list[str]:
        """Return a sentence for each reason to leave samples out."""
        return [
            f"{split}, probe {probe}: {len(ids):,} samples left out, {reason}: {listed(ids)}"
            for reason, ids in self.left_out.items()
        ]


def collected(made: Iterable[tuple[Sample, Sample | str]]) -> Probed:
    """Return pairs of a sample and what it became, or why it became nothing, as one record."""
    samples: list[Sample] = []
    left_out: dict[str, list[str]] = {}
    for sample, became in made:
        if isinstance(became, Sample):
            samples.append(became)
        else:
            left_out.setdefault(became, []).append(sample.id)
    return Probed(samples, left_out)


def changed(sample: Sample, **fields: object) -> Sample:
    """Return the sample with other fields and without its masks, which are of the picture as it was."""
    return sample.model_copy(update={"masks": (), **fields})


Wordings = Mapping[str, str]
"""Sample id -> another wording of its question."""
