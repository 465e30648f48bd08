"""One sentence a split: how much of its score needs the image, as the probes found it."""

from __future__ import annotations

from collections.abc import Sequence

from pefomed.evaluation.groups import OVERALL
from pefomed.schema import Score


def probe_sentences(scores: Sequence[Score]) -> list[str]:
    """Return a sentence for each split whose samples were asked otherwise."""
    found = []
    for dataset, split in dict.fromkeys((score.dataset, score.split) for score in scores):
        mine = {
            score.metric: score
            for score in scores
            if (score.dataset, score.split, score.group, score.system) == (dataset, split, OVERALL, "model")
        }
        parts = [part for part in (_of_words(mine), _of_boxes(mine)) if part]
        if parts:
            found.append(f"{dataset} {split}: {'; '.join(parts)}")
    return found


def _of_words(scores: dict[str, Score]) -> str:
    needs, right = scores.get("probe_right_needs_image"), scores.get("probe_right")
    if needs is None or right is None or needs.low is None or needs.high is None:
        return "" if needs is None or right is None else _share(needs, right)
    return f"{_share(needs, right)} (95 %: {100 * needs.low:.1f} to {100 * needs.high:.1f} of all)"


def _share(needs: Score, right: Score) -> str:
    return (
        f"{100 * needs.value:.1f} of the {100 * right.value:.1f} % right answers need the image, the others"
        f" are the same with another picture, n = {needs.n:,}"
    )


def _of_boxes(scores: dict[str, Score]) -> str:
    parts = [
        text.format(scores[name].value * by)
        for name, text, by in (
            ("probe_swap_iou", "boxes on another picture have IoU {:.3f} with its own", 1),
            ("probe_mirror_iou", "on the mirrored one {:.3f} with the mirrored", 1),
            ("probe_absent_boxes", "{:.1f} % of what is not there gets a box", 100),
        )
        if name in scores
    ]
    return ", ".join(parts)
