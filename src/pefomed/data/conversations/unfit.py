"""Why a record, or one question of it, cannot be a sample: an error, or left out where `skip` says so."""

from __future__ import annotations

from typing import Literal, get_args

from pefomed.errors import DataError

Reason = Literal[
    "no conversation",
    "no image",
    "image count",
    "image in answer",
    "other medium",
    "other role",
    "wrong order",
    "no answer",
    "empty question",
    "empty answer",
    "placeholders",
]
"""What `skip` may name."""

(
    NO_CONVERSATION, NO_IMAGE, IMAGE_COUNT, IMAGE_IN_ANSWER, OTHER_MEDIUM, OTHER_ROLE, WRONG_ORDER, NO_ANSWER,
    EMPTY_QUESTION, EMPTY_ANSWER, PLACEHOLDERS,
) = get_args(Reason)  # fmt: skip


class Unfit(Exception):
    """What is wrong with a record or with one question of it."""

    def __init__(self, reason: Reason, problem: str, found: str = "", remedy: str = "correct the record"):
        super().__init__(problem)
        self.reason, self.problem, self.found, self.remedy = reason, problem, found, remedy

    def error(self, place: str) -> DataError:
        """Return the error for it where no rule leaves it out."""
        return DataError(
            f"{place}: {self.problem}",
            found=self.found or None,
            remedy=f"{self.remedy}, or leave such ones out with `skip = [{self.reason!r}]`",
        )
