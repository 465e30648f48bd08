"""The record types that pass between steps, validated when made, one JSON object a line."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    PositiveInt,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from pefomed.checked import Checked
from pefomed.tasks import ALL, Names


class OneOf:
    """Checks that a text is the name of one of these tasks."""

    def __init__(self, names: Names):
        self.names = names

    def __call__(self, name: str) -> str:
        if name not in self.names:
            *others, last = map(repr, self.names)
            raise ValueError(f"Input should be {', '.join(others)} or {last}")
        return name


TaskName = Annotated[str, AfterValidator(OneOf(ALL))]
Unit = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]


class Record(Checked):
    """A frozen record: unknown fields are errors, and it never changes once made."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Box(Record):
    """A box as fractions of the original image's width and height, x to the right, y down."""

    x0: Unit
    y0: Unit
    x1: Unit
    y1: Unit

    @model_validator(mode="after")
    def _has_area(self) -> Box:
        if not (self.x0 < self.x1 and self.y0 < self.y1):
            raise ValueError(f"box is inverted or empty: ({self.x0}, {self.y0}, {self.x1}, {self.y1})")
        return self


class Mask(Record):
    """Where the mask of a phrase is kept: some pixels of one file."""

    path: str
    """Of the mask's file, with its slice behind `#`, as an image's."""
    meant: Literal["numbers", "colours", "grey"]
    """What the file's values are."""
    value: float | None = None
    """The value inside; None where it is `threshold` or more."""
    threshold: float | None = None
    least: int = 1
    """Connected parts of fewer pixels are not inside."""
    digest: str
    """Hash of the pixels, by which it is noticed that the file has changed."""


class Outline(Record):
    """What a phrase names as it was drawn on its image: polygons, or pixels. Nothing else has to be there."""

    size: tuple[PositiveInt, PositiveInt]
    """Width and height of the image in the pixels that are counted here."""
    polygons: tuple[str, ...] = ()
    """Each its corners, `x,y x,y x,y`; what is inside of any is inside."""
    pixels: str = ""
    """COCO's compressed run-length code (`data.readers.rle`), where there are no polygons."""

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _without_empty(write(self), "polygons", "pixels")


class Sample(Record):
    """One question (or caption, report, phrase) about one or more images."""

    id: str = Field(min_length=1)
    images: tuple[str, ...] = Field(min_length=1)
    """Paths of the image files, absolute or relative to the working directory."""
    task: TaskName
    question: str = ""
    """The question, or the phrase to ground; empty for captions and reports."""
    reference: str = ""
    """The reference answer. Empty where the boxes are the answer (refer, detection), and where the data
    set itself holds an empty one. In a grounding caption `<p>phrase</p>{0,2}` marks a phrase and the
    indices of its boxes."""
    further_references: tuple[str, ...] = ()
    """Other texts that are as right as `reference`: an answer is held against all of them. Training uses
    `reference` alone."""
    boxes: tuple[Box, ...] = ()
    """Empty where what refer or detection ask for is nowhere in the image: this is the right answer then."""
    size: tuple[PositiveInt, PositiveInt] | None = None
    """Width and height of the first image in pixels; known where there are boxes, or might be."""
    masks: tuple[Mask | Outline, ...] = ()
    """Of refer and detection, where masks or outlines are known: together what the phrase names."""
    meta: dict[str, str] = Field(default_factory=dict)
    """What results are grouped by: answer_type, question_type, image_organ, modality, ..."""
    owners: dict[str, str] = Field({}, exclude=True)
    """Whose it is, for the audit: patient, study, ... Never written to a file of a run."""

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Files of samples with one reference, or without masks, stay what they were.
        return _without_empty(write(self), "further_references", "masks")

    @property
    def references(self) -> tuple[str, ...]:
        """Every reference, the first of them `reference`."""
        return (self.reference, *self.further_references)


class Prediction(Record):
    """What a model said about one sample; an empty or cut answer is kept and flagged."""

    sample_id: str = Field(min_length=1)
    text: str
    tokens: int = Field(ge=0)
    """Generated tokens, the end token included."""
    finish: Literal["stop", "length", "unknown"]
    """`stop`: the end token came; `length`: cut at the limit; `unknown`: made by somebody else."""
    generation: str
    """How it was generated, e.g. `greedy, at most 32 tokens`."""
    blind: bool = False
    """True if the image features were replaced by their mean."""
    asked: str = ""
    """Hash of the question that was answered (`data.question_hash`); empty if that is not known."""
    shown: str = ""
    """Hash of what its images held; empty if that is not known, or none was seen."""
    logprob: float | None = None
    """Natural logarithm of the answer's probability (`answers.answer`); None if it is not known."""
    made_by: str = ""
    """Which entry of the card beside the file says what made it (`answers.card`); empty if none does."""

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written = _without_empty(write(self), "asked", "shown", "made_by")
        if self.logprob is None:
            del written["logprob"]
        return written


class Drawn(Record):
    """Several answers that were drawn from a model's distribution to one question."""

    sample_id: str = Field(min_length=1)
    texts: tuple[str, ...] = Field(min_length=2)
    """In the order of their seeds."""
    logprobs: tuple[float, ...] = ()
    """Natural logarithm of the probability of each, at temperature 1."""
    generation: str
    """How they were drawn, e.g. `5 drawn at temperature 1, seed 0, at most 32 tokens`."""
    asked: str = ""
    """As a prediction's, like the two that follow."""
    shown: str = ""
    made_by: str = ""


class Likeness(Record):
    """How like the pictures of a sample are to the pictures that were trained on."""

    sample_id: str = Field(min_length=1)
    distance: float = Field(ge=0, allow_inf_nan=False)
    """To the nearest training picture, of several pictures the farthest: 1 less the cosine of their mean
    features."""
    level: Unit
    """Share of held-out pictures that are at least so far, this one counted with them."""
    shown: str = ""
    """As a prediction's."""
    of: str = ""
    """Hash of what it was held against (`inference.likeness`)."""


class Verdict(Record):
    """A judge's or a human's label for one prediction; a failed judgement is `None`, never 0."""

    sample_id: str = Field(min_length=1)
    rater: str = Field(min_length=1)
    run: int = Field(ge=0, default=0)
    label: int | None
    reason: str = ""
    judged: str = ""
    """Hash of the texts that were judged (`evaluate.verdicts.judged_hash`); empty if that is not known."""
    shown: str = ""
    """As a prediction's; empty for judges, who see no image."""

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _without_empty(write(self), "judged", "shown")


class ItemScore(Record):
    """What one metric says of one answer, or of the boxes that an answer gives one phrase."""

    sample_id: str = Field(min_length=1)
    phrase: int | None = Field(None, ge=0)
    """Where boxes are answered: the phrase's number in its sample, from 0; other values are of the sample."""
    system: str
    """Who answered: `model` or `blind`."""
    metric: str
    """As in `scores.jsonl`; the mean of its items is the score where the metric is one of items."""
    value: float | None = Field(allow_inf_nan=False)
    """None where the metric is of such items, and this one has no value."""
    why: str = ""
    """Why there is no value."""
    read: str = ""
    """What was read from the answer where that differs from its text; boxes as JSON, in the image's frame."""

    @model_validator(mode="after")
    def _says_why(self) -> ItemScore:
        if (self.value is None) != bool(self.why):
            raise ValueError("an item has a value, or `why` says why it has none")
        return self

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written = _without_empty(write(self), "why", "read")
        if self.phrase is None:
            del written["phrase"]
        return written


class Score(Record):
    """One number with its proof."""

    metric: str
    """e.g. `exact_match`."""
    system: str
    """Who answered: `model`, `blind`, `floor:majority`, `floor:nearest-text`, `published:PeFoMed`."""
    dataset: str
    split: str
    group: str = "overall"
    """`overall`, or `key=value` of the samples' meta."""
    value: float
    """In [0, 1] for shares; NaN is refused."""
    low: float | None = None
    high: float | None = None
    """Ends of the interval, or None where there is none (published rows)."""
    interval: str = ""
    """How it was made, e.g. `95 % by image, jackknife, Korn-Graubard limits`, or `none: ` and why."""
    n: int = Field(ge=0)
    implementation: str
    """What computed it, with version and settings."""

    @model_validator(mode="after")
    def _is_number(self) -> Score:
        # JSON has neither: such a score could be written but not read back.
        if not all(
            math.isfinite(number) for number in (self.value, self.low, self.high) if number is not None
        ):
            raise ValueError("a score is NaN or infinite; leave it out and count its items apart")
        return self


def meta_text(value: Any) -> str:
    """Return a meta value as the text results are grouped by (trailing spaces dropped)."""
    return str(value).strip()


def _without_empty(written: dict[str, Any], *fields: str) -> dict[str, Any]:
    return {name: value for name, value in written.items() if value or name not in fields}
