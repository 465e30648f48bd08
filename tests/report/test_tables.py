from __future__ import annotations

import pytest
from tests.report.small_run import score, scores

from pefomed.report.figures import cell_of, kind_of, metric_title, system_label
from pefomed.report.groups import group_tables
from pefomed.report.headline import headlines
from pefomed.report.tables import Footnotes, exact_match_table, other_tables
from pefomed.report.wide_tables import rate_table, text_table


def test_a_table_has_ours_first_and_published_rows_last() -> None:
    table = exact_match_table(scores(), "rad", "test", Footnotes())
    assert table is not None
    assert [head.title for head in table.heads] == ["open", "closed", "overall"]
    assert [head.n for head in table.heads] == [2, 2, 4]
    shown = [(row.kind, [cell.text if cell else "" for cell in row.cells]) for row in table.rows]
    assert shown == [
        ("model", ["43.2", "56.8", "50.0"]),
        ("blind", ["", "", "34.6"]),
        ("floor", ["", "", "25.0"]),
        ("published", ["", "", "77.4"]),
    ]


def test_a_column_of_the_other_exact_match_stands_beside_the_first() -> None:
    more = [*scores(), score("model", "overall", 0.75, 4, metric="exact_match_vqa")]
    table = exact_match_table(more, "rad", "test", Footnotes())
    assert table is not None
    assert table.blocks == [("Exact match", 3), ("Exact match, VQA-style", 3)]
    assert [head.first for head in table.heads] == [True, False, False] * 2
    cell = table.rows[0].cells[-1]
    assert cell is not None
    assert cell.text == "75.0"


def test_what_was_measured_otherwise_is_marked_and_kept_apart() -> None:
    (recall,) = other_tables(scores(), "rad", "test", Footnotes())
    assert (recall.blocks, recall.rows[0].label, recall.rows[0].incomparable) == (
        [("Token recall", 1)], "LLaVA-Med", True,
    )  # fmt: skip


def test_the_rates_of_answers_stand_in_one_table() -> None:
    more = [*scores(), score("model", "overall", 0.25, 4, metric="cut_rate")]
    table = rate_table(more, "rad", "test", Footnotes())
    assert table is not None
    assert table.blocks == [("How answers came out", 2)]
    assert [head.title for head in table.heads] == ["empty", "cut at the limit"]
    assert [[cell.text if cell else None for cell in row.cells] for row in table.rows] == [["0.0", "25.0"]]


def test_equal_proofs_share_a_footnote() -> None:
    notes = Footnotes()
    table = exact_match_table(scores(), "rad", "test", notes)
    assert table is not None
    assert table.rows[0].notes == table.rows[1].notes == [1, 2]
    assert notes.texts[:2] == [
        "equal but for case and spaces",
        "Interval: 95 % by image, jackknife, Korn-Graubard limits",
    ]
    assert table.rows[3].notes == [4]


def test_the_headline_is_measured_against_the_best_that_needs_no_image() -> None:
    (found,) = headlines(scores(), "rad", "test")
    assert (found.cell.text, found.cell.interval, found.ahead) == ("50.0", "40.0–60.0", "+15.4")  # noqa: RUF001
    assert [label for _, label, _ in found.floors] == [
        "This model, blind",
        "Majority answer of the training split",
    ]


def test_a_model_below_its_floor_says_so() -> None:
    below = [score("model", "overall", 0.2, 4), score("floor:x", "overall", 0.25, 4)]
    (found,) = headlines(below, "rad", "test")
    assert found.ahead == "−5.0"  # noqa: RUF001


def test_without_floors_there_is_no_difference() -> None:
    (found,) = headlines([score("model", "overall", 0.2, 4)], "rad", "test")
    assert (found.floors, found.ahead) == ([], "")


def test_a_task_without_exact_match_has_its_first_metric_as_headline() -> None:
    texts = [
        score("model", "overall", 0.0, 4, metric="empty_rate"),
        score("model", "overall", 0.1571, 4, metric="meteor", low=None, high=None),
        score("floor:constant", "overall", 0.207, 4, metric="meteor", low=None, high=None),
    ]
    (found,) = headlines(texts, "rad", "test")
    assert (found.metric, found.cell.text, found.unit, found.strip) == ("METEOR", "0.157", "", None)
    assert found.ahead == "−0.050"  # noqa: RUF001


def test_groups_are_ordered_by_size_and_carry_their_floors() -> None:
    answer_type, organ = group_tables(scores(), "rad", "test")
    assert (answer_type.key, organ.key) == ("answer_type", "organ")
    assert [(row.value, row.cell.text, row.cell.n) for row in organ.rows] == [
        ("CHEST", "61.1", 3),
        ("HEAD", "22.2", 1),
    ]
    assert organ.floors == [("blind", "This model, blind")]
    assert [[cell.text if cell else None for cell in row.floors] for row in organ.rows] == [["12.3"], [None]]


def test_another_split_has_no_part_in_it() -> None:
    assert headlines(scores(), "rad", "validate") == []
    assert exact_match_table(scores(), "other", "test", Footnotes()) is None
    assert other_tables(scores(), "other", "test", Footnotes()) == []


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [("exact_match", 0.12345, "12.3"), ("cider", 0.4616, "0.462"), ("wasm_judge", 2.8, "2.800")],
)
def test_shares_are_shown_in_percent_and_others_as_they_are(metric: str, value: float, text: str) -> None:
    assert cell_of(score("model", "overall", value, 4, metric=metric, low=None, high=None)).text == text


def test_names() -> None:
    assert [kind_of(s) for s in ("model", "blind", "floor:x", "published:Y", "judge:Z")] == [
        "model", "blind", "floor", "published", "other",
    ]  # fmt: skip
    assert (system_label("published:PeFoMed"), system_label("floor:own")) == ("PeFoMed", "own")
    assert (metric_title("rouge_l"), metric_title("my_measure")) == ("ROUGE-L", "My measure")


def test_reports_are_headed_by_their_overlap_not_by_being_equal_word_for_word() -> None:
    texts = [
        score("model", "overall", 0.012, 80),
        score("model", "overall", 2.69, 80, metric="cider", high=3.1),
        score("floor:constant", "overall", 2.87, 80, metric="cider", high=3.3),
        score("model", "overall", 0.718, 80, metric="rouge_l"),
    ]
    (found,) = headlines(texts, "rad", "test")
    assert (found.metric, found.cell.text, found.asked, found.ahead) == ("CIDEr", "2.690", "texts", "−0.180")  # noqa: RUF001
    assert [title for title, _, _ in found.beside] == ["ROUGE-L", "Exact match"]
    # Where some answers are no texts, exact match is about all of them.
    mixed = [score("model", "overall", 0.5, 100), *texts[1:]]
    assert headlines(mixed, "rad", "test")[0].metric == "Exact match"


def test_why_there_is_no_interval_stands_in_its_place() -> None:
    why = "none: too few images: 3, of which one has most items: worth 1.5 equal ones"
    cell = cell_of(score("model", "overall", 0.5, 4, low=None, high=None, interval=why))
    assert (cell.interval, cell.low) == ("too few images", None)
    assert f"interval {why}" in cell.title
    assert cell_of(score("model", "overall", 0.5, 4, low=None, high=None, interval="")).interval == ""


def test_a_table_too_wide_for_paper_has_a_part_for_each_block() -> None:
    names = (*(f"bleu_{n}" for n in range(1, 5)), "meteor", "rouge_l", "cider")
    both = [
        score(system, "overall", 0.1 * place, 4, metric=f"{name}{preset}")
        for system in ("model", "blind")
        for preset in ("", "_r2gen")
        for place, name in enumerate(names)
    ]
    whole = text_table(both, "rad", "test", Footnotes())
    assert whole is not None
    first, second = whole.parts
    assert [head.metric for head in first.heads] == list(names)
    assert [head.metric for head in second.heads] == [f"{name}_r2gen" for name in names]
    assert [[cell.text for cell in row.cells if cell] for row in first.rows] == [
        ["0.000", "0.100", "0.200", "0.300", "0.400", "0.500", "0.600"]
    ] * 2
    narrow = text_table(both[:7], "rad", "test", Footnotes())
    assert narrow is not None
    assert narrow.parts == [narrow]
