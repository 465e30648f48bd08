"""Several references of one row: further columns, a list in a cell, or a separator that is named.

`reference_2`, `reference_3` ... beside `reference` are taken as further references by themselves, and so are
the texts of a list (JSON, Parquet, or written into a cell as `["a", "b"]`). Text is split only where a
separator is named. What looks like a further reference and is not used is named: it never becomes a group in
silence.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from pefomed.errors import listed

Text = Callable[[Any, str], str]
"""`text(value, column)`: a cell's value as text; raises a DataError for what is none."""


def numbered_columns(column: str, row: Collection[str]) -> tuple[str, ...]:
    """Return the columns called as `column` with a number behind: `reference_2`, `reference 3`.

    None if there is `answer` and `answer_1` too: these are choices, likely.
    """
    pattern = re.compile(rf"{re.escape(column)}[ _.-]?(\d{{1,3}})", re.IGNORECASE)
    found = [(int(match[1]), name) for name in row if (match := pattern.fullmatch(name))]
    if column in row and any(number < 2 for number, _ in found):
        return ()
    return tuple(name for _, name in sorted(found))


def references(cells: Sequence[tuple[str, Any]], separator: str, text: Text) -> tuple[str, ...]:
    """Return the different texts in a row's cells, in order, without empty ones.

    Args:
        cells: each with its column's name.

    Raises:
        DataError: a cell holds no text.
    """
    found: list[str] = []
    for number, (column, cell) in enumerate(cells):
        value = listed_in(cell)
        missing = value is None or value != value or (isinstance(value, str) and not value.strip())
        if number and missing:
            continue
        for each in value if isinstance(value, list) else [value]:
            whole = text(each, column)
            found += whole.split(separator) if separator else [whole]
    return tuple(dict.fromkeys(each.strip() for each in found if each.strip()))


def listed_in(value: Any) -> Any:
    """Return the list that a text is, as `["a", "b"]`; nothing for an empty one; anything else as it is."""
    text = value.strip() if isinstance(value, str) else ""
    if not (text.startswith("[") and text.endswith("]") and len(text) < 100_000):
        return value
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if found == []:
            return ""
        # Numbers alone may be coordinates that are an answer, and are text; beside a word they are answers.
        if (
            isinstance(found, list)
            and any(isinstance(each, str) for each in found)
            and not any(isinstance(each, list | dict) for each in found)
        ):
            return [each for each in found if each is not None]
    return value


def joined_note(where: str, answers: Iterable[str], how: str) -> str | None:
    """Return the sentence about several answers that are joined in one cell, if these look so.

    Args:
        how: names the separator, which stands for `{}`, in this table's options.
    """
    for answer in answers:
        if mark := joined_by(answer):
            return (
                f"{where}: an answer holds {mark!r}, and is one answer as it is: {answer[:60]!r}; if several"
                f" right ones are joined by it, {how.format(mark)}"
            )
    return None


def marked_note(where: str, answers: Iterable[str]) -> str | None:
    """Return the sentence about answers that hold boxes as marks, or whole numbers as `2.0`, if these do."""
    for answer in answers:
        if found := _BOXES.search(answer):
            return (
                f"{where}: an answer holds a box as {found[0]!r}, which is learned and scored as text; to"
                " have boxes scored give phrases and numbers in columns of a table"
            )
        if _WHOLE.fullmatch(answer.strip()):
            return (
                f"{where}: the answer {answer.strip()!r} is taken as it is written: so programs write"
                " whole numbers of a column with gaps; without `.0` it is another answer"
            )
    return None


def joined_by(answer: str) -> str | None:
    """Return what seems to join several answers in a text; None if nothing does."""
    found = _JOINED.search(answer)
    return (found[1] or found[2]) if found else None


def lookalikes(row: Iterable[str], used: Iterable[str]) -> list[str]:
    """Return the columns that are not used and look like another reference or answer."""
    known = set(used)
    return [name for name in row if name not in known and _looks(name)]


def lookalike_note(where: str, names: Sequence[str], how: str) -> str:
    """Return the sentence about columns of `lookalikes`; `how` is how they are used."""
    plural = len(names) > 1
    return (
        f"{where}: the column{'s' if plural else ''} {listed(names)} look{'' if plural else 's'} like further"
        f" references or answers and {'are' if plural else 'is'} not used; {how}"
    )


# A bar, a number sign or a doubled mark between two texts, and no mark of a sentence.
_JOINED = re.compile(r"[^\s|<]\s*(\|{1,2})\s*[^\s|>]|[^\W\d_](#|;;|&&)[^\W\d_]")

# Of Qwen-VL, Qwen2-VL and ms-swift, Qwen2.5-VL, Kosmos-2, PaliGemma.
_BOXES = re.compile(r"<box>|<\|box_start\|>|<bbox>|\"bbox_2d\"|<patch_index_\d{4}>|<loc\d{4}>")
_WHOLE = re.compile(r"-?\d+\.0")

_ANSWERS = frozenset(
    "ref refs reference references gt gts gold truth groundtruth answer answers target targets".split()
)
_BESIDE = frozenset(
    "alt alternative alternatives other others further second third more additional also accepted text texts"
    " ground true human annotator rater reader list all possible valid correct".split()
)


def _looks(name: str) -> bool:
    parts = [part for part in re.split(r"[^a-z]+|(?<=[a-z])(?=\d)", name.lower()) if part]
    # `answer_type` and `reference_source` are keys to group by.
    return bool(_ANSWERS & set(parts)) and all(
        part in _ANSWERS or part in _BESIDE or len(part) == 1 for part in parts
    )
