"""Errors say what was expected, what was found and what to do."""

from __future__ import annotations

import pefomed.errors
from pefomed.errors import DataError, ImageError, Interrupted, PefomedError, json_kind, nearest, with_article


def test_the_message_has_problem_finding_and_remedy() -> None:
    error = DataError("the table has no column 'answer'.", found="id, image", remedy="name it in `columns`")
    assert str(error) == (
        "the table has no column 'answer'\n  found: id, image\n  what to do: name it in `columns`"
    )
    assert (error.problem, error.found) == ("the table has no column 'answer'.", "id, image")


def test_parts_may_be_left_out() -> None:
    assert str(PefomedError("the disk is full")) == "the disk is full"


def test_the_tree_is_as_drawn() -> None:
    drawn = [
        line.lstrip("│├└─ ").split()[0]
        for line in (pefomed.errors.__doc__ or "").splitlines()
        if "──" in line
    ]
    kinds = {
        name
        for name, kind in vars(pefomed.errors).items()
        if isinstance(kind, type) and issubclass(kind, PefomedError) and kind is not PefomedError
    }
    assert set(drawn) == kinds
    assert issubclass(ImageError, DataError)
    assert issubclass(Interrupted, PefomedError)


def test_nearest_suggests_only_what_is_close() -> None:
    assert nearest("slaek", ["slake", "vqa_rad"]) == "did you mean 'slake'? known: slake, vqa_rad"
    assert nearest("zzz", ["slake", "vqa_rad"]) == "known: slake, vqa_rad"


def test_nouns_have_their_article_and_values_are_called_as_in_json() -> None:
    assert [with_article(noun) for noun in ("answer table", "sample", "item score")] == [
        "an answer table", "a sample", "an item score",
    ]  # fmt: skip
    values = [None, True, 1, 0.5, "", [], {}]
    assert [json_kind(value) for value in values] == [
        "nothing (null)", "true or false", "a number", "a number", "a text", "a list", "an object",
    ]  # fmt: skip
