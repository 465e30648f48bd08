"""When an answer is given, and when it is `not sure`, and why: the rule of RUN/threshold.json."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError

from pefomed.answers.card import adapter_part
from pefomed.errors import DataError, RunError, typed
from pefomed.files.jsonl import read_object
from pefomed.files.storage import write
from pefomed.recipe.threshold import Confidence
from pefomed.runs import RunFolder
from pefomed.schema import Record

NOT_SURE = "not sure"


class Rule(Record):
    """What was chosen, and on what."""

    most_wrong: float
    """The share of wrong answers among the answered that was asked for."""
    by: Confidence
    threshold: float | None
    """Least confidence that is answered; None where nothing can be promised: then nothing is answered."""
    unlike: float = 0.0
    """Least likeness of a picture that is answered about."""
    on: dict[str, str]
    """Data set -> split it was chosen on."""
    tasks: tuple[str, ...]
    """What is asked there; nothing is said of other tasks."""
    right_by: str
    """The metric that said what is right."""
    pictures: int
    questions: int
    answered: int
    """Of these questions."""
    wrong: int
    """Of the answered ones."""
    most_questions: int
    """Questions about one picture at most."""
    least_level: float
    """The least share that could have been asked for."""
    generation: str
    drawing: str = ""
    """How answers were drawn, where their agreement counts."""
    samples: int = 0
    temperature: float = 1.0
    seed: int = 0
    adapter: str | None = None
    """Hash of the adapter that answered."""
    version: str = Field(min_length=1)

    def why_not(self, confidence: float | None, likeness: float | None = None) -> str:
        """Return why an answer is not given; nothing if it is."""
        if self.unlike and likeness is not None and likeness < self.unlike:
            return (
                f"the picture is unlike the training pictures: {100 * likeness:.2g} % of held-out pictures"
                f" are as unlike, {100 * self.unlike:.3g} % are asked for"
            )
        if self.threshold is None:
            return (
                f"no threshold keeps wrong answers at {100 * self.most_wrong:.3g} %: the validation answers"
                f" allow {100 * self.least_level:.3g} % at least"
            )
        if confidence is None:
            return "how sure the answer is is not known"
        if confidence >= self.threshold:
            return ""
        need = f"{confidence:.2f}, {self.threshold:.2f} is needed"
        if f"{confidence:.2f}" == f"{self.threshold:.2f}":
            need = f"{confidence:.5f}, {self.threshold:.5f} is needed"
        return f"{_LOW[self.by]} {need}"

    def promise(self) -> str:
        """Return in a sentence what may be expected."""
        return (
            f"of the questions it answers about new pictures like those of {self.source}, at most"
            f" {100 * self.most_wrong:.3g} % are answered wrongly in the mean over validation sets"
        )

    @property
    def source(self) -> str:
        """`slake validate`."""
        return ", ".join(f"{name} {split}" for name, split in self.on.items())


_LOW = {
    "probability": "low probability:",
    "drawn_support": "drawn answers say something else: of them the same",
    "drawn_agreement": "drawn answers disagree:",
}


def read_rule(run: Path, *, fitting: bool = True) -> Rule | None:
    """Return the rule of a run; None if it has none.

    Args:
        fitting: it must be of the adapter that is there.

    Raises:
        DataError: its file is damaged.
        RunError: it was chosen for another adapter.
    """
    path = RunFolder(run).threshold_file
    if not path.exists():
        return None
    remedy = f"delete it, or choose again: pefomed threshold {typed(run)}"
    try:
        rule = Rule.model_validate(read_object(path, remedy))
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        where = ".".join(map(str, detail["loc"]))
        raise DataError(f"{path} is damaged", found=f"{where}: {detail['msg']}", remedy=remedy) from None
    now = adapter_part(RunFolder(run).adapter)
    if fitting and rule.adapter != now:
        raise RunError(
            f"{path} was chosen for another adapter than the one in {RunFolder(run).adapter}", remedy=remedy
        )
    return rule


def write_rule(run: Path, rule: Rule) -> None:
    """Keep the rule with its run."""
    write(RunFolder(run).threshold_file, rule.model_dump_json(indent=1) + "\n")
