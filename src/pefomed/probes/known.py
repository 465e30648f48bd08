"""The probes there are. A new one is an entry here."""

from __future__ import annotations

from collections.abc import Sequence

from pefomed.errors import RecipeError, nearest
from pefomed.probes.absent import asked_absent
from pefomed.probes.mirror import mirrored
from pefomed.probes.paraphrase import paraphrased
from pefomed.probes.probed import Probed, Wordings
from pefomed.probes.swap import swapped
from pefomed.recipe import PROBES
from pefomed.schema import Sample
from pefomed.tasks import BOXES, WORDS

__all__ = ["PROBES", "probed", "probed_samples", "probes_named"]


def probes_named(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names, each once.

    Raises:
        RecipeError: one is that of no probe.
    """
    for name in names:
        if name not in PROBES:
            raise RecipeError(f"there is no probe {name!r}", remedy=nearest(name, PROBES))
    return tuple(dict.fromkeys(names))


def probed_samples(samples: Sequence[Sample]) -> list[Sample]:
    """Return the samples that can be probed: those answered in words or in boxes, not in texts."""
    return [sample for sample in samples if sample.task in WORDS or sample.task in BOXES]


def probed(probe: str, samples: Sequence[Sample], wordings: Wordings | None = None) -> Probed:
    """Return the samples of a split as a probe asks them.

    Args:
        wordings: of questions in other words, of the user's own.

    Raises:
        ImageError: the size of a picture must be known, and it cannot be read.
    """
    chosen = probed_samples(samples)
    made = {
        "swap": swapped,
        "mirror": mirrored,
        "absent": asked_absent,
    }
    found = paraphrased(chosen, wordings) if probe == "paraphrase" else made[probe](chosen)
    others = [sample.id for sample in samples if sample.task not in WORDS and sample.task not in BOXES]
    if others:
        found.left_out["texts are not probed"] = others
    return found
