"""What a split's boxes show beyond their scores: IoU by size and by shape, and left and right mistaken."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pefomed.agreement.correlation import spearman_rho
from pefomed.boxes.region import union_area
from pefomed.evaluation.score import numbered
from pefomed.recipe import Evaluate
from pefomed.report.box_answers import AnsweredPhrase, BoxAnswer
from pefomed.report.laterality import confusion, mistakes
from pefomed.report.scatter import ScatterPoint, scatter
from pefomed.report.sheet import Sheet
from pefomed.schema import Score

SIZE = "Area of the reference boxes, share of the image"
ASPECT = "Width over height of the reference boxes"


@dataclass(frozen=True)
class Plot:
    key: str
    """`size` or `aspect`."""
    title: str
    drawing: Markup
    said: str
    """The rank correlation, in words."""


@dataclass(frozen=True)
class BoxFigures:
    phrases: int
    plots: list[Plot]
    confusion: Sheet
    mistakes: Sheet | None

    @property
    def sheets(self) -> list[Sheet]:
        return [self.confusion, *([self.mistakes] if self.mistakes else [])]


def box_figures(
    name: str,
    of: str,
    answers: Mapping[str, Mapping[str, BoxAnswer]],
    scores: Sequence[Score],
    evaluate: Evaluate,
) -> BoxFigures | None:
    """Return the figures of one split; None where the model answered no phrase.

    Args:
        name: what its files' names begin with.
        of: the data set and split, for titles.
        answers: of `box_answers`.
        scores: of the split.
        evaluate: the draws and the seed of intervals.
    """
    ours = list(answers.get("model", {}).values())
    phrases = [phrase for answer in ours for phrase in answer.phrases]
    if not phrases:
        return None
    # Where one image's size in pixels is not known, no shape is: fractions would be of a square.
    placed = [(answer, phrase) for answer in ours for phrase in answer.phrases if phrase.boxes]
    sizes = [(answer, phrase, union_area(phrase.boxes)) for answer, phrase in placed]
    shapes = [(answer, phrase, _aspect(phrase, answer.size)) for answer, phrase in placed if answer.size]
    plots = []
    if sizes:
        plots.append(
            _plot(
                "size",
                "IoU by size",
                SIZE,
                sizes,
                lambda value: f"{100 * value:.2g} % of the image",
                evaluate,
            )
        )
    if shapes:
        plots.append(
            _plot(
                "aspect",
                "IoU by shape",
                ASPECT,
                shapes,
                lambda value: f"width / height {value:.2f}",
                evaluate,
            )
        )
    return BoxFigures(
        phrases=len(phrases),
        plots=plots,
        confusion=confusion(f"{name}-sides", f"Sides of the boxes on {of}", phrases),
        mistakes=mistakes(f"{name}-side-mistakes", f"Left and right mistaken on {of}, percent", scores),
    )


def _plot(
    key: str,
    title: str,
    axis: str,
    phrases: Sequence[tuple[BoxAnswer, AnsweredPhrase, float]],
    told: Callable[[float], str],
    evaluate: Evaluate,
) -> Plot:
    points = [
        ScatterPoint(
            x=value,
            y=phrase.iou,
            label=f"{phrase.text or answer.sample_id}: IoU {phrase.iou:.2f}, {told(value)}",
            item=answer.sample_id,
            marked=phrase.mistaken,
        )
        for answer, phrase, value in phrases
    ]
    clusters = numbered([answer.images for answer, _, _ in phrases]).tolist()
    rho = spearman_rho(
        [point.x for point in points],
        [point.y for point in points],
        clusters=clusters,
        draws=evaluate.bootstrap,
        seed=evaluate.seed,
    )
    if rho.value is None or math.isnan(rho.value):
        said = f"n = {len(points):,}"
    else:
        ends = f", {_signed(rho.low)} to {_signed(rho.high)}" if rho.low and rho.high else ""
        said = f"Spearman's rho {_signed(rho.value)}{ends}; n = {len(points):,}"
    return Plot(key, title, scatter(title, axis, points, percent=key == "size"), said)


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")  # noqa: RUF001


def _aspect(phrase: AnsweredPhrase, size: tuple[int, int] | None) -> float:
    """Return width over height in pixels of the smallest box around all reference boxes."""
    width = max(box.x1 for box in phrase.boxes) - min(box.x0 for box in phrase.boxes)
    height = max(box.y1 for box in phrase.boxes) - min(box.y0 for box in phrase.boxes)
    across, down = size or (1, 1)
    return width * across / (height * down)
