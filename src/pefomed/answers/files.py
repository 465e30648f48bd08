"""Which answers of a run stand when its data was changed, and the order in which files are replaced.

An answer stands if its sample is still there and asks and shows the same. Others are answered again; until
all of these are there the former files stay as they are, and what is new lies in `predictions/again/`. Then
each file is replaced as a whole, the samples last: wherever this is killed, answers and samples that do not
belong together can be told by their hashes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence, Sized
from pathlib import Path
from typing import Literal, Protocol

from pefomed.answers.card import AnswerCard, Parts
from pefomed.errors import listed
from pefomed.files import jsonl
from pefomed.files.storage import storage_errors, write
from pefomed.progress import note
from pefomed.runs import RunFolder, Split
from pefomed.runs.folder import waiting_file
from pefomed.samples.question_hash import question_hash, shown_hash
from pefomed.schema import Drawn, Prediction, Sample

Kind = Literal["seen", "blind", "drawn", "vocabulary", "neighbours"]
"""Of answers: about the images, with the image features replaced by their mean, several drawn ones, the
likeliest of given ones, told of similar training images."""


class SplitFiles:
    """The files of one split of one data set: its samples, and the answers of each kind."""

    def __init__(self, run: Path, split: Split, samples: Sequence[Sample]):
        """Read what the run has of the split; nothing is written.

        Raises:
            DataError: a line is not a valid record.
        """
        files = RunFolder(run)
        self._samples, self._path = samples, files.samples_file(split)
        before = {sample.id: sample for sample in files.read_samples(split)}
        now = {sample.id: _Wanted(sample, question_hash(sample)) for sample in samples}
        self._answers: dict[Kind, AnswerFile] = {
            "seen": AnswerFile(files.predictions_file(split), now, before, sees=True),
            "blind": AnswerFile(files.predictions_file(split, blind=True), now, before, sees=False),
            "drawn": AnswerFile(files.drawn_file(split), now, before, sees=True, record=Drawn),
            "vocabulary": AnswerFile(files.predictions_file(split, way="vocabulary"), now, before, sees=True),
            "neighbours": AnswerFile(files.predictions_file(split, way="neighbours"), now, before, sees=True),
        }
        self._corrected = [
            each.id
            for each in before.values()
            if each.id in now and _held_against(each) != _held_against(now[each.id].sample)
        ]

    def answers(self, parts: Parts, remedy: str, kind: Kind = "seen") -> AnswerFile:
        """Return one of the files, to be completed with answers that `parts` make.

        Raises:
            RunError: it holds answers that other parts made; each that differs is named.
            DataError: a line or the card is not valid.
        """
        self._answers[kind].go_on(parts, remedy)
        return self._answers[kind]

    def begin(self) -> None:
        """Say what has changed, and write the samples if no answer is of another question."""
        for answers in self._answers.values():
            answers.tell()
        if self._corrected:
            note(
                f"{self._path}: {_counted(self._corrected, 'sample')} with another reference or other groups:"
                f" the answers stand, scores are new: {listed(self._corrected)}"
            )
        if not any(answers.replaced for answers in self._answers.values()):
            self._write_samples()

    def settle(self) -> None:
        """Replace what is out of date, once everything that is wanted is answered; the samples last."""
        if any(answers.replaced for answers in self._answers.values()):
            for answers in self._answers.values():
                answers.settle()
            self._write_samples()

    def _write_samples(self) -> None:
        write(self._path, jsonl.lines(self._samples))


class _Wanted:
    """A sample to be answered, and the hash of its question."""

    def __init__(self, sample: Sample, asked: str):
        self.sample, self.asked = sample, asked


class _Keep(Protocol):
    def __call__(self, answer: Prediction | Drawn) -> None: ...


class AnswerFile:
    """The answers of one file: those that stand, and the samples that are left to answer."""

    def __init__(
        self,
        path: Path,
        wanted: Mapping[str, _Wanted],
        before: Mapping[str, Sample],
        *,
        sees: bool,
        record: type[Prediction] | type[Drawn] = Prediction,
    ):
        """Read the file.

        Args:
            before: the samples it was written for, by id, as far as they are known.
            sees: the answers saw the images.
            record: what an answer is.
        """
        self._record: type[Prediction] | type[Drawn] = record
        self.path, self._again = path, waiting_file(path)
        self._wanted, self._sees = wanted, sees
        self._card: AnswerCard | None = None
        self._unseen: list[str] = []
        there: list[Prediction | Drawn] = list(jsonl.read(path, record))
        self._gone = [answer.sample_id for answer in there if answer.sample_id not in wanted]
        whys = {a.sample_id: self._why_not(a, before) for a in there if a.sample_id in wanted}
        self._changed = {sample_id: why for sample_id, why in whys.items() if why}
        self._kept = [a for a in there if a.sample_id in wanted and a.sample_id not in self._changed]
        self.replaced = bool(self._gone or self._changed)
        """Whether the file as it is holds answers that do not stand, or others wait to get into it."""

    @property
    def left(self) -> list[Sample]:
        """The samples that have no answer which stands."""
        done = {answer.sample_id for answer in self._kept}
        return [each.sample for sample_id, each in self._wanted.items() if sample_id not in done]

    def go_on(self, parts: Parts, remedy: str) -> None:
        """Let answers be added that `parts` make; see `Split.answers`."""
        self._card = AnswerCard(self.path, parts)
        self._card.check(self._kept, remedy)
        if self._again.exists():  # of a try that was stopped
            self.replaced = True
            self._kept += self._newer()

    def tell(self) -> None:
        """Say which answers do not stand, and why."""
        what = f"{self.path}: {_counted(self._changed, 'answer')} to what was asked otherwise"
        if self._changed:
            named = [f"{sample_id} ({why})" for sample_id, why in self._changed.items()]
            note(f"{what}, {'asked again' if self._card else 'removed'}: {listed(named)}")
        if self._gone:
            removed = f"{self.path}: {_counted(self._gone, 'answer')} removed with the samples"
            note(f"{removed}: {listed(self._gone)}")
        if self._unseen:
            unseen = f"{self.path}: {_counted(self._unseen, 'answer')} whose images cannot be read now"
            note(f"{unseen}, taken to be of the same: {listed(self._unseen)}")

    @contextlib.contextmanager
    def writer(self) -> Iterator[_Keep]:
        """Give a function that keeps an answer, together with what it came from."""
        assert self._card is not None  # `go_on` has made it
        made_by = self._card.made_by
        self._card.write()
        with jsonl.writer(self._again if self.replaced else self.path) as append:

            def keep(answer: Prediction | Drawn) -> None:
                wanted = self._wanted[answer.sample_id]
                origin = {"asked": wanted.asked, "shown": self._shown(wanted.sample), "made_by": made_by}
                append(answer.model_copy(update=origin))

            yield keep

    def settle(self) -> None:
        """Put the answers that stand and the new ones into the file, and nothing else."""
        if not self.replaced:
            return
        write(self.path, jsonl.lines([*self._kept, *self._newer()]))
        self.replaced = False
        if self._card is not None:
            with storage_errors(self._again):
                self._again.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # there are others in it
                self._again.parent.rmdir()

    def _newer(self) -> list[Prediction | Drawn]:
        """Return the answers that wait and stand, the last of each sample."""
        if self._card is None:
            return []
        known = {answer.sample_id for answer in self._kept}
        found = {
            answer.sample_id: answer
            for answer in jsonl.read(self._again, self._record)
            if answer.made_by == self._card.made_by
            and answer.sample_id in self._wanted
            and answer.sample_id not in known
            and not self._why_not(answer, {})
        }
        return list(found.values())

    def _why_not(self, answer: Prediction | Drawn, before: Mapping[str, Sample]) -> str:
        """Return why an answer does not fit the sample of its id; nothing if it does, as far as is known."""
        wanted, former = self._wanted[answer.sample_id], before.get(answer.sample_id)
        # An older answer does not say what it answered; the samples beside it do.
        asked = answer.asked or (question_hash(former) if former else wanted.asked)
        if asked != wanted.asked:
            return _what_changed(former, wanted.sample)
        shown = self._shown(wanted.sample) if answer.shown else ""
        if answer.shown and not shown and self._sees:
            self._unseen.append(answer.sample_id)
        return "another image" if shown and answer.shown != shown else ""

    def _shown(self, sample: Sample) -> str:
        return shown_hash(sample) if self._sees else ""


def _what_changed(before: Sample | None, now: Sample) -> str:
    """Return in words what of a sample is asked otherwise."""
    if before is None or before.question != now.question:
        return "another question"
    if before.task != now.task:
        return f"task {before.task!r} before, {now.task!r} now"
    return "another number of images" if len(before.images) != len(now.images) else "other boxes asked about"


def _held_against(sample: Sample) -> tuple[object, ...]:
    """Return what an answer is scored against, and grouped by."""
    return sample.references, sample.meta, frozenset(box.model_dump_json() for box in sample.boxes)


def _counted(found: Sized, what: str) -> str:
    return f"{len(found):,} {what}{'s' if len(found) != 1 else ''}"
