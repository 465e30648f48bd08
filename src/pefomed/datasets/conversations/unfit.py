"""Why a record, or one question of it, cannot be a sample: an error, or left out where `skip` says so."""

from __future__ import annotations

import functools
from typing import Annotated

from pydantic import PlainValidator

from pefomed.mapping.skip import Kind, Rules, Unusable, rules_of

NO_CONVERSATION: Kind = "no conversation"
NO_IMAGE: Kind = "no image"
MISSING_IMAGE: Kind = "missing image"
IMAGE_COUNT: Kind = "image count"
IMAGE_IN_ANSWER: Kind = "image in answer"
OTHER_MEDIUM: Kind = "other medium"
OTHER_ROLE: Kind = "other role"
WRONG_ORDER: Kind = "wrong order"
NO_ANSWER: Kind = "no answer"
EMPTY_QUESTION: Kind = "empty question"
EMPTY_ANSWER: Kind = "empty answer"
PLACEHOLDERS: Kind = "placeholders"

KINDS: tuple[Kind, ...] = (
    NO_CONVERSATION, NO_IMAGE, MISSING_IMAGE, IMAGE_COUNT, IMAGE_IN_ANSWER, OTHER_MEDIUM, OTHER_ROLE,
    WRONG_ORDER, NO_ANSWER, EMPTY_QUESTION, EMPTY_ANSWER, PLACEHOLDERS,
)  # fmt: skip
"""What `skip` may name, beside values of fields."""

Skip = Annotated[Rules, PlainValidator(functools.partial(rules_of, kinds=KINDS))]
"""Which records, or questions of one, are left out."""


class Unfit(Exception):
    """What is wrong with a record or with one question of it."""

    def __init__(self, kind: Kind, problem: str, found: str = "", remedy: str = "correct the record"):
        super().__init__(problem)
        self.kind, self.problem, self.found, self.remedy = kind, problem, found, remedy

    def error(self, place: str) -> Unusable:
        """Return the error for it where no rule leaves it out."""
        return Unusable(f"{place}: {self.problem}", self.kind, self.remedy, self.found or None)
