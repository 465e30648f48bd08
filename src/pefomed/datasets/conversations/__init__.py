"""Conversations about images, as other trainers have them: LLaVA, ShareGPT, `messages`; see `records`.

Link, licence, counts: the owner's. Layout: `root` is a JSON list, a JSON Lines or a Parquet file, a folder
with one file per split (`train.json`, `test.json`), or a hub's folder of shards.

One record::

    {"id": "7", "image": "scans/0001.png", "conversations": [
        {"from": "human", "value": "<image>\\nIs there a fracture?"}, {"from": "gpt", "value": "No."}]}

with, in the recipe::

    [data.mine]
    loader = "conversations"
    root = "mine/train.json"
    options = { images = "images" }

Every question with its answer is a sample. Traps: system prompts are left out (and counted); a later
question may mean an earlier one (`turns`); ids of records repeat in published files, so that a sample's id is
a hash of what it asks unless `columns.id` names a field; boxes inside a text are text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field

from pefomed import tasks
from pefomed.checked import Checked
from pefomed.datasets.card import DataCard
from pefomed.datasets.conversations import files, pictures
from pefomed.datasets.conversations.further import answers_of
from pefomed.datasets.conversations.pairs import Exchange, Turns, pairs_of
from pefomed.datasets.conversations.records import Role, messages_of
from pefomed.datasets.conversations.unfit import MISSING_IMAGE, Skip, Unfit
from pefomed.errors import DataError
from pefomed.files.format import Format
from pefomed.mapping import cells
from pefomed.mapping.columns import Meta
from pefomed.mapping.images import ImageColumns, missing_image
from pefomed.mapping.references import marked_note
from pefomed.mapping.skip import NOTHING, Rules
from pefomed.mapping.source import OptionalSource, Source
from pefomed.progress import note
from pefomed.samples.content_ids import ContentIds
from pefomed.samples.left_out import LeftOut
from pefomed.samples.owners import owners_of
from pefomed.schema import OneOf, Sample

__all__ = ["CARD", "Fields", "load", "splits"]

CARD = DataCard(
    title="Conversations of one's own",
    licence="the owner's",
    link="",
    citation="",
    files=("a .json, .jsonl or .parquet file, one for each split, or a hub's shards",),
)


TextTask = Annotated[str, AfterValidator(OneOf(tasks.where(lambda task: not task.has_boxes)))]
"""A task without boxes."""


class Fields(Checked):
    """Which field of a record holds what; one that is not named here is found by its usual names."""

    called = "table of fields"
    model_config = ConfigDict(frozen=True, extra="forbid")

    messages: Source | None = None
    """The list of messages."""
    image: Source | None = None
    """The picture, or a list of them, where the messages do not hold them."""
    id: OptionalSource = ""
    """By default a hash of image, task and question; ids of published records repeat."""
    split: str | None = None
    """As for `table`."""
    meta: Meta = Field({})
    """Fields to group results by, or a table of names and fields. What names patients or studies is audited
    without being among them."""
    further: str = "further_answers"
    """A list of further right answers, or a path to one; of several questions a list for each. May be
    absent."""
    separator: str = ""
    """What stands between several right answers in one text; by default a text is one."""


def load(
    root: Path,
    split: str,
    *,
    columns: Fields = Fields(),  # noqa: B008 - frozen
    task: TextTask = "vqa",
    turns: Turns = "each",
    system: Literal["leave_out", "before"] = "leave_out",
    roles: Mapping[str, Role] = MappingProxyType({}),
    skip: Skip = NOTHING,
    only_split: str | None = None,
    images: str = ".",
    view: str = "",
    records: str | None = None,
    encoding: str | None = None,
) -> Iterator[Sample | LeftOut]:
    """Yield a sample for each question of `split`, and what `skip` leaves out.

    Args:
        columns: which field holds what.
        task: the task of every question; of captions and reports the question is not read.
        turns: of a conversation each question alone, the first alone, or each behind what was said before.
        system: `before` puts the system prompt before the question.
        roles: what further names of speakers mean, e.g. `{doctor = "assistant"}`.
        skip: which records, or questions of one, are left out and counted instead of being an error.
        only_split: the split that a single file is; by default `train`, or what its field `split` says.
        images: folder of the images, relative to the file's folder, or absolute.
        view: frame, slice or window of every image that does not say its own, e.g. `window=lung`.
        records: where in a JSON file the list of records is, e.g. `data`; by default the file is the list.
        encoding: of a text, e.g. `cp1252`; by default UTF-8, or what the file's first bytes say.

    Raises:
        DataError: a file is missing or malformed, or a record is no conversation about an image; the file
            and the record are named.
    """
    ids: dict[str, ContentIds] = {}
    form = Format(records=records, encoding=encoding)
    for path, stem, rows in files.rows_of(root, split, columns.split, only_split, form):
        how = _Reading(
            ids.setdefault(stem, ContentIds(stem)),
            ImageColumns(path.parent / images, view=view),
            columns,
            task,
            turns,
            system == "before",
            roles,
            skip,
        )
        prompts, marked = 0, False
        for place, row in rows:
            if gone := skip.of_row(row, place):
                yield gone
                continue
            try:
                for pair in _pairs(row, place, how):
                    prompts += bool(pair.system) and pair.number == 1
                    if not marked and (said := marked_note(path.name, [pair.answer])):
                        marked = True
                        note(said)
                    yield _sample(pair, row, place, how)
            except Unfit as fault:
                yield _left_out(fault, place, skip)
        if prompts and not how.with_system:
            note(
                f"{path.name}: the system prompts of {prompts:,} records are left out;"
                " `system = 'before'` puts them before the question"
            )


def splits(
    root: Path,
    *,
    columns: Fields = Fields(),  # noqa: B008 - frozen
    only_split: str | None = None,
    records: str | None = None,
    encoding: str | None = None,
    **_: Any,
) -> dict[str, int | None]:
    """Return the splits as the files call them, each with its records; options and errors as of `load`."""
    form = Format(records=records, encoding=encoding)
    return files.splits_of(root, columns.split, only_split, form)


@dataclass(frozen=True)
class _Reading:
    ids: ContentIds
    pictures: ImageColumns
    columns: Fields
    task: TextTask
    turns: Turns
    with_system: bool
    roles: Mapping[str, Role]
    skip: Rules

    @property
    def asks(self) -> bool:
        return tasks.TASKS[self.task].asked == "question"


def _pairs(row: Mapping[str, Any], place: str, how: _Reading) -> Iterator[Exchange]:
    found = pictures.pictures_of(row, how.columns.image, place)
    messages = messages_of(row, how.columns.messages, how.roles, place)
    return pairs_of(messages, found, how.turns, place, asks=how.asks, objects=bool(row.get("objects")))


def _left_out(fault: Unfit, place: str, skip: Rules) -> LeftOut:
    if fault.kind not in skip:
        raise fault.error(place)
    return LeftOut(place, fault.kind, fault.found or fault.problem)


def _sample(pair: Exchange, row: Mapping[str, Any], place: str, how: _Reading) -> Sample | LeftOut:
    columns, where = how.columns, f"{place}, question {pair.number}"
    if pair.fault is not None:
        return _left_out(pair.fault, place, how.skip)
    question = pair.question if how.asks else ""
    if how.with_system and pair.system and question:
        question = f"{pair.system}\n{question}"
    shown = [pictures.picture_of(one, how.pictures, where) for one in pair.images]
    paths = tuple(picture.path for picture in shown)
    if MISSING_IMAGE in how.skip and (absent := missing_image(paths)):
        return LeftOut(place, MISSING_IMAGE, absent)
    answers = answers_of(pair, row, columns.further, columns.separator, where)
    return Sample(
        id=_id(pair, [picture.name for picture in shown], question, row, place, how),
        images=paths,
        task=how.task,
        question=question,
        reference=answers[0],
        further_references=answers[1:],
        meta={name: cells.text(row, source, place) for name, source in columns.meta.items()},
        owners=owners_of(row, columns.meta),
    )


def _id(
    pair: Exchange, names: Sequence[str], question: str, row: Mapping[str, Any], place: str, how: _Reading
) -> str:
    if not how.columns.id:
        return how.ids(names, how.task, question)
    told = cells.text(row, how.columns.id, place)
    if not told:
        raise DataError(f"{place}: column {cells.said(how.columns.id)!r} is empty", remedy="fill it in")
    return f"{told}-{pair.number}" if pair.of > 1 else told
