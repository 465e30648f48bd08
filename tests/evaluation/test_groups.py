import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pefomed.datasets import load_samples
from pefomed.evaluation.groups import groups_of
from pefomed.recipe import Dataset


def sizes(metas: list[dict[str, str]], keys: tuple[str, ...] = ()) -> dict[str, int]:
    return {group: len(places) for group, places in groups_of(metas, keys).items()}


def test_overall_and_every_value() -> None:
    metas = [{"answer_type": "OPEN"}, {"answer_type": "CLOSED"}, {"answer_type": "OPEN"}, {}]
    found = groups_of(metas)
    assert {group: places.tolist() for group, places in found.items()} == {
        "overall": [0, 1, 2, 3],
        "answer_type=CLOSED": [1],
        "answer_type=OPEN": [0, 2],
    }


def test_open_and_closed_are_what_the_data_says() -> None:
    # A closed question may be answered `left`, an open one `yes`: the answer is not looked at.
    assert list(groups_of([{"answer_type": "CLOSED"}, {"answer_type": "OPEN"}])) == [
        "overall",
        "answer_type=CLOSED",
        "answer_type=OPEN",
    ]


def test_several_question_types_count_in_each() -> None:
    metas = [{"question_type": "PRES, POS"}, {"question_type": "PRES"}, {"question_type": "POS,POS"}]
    assert sizes(metas) == {"overall": 3, "question_type=POS": 2, "question_type=PRES": 2}


def test_other_values_keep_their_commas() -> None:
    metas = [{"finding": "effusion, left"}, {"finding": "none"}]
    assert sizes(metas) == {"overall": 2, "finding=effusion, left": 1, "finding=none": 1}


@pytest.mark.parametrize(("values", "grouped"), [(1, False), (2, True), (40, True), (41, False)])
def test_keys_with_2_to_40_values(values: int, grouped: bool) -> None:
    found = sizes([{"key": str(i % values)} for i in range(100)])
    assert len(found) == (1 + values if grouped else 1)


def test_a_key_asked_for_is_grouped_however_many_values_it_has() -> None:
    metas = [{"reader": str(i), "organ": "A" if i % 2 else "B"} for i in range(50)]
    assert len(sizes(metas, ("reader",))) == 51
    assert sizes([{"only": "x"}, {"only": "x"}], ("only",)) == {"overall": 2, "only=x": 2}


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("ab"), st.sampled_from("xyz "), max_size=2), max_size=20))
def test_a_key_without_lists_puts_every_item_that_has_it_in_one_group(metas: list[dict[str, str]]) -> None:
    found = groups_of(metas, ("a", "b"))
    for key in "ab":
        places = Counter(p for group, ps in found.items() if group.startswith(key) for p in ps.tolist())
        assert places == {place: 1 for place, meta in enumerate(metas) if meta.get(key, "").strip()}


@pytest.mark.skipif("PEFOMED_DATA" not in os.environ, reason="needs PEFOMED_DATA with vqa_rad")
def test_vqa_rad_has_179_open_and_272_closed_not_200_and_251() -> None:
    data = Path(os.environ["PEFOMED_DATA"])
    samples = load_samples(Dataset(loader="vqa_rad", root="vqa_rad"), "test", data)
    found = sizes([sample.meta for sample in samples])
    assert found["answer_type=OPEN"] == 179
    assert found["answer_type=CLOSED"] == 272
    guessed_closed = sum(sample.reference.strip().lower() in ("yes", "no") for sample in samples)
    assert (451 - guessed_closed, guessed_closed) == (200, 251)  # the earlier code's fault
    # 58 `POS`, 2 `POS, PRES` and 1 `PRES, POS` in the published file
    assert found["question_type=POS"] == 61
