"""Which questions a protocol counts, and what it says where it does not fit."""

from collections.abc import Sequence

import pytest

from pefomed.protocols.known import PROTOCOLS
from pefomed.protocols.question import Question
from pefomed.protocols.scored import DoesNotFit, Scored, score


def asked(*rows: tuple[str, str, str], language: str = "en", label: float | None = None) -> list[Question]:
    """Questions of `(reference, answer, answer_type)`."""
    return [
        Question(str(place), (reference,), answer, kind, language, label)
        for place, (reference, answer, kind) in enumerate(rows)
    ]


FOUR = asked(
    ("yes", "yes", "CLOSED"), ("left", "right", "CLOSED"), ("lung", "the lung", "OPEN"), ("yes", "no", "OPEN")
)


def figures(name: str, questions: Sequence[Question], loader: str = "slake") -> dict[str, tuple[float, int]]:
    found = score(PROTOCOLS[name], questions, loader)
    return {group: (sum(v.values()) / len(v), len(v)) for group, v in found.values.items()}


def test_the_two_ways_to_tell_open_from_closed() -> None:
    assert figures("pefomed", FOUR) == {"overall": (0.5, 4), "open": (0.5, 2), "closed": (0.5, 2)}
    # `left` is open and the open `yes` closed where yes or no decide: 1 of 2 each, by chance of these four.
    assert figures("pefomed-yes-no", FOUR) == {"overall": (0.5, 4), "open": (0.5, 2), "closed": (0.5, 2)}
    of = {
        name: score(PROTOCOLS[name], FOUR, "slake").values["closed"] for name in ("pefomed", "pefomed-yes-no")
    }
    assert [list(each) for each in of.values()] == [[0, 1], [0, 3]]


def test_f1_of_all_questions_and_accuracy_of_closed_ones() -> None:
    # yes 1, left 0, lung 1 (the article does not count), yes against no 0.
    assert figures("medgemma", FOUR) == {"overall": (0.5, 4), "closed": (0.5, 2)}


def test_other_languages_are_left_out_and_said() -> None:
    both = [
        *FOUR,
        *asked(("\u80ba", "\u80ba", "OPEN"), language="zh"),
        *asked(("foie", "foie", "OPEN"), language="fr"),
    ]
    found = score(PROTOCOLS["pefomed"], both, "slake")
    assert len(found.values["overall"]) == 4
    assert found.left_out == (
        "1 question in another language (Chinese) left out", "1 question in another language (fr) left out",
    )  # fmt: skip
    assert found.value(4) is None
    assert len(score(PROTOCOLS["medevalkit-slake"], both, "slake").values["overall"]) == 5


@pytest.mark.parametrize(
    ("name", "questions", "loader", "why"),
    [
        ("lmms-eval-slake-en", FOUR, "vqa_rad", "defined for SLAKE alone"),
        ("medevalkit", FOUR, "table", "defined for VQA-RAD, PathVQA alone"),
        ("lmms-eval-slake-zh", FOUR, "slake", "it is for Chinese; 4 questions in another language (English)"),
        ("pefomed", asked(("\u80ba", "", "OPEN"), language="zh"), "slake", "it is for English"),
        ("llava-med", asked(("yes", "yes", "")), "table", "1 of 1 questions have no `answer_type`"),
        ("judge-all", FOUR, "slake", "the judge labelled none of these answers"),
        ("judge-open", asked(("yes", "yes", ""), label=1.0), "table", "no `answer_type`"),
    ],
)
def test_what_does_not_fit_says_why(name: str, questions: list[Question], loader: str, why: str) -> None:
    with pytest.raises(DoesNotFit) as found:
        score(PROTOCOLS[name], questions, loader)
    assert why in str(found.value)


def test_without_an_answer_type_the_figure_of_all_stays() -> None:
    found = score(PROTOCOLS["pefomed"], asked(("yes", "yes", ""), ("lung", "liver", "")), "table")
    assert list(found.values) == ["overall"]
    assert found.left_out == ("no figures of open and closed questions: the data set has no `answer_type`",)
    # One of several is enough: half a split is no split.
    mixed = score(PROTOCOLS["pefomed"], asked(("yes", "yes", "CLOSED"), ("lung", "lung", "")), "table")
    assert list(mixed.values) == ["overall"]


def test_both_languages_need_both() -> None:
    pytest.importorskip("opencc")
    with pytest.raises(DoesNotFit, match="no question is in Chinese"):
        score(PROTOCOLS["both-languages"], FOUR, "slake")
    both = [*FOUR, *asked(("\u4e8c", "2", "OPEN"), language="zh")]
    assert figures("both-languages", both)["overall"] == (3 / 5, 5)


def test_without_opencc_chinese_is_left_out_and_the_extra_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pefomed.protocols.chinese.find_spec", lambda _: None)
    with pytest.raises(DoesNotFit, match=r"pefomed\[chinese\]"):
        score(PROTOCOLS["chinese"], asked(("\u80ba", "\u80ba", "OPEN"), language="zh"), "slake")


def judged(labels: Sequence[float | None]) -> list[Question]:
    rows = [
        ("yes", "yes", "CLOSED"),
        ("left", "left", "CLOSED"),
        ("lung", "the lungs", "OPEN"),
        ("CT", "MRI", "OPEN"),
    ]
    return [asked(row, label=label)[0] for row, label in zip(rows, labels, strict=True)]


def test_a_judge_of_all_and_of_open_answers() -> None:
    questions = judged([0.0, 1.0, 1.0, 0.0])
    assert figures("judge-all", questions)["overall"] == (0.5, 4)
    # Closed by exact match: 2 of 2; open by the judge: 1 of 2.
    assert figures("judge-open", questions) == {"overall": (0.75, 4), "open": (0.5, 2), "closed": (1.0, 2)}


def test_a_failed_judgement_is_no_wrong_answer() -> None:
    found = score(PROTOCOLS["judge-all"], judged([1.0, None, 1.0, 0.0]), "slake")
    assert mean(found) == pytest.approx(2 / 3)
    assert found.left_out == ("1 question without the judge's label left out",)
    # Closed answers need no label where the judge is not asked about them.
    found = score(PROTOCOLS["judge-open"], judged([None, None, 1.0, 0.0]), "slake")
    assert mean(found) == 0.75
    assert found.left_out == ()


def test_several_references_are_each_right() -> None:
    question = Question("q", ("left lung", "lung"), "lung", "OPEN", "en")
    assert mean(score(PROTOCOLS["pefomed"], [question], "table")) == 1.0


def mean(found: Scored) -> float:
    values = found.values["overall"]
    return sum(values.values()) / len(values)
