"""What raters are asked: right or wrong for answers, five levels of agreement for reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

RatedTask = str
"""A key of `tasks.LABELLED`."""

CANNOT = "cannot judge"


@dataclass(frozen=True)
class RatingLevel:
    label: int
    word: str
    """What a spreadsheet's drop-down and a button call it."""
    when: str
    keys: str
    """Keys that give this label; the first is shown."""


@dataclass(frozen=True)
class RatingScale:
    task: RatedTask
    question: str
    levels: tuple[RatingLevel, ...]
    """From the lowest label to the highest."""
    advice: tuple[str, ...]
    noun: str
    """What is rated."""
    labelled_as: str
    """What raters did, for the card of their verdicts."""
    strata: bool
    """Whether answers that are called right and wrong are drawn apart (`pool`)."""
    sides: bool
    """True if reference and generated text stand unnamed, left or right by chance."""

    @property
    def labels(self) -> tuple[int, ...]:
        return tuple(level.label for level in self.levels)


ANSWERS = RatingScale(
    task="vqa",
    question="Is the answer right?",
    levels=(
        RatingLevel(0, "wrong", "Another meaning than the reference, or no answer.", "n0"),
        RatingLevel(1, "right", "Means the same as the reference, or is good enough for the question.", "y1"),
    ),
    advice=(
        "Take the reference as true. If you think that it is wrong, rate all the same and leave a comment.",
        "More precise is right, unless the image speaks against it: reference “fracture”, answer “rib"
        " fracture”.",
        "What the question already names need not be said again: asked about the kidney, “lower pole” is as"
        " good as “lower pole of the kidney”.",
        "Other words for the same are right: reference “swelling”, answer “edema”.",
        "An answer that settles the question is right: “Is a drain visible?”, reference “in the chest”,"
        " answer “yes”.",
        "Left and right are the patient's. The other side is wrong, and so is a side where both are meant.",
        "A list is right if it has all that the reference lists, and nothing that contradicts it or"
        " the image.",
    ),
    noun="answers",
    labelled_as="VQA answers as right or wrong",
    strata=True,
    sides=False,
)

REPORTS = RatingScale(
    task="report",
    question="How well do the two texts agree?",
    levels=(
        RatingLevel(
            0, "not at all", "One of them is about something else, or contradicts the other throughout.", "0"
        ),
        RatingLevel(
            1,
            "little",
            "So different that a reader would not get the same basic picture: several key statements are"
            " wrong or misleading, important elements are missing.",
            "1",
        ),
        RatingLevel(
            2,
            "in part",
            "Main diagnosis and intent agree, but several key aspects clearly differ or are missing.",
            "2",
        ),
        RatingLevel(
            3,
            "closely",
            "The key elements agree closely. Small deviations and few omissions, none of which changes the"
            " diagnosis or the understanding.",
            "3",
        ),
        RatingLevel(
            4,
            "fully",
            "Hardly to be told apart in meaning: every necessary element is there, and advice is complete.",
            "4",
        ),
    ),
    advice=(
        "One text is the reference, the other is generated; which is which is left to chance and not shown.",
        "Judge the meaning, not the style or the length.",
        "The image is there for orientation: what counts is whether the texts agree.",
    ),
    noun="reports",
    labelled_as="reports on levels 0 to 4",
    strata=False,
    sides=True,
)

SCALES: Mapping[RatedTask, RatingScale] = {"vqa": ANSWERS, "report": REPORTS}
