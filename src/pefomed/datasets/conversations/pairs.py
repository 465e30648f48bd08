"""The questions of a conversation with their answers, each with the pictures that were shown until then.

Pictures that no message marks stand before the first question; a later question is about all that came before
it. Who speaks is checked: a question, its answer, the next question.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pefomed.datasets.conversations import content
from pefomed.datasets.conversations.content import Mark, Piece
from pefomed.datasets.conversations.records import Message
from pefomed.datasets.conversations.unfit import (
    EMPTY_ANSWER,
    EMPTY_QUESTION,
    IMAGE_COUNT,
    IMAGE_IN_ANSWER,
    NO_ANSWER,
    NO_IMAGE,
    PLACEHOLDERS,
    WRONG_ORDER,
    Unfit,
)

Turns = Literal["each", "first", "history"]
"""Of a conversation: each question alone, the first alone, or each behind what was said before it."""


@dataclass(frozen=True)
class Exchange:
    """One question and its answer."""

    number: int
    """From 1."""
    of: int
    """How many pairs of the record are read."""
    question: str
    answer: str
    images: tuple[Any, ...]
    """As the record holds them."""
    system: str = ""
    """What the system prompt says."""
    fault: Unfit | None = field(default=None, compare=False)
    """Why it is no sample."""


def pairs_of(
    messages: Sequence[Message],
    images: Sequence[Any],
    turns: Turns,
    place: str,
    *,
    asks: bool = True,
    objects: bool = False,
) -> Iterator[Exchange]:
    """Yield the pairs of a conversation, those with a fault among them.

    Args:
        images: the record's pictures, for marks that do not hold their own.
        asks: whether an empty question is a fault; captions and reports have none.
        objects: whether the record holds values for placeholders in the text.

    Raises:
        Unfit: the whole record is.
    """
    system = "\n".join(
        text for each in messages if each.role == "system" and (text := _text(each, place).strip())
    )
    said = [each for each in messages if each.role != "system"]
    _check_order(said)
    pieces = [content.pieces_of(each.content, place) for each in said]
    if objects:
        _check_placeholders(pieces)
    shown = _Shown(pieces, images)
    history: list[str] = []
    count = 1 if turns == "first" else len(said) // 2
    for number in range(1, count + 1):
        asked, answered = pieces[2 * number - 2], pieces[2 * number - 1]
        if any(isinstance(piece, Mark) for piece in answered):
            raise Unfit(IMAGE_IN_ANSWER, f"answer {number} shows an image, where text is read")
        question = content.text_of(asked, shown.numbers(asked))
        answer = content.text_of(answered)
        fault = _fault(number, question, answer, shown, asks)
        whole = "\n".join([*history, question])
        yield Exchange(number, count, whole, answer, tuple(shown.pictures), system, fault)
        if turns == "history" and fault is None:
            history += [question, answer]


class _Shown:
    """The pictures shown so far, each once."""

    def __init__(self, pieces: Sequence[Sequence[Piece]], images: Sequence[Any]):
        marks = [piece for message in pieces for piece in message if isinstance(piece, Mark)]
        own = sum(mark.picture is not None for mark in marks)
        numbered = {mark.number for mark in marks if mark.number is not None}
        if not own and not images:
            raise Unfit(NO_IMAGE, "the record holds no image")
        if own:
            fit = own == len(marks) and not images
        elif numbered:  # a number may come again
            fit = all(mark.number is not None for mark in marks) and numbered == set(range(len(images)))
        else:
            fit = not marks or len(marks) == len(images)
        if not fit:
            raise Unfit(
                IMAGE_COUNT,
                "the messages do not mark as many images as the record holds",
                f"{len(marks)} marks ({own} with an image of their own), {len(images)} images",
                "mark each image once, or none of them",
            )
        self._waiting = list(images)
        self._all = list(images)
        self.pictures: list[Any] = [] if marks else list(images)
        self._places: dict[int, int] = {}

    def numbers(self, message: Sequence[Piece]) -> list[int]:
        """Show a message's pictures; return for each mark which of those shown it is, from 1."""
        found = []
        for mark in message:
            if not isinstance(mark, Mark):
                continue
            if mark.number is not None and mark.number in self._places:
                found.append(self._places[mark.number])
                continue
            if mark.picture is not None:
                self.pictures.append(mark.picture)
            elif mark.number is not None:
                self.pictures.append(self._all[mark.number])
                self._places[mark.number] = len(self.pictures)
            else:
                self.pictures.append(self._waiting.pop(0))
            found.append(len(self.pictures))
        return found


def _check_order(said: Sequence[Message]) -> None:
    for number, each in enumerate(said):
        expected = "assistant" if number % 2 else "user"
        if each.role != expected:
            raise Unfit(
                WRONG_ORDER,
                "a conversation is a question, its answer, the next question and so on",
                "it begins with an answer"
                if not number
                else f"two messages of the {each.role} in a row, numbers {number} and {number + 1}",
            )
    if len(said) % 2:
        raise Unfit(NO_ANSWER, "the last question has no answer", f"{len(said)} messages")


def _check_placeholders(pieces: Sequence[Sequence[Piece]]) -> None:
    for piece in (piece for message in pieces for piece in message if isinstance(piece, str)):
        for name in ("<bbox>", "<ref-object>"):
            if name in piece:
                raise Unfit(
                    PLACEHOLDERS,
                    f"the text holds {name}, whose value is in `objects`",
                    f"{piece.strip()!r:.80}",
                    "write the values into the text, or give phrases and boxes as a table",
                )


def _fault(number: int, question: str, answer: str, shown: _Shown, asks: bool) -> Unfit | None:
    if not shown.pictures:
        return Unfit(NO_IMAGE, f"no image is shown before question {number}")
    if asks and not question:
        return Unfit(EMPTY_QUESTION, f"question {number} is empty")
    if not answer:
        return Unfit(EMPTY_ANSWER, f"answer {number} is empty")
    return None


def _text(message: Message, place: str) -> str:
    return content.text_of(content.pieces_of(message.content, place))
