"""What a judging by an endpoint consists of: every answer in every run, and which of it has a reply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pefomed.endpoint import Endpoint, checked_base_url, completion
from pefomed.errors import RunError
from pefomed.files import jsonl
from pefomed.files.storage import usable_paths, write
from pefomed.judges import calibration
from pefomed.judges.card import read_card
from pefomed.judges.items import JudgeItem, other_sample_ids, read_items
from pefomed.judges.parse import Label, parse
from pefomed.judges.prompts import JudgedPair, rules_hash
from pefomed.judges.replies import (
    Reply,
    key_of,
    key_of_try,
    prompt_hash,
    read_replies,
    safe_name,
)
from pefomed.runs import RunFolder
from pefomed.schema import Verdict

KIND = "llm-judge"
CALIBRATION = "calibration"
"""Stands for the sample's id in replies to the card's pairs."""


@dataclass(frozen=True)
class JudgeSettings:
    """How the judge is asked; verdicts of one rater are all made with the same."""

    temperature: float = 1.0
    max_tokens: int = 256
    seed: int = 0
    """Run r gets `seed + r`."""
    structured: bool = True
    """Ask for a reply held to a JSON schema where the server can."""


@dataclass(frozen=True)
class Job:
    """One call."""

    key: str
    pair: JudgedPair
    run: int
    sample_id: str


@dataclass
class Work:
    """A judging: its items and runs, and the replies there are."""

    run: Path
    rater: str
    endpoint: Endpoint
    settings: JudgeSettings
    runs: int
    only: str | None
    items: list[JudgeItem]
    known: tuple[calibration.Known, ...]
    replies: dict[str, Reply] = field(default_factory=dict)
    _hashes: dict[JudgedPair, str] = field(default_factory=dict)

    @property
    def record(self) -> dict[str, Any]:
        """What replies are found by, beside the prompt and the run index."""
        return {"model": self.endpoint.model, **asdict(self.settings)}

    @property
    def all_runs(self) -> range:
        """The runs there are replies of: more than `runs`, if more were asked for before."""
        return range(max([self.runs, *(reply.run + 1 for reply in self.replies.values())]))

    def key(self, pair: JudgedPair, number: int) -> str:
        """Return the key of `pair` in run `number`."""
        if pair not in self._hashes:
            self._hashes[pair] = prompt_hash(pair)
        return key_of(self._hashes[pair], number, self.record)

    @property
    def pairs(self) -> list[JudgedPair]:
        """Every different pair, those of the card first."""
        return list(dict.fromkeys([*(known.pair for known in self.known), *(i.pair for i in self.items)]))

    def every_key(self) -> set[str]:
        """Return the keys of every pair in every run there are replies of."""
        return {self.key(pair, number) for pair in self.pairs for number in self.all_runs}

    def tries(self, key: str) -> list[Reply]:
        """Return the empty and cut replies after which this was asked again."""
        found: list[Reply] = []
        while (again := self.replies.get(key_of_try(key, len(found)))) is not None:
            found.append(again)
        return found

    def wanted(self, numbers: Iterable[int]) -> Iterator[tuple[JudgeItem, int, str]]:
        """Yield every item, run and key, run by run: what is stopped leaves whole runs behind it."""
        for number in numbers:
            keys: dict[JudgedPair, str] = {}
            for item in self.items:
                if item.pair not in keys:
                    keys[item.pair] = self.key(item.pair, number)
                yield item, number, keys[item.pair]

    def jobs(self) -> list[Job]:
        """Return the calls that have no reply yet, the card's first; equal texts are one call a run."""
        jobs: dict[str, Job] = {}
        for number in range(self.runs):
            for known in self.known:
                key = self.key(known.pair, number)
                jobs.setdefault(key, Job(key, known.pair, number, CALIBRATION))
        for item, number, key in self.wanted(range(self.runs)):
            jobs.setdefault(key, Job(key, item.pair, number, item.sample_id))
        return [job for key, job in jobs.items() if key not in self.replies]

    def verdicts(self) -> list[Verdict]:
        """Return the verdict of every item and run that has a reply."""
        labels: dict[str, Label] = {}
        found = []
        for item, number, key in self.wanted(self.all_runs):
            if key in self.replies:
                if key not in labels:
                    labels[key] = label_of(self.replies[key], item.pair)
                found.append(self.verdict(item, number, labels[key]))
        return found

    def verdict(self, item: JudgeItem, number: int, label: Label) -> Verdict:
        """Return an item's verdict in run `number`."""
        return Verdict(
            sample_id=item.sample_id,
            rater=self.rater,
            run=number,
            label=label.label,
            reason=label.reason,
            judged=item.judged,
        )

    def calibration(self) -> list[dict[str, Any]]:
        """Return the card's pairs with what the judge said to them in each run."""
        shown = []
        for known in self.known:
            keys = (self.key(known.pair, number) for number in self.all_runs)
            labels = [label_of(self.replies[key], known.pair).label for key in keys if key in self.replies]
            shown.append(calibration.shown(known, labels))
        return shown


@usable_paths()
def prepare(
    run: Path,
    endpoint: Endpoint,
    settings: JudgeSettings,
    *,
    runs: int = 10,
    only: str | None = None,
    rater: str | None = None,
) -> Work:
    """Return what a judging of `run` would ask; nothing is sent and nothing written.

    Args:
        only: `vqa`, or `report` for reports and captions; by default all of them.
        rater: the name its files get; by default the model's.

    Raises:
        RunError: there is nothing to judge, or the rater's name is taken by another one or by other
            settings.
        DataError: a file of the run is damaged.
    """
    endpoint = replace(endpoint, base_url=checked_base_url(endpoint.base_url))
    items = read_items(run, only)
    name = safe_name(rater or endpoint.model)
    known = calibration.pairs([item.pair.scale for item in items])
    work = Work(run, name, endpoint, settings, runs, only, items, known)
    _check_settings(work)
    work.replies = read_replies(RunFolder(run).replies_file(name))
    return work


def label_of(reply: Reply, pair: JudgedPair) -> Label:
    """Return what a reply says."""
    return parse(completion(reply.body), pair.scale)


def write_verdicts(work: Work) -> list[Verdict]:
    """Write the verdicts anew from the replies: in order, each once, whatever was killed when."""
    path = RunFolder(work.run).verdicts_file(work.rater)
    verdicts = work.verdicts()
    others = other_sample_ids(work.run, work.items) if work.only else set()
    kept = [verdict for verdict in jsonl.read(path, Verdict) if verdict.sample_id in others]
    lines = jsonl.lines([*kept, *verdicts])
    if lines or path.exists():
        write(path, lines)
    return verdicts


def _check_settings(work: Work) -> None:
    card = read_card(work.run, work.rater)
    if card is None:
        if (
            RunFolder(work.run).verdicts_file(work.rater).exists()
            and not RunFolder(work.run).replies_file(work.rater).exists()
        ):
            raise RunError(f"{work.run} has a rater {work.rater} already", remedy="choose another --rater")
        return
    before = card.get("settings", {})
    changed = [
        f"{key} {before.get(key)!r}, now {value!r}"
        for key, value in {**work.record, "rules": rules_hash()}.items()
        if before.get(key) != value
    ]
    if card.get("kind") != KIND or changed:
        raise RunError(
            f"{work.run} has verdicts of a rater {work.rater} made in another way",
            found="; ".join(changed) or str(card.get("kind")),
            remedy="keep both: give this one another name with --rater",
        )
